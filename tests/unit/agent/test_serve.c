/* The hand's process: real requests over a real socket pair, a slow one beside quick ones, and its end. */
#include "lab.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/channel.h"
#include "agent/serve.h"

struct process {
	struct lab *l;
	pid_t pid;
	int fd;
	struct channel channel;
};

static struct process start(struct lab *l)
{
	struct process p = { .l = l };
	int fds[2];
	assert_true(rc_ok(socket_pair(WIRE_PACKET_BYTES + 1, fds, NULL)));
	hand_close(&l->hand);
	l->open = false;
	p.pid = fork();
	if (p.pid == 0) {
		struct hand h;
		struct troth_err e = { 0 };
		close(fds[0]);
		if (rc_failed(hand_open(&h, &HAND_PORT_REAL, lab_path(l, "agent"), l->profiles, 2, &l->settings, &e)))
			_exit(9);
		_exit(rc_ok(hand_serve(&h, fds[1], &e)) ? 0 : 1);
	}
	close(fds[1]);
	p.fd = fds[0];
	fcntl(p.fd, F_SETFL, O_NONBLOCK);
	channel_open(&p.channel, p.fd);
	return p;
}

static void ask(struct process *p, struct hand_request r)
{
	CLEANUP(buf_release) struct buf b = buf_make_secret(WIRE_MESSAGE_BYTES);
	bool waiting;
	hand_request_encode(&b, &r);
	assert_true(rc_ok(channel_queue(&p->channel, buf_bytes(&b), NULL)));
	assert_true(rc_ok(channel_flush(&p->channel, &waiting, NULL)));
	assert_false(waiting);
}

static struct hand_reply answer(struct process *p)
{
	struct pollfd fd = { .fd = p->fd, .events = POLLIN };
	struct bytes message;
	struct hand_reply r;
	bool found = false;
	while (!found) {
		assert_int_equal(poll(&fd, 1, 20000), 1);
		assert_true(rc_ok(channel_receive(&p->channel, &message, &found, NULL)));
	}
	assert_true(rc_ok(hand_reply_decode(p->l->a, message, &r, NULL)));
	return r;
}

static int end(struct process *p)
{
	int status;
	channel_close(&p->channel);
	close(p->fd);
	assert_int_equal(waitpid(p->pid, &status, 0), p->pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void requests_are_answered(void **state)
{
	struct process p = start(*state);
	ask(&p, (struct hand_request){ .op = HAND_HELLO, .ticket = 3 });
	struct hand_reply r = answer(&p);
	assert_true(r.ok);
	assert_int_equal(r.ticket, 3);
	assert_string_equal(r.epoch, "e1");
	ask(&p, (struct hand_request){ .op = HAND_SWAP, .ticket = 4, .id = LAB_SLOT });
	assert_false(answer(&p).ok);
	assert_int_equal(end(&p), 1); /* the link is gone: not in order */
}

static void a_slow_request_holds_nobody_up(void **state)
{
	struct process p = start(*state);
	ask(&p, (struct hand_request){ .op = HAND_CSR, .ticket = 1, .id = LAB_SLOT, .request = LAB_REQUEST, .key_type = "rsa-2048",
				       .common_name = "x" });
	ask(&p, (struct hand_request){ .op = HAND_HELLO, .ticket = 2 });
	struct hand_reply first = answer(&p), second = answer(&p);
	assert_int_equal(first.ticket, 2);
	assert_int_equal(second.ticket, 1);
	assert_true(second.ok);
	assert_non_null(strstr(second.csr, "BEGIN CERTIFICATE REQUEST"));
	assert_int_equal(end(&p), 1);
}

static void sigterm_ends_it_in_order(void **state)
{
	struct process p = start(*state);
	ask(&p, (struct hand_request){ .op = HAND_HELLO, .ticket = 2 });
	(void)answer(&p); /* it has blocked its signals by now */
	kill(p.pid, SIGTERM);
	assert_int_equal(end(&p), 0);
}

static void a_broken_message_ends_it(void **state)
{
	struct process p = start(*state);
	bool waiting;
	assert_true(rc_ok(channel_queue(&p.channel, bytes_of("junk", 4), NULL)));
	assert_true(rc_ok(channel_flush(&p.channel, &waiting, NULL)));
	struct pollfd fd = { .fd = p.fd, .events = POLLIN };
	assert_int_equal(poll(&fd, 1, 20000), 1);
	assert_int_equal(end(&p), 1);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { CASE(requests_are_answered), CASE(a_slow_request_holds_nobody_up), CASE(sigterm_ends_it_in_order),
					    CASE(a_broken_message_ends_it) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
