/* Generated: what it comes to, by what is there. */
#include "outsider.h"

#include "service/rotation/beside.h"

static bool key_fits(const struct lookup_version *v)
{
	CLEANUP(key_releasep) struct key *k = NULL;
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	const struct cert *cert;
	return v->private_key && rc_ok(key_parse(bytes_of_text(v->private_key), &k, NULL)) &&
	       rc_ok(cert_parse(a, v->version->cert.der, &cert, NULL)) && key_public_matches(k, cert->spki);
}

static const char *newest(const struct generate_ret *x) { return x->of.items[0].version->row.uuid; }

static void a_root_and_a_leaf(void **state)
{
	struct room *r = room_new();
	struct generate_ret ca = outsider_asks(r, outsider_ca("/x/ca", NULL));
	assert_true(ca.made && ca.of.count == 1 && ca.of.items[0].active && !ca.of.items[0].beside && ca.of.items[0].generated);
	assert_null(ca.of.items[0].private_key); /* an authority's key is given to nobody */
	assert_string_equal(ca.of.credential.row.renew, "never");
	struct generate_ret leaf = outsider_asks(r, outsider_leaf(r, "/x/leaf", "/x/ca"));
	assert_true(key_fits(&leaf.of.items[0]));
	assert_string_equal(leaf.of.items[0].ca, ca.of.items[0].ca);
	assert_non_null(strstr(ca.of.items[0].version->cert.subject, "OU=unit"));
	assert_int_equal((leaf.of.items[0].version->cert.not_after - leaf.of.items[0].version->cert.not_before) / MSEC_DAY, 30);
	assert_string_equal(room_last_audit(r), "credential.generate");
	room_free(r);
}

static void once_more(void **state)
{
	struct room *r = room_new();
	struct generate_cmd again = { .name = "/x/leaf", .again = true, .ttl = 10 * MSEC_DAY };
	outsider_asks(r, outsider_ca("/x/ca", NULL));
	room_refused(r, &r->admin, &VERB_CREDENTIAL_GENERATE, &again, TROTH_NOT_FOUND, "");
	struct generate_ret first = outsider_asks(r, outsider_leaf(r, "/x/leaf", "/x/ca")), next = outsider_asks(r, again);
	assert_true(next.made && key_fits(&next.of.items[0]));
	assert_string_not_equal(newest(&first), newest(&next));
	assert_string_not_equal(first.of.items[0].private_key, next.of.items[0].private_key);
	assert_int_equal((next.of.items[0].version->cert.not_after - next.of.items[0].version->cert.not_before) / MSEC_DAY, 10);
	again.ttl = 0;
	again.id = next.of.credential.row.uuid;
	again.name = NULL;
	struct generate_ret by_id = outsider_asks(r, again);
	assert_int_equal((by_id.of.items[0].version->cert.not_after - by_id.of.items[0].version->cert.not_before) / MSEC_DAY, 10);
	again.beside = true;
	room_refused(r, &r->admin, &VERB_CREDENTIAL_GENERATE, &again, TROTH_INVALID, "is no authority");
	room_free(r);
}

static void the_modes(void **state)
{
	struct room *r = room_new();
	outsider_asks(r, outsider_ca("/x/ca", NULL));
	struct generate_cmd cmd = outsider_leaf(r, "/x/leaf", "/x/ca");
	struct generate_ret first = outsider_asks(r, cmd), same;
	cmd.mode = GENERATE_KEEP;
	cmd.common_name = "y.example";
	same = outsider_asks(r, cmd);
	assert_true(!same.made && key_fits(&same.of.items[0]));
	assert_string_equal(newest(&first), newest(&same));
	assert_string_equal(room_last_audit(r), "credential.disclose"); /* a key left the house */
	cmd.mode = GENERATE_CONVERGE;
	cmd.common_name = "x.example";
	cmd.ttl = 20 * MSEC_DAY; /* another life alone is no reason */
	assert_false(outsider_asks(r, cmd).made);
	cmd.common_name = "z.example";
	struct generate_ret other = outsider_asks(r, cmd);
	assert_true(other.made && strstr(other.of.items[0].version->cert.subject, "z.example"));
	cmd.mode = GENERATE_OVERWRITE;
	assert_true(outsider_asks(r, cmd).made);
	room_free(r);
}

