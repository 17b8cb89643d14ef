/* The disk of sim/vfs.h.  A node is a file: `live` is what a reader sees, `safe` is what survives for
 * certain, and the journal between them lists the writes and truncations since the last sync.  A
 * sync moves the journal into `safe`; a crash plays a random part of it.
 *
 * The locks are SQLite's five levels on the main file and its eight shared-memory locks for WAL, by
 * the rules of SQLite's own os_unix.c, without processes: handles of one node look at each other. */
#include "vfs.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum {
	SECTOR = 512,
	PATH_BYTES = 256,
	SHM_REGIONS = 64, /* 2 MiB of WAL index: 250,000 frames */
};

struct image {
	uint8_t *data;
	int64_t len, cap;
};

struct change { /* a write, or (data NULL) a truncation to `offset` */
	uint8_t *data;
	int64_t offset, len;
	struct change *next;
};

struct node {
	char path[PATH_BYTES];
	struct image live, safe;
	struct change *journal, **journal_end;
	bool named; /* the directory entry survives a crash */
	bool removed; /* unlinked: goes with its last handle */
	struct handle *handles;
	void *shm[SHM_REGIONS];
	struct node *next;
};

struct handle {
	sqlite3_file base; /* must be first: SQLite sees only this */
	struct sim_vfs *vfs;
	struct node *node;
	int level;                   /* SQLITE_LOCK_ */
	unsigned shm_shared, shm_exclusive; /* bits */
	uint64_t boot;               /* of the open; dead after a crash */
	struct handle *next;
};

struct fault {
	int64_t at; /* value of the counter; 0 none */
	int code;
	bool stays, crash;
};

struct saved { char path[PATH_BYTES]; struct image image; struct saved *next; };

struct sim_vfs {
	sqlite3_vfs base;
	uint64_t random, boot;
	int64_t counts[SIM_OP_MAX + 1], capacity;
	struct fault faults[SIM_OP_MAX + 1];
	bool crashed;
	struct node *nodes;
	struct saved *saved; /* the backup */
};

