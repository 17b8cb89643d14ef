/* Holders outside the fleet: whoever took a certificate through the API is waited for, by name. */
#include "fleet.h"

#include "service/handout/delete.h"
#include "service/outside/holder.h"

static const char *chain_of(struct fleet *f, const struct credential_ret *r)
{
	return arena_printf(f->a, "%s%s", cert_pem(f->a, r->credential.versions[0].cert.der), r->chain);
}

static struct credential_ret take_for(struct fleet *f, const char *name, msec_t ttl)
{
	struct credential_ret made;
	const char *san = arena_printf(f->a, "dns:%s.example", strrchr(name, '/') + 1);
	struct credential_create_cmd cmd = { .name = name, .authority = "/demo/ca", .csr = fleet_csr(f), .sans = { &san, 1 }, .ttl = ttl };
	fleet_must(f, &VERB_CREDENTIAL_CREATE, &cmd, &made);
	return made;
}

static struct credential_ret take(struct fleet *f, const char *name)
{
	return take_for(f, name, 0);
}

static struct credential_ret renew(struct fleet *f, const struct credential_ret *made)
{
	struct credential_ret next;
	fleet_must(f, &VERB_CREDENTIAL_RENEW, &(struct credential_renew_cmd){ made->credential.row.uuid, fleet_csr(f) }, &next);
	return next;
}

static struct attest_ret attest(struct fleet *f, const struct credential_ret *made, const char *reason)
{
	struct attest_ret ret;
	fleet_must(f, &VERB_CREDENTIAL_ATTEST, &(struct attest_cmd){ made->credential.row.uuid, reason }, &ret);
	return ret;
}

static bool done(struct fleet *f, const struct rotate_ret *r)
{
	return text_equal(fleet_rotation(f, r->rotation).state, "done");
}

/* Section 12: certificate taken by API, no slot: CA withdrawn at once. */
static void outside_holder(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *lb = fleet_stranger(f, "lb", MSG_SLOT);
	struct credential_ret made = take(f, "/demo/lb");
	fleet_loads(f, lb, chain_of(f, &made));
	fleet_all_hands(f);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	FLEET_CHECK(f, r.outside_count == 1 && text_equal(r.outside[0], "/demo/lb"));
	fleet_settle(f, 60);
	FLEET_CHECK(f, !done(f, &r));
	FLEET_CHECK(f, fleet_waits(f, "/demo/lb", "/demo/lb", "outside-holder"));
	FLEET_CHECK(f, fleet_waits(f, "/demo/ca", "/demo/lb", "outside-holder"));
	struct explain_ret x = fleet_explain(f, "/demo/lb");
	FLEET_CHECK(f, strstr(explain_plain(f->a, &x.items[0]), "the holder of /demo/lb may still show"));
	FLEET_CHECK(f, strstr(explain_hint(f->a, &x.items[0]), "troth credential attest /demo/lb"));
	FLEET_CHECK(f, strstr(fleet_rotation(f, r.rotation).progress, "\"outside\":1"));
	fleet_refused(f, &f->admin, &VERB_CREDENTIAL_ATTEST, &(struct attest_cmd){ made.credential.row.uuid, "renewed" },
		      TROTH_CONFLICT, "only one certificate");
	struct credential_ret next = renew(f, &made);
	FLEET_CHECK(f, text_equal(next.credential.versions[0].signed_by, r.new_version));
	fleet_settle(f, 60); /* it has the new one and shows the old one: every pair is tried */
	FLEET_CHECK(f, !done(f, &r));
	fleet_loads(f, lb, chain_of(f, &next));
	FLEET_CHECK(f, attest(f, &made, "renewed").replaced == 1);
	fleet_settle(f, 60);
	FLEET_CHECK(f, done(f, &r));
	FLEET_CHECK(f, fleet_explain(f, NULL).count == 0);
	fleet_all_hands(f);
	fleet_free(f);
}

/* Until every store has the new CA its next one is signed by the old: no renewal waits for a rotation. */
static void renewal_goes_on_during_a_rotation(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *lb = fleet_stranger(f, "lb", MSG_SLOT);
	struct credential_ret made = take(f, "/demo/lb");
	fleet_loads(f, lb, chain_of(f, &made));
	fleet_node(f, "app-2")->off = true;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 20);
	struct credential_ret next = renew(f, &made), other = take(f, "/demo/other");
	FLEET_CHECK(f, !text_equal(next.credential.versions[0].signed_by, r.new_version));
	FLEET_CHECK(f, !text_equal(other.credential.versions[0].signed_by, r.new_version));
	fleet_loads(f, lb, chain_of(f, &next));
	FLEET_CHECK(f, attest(f, &made, "renewed").replaced == 0); /* of the same CA: only the later one is kept */
	fleet_node(f, "app-2")->off = false;
	fleet_settle(f, 60);
	next = renew(f, &made);
	FLEET_CHECK(f, text_equal(next.credential.versions[0].signed_by, r.new_version));
	fleet_loads(f, lb, chain_of(f, &next));
	(void)attest(f, &made, "renewed");
	(void)attest(f, &other, "gone");
	fleet_settle(f, 60);
	FLEET_CHECK(f, done(f, &r));
	fleet_free(f);
}

