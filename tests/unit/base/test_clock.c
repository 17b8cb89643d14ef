/* RFC 3339 times and durations. */
#include <string.h>

#include "../unit.h"
#include "base/clock.h"

static void assert_round_trip(const char *in, const char *out)
{
	msec_t t;
	char text[RFC3339_LEN];
	assert_ok(time_parse(in, &t, &unit_err));
	assert_string_equal(time_format(t, text), out);
}

static void times_round_trip(void **state)
{
	assert_round_trip("2026-11-22T05:53:48Z", "2026-11-22T05:53:48Z");
	assert_round_trip("2026-11-22T05:53:48.5Z", "2026-11-22T05:53:48.500Z");
	assert_round_trip("2026-11-22t05:53:48.1239z", "2026-11-22T05:53:48.123Z");
	assert_round_trip("2026-11-22T05:53:48+02:00", "2026-11-22T03:53:48Z");
	assert_round_trip("2024-02-29T00:00:00-00:30", "2024-02-29T00:30:00Z");
	assert_round_trip("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z");
	assert_round_trip("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z");
}

static void bad_times_are_refused(void **state)
{
	static const char *const bad[] = { "", "now", "2026-11-22", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z",
					   "2026-11-31T00:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22T05:53:48",
					   "2026-11-22T05:53:48Zx", "2026-11-22T05:53:48.Z", "1969-12-31T23:59:59Z",
					   "2026-11-22T05:53:48+0200", "2026-1-22T05:53:48Z" };
	msec_t t = 77;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(time_parse(bad[i], &t, &unit_err), TROTH_INVALID);
	assert_int_equal(t, 77);
}

static void durations_round_trip(void **state)
{
	static const struct { const char *in, *out; msec_t len; } rows[] = {
		{ "90d", "90d", 90 * MSEC_DAY }, { "1h30m", "1h30m", 90 * MSEC_MIN }, { "45s", "45s", 45 * MSEC_S },
		{ "500ms", "500ms", 500 },       { "90m", "1h30m", 90 * MSEC_MIN },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		msec_t len;
		char text[RFC3339_LEN];
		assert_ok(duration_parse(rows[i].in, &len, &unit_err));
		assert_int_equal(len, rows[i].len);
		assert_string_equal(duration_format(len, text), rows[i].out);
	}
}

static void bad_durations_are_refused(void **state)
{
	static const char *const bad[] = { "", "5", "d", "-1d", "0s", "1x", "1d ", "99999999999999999999d", "9223372036854775807d" };
	msec_t len = 77;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(duration_parse(bad[i], &len, &unit_err), TROTH_INVALID);
	assert_int_equal(len, 77);
	assert_non_null(strstr(unit_err.hint, "90d"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_round_trip),
		cmocka_unit_test(bad_times_are_refused),
		cmocka_unit_test(durations_round_trip),
		cmocka_unit_test(bad_durations_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
