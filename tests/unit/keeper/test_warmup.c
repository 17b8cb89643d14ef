/* The warm-up does what it is for: afterwards every kind of act runs (test_process shows that it then
 * needs nothing the sandbox forbids). */
#include "fixture.h"

#include "keeper/warmup.h"

static void it_succeeds_and_can_be_repeated(void **state)
{
	struct troth_err e = { 0 };
	for (int i = 0; i < 2; i++)
		if (rc_failed(keeper_warm_up(&e)))
			fail_msg("%s", e.primary);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(it_succeeds_and_can_be_repeated) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
