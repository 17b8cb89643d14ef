/* Messages over a socket pair: whole, in order, bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/channel.h"
#include "agent/wire.h"
#include "port/port.h"

struct pair {
	struct channel a, b;
	int fds[2];
};

static int setup(void **state)
{
	struct pair *p = calloc(1, sizeof *p);
	assert_true(rc_ok(socket_pair(WIRE_PACKET_BYTES + 1, p->fds, NULL)));
	for (int i = 0; i < 2; i++)
		fcntl(p->fds[i], F_SETFL, O_NONBLOCK);
	channel_open(&p->a, p->fds[0]);
	channel_open(&p->b, p->fds[1]);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct pair *p = *state;
	channel_close(&p->a);
	channel_close(&p->b);
	close(p->fds[0]);
	close(p->fds[1]);
	free(p);
	return 0;
}

static void short_and_empty_messages(void **state)
{
	struct pair *p = *state;
	struct bytes got;
	bool found, waiting;
	assert_true(rc_ok(channel_queue(&p->a, bytes_of("one", 3), NULL)));
	assert_true(rc_ok(channel_queue(&p->a, bytes_of("", 0), NULL)));
	assert_true(rc_ok(channel_queue(&p->a, bytes_of("three", 5), NULL)));
	assert_true(rc_ok(channel_flush(&p->a, &waiting, NULL)));
	assert_false(waiting);
	static const char *const want[] = { "one", "", "three" };
	for (int i = 0; i < 3; i++) {
		assert_true(rc_ok(channel_receive(&p->b, &got, &found, NULL)));
		assert_true(found);
		assert_true(bytes_equal(got, bytes_of_text(want[i])));
	}
	assert_true(rc_ok(channel_receive(&p->b, &got, &found, NULL)));
	assert_false(found);
}

static void a_long_message_goes_in_pieces(void **state)
{
	struct pair *p = *state;
	struct bytes got;
	bool found = false, waiting = true;
	uint8_t *big = malloc(WIRE_MESSAGE_BYTES);
	for (size_t i = 0; i < WIRE_MESSAGE_BYTES; i++)
		big[i] = (uint8_t)(i * 7);
	assert_true(rc_ok(channel_queue(&p->a, bytes_of(big, WIRE_MESSAGE_BYTES), NULL)));
	assert_true(rc_ok(channel_queue(&p->a, bytes_of("next", 4), NULL)));
	while (!found) {
		assert_true(rc_ok(channel_flush(&p->a, &waiting, NULL)));
		assert_true(rc_ok(channel_receive(&p->b, &got, &found, NULL)));
	}
	assert_true(bytes_equal(got, bytes_of(big, WIRE_MESSAGE_BYTES)));
	assert_true(rc_ok(channel_flush(&p->a, &waiting, NULL)));
	assert_true(rc_ok(channel_receive(&p->b, &got, &found, NULL)));
	assert_true(found && bytes_equal(got, bytes_of("next", 4)));
	struct troth_err e = { 0 };
	assert_true(rc_failed(channel_queue(&p->a, bytes_of(big, WIRE_MESSAGE_BYTES + (size_t)1), &e)));
	assert_int_equal(e.kind, TROTH_TOO_LARGE);
	free(big);
}

static void what_is_broken_or_gone_ends_it(void **state)
{
	struct pair *p = *state;
	struct bytes got;
	bool found, waiting;
	struct troth_err e = { 0 };
	assert_int_equal(send(p->fds[0], "\2x", 2, 0), 2);
	assert_true(rc_failed(channel_receive(&p->b, &got, &found, &e)));
	assert_int_equal(e.kind, TROTH_INVALID);
	shutdown(p->fds[0], SHUT_RDWR);
	assert_true(rc_failed(channel_receive(&p->b, &got, &found, &e)));
	assert_int_equal(e.kind, TROTH_IO);
	assert_true(rc_ok(channel_queue(&p->b, bytes_of("x", 1), NULL)));
	assert_true(rc_failed(channel_flush(&p->b, &waiting, &e)));
}

static void an_endless_message_is_cut_off(void **state)
{
	struct pair *p = *state;
	struct bytes got;
	bool found;
	static uint8_t packet[WIRE_PACKET_BYTES + 1] = { 1 };
	troth_rc rc = RC_OK;
	for (int i = 0; i < 40 && rc_ok(rc); i++) {
		assert_int_equal(send(p->fds[0], packet, sizeof packet, 0), (ssize_t)sizeof packet);
		rc = channel_receive(&p->b, &got, &found, NULL);
	}
	assert_true(rc_failed(rc));
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { CASE(short_and_empty_messages), CASE(a_long_message_goes_in_pieces),
					    CASE(what_is_broken_or_gone_ends_it), CASE(an_endless_message_is_cut_off) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
