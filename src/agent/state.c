/* Reading and writing what the hand remembers; JSON, because people look at it too. */
#include "agent/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* -- whole files ----------------------------------------------------------------------------------- */

static troth_rc read_all(const struct store_dir *d, int fd, const char *name, struct buf *out, struct troth_err *e)
{
	uint8_t chunk[4096];
	troth_rc rc = RC_OK;
	for (;;) {
		ssize_t n = d->fs->read(d->fs->self, fd, chunk, sizeof chunk);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = err_errno(e, errno, "could not read \"%s\"", name);
		if (n <= 0)
			break;
		buf_add(out, chunk, (size_t)n);
	}
	secret_wipe(chunk, sizeof chunk);
	TRY(rc);
	ENSURE(buf_ok(out), e, TROTH_TOO_LARGE, "\"%s\" has more than %zu bytes", name, out->max);
	return RC_OK;
}

troth_rc store_read(const struct store_dir *d, const char *name, size_t max, struct buf *out, struct troth_err *e)
{
	int fd = d->fs->openat(d->fs->self, d->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	if (fd < 0)
		return err_errno(e, errno, "could not open \"%s\"", name);
	*out = buf_make_secret(max);
	troth_rc rc = read_all(d, fd, name, out, e);
	d->fs->close(d->fs->self, fd);
	if (rc_failed(rc))
		buf_release(out);
	return rc;
}

static troth_rc write_all(const struct store_dir *d, int fd, const char *name, struct bytes data, struct troth_err *e)
{
	for (size_t done = 0; done < data.len;) {
		ssize_t n = d->fs->write(d->fs->self, fd, data.data + done, data.len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_errno(e, n < 0 ? errno : EIO, "could not write \"%s\"", name);
		done += (size_t)n;
	}
	if (d->fs->fsync(d->fs->self, fd) != 0)
		return err_errno(e, errno, "could not sync \"%s\"", name);
	return RC_OK;
}

/* Syncs the directory that the name stands in. */
static troth_rc sync_parent(const struct store_dir *d, const char *name, struct troth_err *e)
{
	char parent[64];
	const char *slash = strchr(name, '/');
	snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - name) : 1, slash ? name : ".");
	int fd = d->fs->openat(d->fs->self, d->fd, parent, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return err_errno(e, errno, "could not open directory \"%s\"", parent);
	int rc = d->fs->fsync(d->fs->self, fd), err_no = errno;
	d->fs->close(d->fs->self, fd);
	if (rc != 0)
		return err_errno(e, err_no, "could not sync directory \"%s\"", parent);
	return RC_OK;
}

troth_rc store_write(const struct store_dir *d, const char *name, struct bytes data, struct troth_err *e)
{
	char tmp[160];
	ENSURE(snprintf(tmp, sizeof tmp, "%s.tmp", name) < (int)sizeof tmp, e, TROTH_INVALID, "name \"%.80s\" is too long", name);
	if (d->fs->unlinkat(d->fs->self, d->fd, tmp, 0) != 0 && errno != ENOENT) /* what a crash may have left */
		return err_errno(e, errno, "could not remove \"%s\"", tmp);
	int fd = d->fs->openat(d->fs->self, d->fd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_errno(e, errno, "could not create \"%s\"", tmp);
	troth_rc rc = write_all(d, fd, tmp, data, e);
	d->fs->close(d->fs->self, fd);
	TRY(rc);
	if (d->fs->renameat(d->fs->self, d->fd, tmp, d->fd, name) != 0)
		return err_errno(e, errno, "could not rename \"%s\"", tmp);
	return sync_parent(d, name, e);
}

troth_rc store_remove(const struct store_dir *d, const char *name, struct troth_err *e)
{
	if (d->fs->unlinkat(d->fs->self, d->fd, name, 0) != 0 && errno != ENOENT)
		return err_errno(e, errno, "could not remove \"%s\"", name);
	return RC_OK;
}

troth_rc store_make_dir(const struct store_dir *d, const char *name, struct troth_err *e)
{
	if (d->fs->mkdirat(d->fs->self, d->fd, name, 0700) != 0 && errno != EEXIST)
		return err_errno(e, errno, "could not make directory \"%s\"", name);
	return sync_parent(d, ".", e);
}

/* -- names -------------------------------------------------------------------------------------------- */

static const char *state_name(struct arena *a, const char *id) { return arena_printf(a, "targets/%s.json", id); }
const char *memory_crt_name(struct arena *a, const char *id, const char *dir) { return arena_printf(a, "targets/%s.%s.crt", id, dir); }
const char *memory_key_name(struct arena *a, const char *id, const char *dir) { return arena_printf(a, "targets/%s.%s.key", id, dir); }
const char *memory_request_name(struct arena *a, const char *request) { return arena_printf(a, "keys/%s.key", request); }

void memory_dir_name(int64_t generation, char out[STATE_DIR_BYTES])
{
	snprintf(out, STATE_DIR_BYTES, "v%lld", (long long)generation);
}

/* -- the index ------------------------------------------------------------------------------------------ */

troth_rc memory_index(const struct store_dir *d, struct arena *a, struct json_texts *ret_ids, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf b = { 0 };
	struct json_texts ids = { ARENA_ARRAY(a, const char *, LIMIT_TARGETS_PER_INSTANCE + 1), 0 };
	struct troth_err why = { 0 };
	troth_rc rc = store_read(d, "targets/index", 16 << 10, &b, &why);
	if (rc_failed(rc) && why.kind == TROTH_NOT_FOUND) {
		*ret_ids = ids;
		return RC_OK;
	}
	if (rc_failed(rc))
		return err_set(e, why.kind, "%s", why.primary);
	for (const char *p = buf_text(&b); *p && ids.count < LIMIT_TARGETS_PER_INSTANCE;) {
		size_t len = strcspn(p, "\n");
		const char *id = arena_text_n(a, p, len);
		ENSURE(uuid_valid(id), e, TROTH_CORRUPT, "targets/index holds \"%.40s\", which is no id", id);
		ids.items[ids.count++] = id;
		p += len;
		p += *p == '\n';
	}
	*ret_ids = ids;
	return RC_OK;
}

static troth_rc index_set(const struct store_dir *d, struct arena *a, const char *id, bool present, struct troth_err *e)
{
	struct json_texts ids;
	bool was = false;
	CLEANUP(buf_release) struct buf b = buf_make(16 << 10);
	TRY(memory_index(d, a, &ids, e));
	for (size_t i = 0; i < ids.count; i++) {
		was = was || text_equal(ids.items[i], id);
		if (present || !text_equal(ids.items[i], id))
			buf_printf(&b, "%s\n", ids.items[i]);
	}
	if (was == present)
		return RC_OK;
	ENSURE(!present || ids.count < LIMIT_TARGETS_PER_INSTANCE, e, TROTH_TOO_LARGE, "more than %d targets on one node",
	       LIMIT_TARGETS_PER_INSTANCE);
	if (present)
		buf_printf(&b, "%s\n", id);
	return store_write(d, "targets/index", buf_bytes(&b), e);
}

/* -- writing -------------------------------------------------------------------------------------------------- */

static const char *const PHASES[] = { [PHASE_SETTLED] = "settled", [PHASE_APPLYING] = "applying", [PHASE_BACKING] = "backing" };

static void put_texts(struct json_writer *w, const char *key, const struct json_texts *texts)
{
	jw_key(w, key);
	jw_array(w);
	for (size_t i = 0; i < texts->count; i++)
		jw_text(w, texts->items[i]);
	jw_array_end(w);
}

static void put_version(struct json_writer *w, const char *key, const struct version *v)
{
	jw_key(w, key);
	jw_object(w);
	jw_kv_int(w, "generation", v->generation);
	jw_kv_text(w, "dir", v->dir);
	put_texts(w, "fingerprints", &v->fingerprints);
	jw_object_end(w);
}

static void put_memory(struct json_writer *w, const struct target_memory *m)
{
	jw_object(w);
	jw_kv_text(w, "id", m->id);
	jw_kv_text(w, "name", m->name);
	jw_kv_text(w, "profile", m->profile);
	jw_kv_int(w, "kind", m->kind);
	jw_kv_int(w, "role", m->role);
	jw_key(w, "parameters");
	jw_object(w);
	for (size_t i = 0; i < m->parameter_count; i++)
		jw_kv_text(w, m->parameters[i].name, m->parameters[i].value);
	jw_object_end(w);
	jw_kv_text(w, "epoch", m->epoch);
	jw_kv_text(w, "phase", PHASES[m->phase]);
	jw_kv_int(w, "high_water", m->high_water);
	put_version(w, "loaded", &m->loaded);
	put_version(w, "doing", &m->doing);
	jw_kv_text(w, "reason", m->reason);
	put_texts(w, "distrusted", &m->distrusted);
	put_texts(w, "old", &m->old);
	put_texts(w, "found_fingerprints", &m->found_fingerprints);
	jw_kv_text(w, "found_text", m->found_text);
	jw_object_end(w);
}

troth_rc memory_write(const struct store_dir *d, struct arena *a, const struct target_memory *m, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf b = buf_make(STATE_FILE_BYTES);
	struct json_writer w = json_writer_make(&b);
	put_memory(&w, m);
	ENSURE(buf_ok(&b), e, TROTH_TOO_LARGE, "the state of target %s is too large", m->name);
	TRY(index_set(d, a, m->id, true, e));
	return store_write(d, state_name(a, m->id), buf_bytes(&b), e);
}

troth_rc memory_forget(const struct store_dir *d, struct arena *a, const struct target_memory *m, struct troth_err *e)
{
	TRY(store_remove(d, state_name(a, m->id), e));
	const char *dirs[2] = { m->loaded.dir, m->doing.dir };
	for (size_t i = 0; i < 2 + m->old.count; i++) {
		const char *dir = i < 2 ? dirs[i] : m->old.items[i - 2];
		if (!dir[0])
			continue;
		TRY(store_remove(d, memory_crt_name(a, m->id, dir), e));
		TRY(store_remove(d, memory_key_name(a, m->id, dir), e));
	}
	TRY(store_remove(d, arena_printf(a, "targets/%s.csrs", m->id), e));
	return index_set(d, a, m->id, false, e);
}

/* -- reading ---------------------------------------------------------------------------------------------------- */

static struct json_texts get_texts(struct arena *a, const struct json *j, const char *key)
{
	const struct json *list = json_get(j, key);
	struct json_texts out = { NULL, 0 };
	if (!list || list->type != JSON_ARRAY)
		return out;
	out.items = ARENA_ARRAY(a, const char *, list->list.count);
	for (size_t i = 0; i < list->list.count; i++)
		if (list->list.items[i].type == JSON_STRING)
			out.items[out.count++] = list->list.items[i].str.s;
	return out;
}

/* A directory name is one of ours: "v" and digits and dots; anything else in the file is damage. */
static bool dir_name_ok(const char *dir)
{
	return strlen(dir) < STATE_DIR_BYTES && (dir[0] == 0 || (strspn(dir, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
								 "0123456789._-") == strlen(dir) && dir[0] != '.'));
}

static troth_rc get_version(struct arena *a, const struct json *j, const char *key, struct version *ret, struct troth_err *e)
{
	const struct json *v = json_get(j, key);
	const char *dir = json_get_text(v, "dir", "");
	ENSURE(v && dir_name_ok(dir), e, TROTH_CORRUPT, "the state file's \"%s\" is damaged", key);
	ret->generation = json_get_int(v, "generation", 0);
	snprintf(ret->dir, sizeof ret->dir, "%s", dir);
	ret->fingerprints = get_texts(a, v, "fingerprints");
	return RC_OK;
}

static void get_parameters(struct arena *a, const struct json *j, struct target_memory *m)
{
	const struct json *map = json_get(j, "parameters");
	if (!map || map->type != JSON_OBJECT)
		return;
	m->parameters = ARENA_ARRAY(a, struct msg_parameter, map->map.count);
	for (size_t i = 0; i < map->map.count && i < MSG_PARAMETERS; i++)
		if (map->map.values[i].type == JSON_STRING)
			m->parameters[m->parameter_count++] = (struct msg_parameter){ map->map.keys[i], map->map.values[i].str.s };
}

static troth_rc get_memory(struct arena *a, const struct json *j, const char *id, struct target_memory *m, struct troth_err *e)
{
	const char *phase = json_get_text(j, "phase", "");
	int64_t kind = json_get_int(j, "kind", -1), role = json_get_int(j, "role", -1);
	*m = (struct target_memory){ .id = json_get_text(j, "id", ""), .name = json_get_text(j, "name", NULL),
				     .profile = json_get_text(j, "profile", NULL), .phase = PHASE_BACKING + 1 };
	for (int i = 0; i <= PHASE_BACKING; i++)
		if (text_equal(PHASES[i], phase))
			m->phase = (enum hand_phase)i;
	ENSURE(text_equal(m->id, id) && m->name && m->profile && m->phase <= PHASE_BACKING && kind >= 0 && kind <= MSG_STORE &&
		       role >= 0 && role <= MSG_CLIENT, e, TROTH_CORRUPT, "the state file of target %s is damaged", id);
	m->kind = (enum msg_target_kind)kind;
	m->role = (enum msg_role)role;
	m->epoch = json_get_text(j, "epoch", "");
	m->high_water = json_get_int(j, "high_water", 0);
	m->reason = json_get_text(j, "reason", NULL);
	m->distrusted = get_texts(a, j, "distrusted");
	m->old = get_texts(a, j, "old");
	for (size_t i = 0; i < m->old.count; i++)
		ENSURE(dir_name_ok(m->old.items[i]), e, TROTH_CORRUPT, "the state file of target %s is damaged", id);
	m->found_fingerprints = get_texts(a, j, "found_fingerprints");
	m->found_text = json_get_text(j, "found_text", NULL);
	get_parameters(a, j, m);
	TRY(get_version(a, j, "loaded", &m->loaded, e));
	return get_version(a, j, "doing", &m->doing, e);
}

troth_rc memory_read(const struct store_dir *d, struct arena *a, const char *id, struct target_memory *ret,
		     struct troth_err *e)
{
	CLEANUP(buf_release) struct buf b = { 0 };
	const struct json *j;
	struct troth_err why = { 0 };
	ENSURE(uuid_valid(id), e, TROTH_INVALID, "\"%.40s\" is no target's id", id);
	TRY(store_read(d, state_name(a, id), STATE_FILE_BYTES, &b, e));
	if (rc_failed(json_parse(a, buf_bytes(&b), &j, &why)))
		return err_set(e, TROTH_CORRUPT, "the state file of target %s is damaged: %s", id, why.primary);
	return get_memory(a, j, id, ret, e);
}
