/* The process around the keeper's decisions: one thread receives, the long lane makes keys, the short
 * lane decides and answers.  Only the short lane touches the state, so it needs no lock.
 *
 *     socket --> receive --+--------------------------> short lane: keeper_handle_with --> socket
 *                          `--> long lane: key_generate --^
 */
#include "keeper/process.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "keeper/lane.h"
#include "keeper/master.h"
#include "keeper/message.h"
#include "keeper/state.h"
#include "keeper/warmup.h"
#include "port/sandbox.h"

enum { SECURE_HEAP_LEAST = 32 }; /* its smallest piece, a power of two */

struct shell {
	int fd, log_fd;
	struct keeper_state *state; /* the short lane's */
	struct lane *short_lane, *long_lane;
	struct arena *scratch;      /* the short lane's, emptied after each request */
	struct buf out;             /* the short lane's: the answer that is being put together */
};

/* A part of a message: its frames, and the bytes they point into. */
struct job {
	uint8_t *bytes; /* wiped: it may hold an uploaded key */
	size_t len;
	struct arena *a;
	struct message_frame frames[LIMIT_KEEPER_BATCH];
	size_t count;
	struct troth_err broken; /* kind set: the message cannot be read, or there is no room for it */
	struct key *made;        /* of a job that came through the long lane */
};

/* -- jobs ------------------------------------------------------------------------------------- */

static struct job *job_new(struct bytes bytes)
{
	struct job *j = calloc(1, sizeof *j);
	CHECK(j);
	j->a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	j->bytes = malloc(bytes.len ? bytes.len : 1);
	CHECK(j->bytes);
	memcpy(j->bytes, bytes.data, bytes.len);
	j->len = bytes.len;
	return j;
}

static void job_free(struct job *j)
{
	secret_wipe(j->bytes, j->len);
	free(j->bytes);
	key_release(j->made);
	arena_free(j->a);
	free(j);
}

/* A job for one frame of a message, on its own copy of that frame's bytes. */
static struct job *job_of_frame(const struct message_frame *f)
{
	struct job *j = job_new(f->body);
	j->frames[0] = *f;
	j->frames[0].body = bytes_of(j->bytes, j->len);
	j->count = 1;
	return j;
}

/* -- the short lane --------------------------------------------------------------------------- */

