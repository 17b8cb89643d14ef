/* What is set: each kind of certificate comes to its own act, under a new name or one that is there. */
#include "bring.h"
#include "outsider.h"

#include "service/intake/imported.h"

static struct lookup_ret set(struct room *r, struct set_cmd cmd)
{
	struct lookup_ret ret;
	room_do(r, &VERB_CREDENTIAL_BRING, &cmd, &ret);
	assert_true(ret.count == 1 && ret.items[0].active && !ret.items[0].beside && !ret.items[0].generated);
	return ret;
}

static void refused(struct room *r, const struct principal *who, struct set_cmd cmd, enum troth_kind kind, const char *words)
{
	size_t before = room_audit_count(r);
	room_refused(r, who, &VERB_CREDENTIAL_BRING, &cmd, kind, words);
	assert_int_equal(room_audit_count(r), before);
}

static struct set_cmd without_key(const char *name, const struct elsewhere *x)
{
	return (struct set_cmd){ .name = name, .certificate = x->pem };
}

static void a_root_with_its_key(void **state)
{
	struct room *r = room_new();
	struct elsewhere root = elsewhere_root(r->a, r->now, "root"), next = elsewhere_root(r->a, r->now, "next"), third = elsewhere_root(r->a, r->now, "third");
	struct set_cmd cmd = bring_cmd(r->a, "/x/ca", &root), by_id = bring_cmd(r->a, NULL, &third);
	cmd.issuer = "/x/ca"; /* a root may be said to be signed by itself */
	struct lookup_ret made = set(r, cmd);
	assert_string_equal(room_last_audit(r), "authority.adopt");
	assert_true(made.credential.row.origin == ORIGIN_INTERNAL && !made.items[0].private_key);
	cmd = bring_cmd(r->a, "/x/ca", &next);
	cmd.ca = next.pem;
	assert_string_equal(set(r, cmd).items[0].ca, next.pem);
	by_id.id = made.credential.row.uuid;
	by_id.beside = true;
	room_do(r, &VERB_CREDENTIAL_BRING, &by_id, &made);
	assert_true(made.count == 1 && made.items[0].beside && !made.items[0].active);
	refused(r, &r->admin, by_id, TROTH_CONFLICT, "already");
	refused(r, &r->admin, without_key("/x/ca", &root), TROTH_CONFLICT, "with its private key");
	bring_release((struct elsewhere *[]){ &root, &next, &third }, 3);
	room_free(r);
}

static void a_root_without_it(void **state)
{
	struct room *r = room_new();
	struct elsewhere root = elsewhere_root(r->a, r->now, "root"), next = elsewhere_root(r->a, r->now, "next");
	size_t calls = r->keeper_calls;
	struct lookup_ret made = set(r, without_key("/x/root", &root));
	assert_string_equal(room_last_audit(r), "authority.import");
	assert_true(made.credential.row.origin == ORIGIN_IMPORTED && r->keeper_calls == calls);
	struct set_cmd cmd = { .id = made.credential.row.uuid, .certificate = next.pem }, x = cmd;
	x.beside = true;
	refused(r, &r->admin, x, TROTH_CONFLICT, "beside it for as long");
	x = bring_cmd(r->a, "/x/root", &next);
	refused(r, &r->admin, x, TROTH_INVALID, "has its key elsewhere");
	assert_string_equal(set(r, cmd).items[0].ca, next.pem);
	room_do(r, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = "/x/root" }, &made);
	assert_true(made.count == 2 && made.items[0].active && !made.items[1].active);
	bring_release((struct elsewhere *[]){ &root, &next }, 2);
	room_free(r);
}