/* What the certificate says of its subject and its key is kept for the next, and a difference is another certificate. */
static void a_place_and_usages_are_part_of_it(void **state)
{
	struct room *r = room_new();
	struct generate_cmd ca = outsider_ca("/x/ca", NULL), cmd = outsider_leaf(r, "/x/leaf", "/x/ca");
	ca.place = (struct cert_place){ "DE", "Bayern", "Hof" };
	struct generate_ret root = outsider_asks(r, ca);
	assert_string_equal(root.of.items[0].version->cert.subject, "CN=a CA,OU=unit,L=Hof,ST=Bayern,C=DE");
	cmd.place = (struct cert_place){ .country = "AT" };
	cmd.key_usage = USAGE_DIGITAL_SIGNATURE | USAGE_KEY_AGREEMENT;
	struct generate_ret leaf = outsider_asks(r, cmd), next = outsider_asks(r, (struct generate_cmd){ .name = "/x/leaf", .again = true });
	const struct cert *cert;
	assert_true(rc_ok(cert_parse(r->a, next.of.items[0].version->cert.der, &cert, &r->e)));
	assert_int_equal(cert->key_usage, USAGE_DIGITAL_SIGNATURE | USAGE_KEY_AGREEMENT);
	assert_string_equal(cert->subject, leaf.of.items[0].version->cert.subject);
	cmd.mode = ca.mode = GENERATE_CONVERGE;
	assert_false(outsider_asks(r, cmd).made);
	cmd.key_usage = USAGE_DIGITAL_SIGNATURE;
	assert_true(outsider_asks(r, cmd).made);
	cmd.place.locality = "Linz";
	assert_true(outsider_asks(r, cmd).made);
	assert_false(outsider_asks(r, ca).made);
	struct generate_ret second = outsider_asks(r, (struct generate_cmd){ .name = "/x/ca", .again = true });
	assert_string_equal(second.of.items[0].version->cert.subject, root.of.items[0].version->cert.subject);
	ca.place.locality = "Ulm";
	room_refused(r, &r->admin, &VERB_CREDENTIAL_GENERATE, &ca, TROTH_CONFLICT, "says other names");
	room_free(r);
}

static void what_no_key_of_its_type_does_is_refused(void **state)
{
	struct room *r = room_new();
	struct generate_cmd cmd = outsider_leaf(r, "/x/leaf", "/x/ca");
	outsider_asks(r, outsider_ca("/x/ca", NULL));
	cmd.key_usage = USAGE_DIGITAL_SIGNATURE | USAGE_KEY_ENCIPHERMENT;
	room_refused(r, &r->admin, &VERB_CREDENTIAL_GENERATE, &cmd, TROTH_INVALID, "has key_encipherment, which no key of type ec-p256 does");
	cmd.key_type = NULL; /* RSA */
	cmd.key_usage = USAGE_KEY_AGREEMENT;
	room_refused(r, &r->admin, &VERB_CREDENTIAL_GENERATE, &cmd, TROTH_INVALID, "has key_agreement, which no key of type rsa-2048 does");
	cmd.key_type = "dsa";
	room_refused(r, &r->admin, &VERB_CREDENTIAL_GENERATE, &cmd, TROTH_INVALID, "$.key_type");
	cmd = outsider_leaf(r, "/x/leaf", "/x/ca");
	cmd.place.country = "Austria";
	room_refused(r, &r->admin, &VERB_CREDENTIAL_GENERATE, &cmd, TROTH_INVALID, "$.country");
	room_free(r);
}

/* Converge: its CA signs with another version now. */
static void a_swapped_ca_is_a_reason(void **state)
{
	struct room *r = room_new();
	outsider_asks(r, outsider_ca("/x/ca", NULL));
	struct generate_cmd cmd = outsider_leaf(r, "/x/leaf", "/x/ca");
	struct generate_ret first = outsider_asks(r, cmd);
	cmd.mode = GENERATE_CONVERGE;
	struct generate_ret ca = outsider_asks(r, (struct generate_cmd){ .name = "/x/ca", .again = true, .ttl = 100 * MSEC_DAY });
	assert_true(ca.of.items[0].active);
	assert_int_equal((ca.of.items[0].version->cert.not_after - ca.of.items[0].version->cert.not_before) / MSEC_DAY, 100);
	struct generate_ret next = outsider_asks(r, cmd);
	assert_non_null(strstr(ca.of.items[0].version->cert.subject, "OU=unit"));
	assert_true(next.made);
	assert_string_equal(next.of.items[0].version->signed_by, newest(&ca));
	assert_string_not_equal(newest(&first), newest(&next));
	assert_false(outsider_asks(r, cmd).made);
	room_free(r);
}

/* What stands below came with the one above, and is not made a second time. */
static void a_ca_below_has_its_next_version_already(void **state)
{
	struct room *r = room_new();
	outsider_asks(r, outsider_ca("/x/root", NULL));
	struct generate_ret sub = outsider_asks(r, outsider_ca("/x/sub", "/x/root"));
	struct generate_ret root = outsider_asks(r, (struct generate_cmd){ .name = "/x/root", .again = true, .beside = true });
	size_t calls = r->keeper_calls;
	struct generate_ret came = outsider_asks(r, (struct generate_cmd){ .name = "/x/sub", .again = true, .beside = true });
	assert_true(!came.made && came.of.items[0].beside && r->keeper_calls == calls);
	assert_string_equal(came.of.items[0].version->signed_by, newest(&root));
	struct generate_ret leaf = outsider_asks(r, outsider_leaf(r, "/x/leaf", "/x/sub"));
	assert_string_equal(leaf.of.items[0].version->signed_by, newest(&sub)); /* the old chain, until somebody says otherwise of the root */
	room_free(r);
}

