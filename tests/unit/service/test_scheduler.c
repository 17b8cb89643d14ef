/* A fleet left alone for years: leaves and CAs are renewed by themselves, and every handshake works. */
#include "fleet.h"

#include "service/ca/renewal.h"

/* A day without anybody: the nodes poll, the runner wakes, the keeper's work is done. */
static void pass(struct fleet *f, msec_t by)
{
	f->now += by;
	for (int i = 0; i < 6; i++) {
		fleet_wake(f);
		fleet_effects(f);
		fleet_settle(f, 4);
	}
	fleet_all_hands(f);
}

static struct credential_view shown(struct fleet *f, const char *name)
{
	struct credential_list_ret list;
	fleet_must(f, &VERB_AUTHORITY_LIST, &(struct list_cmd){ .name = name }, &list);
	FLEET_CHECK(f, list.count == 1);
	return list.items[0];
}

static size_t rotations(struct fleet *f, const char *name, struct rotation_view *ret_last)
{
	struct rotation_list_ret list;
	fleet_must(f, &VERB_ROTATION_LIST, &(struct rotation_list_cmd){ .name = name }, &list);
	if (list.count)
		*ret_last = list.items[list.count - 1];
	return list.count;
}

/* A CA of a year, two services and two apps. */
static struct fleet *fleet_of_a_year(msec_t leaf)
{
	struct fleet *f = fleet_new();
	struct credential_ret ca;
	struct bundle_ret bundle;
	struct deployment_ret deployment;
	const char *authority = "/year/ca", *san = "dns:{instance}.example";
	fleet_must(f, &VERB_AUTHORITY_CREATE,
		   &(struct authority_create_cmd){ .name = authority, .path_len = 0, .ttl = 365 * MSEC_DAY, .leaf_ttl = leaf }, &ca);
	fleet_must(f, &VERB_BUNDLE_CREATE, &(struct bundle_create_cmd){ .name = "/year/trust", .authorities = { &authority, 1 } }, &bundle);
	struct slot_template slot = { .path = "$", .name = "tls", .profile = "nginx", .role = "server", .authority = authority,
				      .credential = "/year/{instance}/server", .sans = { &san, 1 } };
	fleet_must(f, &VERB_DEPLOYMENT_CREATE, &(struct deployment_create_cmd){ .name = "ys", .slots = &slot, .slot_count = 1 }, &deployment);
	struct store_template store = { .path = "$", .name = "trust", .profile = "pem-files", .bundle = "/year/trust" };
	fleet_must(f, &VERB_DEPLOYMENT_CREATE, &(struct deployment_create_cmd){ .name = "ya", .stores = &store, .store_count = 1 }, &deployment);
	fleet_join(f, "ya", "app-0");
	fleet_join(f, "ya", "app-1");
	fleet_join(f, "ys", "svc-0");
	fleet_join(f, "ys", "svc-1");
	fleet_settle(f, 20);
	fleet_all_hands(f);
	return f;
}

static void years_by_itself(void **state)
{
	struct fleet *f = fleet_of_a_year(30 * MSEC_DAY);
	struct rotation_view last;
	msec_t end = f->now + 3 * 365 * MSEC_DAY;
	while (f->now < end)
		pass(f, 4 * MSEC_DAY);
	struct credential_view ca = shown(f, "/year/ca");
	size_t n = rotations(f, "/year/ca", &last);
	FLEET_CHECK(f, n == 4); /* at 8 months, 16, 24, 32 */
	FLEET_CHECK(f, text_equal(last.state, "done") && text_equal(last.started_by, "system") && text_equal(last.reason, "its renewal is due"));
	FLEET_CHECK(f, ca.next_renewal > f->now && ca.version_count == n + 1);
	for (size_t i = 1; i < ca.version_count; i++)
		FLEET_CHECK(f, ca.versions[i].row.retired_at > 0 && !ca.versions[i].row.renewing);
	FLEET_CHECK(f, fleet_store_size(fleet_node(f, "app-0")) == 1);
	FLEET_CHECK(f, fleet_node(f, "svc-0")->key_count >= 40); /* a leaf each twenty days */
	fleet_free(f);
}

