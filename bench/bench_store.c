/* How many verbs a second the writer commits durably, by group size:  bench_store DIRECTORY [SECONDS]
 *
 * A verb is what a typical one writes: a row of its noun, an audit row in the chain, an event, in a
 * savepoint.  The directory must be on the disk in question; a memory file system proves nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "port/port.h"
#include "store/store.h"

#define MUST(call)                                                                                 \
	do {                                                                                       \
		if (rc_failed(call)) {                                                             \
			fprintf(stderr, "%s: %s (%s)\n", #call, e.primary, e.detail);              \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

static void verb_run(struct tx *tx, int64_t n)
{
	struct troth_err e;
	char uuid[37], name[64];
	snprintf(uuid, sizeof uuid, "00000000-0000-4000-8000-%012lld", (long long)n);
	snprintf(name, sizeof name, "/prod/pg/instance-%lld/server", (long long)n);
	struct credential_row c = { .uuid = uuid, .name = name, .kind = CREDENTIAL_LEAF, .key_type = "ec-p256",
		.spec = "{\"common_name\":\"pg\",\"sans\":[\"pg.example.org\",\"10.0.0.1\"]}", .rev = 1, .created = n };
	MUST(tx_savepoint(tx, &e));
	MUST(credential_row_insert(tx, &c, &e));
	MUST(audit_append(tx, &(struct audit_row){ .at = n, .who = "admin", .action = "credential.create", .object = name, .after = c.spec }, &e));
	MUST(event_append(tx, &(struct event_row){ .at = n, .kind = "credential.created", .object = name, .topic = "events" }, &e));
	MUST(tx_release(tx, &e));
}

static void measure(struct store *s, int group, msec_t length, int64_t *n)
{
	struct troth_err e;
	msec_t start = port_mono(&PORT_CLOCK_REAL), end = start, worst = 0;
	int64_t verbs = 0;
	while (end - start < length) {
		struct tx *tx;
		msec_t before = end;
		MUST(store_write_begin(s, &tx, &e));
		for (int i = 0; i < group; i++, verbs++)
			verb_run(tx, ++*n);
		MUST(store_write_commit(tx, &e));
		end = port_mono(&PORT_CLOCK_REAL);
		worst = end - before > worst ? end - before : worst;
	}
	printf("group %3d: %7lld verbs/s, worst commit %lld ms\n", group, (long long)(verbs * 1000 / (end - start)), (long long)worst);
}

static void files_remove(const char *path)
{
	static const char *const ends[] = { "", "-wal", "-shm", ".lock" };
	char name[512];
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		snprintf(name, sizeof name, "%s%s", path, ends[i]);
		(void)unlink(name); /* not there is fine */
	}
}

int main(int argc, char **argv)
{
	static const int groups[] = { 1, 4, 16, 64, 256 };
	struct troth_err e;
	struct store *s;
	char path[400];
	int64_t n = 0;
	if (argc < 2) {
		fprintf(stderr, "bench_store DIRECTORY [SECONDS per group size]\n");
		return 2;
	}
	snprintf(path, sizeof path, "%s/bench-%d.db", argv[1], (int)getpid());
	MUST(store_open(path, NULL, &s, &e));
	for (size_t i = 0; i < ARRAY_LEN(groups); i++)
		measure(s, groups[i], (argc > 2 ? strtol(argv[2], NULL, 10) : 3) * MSEC_S, &n);
	store_close(s);
	files_remove(path);
	return 0;
}
