/* Time zones: gaps, folds, rules behind the last transition, and files that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/limits.h"
#include "model/zone.h"

#define MSEC_AT(y, mo, d, h, mi) (days_of_date(y, mo, d) * MSEC_DAY + (h) * MSEC_HOUR + (mi) * MSEC_MIN)

static struct arena *a;

static int setup(void **state)
{
	a = arena_new(1 << 22);
	return 0;
}

static int teardown(void **state)
{
	arena_free(a);
	return 0;
}

static void put(struct buf *b, uint64_t n, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--) {
		uint8_t byte = (uint8_t)(n >> (8 * i));
		buf_add(b, &byte, 1);
	}
}

/* A header as RFC 8536 has it. */
static void put_header(struct buf *b, char version, uint32_t times, uint32_t types)
{
	buf_add(b, "TZif", 4);
	buf_add(b, &version, 1);
	buf_add(b, (uint8_t[15]){ 0 }, 15);
	put(b, 0, 4);
	put(b, 0, 4);
	put(b, 0, 4);
	put(b, times, 4);
	put(b, types, 4);
	put(b, 4, 4);
}

static void put_types(struct buf *b, const int32_t *offsets, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		put(b, (uint32_t)offsets[i], 4);
		put(b, 0, 2);
	}
	buf_add(b, "ABC", 4);
}

/* Version 2: no transition of 32 bits, these of 64, and a footer. */
static void put_zone(struct buf *b, const int64_t *at, const uint8_t *types, size_t n, const int32_t *offsets,
		     size_t offset_count, const char *footer)
{
	put_header(b, '2', 0, 1);
	put_types(b, (int32_t[]){ 0 }, 1);
	put_header(b, '2', (uint32_t)n, (uint32_t)offset_count);
	for (size_t i = 0; i < n; i++)
		put(b, (uint64_t)at[i], 8);
	buf_add(b, types, n);
	put_types(b, offsets, offset_count);
	buf_printf(b, "\n%s\n", footer);
}

static const struct zone *zone_of(const char *footer)
{
	CLEANUP(buf_release) struct buf b = buf_make(1 << 16);
	struct troth_err e = { 0 };
	const struct zone *z;

	put_zone(&b, NULL, NULL, 0, (int32_t[]){ 0 }, 1, footer);
	if (rc_failed(zone_parse(a, buf_bytes(&b), &z, &e)))
		fail_msg("%s: %s", footer, e.primary);
	return z;
}

static bool footer_good(const char *footer)
{
	CLEANUP(buf_release) struct buf b = buf_make(1 << 16);
	struct troth_err e = { 0 };
	const struct zone *z;

	put_zone(&b, NULL, NULL, 0, (int32_t[]){ 0 }, 1, footer);
	return rc_ok(zone_parse(a, buf_bytes(&b), &z, &e));
}

static void the_calendar(void **state)
{
	int64_t year;
	int month, day;

	assert_int_equal(days_of_date(1970, 1, 1), 0);
	assert_int_equal(days_of_date(2000, 3, 1), 11017);
	assert_int_equal(weekday_of_days(days_of_date(2026, 11, 22)), 0);
	assert_int_equal(weekday_of_days(-5), 6);
	for (int64_t d = -800000; d < 800000; d += 37) {
		date_of_days(d, &year, &month, &day);
		assert_int_equal(days_of_date(year, month, day), d);
	}
}