/* A rollback after it took the new one: then the new CA is the one that stays for it. */
static void a_rollback_keeps_what_was_taken(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *lb = fleet_stranger(f, "lb", MSG_SLOT);
	struct credential_ret made = take(f, "/demo/lb");
	fleet_loads(f, lb, chain_of(f, &made));
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	struct rotation_ret back;
	fleet_settle(f, 60);
	struct credential_ret next = renew(f, &made);
	fleet_loads(f, lb, chain_of(f, &next));
	fleet_must(f, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ r.rotation }, &back);
	fleet_settle(f, 60);
	FLEET_CHECK(f, fleet_waits(f, "/demo/ca", "/demo/lb", "outside-holder"));
	fleet_all_hands(f);
	fleet_restart(f);
	next = renew(f, &made);
	FLEET_CHECK(f, !text_equal(next.credential.versions[0].signed_by, r.new_version));
	fleet_loads(f, lb, chain_of(f, &next));
	(void)attest(f, &made, "renewed");
	fleet_settle(f, 60);
	FLEET_CHECK(f, fleet_explain(f, NULL).count == 0);
	fleet_all_hands(f);
	fleet_free(f);
}

/* An operator's decision: named in the audit, and it counts again from its next certificate on. */
static void ignored_by_an_operator(void **state)
{
	struct fleet *f = fleet_demo();
	struct rotate_ret r;
	struct credential_ret made = take(f, "/demo/lb");
	fleet_must(f, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/demo/ca", .ignore_outside = true }, &r);
	FLEET_CHECK(f, r.outside_count == 1);
	struct audit_list_ret audit;
	fleet_must(f, &VERB_AUDIT_LIST, &(struct audit_list_cmd){ .object = "/demo/ca" }, &audit);
	bool named = false;
	for (size_t i = 0; i < audit.count; i++)
		named = named || (audit.items[i].after && strstr(audit.items[i].after, "\"ignore_outside\":[\"/demo/lb\"]"));
	FLEET_CHECK(f, named);
	fleet_settle(f, 60);
	FLEET_CHECK(f, done(f, &r));
	fleet_refused(f, &f->admin, &VERB_CREDENTIAL_ATTEST, &(struct attest_cmd){ made.credential.row.uuid, "renewed" },
		      TROTH_NOT_FOUND, "nobody outside the fleet");
	struct credential_ret next = renew(f, &made);
	FLEET_CHECK(f, text_equal(next.credential.versions[0].signed_by, r.new_version));
	r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 60);
	FLEET_CHECK(f, !done(f, &r) && r.outside_count == 1);
	fleet_free(f);
}

/* What it holds ends by itself. */
static void an_expired_one_holds_up_nothing(void **state)
{
	struct fleet *f = fleet_demo();
	(void)take_for(f, "/demo/lb", MSEC_DAY);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 30);
	FLEET_CHECK(f, !done(f, &r));
	f->now += 2 * MSEC_DAY;
	fleet_settle(f, 60);
	FLEET_CHECK(f, done(f, &r));
	struct rotate_ret dry;
	f->dry_run = true;
	fleet_must(f, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/demo/ca", .again = true }, &dry);
	FLEET_CHECK(f, dry.outside_count == 0);
	fleet_free(f);
}

static void refusals(void **state)
{
	struct fleet *f = fleet_demo();
	struct credential_ret made = take(f, "/demo/lb");
	struct attest_cmd cmd = { made.credential.row.uuid, "because" };
	struct principal narrow = f->admin;
	fleet_refused(f, &f->admin, &VERB_CREDENTIAL_ATTEST, &cmd, TROTH_INVALID, "");
	cmd.reason = "gone";
	(void)text_copy(narrow.scope, sizeof narrow.scope, "/other/*");
	fleet_refused(f, &narrow, &VERB_CREDENTIAL_ATTEST, &cmd, TROTH_NOT_FOUND, "no such credential");
	cmd.id = "x";
	fleet_refused(f, &f->admin, &VERB_CREDENTIAL_ATTEST, &cmd, TROTH_NOT_FOUND, "not an id");
	struct rotate_cmd rotate = { .name = "/demo/lb" };
	fleet_refused(f, &f->admin, &VERB_ROTATE, &rotate, TROTH_CONFLICT, "no slot serves");
	fleet_free(f);
}