static void audited_as_the_systems_own(void **state)
{
	struct fleet *f = fleet_of_a_year(100 * MSEC_DAY);
	struct audit_row *rows;
	struct troth_err e = { 0 };
	bool ordered = false, started = false;
	size_t n;
	for (int i = 0; i < 16; i++)
		pass(f, 16 * MSEC_DAY);
	struct tx *tx = fleet_read(f);
	FLEET_CHECK(f, rc_ok(audit_list_object(tx, f->a, "/year/ca", PAGE_ALL, &rows, &n, &e)));
	for (size_t i = 0; i < n; i++) {
		ordered = ordered || (text_equal(rows[i].action, "engine.rotate") && text_equal(rows[i].who, "engine"));
		started = started || (text_equal(rows[i].action, "rotation.start") && text_equal(rows[i].who, "system"));
	}
	fleet_read_end(f, tx);
	FLEET_CHECK(f, ordered && started);
	fleet_free(f);
}

/* The clock steps forward into the due time and back again, several times: one rotation, no failed handshake. */
static void a_stepping_clock_is_harmless(void **state)
{
	struct fleet *f = fleet_of_a_year(100 * MSEC_DAY);
	struct rotation_view last;
	for (int i = 0; i < 15; i++)
		pass(f, 16 * MSEC_DAY);
	FLEET_CHECK(f, rotations(f, "/year/ca", &last) == 0);
	msec_t then = f->now;
	for (int i = 0; i < 3; i++) {
		f->now = then + 5 * MSEC_DAY;
		fleet_wake(f);
		f->now = then;
		fleet_wake(f);
	}
	f->now = then + 5 * MSEC_DAY;
	pass(f, 0);
	FLEET_CHECK(f, rotations(f, "/year/ca", &last) == 1);
	f->now = then; /* the server's clock only: the nodes' would find their certificates not valid yet */
	fleet_wake(f);
	fleet_effects(f);
	f->now = then + 5 * MSEC_DAY;
	pass(f, MSEC_MIN);
	FLEET_CHECK(f, rotations(f, "/year/ca", &last) == 1 && text_equal(last.state, "done"));
	fleet_free(f);
}

static void not_while_paused_by_never_and_again_by_auto(void **state)
{
	struct fleet *f = fleet_of_a_year(100 * MSEC_DAY);
	struct rotation_view last;
	struct credential_ret out;
	struct credential_view ca = shown(f, "/year/ca");
	struct renewal_set_cmd set = { .id = ca.row.uuid, .renew = { .word = "never" } };
	fleet_must(f, &VERB_RENEWAL_SET, &set, &out);
	for (int i = 0; i < 18; i++)
		pass(f, 16 * MSEC_DAY);
	FLEET_CHECK(f, rotations(f, "/year/ca", &last) == 0);
	set.renew = (struct renewal_cmd){ .word = "auto" };
	fleet_must(f, &VERB_RENEWAL_SET, &set, &out);
	pass(f, MSEC_S);
	FLEET_CHECK(f, rotations(f, "/year/ca", &last) == 1 && text_equal(last.state, "done"));
	fleet_free(f);
}

/* The server is stopped between the order and the keeper's work: the order stands in the outbox. */
static void an_order_outlives_the_server(void **state)
{
	struct fleet *f = fleet_of_a_year(100 * MSEC_DAY);
	struct rotation_view last;
	for (int i = 0; i < 15; i++)
		pass(f, 16 * MSEC_DAY);
	f->now += 5 * MSEC_DAY;
	fleet_wake(f);
	FLEET_CHECK(f, fleet_waits(f, "/year/ca", NULL, "renew-ordered"));
	fleet_restart(f);
	pass(f, MSEC_S);
	FLEET_CHECK(f, rotations(f, "/year/ca", &last) == 1 && text_equal(last.state, "done"));
	fleet_free(f);
}

