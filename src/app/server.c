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
#include "facade/facade.h"
#include "service/nouns.h"

const char SERVER_USAGE[] =
	"usage: troth server --dir DIR [--config FILE] [--listen ADDRESS:PORT]\n"
	"                    [--public-name NAME]... [--loops N] [--connections N]\n"
	"                    [--request-time TIME] [--idle-time TIME]\n"
	"                    [--credhub-exportable true]\n"
	"                    [--log-level LEVEL] [--log-format FORMAT]\n"
	"                    [--clock-went-back]\n"
	"\n"
	"Runs the server and its keeper on a data directory made by `troth init`.\n"
	"DIR/server.url holds the address while the server is ready. SIGTERM and SIGINT\n"
	"stop it; SIGHUP has it read its configuration again.\n"
	"\n"
	"  --dir DIR              the data directory\n"
	"  --config FILE          settings, in YAML (default: DIR/troth.yaml if it is\n"
	"                         there); options below win over it. See `troth config`\n"
	"  --listen ADDRESS:PORT  default: as given to init; port 0 takes a free one\n"
	"  --public-name NAME     one more DNS name or IP address that clients call it\n"
	"                         by; may be repeated. Its certificate is made anew at\n"
	"                         once with them, and keeps them\n"
	"  --loops N              event loops (default: one per core, at most 16)\n"
	"  --connections N        how many at a time (default 20000)\n"
	"  --request-time TIME    how long a client may take for its handshake and\n"
	"                         request (default 20s)\n"
	"  --idle-time TIME       how long a connection may rest between two requests\n"
	"                         (default 2m)\n"
	"  --credhub-exportable true\n"
	"                         keys of CAs that are made from now on through CredHub's\n"
	"                         API may be given out again (default false): then who\n"
	"                         takes over this server gets them too\n"
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
	struct config config;      /* what counts now */
	struct arena *config_arena; /* of what a reload read; NULL: it is as at the start */
	struct note note;
	struct keeper_spawn_options spawn;
	unsigned loops;
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
static void set_log(const struct config *c)
{
	log_change((enum log_level)config_number(c, SETTING_LOG_LEVEL), (enum log_format)config_number(c, SETTING_LOG_FORMAT));
}

troth_rc server_take_config(struct arena *a, const struct config_from *from, struct server_options *o, struct troth_err *e)
{
	TRY(config_read(a, from, &o->config, e));
	log_setup(2, LOG_LEVEL_INFO, LOG_FORMAT_LOGFMT, "server");
	set_log(&o->config);
	o->from = from;
	return RC_OK;
}

static void set_loops(struct server *s)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN), n = cores < 1 ? 1 : cores > EDGE_LOOPS ? EDGE_LOOPS : cores;
	int64_t said = config_number(&s->config, SETTING_LOOPS);
	s->loops = (unsigned)(said ? said : n);
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
		LOG(LOG_LEVEL_WARN, "server.clock-went-back", LOG_S("last", time_format(last, was)));
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
	struct route_table tables[FACADE_TABLES_MAX];
	struct edge_tls tls;
	const struct edge_config config = { .listen = s->listen, .plain_listen = s->options->plain_listen, .loops = s->loops, .clock = &s->port.clock, .random = &s->port.random,
					    .tables = tables, .table_count = facade_tables(tables), .handler = pipeline_handler(s->pipeline),
					    .connections = (unsigned)config_number(&s->config, SETTING_CONNECTIONS),
					    .request_time = config_number(&s->config, SETTING_REQUEST_TIME),
					    .idle_time = config_number(&s->config, SETTING_IDLE_TIME) };
	TRY(server_tls_new(s->a, &s->d, s->store, s->pipeline, &s->tls, e));
	TRY(server_tls_names(s->tls, &s->options->config.values[SETTING_PUBLIC_NAMES].names, e));
	TRY(server_tls_context(s->tls, &tls, e));
	TRY(edge_server_new(&config, &tls, &s->edge, e));
	server_tls_serve(s->tls, s->edge);
	return RC_OK;
}

