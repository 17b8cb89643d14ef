/* The request of an external authority, until its certificate comes (what comes: test_certify.c). */
#include "corp.h"

static void what_is_asked_for(void **state)
{
	struct fleet *f = fleet_new();
	struct elsewhere root = elsewhere_root(f->a, f->now, "Corporate Root");
	struct credential_ret made;
	struct authority_csr_ret ret;
	struct csr csr;
	struct troth_err e = { 0 };
	(void)corp_import(f, "/corp/root", &root);
	struct authority_create_cmd cmd = corp_create_cmd("/corp/issuing", "/corp/root", 2);
	cmd.key_type = "ec-p384";
	cmd.common_name = "Issuing CA";
	cmd.organization = "Corp";
	f->dry_run = true;
	int calls = f->keeper_calls;
	fleet_must(f, &VERB_AUTHORITY_CREATE, &cmd, &made);
	FLEET_CHECK(f, f->keeper_calls == calls);
	f->dry_run = false;
	fleet_must(f, &VERB_AUTHORITY_CREATE, &cmd, &made);
	FLEET_CHECK(f, made.credential.request.created == f->now && !made.credential.version_count && text_equal(made.credential.issuer, "/corp/root"));
	fleet_must(f, &VERB_AUTHORITY_CSR, &(struct authority_csr_cmd){ made.credential.row.uuid }, &ret);
	FLEET_CHECK(f, ret.ordinal == 1 && ret.path_len == 2 && text_equal(ret.issuer, "/corp/root") && ret.since == f->now);
	FLEET_CHECK(f, text_equal(ret.version, made.credential.request.uuid));
	FLEET_CHECK(f, rc_ok(csr_parse(f->a, bytes_of_text(ret.csr), &csr, &e)));
	FLEET_CHECK(f, csr.key_type == KEY_EC_P384 && text_equal(csr.subject, "CN=Issuing CA,O=Corp"));
	FLEET_CHECK(f, !strstr(ret.csr, "PRIVATE"));
	key_release(root.key);
	fleet_free(f);
}

static void what_cannot_be_asked_for(void **state)
{
	struct fleet *f = fleet_new();
	struct authority_create_cmd cmd = corp_create_cmd("/corp/issuing", NULL, AUTHORITY_PATH_LEN_DEFAULT);
	struct troth_err e = { 0 };
	struct credential_ret ret;
	cmd.clamp = true;
	FLEET_CHECK(f, rc_failed(fleet_do(f, &f->admin, &VERB_AUTHORITY_CREATE, &cmd, &ret, &e)) && e.kind == TROTH_INVALID);
	FLEET_CHECK(f, text_equal(e.findings->path, "$.clamp") && !e.findings->next);
	fleet_refused(f, &f->admin, &VERB_AUTHORITY_CSR, &(struct authority_csr_cmd){ corp_id(f, "/demo/ca") }, TROTH_NOT_FOUND,
		      "only a CA made with --external");
	fleet_refused(f, &f->admin, &VERB_AUTHORITY_CSR, &(struct authority_csr_cmd){ "x" }, TROTH_NOT_FOUND, "not an id");
	fleet_free(f);
}

static void the_dry_run_says_what_would_be(void **state)
{
	struct elsewhere root;
	struct fleet *f = corp_demo(&root);
	struct rotate_ret ret;
	f->dry_run = true;
	fleet_must(f, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/corp/issuing" }, &ret);
	f->dry_run = false;
	FLEET_CHECK(f, ret.dry_run && ret.slots == 2 && strstr(ret.steps[0], "troth authority csr /corp/issuing"));
	FLEET_CHECK(f, fleet_explain(f, NULL).count == 0 && !corp_authority(f, "/corp/issuing").request.id);
	key_release(root.key);
	fleet_free(f);
}

/* -- somebody is faster, between prepare and commit ------------------------------------------------------- */

static struct fleet *racing;
static struct verb_keeper line;

/* The keeper is asked; meanwhile another operator rotates the CA. */
static troth_rc rotated_meanwhile(void *self, struct arena *a, const struct keeper_request *const *need, size_t n,
				  const struct keeper_reply **replies, struct troth_err *e)
{
	struct fleet *f = racing;
	struct verb_ctx mine = f->last;
	f->line = line; /* once */
	(void)fleet_rotate(f, "/corp/issuing");
	f->last = mine;
	return line.call(line.self, a, need, n, replies, e);
}

static void race(struct fleet *f)
{
	racing = f;
	line = f->line;
	f->line = (struct verb_keeper){ NULL, rotated_meanwhile };
}

/* The slower one is told, and its key is nobody's. */
static void two_rotations_at_once_are_one(void **state)
{
	struct elsewhere root;
	struct fleet *f = corp_demo(&root);
	race(f);
	fleet_refused(f, &f->admin, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/corp/issuing" }, TROTH_CONFLICT, "waits for a certificate already");
	(void)corp_sign(f, &root); /* for the key of the faster one */
	fleet_settle(f, 60);
	FLEET_CHECK(f, corp_is(f, "/corp/issuing", "done"));
	key_release(root.key);
	fleet_free(f);
}

/* An import that would have asked finds that it is asked: it begins again, and asks nobody. */
static void an_import_asks_nobody_twice(void **state)
{
	struct elsewhere root;
	struct fleet *f = corp_demo(&root);
	struct elsewhere next = elsewhere_root(f->a, f->now, "Next Root");
	race(f);
	struct authority_import_ret i = corp_import(f, "/corp/issuing/root", &next);
	FLEET_CHECK(f, i.asked.count == 0);
	struct certify_ret c = corp_sign_under(f, "/corp/issuing", &next, NULL, (struct elsewhere_wish){ 0 });
	fleet_settle(f, 60);
	FLEET_CHECK(f, corp_is(f, i.rotation, "done") && corp_is(f, c.rotation, "done"));
	fleet_all_hands(f);
	key_release(root.key);
	key_release(next.key);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_asked_for),
		cmocka_unit_test(what_cannot_be_asked_for),
		cmocka_unit_test(the_dry_run_says_what_would_be),
		cmocka_unit_test(two_rotations_at_once_are_one),
		cmocka_unit_test(an_import_asks_nobody_twice),
	};
	return cmocka_run_group_tests_name("external", tests, NULL, NULL);
}
