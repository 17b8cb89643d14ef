/* When a certificate is renewed: words, moments, and what changes them. */
#include "room.h"

#define T0 INT64_C(1795000000000)

static void words_there_and_back(void **state)
{
	struct room *r = room_new_empty();
	static const struct { struct renewal_cmd cmd; const char *word; enum renewal_kind kind; } rows[] = {
		{ { 0 }, NULL, RENEWAL_AUTO }, { { .word = "auto" }, NULL, RENEWAL_AUTO },
		{ { .word = "never" }, "never", RENEWAL_NEVER }, { { .at = "66%" }, "66%", RENEWAL_AT },
		{ { .before = 30 * MSEC_DAY }, "30d", RENEWAL_BEFORE },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct renewal out;
		const char *word = renewal_word(r->a, &rows[i].cmd);
		assert_true(word ? rows[i].word && !strcmp(word, rows[i].word) : !rows[i].word);
		assert_true(rc_ok(renewal_read(word, &out, &r->e)));
		assert_int_equal(out.kind, rows[i].kind);
		assert_int_equal(renewal_said(&rows[i].cmd), i > 0);
	}
	struct renewal out;
	assert_false(rc_ok(renewal_read("soon", &out, &r->e)));
	assert_int_equal(r->e.kind, TROTH_CORRUPT);
	room_free(r);
}

static void bad_words_are_findings(void **state)
{
	struct room *r = room_new_empty();
	static const struct { struct renewal_cmd cmd; msec_t ttl; const char *path; } bad[] = {
		{ { .word = "sometimes" }, 0, "$.leaf_renew" }, { { .at = "0%" }, 0, "$.leaf_renew_at" },
		{ { .at = "100%" }, 0, "$.leaf_renew_at" }, { { .at = "66" }, 0, "$.leaf_renew_at" },
		{ { .at = "6x" }, 0, "$.leaf_renew_at" }, { { .at = "5%%" }, 0, "$.leaf_renew_at" },
		{ { .at = "" }, 0, "$.leaf_renew_at" },
		{ { .before = MSEC_DAY }, MSEC_DAY, "$.leaf_renew_before" },
		{ { .word = "never", .at = "50%" }, 0, "$.leaf_renew" },
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct checker c = { r->a, &r->e };
		err_clear(&r->e);
		renewal_check(&c, "leaf_", &bad[i].cmd, bad[i].ttl);
		assert_int_equal(room_findings(r), 1);
		assert_string_equal(r->e.findings->path, bad[i].path);
	}
	err_clear(&r->e);
	renewal_check(&(struct checker){ r->a, &r->e }, "", &(struct renewal_cmd){ .before = MSEC_DAY }, 0);
	assert_int_equal(room_findings(r), 0);
	room_free(r);
}

static void a_leaf_at_two_thirds_give_or_take(void **state)
{
	static const char *const names[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l" };
	const struct renewal def = { 0 }, at = { RENEWAL_AT, 50, 0 }, before = { RENEWAL_BEFORE, 0, 30 * MSEC_DAY },
			     never = { RENEWAL_NEVER, 0, 0 }, long_before = { RENEWAL_BEFORE, 0, 80 * MSEC_DAY };
	msec_t end = T0 + 60 * MSEC_DAY, first = 0;
	bool differ = false;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		msec_t m = renewal_leaf_at(&def, names[i], T0, end, 0);
		assert_true(m >= T0 + 36 * MSEC_DAY && m <= T0 + 44 * MSEC_DAY); /* 40 days +- 10 % */
		assert_int_equal(m, renewal_leaf_at(&def, names[i], T0, end, end + 1)); /* for good */
		differ = differ || (first && m != first);
		first = m;
		m = renewal_leaf_at(&at, names[i], T0, end, 0);
		assert_true(m >= T0 + 27 * MSEC_DAY && m <= T0 + 33 * MSEC_DAY);
		m = renewal_leaf_at(&before, names[i], T0, end, 0);
		assert_true(m >= T0 + 27 * MSEC_DAY && m <= T0 + 30 * MSEC_DAY); /* never later than said */
	}
	assert_true(differ);
	assert_int_equal(renewal_leaf_at(&never, "a", T0, end, 0), 0);
	assert_int_equal(renewal_leaf_at(&def, "a", T0, end, end), 0); /* its issuer could give it nothing */
	assert_int_equal(renewal_leaf_at(&def, "a", T0, T0, 0), 0);
	assert_true(renewal_leaf_at(&long_before, "a", T0, end, 0) > T0); /* a clamped life is shorter than what was said */
}

