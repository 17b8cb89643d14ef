/* Roots whose key is elsewhere: what is taken in, what is refused, what follows from the next one. */
#include "corp.h"

#include "service/rotation/distrust.h"

static struct authority_import_cmd cmd_of(const char *name, const char *pem)
{
	return (struct authority_import_cmd){ name, pem };
}

/* It must fail with these words in the error or a finding. */
static void refused(struct fleet *f, const struct principal *who, struct authority_import_cmd cmd, enum troth_kind kind, const char *part)
{
	struct troth_err e = { 0 };
	struct authority_import_ret ret;
	FLEET_CHECK(f, rc_failed(fleet_do(f, who, &VERB_AUTHORITY_IMPORT, &cmd, &ret, &e)));
	bool said = strstr(e.primary, part) || strstr(e.hint, part);
	for (const struct finding *x = e.findings; x; x = x->next)
		said = said || strstr(x->text, part) || (x->hint && strstr(x->hint, part));
	fleet_tell(f, "%s | %s", e.primary, e.hint);
	if (!said)
		fleet_fail(f, part, __FILE__, __LINE__);
	assert_int_equal(e.kind, kind);
}

static void a_root_is_trusted_only(void **state)
{
	struct fleet *f = fleet_new();
	struct elsewhere root = elsewhere_root(f->a, f->now, "Corporate Root");
	const char *san = "dns:a.example";
	f->dry_run = true;
	FLEET_CHECK(f, corp_import(f, "/corp/root", &root).created);
	f->dry_run = false;
	int calls = f->keeper_calls;
	struct authority_import_ret i = corp_import(f, "/corp/root", &root);
	struct version_row *v = &i.credential.versions[0].row;
	FLEET_CHECK(f, i.created && !i.rotation && f->keeper_calls == calls);
	FLEET_CHECK(f, v->wanted && !v->signing && !v->can_sign && !v->key_blob.len && i.credential.row.origin == ORIGIN_IMPORTED);
	struct credential_create_cmd leaf = { .name = "/corp/leaf", .authority = "/corp/root", .csr = fleet_csr(f), .sans = { &san, 1 } };
	fleet_refused(f, &f->admin, &VERB_CREDENTIAL_CREATE, &leaf, TROTH_CONFLICT, "its key is not here");
	struct authority_create_cmd below = { .name = "/corp/below", .issuer = "/corp/root", .path_len = AUTHORITY_PATH_LEN_DEFAULT };
	fleet_refused(f, &f->admin, &VERB_AUTHORITY_CREATE, &below, TROTH_CONFLICT, "make the CA with --external");
	below = corp_create_cmd("/corp/below", "/demo/ca", AUTHORITY_PATH_LEN_DEFAULT);
	fleet_refused(f, &f->admin, &VERB_AUTHORITY_CREATE, &below, TROTH_CONFLICT, "signs here, at once");
	below.issuer = "/corp/nobody";
	fleet_refused(f, &f->admin, &VERB_AUTHORITY_CREATE, &below, TROTH_NOT_FOUND, "no authority /corp/nobody");
	key_release(root.key);
	fleet_free(f);
}

static void what_is_refused(void **state)
{
	struct fleet *f = fleet_new();
	struct principal auditor = { .name = "auditor", .roles = ROLE_AUDITOR }, narrow = { .name = "narrow", .roles = ROLE_OPERATOR, .scope = "/other/*" };
	struct elsewhere root = elsewhere_root(f->a, f->now, "Corporate Root"), below = elsewhere_below(f->a, f->now, "Policy", 0, &root),
			 next = elsewhere_root(f->a, f->now, "Next Root");
	refused(f, &auditor, cmd_of("/corp/root", root.pem), TROTH_FORBIDDEN, "may not do authority.import");
	refused(f, &narrow, cmd_of("/corp/root", root.pem), TROTH_FORBIDDEN, "may not touch");
	refused(f, &f->admin, cmd_of("corp", NULL), TROTH_INVALID, "is missing");
	refused(f, &f->admin, cmd_of("/troth/root", root.pem), TROTH_INVALID, "belong to the program");
	refused(f, &f->admin, cmd_of("/corp/root", "hello"), TROTH_INVALID, "");
	refused(f, &f->admin, cmd_of("/corp/root", below.pem), TROTH_INVALID, "is not self-signed");
	refused(f, &f->admin, cmd_of("/corp/root", arena_printf(f->a, "%s%s", root.pem, next.pem)), TROTH_INVALID, "has 2 certificates");
	refused(f, &f->admin, cmd_of("/demo/ca", root.pem), TROTH_CONFLICT, "exists already");
	const char *own = cert_pem(f->a, corp_authority(f, "/demo/ca").versions[0].cert.der);
	refused(f, &f->admin, cmd_of("/corp/root", own), TROTH_CONFLICT, "its key is here");
	(void)corp_import(f, "/corp/root", &root);
	refused(f, &f->admin, cmd_of("/corp/root", root.pem), TROTH_CONFLICT, "of /corp/root already");
	refused(f, &f->admin, cmd_of("/corp/again", root.pem), TROTH_CONFLICT, "of /corp/root already");
	f->now += 3700 * MSEC_DAY;
	refused(f, &f->admin, cmd_of("/corp/root", next.pem), TROTH_INVALID, "expired");
	key_release(root.key);
	key_release(below.key);
	key_release(next.key);
	fleet_free(f);
}

