/* Waivers: who is waited for no longer, and how it comes back. */
#include "fleet.h"

#include "service/rotation/distrust.h"

static struct waive_ret waive(struct fleet *f, struct fleet_node *n, bool dry_run)
{
	struct waive_ret ret;
	f->dry_run = dry_run;
	fleet_must(f, &VERB_WAIVE, &(struct waive_cmd){ n->uuid, "its disk is broken" }, &ret);
	f->dry_run = false;
	n->excused = n->excused || !dry_run;
	fleet_tell(f, "%s was waived%s", n->name, dry_run ? " (dry run)" : "");
	return ret;
}

static void admitted_again(struct fleet *f, struct fleet_node *n)
{
	FLEET_CHECK(f, fleet_instance(f, n).state == INSTANCE_ACTIVE && fleet_target(f, n).state == TARGET_COUNTED);
	n->excused = false;
	fleet_all_hands(f);
}

/* A store is away; the dry run says what a waiver costs and frees, and changes nothing. */
static void dry_run_says_what_it_frees(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-1");
	n->off = true;
	fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 30);
	struct explain_ret x = fleet_explain(f, "app-1");
	f->now += 10 * MSEC_MIN;
	fleet_settle(f, 3);
	fleet_wake(f);
	x = fleet_explain(f, "app-1");
	const char *hint = NULL;
	for (size_t i = 0; i < x.count; i++)
		if (text_equal(x.items[i].reason, "offline"))
			hint = explain_hint(f->a, &x.items[i]);
	FLEET_CHECK(f, hint && strstr(hint, "troth waive app-1 --reason"));
	struct waive_ret ret = waive(f, n, true);
	FLEET_CHECK(f, ret.pair_count == 1 && text_equal(ret.pairs[0].target, "trust") && ret.pairs[0].members == 3 &&
			       text_equal(ret.pairs[0].deployment, "svc") && text_equal(ret.pairs[0].template, "tls"));
	FLEET_CHECK(f, ret.frees.count == 2 && strstr(ret.frees.items[0], "3 slots can be asked") &&
			       strstr(ret.frees.items[1], "can sign"));
	FLEET_CHECK(f, fleet_instance(f, n).state == INSTANCE_ACTIVE && fleet_target(f, n).state == TARGET_COUNTED);
	fleet_free(f);
}

/* Row waived_reports: away during the whole rotation, waived; a late report does not count; it comes back as a joiner. */
static void waived_reports(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-1");
	n->off = true;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 30);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "running"));
	struct msg_report late = fleet_report_of(f, n);
	waive(f, n, false);
	fleet_refused(f, &n->who, &VERB_AGENT_REPORT, &late, TROTH_CONFLICT, "type:stale-session");
	fleet_refused(f, &f->admin, &VERB_WAIVE, &(struct waive_cmd){ n->uuid, "again" }, TROTH_CONFLICT, "waived already");
	fleet_settle(f, 60);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "done"));
	FLEET_CHECK(f, fleet_target(f, n).state == TARGET_WAIVED && fleet_store_size(n) == 1 && !fleet_trusts(f, n, r.new_version));
	f->now += 30 * MSEC_DAY;
	fleet_restart(f);
	fleet_settle(f, 5);
	n->off = false;
	fleet_open(f, n);
	FLEET_CHECK(f, fleet_target(f, n).state == TARGET_JOINING);
	fleet_report(f, n, &n->places[0]); /* what it trusts now fits nobody */
	FLEET_CHECK(f, fleet_target(f, n).state == TARGET_JOINING);
	n->say_all = true;
	fleet_settle(f, 60);
	FLEET_CHECK(f, fleet_trusts(f, n, r.new_version) && fleet_target(f, n).state == TARGET_COUNTED);
	fleet_free(f);
}

/* The same for a slot: it comes back with a chain of a CA that nobody trusts any more. */
static void a_slot_comes_back(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "svc-1");
	n->off = true;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 30);
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 2);
	struct waive_ret ret = waive(f, n, false);
	FLEET_CHECK(f, ret.frees.count == 1 && strstr(ret.frees.items[0], "3 stores"));
	fleet_settle(f, 60);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "done"));
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 1);
	n->off = false;
	fleet_settle(f, 60);
	FLEET_CHECK(f, fleet_signed_by(f, n, r.new_version));
	admitted_again(f, n);
	struct rotate_ret again = fleet_rotate(f, "/demo/ca"); /* and it counts as ever */
	n->off = true;
	fleet_settle(f, 30);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, again.rotation).state, "running"));
	fleet_free(f);
}

/* It was not away at all: its agent finds its session closed, and comes back at once. */
static void one_that_is_there_comes_back_at_once(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-1");
	waive(f, n, false);
	fleet_settle(f, 20);
	admitted_again(f, n);
	fleet_free(f);
}

