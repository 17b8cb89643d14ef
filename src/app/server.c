/* `troth server`: puts the parts together, and takes them apart in the other order.
 *
 *     store -> service -> pipeline (keeper, writer) -> edge (loops) -> webhooks        and back
 *
 * The main thread only waits: for a signal, or for a word that the server cannot go on. */
#include "app/server.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "app/note.h"
#include "app/pipeline.h"
#include "app/server_tls.h"
#include "app/webhooks.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "facade/native/native.h"
#include "service/nouns.h"

const char SERVER_USAGE[] =
	"usage: troth server --dir DIR [--listen ADDRESS:PORT] [--public-name NAME]...\n"
	"                    [--loops N] [--request-time TIME]\n"
	"                    [--log-level LEVEL] [--log-format FORMAT]\n"
	"                    [--clock-went-back]\n"
	"\n"
	"Runs the server and its keeper on a data directory made by `troth init`.\n"
	"DIR/server.url holds the address while the server is ready. SIGTERM and SIGINT\n"
	"stop it.\n"
	"\n"
	"  --dir DIR              the data directory\n"
	"  --listen ADDRESS:PORT  default: as given to init; port 0 takes a free one\n"
	"  --public-name NAME     one more DNS name or IP address that clients call it\n"
	"                         by; may be repeated. Its certificate is made anew at\n"
	"                         once with them, and keeps them\n"
	"  --loops N              event loops (default: one per core, at most 16)\n"
	"  --request-time TIME    how long a client may take for its handshake and\n"
	"                         request (default 20s)\n"
	"  --clock-went-back      start although the last change seems to be in the\n"
	"                         future: the clock was ahead, and is right now\n"
	"  --log-level LEVEL      debug, info (default), warn or error; to stderr\n"
	"  --log-format FORMAT    logfmt (default) or json\n"
	"\n"
	"examples:\n"
	"  troth server --dir /var/lib/troth/server\n"
	"  troth server --dir ./data --listen 127.0.0.1:0 --log-level debug\n";

enum { STOP_GRACE_MS = 1000 };

struct server {
	struct arena *a;
	const struct server_options *options;
	struct datadir d;
	struct server_port port;
	struct note note;
	struct keeper_spawn_options spawn;
	unsigned loops;
	msec_t request_time;
	int signals, fatal;
	struct store *store;
	struct service *svc;
	struct pipeline *pipeline;
	struct server_tls *tls;
	struct webhooks *webhooks;
	struct edge_server *edge;
	const char *listen, *url, *http_url;
};

/* -- options ---------------------------------------------------------------------------------------------------- */
troth_rc server_set_log(const struct server_options *o, struct troth_err *e)
{
	static const char *const levels[] = { "debug", "info", "warn", "error" };
	enum log_level level = LOG_LEVEL_INFO;
	bool known = !o->log_level;
	for (size_t i = 0; o->log_level && i < ARRAY_LEN(levels); i++)
		if (strcmp(levels[i], o->log_level) == 0) {
			level = (enum log_level)i;
			known = true;
		}
	ENSURE(known, e, TROTH_INVALID, "--log-level must be debug, info, warn or error");
	bool json = text_equal(o->log_format, "json");
	ENSURE(json || !o->log_format || text_equal(o->log_format, "logfmt"), e, TROTH_INVALID, "--log-format must be logfmt or json");
	log_setup(2, level, json ? LOG_FORMAT_JSON : LOG_FORMAT_LOGFMT, "server");
	return RC_OK;
}

static troth_rc set_loops(struct server *s, struct troth_err *e)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN), n = cores < 1 ? 1 : cores;
	if (s->options->loops)
		n = strtol(s->options->loops, NULL, 10);
	else if (n > EDGE_LOOPS)
		n = EDGE_LOOPS;
	ENSURE(n >= 1 && n <= EDGE_LOOPS, e, TROTH_INVALID, "--loops must be between 1 and %d", EDGE_LOOPS);
	s->loops = (unsigned)n;
	if (s->options->request_time)
		TRY(duration_parse(s->options->request_time, &s->request_time, e));
	return RC_OK;
}

