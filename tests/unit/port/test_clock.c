/* The real clocks. */
#include <time.h>

#include "../unit.h"
#include "port/port.h"

static void now_is_the_wall_clock(void **state)
{
	msec_t before = (msec_t)time(NULL) * MSEC_S;
	msec_t now = port_now(&PORT_CLOCK_REAL);
	assert_true(now >= before && now < before + 5 * MSEC_S);
}

static void mono_never_goes_back(void **state)
{
	msec_t last = port_mono(&PORT_CLOCK_REAL);
	for (int i = 0; i < 1000; i++) {
		msec_t next = port_mono(&PORT_CLOCK_REAL);
		assert_true(next >= last);
		last = next;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(now_is_the_wall_clock), cmocka_unit_test(mono_never_goes_back) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
