/* Credentials as somebody outside sees them: versions and their flags, whom they are trusted by, keys, lists. */
#include "outsider.h"

#include "service/handout/delete.h"
#include "service/handout/forget.h"
#include "service/rotation/beside.h"

static struct lookup_ret look(struct room *r, struct lookup_cmd cmd)
{
	struct lookup_ret ret;
	room_do(r, &VERB_CREDENTIAL_LOOKUP, &cmd, &ret);
	return ret;
}

static struct lookup_ret beside(struct room *r, const char *id, const char *version)
{
	struct lookup_ret ret;
	room_do(r, &VERB_AUTHORITY_BESIDE, &(struct beside_cmd){ id, version, false }, &ret);
	return ret;
}

static void by_name_by_id_by_version(void **state)
{
	struct room *r = room_new();
	outsider_asks(r, outsider_ca("/x/ca", NULL));
	struct generate_ret one = outsider_asks(r, outsider_leaf(r, "/x/leaf", "/x/ca")), two = outsider_asks(r, outsider_leaf(r, "/x/leaf", "/x/ca"));
	const char *first = one.of.items[0].version->row.uuid, *second = two.of.items[0].version->row.uuid;
	struct lookup_ret all = look(r, (struct lookup_cmd){ .name = "/x/leaf" });
	assert_true(all.count == 2 && all.items[0].active && !all.items[1].active);
	assert_string_equal(all.items[0].version->row.uuid, second);
	assert_null(all.items[0].private_key); /* not asked for */
	assert_int_equal(look(r, (struct lookup_cmd){ .id = all.credential.row.uuid, .newest = 1 }).count, 1);
	assert_int_equal(look(r, (struct lookup_cmd){ .name = "/x/leaf", .current = true }).count, 1);
	struct lookup_ret old = look(r, (struct lookup_cmd){ .version = first, .keys = true });
	assert_true(old.count == 1 && text_equal(old.items[0].version->row.uuid, first));
	assert_string_equal(old.items[0].private_key, one.of.items[0].private_key);
	assert_string_equal(room_last_audit(r), "credential.disclose");
	all = look(r, (struct lookup_cmd){ .name = "/x/leaf", .keys = true });
	assert_string_equal(all.items[0].private_key, two.of.items[0].private_key);
	assert_string_equal(all.items[1].private_key, one.of.items[0].private_key);
	room_free(r);
}

/* So many more versions like the newest: as rows, as making each would take its time. */
static void add_versions(struct room *r, const char *name, int count)
{
	struct tx *tx;
	struct credential_row c;
	struct version_row newest;
	assert_true(rc_ok(store_write_begin(r->store, &tx, NULL)) && rc_ok(credential_row_by_name(tx, r->a, name, &c, NULL)) &&
		    rc_ok(version_row_get(tx, r->a, c.signing_version, &newest, NULL)));
	for (int i = 0; i < count; i++) {
		newest.wanted = false;
		assert_true(rc_ok(version_row_update(tx, &newest, NULL)));
		newest.wanted = true;
		newest.uuid = arena_printf(r->a, "%08x-1111-4111-8111-111111111111", i);
		assert_true(rc_ok(version_row_insert(tx, &newest, NULL)));
	}
	c.signing_version = newest.id;
	assert_true(rc_ok(credential_row_update(tx, &c, NULL)) && rc_ok(store_write_commit(tx, NULL)));
}