/* Somebody rotates by hand between the order and its turn: the order is obsolete. */
static void an_order_overtaken_by_hand_is_dropped(void **state)
{
	struct fleet *f = fleet_of_a_year(100 * MSEC_DAY);
	struct rotation_view last;
	for (int i = 0; i < 15; i++)
		pass(f, 16 * MSEC_DAY);
	f->now += 5 * MSEC_DAY;
	fleet_wake(f);
	(void)fleet_rotate(f, "/year/ca");
	pass(f, MSEC_S);
	FLEET_CHECK(f, rotations(f, "/year/ca", &last) == 1 && text_equal(last.started_by, "admin") && text_equal(last.state, "done"));
	fleet_free(f);
}

/* An operator who aborts it is not overruled at once; but the CA still gets its successor in time. */
static void an_abort_postpones(void **state)
{
	struct fleet *f = fleet_of_a_year(100 * MSEC_DAY);
	struct rotation_view last;
	struct rotation_ret aborted;
	for (int i = 0; i < 15; i++)
		pass(f, 16 * MSEC_DAY);
	f->now += 5 * MSEC_DAY;
	fleet_wake(f);
	fleet_effects(f);
	fleet_must(f, &VERB_ROTATION_ABORT, &(struct rotation_cmd){ "/year/ca" }, &aborted);
	pass(f, MSEC_S);
	FLEET_CHECK(f, rotations(f, "/year/ca", &last) == 1 && text_equal(last.state, "aborted"));
	msec_t next = shown(f, "/year/ca").next_renewal;
	FLEET_CHECK(f, next > f->now + 20 * MSEC_DAY && next < f->now + 40 * MSEC_DAY);
	pass(f, 18 * MSEC_DAY);
	FLEET_CHECK(f, rotations(f, "/year/ca", &last) == 1);
	pass(f, 18 * MSEC_DAY);
	FLEET_CHECK(f, rotations(f, "/year/ca", &last) == 2 && text_equal(last.state, "done"));
	fleet_free(f);
}

/* What the verb refuses is told once for each reason, and tried again. */
static void a_refusal_is_told(void **state)
{
	struct fleet *f = fleet_of_a_year(100 * MSEC_DAY);
	struct effect_ret ret;
	struct troth_err e = { 0 };
	struct event_row *events;
	size_t n, told = 0;
	for (int i = 0; i < 15; i++)
		pass(f, 16 * MSEC_DAY);
	f->now += 5 * MSEC_DAY;
	fleet_wake(f);
	for (int i = 0; i < 3; i++) {
		const char *why = i < 2 ? "no keeper" : "frozen";
		FLEET_CHECK(f, rc_ok(fleet_do(f, &PRINCIPAL_SYSTEM, &VERB_EFFECT_FAILED, &(struct effect_failed_cmd){ why }, &ret, &e)));
		f->now += MSEC_MIN;
	}
	struct tx *tx = fleet_read(f);
	FLEET_CHECK(f, rc_ok(event_list(tx, f->a, NULL, PAGE_ALL, &events, &n, &e)));
	for (size_t i = 0; i < n; i++)
		told += text_equal(events[i].kind, "rotation.refused") && text_equal(events[i].object, "/year/ca");
	fleet_read_end(f, tx);
	FLEET_CHECK(f, told == 2);
	struct rotation_view last;
	pass(f, MSEC_S);
	FLEET_CHECK(f, rotations(f, "/year/ca", &last) == 1 && text_equal(last.state, "done"));
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(years_by_itself),
		cmocka_unit_test(audited_as_the_systems_own),
		cmocka_unit_test(a_stepping_clock_is_harmless),
		cmocka_unit_test(not_while_paused_by_never_and_again_by_auto),
		cmocka_unit_test(an_order_outlives_the_server),
		cmocka_unit_test(an_order_overtaken_by_hand_is_dropped),
		cmocka_unit_test(an_abort_postpones),
		cmocka_unit_test(a_refusal_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
