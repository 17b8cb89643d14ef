/* `troth agent status`: what the agent in a directory remembers, for people and scripts. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/hand.h"
#include "agent/options.h"
#include "pki/pki.h"
#include "port/port.h"

enum { STATUS_ARENA = 64 << 20 };

const char AGENT_STATUS_USAGE[] =
	"usage: troth agent status --dir DIR [--output table|json]\n"
	"\n"
	"Shows this node's identity and what each target holds, without asking the\n"
	"server.\n"
	"\n"
	"example:\n"
	"  troth agent status --dir /var/lib/troth-agent\n";

static const char *const PHASE_WORDS[] = { [PHASE_SETTLED] = "settled", [PHASE_APPLYING] = "applying", [PHASE_BACKING] = "putting back" };

struct status {
	struct agent_identity id;
	char not_after[RFC3339_LEN];
	bool expired;
	bool running;
	struct target_memory targets[LIMIT_TARGETS_PER_INSTANCE];
	size_t count;
};

static bool is_running(const struct store_dir *d)
{
	int fd = openat(d->fd, "lock", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool held = flock(fd, LOCK_SH | LOCK_NB) != 0;
	close(fd);
	return held;
}

static troth_rc read_identity_end(const struct store_dir *d, struct arena *a, struct status *s, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf b = { 0 };
	const struct cert *cert;
	TRY(store_read(d, "identity.pem", 2 * LIMIT_PEM_BYTES, &b, e));
	const char *end = strstr(buf_text(&b), "-----END CERTIFICATE-----");
	ENSURE(end, e, TROTH_CORRUPT, "identity.pem has no certificate");
	TRY(cert_parse_any(a, bytes_of(b.data, (size_t)(end - (const char *)b.data) + 25), &cert, e));
	time_format(cert->not_after, s->not_after);
	s->expired = port_now(&PORT_CLOCK_REAL) >= cert->not_after;
	return RC_OK;
}

static troth_rc collect(const struct store_dir *d, struct arena *a, struct status *s, struct troth_err *e)
{
	struct json_texts ids;
	TRY(identity_read(d, a, &s->id, e));
	TRY(read_identity_end(d, a, s, e));
	TRY(memory_index(d, a, &ids, e));
	s->running = is_running(d);
	for (size_t i = 0; i < ids.count; i++)
		TRY(memory_read(d, a, ids.items[i], &s->targets[s->count++], e));
	return RC_OK;
}

/* The agent asks by itself; what is missing is a person's word. */
static void print_identity(const struct status *s)
{
	if (!s->expired) {
		printf("identity   valid until %s\n", s->not_after);
		return;
	}
	printf("identity   EXPIRED on %s\n", s->not_after);
	printf("           %s, and an operator must approve:\n", s->running ? "the agent asks for a new one" : "start the agent: it asks for a new one");
	printf("             troth recover approve %s\n", s->id.instance);
}

static void print_table(const struct status *s)
{
	printf("instance   %s (%s)\n", s->id.instance, s->id.instance_id);
	printf("deployment %s\n", s->id.deployment);
	printf("server     %s\n", s->id.server);
	print_identity(s);
	printf("agent      %s\n", s->running ? "running" : "not running");
	printf("\n%-20s %-6s %-14s %10s %10s  %s\n", "TARGET", "KIND", "PROFILE", "LOADED", "HIGH", "STATE");
	for (size_t i = 0; i < s->count; i++) {
		const struct target_memory *m = &s->targets[i];
		printf("%-20s %-6s %-14s %10lld %10lld  %s", m->name, m->kind == MSG_SLOT ? "slot" : "store", m->profile,
		       (long long)m->loaded.generation, (long long)m->high_water, PHASE_WORDS[m->phase]);
		if (m->phase != PHASE_SETTLED)
			printf(" %lld", (long long)m->doing.generation);
		printf("\n");
	}
}

static void put_target(struct json_writer *w, const struct target_memory *m)
{
	jw_object(w);
	jw_kv_text(w, "id", m->id);
	jw_kv_text(w, "name", m->name);
	jw_kv_text(w, "kind", m->kind == MSG_SLOT ? "slot" : "store");
	jw_kv_text(w, "profile", m->profile);
	jw_kv_int(w, "loaded_generation", m->loaded.generation);
	jw_kv_int(w, "high_water", m->high_water);
	jw_kv_text(w, "state", PHASE_WORDS[m->phase]);
	jw_kv_int(w, "doing", m->doing.generation);
	jw_key(w, "fingerprints");
	jw_array(w);
	for (size_t i = 0; i < m->loaded.fingerprints.count; i++)
		jw_text(w, m->loaded.fingerprints.items[i]);
	jw_array_end(w);
	jw_object_end(w);
}

static troth_rc print_json(const struct status *s, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf b = buf_make(4 << 20);
	struct json_writer w = json_writer_make(&b);
	jw_object(&w);
	jw_kv_text(&w, "instance", s->id.instance);
	jw_kv_text(&w, "instance_id", s->id.instance_id);
	jw_kv_text(&w, "deployment", s->id.deployment);
	jw_kv_text(&w, "server", s->id.server);
	jw_kv_text(&w, "identity_not_after", s->not_after);
	jw_kv_bool(&w, "identity_expired", s->expired);
	jw_kv_bool(&w, "running", s->running);
	jw_key(&w, "targets");
	jw_array(&w);
	for (size_t i = 0; i < s->count; i++)
		put_target(&w, &s->targets[i]);
	jw_array_end(&w);
	jw_object_end(&w);
	ENSURE(buf_ok(&b), e, TROTH_TOO_LARGE, "the status is too large");
	printf("%s\n", buf_text(&b));
	return RC_OK;
}

static troth_rc show(const char *dir, bool json, struct arena *a, struct troth_err *e)
{
	struct status *s = ARENA_NEW(a, struct status);
	struct store_dir d = { &PORT_FS_REAL, open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) };
	if (d.fd < 0) {
		troth_rc rc = err_errno(e, errno, "could not open the agent's directory \"%s\"", dir);
		err_hint(e, "--dir names the directory that troth agent enroll made; it is its owner's only");
		return rc;
	}
	troth_rc rc = collect(&d, a, s, e);
	close(d.fd);
	TRY(rc);
	if (json)
		return print_json(s, e);
	print_table(s);
	return RC_OK;
}

int agent_status(int argc, char **argv)
{
	const char *dir = NULL, *output = "table";
	struct troth_err e = { 0 };
	const struct agent_option options[] = { { "dir", &dir, true }, { "output", &output, false } };
	troth_rc rc = agent_options_read(argc, argv, options, ARRAY_LEN(options), &e);
	if (rc_ok(rc) && !text_equal(output, "table") && !text_equal(output, "json"))
		rc = err_set(&e, TROTH_INVALID, "--output is table or json");
	if (rc_failed(rc)) {
		(void)agent_failed(&e);
		return 2;
	}
	struct arena *a = arena_new(STATUS_ARENA);
	rc = show(dir, text_equal(output, "json"), a, &e);
	int code = rc_ok(rc) ? 0 : agent_failed(&e);
	arena_free(a);
	return code;
}
