/* What external instances shall hold: asked for, held back, handed out; their slots' requests. */
#include "external.h"

#include "brought.h"

static struct slot_template SLOT = { .path = "$.slots[0]", .name = "tls", .credential = "/demo/{instance}/tls", .authority = "/demo/ca" };

struct scene { struct fleet *f; struct outsider p; }; /* p.node presents */

static const char *sign(struct fleet *f, const struct outsider *p, const char *request)
{
	struct instance_csr_ret r;
	fleet_must(f, &VERB_INSTANCE_CSR, &(struct instance_csr_cmd){ p->v.row.uuid, "tls", request, fleet_csr(f) }, &r);
	return r.request;
}

/* Its slot: fetched, loaded, reported. */
static struct wanted_target serves(struct fleet *f, struct outsider *p)
{
	struct wanted_target w = external_want(f, p, "tls");
	fleet_loads(f, p->node, external_pem(f, &w));
	(void)external_says(f, p, "tls", w.m->generation, w.fingerprints);
	return w;
}

/* Its store says what it holds; nobody tries it. */
static void trusts(struct fleet *f, struct outsider *p)
{
	struct wanted_target w = external_want(f, p, "trust");
	(void)external_says(f, p, "trust", w.m->generation, w.fingerprints);
}

/* An external server that the apps verify. */
static struct scene presenter(struct deployment_create_cmd cmd)
{
	struct scene s = { .f = fleet_demo() };
	SLOT.sans = external_list(s.f, "{instance}.example", NULL);
	cmd.slots = &SLOT;
	cmd.slot_count = 1;
	external_deploy(s.f, cmd);
	s.p = (struct outsider){ .v = external_add(s.f, "edge-1"), .node = fleet_stranger(s.f, "edge-1", MSG_SLOT) };
	trusts(s.f, &s.p);
	(void)sign(s.f, &s.p, NULL);
	serves(s.f, &s.p);
	fleet_settle(s.f, 5);
	return s;
}

static struct target_row slot_row(struct fleet *f, const struct outsider *p)
{
	struct instance_view v = external_show(f, p);
	for (size_t i = 0; i < v.target_count; i++)
		if (text_equal(v.targets[i].template.name, "tls"))
			return v.targets[i].row;
	FLEET_CHECK(f, !"it has the slot");
	return v.targets[0].row;
}

static void its_slot_is_signed_and_rotated(void **state)
{
	struct scene s = presenter((struct deployment_create_cmd){ .no_grace = true });
	struct fleet *f = s.f;
	FLEET_CHECK(f, slot_row(f, &s.p).state == TARGET_COUNTED);
	fleet_all_hands(f);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 20);
	trusts(f, &s.p);
	fleet_settle(f, 20);
	struct wanted_target w = external_want(f, &s.p, "tls");
	FLEET_CHECK(f, w.m->csr && w.loaded && fleet_waits(f, "/demo/ca", "edge-1", "csr"));
	struct explain_ret x = fleet_explain(f, "edge-1");
	FLEET_CHECK(f, strstr(explain_hint(f->a, &x.items[0]), "troth instance csr edge-1"));
	FLEET_CHECK(f, text_equal(sign(f, &s.p, w.m->csr->request), w.m->csr->request));
	FLEET_CHECK(f, text_equal(sign(f, &s.p, w.m->csr->request), w.m->csr->request)); /* the reply was lost */
	w = external_want(f, &s.p, "tls");
	FLEET_CHECK(f, !w.loaded && w.m->key_request);
	fleet_settle(f, 10);
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 2 && !outside_done(f, &r)); /* it may still show the old one */
	serves(f, &s.p);
	fleet_settle(f, 20);
	trusts(f, &s.p);
	fleet_settle(f, 20);
	FLEET_CHECK(f, outside_done(f, &r) && fleet_signed_by(f, s.p.node, r.new_version));
	fleet_all_hands(f);
	fleet_free(f);
}

static void requests_are_refused_in_words(void **state)
{
	struct scene s = presenter((struct deployment_create_cmd){ .no_grace = true });
	struct fleet *f = s.f;
	struct instance_csr_cmd cmd = { s.p.v.row.uuid, "tls", NULL, fleet_csr(f) };
	fleet_refused(f, &f->admin, &VERB_INSTANCE_CSR, &cmd, TROTH_CONFLICT, "no certificate request is wanted of edge-1/tls");
	cmd.request = "00000000-0000-4000-8000-000000000000";
	fleet_refused(f, &f->admin, &VERB_INSTANCE_CSR, &cmd, TROTH_CONFLICT, "is open for this target");
	cmd.target = "trust";
	fleet_refused(f, &f->admin, &VERB_INSTANCE_CSR, &cmd, TROTH_NOT_FOUND, "has no slot \"trust\"");
	cmd = (struct instance_csr_cmd){ s.p.v.row.uuid, NULL, NULL, NULL };
	fleet_refused(f, &f->admin, &VERB_INSTANCE_CSR, &cmd, TROTH_INVALID, "");
	(void)fleet_rotate(f, "/demo/edge-1/tls"); /* its certificate is renewed: a request is open */
	cmd = (struct instance_csr_cmd){ s.p.v.row.uuid, "tls", NULL, "no pem" };
	FLEET_CHECK(f, external_want(f, &s.p, "tls").m->csr);
	fleet_refused(f, &f->admin, &VERB_INSTANCE_CSR, &cmd, TROTH_INVALID, "");
	fleet_free(f);
}

