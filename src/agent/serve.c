/* poll(2) over the channel, a signalfd, and one pipe for each child that does something slow.
 *
 * A child does its one request on a copy of the hand, writes the encoded reply into its pipe and ends;
 * it holds no lock and writes no state file, so nothing it does can be in two hands at once. */
#include "agent/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/channel.h"
#include "base/log.h"

enum { SLOW_MAX = 32, JOB_ARENA = 32 << 20, FIXED_FDS = 2 };

struct slow {
	pid_t pid;
	int fd;
	struct buf reply;
	enum hand_op op;
	uint32_t ticket;
	char id[UUID_LEN];
};

struct serving {
	struct hand *h;
	struct channel channel;
	int signals;
	struct slow slow[SLOW_MAX];
	size_t slow_count;
	bool waiting; /* the channel has more to send than the socket took */
};

/* -- answering --------------------------------------------------------------------------------------- */

static troth_rc send_reply(struct serving *s, const struct hand_reply *r, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf b = buf_make_secret(WIRE_MESSAGE_BYTES);
	hand_reply_encode(&b, r);
	if (r->key.len)
		secret_wipe((void *)(uintptr_t)r->key.data, r->key.len);
	ENSURE(buf_ok(&b), e, TROTH_INTERNAL, "the reply to %s is too large", hand_op_name(r->op));
	return channel_queue(&s->channel, buf_bytes(&b), e);
}

static troth_rc do_now(struct serving *s, const struct hand_request *r, struct arena *a, struct troth_err *e)
{
	struct hand_reply reply;
	hand_handle(s->h, r, a, &reply);
	return send_reply(s, &reply, e);
}

/* -- slow requests --------------------------------------------------------------------------------------- */

static _Noreturn void child(struct serving *s, const struct hand_request *r, struct arena *a, int out)
{
	CLEANUP(buf_release) struct buf b = buf_make_secret(WIRE_MESSAGE_BYTES);
	struct hand_reply reply;
	close(s->channel.fd);
	for (size_t i = 0; i < s->h->lock_count; i++) /* an flock lives as long as any copy of its descriptor */
		close(s->h->locks[i].fd);
	if (s->h->instance_lock >= 0)
		close(s->h->instance_lock);
	hand_handle(s->h, r, a, &reply);
	hand_reply_encode(&b, &reply);
	for (size_t done = 0; done < b.len;) {
		ssize_t n = write(out, b.data + done, b.len - done);
		if (n <= 0 && errno != EINTR)
			_exit(1);
		done += n > 0 ? (size_t)n : 0;
	}
	_exit(0);
}

static troth_rc start_slow(struct serving *s, const struct hand_request *r, struct arena *a, struct troth_err *e)
{
	int fds[2];
	if (s->slow_count == SLOW_MAX || pipe2(fds, O_CLOEXEC) != 0)
		return do_now(s, r, a, e);
	pid_t pid = fork();
	if (pid == 0)
		child(s, r, a, fds[1]);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return do_now(s, r, a, e);
	}
	struct slow *x = &s->slow[s->slow_count++];
	*x = (struct slow){ .pid = pid, .fd = fds[0], .reply = buf_make_secret(WIRE_MESSAGE_BYTES), .op = r->op, .ticket = r->ticket };
	(void)text_copy(x->id, sizeof x->id, r->id ? r->id : ""); /* a UUID */
	return RC_OK;
}

static troth_rc end_slow(struct serving *s, size_t i, struct troth_err *e)
{
	struct slow *x = &s->slow[i];
	struct troth_err why = { 0 };
	troth_rc rc = RC_OK;
	while (waitpid(x->pid, NULL, 0) < 0 && errno == EINTR)
		;
	close(x->fd);
	if (x->reply.len && buf_ok(&x->reply)) {
		rc = channel_queue(&s->channel, buf_bytes(&x->reply), e);
	} else {
		(void)err_set(&why, TROTH_INTERNAL, "the child that did %s ended without a word", hand_op_name(x->op));
		rc = send_reply(s, &(struct hand_reply){ .op = x->op, .ticket = x->ticket, .id = x->id[0] ? x->id : NULL,
							 .kind = why.kind, .text = why.primary }, e);
	}
	buf_release(&x->reply);
	s->slow[i] = s->slow[--s->slow_count];
	return rc;
}

