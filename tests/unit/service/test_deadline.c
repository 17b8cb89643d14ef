/* Rule D over the whole service: what ends is told before it does, and at the last moment only the late are left out. */
#include "fleet.h"

#include "service/ca/renewal.h"

static void pass(struct fleet *f, msec_t by)
{
	f->now += by;
	for (int i = 0; i < 5; i++) {
		fleet_wake(f);
		fleet_effects(f);
		fleet_settle(f, 4);
	}
	fleet_all_hands(f);
}

/* A CA of a hundred days with leaves of twenty; app-1 falls silent before the rotation begins. */
static struct fleet *fleet_with_a_silent_store(const char *on_deadline)
{
	struct fleet *f = fleet_new();
	struct credential_ret ca;
	struct bundle_ret bundle;
	struct deployment_ret deployment;
	const char *authority = "/d/ca", *san = "dns:{instance}.example";
	fleet_must(f, &VERB_AUTHORITY_CREATE,
		   &(struct authority_create_cmd){ .name = authority, .path_len = 0, .ttl = 100 * MSEC_DAY, .leaf_ttl = 20 * MSEC_DAY,
						   .on_deadline = on_deadline }, &ca);
	fleet_must(f, &VERB_BUNDLE_CREATE, &(struct bundle_create_cmd){ .name = "/d/trust", .authorities = { &authority, 1 } }, &bundle);
	struct slot_template slot = { .path = "$", .name = "tls", .profile = "nginx", .role = "server", .authority = authority,
				      .credential = "/d/{instance}/server", .sans = { &san, 1 } };
	fleet_must(f, &VERB_DEPLOYMENT_CREATE, &(struct deployment_create_cmd){ .name = "ds", .slots = &slot, .slot_count = 1 }, &deployment);
	struct store_template store = { .path = "$", .name = "trust", .profile = "pem-files", .bundle = "/d/trust" };
	fleet_must(f, &VERB_DEPLOYMENT_CREATE, &(struct deployment_create_cmd){ .name = "da", .stores = &store, .store_count = 1 }, &deployment);
	fleet_join(f, "da", "app-0");
	fleet_join(f, "da", "app-1");
	fleet_join(f, "ds", "svc-0");
	fleet_settle(f, 20);
	fleet_all_hands(f);
	fleet_node(f, "app-1")->off = true;
	return f;
}

/* Rows of the audit with this action; the last one's text. */
static size_t audited(struct fleet *f, const char *action, struct audit_row *ret_last)
{
	struct audit_row *rows;
	struct troth_err e = { 0 };
	size_t n, found = 0;
	struct tx *tx = fleet_read(f);
	FLEET_CHECK(f, rc_ok(audit_list(tx, f->a, PAGE_ALL, &rows, &n, &e)));
	for (size_t i = 0; i < n; i++)
		if (text_equal(rows[i].action, action)) {
			*ret_last = rows[i];
			found++;
		}
	fleet_read_end(f, tx);
	return found;
}

static void expiry_in_wait(void **state)
{
	struct fleet *f = fleet_with_a_silent_store(NULL);
	struct audit_row row;
	msec_t end = f->now + 100 * MSEC_DAY;
	while (f->now < end - 3 * MSEC_DAY)
		pass(f, 2 * MSEC_DAY);
	FLEET_CHECK(f, audited(f, "rotation.start", &row) == 1); /* began by itself, and waits for app-1 */
	FLEET_CHECK(f, audited(f, "engine.shed", &row) == 0);
	while (f->now < end - MSEC_DAY && !audited(f, "engine.deadline", &row))
		pass(f, 3 * MSEC_HOUR);
	FLEET_CHECK(f, f->now < end - MSEC_DAY);
	FLEET_CHECK(f, strstr(row.after, "svc-0/tls") && strstr(row.after, "app-1/trust") && strstr(row.after, "not-trusted"));
	FLEET_CHECK(f, fleet_waits(f, "/d/ca", "svc-0", "deadline") && fleet_waits(f, "/d/ca", "app-1", "offline"));
	struct explain_ret x = fleet_explain(f, "/d/ca");
	FLEET_CHECK(f, text_equal(x.items[0].reason, "deadline") && x.items[0].breaks > f->now && x.items[0].breaks < end);
	FLEET_CHECK(f, strstr(explain_plain(f->a, &x.items[0]), "breaks on") &&
			       strstr(explain_plain(f->a, &x.items[0]), "until app-1/trust is seen to trust the new CA"));
	fleet_node(f, "app-1")->excused = true;
	while (f->now < end + MSEC_DAY)
		pass(f, MSEC_HOUR / 2);
	FLEET_CHECK(f, audited(f, "engine.shed", &row) == 1);
	FLEET_CHECK(f, strstr(row.after, "\"left_out\":[\"app-1/trust\"]") && strstr(row.after, "svc-0/tls"));
	FLEET_CHECK(f, row.at > end - 3 * MSEC_HOUR && row.at < end); /* not a day early: about an hour and what was measured */
	fleet_node(f, "app-1")->off = false;
	fleet_node(f, "app-1")->excused = false;
	f->now += MSEC_MIN;
	fleet_settle(f, 20);
	pass(f, MSEC_MIN); /* all hands, app-1 too */
	FLEET_CHECK(f, text_equal(fleet_rotation(f, "/d/ca").state, "done"));
	fleet_free(f);
}

static void hold_lets_it_break(void **state)
{
	struct fleet *f = fleet_with_a_silent_store("hold");
	struct audit_row row;
	msec_t end = f->now + 100 * MSEC_DAY;
	while (f->now < end - 3 * MSEC_DAY)
		pass(f, 2 * MSEC_DAY);
	while (f->now < end - 2 * MSEC_HOUR)
		pass(f, MSEC_HOUR);
	FLEET_CHECK(f, audited(f, "engine.deadline", &row) >= 1);
	f->now = end - 10 * MSEC_MIN;
	fleet_wake(f);
	FLEET_CHECK(f, audited(f, "engine.shed", &row) == 0);
	FLEET_CHECK(f, fleet_waits(f, "/d/ca", "svc-0", "deadline"));
	fleet_free(f);
}

/* How long a delivery took is measured: handed out until settled. */
static void pace_is_measured(void **state)
{
	struct fleet *f = fleet_demo();
	struct fleet_node *app = fleet_node(f, "app-0");
	struct target_row t = fleet_target(f, app);
	FLEET_CHECK(f, t.pace > 0 && t.pace <= MSEC_S);
	app->mute = true;
	(void)fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 3);
	f->now += 40 * MSEC_S;
	app->mute = false;
	app->say_all = true;
	fleet_settle(f, 10);
	t = fleet_target(f, app);
	FLEET_CHECK(f, t.pace >= 30 * MSEC_S && t.pace < 60 * MSEC_S); /* and fades with what comes after */
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expiry_in_wait),
		cmocka_unit_test(hold_lets_it_break),
		cmocka_unit_test(pace_is_measured),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