/* As many descriptors as we may have: one per connection. */
static void raise_descriptors(void)
{
	struct rlimit r;
	if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur == r.rlim_max)
		return;
	r.rlim_cur = r.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &r); /* the connection cap still holds without it */
}

/* -- parts -------------------------------------------------------------------------------------------------------- */
static void on_fatal(void *self, const struct troth_err *e)
{
	struct server *s = self;
	uint64_t one = 1;
	ssize_t n = write(s->fatal, &one, sizeof one);
	(void)n; /* a full counter wakes as well */
}

static void on_committed(void *self, struct tx *snapshot, msec_t now)
{
	struct server *s = self;
	struct troth_err e = { 0 };
	server_tls_refresh(s->tls, snapshot, now);
	webhooks_wake(s->webhooks);
	if (rc_failed(note_keep(&s->note, snapshot, port_mono(&s->port.clock), false, &e)))
		log_err(LOG_LEVEL_WARN, "note.unwritten", &e); /* a full disk: the next commit tries again */
}

static troth_rc open_store(struct server *s, struct troth_err *e)
{
	const struct store_options options = { .must_exist = true };
	troth_rc rc = store_open(s->d.store, &options, &s->store, e);
	if (rc.code == TROTH_CONFLICT && !e->hint[0])
		err_hint(e, "is another server running on %s?", s->d.dir);
	TRY(rc);
	return service_new(s->store, &s->port, &s->svc, e);
}

static troth_rc newest_audit(struct server *s, msec_t *ret_at, struct troth_err *e)
{
	CLEANUP(store_reader_closep) struct store_reader *reader = NULL;
	struct tx *tx;
	struct audit_row *rows;
	size_t n = 0;
	TRY(store_reader_open(s->store, &reader, e));
	TRY(store_read_begin(reader, &tx, e));
	troth_rc rc = audit_list_newest(tx, s->a, INT64_MAX, 1, &rows, &n, e);
	store_read_end(tx);
	*ret_at = n ? rows[0].at : 0;
	return rc;
}

/* A clock that stands in the past would make certificates that have ended when it is set, and renew none. */
static troth_rc check_clock(struct server *s, struct troth_err *e)
{
	msec_t now = port_now(&s->port.clock), last = 0;
	char is[RFC3339_LEN], was[RFC3339_LEN];
	TRY(newest_audit(s, &last, e));
	if (last <= now + LIMIT_SKEW_S * MSEC_S)
		return RC_OK;
	if (s->options->clock_went_back) {
		LOG(LOG_LEVEL_WARN, "server.clock_went_back", LOG_S("last", time_format(last, was)));
		return RC_OK;
	}
	troth_rc rc = err_set(e, TROTH_INVALID, "the clock says %s, but something was written in %s at %s", time_format(now, is), s->d.store,
			      time_format(last, was));
	err_hint(e, "set the clock; if it is right now and was ahead then, start once with --clock-went-back");
	return rc;
}

/* Has somebody put a backup in the database's place? */
static troth_rc compare_note(struct server *s, struct troth_err *e)
{
	bool raised;
	s->note.path = s->d.note;
	TRY(note_begin(&s->note, s->svc, &s->port, &raised, e));
	if (raised)
		LOG(LOG_LEVEL_WARN, "server.restored", LOG_S("epoch", service_epoch(s->svc)),
		    LOG_S("text", "the database is older than the note beside it: nothing is relied upon before it was seen"));
	return RC_OK;
}

/* On the way out: what the writer wrote last. */
static void leave_note(struct server *s)
{
	struct store_reader *reader = NULL;
	struct tx *tx;
	struct troth_err e = { 0 };
	if (!s->note.path || rc_failed(store_reader_open(s->store, &reader, &e)))
		return;
	troth_rc rc = store_read_begin(reader, &tx, &e);
	if (rc_ok(rc)) {
		rc = note_keep(&s->note, tx, port_mono(&s->port.clock), true, &e);
		store_read_end(tx);
	}
	if (rc_failed(rc))
		log_err(LOG_LEVEL_WARN, "note.unwritten", &e);
	store_reader_close(reader);
}