static troth_rc read_slow(struct serving *s, size_t i, struct troth_err *e)
{
	uint8_t chunk[4096];
	ssize_t n = read(s->slow[i].fd, chunk, sizeof chunk);
	if (n > 0)
		buf_add(&s->slow[i].reply, chunk, (size_t)n);
	secret_wipe(chunk, sizeof chunk);
	if (n > 0 || (n < 0 && errno == EINTR))
		return RC_OK;
	return end_slow(s, i, e);
}

/* -- the loop ------------------------------------------------------------------------------------------------ */

static troth_rc take_message(struct serving *s, struct bytes message, struct troth_err *e)
{
	struct arena *a = arena_new(JOB_ARENA);
	struct hand_request r;
	troth_rc rc = hand_request_decode(a, message, &r, e);
	if (rc_ok(rc))
		rc = hand_is_slow(s->h, &r) ? start_slow(s, &r, a, e) : do_now(s, &r, a, e);
	arena_free(a);
	return rc;
}

static troth_rc take_messages(struct serving *s, struct troth_err *e)
{
	struct bytes message;
	bool found = true;
	while (found) {
		TRY(channel_receive(&s->channel, &message, &found, e));
		if (found)
			TRY(take_message(s, message, e));
	}
	return RC_OK;
}

static bool told_to_stop(struct serving *s)
{
	struct signalfd_siginfo info;
	bool stop = false;
	while (read(s->signals, &info, sizeof info) == sizeof info)
		stop = true;
	return stop;
}

static troth_rc turn(struct serving *s, bool *ret_stop, struct troth_err *e)
{
	struct pollfd fds[FIXED_FDS + SLOW_MAX] = {
		{ .fd = s->channel.fd, .events = (short)(POLLIN | (s->waiting ? POLLOUT : 0)) },
		{ .fd = s->signals, .events = POLLIN },
	};
	size_t slow = s->slow_count;
	for (size_t i = 0; i < slow; i++)
		fds[FIXED_FDS + i] = (struct pollfd){ .fd = s->slow[i].fd, .events = POLLIN };
	if (poll(fds, FIXED_FDS + slow, -1) < 0)
		return errno == EINTR ? RC_OK : err_errno(e, errno, "could not wait for requests");
	if (fds[1].revents && told_to_stop(s)) {
		*ret_stop = true;
		return RC_OK;
	}
	for (size_t i = slow; i-- > 0;) /* backwards: an ended one is filled by the last */
		if (fds[FIXED_FDS + i].revents)
			TRY(read_slow(s, i, e));
	if (fds[0].revents & (POLLIN | POLLHUP | POLLERR))
		TRY(take_messages(s, e));
	return channel_flush(&s->channel, &s->waiting, e);
}

static int stop_signals(void)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

troth_rc hand_serve(struct hand *h, int fd, struct troth_err *e)
{
	struct serving s = { .h = h };
	bool stop = false;
	troth_rc rc = RC_OK;
	channel_open(&s.channel, fd);
	s.signals = stop_signals();
	if (s.signals < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		rc = err_errno(e, errno, "could not prepare the hand");
	while (rc_ok(rc) && !stop)
		rc = turn(&s, &stop, e);
	for (size_t i = 0; i < s.slow_count; i++) { /* children see their one command through */
		close(s.slow[i].fd);
		buf_release(&s.slow[i].reply);
	}
	if (s.signals >= 0)
		close(s.signals);
	channel_close(&s.channel);
	return rc;
}
