/* `troth support-bundle FILE`: the parts, one after the other, into a tar.  See support.h for what must not be in it.
 *
 *     PARTS   name in the archive -> a function that writes it      LISTS   name -> a route of the API, all its pages
 *
 * A part that fails does not stop the others: a bundle is made when something is wrong.  Its place says why. */
#include "app/support.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/server.h"
#include "app/tar.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"
#include "edge/uri.h"
#include "facade/native/native.h"
#include "pki/pki.h"
#include "port/port.h"
#include "probe/probe.h"
#include "service/verb.h"
#include "store/look.h"

const char SUPPORT_USAGE[] =
	"usage: troth support-bundle FILE --dir DIR [--config FILE] [--log-lines N]\n"
	"\n"
	"Writes FILE, a tar archive for whoever helps you, about the server whose data\n"
	"directory is DIR. The server may be running or not; run this as the user that\n"
	"the directory belongs to. In it: versions, settings, health, authorities with\n"
	"their versions, credentials, bundles, deployments, instances, targets,\n"
	"rotations, what is waited for, the end of the keeper's log, sizes, limits, and\n"
	"facts of the machine.\n"
	"\n"
	"No key, wrapped or not, no token or password, and no hash of one is in it. Names\n"
	"of nodes, credentials and addresses are: look before you send it.\n"
	"\n"
	"  --dir DIR      the data directory (or TROTH_DIR)\n"
	"  --config FILE  the server's, if it is started with one and does not run now\n"
	"  --log-lines N  how many of keeper.log, 0 to 100000 (default 1000)\n"
	"\n"
	"example:\n"
	"  troth support-bundle troth-support.tar --dir /var/lib/troth/server\n"
	"  tar -tvf troth-support.tar\n";

enum { LOG_LINES = 1000, LOG_LINES_MOST = 100000, LISTENER_MS = 3000, PART_BYTES = LIMIT_SUPPORT_BYTES / 2 };

struct support {
	struct arena *a;
	struct datadir d;
	struct config_from from;
	int64_t log_lines;
	msec_t now;
	pid_t server;                 /* 0: none runs */
	struct store_reader *reader;  /* NULL: the store could not be opened, and store_fault says why */
	struct tx *tx;
	struct troth_err store_fault;
	size_t faults;
};

/* -- the API's own answers, on the snapshot ----------------------------------------------------------------------- */
static const struct list { const char *name, *path; bool pages; } LISTS[] = {
	{ "api/version.json", "/v1/version", false },
	{ "api/health.json", "/v1/health", false },
	{ "api/explain.json", "/v1/explain", false },
	{ "api/freeze.json", "/v1/freeze", false },
	{ "api/rotations.jsonl", "/v1/rotations", true },
	{ "api/authorities.jsonl", "/v1/authorities", true },
	{ "api/credentials.jsonl", "/v1/credentials", true },
	{ "api/bundles.jsonl", "/v1/bundles", true },
	{ "api/deployments.jsonl", "/v1/deployments", true },
	{ "api/instances.jsonl", "/v1/instances", true },
	{ "api/targets.jsonl", "/v1/targets", true },
	{ "api/operations.jsonl", "/v1/operations", true },
};

static const struct route *route_of(const char *path)
{
	for (size_t t = 0; t < NATIVE_TABLE_COUNT; t++)
		for (size_t i = 0; i < NATIVE_TABLES[t]->count; i++) {
			const struct route *r = &NATIVE_TABLES[t]->rows[i];
			if (r->method == HTTP_GET && strcmp(r->pattern, path) == 0)
				return r;
		}
	return NULL;
}

/* One request, as a loop does it for a READ. */
static troth_rc answer(const struct support *s, struct arena *a, const struct route *route, const struct http_request *r, struct buf *out,
		       struct troth_err *e)
{
	CLEANUP(http_reply_release) struct http_reply reply = http_reply_make();
	const struct server_port port = { PORT_CLOCK_REAL, PORT_RANDOM_REAL };
	void *cmd = arena_alloc(a, route->verb->cmd_size), *ret = arena_alloc(a, route->verb->ret_size);
	struct verb_ctx ctx;
	if (route->parse)
		TRY(route->parse(a, r, cmd, e));
	verb_ctx_init(&ctx, a, &PRINCIPAL_SYSTEM, &port, s->now);
	ctx.tx = s->tx;
	ctx.last_chance = true;
	TRY(route->verb->run(&ctx, cmd, ret, e));
	route->render(a, r, cmd, ret, &reply);
	buf_add_bytes(out, buf_bytes(&reply.body));
	ENSURE(buf_ok(out) && buf_ok(&reply.body), e, TROTH_TOO_LARGE, "the answer is larger than a bundle takes");
	return RC_OK;
}