static troth_rc open_pipeline(struct server *s, struct troth_err *e)
{
	s->spawn = (struct keeper_spawn_options){ s->d.master_key, s->d.keeper_log };
	const struct pipeline_config config = { .svc = s->svc, .port = &s->port, .loops = s->loops,
						.keeper = keeper_line_real(&s->spawn), .hooks = { s, on_committed, on_fatal } };
	return pipeline_new(&config, &s->pipeline, e);
}

static troth_rc open_edge(struct server *s, struct troth_err *e)
{
	struct route_table tables[NATIVE_TABLE_COUNT];
	struct edge_tls tls;
	for (size_t i = 0; i < NATIVE_TABLE_COUNT; i++)
		tables[i] = *NATIVE_TABLES[i];
	const struct edge_config config = { .listen = s->listen, .plain_listen = s->options->plain_listen, .loops = s->loops, .clock = &s->port.clock, .random = &s->port.random,
					    .tables = tables, .table_count = NATIVE_TABLE_COUNT, .handler = pipeline_handler(s->pipeline),
					    .request_time = s->request_time };
	TRY(server_tls_new(s->a, &s->d, s->store, s->pipeline, &s->tls, e));
	TRY(server_tls_names(s->tls, &s->options->public_names, e));
	TRY(server_tls_context(s->tls, &tls, e));
	TRY(edge_server_new(&config, &tls, &s->edge, e));
	server_tls_serve(s->tls, s->edge);
	return RC_OK;
}

/* The name in admin.json's URL stays; the port is what we got. */
static troth_rc announce(struct server *s, const char *old_url, struct troth_err *e)
{
	const char *colon = strrchr(old_url, ':');
	int port = edge_server_port(s->edge);
	s->url = s->options->listen || !colon ? server_url(s->a, s->listen, NULL, port)
					      : arena_printf(s->a, "%.*s:%d", (int)(colon - old_url), old_url, port);
	const char *host_colon = strrchr(s->listen, ':');
	const char *listen = arena_printf(s->a, "%.*s:%d", (int)(host_colon - s->listen), s->listen, port);
	if (s->options->plain_listen)
		s->http_url = arena_printf(s->a, "http://127.0.0.1:%d", edge_server_plain_port(s->edge));
	TRY(datadir_write_address(&s->d, s->url, listen, e));
	return file_write(s->d.url, bytes_of_text(arena_printf(s->a, "%s\n", s->url)), 0644, e);
}

static troth_rc start(struct server *s, struct troth_err *e)
{
	const char *old_url, *old_listen;
	TRY(datadir_check_usable(&s->d, e));
	TRY(datadir_read_address(s->a, &s->d, &old_url, &old_listen, e));
	s->listen = s->options->listen ? s->options->listen : old_listen;
	TRY(open_store(s, e));
	TRY(check_clock(s, e));
	TRY(compare_note(s, e));
	TRY(open_pipeline(s, e));
	TRY(open_edge(s, e));
	TRY(webhooks_new(s->pipeline, s->store, &s->port.clock, &s->webhooks, e));
	TRY(pipeline_start(s->pipeline, s->edge, e));
	TRY(edge_server_start(s->edge, e));
	TRY(webhooks_start(s->webhooks, e));
	pipeline_submit(s->pipeline, &VERB_AUDIT_SIGN, NULL, &(struct no_cmd){ 0 }, NULL, NULL); /* a commit: what is due is looked at */
	TRY(announce(s, old_url, e));
	LOG(LOG_LEVEL_INFO, "server.ready", LOG_S("url", s->url), LOG_S("dir", s->d.dir), LOG_S("version", TROTH_VERSION),
	    LOG_I("loops", s->loops), LOG_S("epoch", service_epoch(s->svc)));
	if (s->options->ready)
		s->options->ready(s->options->self, s->url, s->http_url);
	return RC_OK;
}