/* One datagram; a peer that has gone is noticed by the receiver. */
static void send_out(struct shell *sh)
{
	struct iovec io = { sh->out.data, sh->out.len };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };
	while (message_count(&sh->out) > 0 && sendmsg(sh->fd, &m, MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
	message_begin(&sh->out);
}

static void answer(struct shell *sh, const struct keeper_reply *reply)
{
	struct troth_err e = { 0 };
	if (rc_ok(message_add_reply(&sh->out, reply, &e)))
		return;
	send_out(sh); /* it may have been full: again in an empty one */
	if (rc_ok(message_add_reply(&sh->out, reply, &e)))
		return;
	struct keeper_reply refusal;
	keeper_reply_refuse(sh->scratch, reply->id, &e, &refusal);
	CHECK(rc_ok(message_add_reply(&sh->out, &refusal, &e)));
}

static void refuse(struct shell *sh, uint64_t id, const struct troth_err *why)
{
	struct keeper_reply reply;
	keeper_state_note(sh->state, id, why);
	keeper_reply_refuse(sh->scratch, id, why, &reply);
	answer(sh, &reply);
}

static void frame_handle(struct shell *sh, struct job *j, const struct message_frame *f)
{
	struct keeper_request req;
	struct keeper_reply reply;
	struct troth_err e = { 0 };
	enum key_type type;
	if (rc_failed(message_read_request(j->a, f, &req, &e))) {
		refuse(sh, f->id, &e);
		return;
	}
	if (j->made || !keeper_needs_key(&req, &type))
		keeper_handle_with(sh->state, &req, j->made, sh->scratch, &reply);
	else
		keeper_handle(sh->state, &req, sh->scratch, &reply);
	answer(sh, &reply);
}

static void short_work(void *self, void *arg)
{
	struct shell *sh = self;
	struct job *j = arg;
	message_begin(&sh->out);
	if (j->broken.kind)
		refuse(sh, j->count ? j->frames[0].id : 0, &j->broken);
	for (size_t i = 0; !j->broken.kind && i < j->count; i++) {
		frame_handle(sh, j, &j->frames[i]);
		arena_reset(sh->scratch);
	}
	send_out(sh);
	job_free(j);
}

/* -- the long lane ---------------------------------------------------------------------------- */

static bool is_long(struct arena *a, const struct message_frame *f, enum key_type *ret_type)
{
	struct keeper_request req = { .kind = f->kind };
	if (!keeper_needs_key(&req, ret_type)) /* by its kind: of most requests nothing more is read here */
		return false;
	return rc_ok(message_read_request(a, f, &req, NULL)) && keeper_needs_key(&req, ret_type) && keeper_is_long(&req);
}

static void long_work(void *self, void *arg)
{
	struct shell *sh = self;
	struct job *j = arg;
	enum key_type type;
	if (is_long(j->a, &j->frames[0], &type) && rc_failed(key_generate(type, &j->made, &j->broken)))
		CHECK(j->broken.kind);
	lane_submit(sh->short_lane, j);
}

/* -- receiving -------------------------------------------------------------------------------- */

static void submit_long(struct shell *sh, const struct message_frame *f)
{
	struct job *j = job_of_frame(f);
	if (lane_try(sh->long_lane, j))
		return;
	troth_rc rc = err_set(&j->broken, TROTH_BUSY, "%d keys are waiting to be made already", LIMIT_KEEPER_LONG_JOBS);
	(void)rc; /* it travels in the job */
	lane_submit(sh->short_lane, j);
}

/* Sends the slow ones of a message to the long lane, keeps the rest together. */
static void dispatch(struct shell *sh, struct bytes message)
{
	struct job *j = job_new(message);
	enum key_type type;
	size_t kept = 0;
	if (rc_failed(message_split(bytes_of(j->bytes, j->len), j->frames, &j->count, &j->broken))) {
		j->count = 0;
		lane_submit(sh->short_lane, j);
		return;
	}
	for (size_t i = 0; i < j->count; i++) {
		if (is_long(j->a, &j->frames[i], &type))
			submit_long(sh, &j->frames[i]);
		else
			j->frames[kept++] = j->frames[i];
	}
	j->count = kept;
	if (kept)
		lane_submit(sh->short_lane, j);
	else
		job_free(j);
}

/* The length received; 0 when the other side has gone. */
static size_t receive(int fd, uint8_t *space, size_t max)
{
	for (;;) {
		struct iovec io = { space, max };
		struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };
		ssize_t n = recvmsg(fd, &m, 0);
		if (n < 0 && errno == EINTR)
			continue;
		return n > 0 ? (size_t)n : 0;
	}
}

/* One byte more than a message may have: a longer one is cut there and then refused for its length. */
static int serve(struct shell *sh)
{
	static uint8_t space[LIMIT_KEEPER_MESSAGE_BYTES + 1];
	for (size_t n = receive(sh->fd, space, sizeof space); n; n = receive(sh->fd, space, sizeof space)) {
		dispatch(sh, bytes_of(space, n));
		secret_wipe(space, n);
	}
	return 0;
}

/* -- starting --------------------------------------------------------------------------------- */

static bool log_line(void *self, struct bytes line)
{
	const struct shell *sh = self;
	ssize_t n = write(sh->log_fd, line.data, line.len);
	return n == (ssize_t)line.len;
}