static void a_ca_below_another_one(void **state)
{
	struct room *r = room_new();
	struct elsewhere root = elsewhere_root(r->a, r->now, "root"), far = elsewhere_root(r->a, r->now, "far"),
			 sub = elsewhere_below(r->a, r->now, "sub", 0, &root), strange = elsewhere_below(r->a, r->now, "strange", 0, &far);
	struct set_cmd cmd = bring_cmd(r->a, "/x/sub", &sub), x = bring_cmd(r->a, "/x/sub", &strange);
	(void)set(r, bring_cmd(r->a, "/x/ca", &root));
	refused(r, &r->admin, cmd, TROTH_INVALID, "it is not said by which one");
	refused(r, &r->admin, x, TROTH_INVALID, "it is not said by which one");
	x.ca = far.pem;
	refused(r, &r->admin, x, TROTH_INVALID, "which is not here");
	cmd.issuer = "/x/ca";
	x = cmd;
	x.private_key = NULL;
	refused(r, &r->admin, x, TROTH_INVALID, "without its key");
	assert_string_equal(set(r, cmd).items[0].ca, root.pem);
	assert_string_equal(outsider_asks(r, outsider_leaf(r, "/x/leaf", "/x/sub")).of.items[0].ca, sub.pem);
	refused(r, &r->admin, cmd, TROTH_CONFLICT, "below the CA above it");
	bring_release((struct elsewhere *[]){ &root, &far, &sub, &strange }, 4);
	room_free(r);
}

/* A certificate is no secret; what it is called here is, to whom that does not exist. */
static void what_is_there_already_is_named_to_those_who_may_see_it(void **state)
{
	struct room *r = room_new();
	struct elsewhere root = elsewhere_root(r->a, r->now, "root");
	set(r, bring_cmd(r->a, "/x/ca", &root));
	refused(r, &r->admin, without_key("/prod/pg/ca", &root), TROTH_CONFLICT, "of /x/ca already");
	refused(r, &r->narrow, without_key("/prod/pg/ca", &root), TROTH_CONFLICT, "not in your scope");
	assert_false(strstr(r->e.primary, "/x/ca") || strstr(r->e.hint, "/x/ca") || strstr(r->e.object, "/x/ca"));
	bring_release((struct elsewhere *[]){ &root }, 1);
	room_free(r);
}

/* A leaf's key is given to whoever reads it, also to a developer; a CA's would be then. */
static void a_leaf_with_the_key_of_its_ca(void **state)
{
	struct room *r = room_new();
	struct elsewhere root = elsewhere_root(r->a, r->now, "root"), leaf = { .key = root.key };
	struct cert_spec spec = { .kind = CERT_LEAF, .common_name = "leaf", .path_len = -1, .eku = EKU_SERVER, .spki = root.cert->spki,
				  .not_before = r->now - MSEC_HOUR, .not_after = r->now + 90 * MSEC_DAY };
	set(r, bring_cmd(r->a, "/x/ca", &root));
	leaf.pem = cert_pem(r->a, elsewhere_build(r->a, spec, root.cert, root.key));
	struct set_cmd cmd = bring_cmd(r->a, "/x/leaf", &leaf);
	cmd.issuer = "/x/ca";
	refused(r, &r->admin, cmd, TROTH_INVALID, "has the key of the CA that signed it");
	cmd.issuer = NULL;
	cmd.ca = root.pem;
	refused(r, &r->admin, cmd, TROTH_INVALID, "has the key of the CA that signed it");
	bring_release((struct elsewhere *[]){ &root }, 1);
	room_free(r);
}