/* They are nobody's nodes: the lists do not show them as such. */
static void lists_show_nodes_only(void **state)
{
	struct fleet *f = fleet_demo();
	struct deployment_list_ret deployments;
	struct instance_list_ret instances;
	struct target_list_ret targets;
	(void)take(f, "/demo/lb");
	fleet_must(f, &VERB_DEPLOYMENT_LIST, &(struct list_cmd){ 0 }, &deployments);
	fleet_must(f, &VERB_INSTANCE_LIST, &(struct instance_list_cmd){ 0 }, &instances);
	fleet_must(f, &VERB_TARGET_LIST, &(struct target_list_cmd){ 0 }, &targets);
	FLEET_CHECK(f, deployments.count == 2 && instances.count == 6 && targets.count == 6);
	fleet_free(f);
}

/* The signer is chosen in the writer: what was signed before the label moved is not used. */
static void chosen_when_it_is_committed(void **state)
{
	struct fleet *f = fleet_demo();
	struct credential_ret made = take(f, "/demo/lb");
	f->restarts = true;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	int before = f->keeper_calls;
	fleet_settle(f, 60);
	before = f->keeper_calls;
	struct credential_ret next = renew(f, &made);
	FLEET_CHECK(f, f->keeper_calls == before + 2); /* both could have been it */
	FLEET_CHECK(f, text_equal(next.credential.versions[0].signed_by, r.new_version));
	fleet_free(f);
}

static void forget(struct fleet *f, const char *name)
{
	struct no_ret none;
	fleet_must(f, &VERB_CREDENTIAL_DELETE, &(struct delete_cmd){ name }, &none);
}

static struct credential_ret take_of(struct fleet *f, const char *name, const char *authority)
{
	struct credential_ret made;
	const char *san = "dns:x.example";
	struct credential_create_cmd cmd = { .name = name, .authority = authority, .csr = fleet_csr(f), .sans = { &san, 1 } };
	fleet_must(f, &VERB_CREDENTIAL_CREATE, &cmd, &made);
	return made;
}

static void make_ca(struct fleet *f, const char *name)
{
	struct credential_ret made;
	struct authority_create_cmd cmd = { .name = name, .path_len = AUTHORITY_PATH_LEN_DEFAULT };
	fleet_must(f, &VERB_AUTHORITY_CREATE, &cmd, &made);
}

/* A name is used again: of a leaf under another CA, of a CA with another key.  Who holds what is of that CA and no other. */
static void a_name_is_used_again(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *lb = fleet_stranger(f, "lb", MSG_SLOT);
	make_ca(f, "/x/ca");
	(void)take_of(f, "/demo/lb", "/x/ca");
	forget(f, "/demo/lb");
	struct credential_ret made = take(f, "/demo/lb");
	fleet_loads(f, lb, chain_of(f, &made));
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 60);
	FLEET_CHECK(f, !done(f, &r) && fleet_waits(f, "/demo/ca", "/demo/lb", "outside-holder"));
	struct credential_ret next = renew(f, &made);
	FLEET_CHECK(f, text_equal(next.credential.versions[0].signed_by, r.new_version));
	fleet_loads(f, lb, chain_of(f, &next));
	FLEET_CHECK(f, attest(f, &made, "renewed").replaced == 1);
	fleet_settle(f, 60);
	FLEET_CHECK(f, done(f, &r));
	forget(f, "/x/ca");
	make_ca(f, "/x/ca");
	struct credential_ret other = take_of(f, "/x/other", "/x/ca");
	r = fleet_rotate(f, "/x/ca");
	FLEET_CHECK(f, r.outside_count == 1);
	next = renew(f, &other);
	FLEET_CHECK(f, text_equal(next.credential.versions[0].signed_by, r.new_version));
	FLEET_CHECK(f, attest(f, &other, "renewed").replaced == 1);
	fleet_settle(f, 20);
	FLEET_CHECK(f, done(f, &r));
	fleet_all_hands(f);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outside_holder),
		cmocka_unit_test(renewal_goes_on_during_a_rotation),
		cmocka_unit_test(a_rollback_keeps_what_was_taken),
		cmocka_unit_test(ignored_by_an_operator),
		cmocka_unit_test(an_expired_one_holds_up_nothing),
		cmocka_unit_test(refusals),
		cmocka_unit_test(lists_show_nodes_only),
		cmocka_unit_test(chosen_when_it_is_committed),
		cmocka_unit_test(a_name_is_used_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
