/* The whole picture: who signed what, who trusts it, who serves it, and until when a chain holds. */
#include "brought.h"
#include "outside.h"

#include "service/fleet/topology.h"

static struct topology_ret look(struct fleet *f, const char *name, bool all)
{
	struct topology_ret ret = { 0 };
	fleet_must(f, &VERB_TOPOLOGY, &(struct topology_cmd){ .name = name, .all = all }, &ret);
	return ret;
}

static const struct topology_item *item(struct fleet *f, const struct topology_ret *t, const char *name)
{
	for (size_t i = 0; i < t->count; i++)
		if (text_equal(t->items[i].credential.row.name, name))
			return &t->items[i];
	fleet_fail(f, name, __FILE__, __LINE__);
}

static bool there(const struct topology_ret *t, const char *name)
{
	for (size_t i = 0; i < t->count; i++)
		if (text_equal(t->items[i].credential.row.name, name))
			return true;
	return false;
}

static void who_signed_trusts_and_serves(void **state)
{
	struct fleet *f = fleet_demo();
	struct topology_ret t = look(f, "/demo/ca", false);
	const struct topology_item *ca = item(f, &t, "/demo/ca");
	FLEET_CHECK(f, t.count == 4 && ca->version_count == 1 && ca->versions[0].view.row.signing);
	FLEET_CHECK(f, ca->versions[0].use_count == 1);
	const struct topology_use *store = &ca->versions[0].uses[0];
	FLEET_CHECK(f, text_equal(store->deployment, "app") && text_equal(store->target, "trust") && store->kind == TARGET_STORE);
	FLEET_CHECK(f, store->members == 3 && store->of == 3 && !store->instance);
	const struct topology_item *leaf = item(f, &t, "/demo/svc-0/server");
	FLEET_CHECK(f, text_equal(leaf->credential.issuer, "/demo/ca") && leaf->version_count == 1);
	FLEET_CHECK(f, text_equal(leaf->versions[0].view.signed_by, ca->versions[0].view.row.uuid));
	FLEET_CHECK(f, leaf->versions[0].use_count == 1 && text_equal(leaf->versions[0].uses[0].instance, "svc-0"));
	FLEET_CHECK(f, leaf->versions[0].chain_not_after == leaf->versions[0].view.cert.not_after);
	fleet_free(f);
}

/* During a rotation both versions are shown, with how many stores hold each; afterwards the old one only if asked for. */
static void a_rotation_is_seen_in_it(void **state)
{
	struct fleet *f = fleet_demo();
	(void)fleet_rotate(f, "/demo/ca");
	fleet_turn(f, fleet_node(f, "app-0"));
	struct topology_ret t = look(f, "/demo/ca", false);
	const struct topology_item *ca = item(f, &t, "/demo/ca");
	FLEET_CHECK(f, ca->version_count == 2);
	FLEET_CHECK(f, ca->versions[0].uses[0].members == 1 && ca->versions[0].uses[0].of == 3); /* newest first */
	FLEET_CHECK(f, ca->versions[1].uses[0].members == 3);
	fleet_settle(f, 60);
	t = look(f, "/demo/ca", false);
	FLEET_CHECK(f, item(f, &t, "/demo/ca")->version_count == 1 && item(f, &t, "/demo/svc-1/server")->version_count == 1);
	t = look(f, "/demo/ca", true);
	FLEET_CHECK(f, item(f, &t, "/demo/ca")->version_count == 2 && item(f, &t, "/demo/svc-1/server")->version_count == 2);
	fleet_free(f);
}

/* What people approved of a rotation that goes on is told with the authority, for those who speak of phases. */
static void steps_that_were_approved(void **state)
{
	struct fleet *f = fleet_demo();
	struct credential_ret ret;
	struct approve_ret approved;
	struct topology_ret t = look(f, "/demo/ca", false);
	const struct topology_item *ca = item(f, &t, "/demo/ca");
	FLEET_CHECK(f, !ca->rotating && !ca->approved.count);
	fleet_must(f, &VERB_AUTHORITY_ROLLOUT, &(struct authority_rollout_cmd){ ca->credential.row.uuid, NULL, "manual" }, &ret);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	t = look(f, "/demo/ca", false);
	FLEET_CHECK(f, item(f, &t, "/demo/ca")->rotating && !item(f, &t, "/demo/ca")->approved.count);
	fleet_must(f, &VERB_ROTATION_APPROVE, &(struct approve_cmd){ r.rotation, "introduce" }, &approved);
	t = look(f, "/demo/ca", false);
	ca = item(f, &t, "/demo/ca");
	FLEET_CHECK(f, ca->rotating && ca->approved.count == 1 && text_equal(ca->approved.items[0], "introduce"));
	FLEET_CHECK(f, !item(f, &t, "/demo/svc-0/server")->rotating); /* it is its CA's */
	fleet_settle(f, 40);
	fleet_must(f, &VERB_ROTATION_APPROVE, &(struct approve_cmd){ r.rotation, "switch" }, &approved);
	fleet_settle(f, 40);
	fleet_must(f, &VERB_ROTATION_APPROVE, &(struct approve_cmd){ r.rotation, "withdraw" }, &approved);
	fleet_settle(f, 40);
	t = look(f, "/demo/ca", false);
	FLEET_CHECK(f, !item(f, &t, "/demo/ca")->rotating && !item(f, &t, "/demo/ca")->approved.count);
	fleet_free(f);
}