/* However many there are: the newest are shown, with their keys; any other is there under its id. */
static void thousands_of_versions(void **state)
{
	enum { N = 2000 };
	struct room *r = room_new();
	struct lookup_ret gone;
	struct no_ret none;
	outsider_asks(r, outsider_ca("/x/ca", NULL));
	struct generate_ret first = outsider_asks(r, outsider_leaf(r, "/x/leaf", "/x/ca"));
	const char *id = first.of.credential.row.uuid, *oldest = first.of.items[0].version->row.uuid;
	add_versions(r, "/x/leaf", N);
	struct lookup_ret all = look(r, (struct lookup_cmd){ .name = "/x/leaf", .keys = true });
	assert_true(all.count == LIMIT_VERSIONS_SHOWN && all.items[0].active && all.items[all.count - 1].private_key);
	assert_int_equal(look(r, (struct lookup_cmd){ .name = "/x/leaf", .newest = N }).count, LIMIT_VERSIONS_SHOWN);
	assert_int_equal(look(r, (struct lookup_cmd){ .name = "/x/leaf", .newest = 3, .keys = true }).count, 3);
	assert_int_equal(look(r, (struct lookup_cmd){ .name = "/x/leaf", .current = true }).count, 1);
	struct lookup_ret old = look(r, (struct lookup_cmd){ .version = oldest, .keys = true });
	assert_true(old.count == 1 && text_equal(old.items[0].version->row.uuid, oldest) && !old.items[0].active && old.items[0].ca);
	assert_string_equal(old.items[0].private_key, first.of.items[0].private_key);
	outsider_asks(r, (struct generate_cmd){ .name = "/x/leaf", .again = true });
	room_do(r, &VERB_VERSION_FORGET, &(struct forget_cmd){ id, oldest, false }, &gone);
	assert_int_equal(gone.count, 1);
	room_refused(r, &r->admin, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .version = oldest }, TROTH_NOT_FOUND, "");
	room_do(r, &VERB_CREDENTIAL_DELETE, &(struct delete_cmd){ "/x/leaf" }, &none);
	room_free(r);
}

/* A certificate with a hundred long names has 20 KiB: so many of those as an answer holds. */
static void large_versions(void **state)
{
	struct room *r = room_new();
	struct generate_cmd leaf = outsider_leaf(r, "/x/leaf", "/x/ca");
	leaf.sans = (struct json_texts){ ARENA_ARRAY(r->a, const char *, LIMIT_SAN_COUNT), LIMIT_SAN_COUNT };
	for (int i = 0; i < LIMIT_SAN_COUNT; i++)
		leaf.sans.items[i] = arena_printf(r->a, "dns:n%03d.%060d.%060d.%060d.example", i, 1, 2, 3);
	outsider_asks(r, outsider_ca("/x/ca", NULL));
	outsider_asks(r, leaf);
	add_versions(r, "/x/leaf", LIMIT_VERSIONS_SHOWN);
	struct lookup_ret all = look(r, (struct lookup_cmd){ .name = "/x/leaf" });
	size_t each = all.items[0].version->cert.der.len;
	assert_true(all.count * each >= LIMIT_VERSIONS_BYTES && (all.count - 1) * each < LIMIT_VERSIONS_BYTES);
	room_free(r);
}

static void who_may_see_what(void **state)
{
	struct room *r = room_new();
	struct lookup_ret ret;
	outsider_asks(r, outsider_ca("/x/ca", NULL));
	outsider_asks(r, outsider_leaf(r, "/x/leaf", "/x/ca"));
	struct lookup_cmd cmd = { .name = "/x/leaf", .keys = true };
	size_t before = room_audit_count(r);
	assert_true(rc_ok(room_try(r, &r->auditor, &VERB_CREDENTIAL_LOOKUP, &cmd, &ret)));
	assert_true(ret.count == 1 && !ret.items[0].private_key);
	assert_int_equal(room_audit_count(r), before);
	room_refused(r, &r->narrow, &VERB_CREDENTIAL_LOOKUP, &cmd, TROTH_NOT_FOUND, "");
	room_refused(r, &r->admin, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = "/x/none" }, TROTH_NOT_FOUND, "");
	room_refused(r, &r->admin, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .version = "no uuid" }, TROTH_NOT_FOUND, "");
	struct lookup_cmd other = { 0 };
	struct no_ret none;
	struct generate_ret gone = outsider_asks(r, outsider_leaf(r, "/x/secret", "/x/ca"));
	room_do(r, &VERB_CREDENTIAL_DELETE, &(struct delete_cmd){ "/x/secret" }, &none);
	other.id = gone.of.credential.row.uuid;
	room_refused(r, &r->narrow, &VERB_CREDENTIAL_LOOKUP, &other, TROTH_NOT_FOUND, "no such credential"); /* and not what it was called */
	room_refused(r, &r->admin, &VERB_CREDENTIAL_LOOKUP, &other, TROTH_NOT_FOUND, "/x/secret was deleted");
	r->keeper_dies_at = r->keeper_calls + 1;
	room_refused(r, &r->admin, &VERB_CREDENTIAL_LOOKUP, &cmd, TROTH_UNAVAILABLE, "");
	room_free(r);
}

