/* Windows: what may be written, when they are open, and the two nights on which clocks jump. */
#include "fleet.h"
#include "service/policy/policy.h"
#include "service/policy/window.h"

#define AT(y, mo, d, h, mi) (days_of_date(y, mo, d) * MSEC_DAY + (h) * MSEC_HOUR + (mi) * MSEC_MIN)

static struct arena *a;

/* Clocks of central Europe, as a file without transitions and with a rule. */
static const struct zone *zurich(void)
{
	static const char header[] = "TZif2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4\0\0\0\0\0\0ABC";
	static const char footer[] = "\nCET-1CEST,M3.5.0,M10.5.0/3\n";
	CLEANUP(buf_release) struct buf b = buf_make(4096);
	const struct zone *z;
	for (int i = 0; i < 2; i++)
		buf_add(&b, header, 44 + 6 + 4);
	buf_add(&b, footer, sizeof footer - 1);
	assert_true(rc_ok(zone_parse(a, buf_bytes(&b), &z, NULL)));
	return z;
}

static struct window parsed(const char *text)
{
	struct window w;
	struct troth_err e = { 0 };
	if (rc_failed(window_parse(text, &w, &e)))
		fail_msg("%s: %s", text, e.primary);
	return w;
}

static void check(const char *text, const struct zone *z, msec_t now, bool open, msec_t until)
{
	struct window w = parsed(text);
	bool is;
	msec_t when;
	window_state(&w, z, now, &is, &when);
	if (is != open || when != until)
		fail_msg("%s at %lld: %s until %lld, not %lld", text, (long long)(now / MSEC_MIN), is ? "open" : "closed",
			 (long long)(when / MSEC_MIN), (long long)(until / MSEC_MIN));
}

static void what_may_be_written(void **state)
{
	static const char *const bad[] = {
		"", "0 2 * * 6 4h", "0 2 * * 6 4h UTC more", "60 2 * * 6 4h UTC", "0 24 * * 6 4h UTC", "0 2 0 * 6 4h UTC", "0 2 * 13 6 4h UTC",
		"0 2 * * 8 4h UTC", "0 2 * * 6 4 UTC", "0 2 * * 6 8d UTC", "0 2 * * 6 1s UTC", "0 2 * * 6 4h ../passwd", "a 2 * * 6 4h UTC",
		"1-0 2 * * 6 4h UTC", "*/0 2 * * 6 4h UTC", "1, 2 * * 6 4h UTC", "1x 2 * * 6 4h UTC", "- 2 * * 6 4h UTC", "99999 2 * * 6 4h UTC",
	};
	struct troth_err e = { 0 };
	struct window w;
	char essay[400];
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (rc_ok(window_parse(bad[i], &w, &e)))
			fail_msg("accepted: %s", bad[i]);
	memset(essay, '1', sizeof essay);
	essay[399] = 0;
	assert_true(rc_failed(window_parse(essay, &w, &e)));
	assert_non_null(strstr(e.hint, "Europe/Zurich"));
	w = parsed("  5/20  1-3,7 */10 1,2 0-2,7  90m  Europe/Zurich");
	assert_true(w.minutes == (UINT64_C(1) << 5 | UINT64_C(1) << 25 | UINT64_C(1) << 45));
	assert_true(w.hours == 0x8e && w.weekdays == 0x87 && w.months == 6 && w.length == 90 * MSEC_MIN);
	assert_true(w.days == (1u << 1 | 1u << 11 | 1u << 21 | 1u << 31));
	assert_string_equal(w.zone, "Europe/Zurich");
}

