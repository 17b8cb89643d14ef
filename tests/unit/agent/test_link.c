/* The link as a process, with this test as its hand and no server: it asks who it is, looks at what it
 * knows, tries the server, and ends when its hand does. */
#include "lab.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/channel.h"
#include "agent/link.h"

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
	p.pid = fork();
	if (p.pid == 0) {
		struct profiles profiles = { .items = l->profiles, .count = 2, .settings = l->settings };
		close(fds[0]);
		_exit(link_main(fds[1], &profiles));
	}
	close(fds[1]);
	p.fd = fds[0];
	fcntl(p.fd, F_SETFL, O_NONBLOCK);
	channel_open(&p.channel, p.fd);
	return p;
}

/* The next request, answered by the lab's own hand. */
static struct hand_request serve_one(struct process *p)
{
	struct pollfd fd = { .fd = p->fd, .events = POLLIN };
	struct bytes message;
	struct hand_request r;
	struct hand_reply reply;
	CLEANUP(buf_release) struct buf b = buf_make_secret(WIRE_MESSAGE_BYTES);
	bool found = false, waiting;
	while (!found) {
		assert_int_equal(poll(&fd, 1, 20000), 1);
		assert_true(rc_ok(channel_receive(&p->channel, &message, &found, NULL)));
	}
	assert_true(rc_ok(hand_request_decode(p->l->a, message, &r, NULL)));
	hand_handle(&p->l->hand, &r, p->l->a, &reply);
	hand_reply_encode(&b, &reply);
	assert_true(rc_ok(channel_queue(&p->channel, buf_bytes(&b), NULL)));
	assert_true(rc_ok(channel_flush(&p->channel, &waiting, NULL)));
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

static void it_says_hello_and_looks_at_what_it_knows(void **state)
{
	struct lab *l = *state;
	assert_true(lab_look(l, LAB_SLOT).ok);
	lab_settled(l, LAB_SLOT, 1);
	struct process p = start(l);
	assert_int_equal(serve_one(&p).op, HAND_HELLO);
	struct hand_request r = serve_one(&p);
	assert_int_equal(r.op, HAND_LOOK);
	assert_string_equal(r.id, LAB_SLOT);
	r = serve_one(&p);
	assert_int_equal(r.op, HAND_CHECK);
	assert_int_equal(r.generation, 1);
	assert_int_equal(end(&p), 0);
}

static void it_ends_with_its_hand(void **state)
{
	struct process p = start(*state);
	assert_int_equal(end(&p), 0);
}

/* An identity that ends so long from now; its half life is over. */
static void identity_until(struct lab *l, msec_t end)
{
	struct key *k;
	struct bytes spki, der;
	CLEANUP(buf_release) struct buf pem = buf_make_secret(8192);
	msec_t now = port_now(&PORT_CLOCK_REAL);
	assert_true(rc_ok(key_generate(KEY_EC_P256, &k, NULL)));
	assert_true(rc_ok(key_spki(k, l->a, &spki, NULL)));
	assert_true(rc_ok(key_write(k, KEY_PKCS8_PEM, &pem, NULL)));
	key_release(k);
	struct cert_spec spec = { .kind = CERT_LEAF, .common_name = "old", .not_before = now - MSEC_HOUR, .not_after = now + end,
				  .serial = { 1, 9 }, .spki = spki, .eku = EKU_CLIENT };
	assert_true(rc_ok(cert_build(&spec, l->ca, l->ca_key, l->a, &der, NULL)));
	assert_true(rc_ok(identity_install(&l->hand.store, l->a, buf_bytes(&pem), cert_pem(l->a, der), "", cert_pem(l->a, l->ca->der), NULL)));
}

/* The link asks for a new key at once. */
static void an_old_identity_is_renewed(void **state)
{
	struct lab *l = *state;
	identity_until(l, MSEC_MIN);
	struct process p = start(l);
	assert_int_equal(serve_one(&p).op, HAND_HELLO);
	assert_int_equal(serve_one(&p).op, HAND_IDENTITY_CSR);
	assert_int_equal(end(&p), 0);
}

/* With an identity that has expired it does not try to come in: it asks for a key, and for a new one. */
static void an_expired_identity_is_recovered(void **state)
{
	struct lab *l = *state;
	struct pollfd fd;
	identity_until(l, -MSEC_MIN);
	struct process p = start(l);
	assert_int_equal(serve_one(&p).op, HAND_HELLO);
	assert_int_equal(serve_one(&p).op, HAND_IDENTITY_CSR);
	fd = (struct pollfd){ .fd = p.fd, .events = POLLIN };
	assert_int_equal(poll(&fd, 1, 300), 0); /* there is no server here: it waits, and does not end */
	assert_int_equal(end(&p), 0);
}

/* It ends while the agent runs, because no server renews it: then it is asked for anew. */
static void an_identity_that_ends_is_recovered(void **state)
{
	struct lab *l = *state;
	identity_until(l, 3000);
	struct process p = start(l);
	const enum hand_op ops[] = { HAND_HELLO, HAND_IDENTITY_CSR, HAND_HELLO, HAND_IDENTITY_CSR };
	for (size_t i = 0; i < ARRAY_LEN(ops); i++)
		assert_int_equal(serve_one(&p).op, ops[i]);
	assert_int_equal(end(&p), 0);
}

static void a_broken_identity_is_no_identity(void **state)
{
	struct lab *l = *state;
	lab_write(l, "agent/server-ca.pem", "junk");
	struct process p = start(l);
	struct pollfd fd = { .fd = p.fd, .events = POLLIN };
	assert_int_equal(serve_one(&p).op, HAND_HELLO);
	assert_int_equal(poll(&fd, 1, 20000), 1);
	assert_true(fd.revents & POLLHUP);
	assert_int_equal(end(&p), 0);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { CASE(it_says_hello_and_looks_at_what_it_knows), CASE(it_ends_with_its_hand), CASE(an_old_identity_is_renewed), CASE(an_expired_identity_is_recovered), CASE(an_identity_that_ends_is_recovered),
					    CASE(a_broken_identity_is_no_identity) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
