/* CredHub's flag through a rotation, an abort, an emergency. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/transitional.h"

#define OLD_SIGNS { .signing = true }
#define NEW_SIGNS { .wanted = true, .signing = true }
#define FLAG(withdrawn, ...)                                                                      \
	transitional_of((const struct ca_standing[]){ __VA_ARGS__ }, sizeof((const struct ca_standing[]){ __VA_ARGS__ }) / sizeof(struct ca_standing), \
			withdrawn)

static void none_without_a_rotation(void **state)
{
	assert_int_equal(transitional_of(NULL, 0, false), -1);
	assert_int_equal(FLAG(false, NEW_SIGNS), -1);
	assert_int_equal(FLAG(false, NEW_SIGNS, { .gone = true }), -1);
}

/* The new one is trusted and does not sign; it signs and the old one is trusted still; the old one was told to go. */
static void it_moves_from_the_new_to_the_old(void **state)
{
	assert_int_equal(FLAG(false, { .wanted = true }, OLD_SIGNS), 0);
	assert_int_equal(FLAG(true, { .wanted = true }, OLD_SIGNS), 0);
	assert_int_equal(FLAG(false, NEW_SIGNS, { .wanted = false }), 1);
	assert_int_equal(FLAG(true, NEW_SIGNS, { .wanted = false }), -1);
	assert_int_equal(FLAG(false, NEW_SIGNS, { .gone = true }, { .wanted = false }), 2);
}

/* Going back: the old one is wanted again, and the newer signs until a slot can take the old. */
static void it_stands_at_what_shall_sign_after_an_abort(void **state)
{
	assert_int_equal(FLAG(false, { .signing = true }, { .wanted = true }), 1);
	assert_int_equal(FLAG(false, { .wanted = false }, NEW_SIGNS), 0); /* before the label had moved */
}

/* Two rotations on top of each other: one flag, at the newest that is wanted. */
static void at_most_one(void **state)
{
	assert_int_equal(FLAG(false, { .wanted = true }, { .wanted = false }, OLD_SIGNS), 0);
	assert_int_equal(FLAG(false, NEW_SIGNS, { .wanted = false }, { .wanted = false }), 1);
}

/* An imported root signs nothing here: the newest counts as the one that does, the one before is trusted beside it. */
static void what_signs_elsewhere(void **state)
{
	assert_int_equal(FLAG(false, { .wanted = true }), -1);
	assert_int_equal(FLAG(false, { .wanted = true }, { .wanted = true }), 1);
	assert_int_equal(FLAG(true, { .wanted = true }, { .wanted = true }), 1);
}

static void nobody_is_to_trust_what_is_distrusted(void **state)
{
	assert_int_equal(FLAG(false, { .wanted = true }, { .signing = true, .gone = true }), 0);
	assert_int_equal(FLAG(false, NEW_SIGNS, { .gone = true }), -1);
	assert_int_equal(FLAG(false, { .wanted = true, .gone = true }, OLD_SIGNS), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_without_a_rotation),
		cmocka_unit_test(it_moves_from_the_new_to_the_old),
		cmocka_unit_test(it_stands_at_what_shall_sign_after_an_abort),
		cmocka_unit_test(at_most_one),
		cmocka_unit_test(what_signs_elsewhere),
		cmocka_unit_test(nobody_is_to_trust_what_is_distrusted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
