/* Opening and closing the file.  The order matters: first the lock (a second server must not even
 * look), then the checks that change nothing, then WAL, then the migrations.  PATH.lock is held by
 * flock for as long as the store is open; the kernel gives it back when the process dies. */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/text.h"
#include "store/migrate.h"
#include "store/tx.h"

struct store {
	struct conn writer;
	char path[PATH_MAX];
	char vfs[64];
	int busy_timeout_ms, checkpoint_pages;
	int lock_fd; /* -1: none */
};

struct store_reader {
	struct conn conn;
};

int store_schema_version(void)
{
	return MIGRATIONS[MIGRATION_COUNT - 1].number;
}

/* -- the lock and the file ---------------------------------------------------------------------- */

static troth_rc lock_take(const char *path, int *ret_fd, struct troth_err *e)
{
	char lock[PATH_MAX];
	ENSURE((size_t)snprintf(lock, sizeof lock, "%s.lock", path) < sizeof lock, e, TROTH_INVALID, "the store's path is too long");
	int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(e, errno, "could not open the store's lock \"%s\"", lock);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		*ret_fd = fd;
		return RC_OK;
	}
	int err_no = errno;
	close(fd);
	if (err_no != EWOULDBLOCK)
		return err_errno(e, err_no, "could not lock the store \"%s\"", lock);
	troth_rc rc = err_set(e, TROTH_CONFLICT, "another troth server uses the store \"%s\"", path);
	err_hint(e, "one server per store: stop the other one, or use another directory");
	return rc;
}

/* SQLite would make the file 0644; it holds wrapped keys.  The WAL inherits the mode. */
static troth_rc file_make(const char *path, bool must_exist, struct troth_err *e)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | (must_exist ? 0 : O_CREAT), 0600);
	if (fd >= 0) {
		close(fd);
		return RC_OK;
	}
	int err_no = errno;
	troth_rc rc = err_errno(e, err_no, "could not open the store \"%s\"", path);
	err_hint(e, err_no == ENOENT && must_exist ? "make it with `troth init`" : "check that the directory exists and is writable");
	return rc;
}

/* -- the store ------------------------------------------------------------------------------------ */

static troth_rc wal_set(struct conn *c, struct troth_err *e)
{
	int64_t is_wal;
	TRY(conn_exec(c, "PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = 67108864;", e));
	TRY(migrate_number(c, "SELECT journal_mode = 'wal' FROM pragma_journal_mode", &is_wal, e));
	ENSURE(is_wal, e, TROTH_UNAVAILABLE, "the file system of the store cannot do WAL");
	return RC_OK;
}

static troth_rc store_start(struct store *s, bool must_exist, struct troth_err *e)
{
	const char *vfs = s->vfs[0] ? s->vfs : NULL;
	if (!vfs) {
		TRY(lock_take(s->path, &s->lock_fd, e));
		TRY(file_make(s->path, must_exist, e));
	}
	int flags = SQLITE_OPEN_READWRITE | (must_exist ? 0 : SQLITE_OPEN_CREATE);
	TRY(conn_open(&s->writer, s->path, flags, vfs, s->busy_timeout_ms, e));
	TRY(migrate_check(&s->writer, MIGRATIONS, MIGRATION_COUNT, e));
	TRY(wal_set(&s->writer, e));
	if (s->checkpoint_pages)
		sqlite3_wal_autocheckpoint(s->writer.db, s->checkpoint_pages);
	return migrate_run(&s->writer, MIGRATIONS, MIGRATION_COUNT, e);
}

troth_rc store_open(const char *path, const struct store_options *options, struct store **ret_store,
		    struct troth_err *e)
{
	const struct store_options none = { 0 };
	const struct store_options *o = options ? options : &none;
	CLEANUP(store_closep) struct store *s = calloc(1, sizeof *s);
	ENSURE(s, e, TROTH_UNAVAILABLE, "no memory for the store");
	s->lock_fd = -1;
	s->busy_timeout_ms = o->busy_timeout_ms;
	s->checkpoint_pages = o->checkpoint_pages;
	bool fits = text_copy(s->path, sizeof s->path, path) && text_copy(s->vfs, sizeof s->vfs, o->vfs ? o->vfs : "");
	ENSURE(fits, e, TROTH_INVALID, "the store's path is too long");
	troth_rc rc = store_start(s, o->must_exist, e);
	if (rc_failed(rc)) {
		if (e && !e->object[0])
			err_object(e, "%s", path);
		return rc;
	}
	*ret_store = s;
	s = NULL;
	return RC_OK;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	CHECK(!s->writer.tx.open);
	conn_close(&s->writer);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	free(s);
}

void store_closep(struct store **s) { store_close(*s); }

troth_rc store_write_begin(struct store *s, struct tx **ret_tx, struct troth_err *e)
{
	return tx_begin(&s->writer, true, ret_tx, e);
}

/* -- readers ----------------------------------------------------------------------------------------- */

static troth_rc reader_open(const char *path, const char *vfs, int busy_timeout_ms, struct store_reader **ret, struct troth_err *e)
{
	struct store_reader *r = calloc(1, sizeof *r);
	ENSURE(r, e, TROTH_UNAVAILABLE, "no memory for a reader");
	troth_rc rc = conn_open(&r->conn, path, SQLITE_OPEN_READONLY, vfs, busy_timeout_ms, e);
	if (rc_failed(rc)) {
		store_reader_close(r);
		return rc;
	}
	*ret = r;
	return RC_OK;
}

troth_rc store_reader_open(struct store *s, struct store_reader **ret_reader, struct troth_err *e)
{
	return reader_open(s->path, s->vfs[0] ? s->vfs : NULL, s->busy_timeout_ms, ret_reader, e);
}

troth_rc store_reader_of_path(const char *path, int busy_timeout_ms, struct store_reader **ret, struct troth_err *e)
{
	return reader_open(path, NULL, busy_timeout_ms, ret, e);
}

struct conn *store_reader_conn(struct store_reader *r) { return &r->conn; }

void store_reader_close(struct store_reader *r)
{
	if (!r)
		return;
	CHECK(!r->conn.tx.open);
	conn_close(&r->conn);
	free(r);
}

void store_reader_closep(struct store_reader **r) { store_reader_close(*r); }

troth_rc store_read_begin(struct store_reader *r, struct tx **ret_tx, struct troth_err *e)
{
	return tx_begin(&r->conn, false, ret_tx, e);
}