/* A log that is not opened for appending could be written over by its own writer. */
static troth_rc descriptors_check(const struct keeper_config *c, struct troth_err *e)
{
	struct stat st;
	int type = 0, flags = fcntl(c->log_fd, F_GETFL);
	socklen_t len = sizeof type;
	ENSURE(getsockopt(c->fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_SEQPACKET, e, TROTH_INVALID,
	       "descriptor %d is not the server's socket: the keeper is started by `troth server`", c->fd);
	ENSURE(flags >= 0 && (flags & O_ACCMODE) != O_RDONLY && fstat(c->log_fd, &st) == 0, e, TROTH_INVALID,
	       "descriptor %d is not the keeper's log", c->log_fd);
	ENSURE(!S_ISREG(st.st_mode) || (flags & O_APPEND), e, TROTH_INVALID,
	       "the keeper's log (descriptor %d) is not open for appending", c->log_fd);
	return RC_OK;
}

static troth_rc secure_heap(struct troth_err *e)
{
	int rc = CRYPTO_secure_malloc_init(LIMIT_KEEPER_SECURE_HEAP_BYTES, SECURE_HEAP_LEAST);
	ENSURE(rc != 0, e, TROTH_UNAVAILABLE, "could not set up OpenSSL's secure heap");
	return RC_OK; /* 2: it works, but could not be locked (RLIMIT_MEMLOCK) */
}

static troth_rc state_make(struct shell *sh, const char *master_key_path, struct troth_err *e)
{
	struct keeper_ports ports = { &PORT_CLOCK_REAL, log_line, sh };
	unsigned char *key = OPENSSL_secure_malloc(KEEPER_MASTER_KEY_BYTES);
	ENSURE(key, e, TROTH_UNAVAILABLE, "no secure memory for the master key");
	troth_rc rc = keeper_master_read(master_key_path, key, e);
	if (rc_ok(rc))
		rc = keeper_state_new(key, &ports, &sh->state, e);
	OPENSSL_secure_clear_free(key, KEEPER_MASTER_KEY_BYTES);
	return rc;
}

static troth_rc harden(const struct keeper_config *c, struct troth_err *e)
{
	bool locked; /* not promised: docs/threat-model.md */
	TRY(sandbox_harden(&locked, e));
	sandbox_heap_prepare();
	signal(SIGPIPE, SIG_IGN);
	signal(SIGINT, SIG_IGN); /* Ctrl-C is for the server; the keeper goes when the line closes */
	signal(SIGTERM, SIG_IGN); /* a service manager sends it to every process of the group */
	signal(SIGHUP, SIG_IGN);
	unsigned last = (unsigned)(c->fd > c->log_fd ? c->fd : c->log_fd);
	if (close_range(last + 1, ~0U, 0) != 0)
		return err_errno(e, errno, "could not close what was inherited");
	return secure_heap(e);
}

static troth_rc start(struct shell *sh, const struct keeper_config *c, struct troth_err *e)
{
	TRY(descriptors_check(c, e));
	TRY(harden(c, e));
	TRY(state_make(sh, c->master_key_path, e));
	TRY(keeper_warm_up(e));
	TRY(keeper_state_start(sh->state, getpid(), e));
	sh->scratch = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	arena_secret(sh->scratch); /* a key that is given out passes through both */
	sh->out = buf_make_secret(LIMIT_KEEPER_MESSAGE_BYTES);
	TRY(lane_start(1, LIMIT_KEEPER_LANE_JOBS, short_work, sh, &sh->short_lane, e));
	TRY(lane_start(LIMIT_KEEPER_LONG_WORKERS, LIMIT_KEEPER_LONG_JOBS, long_work, sh, &sh->long_lane, e));
	return sandbox_keeper(e);
}

int keeper_main(const struct keeper_config *config)
{
	static struct shell sh;
	struct troth_err e = { 0 };
	sh.fd = config->fd;
	sh.log_fd = config->log_fd;
	if (rc_failed(start(&sh, config, &e))) {
		fprintf(stderr, "troth keeper: %s\n", e.primary);
		if (*e.hint)
			fprintf(stderr, "troth keeper: %s\n", e.hint);
		return err_exit_code(e.kind);
	}
	_exit(serve(&sh)); /* no handlers at exit: inside the sandbox they could only be killed */
}

int keeper_command(int argc, char **argv)
{
	struct keeper_config config = { .fd = KEEPER_SOCKET_FD, .log_fd = KEEPER_LOG_FD };
	bool known = argc == 1 || (argc == 3 && strcmp(argv[1], "--master-key") == 0);
	if (!known) {
		fprintf(stderr, "usage: troth keeper [--master-key PATH]\n"
				"The server starts the keeper itself; there is nothing to run by hand.\n");
		return 2;
	}
	if (argc == 3)
		config.master_key_path = argv[2];
	return keeper_main(&config);
}
