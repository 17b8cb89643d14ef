/* The hand's real world, as far as a test may touch it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <unistd.h>

#include "agent/hand.h"

static void users_and_groups(void **state)
{
	uid_t u = 1;
	gid_t g = 1;
	assert_int_equal(HAND_PORT_REAL.user_id(NULL, "root", &u, &g), 0);
	assert_int_equal(u, 0);
	assert_int_equal(HAND_PORT_REAL.group_id(NULL, "root", &g), 0);
	assert_int_equal(g, 0);
	assert_int_equal(HAND_PORT_REAL.user_id(NULL, "no-such-user-here", &u, &g), -1);
	assert_int_equal(HAND_PORT_REAL.group_id(NULL, "no-such-group-here", &g), -1);
}

static void processes(void **state)
{
	uid_t u = 12345;
	assert_int_equal(HAND_PORT_REAL.process_owner(NULL, getpid(), &u), 0);
	assert_int_equal(u, getuid());
	assert_int_equal(HAND_PORT_REAL.process_owner(NULL, 1 << 29, &u), -1);
	assert_int_equal(HAND_PORT_REAL.signal(NULL, getpid(), 0), 0);
	assert_int_equal(HAND_PORT_REAL.signal(NULL, 1 << 29, 0), -1);
	assert_int_equal(errno, ESRCH);
	assert_true(HAND_PORT_REAL.now(NULL) > 0);
}

static void commands(void **state)
{
	struct process_result r;
	static const char *const argv[] = { "/bin/echo", "two words", NULL };
	assert_true(rc_ok(HAND_PORT_REAL.run(NULL, argv, 10000, &r, NULL)));
	assert_int_equal(r.exit_code, 0);
	assert_string_equal(r.output, "two words\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(users_and_groups), cmocka_unit_test(processes), cmocka_unit_test(commands) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