/* In no store and replaced, a CA is still there while somebody may say when it goes. */
static void a_ca_that_waits_to_be_put_away(void **state)
{
	struct fleet *f = fleet_new();
	struct credential_ret ca;
	struct rotate_ret r;
	struct approve_ret approved;
	fleet_must(f, &VERB_AUTHORITY_CREATE, &(struct authority_create_cmd){ .name = "/no/store", .path_len = AUTHORITY_PATH_LEN_DEFAULT }, &ca);
	fleet_must(f, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/no/store", .by_steps = true }, &r);
	fleet_must(f, &VERB_ROTATION_APPROVE, &(struct approve_cmd){ r.rotation, "switch" }, &approved);
	struct topology_ret t = look(f, "/no/store", false);
	const struct topology_item *x = item(f, &t, "/no/store");
	FLEET_CHECK(f, x->version_count == 2 && x->versions[0].view.row.signing && !x->versions[1].view.row.wanted);
	fleet_must(f, &VERB_ROTATION_APPROVE, &(struct approve_cmd){ r.rotation, "withdraw" }, &approved);
	t = look(f, "/no/store", false);
	FLEET_CHECK(f, item(f, &t, "/no/store")->version_count == 1 && !item(f, &t, "/no/store")->rotating);
	fleet_free(f);
}

static void a_name_is_what_is_above_and_below_it(void **state)
{
	struct fleet *f = fleet_levels(2);
	struct topology_ret t = look(f, "/demo/inter", false);
	FLEET_CHECK(f, there(&t, "/demo/ca") && there(&t, "/demo/inter") && there(&t, "/demo/svc-0/server") && !there(&t, "/troth/agents"));
	t = look(f, "/demo/svc-0/server", false);
	FLEET_CHECK(f, t.count == 3 && there(&t, "/demo/ca") && there(&t, "/demo/inter"));
	FLEET_CHECK(f, there(&t, "/demo/svc-0/server") && !there(&t, "/demo/svc-1/server"));
	t = look(f, NULL, false);
	FLEET_CHECK(f, there(&t, "/demo/svc-1/server") && there(&t, "/troth/agents"));
	fleet_refused(f, &f->admin, &VERB_TOPOLOGY, &(struct topology_cmd){ .name = "/demo/none" }, TROTH_NOT_FOUND, "/demo/none");
	fleet_free(f);
}

/* A CA that ends before its leaf ends the chain. */
static void a_chain_ends_with_its_first_certificate(void **state)
{
	struct fleet *f = fleet_new();
	struct credential_ret ca, leaf;
	fleet_must(f, &VERB_AUTHORITY_CREATE, &(struct authority_create_cmd){ .name = "/short/ca", .ttl = 20 * MSEC_DAY, .leaf_ttl = 5 * MSEC_DAY,
		.path_len = AUTHORITY_PATH_LEN_DEFAULT }, &ca);
	const char *sans[] = { "dns:a.example" };
	fleet_must(f, &VERB_CREDENTIAL_CREATE, &(struct credential_create_cmd){ .name = "/short/a", .authority = "/short/ca", .sans = { sans, 1 },
		.csr = fleet_csr(f), .ttl = 90 * MSEC_DAY, .clamp = true }, &leaf);
	struct topology_ret t = look(f, "/short/a", false);
	const struct topology_version *v = &item(f, &t, "/short/a")->versions[0];
	FLEET_CHECK(f, v->chain_not_after <= ca.credential.versions[0].cert.not_after && v->chain_not_after <= v->view.cert.not_after);
	/* its own end is the chain's unless an issuer ends earlier */
	FLEET_CHECK(f, v->use_count == 1 && v->uses[0].party == PARTY_HOLDER && v->uses[0].members == 1); /* who sent the request has it */
	FLEET_CHECK(f, text_equal(v->chain_ends, v->view.cert.not_after <= ca.credential.versions[0].cert.not_after ? "/short/a" : "/short/ca"));
	fleet_free(f);
}

/* What somebody else issued has no issuer here: its chain is what was uploaded. */
static void an_uploaded_chain_ends_with_what_was_uploaded(void **state)
{
	struct fleet *f = fleet_demo();
	struct brought b = brought_make(f->a, f->now, (struct brought_wish){ .until = 30 * MSEC_DAY, .inter_until = 20 * MSEC_DAY });
	struct upload_ret uploaded;
	struct topology_ret t = look(f, "/demo/svc-0/server", false);
	fleet_must(f, &VERB_CREDENTIAL_UPLOAD, &(struct upload_cmd){ .id = item(f, &t, "/demo/svc-0/server")->credential.row.uuid,
		.certificate = b.leaf, .chain = arena_printf(f->a, "%s%s", b.root, b.inter), .private_key = b.key }, &uploaded);
	t = look(f, "/demo/svc-0/server", false);
	const struct topology_version *v = &item(f, &t, "/demo/svc-0/server")->versions[0];
	FLEET_CHECK(f, v->chain_not_after == f->now + 20 * MSEC_DAY && text_equal(v->chain_ends, "CN=Issuing"));
	fleet_free(f);
}

/* Applications that were handed a bundle are stores that nobody sees; they belong to its name. */
static void bindings_are_counted_with_their_bundle(void **state)
{
	struct fleet *f = fleet_demo();
	struct principal who = f->admin;
	struct topology_ret ret = { 0 };
	struct troth_err e = { 0 };
	(void)outside_bind(f, "/demo/shop", (struct binding_create_cmd){ 0 });
	who.roles = ROLE_AUDITOR;
	snprintf(who.scope, sizeof who.scope, "/demo/*"); /* not /troth/bindings, not the deployment app */
	FLEET_CHECK(f, rc_ok(fleet_do(f, &who, &VERB_TOPOLOGY, &(struct topology_cmd){ .name = "/demo/ca" }, &ret, &e)));
	const struct topology_version *v = &item(f, &ret, "/demo/ca")->versions[0];
	FLEET_CHECK(f, v->use_count == 1 && v->uses[0].party == PARTY_BINDING && text_equal(v->uses[0].target, "/demo/trust"));
	FLEET_CHECK(f, v->uses[0].members == 0 && v->uses[0].of == 1);
	fleet_free(f);
}

static void what_is_outside_the_scope_is_not_there(void **state)
{
	struct fleet *f = fleet_demo();
	struct principal who = f->admin;
	struct topology_ret ret = { 0 };
	struct troth_err e = { 0 };
	who.roles = ROLE_AUDITOR;
	snprintf(who.scope, sizeof who.scope, "/demo/svc-0/*");
	FLEET_CHECK(f, rc_ok(fleet_do(f, &who, &VERB_TOPOLOGY, &(struct topology_cmd){ 0 }, &ret, &e)));
	FLEET_CHECK(f, ret.count == 1 && there(&ret, "/demo/svc-0/server") && ret.items[0].versions[0].use_count == 0);
	fleet_refused(f, &who, &VERB_TOPOLOGY, &(struct topology_cmd){ .name = "/demo/ca" }, TROTH_NOT_FOUND, "/demo/ca");
	fleet_free(f);
}

/* A request's memory has an end, and who uses a CA has none. */
static void more_than_there_is_room_for(void **state)
{
	struct fleet *f = fleet_demo();
	struct tx *tx = fleet_read(f);
	struct topology_cmd cmd = { 0 };
	struct verb_ctx ctx;
	size_t whole = 0;
	for (size_t kib = 512; kib >= 48; kib -= 16) {
		struct topology_ret ret = { 0 };
		struct troth_err e = { 0 };
		struct arena *small = arena_new(kib << 10);
		verb_ctx_init(&ctx, small, &f->admin, &f->port, f->now);
		ctx.tx = tx;
		bool ok = rc_ok(VERB_TOPOLOGY.run(&ctx, &cmd, &ret, &e));
		FLEET_CHECK(f, ok || e.kind == TROTH_TOO_LARGE);
		whole += ok;
		FLEET_CHECK(f, kib < 512 || ok);
		FLEET_CHECK(f, kib > 48 || !ok);
		arena_free(small);
	}
	FLEET_CHECK(f, whole > 0);
	fleet_read_end(f, tx);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_signed_trusts_and_serves),
		cmocka_unit_test(a_rotation_is_seen_in_it),
		cmocka_unit_test(steps_that_were_approved),
		cmocka_unit_test(a_ca_that_waits_to_be_put_away),
		cmocka_unit_test(a_name_is_what_is_above_and_below_it),
		cmocka_unit_test(a_chain_ends_with_its_first_certificate),
		cmocka_unit_test(an_uploaded_chain_ends_with_what_was_uploaded),
		cmocka_unit_test(bindings_are_counted_with_their_bundle),
		cmocka_unit_test(what_is_outside_the_scope_is_not_there),
		cmocka_unit_test(more_than_there_is_room_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
