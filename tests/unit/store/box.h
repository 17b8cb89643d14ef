/* What every test of the store needs: a store in a directory of its own, a writer transaction, an
 * arena, and rows of each noun that other rows can hang on to. */
#ifndef TEST_STORE_BOX_H
#define TEST_STORE_BOX_H

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/text.h"
#include "store/stmt.h"

struct box {
	char dir[64], path[96];
	struct store *store;
	struct arena *a;
	struct troth_err e;
};

/* Prints the error when a call that must work fails. */
#define OK(call)                                                                                   \
	do {                                                                                       \
		troth_rc ok_rc_ = (call);                                                          \
		if (rc_failed(ok_rc_))                                                             \
			fail_msg("%s: %s (%s)", #call, b->e.primary, b->e.detail);                 \
	} while (0)
#define FAILS(kind, call) assert_int_equal((call).code, (kind))

static inline void box_open(struct box *b)
{
	OK(store_open(b->path, NULL, &b->store, &b->e));
}

static inline int box_setup(void **state)
{
	struct box *b = calloc(1, sizeof *b);
	*state = b;
	snprintf(b->dir, sizeof b->dir, "/tmp/troth-store-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->path, sizeof b->path, "%s/troth.db", b->dir);
	b->a = arena_new(64 << 20);
	box_open(b);
	return 0;
}

static inline void dir_remove(const char *dir)
{
	DIR *d = opendir(dir);
	char path[512];
	for (struct dirent *entry; d && (entry = readdir(d));) {
		snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
		unlink(path);
	}
	if (d)
		closedir(d);
	rmdir(dir);
}

static inline struct tx *box_write(struct box *b)
{
	struct tx *tx;
	OK(store_write_begin(b->store, &tx, &b->e));
	return tx;
}

/* Read whole on purpose: waits are replaced by each step, another has a row a table, and a value that was given is no table. */
static inline bool scan_is_fine(const char *step)
{
	return strcmp(step, "SCAN wait") == 0 || strncmp(step, "SCAN json_each ", 15) == 0 || strcmp(step, "SCAN sqlite_sequence") == 0;
}

/* Fails when the planner reads a whole table for `sql`.  Walking an index in its order is fine. */
static inline void plan_check(sqlite3 *db, const char *sql)
{
	char *explain = sqlite3_mprintf("EXPLAIN QUERY PLAN %s", sql);
	sqlite3_stmt *st;
	if (sqlite3_prepare_v2(db, explain, -1, &st, NULL) != SQLITE_OK)
		st = NULL; /* a table that the test made and rolled back */
	while (st && sqlite3_step(st) == SQLITE_ROW) {
		const char *step = (const char *)sqlite3_column_text(st, 3);
		bool scan = strncmp(step, "SCAN ", 5) == 0 && !strstr(step, "USING ") && !strstr(step, "CONSTANT") && !strstr(sql, "LIMIT 1");
		if (scan && !scan_is_fine(step))
			fail_msg("no index for: %s (%s)", sql, step);
	}
	sqlite3_finalize(st);
	sqlite3_free(explain);
}

/* Each test also shows that every query it used has an index. */
static inline void box_check_plans(struct box *b)
{
	if (!b->store)
		return;
	struct tx *tx = box_write(b);
	for (sqlite3_stmt *st = NULL; (st = sqlite3_next_stmt(tx->conn->db, st));) {
		const char *sql = sqlite3_sql(st);
		if (strncmp(sql, "SELECT", 6) == 0 || strncmp(sql, "UPDATE", 6) == 0 || strncmp(sql, "DELETE", 6) == 0)
			plan_check(tx->conn->db, sql);
	}
	store_write_rollback(tx);
}

static inline int box_teardown(void **state)
{
	struct box *b = *state;
	box_check_plans(b);
	store_close(b->store);
	arena_free(b->a);
	dir_remove(b->dir);
	free(b);
	return 0;
}

static inline void box_commit(struct box *b, struct tx *tx) { OK(store_write_commit(tx, &b->e)); }

/* A uuid or a 32-byte hash made of a number. */
static inline const char *uuid_of(struct box *b, int n)
{
	return arena_printf(b->a, "00000000-0000-4000-8000-%012d", n);
}

static inline struct bytes hash_of(struct box *b, int n)
{
	uint8_t *h = arena_alloc(b->a, SHA256_LEN);
	h[0] = (uint8_t)(n >> 8);
	h[1] = (uint8_t)n;
	h[31] = 1;
	return bytes_of(h, SHA256_LEN);
}

/* -- rows to hang on to; each returns the id ------------------------------------------------ */

static inline int64_t add_credential(struct box *b, struct tx *tx, int n, enum credential_kind kind)
{
	struct credential_row row = { .uuid = uuid_of(b, n), .name = arena_printf(b->a, "/test/%d", n), .kind = kind,
		.key_type = "ec-p256", .ca_ttl = 10 * MSEC_DAY, .leaf_ttl = MSEC_DAY, .rev = 1, .created = 1000 };
	OK(credential_row_insert(tx, &row, &b->e));
	return row.id;
}

static inline int64_t add_cert(struct box *b, struct tx *tx, int n)
{
	struct cert_row row = { .fingerprint = hash_of(b, n), .der = bytes_of_text("der"), .subject = "CN=x", .issuer = "CN=y",
		.serial = "01", .subject_key = hash_of(b, n / 10), .spki_hash = hash_of(b, n / 10), .not_before = 1, .not_after = 9,
		.is_ca = true };
	OK(cert_row_put(tx, &row, &b->e));
	return row.id;
}

static inline int64_t add_version(struct box *b, struct tx *tx, int n, int64_t credential_id)
{
	struct version_row row = { .uuid = uuid_of(b, n), .credential_id = credential_id, .cert_id = add_cert(b, tx, n),
		.source = VERSION_GENERATED, .wanted = true, .created = 1000 };
	OK(version_row_insert(tx, &row, &b->e));
	return row.id;
}

static inline int64_t add_content(struct box *b, struct tx *tx, int n)
{
	int64_t ids[] = { add_cert(b, tx, n) };
	struct content_row row = { .kind = CONTENT_SET, .certs = { ids, 1 } };
	OK(content_row_put(tx, &row, &b->e));
	return row.id;
}

static inline int64_t add_deployment(struct box *b, struct tx *tx, int n)
{
	struct deployment_row row = { .uuid = uuid_of(b, n), .name = arena_printf(b->a, "deployment-%d", n), .created = 1000 };
	OK(deployment_row_insert(tx, &row, &b->e));
	return row.id;
}

static inline int64_t add_template(struct box *b, struct tx *tx, int n, int64_t deployment_id, enum target_kind kind)
{
	struct template_row row = { .uuid = uuid_of(b, n), .deployment_id = deployment_id, .kind = kind,
		.name = arena_printf(b->a, "template-%d", n), .profile = "nginx", .created = 1000 };
	OK(template_row_insert(tx, &row, &b->e));
	return row.id;
}

static inline int64_t add_instance(struct box *b, struct tx *tx, int n, int64_t deployment_id)
{
	struct instance_row row = { .uuid = uuid_of(b, n), .deployment_id = deployment_id,
		.name = arena_printf(b->a, "instance-%d", n), .identity_fingerprint = hash_of(b, n), .created = 1000 };
	OK(instance_row_insert(tx, &row, &b->e));
	return row.id;
}

/* A target with all above it: deployment n, template n, instance n. */
static inline int64_t add_target(struct box *b, struct tx *tx, int n)
{
	int64_t deployment = add_deployment(b, tx, n);
	struct target_row row = { .uuid = uuid_of(b, n), .template_id = add_template(b, tx, n, deployment, TARGET_STORE),
		.instance_id = add_instance(b, tx, n, deployment), .next_generation = 1, .created = 1000 };
	OK(target_row_insert(tx, &row, &b->e));
	return row.id;
}

#define BOX_TEST(function) cmocka_unit_test_setup_teardown(function, box_setup, box_teardown)

#endif
