/* troth's own PKI. */
#include "room.h"

static void x(void **state) { }

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(x) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
