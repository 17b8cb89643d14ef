/* Keys of CAs that are made so that they can be given out: to whom, which, and what is on record of it. */
#include "elsewhere.h"
#include "outsider.h"

#include "service/handout/disclose.h"
#include "service/intake/adopt.h"
#include "service/rotation/beside.h"
#include "service/rotation/rotation.h"

static struct room *room_that_gives(void)
{
	struct room *r = room_new();
	r->port.exportable_authorities = true;
	return r;
}

static bool fits(const struct lookup_version *v)
{
	CLEANUP(key_releasep) struct key *k = NULL;
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	const struct cert *cert;
	return v->private_key && rc_ok(key_parse(bytes_of_text(v->private_key), &k, NULL)) &&
	       rc_ok(cert_parse(a, v->version->cert.der, &cert, NULL)) && key_public_matches(k, cert->spki);
}

static struct generate_cmd ca(const char *name, const char *issuer)
{
	struct generate_cmd cmd = outsider_ca(name, issuer);
	cmd.exportable = true;
	return cmd;
}

static struct lookup_ret look(struct room *r, const struct principal *who, const char *name)
{
	struct lookup_ret ret;
	assert_true(rc_ok(room_try(r, who, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = name, .keys = true }, &ret)));
	return ret;
}

/* How many versions it has, all of them with their own key, or none with any. */
static size_t all_fit(struct room *r, const char *name)
{
	struct lookup_ret all = look(r, &r->admin, name);
	for (size_t i = 0; i < all.count; i++)
		assert_true(fits(&all.items[i]));
	return all.count;
}

static void no_key(struct room *r, const char *name)
{
	size_t before = room_audit_count(r), calls = r->keeper_calls;
	struct lookup_ret all = look(r, &r->admin, name);
	for (size_t i = 0; i < all.count; i++)
		assert_null(all.items[i].private_key);
	assert_true(all.count > 0 && room_audit_count(r) == before && r->keeper_calls == calls); /* nor is one asked for */
}

static void what_is_made_comes_with_its_key(void **state)
{
	struct room *r = room_that_gives();
	struct generate_ret root = outsider_asks(r, ca("/x/root", NULL));
	assert_true(root.made && fits(&root.of.items[0]) && root.of.credential.row.exportable);
	assert_string_equal(room_last_audit(r), "authority.disclose");
	size_t before = room_audit_count(r);
	struct generate_cmd same = ca("/x/root", NULL);
	same.mode = GENERATE_CONVERGE;
	struct generate_ret kept = outsider_asks(r, same);
	assert_true(!kept.made && room_audit_count(r) == before + 1);
	assert_string_equal(kept.of.items[0].private_key, root.of.items[0].private_key);
	struct generate_ret sub = outsider_asks(r, ca("/x/sub", "/x/root"));
	assert_true(fits(&sub.of.items[0]));
	assert_string_equal(look(r, &r->admin, "/x/root").items[0].private_key, root.of.items[0].private_key);
	assert_string_equal(room_last_audit(r), "authority.disclose");
	assert_true(fits(&outsider_asks(r, outsider_leaf(r, "/x/leaf", "/x/sub")).of.items[0]));
	assert_string_equal(room_last_audit(r), "credential.generate"); /* a leaf's is told as it was */
	room_free(r);
}