/* Nobody saw it serve the new one: the old CA stays for its deployment's grace, though no store of it is concerned. */
static void its_own_switch_has_a_grace(void **state)
{
	struct fleet *f = fleet_demo();
	struct deployment_ret d;
	struct instance_ret v;
	SLOT.sans = external_list(f, "{instance}.example", NULL);
	fleet_must(f, &VERB_DEPLOYMENT_CREATE,
		   &(struct deployment_create_cmd){ .name = "srv", .external = true, .slots = &SLOT, .slot_count = 1, .grace = MSEC_HOUR }, &d);
	fleet_must(f, &VERB_INSTANCE_ADD, &(struct instance_add_cmd){ .deployment = "srv", .name = "edge-1" }, &v);
	struct outsider p = { .v = v.instance, .node = fleet_stranger(f, "edge-1", MSG_SLOT) };
	(void)sign(f, &p, NULL);
	serves(f, &p);
	fleet_settle(f, 5);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 40);
	FLEET_CHECK(f, !fleet_waits(f, "/demo/ca", "edge-1", "grace") && fleet_waits(f, "/demo/ca", "edge-1", "csr"));
	(void)sign(f, &p, NULL);
	serves(f, &p);
	fleet_settle(f, 30);
	FLEET_CHECK(f, !outside_done(f, &r) && fleet_waits(f, "/demo/ca", "edge-1", "grace"));
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 2);
	f->now += MSEC_HOUR;
	fleet_settle(f, 30);
	FLEET_CHECK(f, outside_done(f, &r));
	fleet_free(f);
}

/* Only the leaf is named: enough, unless it may be served in more than one chain. */
static void the_leaf_alone_is_enough(void **state)
{
	struct scene s = presenter((struct deployment_create_cmd){ .no_grace = true });
	struct fleet *f = s.f;
	struct wanted_target w = external_want(f, &s.p, "tls");
	struct report_result said = external_says(f, &s.p, "tls", 0, external_list(f, w.fingerprints.items[0], NULL));
	FLEET_CHECK(f, said.outcome == REPORT_UNCHANGED);
	said = external_says(f, &s.p, "tls", 0, external_list(f, external_want(f, &s.p, "trust").fingerprints.items[0], NULL));
	FLEET_CHECK(f, said.outcome == REPORT_UNKNOWN && said.extra.count == 1); /* a CA is no leaf of its credential */
	said = external_says(f, &s.p, "tls", w.m->generation, external_list(f, w.fingerprints.items[0], NULL));
	FLEET_CHECK(f, said.outcome == REPORT_COUNTED);
	fleet_free(f);
}

/* It leaves: what it presents is trusted until it is said to present nothing. */
static void a_leaver_says_that_it_stopped(void **state)
{
	struct scene s = presenter((struct deployment_create_cmd){ .no_grace = true });
	struct fleet *f = s.f;
	struct no_ret none;
	fleet_must(f, &VERB_INSTANCE_DELETE, &(struct instance_delete_cmd){ s.p.v.row.uuid, false }, &none);
	FLEET_CHECK(f, slot_row(f, &s.p).state == TARGET_LEAVING);
	struct wanted_target w = external_want(f, &s.p, "tls");
	FLEET_CHECK(f, w.m->leaving);
	FLEET_CHECK(f, external_says(f, &s.p, "tls", 0, w.fingerprints).outcome == REPORT_UNCHANGED);
	s.p.node->place_count = 0;
	FLEET_CHECK(f, external_says(f, &s.p, "tls", 0, (struct json_texts){ 0 }).outcome == REPORT_STOPPED);
	FLEET_CHECK(f, external_show(f, &s.p).row.state == INSTANCE_LEFT);
	struct instance_wanted_cmd gone = { s.p.v.row.uuid, 0 };
	fleet_refused(f, &f->admin, &VERB_INSTANCE_WANTED, &gone, TROTH_NOT_FOUND, "has left");
	fleet_free(f);
}

