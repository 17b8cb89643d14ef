/* A keeper process for tests: the test's own executable, called again as `... keeper`.  The test's main
 * begins with SPAWNED_MAIN(argc, argv). */
#ifndef TROTH_TESTS_KEEPER_SPAWNED_H
#define TROTH_TESTS_KEEPER_SPAWNED_H

#include "fixture.h"

#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#define SPAWNED_MAIN(argc, argv)                                                                   \
	do {                                                                                       \
		if ((argc) > 1 && strcmp((argv)[1], "keeper") == 0)                                \
			return keeper_command((argc) - 1, (argv) + 1);                             \
	} while (0)

enum { PATIENCE_MS = 60000 }; /* RSA-4096 takes up to 10 s, beside a compiler longer */

struct spawned {
	char dir[64], key_path[96], log_path[96];
	struct keeper_client *client;
	struct arena *a;
};

UNUSED static void spawned_files(struct spawned *s)
{
	snprintf(s->dir, sizeof s->dir, "/tmp/troth-keeper-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->key_path, sizeof s->key_path, "%s/master.key", s->dir);
	snprintf(s->log_path, sizeof s->log_path, "%s/keeper.log", s->dir);
	assert_true(rc_ok(keeper_master_create(s->key_path, NULL)));
	s->a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
}

UNUSED static troth_rc spawned_start(struct spawned *s, struct troth_err *e)
{
	struct keeper_spawn_options o = { s->key_path, s->log_path };
	return keeper_spawn("/proc/self/exe", &o, &s->client, e);
}

UNUSED static int spawned_setup(void **state)
{
	struct spawned *s = calloc(1, sizeof *s);
	struct troth_err e = { 0 };
	assert_non_null(s);
	spawned_files(s);
	if (rc_failed(spawned_start(s, &e)))
		fail_msg("%s", e.primary);
	*state = s;
	return 0;
}

UNUSED static int spawned_teardown(void **state)
{
	struct spawned *s = *state;
	keeper_client_close(s->client);
	unlink(s->key_path);
	unlink(s->log_path);
	rmdir(s->dir);
	arena_free(s->a);
	free(s);
	return 0;
}

UNUSED static void ask_spawned(void *self, const struct keeper_request *req, struct arena *a, struct keeper_reply *ret)
{
	struct spawned *s = self;
	struct troth_err e = { 0 };
	*ret = (struct keeper_reply){ .text = "", .hint = "" };
	if (rc_ok(keeper_call(s->client, a, req, PATIENCE_MS, ret, &e)))
		return;
	ret->kind = e.kind;
	ret->text = arena_text(a, e.primary);
}

UNUSED static msec_t now_ms(void) { return port_now(&PORT_CLOCK_REAL); }

#endif