/* Each version of it, whoever makes it: regenerated, rotated by troth's own word, brought by a rotation above. */
static void every_version_follows(void **state)
{
	struct room *r = room_that_gives();
	struct rotate_ret rotated;
	struct generate_ret root = outsider_asks(r, ca("/x/root", NULL));
	outsider_asks(r, ca("/x/sub", "/x/root"));
	struct generate_ret next = outsider_asks(r, (struct generate_cmd){ .name = "/x/root", .again = true, .beside = true });
	assert_true(next.made && next.of.items[0].beside && fits(&next.of.items[0]));
	assert_string_not_equal(next.of.items[0].private_key, root.of.items[0].private_key);
	struct generate_ret came = outsider_asks(r, (struct generate_cmd){ .name = "/x/sub", .again = true, .beside = true });
	assert_true(!came.made && came.of.items[0].beside && fits(&came.of.items[0])); /* its own key, not that of the one that signs */
	r->port.exportable_authorities = false; /* about new authorities, and about nothing else */
	room_do(r, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/x/root", .again = true }, &rotated);
	assert_int_equal(all_fit(r, "/x/root"), 3);
	assert_int_equal(all_fit(r, "/x/sub"), 3);
	struct generate_ret again = outsider_asks(r, (struct generate_cmd){ .name = "/x/sub", .again = true });
	assert_true(again.made && fits(&again.of.items[0]));
	room_free(r);
}

static void what_was_made_without_stays(void **state)
{
	struct room *r = room_new();
	struct credential_ret made;
	assert_null(outsider_asks(r, ca("/x/off", NULL)).of.items[0].private_key); /* the server is not set so */
	r->port.exportable_authorities = true;
	struct generate_cmd other = outsider_ca("/x/other", NULL); /* an API that gives no keys out */
	assert_null(outsider_asks(r, other).of.items[0].private_key);
	assert_null(outsider_asks(r, ca("/x/off", NULL)).of.items[0].private_key);
	struct generate_ret next = outsider_asks(r, (struct generate_cmd){ .name = "/x/off", .again = true, .exportable = true });
	assert_true(next.made && !next.of.items[0].private_key);
	no_key(r, "/x/off");
	assert_null(outsider_asks(r, ca("/x/below", "/x/off")).of.items[0].private_key);
	no_key(r, "/x/below");
	no_key(r, "/troth/server");
	struct authority_create_cmd below = { .name = "/x/no", .issuer = "/x/off", .path_len = AUTHORITY_PATH_LEN_DEFAULT, .exportable = true };
	room_refused(r, &r->admin, &VERB_AUTHORITY_CREATE, &below, TROTH_CONFLICT, "is not exportable");
	below = (struct authority_create_cmd){ .name = "/troth/x", .path_len = AUTHORITY_PATH_LEN_DEFAULT, .exportable = true };
	room_refused(r, &r->admin, &VERB_AUTHORITY_CREATE, &below, TROTH_INVALID, "");
	below.name = "/x/yes"; /* by troth's own word, which needs no setting */
	r->port.exportable_authorities = false;
	room_do(r, &VERB_AUTHORITY_CREATE, &below, &made);
	assert_int_equal(all_fit(r, "/x/yes"), 1);
	room_free(r);
}

/* Who may make a CA has its key; who may have the key of a leaf, or look, has not. */
static void to_whom(void **state)
{
	struct room *r = room_that_gives();
	struct principal operator = r->admin, developer = r->admin, narrow = r->narrow;
	operator.roles = ROLE_OPERATOR;
	developer.roles = ROLE_DEVELOPER;
	outsider_asks(r, ca("/x/ca", NULL));
	outsider_asks(r, outsider_leaf(r, "/x/leaf", "/x/ca"));
	assert_true(fits(&look(r, &operator, "/x/ca").items[0]));
	assert_true(fits(&look(r, &developer, "/x/leaf").items[0]));
	size_t before = room_audit_count(r);
	assert_null(look(r, &developer, "/x/ca").items[0].private_key);
	assert_null(look(r, &r->auditor, "/x/ca").items[0].private_key);
	struct lookup_cmd cmd = { .name = "/x/ca", .keys = true }; /* it was a leaf's name when he looked */
	struct lookup_ret ret;
	assert_true(rc_ok(room_try(r, &developer, &VERB_CREDENTIAL_DISCLOSE, &cmd, &ret)));
	assert_true(ret.count == 1 && !ret.items[0].private_key);
	room_refused(r, &developer, &VERB_AUTHORITY_DISCLOSE, &cmd, TROTH_FORBIDDEN, "");
	room_refused(r, &narrow, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = "/x/ca", .keys = true }, TROTH_NOT_FOUND, "");
	assert_int_equal(room_audit_count(r), before);
	room_free(r);
}