static void an_authority_leaves_room_for_its_leaves(void **state)
{
	const struct renewal def = { 0 }, at = { RENEWAL_AT, 90, 0 }, never = { RENEWAL_NEVER, 0, 0 };
	msec_t year = 360 * MSEC_DAY;
	struct renewal_moments m = renewal_authority_at(&def, T0, T0 + year, 30 * MSEC_DAY);
	assert_int_equal(m.at, T0 + 240 * MSEC_DAY);
	assert_int_equal(m.latest, T0 + 329 * MSEC_DAY); /* a leaf's life and a day for the rotation itself */
	m = renewal_authority_at(&def, T0, T0 + year, 150 * MSEC_DAY);
	assert_int_equal(m.at, T0 + 209 * MSEC_DAY);
	m = renewal_authority_at(&def, T0, T0 + year, year); /* leaves as long as the CA: not without end */
	assert_int_equal(m.at, T0 + year / 2);
	m = renewal_authority_at(&at, T0, T0 + year, 30 * MSEC_DAY); /* said too late: the bound holds */
	assert_int_equal(m.at, T0 + 324 * MSEC_DAY);
	m = renewal_authority_at(&at, T0, T0 + year, 60 * MSEC_DAY);
	assert_int_equal(m.at, T0 + 299 * MSEC_DAY);
	m = renewal_authority_at(&def, T0, T0 + 60 * MSEC_S, 20 * MSEC_S); /* a very short life: a tenth for the rotation */
	assert_int_equal(m.at, T0 + 34 * MSEC_S);
	m = renewal_authority_at(&never, T0, T0 + year, 0);
	assert_true(m.at == 0 && m.latest == 0);
	m = renewal_authority_at(&def, T0, T0, 0);
	assert_int_equal(m.at, 0);
}

static void the_next_moment_of_all(void **state)
{
	struct version_row v[] = { { .wanted = true, .renew_at = 9 }, { .wanted = true, .renew_at = 5 }, { .renew_at = 1 },
				   { .wanted = true }, { .wanted = true, .retired_at = 1, .renew_at = 2 } };
	assert_int_equal(renewal_next(v, ARRAY_LEN(v)), 5);
	assert_int_equal(renewal_next(v + 2, 1), 0);
}

/* Something that lives longer is signed below it: its moment moves. */
static void what_it_signs_moves_its_moment(void **state)
{
	struct room *r = room_new();
	struct credential_ret ca, out;
	struct authority_create_cmd cmd = { .name = "/prod/pg/ca", .path_len = -1, .ttl = 300 * MSEC_DAY, .leaf_ttl = 30 * MSEC_DAY };
	room_do(r, &VERB_AUTHORITY_CREATE, &cmd, &ca);
	assert_int_equal(ca.credential.next_renewal, r->now + 200 * MSEC_DAY);
	struct credential_create_cmd leaf = { .name = "/prod/x", .authority = "/prod/pg/ca", .sans = room_texts(r, "dns:x.example", NULL),
					      .ttl = 140 * MSEC_DAY };
	room_do(r, &VERB_CREDENTIAL_CREATE, &leaf, &out);
	struct id_cmd show = { ca.credential.row.uuid };
	room_do(r, &VERB_AUTHORITY_SHOW, &show, &ca);
	assert_int_equal(ca.credential.next_renewal, r->now + 159 * MSEC_DAY); /* 300 - 140 - 1 */
	room_do(r, &VERB_AUTHORITY_CREATE,
		&(struct authority_create_cmd){ .name = "/prod/sub", .issuer = "/prod/pg/ca", .path_len = 0, .ttl = 145 * MSEC_DAY }, &out);
	room_do(r, &VERB_AUTHORITY_SHOW, &show, &ca);
	assert_int_equal(ca.credential.next_renewal, r->now + 154 * MSEC_DAY);
	room_free(r);
}

