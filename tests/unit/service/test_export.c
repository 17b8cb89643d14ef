/* A certificate, what is served with it, and the root: for those who shall trust it. */
#include "fleet.h"

#include "brought.h"
#include "service/handout/export.h"

static const char *id_of(struct fleet *f, const char *name)
{
	struct credential_row row;
	struct troth_err e = { 0 };
	struct tx *tx = fleet_read(f);
	FLEET_CHECK(f, rc_ok(credential_row_by_name(tx, f->a, name, &row, &e)));
	fleet_read_end(f, tx);
	return row.uuid;
}

static struct export_ret export(struct fleet *f, const char *name)
{
	struct export_ret ret = { 0 };
	fleet_must(f, &VERB_CREDENTIAL_EXPORT, &(struct export_cmd){ .id = id_of(f, name) }, &ret);
	return ret;
}

static void a_leaf_comes_with_its_intermediates_and_its_root(void **state)
{
	struct fleet *f = fleet_levels(3);
	struct export_ret leaf = export(f, "/demo/svc-0/server"), root = export(f, "/demo/ca"), inter = export(f, "/demo/inter");
	FLEET_CHECK(f, leaf.chain.count == 2 && text_equal(leaf.root, root.certificate));
	FLEET_CHECK(f, root.chain.count == 0 && text_equal(root.root, root.certificate));
	FLEET_CHECK(f, inter.chain.count <= 1 && text_equal(inter.root, root.certificate));
	const char *last = leaf.chain.items[1];
	FLEET_CHECK(f, text_equal(last, inter.certificate) || text_equal(leaf.chain.items[0], inter.certificate));
	fleet_free(f);
}

static void a_version_can_be_named(void **state)
{
	struct fleet *f = fleet_demo();
	struct export_ret before = export(f, "/demo/ca"), again = { 0 };
	(void)fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 60);
	FLEET_CHECK(f, !text_equal(export(f, "/demo/ca").certificate, before.certificate));
	fleet_must(f, &VERB_CREDENTIAL_EXPORT, &(struct export_cmd){ id_of(f, "/demo/ca"), before.version }, &again);
	FLEET_CHECK(f, text_equal(again.certificate, before.certificate));
	fleet_refused(f, &f->admin, &VERB_CREDENTIAL_EXPORT, &(struct export_cmd){ id_of(f, "/demo/svc-0/server"), before.version }, TROTH_NOT_FOUND,
		      "has no version");
	fleet_refused(f, &f->admin, &VERB_CREDENTIAL_EXPORT, &(struct export_cmd){ id_of(f, "/demo/ca"), "nonsense" }, TROTH_NOT_FOUND, "nonsense");
	fleet_free(f);
}

static void what_was_brought_comes_with_the_chain_that_was_brought(void **state)
{
	struct fleet *f = fleet_demo();
	struct brought b = brought_make(f->a, f->now, (struct brought_wish){ 0 });
	struct upload_ret uploaded;
	fleet_must(f, &VERB_CREDENTIAL_UPLOAD, &(struct upload_cmd){ .id = id_of(f, "/demo/svc-0/server"), .certificate = b.leaf,
		.chain = arena_printf(f->a, "%s%s", b.root, b.inter), .private_key = b.key, .trust_issuer = "/demo/trust" }, &uploaded);
	struct export_ret x = export(f, "/demo/svc-0/server");
	FLEET_CHECK(f, text_equal(x.certificate, b.leaf) && x.chain.count == 1 && text_equal(x.chain.items[0], b.inter) && text_equal(x.root, b.root));
	fleet_free(f);
}

static void without_a_certificate_it_is_said_so(void **state)
{
	struct fleet *f = fleet_demo();
	struct credential_ret made;
	const char *sans[] = { "dns:a.example" };
	fleet_must(f, &VERB_CREDENTIAL_CREATE, &(struct credential_create_cmd){ .name = "/demo/none", .authority = "/demo/ca", .sans = { sans, 1 } }, &made);
	fleet_refused(f, &f->admin, &VERB_CREDENTIAL_EXPORT, &(struct export_cmd){ .id = made.credential.row.uuid }, TROTH_NOT_FOUND, "no certificate yet");
	fleet_free(f);
}

static void what_is_outside_the_scope_is_not_there(void **state)
{
	struct fleet *f = fleet_demo();
	struct principal who = f->admin;
	who.roles = ROLE_AUDITOR;
	snprintf(who.scope, sizeof who.scope, "/other/*");
	fleet_refused(f, &who, &VERB_CREDENTIAL_EXPORT, &(struct export_cmd){ .id = id_of(f, "/demo/ca") }, TROTH_NOT_FOUND, "");
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leaf_comes_with_its_intermediates_and_its_root),
		cmocka_unit_test(a_version_can_be_named),
		cmocka_unit_test(what_was_brought_comes_with_the_chain_that_was_brought),
		cmocka_unit_test(without_a_certificate_it_is_said_so),
		cmocka_unit_test(what_is_outside_the_scope_is_not_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