static size_t pems(const char *text)
{
	size_t n = 0;
	for (const char *p = text; (p = strstr(p, "BEGIN CERTIFICATE")); p++)
		n++;
	return n;
}

/* The signer stands first, then who is trusted beside it, through all of a rotation. */
static void the_flags_of_a_rotation(void **state)
{
	struct room *r = room_new();
	struct generate_ret ca = outsider_asks(r, outsider_ca("/x/ca", NULL));
	const char *id = ca.of.credential.row.uuid, *old = ca.of.items[0].version->row.uuid;
	outsider_asks(r, outsider_leaf(r, "/x/leaf", "/x/ca"));
	struct generate_ret made = outsider_asks(r, (struct generate_cmd){ .id = id, .again = true, .beside = true });
	assert_true(made.of.items[0].beside && !made.of.items[0].active);
	struct lookup_ret now = look(r, (struct lookup_cmd){ .id = id, .current = true });
	assert_true(now.count == 2 && now.items[0].active && now.items[1].beside);
	assert_string_equal(now.items[0].version->row.uuid, old);
	struct lookup_ret leaf = look(r, (struct lookup_cmd){ .name = "/x/leaf" });
	assert_int_equal(pems(leaf.items[0].ca), 2);
	assert_true(text_starts(leaf.items[0].ca, ca.of.items[0].ca));
	assert_int_equal(pems(now.items[0].ca), 1); /* a root's own is never more than itself */
	now = beside(r, id, old);
	assert_true(now.items[0].active && now.items[1].beside);
	leaf = look(r, (struct lookup_cmd){ .name = "/x/leaf" });
	assert_true(pems(leaf.items[0].ca) == 2 && text_starts(leaf.items[0].ca, ca.of.items[0].ca)); /* it is signed by the old one still */
	outsider_asks(r, (struct generate_cmd){ .name = "/x/leaf", .again = true });
	leaf = look(r, (struct lookup_cmd){ .name = "/x/leaf" });
	assert_true(pems(leaf.items[0].ca) == 2 && text_starts(leaf.items[0].ca, made.of.items[0].ca));
	now = beside(r, id, NULL);
	assert_true(now.count == 2 && now.items[0].active && !now.items[0].beside && !now.items[1].beside);
	leaf = look(r, (struct lookup_cmd){ .name = "/x/leaf" });
	assert_string_equal(leaf.items[0].ca, made.of.items[0].ca);
	room_free(r);
}

static struct catalog_ret list(struct room *r, const struct principal *who, struct catalog_cmd cmd)
{
	struct catalog_ret ret;
	assert_true(rc_ok(room_try(r, who, &VERB_CREDENTIAL_CATALOG, &cmd, &ret)));
	return ret;
}

static void lists(void **state)
{
	struct room *r = room_new();
	outsider_asks(r, outsider_ca("/x/ca", NULL));
	outsider_asks(r, outsider_leaf(r, "/x/b", "/x/ca"));
	outsider_asks(r, outsider_leaf(r, "/x/a", "/x/ca"));
	outsider_asks(r, outsider_leaf(r, "/xy/c", "/x/ca"));
	struct catalog_ret all = list(r, &r->admin, (struct catalog_cmd){ 0 });
	assert_int_equal(all.count, 4); /* troth's own are not among them */
	assert_string_equal(all.items[0].of.credential.row.name, "/x/a");
	assert_int_equal(all.items[2].sign_count, 3);
	assert_string_equal(all.items[2].signs[0], "/x/a");
	assert_int_equal(list(r, &r->admin, (struct catalog_cmd){ .path = "/x" }).count, 3);
	assert_int_equal(list(r, &r->admin, (struct catalog_cmd){ .path = "/x/" }).count, 3);
	assert_int_equal(list(r, &r->admin, (struct catalog_cmd){ .path = "/" }).count, 4);
	assert_int_equal(list(r, &r->admin, (struct catalog_cmd){ .part = "X/A" }).count, 1);
	assert_int_equal(list(r, &r->admin, (struct catalog_cmd){ .ends_before = r->now + 31 * MSEC_DAY }).count, 3);
	assert_int_equal(list(r, &r->admin, (struct catalog_cmd){ .ends_before = r->now + 3 * MSEC_DAY }).count, 0);
	assert_int_equal(list(r, &r->narrow, (struct catalog_cmd){ 0 }).count, 0);
	assert_int_equal(list(r, &r->admin, (struct catalog_cmd){ .name = "/x/b" }).count, 1);
	room_refused(r, &r->admin, &VERB_CREDENTIAL_CATALOG, &(struct catalog_cmd){ .name = "/x/none" }, TROTH_NOT_FOUND, "");
	struct lookup_ret by_lookup = look(r, (struct lookup_cmd){ .list = &(struct catalog_cmd){ .path = "/x" } });
	assert_int_equal(by_lookup.list->count, 3);
	room_free(r);
}