/* A page, on a line of its own; *after becomes where the next one begins, NULL at the end. */
static troth_rc put_page(const struct support *s, const struct route *route, struct arena *keep, const char **after, size_t *rows, struct buf *out,
			 struct troth_err *e)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	const struct http_pair query[] = { { "after", *after } };
	const struct http_request r = { .path = route->pattern, .id = "support", .now = s->now, .query = { query, *after ? 1 : 0 } };
	const struct json *page;
	size_t begin = out->len;
	TRY(answer(s, a, route, &r, out, e));
	TRY(json_parse(a, bytes_of(out->data + begin, out->len - begin), &page, e));
	buf_add_text(out, "\n");
	const struct json *items = json_get_list(page, "items");
	const char *next = json_get_text(page, "next", NULL);
	*rows += items->list.count;
	*after = next ? arena_text(keep, next) : NULL;
	return RC_OK;
}

static troth_rc put_list(const struct support *s, const struct list *list, struct buf *out, struct troth_err *e)
{
	const struct route *route = route_of(list->path);
	const char *after = NULL;
	size_t rows = 0;
	CHECK(route && route->verb && route->verb->kind == VERB_READ);
	do
		TRY(put_page(s, route, s->a, &after, &rows, out, e));
	while (list->pages && after && rows < LIMIT_SUPPORT_ROWS);
	if (list->pages && after)
		buf_printf(out, "{\"note\":\"there are more than %zu\"}\n", rows);
	return RC_OK;
}

/* -- parts ------------------------------------------------------------------------------------------------------------- */
static troth_rc put_readme(struct support *s, struct buf *out, struct troth_err *e)
{
	char now[RFC3339_LEN];
	buf_printf(out, "Support bundle of troth %s, made %s.\n\n", TROTH_VERSION, time_format(s->now, now));
	if (s->server)
		buf_printf(out, "A server runs on %s, process %ld.\n", s->d.dir, (long)s->server);
	else
		buf_printf(out, "No server runs on %s.\n", s->d.dir);
	buf_add_text(out, "\nNo key, wrapped or not, no token or password, and no hash of one is in it.\n"
			  "Names of nodes, credentials and addresses are.\n\napi/ holds what the API answers, a page a line, all as of one "
			  "moment. Where\nsomething could not be had, NAME.failed says why.\n");
	return RC_OK;
}

static troth_rc put_settings(struct support *s, struct buf *out, struct troth_err *e)
{
	return config_effective(s->a, s->d.dir, &s->from, true, out, e);
}

static troth_rc put_store(struct support *s, struct buf *out, struct troth_err *e)
{
	struct store_figures f;
	int64_t epoch, events, audit;
	uint8_t hash[SHA256_LEN];
	TRY(store_figures(s->tx, s->a, &f, e));
	TRY(store_epoch(s->tx, &epoch, e));
	TRY(event_last_seq(s->tx, &events, e));
	TRY(audit_last(s->tx, &audit, hash, e));
	struct json_writer w = json_writer_make(out);
	jw_object(&w);
	jw_kv_int(&w, "schema", f.schema);
	jw_kv_int(&w, "schema_of_this_program", store_schema_version());
	jw_kv_int(&w, "epoch", epoch);
	jw_kv_int(&w, "last_event", events);
	jw_kv_int(&w, "last_audit_row", audit);
	jw_kv_text(&w, "sqlite", f.sqlite);
	jw_kv_int(&w, "page_bytes", f.page_bytes);
	jw_kv_int(&w, "pages", f.pages);
	jw_kv_int(&w, "free_pages", f.free_pages);
	jw_key(&w, "rows");
	jw_object(&w);
	for (size_t i = 0; i < f.table_count; i++)
		jw_kv_int(&w, f.tables[i].name, f.tables[i].rows);
	jw_object_end(&w);
	jw_object_end(&w);
	buf_add_text(out, "\n");
	return RC_OK;
}