static void central_europe(void **state)
{
	const struct zone *z = zone_of("CET-1CEST,M3.5.0,M10.5.0/3");

	assert_int_equal(zone_offset(z, MSEC_AT(2026, 1, 15, 0, 0)), 3600);
	assert_int_equal(zone_offset(z, MSEC_AT(2026, 7, 15, 0, 0)), 7200);
	assert_int_equal(zone_offset(z, MSEC_AT(2026, 3, 29, 1, 0) - 1), 3600);
	assert_int_equal(zone_offset(z, MSEC_AT(2026, 3, 29, 1, 0)), 7200);
	assert_int_equal(zone_offset(z, MSEC_AT(2026, 10, 25, 1, 0) - 1), 7200);
	assert_int_equal(zone_offset(z, MSEC_AT(2026, 10, 25, 1, 0)), 3600);
	assert_int_equal(zone_moment(z, days_of_date(2026, 7, 1), 120), MSEC_AT(2026, 7, 1, 0, 0));
	assert_int_equal(zone_moment(z, days_of_date(2026, 3, 29), 150), MSEC_AT(2026, 3, 29, 1, 0)); /* 02:30 is skipped */
	assert_int_equal(zone_moment(z, days_of_date(2026, 10, 25), 150), MSEC_AT(2026, 10, 25, 0, 30)); /* shown twice */
	assert_int_equal(zone_moment(z, days_of_date(2026, 10, 25), 180), MSEC_AT(2026, 10, 25, 2, 0));
}

static void other_rules(void **state)
{
	const struct zone *sydney = zone_of("AEST-10AEDT,M10.1.0,M4.1.0/3"), *dublin = zone_of("IST-1GMT0,M10.5.0,M3.5.0/1");
	const struct zone *odd = zone_of("<+0330>-3:30<+0430>,J80/0,264/0"), *plain = zone_of("<-03>3");

	assert_int_equal(zone_offset(sydney, MSEC_AT(2026, 1, 1, 0, 0)), 11 * 3600);
	assert_int_equal(zone_offset(sydney, MSEC_AT(2026, 7, 1, 0, 0)), 10 * 3600);
	assert_int_equal(zone_offset(dublin, MSEC_AT(2026, 1, 1, 0, 0)), 0);
	assert_int_equal(zone_offset(dublin, MSEC_AT(2026, 7, 1, 0, 0)), 3600);
	assert_int_equal(zone_offset(odd, MSEC_AT(2026, 6, 1, 0, 0)), 16200);
	assert_int_equal(zone_offset(odd, MSEC_AT(2028, 3, 20, 12, 0)), 12600); /* J80 counts no 29th of February */
	assert_int_equal(zone_offset(odd, MSEC_AT(2028, 3, 21, 12, 0)), 16200);
	assert_int_equal(zone_offset(plain, 0), -3 * 3600);
	assert_int_equal(zone_offset(NULL, 12345), 0);
	assert_int_equal(zone_moment(NULL, 1, 60), MSEC_DAY + MSEC_HOUR);
}

static void transitions_first_then_the_rule(void **state)
{
	CLEANUP(buf_release) struct buf b = buf_make(1 << 16);
	struct troth_err e = { 0 };
	const struct zone *z;

	put_zone(&b, (int64_t[]){ -1000, 1000 }, (uint8_t[]){ 1, 2 }, 2, (int32_t[]){ 600, 1200, 1800 }, 3, "ABC-1");
	assert_true(rc_ok(zone_parse(a, buf_bytes(&b), &z, &e)));
	assert_int_equal(zone_offset(z, -1001 * MSEC_S), 600);
	assert_int_equal(zone_offset(z, -1000 * MSEC_S), 1200);
	assert_int_equal(zone_offset(z, 999 * MSEC_S), 1200);
	assert_int_equal(zone_offset(z, 1000 * MSEC_S), 3600);
	buf_clear(&b);
	put_zone(&b, (int64_t[]){ 1000 }, (uint8_t[]){ 1 }, 1, (int32_t[]){ 600, 1200 }, 2, "");
	assert_true(rc_ok(zone_parse(a, buf_bytes(&b), &z, &e)));
	assert_int_equal(zone_offset(z, MSEC_AT(2100, 1, 1, 0, 0)), 1200); /* no rule: as it was last */
}

static void the_first_version_has_32_bits(void **state)
{
	CLEANUP(buf_release) struct buf b = buf_make(1 << 16);
	struct troth_err e = { 0 };
	const struct zone *z;

	put_header(&b, 0, 1, 2);
	put(&b, (uint32_t)-1000, 4);
	buf_add(&b, (uint8_t[]){ 1 }, 1);
	put_types(&b, (int32_t[]){ 600, -1200 }, 2);
	assert_true(rc_ok(zone_parse(a, buf_bytes(&b), &z, &e)));
	assert_int_equal(zone_offset(z, -1001 * MSEC_S), 600);
	assert_int_equal(zone_offset(z, 0), -1200);
}