static void who_may_and_where(void **state)
{
	struct room *r = room_new();
	struct elsewhere root = elsewhere_root(r->a, r->now, "root"), leaf = bring_leaf(r->a, r->now, "leaf", &root, 0, 0);
	struct set_cmd cmd = bring_cmd(r->a, "/x/leaf", &leaf), x = cmd;
	refused(r, &r->auditor, cmd, TROTH_FORBIDDEN, "");
	refused(r, &r->narrow, cmd, TROTH_FORBIDDEN, "");
	x.name = "/troth/leaf";
	refused(r, &r->admin, x, TROTH_INVALID, "/troth/");
	x.name = NULL;
	refused(r, &r->admin, x, TROTH_INVALID, "is missing");
	x = cmd;
	x.certificate = NULL;
	refused(r, &r->admin, x, TROTH_INVALID, "is missing");
	x = cmd;
	x.id = "no uuid";
	refused(r, &r->admin, x, TROTH_NOT_FOUND, "");
	x.id = room_authority(r, "/x/ca", NULL).row.uuid;
	refused(r, &r->narrow, x, TROTH_NOT_FOUND, "");
	refused(r, &r->admin, x, TROTH_CONFLICT, "is a CA");
	outsider_asks(r, outsider_leaf(r, "/x/other", "/x/ca"));
	refused(r, &r->admin, bring_cmd(r->a, "/x/other", &root), TROTH_CONFLICT, "is no CA");
	struct list_cmd own = { .name = "/troth/server" };
	struct credential_list_ret list;
	room_do(r, &VERB_AUTHORITY_LIST, &own, &list);
	x = bring_cmd(r->a, NULL, &root);
	x.id = list.items[0].row.uuid;
	refused(r, &r->admin, x, TROTH_UNSAFE, "troth's own");
	bring_release((struct elsewhere *[]){ &root, &leaf }, 2);
	room_free(r);
}

/* What it may read and write is said by permissions alone: writing the name, reading the CA. */
static void by_permissions(void **state)
{
	struct room *r = room_new();
	struct elsewhere root = elsewhere_root(r->a, r->now, "root"), leaf = bring_leaf(r->a, r->now, "leaf", &root, 0, 0);
	struct permission own[] = { { "/x/leaf", RIGHT_WRITE }, { "/x/ca", RIGHT_READ } };
	struct principal app = { .name = "app", .roles = ROLE_OPERATOR, .scope = SCOPE_NONE, .permissions = own, .permission_count = 1 };
	struct set_cmd cmd = bring_cmd(r->a, "/x/leaf", &leaf), pem = cmd;
	struct lookup_ret ret;
	(void)set(r, bring_cmd(r->a, "/x/ca", &root));
	cmd.issuer = "/x/ca";
	refused(r, &app, cmd, TROTH_NOT_FOUND, "no authority");
	pem.ca = root.pem;
	assert_true(rc_ok(room_try(r, &app, &VERB_CREDENTIAL_BRING, &pem, &ret)) && !ret.credential.row.issuer_id); /* not his to know */
	app.permission_count = 2;
	assert_true(rc_ok(room_try(r, &app, &VERB_CREDENTIAL_BRING, &cmd, &ret)) && ret.credential.row.issuer_id);
	pem.name = "/x/other";
	refused(r, &app, pem, TROTH_FORBIDDEN, "");
	bring_release((struct elsewhere *[]){ &root, &leaf }, 2);
	room_free(r);
}

/* Of each kind, by name; by id it goes along. */
static void with_metadata(void **state)
{
	struct room *r = room_new();
	struct elsewhere root = elsewhere_root(r->a, r->now, "root"), far = elsewhere_root(r->a, r->now, "far"), next = elsewhere_root(r->a, r->now, "next"),
			 leaf = bring_leaf(r->a, r->now, "leaf", &far, 0, 0);
	struct set_cmd all[] = { bring_cmd(r->a, "/x/ca", &root), without_key("/x/far", &far), bring_cmd(r->a, "/x/leaf", &leaf), bring_cmd(r->a, "/x/ca", &next) };
	struct lookup_ret seen;
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		all[i].metadata = arena_printf(r->a, "{\"n\":%zu}", i);
		assert_string_equal(set(r, all[i]).items[0].metadata, all[i].metadata);
		room_do(r, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = all[i].name, .newest = 1 }, &seen);
		assert_string_equal(seen.items[0].metadata, all[i].metadata);
	}
	struct set_cmd again = bring_cmd(r->a, NULL, &leaf);
	room_do(r, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = "/x/leaf" }, &seen);
	again.id = seen.credential.row.uuid;
	assert_string_equal(set(r, again).items[0].metadata, "{\"n\":2}");
	assert_null(set(r, bring_cmd(r->a, "/x/leaf", &leaf)).items[0].metadata);
	room_do(r, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = "/x/leaf" }, &seen);
	assert_true(seen.count == 3 && !seen.items[0].metadata && seen.items[1].metadata);
	bring_release((struct elsewhere *[]){ &root, &far, &next, &leaf }, 4);
	room_free(r);
}