static void open_and_closed(void **state)
{
	/* 2026-11-21 is a Saturday */
	check("0 2 * * 6 4h UTC", NULL, AT(2026, 11, 20, 12, 0), false, AT(2026, 11, 21, 2, 0));
	check("0 2 * * 6 4h UTC", NULL, AT(2026, 11, 21, 2, 0), true, AT(2026, 11, 21, 6, 0));
	check("0 2 * * 6 4h UTC", NULL, AT(2026, 11, 21, 6, 0) - 1, true, AT(2026, 11, 21, 6, 0));
	check("0 2 * * 6 4h UTC", NULL, AT(2026, 11, 21, 6, 0), false, AT(2026, 11, 28, 2, 0));
	check("0 22 * * * 4h UTC", NULL, AT(2026, 11, 21, 1, 0), true, AT(2026, 11, 21, 2, 0)); /* over midnight */
	check("0 2 1 * 1 1h UTC", NULL, AT(2026, 11, 21, 0, 0), false, AT(2026, 11, 23, 2, 0)); /* either day: Monday */
	check("0 2 1 * 1 1h UTC", NULL, AT(2026, 11, 30, 12, 0), false, AT(2026, 12, 1, 2, 0)); /* ... or the first */
	check("0 0 29 2 * 1h UTC", NULL, AT(2026, 11, 21, 0, 0), false, AT(2028, 2, 29, 0, 0));
	check("0 0 31 2 * 1h UTC", NULL, AT(2026, 11, 21, 0, 0), false, 0); /* never */
	check("0 0 * * 0 7d UTC", NULL, AT(2026, 11, 18, 0, 0), true, AT(2026, 12, 6, 0, 0)); /* always: looked at again later */
	check("0 2,3 * * * 90m UTC", NULL, AT(2026, 11, 21, 2, 10), true, AT(2026, 11, 21, 4, 30)); /* one begins in the other */
}

static void nights_on_which_clocks_jump(void **state)
{
	const struct zone *z = zurich();
	/* 02:30 does not come on 2026-03-29: it begins when clocks jump, at 01:00 UTC */
	check("30 2 * * * 1h Europe/Zurich", z, AT(2026, 3, 28, 12, 0), false, AT(2026, 3, 29, 1, 0));
	check("30 2 * * * 1h Europe/Zurich", z, AT(2026, 3, 29, 1, 0), true, AT(2026, 3, 29, 2, 0));
	check("30 2 * * * 1h Europe/Zurich", z, AT(2026, 3, 29, 2, 0), false, AT(2026, 3, 30, 0, 30));
	/* and comes twice on 2026-10-25: it begins once, at 00:30 UTC */
	check("30 2 * * * 1h Europe/Zurich", z, AT(2026, 10, 25, 0, 0), false, AT(2026, 10, 25, 0, 30));
	check("30 2 * * * 1h Europe/Zurich", z, AT(2026, 10, 25, 1, 30), false, AT(2026, 10, 26, 1, 30));
	/* 4h are 4h, whatever the clock shows meanwhile */
	check("0 1 * * * 4h Europe/Zurich", z, AT(2026, 3, 29, 0, 30), true, AT(2026, 3, 29, 4, 0));
	check("0 2 * * 6 4h Europe/Zurich", z, AT(2026, 7, 3, 0, 0), false, AT(2026, 7, 4, 0, 0)); /* the local Saturday */
}

/* Open when it says so and closed when it says so, moment for moment, over a year of jumps. */
static void the_next_change_is_the_next_change(void **state)
{
	static const char *const all[] = { "30 2 * * * 1h Europe/Zurich", "0 2 * * 0 3h Europe/Zurich", "15,45 0-4/2 1,15 * * 20m Europe/Zurich" };
	const struct zone *z = zurich();
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct window w = parsed(all[i]);
		msec_t now = AT(2026, 1, 1, 0, 0);
		bool open, next;
		while (now < AT(2027, 1, 1, 0, 0)) {
			msec_t until, later;
			window_state(&w, z, now, &open, &until);
			assert_true(until > now);
			window_state(&w, z, until - 1, &next, &later);
			assert_true(next == open && later == until);
			window_state(&w, z, until, &next, &later);
			assert_true(next != open);
			now = until;
		}
	}
}

/* -- in a fleet -------------------------------------------------------------------------------------------- */

static const char *app_id(struct fleet *f)
{
	struct deployment_list_ret list;
	fleet_must(f, &VERB_DEPLOYMENT_LIST, &(struct list_cmd){ .name = "app" }, &list);
	return list.items[0].row.uuid;
}

static struct deployment_view set(struct fleet *f, const char *window)
{
	struct deployment_policy_cmd cmd = { app_id(f), -1, -1, -1, -1, NULL, true, { (const char *[]){ window }, window != NULL } };
	struct deployment_ret ret;
	fleet_must(f, &VERB_DEPLOYMENT_POLICY, &cmd, &ret);
	return ret.deployment;
}