/* Nothing below: the old one goes as soon as the stores have the new one; CA certificates of the outside may be served
 * by nobody here at all. */
static void without_anything_below_it_is_replaced_at_once(void **state)
{
	struct fleet *f = fleet_new();
	struct elsewhere first = elsewhere_root(f->a, f->now, "Corporate Root"), second = elsewhere_root(f->a, f->now, "Corporate Root");
	(void)corp_import(f, "/corp/root", &first);
	struct bundle_ret bundle;
	struct deployment_ret deployment;
	const char *root = "/corp/root";
	fleet_must(f, &VERB_BUNDLE_CREATE, &(struct bundle_create_cmd){ .name = "/corp/trust", .authorities = { &root, 1 } }, &bundle);
	struct store_template store = { .path = "$", .name = "trust", .profile = "pem-files", .bundle = "/corp/trust" };
	fleet_must(f, &VERB_DEPLOYMENT_CREATE, &(struct deployment_create_cmd){ .name = "site", .stores = &store, .store_count = 1 }, &deployment);
	struct fleet_node *n = fleet_join(f, "site", "site-0");
	fleet_settle(f, 20);
	FLEET_CHECK(f, fleet_store_size(n) == 1);
	struct authority_import_ret i = corp_import(f, "/corp/root", &second);
	FLEET_CHECK(f, i.asked.count == 0 && i.rotation);
	fleet_settle(f, 40);
	FLEET_CHECK(f, corp_is(f, i.rotation, "done") && fleet_store_size(n) == 1 && fleet_trusts(f, n, corp_wanted(f, "/corp/root")));
	key_release(first.key);
	key_release(second.key);
	fleet_free(f);
}

/* An upload that a bundle trusted as a single certificate, and the same root imported: one certificate, two reasons. */
static void a_root_that_a_bundle_has_already(void **state)
{
	struct fleet *f = fleet_new();
	struct elsewhere root = elsewhere_root(f->a, f->now, "Corporate Root");
	struct bundle_certificate member = { .alias = "corporate", .pem = root.pem, .path = "$" };
	struct bundle_ret bundle;
	struct deployment_ret deployment;
	const char *san = "dns:{instance}.example";
	fleet_must(f, &VERB_BUNDLE_CREATE, &(struct bundle_create_cmd){ .name = "/corp/trust", .certificates = &member, .certificate_count = 1 },
		   &bundle);
	struct store_template store = { .path = "$", .name = "trust", .profile = "pem-files", .bundle = "/corp/trust" };
	fleet_must(f, &VERB_DEPLOYMENT_CREATE, &(struct deployment_create_cmd){ .name = "site", .stores = &store, .store_count = 1 }, &deployment);
	corp_create(f, "/corp/issuing", NULL, AUTHORITY_PATH_LEN_DEFAULT);
	struct slot_template slot = { .path = "$", .name = "tls", .profile = "nginx", .role = "server", .authority = "/corp/issuing",
				      .credential = "/corp/{instance}/server", .sans = { &san, 1 } };
	fleet_must(f, &VERB_DEPLOYMENT_CREATE, &(struct deployment_create_cmd){ .name = "web", .slots = &slot, .slot_count = 1 }, &deployment);
	(void)corp_sign(f, &root);
	struct meet_list_ret meets;
	fleet_must(f, &VERB_MEET_LIST, &(struct list_cmd){ 0 }, &meets);
	bool met = false;
	for (size_t i = 0; i < meets.count; i++)
		met = met || (text_equal(meets.items[i].slot.deployment, "web") && text_equal(meets.items[i].store.deployment, "site"));
	FLEET_CHECK(f, met);
	(void)fleet_join(f, "site", "site-0");
	(void)fleet_join(f, "web", "web-0");
	fleet_settle(f, 40);
	fleet_all_hands(f);
	key_release(root.key);
	fleet_free(f);
}

/* Its owner is told, as with everything that nothing here can renew. */
static void it_is_told_before_it_ends(void **state)
{
	struct fleet *f = fleet_new();
	struct elsewhere root = elsewhere_root(f->a, f->now, "Corporate Root");
	(void)corp_import(f, "/corp/root", &root);
	f->now = root.cert->not_after - 20 * MSEC_DAY;
	fleet_wake(f);
	struct explain_ret x = fleet_explain(f, "/corp/root");
	FLEET_CHECK(f, x.count == 1 && text_equal(x.items[0].reason, "renew-by-hand"));
	FLEET_CHECK(f, text_equal(explain_hint(f->a, &x.items[0]), "bring the next version in before this one ends: troth authority import "
								  "/corp/root --certificate-file PEM"));
	key_release(root.key);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_root_is_trusted_only),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(without_anything_below_it_is_replaced_at_once),
		cmocka_unit_test(a_root_that_a_bundle_has_already),
		cmocka_unit_test(it_is_told_before_it_ends),
	};
	return cmocka_run_group_tests_name("imported", tests, NULL, NULL);
}