static void refusals_change_nothing(void **state)
{
	struct room *r = room_new();
	outsider_asks(r, outsider_ca("/x/ca", NULL));
	outsider_asks(r, outsider_leaf(r, "/x/leaf", "/x/ca"));
	size_t before = room_audit_count(r);
	struct generate_cmd cmd = outsider_leaf(r, "/x/other", "/x/none");
	room_refused(r, &r->admin, &VERB_CREDENTIAL_GENERATE, &cmd, TROTH_NOT_FOUND, "/x/none");
	assert_string_equal(r->e.clause, CLAUSE_NO_ISSUER);
	cmd = outsider_leaf(r, "/x/ca", "/x/ca");
	room_refused(r, &r->admin, &VERB_CREDENTIAL_GENERATE, &cmd, TROTH_CONFLICT, "is an authority");
	cmd = outsider_ca("/x/ca", NULL);
	cmd.common_name = "another CA";
	room_refused(r, &r->admin, &VERB_CREDENTIAL_GENERATE, &cmd, TROTH_CONFLICT, "says other names");
	cmd = outsider_leaf(r, "/x/other", "/troth/server");
	room_refused(r, &r->admin, &VERB_CREDENTIAL_GENERATE, &cmd, TROTH_NOT_FOUND, "signs nothing for others");
	cmd = (struct generate_cmd){ .name = "/troth/server", .again = true, .beside = true };
	room_refused(r, &r->admin, &VERB_CREDENTIAL_GENERATE, &cmd, TROTH_UNSAFE, "troth's own");
	cmd = outsider_leaf(r, "/x/other", NULL);
	room_refused(r, &r->admin, &VERB_CREDENTIAL_GENERATE, &cmd, TROTH_INVALID, "signed by an authority");
	cmd = outsider_leaf(r, "/x/other", "/x/ca");
	room_refused(r, &r->auditor, &VERB_CREDENTIAL_GENERATE, &cmd, TROTH_FORBIDDEN, "");
	room_refused(r, &r->narrow, &VERB_CREDENTIAL_GENERATE, &cmd, TROTH_FORBIDDEN, "");
	r->dry_run = true;
	room_refused(r, &r->admin, &VERB_CREDENTIAL_GENERATE, &cmd, TROTH_INVALID, "cannot be tried");
	assert_int_equal(room_audit_count(r), before);
	room_free(r);
}

/* Their next version comes when they ask for it: what was said of it now would be forgotten. */
static void what_slots_make_takes_no_word_beforehand(void **state)
{
	struct room *r = room_new();
	room_deployment(r, "pg");
	(void)room_enroll(r, "pg", "pg-0");
	struct generate_cmd cmd = { .name = "/prod/pg/pg-0/server", .again = true, .metadata = "{}" };
	room_refused(r, &r->admin, &VERB_CREDENTIAL_GENERATE, &cmd, TROTH_INVALID, "slots serve /prod/pg/pg-0/server");
	room_free(r);
}

/* Between the key and the signature, somebody else took the name. */
static void take_the_name(struct room *r)
{
	struct credential_ret made;
	const char *san = "dns:y.example";
	struct credential_create_cmd cmd = { .name = "/x/leaf", .authority = "/x/ca", .sans = { &san, 1 } };
	struct verb_ctx mine = r->ctx;
	room_do(r, &VERB_CREDENTIAL_CREATE, &cmd, &made);
	r->ctx = mine;
}

static void a_name_taken_meanwhile_is_seen(void **state)
{
	struct room *r = room_new();
	outsider_asks(r, outsider_ca("/x/ca", NULL));
	r->before_keeper = take_the_name;
	struct generate_ret leaf = outsider_asks(r, outsider_leaf(r, "/x/leaf", "/x/ca"));
	assert_true(leaf.made && key_fits(&leaf.of.items[0])); /* begun again, with what was there then */
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_root_and_a_leaf),	       cmocka_unit_test(once_more),
		cmocka_unit_test(a_place_and_usages_are_part_of_it), cmocka_unit_test(what_no_key_of_its_type_does_is_refused),
		cmocka_unit_test(the_modes),		       cmocka_unit_test(a_swapped_ca_is_a_reason),
		cmocka_unit_test(a_ca_below_has_its_next_version_already),
		cmocka_unit_test(what_slots_make_takes_no_word_beforehand),
		cmocka_unit_test(refusals_change_nothing), cmocka_unit_test(a_name_taken_meanwhile_is_seen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