/* For who asks what it is set to (`troth config show`): with what was found at the start in place of "as the machine is". */
static troth_rc write_settings(struct server *s, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf out = buf_make(LIMIT_YAML_BYTES);
	struct config told = s->config;
	told.values[SETTING_LISTEN].text = s->listen;
	told.values[SETTING_LOOPS].number = s->loops;
	config_write(&told, &(struct config_server){ s->d.dir, getpid() }, &out);
	return file_write(s->d.settings, buf_bytes(&out), 0600, e);
}

/* The name in admin.json's URL stays; the port is what we got. */
static troth_rc announce(struct server *s, const char *old_url, struct troth_err *e)
{
	const char *colon = strrchr(old_url, ':');
	int port = edge_server_port(s->edge);
	s->url = config_text(&s->config, SETTING_LISTEN) || !colon ? server_url(s->a, s->listen, NULL, port)
					      : arena_printf(s->a, "%.*s:%d", (int)(colon - old_url), old_url, port);
	const char *host_colon = strrchr(s->listen, ':');
	const char *listen = arena_printf(s->a, "%.*s:%d", (int)(host_colon - s->listen), s->listen, port);
	if (s->options->plain_listen)
		s->http_url = arena_printf(s->a, "http://127.0.0.1:%d", edge_server_plain_port(s->edge));
	TRY(datadir_write_address(&s->d, s->url, listen, e));
	s->listen = listen;
	TRY(write_settings(s, e));
	return file_write(s->d.url, bytes_of_text(arena_printf(s->a, "%s\n", s->url)), 0644, e);
}

/* A choice that costs something is told at each start. */
static void say_exportable(const struct server *s)
{
	if (s->port.exportable_authorities)
		LOG(LOG_LEVEL_WARN, "server.ca-keys-exportable", LOG_S("setting", SETTINGS[SETTING_CREDHUB_EXPORTABLE].name),
		    LOG_S("text", "CAs that are made through CredHub's API can be had with their keys, also by whoever takes over this server"));
}

static troth_rc start(struct server *s, struct troth_err *e)
{
	const char *old_url, *old_listen;
	TRY(datadir_check_usable(&s->d, e));
	TRY(datadir_read_address(s->a, &s->d, &old_url, &old_listen, e));
	s->listen = config_text(&s->config, SETTING_LISTEN) ? config_text(&s->config, SETTING_LISTEN) : old_listen;
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
	say_exportable(s);
	if (s->options->ready)
		s->options->ready(s->options->self, s->url, s->http_url);
	return RC_OK;
}

static void stop(struct server *s)
{
	if (s->url) {
		unlink(s->d.url);
		unlink(s->d.settings);
	}
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
	arena_freep(&s->config_arena);
}

/* -- reading the configuration again ------------------------------------------------------------------------------------ */
/* One line a finding: each names its line of the file, and what to do. */
static void refuse_config(const struct troth_err *e)
{
	for (const struct finding *f = e->findings; f; f = f->next)
		LOG(LOG_LEVEL_WARN, "config.finding", LOG_S("at", f->path), LOG_S("text", f->text), LOG_S("hint", f->hint));
	log_err(LOG_LEVEL_WARN, "config.refused", e);
}

static const char *list_settings(struct arena *a, const bool which[SETTING_COUNT])
{
	const char *list = "";
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (which[i])
			list = arena_printf(a, "%s%s%s", list, list[0] ? "," : "", SETTINGS[i].name);
	return list;
}

static void apply_config(struct server *s)
{
	set_log(&s->config);
	edge_server_set_limits(s->edge, (unsigned)config_number(&s->config, SETTING_CONNECTIONS),
			       config_number(&s->config, SETTING_REQUEST_TIME), config_number(&s->config, SETTING_IDLE_TIME));
}