static void files_that_are_none(void **state)
{
	CLEANUP(buf_release) struct buf b = buf_make(1 << 16);
	struct troth_err e = { 0 };
	const struct zone *z;
	size_t whole;

	put_zone(&b, (int64_t[]){ 1, 2 }, (uint8_t[]){ 0, 1 }, 2, (int32_t[]){ 0, 60 }, 2, "CET-1CEST,M3.5.0,M10.5.0/3");
	whole = buf_bytes(&b).len;
	for (size_t n = 0; n < whole; n++)
		assert_true(rc_failed(zone_parse(a, bytes_of(buf_bytes(&b).data, n), &z, &e)));
	assert_true(rc_ok(zone_parse(a, buf_bytes(&b), &z, &e)));
	buf_clear(&b);
	put_zone(&b, (int64_t[]){ 2, 1 }, (uint8_t[]){ 0, 0 }, 2, (int32_t[]){ 0 }, 1, "");
	assert_true(rc_failed(zone_parse(a, buf_bytes(&b), &z, &e))); /* backward */
	buf_clear(&b);
	put_zone(&b, (int64_t[]){ 1 }, (uint8_t[]){ 5 }, 1, (int32_t[]){ 0 }, 1, "");
	assert_true(rc_failed(zone_parse(a, buf_bytes(&b), &z, &e))); /* no such type */
	buf_clear(&b);
	put_zone(&b, NULL, NULL, 0, (int32_t[]){ 30 * 3600 }, 1, "");
	assert_true(rc_failed(zone_parse(a, buf_bytes(&b), &z, &e))); /* more than a day from UTC */
	for (size_t i = LIMIT_ZONE_BYTES; i <= LIMIT_ZONE_BYTES; i++)
		assert_true(rc_failed(zone_parse(a, bytes_of(arena_alloc(a, i + 1), i + 1), &z, &e)));
}

static void footers(void **state)
{
	static const char *const bad[] = { "C", "CET", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M1.1.0",
					   "CET-1CEST,M3.5.7,M1.1.0", "CET-1CEST,M0.1.0,M1.1.0", "CET-1CEST,M1.0.0,M1.1.0", "CET-1CEST,J0,J5",
					   "CET-1CEST,J366,J5", "CET-1CEST,M3.5.0,M10.5.0x", "CET-25", "CET-1:60", "<CET-1", "<>1", "CET-1CEST,M3.5.0/168,J1",
					   "CET-1CEST,M3,J1", "CET-1CEST;J1,J2", "CET-1CEST,J1;J2" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (footer_good(bad[i]))
			fail_msg("accepted: %s", bad[i]);
	}
	assert_true(footer_good("CET-1CEST-2:00:30,M3.5.0/-1,M10.5.0/+3:30"));
	assert_true(footer_good("UTC0"));
}

static void names(void **state)
{
	static const char *const bad[] = { "", "/etc/passwd", "../../etc/passwd", "Europe/../x", "Europe//Zurich", "Europe/", "a b", "a.b" };
	char longest[ZONE_NAME_MAX + 2];

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(zone_name_valid(bad[i]));
	assert_true(zone_name_valid("Europe/Zurich") && zone_name_valid("Etc/GMT+5") && zone_name_valid("America/Port-au-Prince"));
	memset(longest, 'a', sizeof longest);
	longest[ZONE_NAME_MAX + 1] = 0;
	assert_false(zone_name_valid(longest));
	longest[ZONE_NAME_MAX] = 0;
	assert_true(zone_name_valid(longest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_calendar),
		cmocka_unit_test(central_europe),
		cmocka_unit_test(other_rules),
		cmocka_unit_test(transitions_first_then_the_rule),
		cmocka_unit_test(the_first_version_has_32_bits),
		cmocka_unit_test(files_that_are_none),
		cmocka_unit_test(footers),
		cmocka_unit_test(names),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