static troth_rc read_url(struct support *s, struct uri_server *ret, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf line = buf_make(LIMIT_SUPPORT_LOG_BYTES);
	TRY(support_tail(s->d.url, 1, &line, e));
	return uri_server_parse(arena_text_n(s->a, buf_text(&line), strcspn(buf_text(&line), "\n")), ret, e);
}

/* Does it still speak?  A handshake takes a loop that turns. */
static troth_rc put_listener(struct support *s, struct buf *out, struct troth_err *e)
{
	struct uri_server url;
	struct probe_seen seen;
	const struct cert *leaf;
	char until[RFC3339_LEN], hex[SHA256_HEX_LEN];
	if (!s->server) {
		buf_add_text(out, "no server runs\n");
		return RC_OK;
	}
	TRY(read_url(s, &url, e));
	const struct probe_request look = { .host = url.host, .port = url.port, .server_name = url.is_address ? NULL : url.host, .timeout = LISTENER_MS };
	TRY(probe_tls(s->a, &look, &seen, e));
	TRY(cert_parse(s->a, seen.chain[0], &leaf, e));
	buf_printf(out, "%s:%d answers, %s, handshake %s\ncertificate %s\nvalid until %s\ncertificates sent: %zu\n", url.host, url.port, seen.protocol,
		   seen.complete ? "complete" : "not complete", hex_encode(leaf->fingerprint, SHA256_LEN, hex), time_format(leaf->not_after, until),
		   seen.chain_count);
	return RC_OK;
}

static troth_rc put_keeper_log(struct support *s, struct buf *out, struct troth_err *e)
{
	return support_tail(s->d.keeper_log, s->log_lines, out, e);
}

static troth_rc put_files(struct support *s, struct buf *out, struct troth_err *e)
{
	support_files(s->a, s->d.dir, out);
	return RC_OK;
}

static troth_rc put_system(struct support *s, struct buf *out, struct troth_err *e)
{
	support_system(s->a, s->d.dir, out);
	return RC_OK;
}

static troth_rc put_process(struct support *s, struct buf *out, struct troth_err *e)
{
	support_process(s->a, s->server, out);
	return RC_OK;
}

static const struct part {
	const char *name;
	troth_rc (*put)(struct support *s, struct buf *out, struct troth_err *e);
	bool store; /* reads the snapshot */
} PARTS[] = {
	{ "README", put_readme },
	{ "settings.json", put_settings },
	{ "store.json", put_store, true },
	{ "listener.txt", put_listener },
	{ "files.txt", put_files },
	{ "system.txt", put_system },
	{ "process.txt", put_process },
	{ "keeper.log", put_keeper_log },
};

/* -- the archive --------------------------------------------------------------------------------------------------------- */
#define TAR_DIR "troth-support/"

static const char *fault_text(struct arena *a, const struct troth_err *e)
{
	return arena_printf(a, "%s%s%s\n%s%s", e->primary, e->detail[0] ? ": " : "", e->detail, e->hint, e->hint[0] ? "\n" : "");
}

/* What was written, or in its place why not. */
static troth_rc add(struct support *s, const struct tar *t, const char *name, troth_rc rc, struct buf *contents, const struct troth_err *why,
		    struct troth_err *e)
{
	if (rc_ok(rc) && buf_ok(contents))
		return tar_add(t, arena_printf(s->a, TAR_DIR "%s", name), buf_bytes(contents), e);
	s->faults++;
	const char *text = rc_ok(rc) ? "it is too large\n" : fault_text(s->a, why);
	return tar_add(t, arena_printf(s->a, TAR_DIR "%s.failed", name), bytes_of_text(text), e);
}

static troth_rc add_part(struct support *s, const struct tar *t, const struct part *part, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf out = buf_make(PART_BYTES);
	struct troth_err why = s->store_fault;
	troth_rc rc = part->store && !s->tx ? (troth_rc){ why.kind } : part->put(s, &out, &why);
	return add(s, t, part->name, rc, &out, &why, e);
}

static troth_rc add_list(struct support *s, const struct tar *t, const struct list *list, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf out = buf_make(PART_BYTES);
	struct troth_err why = s->store_fault;
	troth_rc rc = s->tx ? put_list(s, list, &out, &why) : (troth_rc){ why.kind };
	return add(s, t, list->name, rc, &out, &why, e);
}