static uint64_t draw(struct sim_vfs *v) /* splitmix64: the same seed, the same disk */
{
	uint64_t z = (v->random += UINT64_C(0x9e3779b97f4a7c15));
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* -- images and journals ---------------------------------------------------------------------------- */

static void image_resize(struct image *m, int64_t len)
{
	if (len > m->cap) {
		int64_t cap = m->cap ? m->cap : 4096;
		while (cap < len)
			cap *= 2;
		m->data = realloc(m->data, (size_t)cap);
		CHECK(m->data);
		m->cap = cap;
	}
	if (len > m->len)
		memset(m->data + m->len, 0, (size_t)(len - m->len));
	m->len = len;
}

static void image_write(struct image *m, const uint8_t *data, int64_t offset, int64_t len)
{
	if (offset + len > m->len)
		image_resize(m, offset + len);
	if (len)
		memcpy(m->data + offset, data, (size_t)len);
}

static void image_copy(struct image *to, const struct image *from)
{
	to->len = 0;
	image_resize(to, from->len);
	image_write(to, from->data, 0, from->len);
}

static void journal_add(struct node *n, const void *data, int64_t offset, int64_t len)
{
	struct change *c = calloc(1, sizeof *c);
	CHECK(c);
	*c = (struct change){ .offset = offset, .len = len };
	if (data) {
		c->data = malloc((size_t)len);
		CHECK(c->data);
		memcpy(c->data, data, (size_t)len);
	}
	*n->journal_end = c;
	n->journal_end = &c->next;
}

static void journal_clear(struct node *n)
{
	while (n->journal) {
		struct change *c = n->journal;
		n->journal = c->next;
		free(c->data);
		free(c);
	}
	n->journal_end = &n->journal;
}

static void change_apply(struct image *m, const struct change *c)
{
	if (c->data)
		image_write(m, c->data, c->offset, c->len);
	else
		image_resize(m, c->offset);
}

static void node_sync(struct node *n)
{
	for (struct change *c = n->journal; c; c = c->next)
		change_apply(&n->safe, c);
	journal_clear(n);
	n->named = true;
}

/* Some sectors of the write arrive, some stay old, now and then one is garbage. */
static void change_tear(struct sim_vfs *v, struct image *m, const struct change *c)
{
	for (int64_t at = 0; at < c->len; at += SECTOR) {
		int64_t len = c->len - at < SECTOR ? c->len - at : SECTOR;
		uint64_t dice = draw(v) % 8;
		if (dice < 4)
			image_write(m, c->data + at, c->offset + at, len);
		else if (dice == 4)
			for (int64_t i = 0; i < len; i++) {
				uint8_t garbage = (uint8_t)draw(v);
				image_write(m, &garbage, c->offset + at + i, 1);
			}
	}
}

static void node_reboot(struct sim_vfs *v, struct node *n)
{
	for (struct change *c = n->journal; c; c = c->next) {
		uint64_t dice = draw(v) % 3;
		if (dice == 0)
			change_apply(&n->safe, c);
		else if (dice == 1 && c->data)
			change_tear(v, &n->safe, c);
	}
	journal_clear(n);
	image_copy(&n->live, &n->safe);
	for (int i = 0; i < SHM_REGIONS; i++) {
		free(n->shm[i]);
		n->shm[i] = NULL;
	}
}

/* -- nodes ---------------------------------------------------------------------------------------------- */

static struct node *node_find(struct sim_vfs *v, const char *path)
{
	for (struct node *n = v->nodes; n; n = n->next)
		if (!n->removed && strcmp(n->path, path) == 0)
			return n;
	return NULL;
}

static struct node *node_add(struct sim_vfs *v, const char *path)
{
	struct node *n = calloc(1, sizeof *n);
	CHECK(n && strlen(path) < PATH_BYTES);
	memcpy(n->path, path, strlen(path) + 1);
	n->journal_end = &n->journal;
	image_resize(&n->live, 1); /* an empty file has bytes to point at, too */
	image_resize(&n->live, 0);
	n->next = v->nodes;
	v->nodes = n;
	return n;
}

static void node_free(struct sim_vfs *v, struct node *n)
{
	struct node **at = &v->nodes;
	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	journal_clear(n);
	for (int i = 0; i < SHM_REGIONS; i++)
		free(n->shm[i]);
	free(n->live.data);
	free(n->safe.data);
	free(n);
}

static void node_remove(struct sim_vfs *v, struct node *n)
{
	n->removed = true;
	if (!n->handles)
		node_free(v, n);
}

/* -- faults ------------------------------------------------------------------------------------------------ */

static bool fault_due(const struct fault *f, int64_t count)
{
	return f->at && (count == f->at || (count > f->at && f->stays));
}

/* Counts the call; a code other than SQLITE_OK says that it fails (`otherwise`: with a dead machine). */
static int op_enter(struct sim_vfs *v, enum sim_op op, int otherwise)
{
	if (v->crashed)
		return otherwise;
	v->counts[op]++;
	v->counts[SIM_ANY]++;
	const struct fault *f = &v->faults[op];
	if (!fault_due(f, v->counts[op]))
		f = &v->faults[SIM_ANY];
	if (!fault_due(f, v->counts[f - v->faults]))
		return SQLITE_OK;
	v->crashed = f->crash;
	return f->crash ? otherwise : f->code;
}

static bool dead(const struct handle *h) { return h->vfs->crashed || h->boot != h->vfs->boot; }

/* -- file methods --------------------------------------------------------------------------------------------- */

static struct handle *handle_of(sqlite3_file *f) { return (struct handle *)(void *)f; }

static int file_close(sqlite3_file *f)
{
	struct handle *h = handle_of(f);
	struct handle **at = &h->node->handles;
	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
	if (h->node->removed && !h->node->handles)
		node_free(h->vfs, h->node);
	return SQLITE_OK;
}

static int file_read(sqlite3_file *f, void *out, int len, sqlite3_int64 offset)
{
	struct handle *h = handle_of(f);
	if (dead(h))
		return SQLITE_IOERR_READ;
	int code = op_enter(h->vfs, SIM_READ, SQLITE_IOERR_READ);
	if (code != SQLITE_OK)
		return code;
	int64_t have = h->node->live.len - offset;
	have = have < 0 ? 0 : have > len ? len : have;
	if (have)
		memcpy(out, h->node->live.data + offset, (size_t)have);
	memset((char *)out + have, 0, (size_t)(len - have));
	return have == len ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *f, const void *data, int len, sqlite3_int64 offset)
{
	struct handle *h = handle_of(f);
	if (dead(h))
		return SQLITE_IOERR_WRITE;
	int code = op_enter(h->vfs, SIM_WRITE, SQLITE_IOERR_WRITE);
	int64_t grows = offset + len - h->node->live.len;
	if (code == SQLITE_OK && grows > 0 && h->vfs->capacity && sim_vfs_used(h->vfs) + grows > h->vfs->capacity)
		return SQLITE_FULL;
	if (code == SQLITE_OK || h->vfs->crashed) {
		journal_add(h->node, data, offset, len);
		image_write(&h->node->live, data, offset, len);
	}
	return code;
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 len)
{
	struct handle *h = handle_of(f);
	if (dead(h))
		return SQLITE_IOERR_TRUNCATE;
	int code = op_enter(h->vfs, SIM_TRUNCATE, SQLITE_IOERR_TRUNCATE);
	if (code == SQLITE_OK || h->vfs->crashed) {
		journal_add(h->node, NULL, len, 0);
		image_resize(&h->node->live, len);
	}
	return code;
}

static int file_sync(sqlite3_file *f, int flags)
{
	struct handle *h = handle_of(f);
	(void)flags; /* every sync is a full one */
	if (dead(h))
		return SQLITE_IOERR_FSYNC;
	int code = op_enter(h->vfs, SIM_SYNC, SQLITE_IOERR_FSYNC);
	if (code == SQLITE_OK)
		node_sync(h->node);
	return code;
}

static int file_size(sqlite3_file *f, sqlite3_int64 *ret)
{
	struct handle *h = handle_of(f);
	if (dead(h))
		return SQLITE_IOERR_FSTAT;
	*ret = h->node->live.len;
	return SQLITE_OK;
}

static int file_control(sqlite3_file *f, int op, void *arg)
{
	(void)f, (void)op, (void)arg;
	return SQLITE_NOTFOUND;
}

static int file_sector_size(sqlite3_file *f)
{
	(void)f;
	return SECTOR;
}

/* Bytes beside a torn write stay as they were; nothing else is promised. */
static int file_characteristics(sqlite3_file *f)
{
	(void)f;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* -- locks of the main file -------------------------------------------------------------------------------------- */

static int highest_other(const struct handle *h)
{
	int level = SQLITE_LOCK_NONE;
	for (const struct handle *o = h->node->handles; o; o = o->next)
		if (o != h && o->level > level)
			level = o->level;
	return level;
}

static int file_lock(sqlite3_file *f, int level)
{
	struct handle *h = handle_of(f);
	if (dead(h))
		return SQLITE_IOERR_LOCK;
	if (h->level >= level)
		return SQLITE_OK;
	int other = highest_other(h);
	if (other >= SQLITE_LOCK_PENDING || (level >= SQLITE_LOCK_RESERVED && other >= SQLITE_LOCK_RESERVED))
		return SQLITE_BUSY;
	if (level == SQLITE_LOCK_EXCLUSIVE && other >= SQLITE_LOCK_SHARED) {
		h->level = SQLITE_LOCK_PENDING;
		return SQLITE_BUSY;
	}
	h->level = level;
	return SQLITE_OK;
}

static int file_unlock(sqlite3_file *f, int level)
{
	struct handle *h = handle_of(f);
	if (h->level > level)
		h->level = level;
	return SQLITE_OK;
}

static int file_check_reserved(sqlite3_file *f, int *ret)
{
	struct handle *h = handle_of(f);
	*ret = h->level >= SQLITE_LOCK_RESERVED || highest_other(h) >= SQLITE_LOCK_RESERVED;
	return dead(h) ? SQLITE_IOERR_CHECKRESERVEDLOCK : SQLITE_OK;
}

/* -- shared memory of WAL -------------------------------------------------------------------------------------------- */

static int shm_map(sqlite3_file *f, int region, int size, int extend, void volatile **ret)
{
	struct handle *h = handle_of(f);
	*ret = NULL;
	if (dead(h) || region >= SHM_REGIONS)
		return SQLITE_IOERR_SHMMAP;
	if (!h->node->shm[region] && extend) {
		h->node->shm[region] = calloc(1, (size_t)size);
		CHECK(h->node->shm[region]);
	}
	*ret = h->node->shm[region];
	return SQLITE_OK;
}

static int shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
	struct handle *h = handle_of(f);
	unsigned mask = (unsigned)(((1 << n) - 1) << offset);
	bool exclusive = flags & SQLITE_SHM_EXCLUSIVE;
	if (flags & SQLITE_SHM_UNLOCK) {
		*(exclusive ? &h->shm_exclusive : &h->shm_shared) &= ~mask;
		return SQLITE_OK;
	}
	if (dead(h))
		return SQLITE_IOERR_SHMLOCK;
	for (struct handle *o = h->node->handles; o; o = o->next)
		if (o != h && ((o->shm_exclusive & mask) || (exclusive && (o->shm_shared & mask))))
			return SQLITE_BUSY;
	*(exclusive ? &h->shm_exclusive : &h->shm_shared) |= mask;
	return SQLITE_OK;
}

static void shm_barrier(sqlite3_file *f) { (void)f; }

static int shm_unmap(sqlite3_file *f, int delete)
{
	struct handle *h = handle_of(f);
	h->shm_shared = h->shm_exclusive = 0;
	for (int i = 0; delete && i < SHM_REGIONS; i++) {
		free(h->node->shm[i]);
		h->node->shm[i] = NULL;
	}
	return SQLITE_OK;
}

static const sqlite3_io_methods METHODS = {
	.iVersion = 2,
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_check_reserved,
	.xFileControl = file_control,
	.xSectorSize = file_sector_size,
	.xDeviceCharacteristics = file_characteristics,
	.xShmMap = shm_map,
	.xShmLock = shm_lock,
	.xShmBarrier = shm_barrier,
	.xShmUnmap = shm_unmap,
};

/* -- VFS methods -------------------------------------------------------------------------------------------------------- */

static struct sim_vfs *vfs_of(sqlite3_vfs *v) { return v->pAppData; }

static int vfs_open(sqlite3_vfs *base, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
	struct sim_vfs *v = vfs_of(base);
	struct handle *h = handle_of(f);
	memset(h, 0, sizeof *h);
	int code = op_enter(v, SIM_OPEN, SQLITE_CANTOPEN);
	if (code != SQLITE_OK)
		return code;
	struct node *n = name ? node_find(v, name) : NULL;
	if (!n && name && !(flags & SQLITE_OPEN_CREATE))
		return SQLITE_CANTOPEN;
	if (!n)
		n = node_add(v, name ? name : "(temporary)");
	n->removed = n->removed || !name || (flags & SQLITE_OPEN_DELETEONCLOSE);
	*h = (struct handle){ .base.pMethods = &METHODS, .vfs = v, .node = n, .boot = v->boot, .next = n->handles };
	n->handles = h;
	if (ret_flags)
		*ret_flags = flags;
	return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *base, const char *name, int sync_dir)
{
	struct sim_vfs *v = vfs_of(base);
	int code = op_enter(v, SIM_DELETE, SQLITE_IOERR_DELETE);
	struct node *n = node_find(v, name);
	(void)sync_dir; /* a deletion is durable at once: SQLite must not rely on the opposite either */
	if (code != SQLITE_OK)
		return code;
	if (!n)
		return SQLITE_IOERR_DELETE_NOENT;
	node_remove(v, n);
	return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *base, const char *name, int flags, int *ret)
{
	struct sim_vfs *v = vfs_of(base);
	struct node *n = node_find(v, name);
	if (v->crashed)
		return SQLITE_IOERR_ACCESS;
	*ret = n && (flags != SQLITE_ACCESS_EXISTS || n->live.len > 0); /* as os_unix: an empty file does not exist */
	return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *base, const char *name, int size, char *out)
{
	(void)base;
	if (strlen(name) >= (size_t)size)
		return SQLITE_CANTOPEN;
	memcpy(out, name, strlen(name) + 1);
	return SQLITE_OK;
}

static int vfs_randomness(sqlite3_vfs *base, int len, char *out)
{
	for (int i = 0; i < len; i++)
		out[i] = (char)draw(vfs_of(base));
	return len;
}

static int vfs_sleep(sqlite3_vfs *base, int us)
{
	(void)base;
	return us;
}

static int vfs_now(sqlite3_vfs *base, sqlite3_int64 *ret)
{
	(void)base;
	*ret = INT64_C(212000000000000);
	return SQLITE_OK;
}

static int vfs_now_double(sqlite3_vfs *base, double *ret)
{
	(void)base;
	*ret = 2453737.0;
	return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *base, int size, char *out)
{
	(void)base, (void)size, (void)out;
	return 0;
}

/* -- the door ---------------------------------------------------------------------------------------------------------------- */

struct sim_vfs *sim_vfs_new(const char *name, uint64_t seed)
{
	struct sim_vfs *v = calloc(1, sizeof *v);
	CHECK(v);
	v->random = seed;
	v->base = (sqlite3_vfs){ .iVersion = 2, .szOsFile = sizeof(struct handle), .mxPathname = PATH_BYTES - 1, .zName = name,
		.pAppData = v, .xOpen = vfs_open, .xDelete = vfs_delete, .xAccess = vfs_access, .xFullPathname = vfs_full_path,
		.xRandomness = vfs_randomness, .xSleep = vfs_sleep, .xCurrentTime = vfs_now_double, .xGetLastError = vfs_last_error,
		.xCurrentTimeInt64 = vfs_now };
	CHECK(sqlite3_vfs_register(&v->base, 0) == SQLITE_OK);
	return v;
}

/* -- backups -------------------------------------------------------------------------------------------- */
static void saved_free(struct sim_vfs *v)
{
	for (struct saved *next; v->saved; v->saved = next) {
		next = v->saved->next;
		free(v->saved->image.data);
		free(v->saved);
	}
}

void sim_vfs_save(struct sim_vfs *v)
{
	saved_free(v);
	for (const struct node *n = v->nodes; n; n = n->next) {
		if (n->removed)
			continue;
		struct saved *x = calloc(1, sizeof *x);
		CHECK(x);
		memcpy(x->path, n->path, sizeof x->path);
		image_copy(&x->image, &n->live);
		x->next = v->saved;
		v->saved = x;
	}
}

bool sim_vfs_has_saved(const struct sim_vfs *v) { return v->saved != NULL; }

void sim_vfs_restore(struct sim_vfs *v)
{
	CHECK(v->saved);
	for (struct node *n = v->nodes, *next; n; n = next) {
		next = n->next;
		CHECK(!n->handles);
		node_free(v, n);
	}
	for (const struct saved *x = v->saved; x; x = x->next)
		image_copy(&node_add(v, x->path)->live, &x->image);
	sim_vfs_keep_live(v);
	v->crashed = false;
	v->boot++;
}

void sim_vfs_free(struct sim_vfs *v)
{
	if (!v)
		return;
	saved_free(v);
	sqlite3_vfs_unregister(&v->base);
	while (v->nodes) {
		CHECK(!v->nodes->handles);
		node_free(v, v->nodes);
	}
	free(v);
}

int64_t sim_vfs_count(const struct sim_vfs *v, enum sim_op op) { return v->counts[op]; }

void sim_vfs_fail_at(struct sim_vfs *v, enum sim_op op, int64_t nth, int code, bool stays)
{
	v->faults[op] = (struct fault){ .at = v->counts[op] + nth, .code = code, .stays = stays };
}

void sim_vfs_crash_at(struct sim_vfs *v, enum sim_op op, int64_t nth)
{
	v->faults[op] = (struct fault){ .at = v->counts[op] + nth, .crash = true };
}

void sim_vfs_crash(struct sim_vfs *v) { v->crashed = true; }
void sim_vfs_heal(struct sim_vfs *v) { memset(v->faults, 0, sizeof v->faults); }
bool sim_vfs_crashed(const struct sim_vfs *v) { return v->crashed; }

void sim_vfs_keep_live(struct sim_vfs *v)
{
	for (struct node *n = v->nodes; n; n = n->next) {
		journal_clear(n);
		image_copy(&n->safe, &n->live);
		n->named = true;
	}
}

void sim_vfs_reboot(struct sim_vfs *v)
{
	for (struct node *n = v->nodes, *next; n; n = next) {
		next = n->next;
		if (n->removed)
			continue;
		node_reboot(v, n);
		if (!n->named && draw(v) % 2)
			node_remove(v, n);
	}
	sim_vfs_heal(v);
	v->crashed = false;
	v->boot++;
}

void sim_vfs_capacity(struct sim_vfs *v, int64_t bytes) { v->capacity = bytes; }
bool sim_vfs_limited(const struct sim_vfs *v) { return v->capacity != 0; }

int64_t sim_vfs_used(const struct sim_vfs *v)
{
	int64_t used = 0;
	for (const struct node *n = v->nodes; n; n = n->next)
		used += n->live.len;
	return used;
}

uint8_t *sim_vfs_file(struct sim_vfs *v, const char *path, size_t *ret_len)
{
	struct node *n = node_find(v, path);
	if (!n)
		return NULL;
	*ret_len = (size_t)n->live.len;
	return n->live.data;
}