static void say_reloaded(struct server *s, struct arena *a, const struct config_change *change)
{
	struct troth_err e = { 0 };
	const char *changed = list_settings(a, change->changed), *restart = list_settings(a, change->restart);
	if (rc_failed(write_settings(s, &e)))
		log_err(LOG_LEVEL_WARN, "config.untold", &e); /* what `troth config show` reads */
	if (restart[0])
		LOG(LOG_LEVEL_WARN, "config.restart-needed", LOG_S("settings", restart),
		    LOG_S("text", "what the file says of these counts from the next start on"));
	LOG(LOG_LEVEL_INFO, "config.reloaded", LOG_S("file", s->config.file), LOG_S("changed", changed[0] ? changed : NULL));
}

/* SIGHUP.  A file with a fault changes nothing. */
static void reload_config(struct server *s)
{
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	struct troth_err e = { 0 };
	struct config fresh;
	if (rc_failed(config_read(a, s->options->from, &fresh, &e))) {
		refuse_config(&e);
		arena_free(a);
		return;
	}
	struct config_change change = config_merge(&s->config, &fresh);
	s->config = fresh;
	apply_config(s);
	say_reloaded(s, a, &change);
	arena_free(s->config_arena); /* texts of settings that take a restart live in s->a */
	s->config_arena = a;
}

/* -- waiting -------------------------------------------------------------------------------------------------------- */
static void block_signals(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGINT);
	sigaddset(ret, SIGHUP);
	sigprocmask(SIG_BLOCK, ret, NULL);
}

static troth_rc open_signals(struct server *s, struct troth_err *e)
{
	sigset_t wanted;
	block_signals(&wanted); /* before any thread is made */
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
		if (read(s->signals, &info, sizeof info) != sizeof info)
			continue;
		if (info.ssi_signo == SIGHUP) { /* a lost terminal, too: that is no reason to stop */
			reload_config(s);
			continue;
		}
		LOG(LOG_LEVEL_INFO, "server.stopping", LOG_S("signal", strsignal((int)info.ssi_signo)));
		return 0;
	}
}

static int run(struct server *s)
{
	struct troth_err e = { 0 };
	troth_rc rc = open_signals(s, &e);
	set_loops(s);
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
			    .config = o->config, .signals = -1, .fatal = -1 };
	s.port.exportable_authorities = config_number(&s.config, SETTING_CREDHUB_EXPORTABLE);
	raise_descriptors();
	int code = run(&s);
	close(s.signals);
	close(s.fatal);
	return code;
}

/* DIR/troth.yaml counts when it is there; --config FILE must be there. */
void server_config_file(struct arena *a, const char *dir, const char *file, struct config_from *ret)
{
	ret->file = file ? file : dir ? datadir_make(a, dir).config : NULL;
	ret->must_exist = file != NULL;
}

int server_command(int argc, char **argv)
{
	static const struct command self = { .name = "server" };
	CLEANUP(arena_freep) struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	struct config_from from = { 0 };
	struct server_options o = { 0 };
	struct option_values words = { 0 };
	struct troth_err e = { 0 };
	struct config ignored = { 0 };
	const char *file = NULL;
	sigset_t wanted;
	struct option options[SETTING_COUNT + 3] = { [SETTING_COUNT] = { "dir", &o.dir }, { "config", &file },
						     { "clock-went-back", NULL, &o.clock_went_back } };
	block_signals(&wanted); /* a reload that comes while it starts waits for its turn */
	config_options(&from, options);
	if (rc_failed(options_read(argc, argv, options, ARRAY_LEN(options), &words, &e)) || rc_failed(config_take_options(a, &from, &ignored, &e)))
		return command_usage(&self, "%s", e.primary);
	if (!o.dir || words.count)
		return command_usage(&self, "say which data directory: --dir DIR");
	server_config_file(a, o.dir, file, &from);
	if (rc_failed(server_take_config(a, &from, &o, &e)))
		return command_failed(&e);
	return server_run(a, &o);
}