static troth_rc add_all(struct support *s, struct buf *out, struct troth_err *e)
{
	const struct tar t = { out, s->now };
	for (size_t i = 0; i < ARRAY_LEN(PARTS); i++)
		TRY(add_part(s, &t, &PARTS[i], e));
	for (size_t i = 0; i < ARRAY_LEN(LISTS); i++)
		TRY(add_list(s, &t, &LISTS[i], e));
	return tar_end(&t, e);
}

static void open_store(struct support *s)
{
	if (rc_failed(store_look(s->d.store, &s->reader, &s->store_fault)))
		return;
	if (rc_failed(store_read_begin(s->reader, &s->tx, &s->store_fault)))
		s->tx = NULL;
}

static void close_store(struct support *s)
{
	store_read_end(s->tx);
	store_reader_close(s->reader);
}

/* -- the file -------------------------------------------------------------------------------------------------------------- */
/* CONFLICT, as it is told before the work and after it. */
static troth_rc is_taken(const char *file, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "\"%s\" exists already", file);
	err_hint(e, "a bundle never replaces another file: give it a new name");
	return rc;
}

static troth_rc write_new(const char *file, struct bytes data, struct troth_err *e)
{
	troth_rc rc = file_write_new(file, data, 0600, e);
	if (rc.code == TROTH_CONFLICT)
		return is_taken(file, e);
	if (rc_failed(rc))
		err_prefix(e, "could not write \"%s\"", file);
	return rc;
}

static troth_rc check_places(const struct support *s, const char *file, struct troth_err *e)
{
	if (access(s->d.store, F_OK) != 0) {
		troth_rc rc = err_errno(e, errno, "%s is no data directory: %s", s->d.dir, s->d.store);
		err_hint(e, "say which one with --dir, and run this as the user that it belongs to");
		return rc;
	}
	return access(file, F_OK) == 0 ? is_taken(file, e) : RC_OK;
}

static troth_rc make_bundle(struct support *s, const char *file, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf out = buf_make(LIMIT_SUPPORT_BYTES);
	TRY(check_places(s, file, e));
	s->server = datadir_server(&s->d);
	open_store(s);
	troth_rc rc = add_all(s, &out, e);
	close_store(s);
	TRY(rc);
	TRY(write_new(file, buf_bytes(&out), e));
	printf("bundle    %s, %zu bytes\nserver    %s\n", file, out.len, s->server ? "runs" : "does not run");
	if (s->faults)
		printf("missing   %zu part%s; NAME.failed in it says why\n", s->faults, s->faults == 1 ? "" : "s");
	printf("secrets   none: no keys, tokens or hashes of them; names and addresses are in it\n\nnext:\n  tar -tvf %s\n", file);
	return RC_OK;
}

static bool read_lines(const char *text, int64_t *ret)
{
	char *end;
	long n = text ? strtol(text, &end, 10) : LOG_LINES;
	*ret = n;
	return !text || (text[0] >= '0' && text[0] <= '9' && !*end && n <= LOG_LINES_MOST);
}

int support_command(int argc, char **argv)
{
	static const struct command self = { .name = "support-bundle" };
	CLEANUP(arena_freep) struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	struct support s = { .a = a, .now = port_now(&PORT_CLOCK_REAL) };
	struct option_values words = { 0 };
	struct troth_err e = { 0 };
	const char *dir = NULL, *lines = NULL, *config = NULL;
	const struct option options[] = { { "dir", &dir }, { "log-lines", &lines }, { "config", &config } };
	if (rc_failed(options_read(argc, argv, options, ARRAY_LEN(options), &words, &e)))
		return command_usage(&self, "%s", e.primary);
	dir = datadir_said(dir);
	if (words.count != 1 || !dir)
		return command_usage(&self, "say which file to write, and of which data directory: FILE --dir DIR");
	if (!read_lines(lines, &s.log_lines))
		return command_usage(&self, "--log-lines must be a number from 0 to %d", LOG_LINES_MOST);
	s.d = datadir_make(a, dir);
	server_config_file(a, dir, config, &s.from);
	return rc_ok(make_bundle(&s, words.items[0], &e)) ? 0 : command_failed(&e);
}
