/* A store on a disk that fails, and somebody who remembers what was answered.
 *
 * A group is three verbs in one transaction, as the server's writer runs them: the middle one fails
 * and is rolled back to its savepoint.  world_check is the promise: every group that was answered is
 * there whole, every other is there whole or not at all, no trace of a failed verb, the audit chain
 * holds, SQLite finds nothing wrong, and the store takes new work. */
#ifndef TEST_FAULT_WORLD_H
#define TEST_FAULT_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/migrate.h"
#include "vfs.h"

#ifdef TROTH_SANITIZED
enum { COARSE = 4 }; /* five times slower: look at every fourth point only */
#else
enum { COARSE = 1 };
#endif

enum { WORLD_GROUPS = 14, WORLD_GROUPS_MAX = 64 };

struct world {
	struct sim_vfs *disk;
	struct store *store;
	struct store_reader *reader;
	struct arena *a;
	struct troth_err e;
	bool answered[WORLD_GROUPS_MAX];
	bool careless; /* synchronous = OFF: the control that shows that the check can fail */
	int next;
};

#define PATH "/troth.db"
#define MUST(call)                                                                                 \
	do {                                                                                       \
		troth_rc must_rc_ = (call);                                                        \
		if (rc_failed(must_rc_))                                                           \
			fail_msg("%s: %s (%s)", #call, w->e.primary, w->e.detail);                 \
	} while (0)

static inline void world_make(struct world *w, uint64_t seed)
{
	memset(w, 0, sizeof *w);
	w->disk = sim_vfs_new("sim", seed);
	w->a = arena_new(64 << 20);
}

static inline void world_close(struct world *w)
{
	store_reader_close(w->reader);
	store_close(w->store);
	w->reader = NULL;
	w->store = NULL;
}

static inline void world_free(struct world *w)
{
	world_close(w);
	sim_vfs_free(w->disk);
	arena_free(w->a);
}

static inline troth_rc world_open(struct world *w)
{
	struct store_options o = { .vfs = "sim", .checkpoint_pages = 24 };
	TRY(store_open(PATH, &o, &w->store, &w->e));
	TRY(store_reader_open(w->store, &w->reader, &w->e));
	if (w->careless) {
		struct tx *tx;
		TRY(store_write_begin(w->store, &tx, &w->e));
		struct conn *c = tx->conn;
		store_write_rollback(tx);
		return conn_exec(c, "PRAGMA synchronous = OFF", &w->e);
	}
	return RC_OK;
}

/* -- work ---------------------------------------------------------------------------------------- */

static inline const char *verb_name(struct world *w, int group, int verb)
{
	return arena_printf(w->a, "/group/%d/verb/%d", group, verb);
}

static inline troth_rc verb_run(struct world *w, struct tx *tx, int group, int verb)
{
	int n = group * 10 + verb;
	struct credential_row c = { .uuid = arena_printf(w->a, "00000000-0000-4000-8000-%012d", n), .name = verb_name(w, group, verb),
		.key_type = "ec-p256", .spec = arena_printf(w->a, "{\"padding\":\"%0400d\"}", n), .rev = 1, .created = n };
	TRY(credential_row_insert(tx, &c, &w->e));
	TRY(event_append(tx, &(struct event_row){ .at = n, .kind = "credential.created", .object = c.name }, &w->e));
	TRY(audit_append(tx, &(struct audit_row){ .at = n, .who = "ada", .action = "credential.create", .object = c.name, .after = c.spec }, &w->e));
	ENSURE(verb != 1, &w->e, TROTH_INVALID, "the verb in the middle fails");
	return RC_OK;
}

static inline troth_rc group_run(struct world *w, struct tx *tx, int group)
{
	for (int verb = 0; verb < 3; verb++) {
		TRY(tx_savepoint(tx, &w->e));
		troth_rc rc = verb_run(w, tx, group, verb);
		if (rc_ok(rc))
			TRY(tx_release(tx, &w->e));
		else
			TRY(tx_rollback_to(tx, &w->e));
		if (rc_failed(rc) && rc.code != TROTH_INVALID)
			return rc;
	}
	return RC_OK;
}

static inline troth_rc world_group(struct world *w)
{
	struct tx *tx;
	int group = w->next++;
	assert_true(group < WORLD_GROUPS_MAX);
	TRY(store_write_begin(w->store, &tx, &w->e));
	troth_rc rc = group_run(w, tx, group);
	if (rc_failed(rc)) {
		store_write_rollback(tx);
		return rc;
	}
	TRY(store_write_commit(tx, &w->e));
	w->answered[group] = true;
	return RC_OK;
}

static inline troth_rc world_read(struct world *w)
{
	struct tx *tx;
	int64_t seq;
	TRY(store_read_begin(w->reader, &tx, &w->e));
	troth_rc rc = event_last_seq(tx, &seq, &w->e);
	store_read_end(tx);
	return rc;
}

/* All groups, a reader beside them, until the first failure; closes. */
static inline troth_rc world_run(struct world *w)
{
	troth_rc rc = world_open(w);
	for (int i = 0; i < WORLD_GROUPS && rc_ok(rc); i++) {
		rc = world_group(w);
		if (rc_ok(rc))
			rc = world_read(w);
		arena_reset(w->a);
	}
	world_close(w);
	return rc;
}

/* -- the promise ------------------------------------------------------------------------------------ */

static inline int64_t world_count(struct world *w, struct tx *tx, const char *sql)
{
	int64_t n = 0;
	MUST(migrate_number(tx->conn, sql, &n, &w->e));
	return n;
}

static inline bool verb_exists(struct world *w, struct tx *tx, int group, int verb)
{
	struct credential_row row;
	troth_rc rc = credential_row_by_name(tx, w->a, verb_name(w, group, verb), &row, &w->e);
	if (rc.code != TROTH_NOT_FOUND)
		MUST(rc);
	return rc_ok(rc);
}

/* True when all that was promised holds; says what does not. */
static inline bool world_holds(struct world *w, struct tx *tx)
{
	struct audit_check audit;
	int present = 0;
	for (int g = 0; g < w->next; g++) {
		bool first = verb_exists(w, tx, g, 0), last = verb_exists(w, tx, g, 2);
		if (first != last || verb_exists(w, tx, g, 1) || (w->answered[g] && !first))
			return false;
		present += first;
	}
	MUST(audit_verify(tx, NULL, NULL, &audit, &w->e));
	return audit.holds && audit.rows == 2 * present && world_count(w, tx, "SELECT count(*) FROM event") == 2 * present &&
	       world_count(w, tx, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'") == 0 &&
	       world_count(w, tx, "SELECT count(*) FROM pragma_foreign_key_check") == 0;
}

/* Opens again (a rebooted disk, or a healed one), asks, and lets it work on. */
static inline void world_check(struct world *w)
{
	struct tx *tx;
	MUST(world_open(w));
	MUST(store_read_begin(w->reader, &tx, &w->e));
	assert_true(world_holds(w, tx));
	store_read_end(tx);
	MUST(world_group(w));
	MUST(store_read_begin(w->reader, &tx, &w->e));
	assert_true(world_holds(w, tx));
	store_read_end(tx);
	world_close(w);
}

#endif
