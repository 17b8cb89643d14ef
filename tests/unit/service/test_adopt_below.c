/* A CA below one that is here, made elsewhere: ours from then on, if it can take part in what its root does. */
#include "bring.h"
#include "outsider.h"

#include "service/intake/external_ca.h"
#include "service/rotation/rotation.h"

static struct lookup_ret set(struct room *r, struct set_cmd cmd)
{
	struct lookup_ret ret;
	room_do(r, &VERB_CREDENTIAL_BRING, &cmd, &ret);
	return ret;
}

static struct set_cmd below(struct room *r, const char *name, const struct elsewhere *x, const char *issuer)
{
	struct set_cmd cmd = bring_cmd(r->a, name, x);
	cmd.issuer = issuer;
	return cmd;
}

static struct lookup_ret look(struct room *r, const char *name)
{
	struct lookup_ret ret;
	room_do(r, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = name }, &ret);
	return ret;
}

static void it_goes_with_its_root(void **state)
{
	struct room *r = room_new();
	struct elsewhere root = elsewhere_root(r->a, r->now, "root"), sub = elsewhere_below(r->a, r->now, "sub", -1, &root),
			 third = elsewhere_below(r->a, r->now, "third", 0, &sub);
	struct rotate_ret rotated;
	(void)set(r, bring_cmd(r->a, "/x/root", &root));
	struct lookup_ret made = set(r, below(r, "/x/sub", &sub, "/x/root"));
	assert_true(made.items[0].active && made.credential.row.origin == ORIGIN_INTERNAL);
	made = set(r, below(r, "/x/third", &third, "/x/sub")); /* the chain between is found here */
	assert_string_equal(made.items[0].ca, sub.pem);
	room_do(r, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/x/root" }, &rotated);
	struct lookup_ret next = look(r, "/x/sub");
	assert_true(next.count == 2 && next.items[0].generated);
	assert_string_equal(next.items[0].version->signed_by, rotated.new_version);
	assert_string_equal(next.items[0].version->cert.subject, sub.cert->subject);
	assert_string_equal(look(r, "/x/third").items[0].version->signed_by, next.items[0].version->row.uuid);
	bring_release((struct elsewhere *[]){ &root, &sub, &third }, 3);
	room_free(r);
}

/* Whose root has its key elsewhere: it signs, and its next certificate is asked for. */
static void below_an_imported_root(void **state)
{
	struct room *r = room_new();
	struct elsewhere root = elsewhere_root(r->a, r->now, "root"), sub = elsewhere_below(r->a, r->now, "sub", 0, &root);
	struct authority_csr_ret csr;
	struct rotate_ret rotated;
	(void)set(r, (struct set_cmd){ .name = "/x/root", .certificate = root.pem });
	struct lookup_ret made = set(r, below(r, "/x/sub", &sub, "/x/root"));
	assert_true(made.credential.row.origin == ORIGIN_EXTERNAL && made.items[0].active);
	assert_string_equal(outsider_asks(r, outsider_leaf(r, "/x/leaf", "/x/sub")).of.items[0].ca, sub.pem);
	room_do(r, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/x/sub" }, &rotated);
	room_do(r, &VERB_AUTHORITY_CSR, &(struct authority_csr_cmd){ made.credential.row.uuid }, &csr);
	assert_true(csr.ordinal == 2 && text_equal(csr.issuer, "/x/root"));
	bring_release((struct elsewhere *[]){ &root, &sub }, 2);
	room_free(r);
}

static void refused(struct room *r, struct set_cmd cmd, enum troth_kind kind, const char *words)
{
	size_t before = room_audit_count(r);
	room_refused(r, &r->admin, &VERB_CREDENTIAL_BRING, &cmd, kind, words);
	assert_int_equal(room_audit_count(r), before);
	room_refused(r, &r->admin, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = cmd.name }, TROTH_NOT_FOUND, "");
}

static void what_could_not_stand_there(void **state)
{
	struct room *r = room_new();
	struct elsewhere root = elsewhere_root(r->a, r->now - 3000 * MSEC_DAY, "root"), next = elsewhere_root(r->a, r->now, "next"),
			 sub = elsewhere_below(r->a, r->now - 3100 * MSEC_DAY, "sub", 0, &root),
			 old = elsewhere_below(r->a, r->now - 3900 * MSEC_DAY, "old", 0, &root), late = elsewhere_below(r->a, r->now - 3100 * MSEC_DAY, "late", 0, &root);
	struct set_cmd cmd = below(r, "/x/sub", &sub, "/x/root"), other = cmd, imported = { .name = "/x/root", .certificate = root.pem };
	struct lookup_ret ret;
	(void)set(r, imported);
	refused(r, below(r, "/x/old", &old, "/x/root"), TROTH_INVALID, "expired");
	other.private_key = elsewhere_key_pem(r->a, &old);
	refused(r, other, TROTH_INVALID, "is not that of");
	other.private_key = "no key";
	refused(r, other, TROTH_INVALID, "");
	(void)set(r, cmd);
	imported.certificate = next.pem; /* both are wanted: the one below has not moved yet */
	room_do(r, &VERB_CREDENTIAL_BRING, &imported, &ret);
	refused(r, below(r, "/x/late", &late, "/x/root"), TROTH_CONFLICT, "is being rotated");
	bring_release((struct elsewhere *[]){ &root, &next, &sub, &old, &late }, 5);
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(it_goes_with_its_root), cmocka_unit_test(below_an_imported_root),
					      cmocka_unit_test(what_could_not_stand_there) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