/* A CA whose key may be given out: its sender gets it back, and so does that of one below it, of none else. */
static void exportable(void **state)
{
	struct room *r = room_new();
	struct elsewhere root = elsewhere_root(r->a, r->now, "root"), sub = elsewhere_below(r->a, r->now, "sub", 0, &root),
			 closed = elsewhere_root(r->a, r->now, "closed"), under = elsewhere_below(r->a, r->now, "under", 0, &closed);
	struct set_cmd cmd = bring_cmd(r->a, "/x/ca", &root), below = bring_cmd(r->a, "/x/sub", &sub), other = bring_cmd(r->a, "/y/sub", &under);
	cmd.exportable = below.exportable = other.exportable = true;
	assert_null(set(r, bring_cmd(r->a, "/y/ca", &closed)).items[0].private_key);
	r->port.exportable_authorities = true;
	assert_string_equal(set(r, cmd).items[0].private_key, cmd.private_key);
	below.issuer = "/x/ca";
	struct lookup_ret made = set(r, below), seen;
	assert_string_equal(made.items[0].private_key, below.private_key);
	room_do(r, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = "/x/sub", .keys = true }, &seen);
	assert_non_null(seen.items[0].private_key);
	other.issuer = "/y/ca";
	assert_null(set(r, other).items[0].private_key);
	bring_release((struct elsewhere *[]){ &root, &sub, &closed, &under }, 4);
	room_free(r);
}

/* A keeper that dies leaves nothing, at either of its answers. */
static void the_keeper_dies(void **state)
{
	struct room *r = room_new();
	struct elsewhere root = elsewhere_root(r->a, r->now, "root"), leaf = bring_leaf(r->a, r->now, "leaf", &root, 0, 0);
	struct set_cmd cmd = bring_cmd(r->a, "/x/leaf", &leaf);
	for (size_t at = 1; at <= 2; at++) {
		r->keeper_dies_at = r->keeper_calls + at;
		refused(r, &r->admin, cmd, TROTH_UNAVAILABLE, "");
		room_refused(r, &r->admin, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = "/x/leaf" }, TROTH_NOT_FOUND, "");
	}
	r->keeper_dies_at = 0;
	assert_non_null(set(r, cmd).items[0].private_key);
	bring_release((struct elsewhere *[]){ &root, &leaf }, 2);
	room_free(r);
}

static void take_the_name(struct room *r)
{
	struct verb_ctx mine = r->ctx;
	outsider_asks(r, outsider_ca("/x/leaf", NULL));
	r->ctx = mine;
}

static void a_name_taken_meanwhile_is_seen(void **state)
{
	struct room *r = room_new();
	struct elsewhere root = elsewhere_root(r->a, r->now, "root"), leaf = bring_leaf(r->a, r->now, "leaf", &root, 0, 0);
	struct lookup_ret all;
	r->before_keeper = take_the_name;
	assert_string_equal(set(r, bring_cmd(r->a, "/x/leaf", &root)).items[0].ca, root.pem); /* begun again: its next version, then */
	room_do(r, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = "/x/leaf" }, &all);
	assert_int_equal(all.count, 2);
	refused(r, &r->admin, bring_cmd(r->a, "/x/leaf", &leaf), TROTH_CONFLICT, "is a CA");
	bring_release((struct elsewhere *[]){ &root, &leaf }, 2);
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_is_there_already_is_named_to_those_who_may_see_it),
		cmocka_unit_test(a_leaf_with_the_key_of_its_ca),
		cmocka_unit_test(a_root_with_its_key), cmocka_unit_test(a_root_without_it),
					      cmocka_unit_test(a_ca_below_another_one), cmocka_unit_test(who_may_and_where),
					      cmocka_unit_test(by_permissions), cmocka_unit_test(with_metadata), cmocka_unit_test(exportable), cmocka_unit_test(the_keeper_dies), cmocka_unit_test(a_name_taken_meanwhile_is_seen) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
