/* What the keeper is asked for when an authority gets a new version. */
#include "fleet.h"

#include "service/ca/issue_ca.h"

static struct verb_ctx context(struct fleet *f)
{
	struct verb_ctx ctx;
	verb_ctx_init(&ctx, f->a, &f->admin, &f->port, f->now);
	ctx.tx = fleet_read(f);
	return ctx;
}

static void a_root_signs_itself(void **state)
{
	struct fleet *f = fleet_new_with(NULL, 2);
	struct verb_ctx ctx = context(f);
	struct credential_row c;
	struct troth_err e = { 0 };
	char uuid[UUID_LEN];
	verb_uuid(&ctx, uuid);
	FLEET_CHECK(f, rc_ok(credential_row_by_name(ctx.tx, f->a, "/demo/ca", &c, &e)));
	FLEET_CHECK(f, rc_ok(issue_ca_need(&ctx, &c, NULL, uuid, &e)));
	const struct keeper_request *need = ctx.need[0];
	FLEET_CHECK(f, ctx.need_count == 1 && need->kind == KEEPER_AUTHORITY_CREATE);
	FLEET_CHECK(f, need->authority_create.spec.kind == CERT_ROOT && need->authority_create.spec.path_len == -1);
	FLEET_CHECK(f, need->authority_create.spec.not_after == f->now + c.ca_ttl);
	FLEET_CHECK(f, text_equal(need->authority_create.policy.key_id, uuid) && need->authority_create.policy.may_sign_ca);
	fleet_read_end(f, ctx.tx);
	fleet_free(f);
}

static void an_intermediate_ends_with_its_issuer(void **state)
{
	struct fleet *f = fleet_new_with(NULL, 2);
	struct verb_ctx ctx = context(f);
	struct credential_row c;
	struct signer root;
	struct troth_err e = { 0 };
	char uuid[UUID_LEN];
	verb_uuid(&ctx, uuid);
	FLEET_CHECK(f, rc_ok(credential_row_by_name(ctx.tx, f->a, "/demo/inter", &c, &e)));
	FLEET_CHECK(f, rc_ok(signer_load(ctx.tx, f->a, c.issuer_id, &root, &e)));
	struct keeper_issuer issuer = { root.version.key_blob, root.cert->der };
	c.ca_ttl = 20000 * MSEC_DAY;
	FLEET_CHECK(f, rc_ok(issue_ca_need(&ctx, &c, &issuer, uuid, &e)));
	const struct keeper_request *need = ctx.need[0];
	FLEET_CHECK(f, need->kind == KEEPER_AUTHORITY_SIGN && need->authority_sign.spec.kind == CERT_INTERMEDIATE);
	FLEET_CHECK(f, need->authority_sign.spec.not_after <= root.cert->not_after);
	FLEET_CHECK(f, need->authority_sign.policy.latest_not_after == need->authority_sign.spec.not_after);
	FLEET_CHECK(f, !need->authority_sign.policy.may_sign_ca && need->authority_sign.spec.path_len == 0);
	fleet_read_end(f, ctx.tx);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_root_signs_itself),
		cmocka_unit_test(an_intermediate_ends_with_its_issuer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