/* The keeper may be gone at each call: then nothing was made, and nothing was given. */
static void without_its_key_it_is_not_made(void **state)
{
	struct room *r = room_that_gives();
	struct generate_cmd cmd = ca("/x/ca", NULL);
	for (int i = 1; i <= 2; i++) {
		r->keeper_dies_at = r->keeper_calls + i;
		room_refused(r, &r->admin, &VERB_CREDENTIAL_GENERATE, &cmd, TROTH_UNAVAILABLE, "");
		room_refused(r, &r->admin, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = "/x/ca" }, TROTH_NOT_FOUND, "");
	}
	r->keeper_dies_at = 0;
	size_t calls = r->keeper_calls;
	outsider_asks(r, cmd);
	assert_int_equal(r->keeper_calls, calls + 2); /* made, opened */
	room_free(r);
}

static void what_is_brought_can_be_had_again(void **state)
{
	struct room *r = room_that_gives();
	struct elsewhere root = elsewhere_root(r->a, r->now, "brought"), next = elsewhere_root(r->a, r->now, "next"), off = elsewhere_root(r->a, r->now, "off");
	struct authority_adopt_cmd cmd = { "/x/own", root.pem, elsewhere_key_pem(r->a, &root), true };
	struct lookup_ret ret;
	room_do(r, &VERB_AUTHORITY_ADOPT, &cmd, &ret);
	assert_string_equal(ret.items[0].private_key, cmd.private_key);
	assert_int_equal(all_fit(r, "/x/own"), 1);
	struct authority_adopt_next_cmd more = { .id = ret.credential.row.uuid, .certificate = next.pem, .private_key = elsewhere_key_pem(r->a, &next) };
	room_do(r, &VERB_AUTHORITY_ADOPT_NEXT, &more, &ret);
	assert_string_equal(ret.items[0].private_key, more.private_key);
	assert_int_equal(all_fit(r, "/x/own"), 2);
	r->port.exportable_authorities = false;
	cmd = (struct authority_adopt_cmd){ "/x/off", off.pem, elsewhere_key_pem(r->a, &off), true };
	room_do(r, &VERB_AUTHORITY_ADOPT, &cmd, &ret);
	assert_null(ret.items[0].private_key);
	no_key(r, "/x/off");
	key_release(root.key);
	key_release(next.key);
	key_release(off.key);
	room_free(r);
}

/* Between its key and the writer somebody else made one of that name: begun again, with what was there then. */
static void take_the_name(struct room *r)
{
	struct credential_ret made;
	struct authority_create_cmd cmd = { .name = "/x/ca", .key_type = "ec-p256", .common_name = "a CA", .path_len = AUTHORITY_PATH_LEN_DEFAULT };
	struct verb_ctx mine = r->ctx;
	room_do(r, &VERB_AUTHORITY_CREATE, &cmd, &made);
	r->ctx = mine;
}

static void a_name_taken_meanwhile_gives_no_key(void **state)
{
	struct room *r = room_that_gives();
	struct generate_cmd cmd = ca("/x/ca", NULL);
	cmd.mode = GENERATE_KEEP;
	r->before_keeper = take_the_name;
	struct generate_ret ret;
	room_do(r, &VERB_CREDENTIAL_GENERATE, &cmd, &ret);
	assert_true(!ret.made && !ret.of.items[0].private_key && !ret.of.credential.row.exportable);
	no_key(r, "/x/ca");
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_made_comes_with_its_key), cmocka_unit_test(every_version_follows),
		cmocka_unit_test(what_was_made_without_stays),     cmocka_unit_test(to_whom),
		cmocka_unit_test(without_its_key_it_is_not_made),  cmocka_unit_test(what_is_brought_can_be_had_again),
		cmocka_unit_test(a_name_taken_meanwhile_gives_no_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
