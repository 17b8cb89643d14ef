/* Looks from threads: results come back on the loop's thread, also from silent and absent services. */
#include "lab.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "agent/probes.h"

static bool next(struct probes *p, struct arena *a, struct agent_probed *ret)
{
	struct pollfd fd = { .fd = probes_fd(p), .events = POLLIN };
	while (!probes_take(p, a, ret))
		if (poll(&fd, 1, 20000) != 1)
			return false;
	return true;
}

static void nobody_there_is_refused(void **state)
{
	struct lab *l = *state;
	struct probes *p;
	struct agent_probed r;
	int fd, port;
	assert_true(rc_ok(socket_listen("127.0.0.1:0", &fd, &port, NULL)));
	close(fd);
	struct place place = { .addresses = { "127.0.0.1", "127.0.0.2" }, .address_count = 2, .port = port, .server_name = "" };
	assert_true(rc_ok(probes_new(&p, NULL)));
	for (uint32_t i = 1; i <= 10; i++)
		assert_true(rc_ok(probes_look(p, i, &place, NULL)));
	uint32_t seen = 0;
	for (int i = 0; i < 10; i++) {
		assert_true(next(p, l->a, &r));
		seen |= 1u << r.ticket;
		assert_int_equal(r.at[0].shown.count, 0);
		assert_true(r.at[0].refused && r.at[1].refused);
		assert_true(strlen(r.at[0].why) > 0);
	}
	assert_int_equal(seen, 0x7fe);
	assert_false(probes_take(p, l->a, &r));
	probes_free(p);
}

static void too_many_are_refused(void **state)
{
	struct lab *l = *state;
	struct probes *p;
	struct agent_probed r;
	struct place place = { .addresses = { "127.0.0.1" }, .address_count = 1, .port = 1, .server_name = "" };
	troth_rc rc = RC_OK;
	int sent = 0;
	assert_true(rc_ok(probes_new(&p, NULL)));
	while (rc_ok(rc) && sent < 1000) {
		rc = probes_look(p, 1, &place, NULL);
		sent += rc_ok(rc);
	}
	assert_true(rc_failed(rc));
	for (int i = 0; i < sent; i++)
		assert_true(next(p, l->a, &r));
	assert_true(rc_ok(probes_look(p, 2, &place, NULL)));
	probes_free(p); /* with one under way */
	probes_free(NULL);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { CASE(nobody_there_is_refused), CASE(too_many_are_refused) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
