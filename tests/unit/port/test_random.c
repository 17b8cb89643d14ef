/* Randomness from the kernel. */
#include <string.h>

#include "../unit.h"
#include "base/text.h"
#include "port/port.h"

static void two_draws_differ(void **state)
{
	uint8_t a[64] = { 0 }, b[64] = { 0 };
	PORT_RANDOM_REAL.fill(NULL, a, sizeof a);
	PORT_RANDOM_REAL.fill(NULL, b, sizeof b);
	assert_memory_not_equal(a, b, sizeof a);
}

static void uuids_are_valid_and_differ(void **state)
{
	char a[UUID_LEN], b[UUID_LEN];
	port_uuid(&PORT_RANDOM_REAL, a);
	port_uuid(&PORT_RANDOM_REAL, b);
	assert_true(uuid_valid(a));
	assert_string_not_equal(a, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(two_draws_differ), cmocka_unit_test(uuids_are_valid_and_differ) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