/* Its identity is worth nothing any more: a token that says so, and the same name. */
static void installed_again(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-1");
	struct principal before = n->who;
	struct msg_report late = fleet_report_of(f, n);
	struct token_ret token;
	char uuid[UUID_LEN];
	memcpy(uuid, n->uuid, sizeof uuid);
	n->off = true;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 20);
	fleet_refused(f, &f->admin, &VERB_TOKEN_CREATE, &(struct token_create_cmd){ .deployment = "app", .instance = "app-1" },
		      TROTH_CONFLICT, "--reinstall");
	fleet_refused(f, &f->admin, &VERB_TOKEN_CREATE,
		      &(struct token_create_cmd){ .deployment = "app", .instance = "app-9", .reinstall = true }, TROTH_NOT_FOUND, "app-9");
	fleet_must(f, &VERB_TOKEN_CREATE, &(struct token_create_cmd){ .deployment = "app", .instance = "app-1", .reinstall = true }, &token);
	n->excused = true;
	n->off = false;
	fleet_reinstall(f, n, token.secret);
	FLEET_CHECK(f, text_equal(uuid, n->uuid));
	FLEET_CHECK(f, fleet_target(f, n).state == TARGET_JOINING);
	fleet_refused(f, &before, &VERB_AGENT_REPORT, &late, TROTH_CONFLICT, "type:stale-session");
	struct principal_ret who;
	struct troth_err e = { 0 };
	FLEET_CHECK(f, rc_ok(fleet_do(f, &PRINCIPAL_ANONYMOUS, &VERB_PRINCIPAL_RESOLVE,
				      &(struct principal_resolve_cmd){ .peer_cert = n->identity_der }, &who, &e)));
	fleet_settle(f, 60);
	FLEET_CHECK(f, text_equal(fleet_rotation(f, r.rotation).state, "done"));
	admitted_again(f, n);
	fleet_free(f);
}

/* Waived stores that may still trust a version if it is distrusted: it was seen, or it was handed out, or nobody knows. */
static size_t still_trusting(struct fleet *f, const char *version, bool *ret_unknown)
{
	struct tx *tx = fleet_read(f);
	struct troth_err e = { 0 };
	struct rotation_trusting list;
	struct version_row v;
	size_t n = 0;
	*ret_unknown = false;
	FLEET_CHECK(f, rc_ok(version_row_by_uuid(tx, f->a, version, &v, &e)));
	struct rotation_row emergency = { .distrusted = { &v.id, 1 } };
	FLEET_CHECK(f, rc_ok(distrust_trusting(tx, f->a, &emergency, &list, &e)));
	fleet_read_end(f, tx);
	FLEET_CHECK(f, list.named == list.count);
	for (size_t i = 0; i < list.named; i++) {
		if (!text_starts(list.stores[i].why, "waived"))
			continue;
		FLEET_CHECK(f, text_equal(list.stores[i].name, "app-1/trust"));
		*ret_unknown = strstr(list.stores[i].why, "unknown") != NULL;
		n++;
	}
	return n;
}

static void a_waived_verifier_still_trusts(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-1");
	bool unknown;
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	const char *old = fleet_rotation(f, r.rotation).old_versions[0];
	FLEET_CHECK(f, still_trusting(f, old, &unknown) == 0); /* nobody is waived */
	n->mute = true;
	fleet_settle(f, 2); /* it was handed {1, 2} and says nothing */
	n->off = true;
	waive(f, n, false);
	waive(f, fleet_node(f, "svc-1"), false); /* trusts nothing */
	FLEET_CHECK(f, still_trusting(f, old, &unknown) == 1 && !unknown);
	FLEET_CHECK(f, still_trusting(f, r.new_version, &unknown) == 1 && !unknown);
	fleet_free(f);
}

static void who_is_unknown_trusts_everything(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "app-1");
	bool unknown;
	n->boot_id = "another";
	fleet_open(f, n);
	n->off = true;
	waive(f, n, false);
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	FLEET_CHECK(f, still_trusting(f, r.new_version, &unknown) == 1 && unknown);
	fleet_free(f);
}

static void who_may_and_why(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *n = fleet_node(f, "svc-1");
	struct principal narrow = { .name = "narrow", .roles = ROLE_OPERATOR, .scope = "/x/*" };
	struct no_ret none;
	fleet_refused(f, &narrow, &VERB_WAIVE, &(struct waive_cmd){ n->uuid, "x" }, TROTH_NOT_FOUND, "no such instance");
	fleet_refused(f, &f->admin, &VERB_WAIVE, &(struct waive_cmd){ n->uuid, "" }, TROTH_INVALID, "");
	fleet_refused(f, &f->admin, &VERB_WAIVE, &(struct waive_cmd){ n->uuid, NULL }, TROTH_INVALID, "");
	fleet_refused(f, &f->admin, &VERB_WAIVE, &(struct waive_cmd){ n->uuid, arena_printf(f->a, "%01200d", 1) }, TROTH_INVALID, "");
	fleet_must(f, &VERB_INSTANCE_DELETE, &(struct instance_delete_cmd){ n->uuid, false }, &none);
	fleet_refused(f, &f->admin, &VERB_WAIVE, &(struct waive_cmd){ n->uuid, "x" }, TROTH_CONFLICT, "--now");
	fleet_must(f, &VERB_INSTANCE_DELETE, &(struct instance_delete_cmd){ n->uuid, true }, &none);
	fleet_refused(f, &f->admin, &VERB_WAIVE, &(struct waive_cmd){ n->uuid, "x" }, TROTH_CONFLICT, "is left");
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dry_run_says_what_it_frees),
		cmocka_unit_test(waived_reports),
		cmocka_unit_test(a_slot_comes_back),
		cmocka_unit_test(one_that_is_there_comes_back_at_once),
		cmocka_unit_test(installed_again),
		cmocka_unit_test(a_waived_verifier_still_trusts),
		cmocka_unit_test(who_is_unknown_trusts_everything),
		cmocka_unit_test(who_may_and_why),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