/* One that does not fit leaves nothing behind for the next. */
static void what_does_not_fit_is_forgotten(void **state)
{
	struct room *r = room_new();
	struct generate_cmd brief = outsider_ca("/b/ca", NULL);
	brief.ttl = 20 * MSEC_DAY;
	outsider_asks(r, outsider_ca("/a/ca", NULL));
	outsider_asks(r, outsider_leaf(r, "/a/leaf", "/a/ca"));
	outsider_asks(r, brief);
	struct catalog_ret some = list(r, &r->admin, (struct catalog_cmd){ .ends_before = r->now + 25 * MSEC_DAY });
	assert_true(some.count == 1 && some.items[0].sign_count == 0);
	assert_string_equal(some.items[0].of.credential.row.name, "/b/ca");
	room_free(r);
}

/* A CA that stands beside does not hide the one in use, which ends. */
static void the_one_in_use_is_looked_at(void **state)
{
	struct room *r = room_new();
	struct generate_cmd cmd = outsider_ca("/x/ca", NULL);
	cmd.ttl = 20 * MSEC_DAY;
	struct generate_ret ca = outsider_asks(r, cmd);
	outsider_asks(r, (struct generate_cmd){ .id = ca.of.credential.row.uuid, .again = true, .beside = true, .ttl = 300 * MSEC_DAY });
	assert_int_equal(list(r, &r->admin, (struct catalog_cmd){ .ends_before = r->now + 30 * MSEC_DAY }).count, 1);
	room_free(r);
}

/* Somebody may have a certificate made anew for years. */
static void more_versions_than_there_is_room_for(void **state)
{
	struct room *r = room_new();
	struct verb_ctx ctx;
	struct lookup_cmd cmd = { .name = "/x/leaf", .keys = true };
	outsider_asks(r, outsider_ca("/x/ca", NULL));
	for (int i = 0; i < 60; i++)
		outsider_asks(r, outsider_leaf(r, "/x/leaf", "/x/ca"));
	struct tx *tx = room_read(r);
	for (size_t kib = 128; kib <= 512; kib += 32) { /* somewhere between not even the rows and all but the last key */
		struct lookup_ret ret = { 0 };
		struct troth_err e = { 0 };
		struct arena *small = arena_new(kib << 10);
		verb_ctx_init(&ctx, small, &r->admin, &r->port, r->now);
		ctx.tx = tx;
		assert_true(rc_ok(VERB_CREDENTIAL_LOOKUP.run(&ctx, &cmd, &ret, &e)) || e.kind == TROTH_TOO_LARGE);
		assert_true(kib > 128 || e.kind == TROTH_TOO_LARGE);
		assert_true(kib < 512 || ret.count == 60);
		arena_free(small);
	}
	room_read_end(r, tx);
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_name_by_id_by_version), cmocka_unit_test(thousands_of_versions), cmocka_unit_test(large_versions),
		cmocka_unit_test(who_may_see_what), cmocka_unit_test(the_flags_of_a_rotation),
		cmocka_unit_test(lists),		    cmocka_unit_test(what_does_not_fit_is_forgotten),
		cmocka_unit_test(the_one_in_use_is_looked_at), cmocka_unit_test(more_versions_than_there_is_room_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