/* Nothing newer: the answer is held until there is. */
static void held_until_there_is_something(void **state)
{
	struct fleet *f = fleet_demo();
	external_deploy(f, (struct deployment_create_cmd){ .no_grace = true });
	struct outsider p = external_party(f, "edge-1");
	external_loads(f, &p);
	fleet_settle(f, 5);
	struct instance_wanted_ret r = external_wanted(f, &p), again;
	FLEET_CHECK(f, r.seq == p.seq && !f->last.hold.wanted);
	fleet_must(f, &VERB_INSTANCE_WANTED, &(struct instance_wanted_cmd){ p.v.row.uuid, r.version }, &again);
	FLEET_CHECK(f, f->last.hold.wanted && text_equal(f->last.hold.topic, arena_printf(f->a, "instance/%s", p.v.row.uuid)));
	(void)fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 5);
	fleet_must(f, &VERB_INSTANCE_WANTED, &(struct instance_wanted_cmd){ p.v.row.uuid, r.version }, &again);
	FLEET_CHECK(f, !f->last.hold.wanted && again.version != r.version);
	fleet_free(f);
}

/* Whose key would be sealed to whom? */
static void no_key_is_made_for_it(void **state)
{
	struct fleet *f = fleet_demo();
	struct slot_template slot = SLOT;
	struct store_template store = { .name = "trust", .bundle = "/demo/trust" };
	slot.key_source = "keeper";
	slot.sans = external_list(f, "{instance}.example", NULL);
	struct deployment_create_cmd cmd = { .name = "cdn", .external = true, .slots = &slot, .slot_count = 1 };
	fleet_refused(f, &f->admin, &VERB_DEPLOYMENT_CREATE, &cmd, TROTH_INVALID, "");
	external_deploy(f, (struct deployment_create_cmd){ 0 });
	struct deployment_extend_cmd extend = { .id = fleet_deployment_id(f, "cdn"), .slots = &slot, .slot_count = 1 };
	fleet_refused(f, &f->admin, &VERB_DEPLOYMENT_EXTEND, &extend, TROTH_INVALID, "");
	extend = (struct deployment_extend_cmd){ .id = fleet_deployment_id(f, "app"), .stores = &store, .store_count = 1 };
	fleet_refused(f, &f->admin, &VERB_DEPLOYMENT_EXTEND, &extend, TROTH_INVALID, ""); /* with an agent there must be a profile */
	cmd = (struct deployment_create_cmd){ .name = "x", .grace = MSEC_HOUR };
	fleet_refused(f, &f->admin, &VERB_DEPLOYMENT_CREATE, &cmd, TROTH_INVALID, "");
	fleet_free(f);
}

/* Its owner brings a certificate: he has the key, so nothing is sealed; it is offered when the stores trust its CA. */
static void an_upload_is_offered_without_a_key(void **state)
{
	struct scene s = presenter((struct deployment_create_cmd){ .no_grace = true });
	struct fleet *f = s.f;
	struct brought b = brought_make(f->a, f->now, (struct brought_wish){ .san = "edge-1.example" });
	struct credential_list_ret list;
	struct upload_ret up;
	fleet_must(f, &VERB_CREDENTIAL_LIST, &(struct list_cmd){ .name = "/demo/edge-1/tls" }, &list);
	struct upload_cmd cmd = { list.items[0].row.uuid, b.leaf, arena_printf(f->a, "%s%s", b.root, b.inter), b.key, "/demo/trust" };
	fleet_must(f, &VERB_CREDENTIAL_UPLOAD, &cmd, &up);
	fleet_effects(f);
	fleet_settle(f, 20);
	FLEET_CHECK(f, external_want(f, &s.p, "tls").loaded); /* its own store has not reported the new root yet */
	trusts(f, &s.p);
	fleet_settle(f, 20);
	struct wanted_target w = external_want(f, &s.p, "tls");
	FLEET_CHECK(f, !w.loaded && w.fingerprints.count == 2 && strstr(external_pem(f, &w), b.leaf) && w.m->sealed_key.len == 0);
	serves(f, &s.p);
	FLEET_CHECK(f, slot_row(f, &s.p).base_generation == w.m->generation);
	fleet_all_hands(f);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(its_slot_is_signed_and_rotated),
		cmocka_unit_test(requests_are_refused_in_words),
		cmocka_unit_test(its_own_switch_has_a_grace),
		cmocka_unit_test(the_leaf_alone_is_enough),
		cmocka_unit_test(a_leaver_says_that_it_stopped),
		cmocka_unit_test(an_upload_is_offered_without_a_key),
		cmocka_unit_test(held_until_there_is_something),
		cmocka_unit_test(no_key_is_made_for_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
