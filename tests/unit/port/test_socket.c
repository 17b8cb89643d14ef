/* Listening, connecting, and the packet pair. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit.h"
#include "port/port.h"

static void listen_and_connect(void **state)
{
	int l, port, c, one = 0;
	socklen_t len = sizeof one;
	assert_ok(socket_listen("127.0.0.1:0", &l, &port, &unit_err));
	assert_in_range(port, 1, 65535);
	assert_int_equal(getsockopt(l, IPPROTO_TCP, TCP_NODELAY, &one, &len), 0);
	assert_int_equal(one, 1);
	assert_ok(socket_connect("127.0.0.1", port, 5 * MSEC_S, &c, &unit_err));
	close(c);
	char same[64];
	int l2, port2;
	snprintf(same, sizeof same, "127.0.0.1:%d", port);
	assert_fails(socket_listen(same, &l2, &port2, &unit_err), TROTH_IO);
	assert_non_null(strstr(unit_err.primary, same));
	assert_non_null(strstr(unit_err.hint, "--listen"));
	close(l);
	assert_true(rc_failed(socket_connect("127.0.0.1", port, 5 * MSEC_S, &c, &unit_err)));
	assert_non_null(strstr(unit_err.primary, "refused"));
}

static void odd_addresses_are_refused(void **state)
{
	static const char *const bad[] = { "", "127.0.0.1", ":80", "127.0.0.1:", "127.0.0.1:http", "no-such-host.invalid:1",
					   "127.0.0.1:123456789" };
	int fd, port;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_fails(socket_listen(bad[i], &fd, &port, &unit_err), TROTH_INVALID);
}

static void a_pair_keeps_message_bounds(void **state)
{
	int fds[2];
	char big[150000] = { 1 }, got[200000];
	assert_ok(socket_pair(sizeof big, fds, &unit_err));
	assert_int_equal(send(fds[0], big, sizeof big, MSG_DONTWAIT), sizeof big);
	assert_int_equal(send(fds[0], "x", 1, 0), 1);
	assert_int_equal(recv(fds[1], got, sizeof got, 0), sizeof big);
	assert_int_equal(recv(fds[1], got, sizeof got, 0), 1);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(listen_and_connect),
		cmocka_unit_test(odd_addresses_are_refused),
		cmocka_unit_test(a_pair_keeps_message_bounds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
