/* What every unit test includes: cmocka in the order it wants, and three small helpers. */
#ifndef TROTH_TESTS_UNIT_H
#define TROTH_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"

/* Succeeds, or prints the error record. */
#define assert_ok(call)                                                                            \
	do {                                                                                       \
		err_clear(&unit_err);                                                              \
		troth_rc unit_rc_ = (call);                                                        \
		if (unit_rc_.code != 0)                                                            \
			fail_msg("%s: %s; %s", #call, unit_err.primary, unit_err.hint);            \
	} while (0)
/* Fails with this kind. */
#define assert_fails(call, want)                                                                   \
	do {                                                                                       \
		err_clear(&unit_err);                                                              \
		troth_rc unit_rc_ = (call);                                                        \
		assert_string_equal(err_kind_name((enum troth_kind)unit_rc_.code), err_kind_name(want)); \
		assert_int_equal(unit_err.kind, want);                                             \
	} while (0)
#define assert_contains(text, part)                                                                \
	do {                                                                                       \
		if (!strstr((text), (part)))                                                       \
			fail_msg("\"%s\" does not hold \"%s\"", (text), (part));                   \
	} while (0)

static struct troth_err unit_err __attribute__((unused)); /* pass &unit_err as the last argument of the call */

#endif
