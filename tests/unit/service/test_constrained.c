/* A CA whose name constraints do not permit what stands below is refused at entry, by name. */
#include "corp.h"

static bool said_of(const struct troth_err *e, const char *part)
{
	for (const struct finding *x = e->findings; x; x = x->next)
		if (text_equal(x->rule, "names") && strstr(x->text, part))
			return true;
	return false;
}

static void refused(struct fleet *f, const struct verb *verb, const void *cmd, const char *part)
{
	struct troth_err e = { 0 };
	FLEET_CHECK(f, rc_failed(fleet_do(f, &f->admin, verb, cmd, arena_alloc(f->a, verb->ret_size), &e)));
	for (const struct finding *x = e.findings; x; x = x->next)
		fleet_tell(f, "%s %s", x->path, x->text);
	FLEET_CHECK(f, e.kind == TROTH_INVALID && said_of(&e, part));
}

static struct rotate_cmd bring(struct fleet *f, const struct elsewhere *root)
{
	return (struct rotate_cmd){ .name = "/demo/ca", .source = { "$.certificate", root->pem, elsewhere_key_pem(f->a, root) } };
}

/* Below an intermediate, too; one that permits them becomes the next version, and every pair shakes hands all the way. */
static void the_next_root_of_ones_own(void **state)
{
	struct fleet *f = fleet_levels(2);
	struct elsewhere narrow = elsewhere_narrow(f->a, f->now, "narrow", -1, NULL, "elsewhere.org"),
			 fits = elsewhere_narrow(f->a, f->now, "fits", -1, NULL, "example");
	struct rotate_cmd cmd = bring(f, &narrow);
	struct rotate_ret r;
	refused(f, &VERB_ROTATE, &cmd, "CN=narrow does not permit the names of /demo/svc-0/server (dns:svc-0.example)");
	f->dry_run = true;
	refused(f, &VERB_ROTATE, &cmd, "/demo/svc-2/server");
	f->dry_run = false;
	fleet_refused(f, &f->admin, &VERB_ROTATION_SHOW, &(struct rotation_cmd){ "/demo/ca" }, TROTH_NOT_FOUND, "never rotated");
	cmd = bring(f, &fits);
	fleet_must(f, &VERB_ROTATE, &cmd, &r);
	fleet_settle(f, 60);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "done") && fleet_chains_to(f, fleet_node(f, "svc-0"), r.new_version));
	fleet_all_hands(f);
	key_release(narrow.key);
	key_release(fits.key);
	fleet_free(f);
}

static void the_next_root_of_somebody_else(void **state)
{
	struct elsewhere root, narrow;
	struct fleet *f = corp_demo(&root);
	struct credential_view issuing = corp_authority(f, "/corp/issuing");
	narrow = elsewhere_narrow(f->a, f->now, "narrow", -1, NULL, "elsewhere.org");
	refused(f, &VERB_AUTHORITY_IMPORT, &(struct authority_import_cmd){ issuing.issuer, narrow.pem }, "CN=narrow does not permit the names of /corp/web-0");
	FLEET_CHECK(f, corp_import(f, "/corp/unrelated", &narrow).created); /* nothing stands below it */
	key_release(root.key);
	key_release(narrow.key);
	fleet_free(f);
}

/* Not the CA itself, nor its root: one that came between them. */
static void a_ca_between(void **state)
{
	struct elsewhere root, between;
	struct fleet *f = corp_demo(&root);
	fleet_rotate(f, "/corp/issuing");
	between = elsewhere_narrow(f->a, f->now - MSEC_DAY, "between", 1, &root, "elsewhere.org");
	const char *pem = elsewhere_sign(f->a, f->now, &between, corp_csr(f, "/corp/issuing"), (struct elsewhere_wish){ 0 });
	struct certify_cmd cmd = corp_certify_cmd(f, "/corp/issuing", arena_printf(f->a, "%s%s", pem, between.pem));
	refused(f, &VERB_AUTHORITY_CERTIFY, &cmd, "CN=between does not permit the names of /corp/web-0");
	key_release(root.key);
	key_release(between.key);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_next_root_of_ones_own),
		cmocka_unit_test(the_next_root_of_somebody_else),
		cmocka_unit_test(a_ca_between),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