static void stop(struct server *s)
{
	if (s->url)
		unlink(s->d.url);
	if (s->edge) {
		edge_server_stop(s->edge, STOP_GRACE_MS); /* what is under way needs the pipeline: it stops after */
		edge_server_join(s->edge);
	}
	webhooks_stop(s->webhooks);
	if (s->pipeline)
		pipeline_stop(s->pipeline);
	edge_server_free(s->edge);
	pipeline_free(s->pipeline);
	webhooks_free(s->webhooks);
	server_tls_free(s->tls);
	leave_note(s);
	service_free(s->svc);
	store_close(s->store);
}

/* -- waiting -------------------------------------------------------------------------------------------------------- */
static troth_rc open_signals(struct server *s, struct troth_err *e)
{
	sigset_t wanted;
	sigemptyset(&wanted);
	sigaddset(&wanted, SIGTERM);
	sigaddset(&wanted, SIGINT);
	sigaddset(&wanted, SIGHUP);
	sigprocmask(SIG_BLOCK, &wanted, NULL); /* before any thread is made */
	signal(SIGPIPE, SIG_IGN);
	s->signals = signalfd(-1, &wanted, SFD_CLOEXEC);
	s->fatal = eventfd(0, EFD_CLOEXEC);
	if (s->signals < 0 || s->fatal < 0)
		return err_errno(e, errno, "could not make a descriptor for signals");
	return RC_OK;
}

/* 0: asked to stop; otherwise the server cannot go on. */
static int wait_for_end(struct server *s)
{
	for (;;) {
		struct pollfd fds[2] = { { .fd = s->signals, .events = POLLIN }, { .fd = s->fatal, .events = POLLIN } };
		struct signalfd_siginfo info;
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents)
			return 1;
		if (read(s->signals, &info, sizeof info) != sizeof info || info.ssi_signo == SIGHUP)
			continue; /* a lost terminal is no reason to stop */
		LOG(LOG_LEVEL_INFO, "server.stopping", LOG_S("signal", strsignal((int)info.ssi_signo)));
		return 0;
	}
}

static int run(struct server *s)
{
	struct troth_err e = { 0 };
	troth_rc rc = open_signals(s, &e);
	if (rc_ok(rc))
		rc = set_loops(s, &e);
	if (rc_ok(rc))
		rc = start(s, &e);
	int code = rc_ok(rc) ? wait_for_end(s) : command_failed(&e);
	stop(s);
	if (rc_ok(rc))
		LOG(LOG_LEVEL_INFO, "server.stopped", LOG_I("code", code));
	return code;
}

int server_run(struct arena *a, const struct server_options *o)
{
	struct server s = { .a = a, .options = o, .d = datadir_make(a, o->dir), .port = { PORT_CLOCK_REAL, PORT_RANDOM_REAL },
			    .signals = -1, .fatal = -1 };
	raise_descriptors();
	int code = run(&s);
	close(s.signals);
	close(s.fatal);
	return code;
}

int server_command(int argc, char **argv)
{
	static const struct command self = { .name = "server" };
	CLEANUP(arena_freep) struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	struct server_options o = { 0 };
	struct option_values words = { 0 };
	struct troth_err e = { 0 };
	const struct option options[] = { { "dir", &o.dir }, { "listen", &o.listen }, { "log-level", &o.log_level },
					  { "log-format", &o.log_format }, { "public-name", NULL, NULL, &o.public_names },
					  { "loops", &o.loops }, { "request-time", &o.request_time },
					  { "clock-went-back", NULL, &o.clock_went_back } };
	if (rc_failed(options_read(argc, argv, options, ARRAY_LEN(options), &words, &e)) || rc_failed(server_set_log(&o, &e)))
		return command_usage(&self, "%s", e.primary);
	if (!o.dir || words.count)
		return command_usage(&self, "say which data directory: --dir DIR");
	return server_run(a, &o);
}