static void set_says_it_later(void **state)
{
	struct room *r = room_new();
	struct credential_view ca = room_authority(r, "/prod/pg/ca", NULL);
	struct credential_ret out;
	struct renewal_set_cmd cmd = { .id = ca.row.uuid, .renew = { .before = 700 * MSEC_DAY }, .leaf_renew = { .at = "50%" },
				       .on_deadline = "hold" };
	room_do(r, &VERB_RENEWAL_SET, &cmd, &out);
	assert_int_equal(out.credential.next_renewal, ca.versions[0].cert.not_after / 1000 * 1000 - 700 * MSEC_DAY);
	assert_string_equal(out.credential.row.renew, "700d");
	assert_string_equal(out.credential.row.leaf_renew, "50%");
	assert_true(out.credential.row.hold_at_deadline);
	assert_int_equal(out.credential.row.rev, ca.row.rev + 1);
	cmd = (struct renewal_set_cmd){ .id = ca.row.uuid, .renew = { .word = "never" }, .on_deadline = "shed" };
	room_do(r, &VERB_RENEWAL_SET, &cmd, &out);
	assert_int_equal(out.credential.next_renewal, 0);
	assert_string_equal(out.credential.row.leaf_renew, "50%"); /* not said: as it was */
	assert_false(out.credential.row.hold_at_deadline);
	struct credential_create_cmd leaf = { .name = "/prod/x", .authority = "/prod/pg/ca", .sans = room_texts(r, "dns:x.example", NULL),
					      .ttl = 60 * MSEC_DAY, .csr = room_csr(r, KEY_EC_P256) };
	room_do(r, &VERB_CREDENTIAL_CREATE, &leaf, &out);
	msec_t at = out.credential.next_renewal - r->now;
	assert_true(at >= 27 * MSEC_DAY && at <= 33 * MSEC_DAY); /* its authority's word */
	cmd = (struct renewal_set_cmd){ .id = out.credential.row.uuid, .renew = { .before = 10 * MSEC_DAY } };
	room_do(r, &VERB_RENEWAL_SET, &cmd, &out);
	at = out.credential.next_renewal - r->now;
	assert_true(at >= 45 * MSEC_DAY && at <= 50 * MSEC_DAY); /* its own */
	room_free(r);
}

static void set_refuses(void **state)
{
	struct room *r = room_new();
	struct credential_view ca = room_authority(r, "/prod/pg/ca", NULL);
	struct credential_ret out;
	struct credential_create_cmd leaf = { .name = "/prod/x", .authority = "/prod/pg/ca", .sans = room_texts(r, "dns:x.example", NULL) };
	room_do(r, &VERB_CREDENTIAL_CREATE, &leaf, &out);
	const char *id = out.credential.row.uuid;
	struct renewal_set_cmd cmd = { .id = id, .leaf_renew = { .at = "50%" } };
	room_refused(r, &r->admin, &VERB_RENEWAL_SET, &cmd, TROTH_INVALID, "leaf");
	room_finding(r, "$.leaf_renew", "signs nothing");
	cmd = (struct renewal_set_cmd){ .id = id, .on_deadline = "hold" };
	room_refused(r, &r->admin, &VERB_RENEWAL_SET, &cmd, TROTH_INVALID, "leaf");
	cmd = (struct renewal_set_cmd){ .id = ca.row.uuid, .renew = { .before = 5000 * MSEC_DAY } };
	room_refused(r, &r->admin, &VERB_RENEWAL_SET, &cmd, TROTH_INVALID, "not shorter");
	cmd = (struct renewal_set_cmd){ .id = ca.row.uuid, .renew = { .word = "never" } };
	room_refused(r, &r->auditor, &VERB_RENEWAL_SET, &cmd, TROTH_FORBIDDEN, "");
	cmd.id = "00000000-0000-4000-8000-000000000000";
	room_refused(r, &r->admin, &VERB_RENEWAL_SET, &cmd, TROTH_NOT_FOUND, "");
	cmd.id = "x";
	room_refused(r, &r->admin, &VERB_RENEWAL_SET, &cmd, TROTH_NOT_FOUND, "");
	err_clear(&r->e);
	renewal_set_check(r->a, &(struct renewal_set_cmd){ .on_deadline = "wait" }, &r->e);
	room_finding(r, "$.on_deadline", "neither");
	err_clear(&r->e);
	renewal_set_check(r->a, &(struct renewal_set_cmd){ 0 }, &r->e);
	room_finding(r, "$", "nothing");
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_there_and_back),
		cmocka_unit_test(bad_words_are_findings),
		cmocka_unit_test(a_leaf_at_two_thirds_give_or_take),
		cmocka_unit_test(an_authority_leaves_room_for_its_leaves),
		cmocka_unit_test(the_next_moment_of_all),
		cmocka_unit_test(what_it_signs_moves_its_moment),
		cmocka_unit_test(set_says_it_later),
		cmocka_unit_test(set_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