static bool waits_for_window(struct fleet *f, msec_t *ret_earliest)
{
	struct explain_ret x = fleet_explain(f, "/demo/ca");
	for (size_t i = 0; i < x.count; i++) {
		if (!text_equal(x.items[i].reason, "window"))
			continue;
		*ret_earliest = x.items[i].earliest;
		assert_non_null(strstr(explain_plain(f->a, &x.items[i]), "which opens at"));
		return true;
	}
	return false;
}

static void a_fleet_waits_for_its_window(void **state)
{
	struct fleet *f = fleet_demo();
	msec_t opens, earliest = 0;
	struct deployment_view v = set(f, "0 2 * * * 4h UTC");
	FLEET_CHECK(f, v.windows.count == 1);
	if (v.rolling.window_open) { /* begin when it is closed */
		f->now = v.rolling.window_until;
		fleet_wake(f);
	}
	struct rotate_ret r = fleet_rotate(f, "/demo/ca");
	fleet_settle(f, 5);
	FLEET_CHECK(f, waits_for_window(f, &earliest) && earliest > f->now && earliest % MSEC_DAY == 2 * MSEC_HOUR);
	opens = earliest;
	f->now = opens - 2 * MSEC_S;
	fleet_settle(f, 1);
	FLEET_CHECK(f, waits_for_window(f, &earliest) && earliest == opens);
	f->now = opens;
	fleet_restart(f);
	fleet_wake(f);
	fleet_settle(f, 80);
	FLEET_CHECK(f, !waits_for_window(f, &earliest) && text_equal(fleet_rotation(f, r.rotation).state, "done"));
	v = set(f, NULL);
	FLEET_CHECK(f, v.windows.count == 0 && !v.rolling.windows);
	fleet_free(f);
}

static void what_a_policy_refuses(void **state)
{
	struct fleet *f = fleet_demo();
	static const char *const bad[] = { "0 2 * * 6 4h", "0 2 * * 6 4h Europe/Atlantis", "0 0 31 2 * 1h UTC" };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const char *one[] = { bad[i] };
		struct deployment_policy_cmd cmd = { app_id(f), -1, -1, -1, -1, NULL, true, { one, 1 } };
		fleet_refused(f, &f->admin, &VERB_DEPLOYMENT_POLICY, &cmd, TROTH_INVALID, "");
	}
	const char *many[LIMIT_WINDOWS + 1];
	for (size_t i = 0; i <= LIMIT_WINDOWS; i++)
		many[i] = "0 2 * * 6 4h UTC";
	struct deployment_policy_cmd cmd = { app_id(f), -1, -1, -1, -1, NULL, true, { many, LIMIT_WINDOWS + 1 } };
	fleet_refused(f, &f->admin, &VERB_DEPLOYMENT_POLICY, &cmd, TROTH_INVALID, "");
	fleet_free(f);
}

/* One that cannot be read any more is closed, and looked at again. */
static void several_windows_are_judged_together(void **state)
{
	struct verb_ctx ctx = { .a = a, .now = AT(2026, 11, 21, 3, 0) };
	struct rolling_row row = { .windows = "[\"0 2 * * * 2h UTC\",\"0 1 * * * 4h UTC\",\"0 12 * * * 1h UTC\"]" };
	assert_true(rc_ok(windows_judge(&ctx, &row, NULL)));
	assert_true(row.window_open && row.window_until == AT(2026, 11, 21, 5, 0) && row.window_at == ctx.now);
	ctx.now = AT(2026, 11, 21, 6, 0);
	assert_true(rc_ok(windows_judge(&ctx, &row, NULL)));
	assert_true(!row.window_open && row.window_until == AT(2026, 11, 21, 12, 0));
	row.windows = "[\"0 2 * * * 2h Europe/Atlantis\"]";
	assert_true(rc_ok(windows_judge(&ctx, &row, NULL)));
	assert_true(!row.window_open && row.window_until == ctx.now + LIMIT_WINDOW_LOOK_S * MSEC_S);
}

static int setup(void **state)
{
	a = arena_new(1 << 24);
	return 0;
}

static int teardown(void **state)
{
	arena_free(a);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_may_be_written),
		cmocka_unit_test(open_and_closed),
		cmocka_unit_test(nights_on_which_clocks_jump),
		cmocka_unit_test(the_next_change_is_the_next_change),
		cmocka_unit_test(a_fleet_waits_for_its_window),
		cmocka_unit_test(what_a_policy_refuses),
		cmocka_unit_test(several_windows_are_judged_together),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
