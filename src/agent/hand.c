/* The requests, one function each; what they share stands first. */
#include "agent/hand.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "agent/document.h"
#include "agent/tree.h"
#include "base/limits.h"

enum { OLD_MAX = 16, REQUESTS_MAX = 8, ATTEST_BYTES = 16 << 10, DEPLOYED_BYTES = 2 << 20 };

struct job { /* one request with what it needs */
	struct hand *h;
	const struct hand_request *r;
	struct arena *a;
	struct hand_reply *ret;
	struct target_memory m;
	struct place p;
};

static const struct port_fs *fs_of(const struct job *j) { return j->h->port.fs; }

/* -- memory and place ----------------------------------------------------------------------------------- */

static troth_rc load_memory(struct job *j, struct troth_err *e)
{
	ENSURE(j->r->id, e, TROTH_INVALID, "%s needs a target", hand_op_name(j->r->op));
	return memory_read(&j->h->store, j->a, j->r->id, &j->m, e);
}

static troth_rc save_memory(struct job *j, struct troth_err *e)
{
	return memory_write(&j->h->store, j->a, &j->m, e);
}

static struct target_spec spec_of(const struct target_memory *m)
{
	return (struct target_spec){ m->id, m->name, m->profile, m->kind, m->role, m->parameters, m->parameter_count };
}

static troth_rc find_place(struct job *j, struct troth_err *e)
{
	struct target_spec spec = spec_of(&j->m);
	return place_resolve(j->a, j->h->profiles, j->h->profile_count, j->h->settings, &spec, &j->p, e);
}

static struct hand_lock *lock_of(struct hand *h, const char *id)
{
	for (size_t i = 0; i < h->lock_count; i++)
		if (text_equal(h->locks[i].id, id))
			return &h->locks[i];
	return NULL;
}

static void lock_drop(struct hand *h, struct hand_lock *lock)
{
	h->port.fs->close(h->port.fs->self, lock->fd);
	*lock = h->locks[--h->lock_count];
}

/* One writer a directory: an flock as long as we live. */
static troth_rc hold_lock(struct job *j, struct troth_err *e)
{
	struct hand *h = j->h;
	struct hand_lock *lock = lock_of(h, j->m.id);
	if (lock && text_equal(lock->directory, j->p.directory))
		return RC_OK;
	if (lock)
		lock_drop(h, lock);
	ENSURE(h->lock_count < LIMIT_TARGETS_PER_INSTANCE, e, TROTH_TOO_LARGE, "too many targets");
	int fd;
	TRY(tree_open(fs_of(j), &j->p, j->p.directory, true, &fd, e));
	if (fs_of(j)->flock(fs_of(j)->self, fd, LOCK_EX | LOCK_NB) != 0) {
		int err_no = errno;
		fs_of(j)->close(fs_of(j)->self, fd);
		if (err_no != EWOULDBLOCK)
			return err_errno(e, err_no, "could not lock \"%.200s\"", j->p.directory);
		troth_rc rc = err_set(e, TROTH_CONFLICT, "directory \"%.200s\" is in use by another agent or target", j->p.directory);
		err_hint(e, "give each target a directory of its own, and stop the other agent");
		return rc;
	}
	lock = &h->locks[h->lock_count++];
	lock->fd = fd;
	(void)text_copy(lock->id, sizeof lock->id, j->m.id);                       /* a UUID */
	(void)text_copy(lock->directory, sizeof lock->directory, j->p.directory); /* a longer one is locked anew: fails */
	return RC_OK;
}

/* Memory, place and lock: what every step on files starts with. */
static troth_rc prepare(struct job *j, int *ret_dir, struct troth_err *e)
{
	TRY(load_memory(j, e));
	TRY(find_place(j, e));
	TRY(hold_lock(j, e));
	return tree_open(fs_of(j), &j->p, j->p.directory, true, ret_dir, e);
}

static void close_dir(struct job *j, int *dir)
{
	if (*dir >= 0)
		fs_of(j)->close(fs_of(j)->self, *dir);
	*dir = -1;
}

/* -- documents in our own directory -------------------------------------------------------------------------- */

static troth_rc read_document(struct job *j, const struct version *v, struct document *ret, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf crt = { 0 };
	CLEANUP(buf_release) struct buf key = { 0 };
	TRY(store_read(&j->h->store, memory_crt_name(j->a, j->m.id, v->dir), DEPLOYED_BYTES, &crt, e));
	if (j->m.kind == MSG_SLOT)
		TRY(store_read(&j->h->store, memory_key_name(j->a, j->m.id, v->dir), 4 * LIMIT_KEY_DER_BYTES, &key, e));
	const char *text = buf_text(&crt);
	struct json_texts pems = { &text, crt.len ? 1 : 0 };
	return document_make(j->a, j->m.kind, &pems, buf_bytes(&key), 0, ret, e);
}

static troth_rc write_document(struct job *j, const char *dir, struct document *d, struct troth_err *e)
{
	if (d->kind == MSG_SLOT)
		TRY(store_write(&j->h->store, memory_key_name(j->a, j->m.id, dir), buf_bytes(&d->key), e));
	return store_write(&j->h->store, memory_crt_name(j->a, j->m.id, dir), document_pem(j->a, d), e);
}

static troth_rc owner_of(struct job *j, const struct place_file *f, struct tree_owner *ret, struct troth_err *e)
{
	struct hand_port *p = &j->h->port;
	*ret = (struct tree_owner){ (uid_t)-1, (gid_t)-1, false };
	if (f->owner[0]) {
		ENSURE(p->user_id(p->self, f->owner, &ret->uid, &ret->gid) == 0, e, TROTH_NOT_FOUND, "there is no user \"%s\" on this node",
		       f->owner);
		ret->set = true;
	}
	if (f->group[0]) {
		ENSURE(p->group_id(p->self, f->group, &ret->gid) == 0, e, TROTH_NOT_FOUND, "there is no group \"%s\" on this node",
		       f->group);
		ret->set = true;
	}
	return RC_OK;
}

/* -- a versioned directory ---------------------------------------------------------------------------------------- */

static troth_rc open_version(struct job *j, int dir, const char *name, bool create, int *ret_fd, struct troth_err *e)
{
	const struct port_fs *fs = fs_of(j);
	if (create && fs->mkdirat(fs->self, dir, name, 0755) != 0 && errno != EEXIST)
		return err_errno(e, errno, "could not make directory \"%s\" in \"%.200s\"", name, j->p.directory);
	int fd = fs->openat(fs->self, dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return err_errno(e, errno, "could not open \"%s\" in \"%.200s\"", name, j->p.directory);
	*ret_fd = fd;
	return RC_OK;
}

static troth_rc write_files(struct job *j, int fd, struct document *d, struct troth_err *e)
{
	struct document_file *files;
	size_t n;
	TRY(document_files(j->a, &j->p, d, &files, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct tree_owner owner;
		TRY(owner_of(j, files[i].as, &owner, e));
		TRY(tree_write(fs_of(j), fd, files[i].name, files[i].data, files[i].as->mode, owner, e));
	}
	return tree_sync(fs_of(j), fd, e);
}

/* Removes a directory that we made and its document.  What is in the way stays: this is tidying. */
static void remove_version(struct job *j, int dir, const char *name)
{
	const struct port_fs *fs = fs_of(j);
	struct version v = { 0 };
	CLEANUP(document_release) struct document d = { 0 };
	struct document_file *files;
	size_t n;
	int fd;
	snprintf(v.dir, sizeof v.dir, "%s", name);
	if (rc_ok(read_document(j, &v, &d, NULL)) && rc_ok(document_files(j->a, &j->p, &d, &files, &n, NULL)) &&
	    rc_ok(open_version(j, dir, name, false, &fd, NULL))) {
		for (size_t i = 0; i < n; i++)
			fs->unlinkat(fs->self, fd, files[i].name, 0);
		fs->close(fs->self, fd);
		fs->unlinkat(fs->self, dir, name, AT_REMOVEDIR);
	}
	(void)store_remove(&j->h->store, memory_key_name(j->a, j->m.id, name), NULL); /* absent or in the way: both fine here */
	(void)store_remove(&j->h->store, memory_crt_name(j->a, j->m.id, name), NULL);
}

static void add_old(struct job *j, const char *dir)
{
	const char **items = ARENA_ARRAY(j->a, const char *, OLD_MAX + 1);
	size_t n = 0;
	for (size_t i = 0; i < j->m.old.count && n < OLD_MAX; i++)
		if (!text_equal(j->m.old.items[i], dir))
			items[n++] = j->m.old.items[i];
	if (n < OLD_MAX && dir[0])
		items[n++] = arena_text(j->a, dir);
	j->m.old = (struct json_texts){ items, n };
}

static void drop_old(struct job *j, const char *dir)
{
	size_t n = 0;
	for (size_t i = 0; i < j->m.old.count; i++)
		if (!text_equal(j->m.old.items[i], dir))
			j->m.old.items[n++] = j->m.old.items[i];
	j->m.old.count = n;
}

/* "" if there is no `current`. */
static troth_rc read_current(struct job *j, int dir, char out[STATE_DIR_BYTES], struct troth_err *e)
{
	struct troth_err why = { 0 };
	char link[1024];
	troth_rc rc = tree_link_read(fs_of(j), dir, "current", link, sizeof link, &why);
	if (rc_failed(rc) && why.kind == TROTH_NOT_FOUND)
		link[0] = 0;
	else if (rc_failed(rc))
		return err_set(e, why.kind, "%s in \"%.150s\"", why.primary, j->p.directory);
	bool plain = strlen(link) < STATE_DIR_BYTES && !strchr(link, '/') && link[0] != '.';
	ENSURE(plain, e, TROTH_CONFLICT, "\"current\" in \"%.150s\" leads to \"%.100s\", not to a directory beside it", j->p.directory, link);
	snprintf(out, STATE_DIR_BYTES, "%s", link);
	return RC_OK;
}

/* -- adopting fixed file names (once): existing files to v0, current -> v0, names -> current/<file> ---------------- */

static troth_rc split_path(const char *path, char dir[1024], const char **ret_name, struct troth_err *e)
{
	const char *slash = strrchr(path, '/');
	ENSURE(slash && slash != path && slash[1] && (size_t)(slash - path) < 1024, e, TROTH_INVALID, "\"%.200s\" is no path of a file", path);
	memcpy(dir, path, (size_t)(slash - path));
	dir[slash - path] = 0;
	*ret_name = slash + 1;
	return RC_OK;
}

static troth_rc open_fixed(struct job *j, const struct profile_fixed *f, int *ret_dir, const char **ret_name, struct troth_err *e)
{
	char dir[1024];
	TRY(split_path(f->path, dir, ret_name, e));
	return tree_open(fs_of(j), &j->p, dir, false, ret_dir, e);
}

/* The bytes of a fixed name that is a regular file; NOT_FOUND if it is none or absent. */
static troth_rc read_fixed(struct job *j, const struct profile_fixed *f, struct buf *ret, struct stat *st, struct troth_err *e)
{
	int dir;
	const char *name;
	TRY(open_fixed(j, f, &dir, &name, e));
	troth_rc rc = tree_read(fs_of(j), dir, name, DEPLOYED_BYTES, ret, st, e);
	fs_of(j)->close(fs_of(j)->self, dir);
	return rc;
}

static troth_rc copy_fixed(struct job *j, int v0, const struct profile_fixed *f, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf b = { 0 };
	struct stat st;
	struct troth_err why = { 0 };
	troth_rc rc = read_fixed(j, f, &b, &st, &why);
	if (rc_failed(rc) && (why.kind == TROTH_NOT_FOUND || why.kind == TROTH_CONFLICT))
		return RC_OK; /* nothing to keep; a foreign symlink is refused where it would be replaced */
	if (rc_failed(rc))
		return err_set(e, why.kind, "%s", why.primary);
	struct tree_owner owner = { st.st_uid, st.st_gid, j->h->port.uid == 0 };
	return tree_write(fs_of(j), v0, f->file, buf_bytes(&b), st.st_mode & 0777, owner, e);
}

static troth_rc make_v0(struct job *j, int dir, struct troth_err *e)
{
	bool any = false;
	for (size_t i = 0; i < j->p.fixed_count && !any; i++) {
		CLEANUP(buf_release) struct buf b = { 0 };
		any = rc_ok(read_fixed(j, &j->p.fixed[i], &b, NULL, NULL));
	}
	if (!any)
		return RC_OK;
	int v0;
	TRY(open_version(j, dir, "v0", true, &v0, e));
	troth_rc rc = RC_OK;
	for (size_t i = 0; i < j->p.fixed_count && rc_ok(rc); i++)
		rc = copy_fixed(j, v0, &j->p.fixed[i], e);
	if (rc_ok(rc))
		rc = tree_sync(fs_of(j), v0, e);
	fs_of(j)->close(fs_of(j)->self, v0);
	TRY(rc);
	return tree_link(fs_of(j), dir, "v0", "current", e);
}

/* One fixed name becomes a symlink; a symlink that is not ours is not touched. */
static troth_rc link_fixed(struct job *j, const struct profile_fixed *f, bool *ret_changed, struct troth_err *e)
{
	int dir;
	const char *name, *to = arena_printf(j->a, "%s/current/%s", j->p.directory, f->file);
	char link[1024];
	struct troth_err why = { 0 };
	TRY(open_fixed(j, f, &dir, &name, e));
	troth_rc rc = tree_link_read(fs_of(j), dir, name, link, sizeof link, &why);
	bool ours = rc_ok(rc) && text_equal(link, to);
	if (rc_ok(rc) && !ours)
		rc = err_set(e, TROTH_CONFLICT, "\"%.200s\" is a symlink to \"%.150s\"; only a plain file is taken over", f->path, link);
	else if (!ours && rc_failed(rc) && why.kind != TROTH_NOT_FOUND && why.kind != TROTH_CONFLICT)
		rc = err_set(e, why.kind, "%s", why.primary);
	else
		rc = ours ? RC_OK : tree_link(fs_of(j), dir, to, name, e);
	fs_of(j)->close(fs_of(j)->self, dir);
	*ret_changed = rc_ok(rc) && !ours;
	return rc;
}

static troth_rc adopt(struct job *j, int dir, struct troth_err *e)
{
	char current[STATE_DIR_BYTES];
	bool changed;
	TRY(read_current(j, dir, current, e));
	if (!current[0])
		TRY(make_v0(j, dir, e));
	TRY(read_current(j, dir, current, e));
	if (!current[0])
		return RC_OK; /* nothing was there: the names are linked after the first swap */
	for (size_t i = 0; i < j->p.fixed_count; i++)
		TRY(link_fixed(j, &j->p.fixed[i], &changed, e));
	return RC_OK;
}

/* -- LOOK ------------------------------------------------------------------------------------------------------------- */

static void take_found(struct job *j, struct bytes pem, const char *text)
{
	const struct cert *const *certs;
	size_t n;
	if (rc_failed(certs_parse_pem(j->a, pem, &certs, &n, NULL)))
		return;
	const char **items = ARENA_ARRAY(j->a, const char *, n);
	for (size_t i = 0; i < n; i++) {
		char hex[SHA256_HEX_LEN];
		items[i] = arena_text(j->a, cert_fingerprint_hex(certs[i], hex));
	}
	j->m.found_fingerprints = (struct json_texts){ items, n };
	j->m.found_text = text;
}

static bool shows_certificates(enum profile_content c)
{
	return c == CONTENT_FULLCHAIN || c == CONTENT_LEAF || c == CONTENT_BUNDLE;
}

/* What lies there before anything of ours: behind `current`, or under the fixed names. */
static void look_for_files(struct job *j, int dir)
{
	int fd;
	char current[STATE_DIR_BYTES] = "";
	for (size_t i = 0; i < j->p.fixed_count && !j->m.found_text; i++) {
		CLEANUP(buf_release) struct buf b = { 0 };
		if (rc_ok(read_fixed(j, &j->p.fixed[i], &b, NULL, NULL)))
			take_found(j, buf_bytes(&b), arena_printf(j->a, "present in %s before anything of ours", j->p.fixed[i].path));
	}
	if (rc_failed(read_current(j, dir, current, NULL)) || !current[0])
		return;
	if (rc_failed(open_version(j, dir, current, false, &fd, NULL)))
		return;
	for (size_t i = 0; i < j->p.file_count && !j->m.found_text; i++) {
		CLEANUP(buf_release) struct buf b = { 0 };
		if (shows_certificates(j->p.files[i].content) &&
		    rc_ok(tree_read(fs_of(j), fd, j->p.files[i].name, DEPLOYED_BYTES, &b, NULL, NULL)))
			take_found(j, buf_bytes(&b), arena_printf(j->a, "present in %s/current/%s before anything of ours", j->p.directory,
								   j->p.files[i].name));
	}
	fs_of(j)->close(fs_of(j)->self, fd);
}

static void fill_view(const struct job *j, struct hand_view *v)
{
	const struct target_memory *m = &j->m;
	*v = (struct hand_view){ .phase = m->phase, .loaded = m->loaded.generation, .high_water = m->high_water,
				 .doing = m->doing.generation, .has_files = m->loaded.dir[0] != 0,
				 .loaded_fingerprints = m->loaded.fingerprints, .doing_fingerprints = m->doing.fingerprints,
				 .reason = m->reason, .name = m->name, .profile = m->profile, .kind = m->kind, .role = m->role,
				 .parameters = m->parameters, .parameter_count = m->parameter_count,
				 .found_fingerprints = m->found_fingerprints, .found_text = m->found_text };
}

static troth_rc fresh_memory(struct job *j, struct troth_err *e)
{
	struct agent_identity id;
	ENSURE(j->r->name && j->r->profile, e, TROTH_NOT_FOUND, "target %s is not known here", j->r->id);
	TRY(identity_read(&j->h->store, j->a, &id, e));
	j->m = (struct target_memory){ .id = j->r->id, .epoch = id.epoch };
	return RC_OK;
}

static troth_rc do_look(struct job *j, struct troth_err *e)
{
	struct troth_err why = { 0 };
	int dir = -1;
	ENSURE(j->r->id && uuid_valid(j->r->id), e, TROTH_INVALID, "look needs a target");
	troth_rc rc = memory_read(&j->h->store, j->a, j->r->id, &j->m, &why);
	bool fresh = rc_failed(rc) && why.kind == TROTH_NOT_FOUND;
	if (fresh)
		TRY(fresh_memory(j, e));
	else if (rc_failed(rc))
		return err_set(e, why.kind, "%s", why.primary);
	if (j->r->name && j->r->profile) {
		ENSURE(fresh || j->m.kind == j->r->kind, e, TROTH_CONFLICT, "target %s was a %s and cannot become a %s", j->m.name,
		       j->m.kind == MSG_SLOT ? "slot" : "store", j->m.kind == MSG_SLOT ? "store" : "slot");
		j->m.name = j->r->name;
		j->m.profile = j->r->profile;
		j->m.kind = j->r->kind;
		j->m.role = j->r->role;
		j->m.parameters = j->r->parameters;
		j->m.parameter_count = j->r->parameter_count;
	}
	err_clear(&why);
	rc = find_place(j, &why);
	if (rc_ok(rc))
		rc = hold_lock(j, &why);
	if (rc_ok(rc))
		rc = tree_open(fs_of(j), &j->p, j->p.directory, true, &dir, &why);
	if (rc_ok(rc) && fresh)
		look_for_files(j, dir);
	close_dir(j, &dir);
	if (rc_failed(rc)) /* no place for it: said, and remembered as asked */
		j->ret->text = arena_printf(j->a, "%s%s%s", why.primary, why.hint[0] ? "; " : "", why.hint);
	if (fresh || (j->r->name && j->r->profile))
		TRY(save_memory(j, e));
	fill_view(j, &j->ret->view);
	return RC_OK;
}

/* -- STAGE, REFUSE ------------------------------------------------------------------------------------------------------ */

static troth_rc check_new(const struct job *j, struct troth_err *e)
{
	int64_t g = j->r->generation;
	ENSURE(g > j->m.high_water && g > j->m.loaded.generation, e, TROTH_CONFLICT,
	       "generation %lld is not above %lld, which is done with", (long long)g, (long long)j->m.high_water); /* A1 */
	ENSURE(j->m.phase == PHASE_SETTLED || g > j->m.doing.generation, e, TROTH_CONFLICT, "generation %lld is not above %lld, which is begun",
	       (long long)g, (long long)j->m.doing.generation);
	return RC_OK;
}

/* The key of a slot's document: kept since its CSR, or sealed to our identity. */
static troth_rc find_key(struct job *j, struct buf *ret, struct troth_err *e)
{
	struct troth_err why = { 0 };
	if (j->r->key_request) {
		ENSURE(uuid_valid(j->r->key_request), e, TROTH_INVALID, "\"%.40s\" is no CSR's id", j->r->key_request);
		if (rc_failed(store_read(&j->h->store, memory_request_name(j->a, j->r->key_request), 4 * LIMIT_KEY_DER_BYTES, ret, &why)))
			return err_set(e, why.kind, "there is no key for CSR %s on this node: %s", j->r->key_request, why.primary);
		return RC_OK;
	}
	CLEANUP(buf_release) struct buf identity = { 0 };
	CLEANUP(key_releasep) struct key *k = NULL;
	const struct cert *cert;
	ENSURE(j->r->sealed_key.len > 0, e, TROTH_INVALID, "a slot's document without a key");
	TRY(store_read(&j->h->store, "identity.pem", 2 * LIMIT_PEM_BYTES, &identity, e));
	TRY(key_parse(buf_bytes(&identity), &k, e));
	const char *end = strstr(buf_text(&identity), "-----END CERTIFICATE-----");
	ENSURE(end, e, TROTH_CORRUPT, "identity.pem has no certificate");
	TRY(cert_parse_any(j->a, bytes_of(identity.data, (size_t)(end - (const char *)identity.data) + 25), &cert, e));
	*ret = buf_make_secret(4 * LIMIT_KEY_DER_BYTES);
	return cms_open(k, cert->der, j->r->sealed_key, ret, e);
}

static troth_rc make_document(struct job *j, struct document *ret, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf key = { 0 };
	if (j->m.kind == MSG_SLOT)
		TRY(find_key(j, &key, e));
	return document_make(j->a, j->m.kind, &j->r->certificates, buf_bytes(&key), j->h->port.now(j->h->port.self), ret, e);
}

static troth_rc stage_files(struct job *j, int dir, struct document *d, struct troth_err *e)
{
	char name[STATE_DIR_BYTES];
	int fd;
	memory_dir_name(j->r->generation, name);
	add_old(j, name); /* until it is begun: a crash here leaves what the next settling removes */
	TRY(save_memory(j, e));
	TRY(write_document(j, name, d, e));
	TRY(open_version(j, dir, name, true, &fd, e));
	troth_rc rc = write_files(j, fd, d, e);
	fs_of(j)->close(fs_of(j)->self, fd);
	TRY(rc);
	return tree_keep(fs_of(j), &j->p, j->p.directory, e);
}

static troth_rc do_stage(struct job *j, struct troth_err *e)
{
	int dir = -1;
	CLEANUP(document_release) struct document d = { 0 };
	TRY(prepare(j, &dir, e));
	troth_rc rc = check_new(j, e);
	if (rc_ok(rc))
		rc = make_document(j, &d, e);
	if (rc_ok(rc))
		rc = stage_files(j, dir, &d, e);
	close_dir(j, &dir);
	if (rc_ok(rc))
		j->ret->fingerprints = d.fingerprints;
	return rc;
}

static troth_rc do_refuse(struct job *j, struct troth_err *e)
{
	TRY(load_memory(j, e));
	if (j->r->generation <= j->m.high_water)
		return RC_OK; /* said before */
	TRY(check_new(j, e));
	j->m.high_water = j->r->generation;
	return save_memory(j, e);
}

/* -- SWAP, SETTLE ----------------------------------------------------------------------------------------------------------- */

static troth_rc begin(struct job *j, int dir, struct troth_err *e)
{
	char name[STATE_DIR_BYTES];
	CLEANUP(document_release) struct document d = { 0 };
	TRY(check_new(j, e));
	memory_dir_name(j->r->generation, name);
	struct version v = { .generation = j->r->generation };
	snprintf(v.dir, sizeof v.dir, "%s", name);
	TRY(read_document(j, &v, &d, e)); /* staged? */
	v.fingerprints = d.fingerprints;
	if (!j->m.loaded.dir[0]) { /* the first of ours: what was there is what we go back to */
		TRY(adopt(j, dir, e));
		TRY(read_current(j, dir, j->m.loaded.dir, e));
	}
	if (j->m.doing.dir[0])
		add_old(j, j->m.doing.dir);
	drop_old(j, name);
	j->m.doing = v;
	j->m.phase = PHASE_APPLYING;
	j->m.reason = NULL;
	return save_memory(j, e);
}

static troth_rc link_all_fixed(struct job *j, struct troth_err *e)
{
	bool changed;
	for (size_t i = 0; i < j->p.fixed_count; i++)
		TRY(link_fixed(j, &j->p.fixed[i], &changed, e));
	return RC_OK;
}

static troth_rc do_swap(struct job *j, struct troth_err *e)
{
	int dir = -1, version = -1;
	TRY(prepare(j, &dir, e));
	troth_rc rc = RC_OK;
	if (j->m.phase != PHASE_APPLYING || j->m.doing.generation != j->r->generation)
		rc = begin(j, dir, e);
	if (rc_ok(rc))
		rc = open_version(j, dir, j->m.doing.dir, false, &version, e); /* never a dangling `current` */
	if (rc_ok(rc))
		rc = tree_link(fs_of(j), dir, j->m.doing.dir, "current", e);
	if (rc_ok(rc))
		rc = link_all_fixed(j, e);
	close_dir(j, &version);
	close_dir(j, &dir);
	return rc;
}

/* A slot keeps one generation more, for whoever still has its directory open.  A store does not: what a
 * CA was withdrawn from shall not lie about in a file beside it. */
static troth_rc remove_old_trust(struct job *j, int dir, struct troth_err *e)
{
	struct target_memory *m = &j->m;
	if (j->p.kind != MSG_STORE || m->phase != PHASE_SETTLED || m->old.count == 0)
		return RC_OK;
	for (size_t i = 0; i < m->old.count; i++)
		if (!text_equal(m->old.items[i], m->loaded.dir))
			remove_version(j, dir, m->old.items[i]);
	m->old.count = 0;
	return save_memory(j, e);
}

static troth_rc do_settle(struct job *j, struct troth_err *e)
{
	int dir = -1;
	char current[STATE_DIR_BYTES];
	TRY(prepare(j, &dir, e));
	struct target_memory *m = &j->m;
	troth_rc rc = RC_OK;
	bool again = m->phase == PHASE_SETTLED && m->loaded.generation == j->r->generation;
	if (!again) {
		rc = read_current(j, dir, current, e);
		if (rc_ok(rc) && (m->phase != PHASE_APPLYING || m->doing.generation != j->r->generation || !text_equal(current, m->doing.dir)))
			rc = err_set(e, TROTH_CONFLICT, "generation %lld is not the one in place", (long long)j->r->generation);
		for (size_t i = 0; rc_ok(rc) && i < m->old.count; i++)
			if (!text_equal(m->old.items[i], m->loaded.dir) && !text_equal(m->old.items[i], m->doing.dir))
				remove_version(j, dir, m->old.items[i]);
		if (rc_ok(rc)) {
			m->old.count = 0;
			if (m->loaded.fingerprints.count) /* ours, and one generation more stays */
				add_old(j, m->loaded.dir);
			m->loaded = m->doing;
			m->high_water = m->doing.generation;
			m->doing = (struct version){ 0 };
			m->phase = PHASE_SETTLED;
			rc = save_memory(j, e);
		}
	}
	if (rc_ok(rc))
		rc = remove_old_trust(j, dir, e);
	close_dir(j, &dir);
	return rc;
}

/* -- PUT_BACK, BACK_DONE ------------------------------------------------------------------------------------------------------ */

static troth_rc go_back(struct job *j, int dir, struct troth_err *e)
{
	const struct port_fs *fs = fs_of(j);
	if (j->m.loaded.dir[0])
		return tree_link(fs, dir, j->m.loaded.dir, "current", e);
	if (fs->unlinkat(fs->self, dir, "current", 0) != 0 && errno != ENOENT)
		return err_errno(e, errno, "could not remove \"current\" in \"%.200s\"", j->p.directory);
	return tree_sync(fs, dir, e);
}

static troth_rc do_put_back(struct job *j, struct troth_err *e)
{
	int dir = -1;
	TRY(prepare(j, &dir, e));
	troth_rc rc = RC_OK;
	if (j->m.phase == PHASE_SETTLED) { /* the swap failed before it began: remember that it did */
		rc = check_new(j, e);
		if (rc_ok(rc) && !j->m.loaded.dir[0]) /* an adoption may have got as far as this */
			rc = read_current(j, dir, j->m.loaded.dir, e);
		j->m.doing = (struct version){ .generation = j->r->generation };
		memory_dir_name(j->r->generation, j->m.doing.dir);
		drop_old(j, j->m.doing.dir);
	} else if (j->m.doing.generation != j->r->generation) {
		rc = err_set(e, TROTH_CONFLICT, "generation %lld is not the one begun", (long long)j->r->generation);
	}
	if (rc_ok(rc)) {
		j->m.phase = PHASE_BACKING;
		j->m.reason = j->r->text;
		rc = save_memory(j, e);
	}
	if (rc_ok(rc))
		rc = go_back(j, dir, e);
	close_dir(j, &dir);
	return rc;
}

static troth_rc do_back_done(struct job *j, struct troth_err *e)
{
	int dir = -1;
	char current[STATE_DIR_BYTES];
	TRY(prepare(j, &dir, e));
	struct target_memory *m = &j->m;
	troth_rc rc = RC_OK;
	if (m->phase != PHASE_SETTLED || m->high_water < j->r->generation) {
		rc = read_current(j, dir, current, e);
		if (rc_ok(rc) && (m->phase != PHASE_BACKING || m->doing.generation != j->r->generation || !text_equal(current, m->loaded.dir)))
			rc = err_set(e, TROTH_CONFLICT, "generation %lld was not put back", (long long)j->r->generation);
		if (rc_ok(rc)) {
			add_old(j, m->doing.dir);
			if (m->doing.generation > m->high_water)
				m->high_water = m->doing.generation;
			m->doing = (struct version){ 0 };
			m->phase = PHASE_SETTLED;
			rc = save_memory(j, e);
		}
	}
	close_dir(j, &dir);
	return rc;
}

/* -- RELOAD -------------------------------------------------------------------------------------------------------------------- */

/* The number in the first line of the pid file.  NOT_FOUND: no file, no process. */
static troth_rc read_pid(struct job *j, pid_t *ret_pid, uid_t *ret_owner, struct troth_err *e)
{
	const struct port_fs *fs = fs_of(j);
	char text[32] = "";
	struct stat st;
	int fd = fs->openat(fs->self, AT_FDCWD, j->p.pid_file, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0)
		return err_errno(e, errno, "could not open pid file \"%.200s\"", j->p.pid_file);
	ssize_t n = fs->read(fs->self, fd, text, sizeof text - 1);
	int stat_rc = fs->fstatat(fs->self, fd, "", &st, AT_EMPTY_PATH);
	fs->close(fs->self, fd);
	ENSURE(n > 0 && stat_rc == 0, e, TROTH_NOT_FOUND, "pid file \"%.200s\" is empty", j->p.pid_file);
	char *end;
	long pid = strtol(text, &end, 10);
	ENSURE(end != text && (*end == 0 || *end == '\n' || *end == '\r' || *end == ' ') && pid > 1 && pid < 1 << 30, e, TROTH_INVALID,
	       "pid file \"%.200s\" holds no process number", j->p.pid_file);
	*ret_pid = (pid_t)pid;
	*ret_owner = st.st_uid;
	return RC_OK;
}

/* Who may write the pid file may choose the process: so only one of its own, unless root wrote it. */
static troth_rc reload_by_signal(struct job *j, struct troth_err *e)
{
	struct hand_port *p = &j->h->port;
	struct troth_err why = { 0 };
	pid_t pid;
	uid_t writer, runs_as;
	troth_rc rc = read_pid(j, &pid, &writer, &why);
	if (rc_failed(rc) && why.kind == TROTH_NOT_FOUND) {
		j->ret->down = true;
		return RC_OK;
	}
	if (rc_failed(rc))
		return err_set(e, why.kind, "%s", why.primary);
	if (p->process_owner(p->self, pid, &runs_as) != 0) {
		j->ret->down = true;
		return RC_OK;
	}
	ENSURE(writer == 0 || runs_as == writer, e, TROTH_FORBIDDEN,
	       "pid file \"%.200s\" belongs to user %u and names process %d of user %u; it is not signalled", j->p.pid_file, (unsigned)writer,
	       (int)pid, (unsigned)runs_as);
	if (p->signal(p->self, pid, j->p.signal) == 0)
		return RC_OK;
	if (errno != ESRCH)
		return err_errno(e, errno, "could not signal process %d", (int)pid);
	j->ret->down = true;
	return RC_OK;
}

static const char *one_line(struct arena *a, const char *text)
{
	char *out = arena_text_n(a, text, strnlen(text, 300));
	for (char *p = out; *p; p++)
		if ((unsigned char)*p < 32)
			*p = ' ';
	return out;
}

static troth_rc reload_by_command(struct job *j, struct troth_err *e)
{
	struct hand_port *p = &j->h->port;
	struct process_result res = { 0 };
	TRY(p->run(p->self, j->p.command, j->p.reload_timeout, &res, e));
	const char *said = one_line(j->a, res.output);
	ENSURE(!res.timed_out, e, TROTH_TIMEOUT, "reload command %s did not end within %lld s; it was killed", j->p.command[0],
	       (long long)(j->p.reload_timeout / MSEC_S));
	ENSURE(res.signal == 0, e, TROTH_IO, "reload command %s was ended by signal %d: %s", j->p.command[0], res.signal, said);
	ENSURE(res.exit_code == 0, e, TROTH_IO, "reload command %s exited with %d: %s", j->p.command[0], res.exit_code, said);
	return RC_OK;
}

static troth_rc do_reload(struct job *j, struct troth_err *e)
{
	TRY(load_memory(j, e));
	TRY(find_place(j, e));
	if (j->p.signal)
		return reload_by_signal(j, e);
	if (j->p.command[0])
		return reload_by_command(j, e);
	return RC_OK; /* the files are read at each use */
}

/* -- ATTEST --------------------------------------------------------------------------------------------------------------------- */

static troth_rc read_attest(struct job *j, struct buf *out, struct troth_err *e)
{
	const struct port_fs *fs = fs_of(j);
	int fd = fs->openat(fs->self, AT_FDCWD, j->p.attest_file, O_RDONLY | O_NONBLOCK | O_NOFOLLOW, 0);
	if (fd < 0)
		return err_errno(e, errno, "could not open attest file \"%.200s\"", j->p.attest_file);
	uint8_t chunk[1024];
	ssize_t n;
	while ((n = fs->read(fs->self, fd, chunk, sizeof chunk)) > 0)
		buf_add(out, chunk, (size_t)n);
	fs->close(fs->self, fd);
	ENSURE(n == 0 && buf_ok(out), e, TROTH_IO, "could not read attest file \"%.200s\"", j->p.attest_file);
	return RC_OK;
}

/* Every line's first word is the hash: each process of the service writes one. */
static bool all_lines_say(const char *text, const char *hex, const char **ret_other)
{
	size_t lines = 0;
	*ret_other = NULL;
	while (*text) {
		size_t len = strcspn(text, "\n"), word = strcspn(text, " \t\r\n");
		if (word > 0 && (word != strlen(hex) || memcmp(text, hex, word) != 0))
			*ret_other = text;
		lines += word > 0;
		text += len;
		text += *text == '\n';
	}
	return lines > 0 && !*ret_other;
}

static troth_rc do_attest(struct job *j, struct troth_err *e)
{
	CLEANUP(document_release) struct document d = { 0 };
	CLEANUP(buf_release) struct buf said = buf_make(ATTEST_BYTES);
	struct document_file *files;
	size_t n;
	uint8_t hash[SHA256_LEN];
	char hex[SHA256_HEX_LEN];
	const char *other;
	TRY(load_memory(j, e));
	TRY(find_place(j, e));
	ENSURE(j->p.attest_file, e, TROTH_INVALID, "profile %s has no attest file", j->p.profile);
	TRY(read_document(j, j->m.phase == PHASE_APPLYING ? &j->m.doing : &j->m.loaded, &d, e));
	TRY(document_files(j->a, &j->p, &d, &files, &n, e));
	struct bytes want = bytes_of(NULL, 0);
	for (size_t i = 0; i < n; i++)
		if (files[i].as == &j->p.files[j->p.attest_of])
			want = files[i].data;
	pki_sha256(want, hash);
	hex_encode(hash, sizeof hash, hex);
	if (rc_failed(read_attest(j, &said, e))) {
		j->ret->text = arena_printf(j->a, "the service does not attest: %s", e->primary);
		return RC_OK;
	}
	j->ret->present = said.len > 0;
	j->ret->matched = all_lines_say(buf_text(&said), hex, &other);
	if (!j->ret->matched)
		j->ret->text = arena_printf(j->a, "asked for %s with SHA-256 %s, the service attests %.64s", j->p.files[j->p.attest_of].name, hex,
					    other ? one_line(j->a, other) : "nothing");
	return RC_OK;
}

/* -- CHECK: what should be there, there? ------------------------------------------------------------------------------------------ */

static void drift(struct job *j, const char *text)
{
	if (j->ret->drift.count < WIRE_DRIFT_LINES)
		j->ret->drift.items[j->ret->drift.count++] = text;
}

static bool owner_differs(const struct stat *st, struct tree_owner o)
{
	return o.set && ((o.uid != (uid_t)-1 && st->st_uid != o.uid) || (o.gid != (gid_t)-1 && st->st_gid != o.gid));
}

static troth_rc check_file(struct job *j, int fd, const struct document_file *f, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf b = { 0 };
	struct stat st;
	struct tree_owner owner;
	struct troth_err why = { 0 };
	const char *what = NULL;
	TRY(owner_of(j, f->as, &owner, e));
	if (rc_failed(tree_read(fs_of(j), fd, f->name, DEPLOYED_BYTES, &b, &st, &why)))
		what = why.kind == TROTH_NOT_FOUND ? "was removed" : "was replaced";
	else if (!bytes_equal(buf_bytes(&b), f->data))
		what = "was changed";
	else if ((st.st_mode & 07777) != f->as->mode || owner_differs(&st, owner))
		what = "had another owner or mode";
	if (!what)
		return RC_OK;
	TRY(tree_replace(fs_of(j), fd, f->name, f->data, f->as->mode, owner, e));
	drift(j, arena_printf(j->a, "%s/current/%s %s; put right", j->p.directory, f->name, what));
	return RC_OK;
}

static troth_rc check_version(struct job *j, int dir, struct document *d, struct troth_err *e)
{
	struct document_file *files;
	size_t n;
	int fd;
	TRY(document_files(j->a, &j->p, d, &files, &n, e));
	TRY(open_version(j, dir, j->m.loaded.dir, true, &fd, e));
	troth_rc rc = RC_OK;
	for (size_t i = 0; i < n && rc_ok(rc); i++)
		rc = check_file(j, fd, &files[i], e);
	fs_of(j)->close(fs_of(j)->self, fd);
	return rc;
}

static troth_rc check_links(struct job *j, int dir, struct troth_err *e)
{
	char current[STATE_DIR_BYTES] = "";
	struct troth_err why = { 0 };
	troth_rc rc = read_current(j, dir, current, &why);
	if (rc_failed(rc) || !text_equal(current, j->m.loaded.dir)) {
		TRY(tree_link(fs_of(j), dir, j->m.loaded.dir, "current", e));
		drift(j, arena_printf(j->a, "%s/current led to \"%s\"; put right", j->p.directory, current));
	}
	for (size_t i = 0; i < j->p.fixed_count; i++) {
		bool changed;
		TRY(link_fixed(j, &j->p.fixed[i], &changed, e));
		if (changed)
			drift(j, arena_printf(j->a, "%s was no longer the symlink to %s/current; put right", j->p.fixed[i].path, j->p.directory));
	}
	return RC_OK;
}

static troth_rc do_check(struct job *j, struct troth_err *e)
{
	int dir = -1;
	CLEANUP(document_release) struct document d = { 0 };
	j->ret->drift = (struct json_texts){ ARENA_ARRAY(j->a, const char *, WIRE_DRIFT_LINES), 0 };
	TRY(prepare(j, &dir, e));
	troth_rc rc = RC_OK;
	if (j->m.phase != PHASE_SETTLED || j->m.loaded.generation != j->r->generation || j->m.loaded.fingerprints.count == 0)
		rc = err_set(e, TROTH_CONFLICT, "generation %lld is not what is settled", (long long)j->r->generation);
	if (rc_ok(rc))
		rc = read_document(j, &j->m.loaded, &d, e);
	if (rc_ok(rc))
		rc = check_version(j, dir, &d, e);
	if (rc_ok(rc))
		rc = check_links(j, dir, e);
	close_dir(j, &dir);
	return rc;
}

/* -- FORGET, EPOCH, HELLO ------------------------------------------------------------------------------------------------------------ */

static troth_rc do_forget(struct job *j, struct troth_err *e)
{
	struct troth_err why = { 0 };
	struct hand_lock *lock = lock_of(j->h, j->r->id);
	troth_rc rc = load_memory(j, &why);
	if (lock)
		lock_drop(j->h, lock);
	if (rc_failed(rc) && why.kind == TROTH_NOT_FOUND)
		return RC_OK;
	if (rc_failed(rc))
		return err_set(e, why.kind, "%s", why.primary);
	return memory_forget(&j->h->store, j->a, &j->m, e);
}

/* The server was restored: it may not know what it told us last.  What is settled stays (it learns l and
 * h from us, and its generations go on above h); what is only begun is taken back. */
static troth_rc take_back(struct job *j, const char *id, const char *epoch, struct troth_err *e)
{
	TRY(memory_read(&j->h->store, j->a, id, &j->m, e));
	if (text_equal(j->m.epoch, epoch))
		return RC_OK;
	j->m.epoch = epoch;
	if (j->m.phase != PHASE_SETTLED) {
		j->m.phase = PHASE_BACKING;
		j->m.reason = "the server began a new epoch while this was being applied";
	}
	return save_memory(j, e);
}

static troth_rc do_epoch(struct job *j, struct troth_err *e)
{
	struct json_texts ids;
	struct agent_identity id;
	ENSURE(j->r->text && strlen(j->r->text) <= MSG_EPOCH_BYTES, e, TROTH_INVALID, "no epoch");
	TRY(memory_index(&j->h->store, j->a, &ids, e));
	for (size_t i = 0; i < ids.count; i++)
		TRY(take_back(j, ids.items[i], j->r->text, e));
	TRY(identity_read(&j->h->store, j->a, &id, e));
	id.epoch = j->r->text;
	return identity_write(&j->h->store, &id, e);
}

static troth_rc read_line(struct job *j, const char *path, char *out, size_t size, struct troth_err *e)
{
	const struct port_fs *fs = fs_of(j);
	int fd = fs->openat(fs->self, AT_FDCWD, path, O_RDONLY, 0);
	if (fd < 0)
		return err_errno(e, errno, "could not open \"%s\"", path);
	ssize_t n = fs->read(fs->self, fd, out, size - 1);
	fs->close(fs->self, fd);
	ENSURE(n > 0, e, TROTH_IO, "could not read \"%s\"", path);
	out[strcspn(out, "\n")] = 0;
	return RC_OK;
}

static const char *text_of(struct arena *a, const struct buf *b) { return arena_text_n(a, (const char *)b->data, b->len); }

static troth_rc do_hello(struct job *j, struct troth_err *e)
{
	struct agent_identity id;
	char boot[64] = "";
	CLEANUP(buf_release) struct buf pem = { 0 };
	CLEANUP(buf_release) struct buf ca = { 0 };
	TRY(identity_read(&j->h->store, j->a, &id, e));
	TRY(read_line(j, "/proc/sys/kernel/random/boot_id", boot, sizeof boot, e));
	TRY(store_read(&j->h->store, "identity.pem", 2 * LIMIT_PEM_BYTES, &pem, e));
	TRY(store_read(&j->h->store, "server-ca.pem", LIMIT_PEM_BYTES, &ca, e));
	const char *text = text_of(j->a, &pem), *key = strstr(text, "-----BEGIN PRIVATE KEY");
	ENSURE(key, e, TROTH_CORRUPT, "identity.pem has no key");
	j->ret->key = bytes_of(key, strlen(key)); /* the end of text: wiped with it by whoever sends this */
	j->ret->certificate = arena_text_n(j->a, text, (size_t)(key - text));
	j->ret->server_ca = text_of(j->a, &ca);
	j->ret->server = id.server;
	j->ret->instance_id = id.instance_id;
	j->ret->epoch = id.epoch;
	j->ret->boot_id = arena_printf(j->a, "%.36s-%.8s", boot, id.state_id);
	return memory_index(&j->h->store, j->a, &j->ret->ids, e);
}

/* -- CSRs ----------------------------------------------------------------------------------------------------------------------------- */

/* A target keeps the keys of its last few CSRs: a rotation that is taken back brings an earlier chain
 * again, and keys of CSRs that were never answered do not pile up. */
static troth_rc remember_request(struct job *j, struct troth_err *e)
{
	const char *name = arena_printf(j->a, "targets/%s.csrs", j->r->id);
	CLEANUP(buf_release) struct buf old = { 0 };
	CLEANUP(buf_release) struct buf all = buf_make(4096);
	const char *lines[REQUESTS_MAX + 1];
	size_t n = 0;
	struct troth_err why = { 0 };
	if (rc_failed(store_read(&j->h->store, name, 4096, &old, &why)) && why.kind != TROTH_NOT_FOUND)
		return err_set(e, why.kind, "%s", why.primary);
	for (const char *p = buf_text(&old); *p && n < REQUESTS_MAX + 1; p += strcspn(p, "\n"), p += *p == '\n')
		lines[n++] = arena_text_n(j->a, p, strcspn(p, "\n"));
	for (size_t i = 0; i < n; i++)
		if (text_equal(lines[i], j->r->request))
			return RC_OK;
	size_t from = n >= REQUESTS_MAX ? n - REQUESTS_MAX + 1 : 0;
	for (size_t i = from; i < n; i++)
		buf_printf(&all, "%s\n", lines[i]);
	buf_printf(&all, "%s\n", j->r->request);
	TRY(store_write(&j->h->store, name, buf_bytes(&all), e));
	for (size_t i = 0; i < from; i++)
		if (uuid_valid(lines[i]))
			TRY(store_remove(&j->h->store, memory_request_name(j->a, lines[i]), e));
	return RC_OK;
}

static troth_rc key_for(struct job *j, const char *name, enum key_type type, struct key **ret, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf pem = { 0 };
	struct troth_err why = { 0 };
	troth_rc rc = store_read(&j->h->store, name, 4 * LIMIT_KEY_DER_BYTES, &pem, &why);
	if (rc_ok(rc))
		return key_parse(buf_bytes(&pem), ret, e);
	if (why.kind != TROTH_NOT_FOUND)
		return err_set(e, why.kind, "%s", why.primary);
	TRY(key_generate(type, ret, e));
	pem = buf_make_secret(4 * LIMIT_KEY_DER_BYTES);
	TRY(key_write(*ret, KEY_PKCS8_PEM, &pem, e));
	return store_write(&j->h->store, name, buf_bytes(&pem), e);
}

static troth_rc do_csr(struct job *j, struct troth_err *e)
{
	CLEANUP(key_releasep) struct key *k = NULL;
	enum key_type type;
	ENSURE(j->r->id && uuid_valid(j->r->id) && j->r->request && uuid_valid(j->r->request), e, TROTH_INVALID,
	       "a CSR needs a target and a request id");
	TRY(key_type_parse(j->r->key_type ? j->r->key_type : "", &type, e));
	TRY(remember_request(j, e));
	TRY(key_for(j, memory_request_name(j->a, j->r->request), type, &k, e));
	return csr_build(j->a, k, j->r->common_name ? j->r->common_name : "", &j->ret->csr, e);
}

static troth_rc do_identity_csr(struct job *j, struct troth_err *e)
{
	CLEANUP(key_releasep) struct key *k = NULL;
	struct agent_identity id;
	TRY(identity_read(&j->h->store, j->a, &id, e));
	TRY(key_for(j, "identity-next.key", KEY_EC_P256, &k, e));
	return csr_build(j->a, k, id.instance_id, &j->ret->csr, e);
}

static troth_rc do_identity_save(struct job *j, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf pem = { 0 };
	ENSURE(j->r->certificate && j->r->server_ca, e, TROTH_INVALID, "no identity to save");
	TRY(store_read(&j->h->store, "identity-next.key", 4 * LIMIT_KEY_DER_BYTES, &pem, e));
	TRY(identity_install(&j->h->store, j->a, buf_bytes(&pem), j->r->certificate, j->r->chain, j->r->server_ca, e));
	return store_remove(&j->h->store, "identity-next.key", e);
}

/* -- the table ------------------------------------------------------------------------------------------------------------------------- */

static troth_rc (*const OPS[HAND_OP_COUNT])(struct job *j, struct troth_err *e) = {
	[HAND_HELLO] = do_hello, [HAND_EPOCH] = do_epoch, [HAND_LOOK] = do_look, [HAND_STAGE] = do_stage,
	[HAND_REFUSE] = do_refuse, [HAND_SWAP] = do_swap, [HAND_RELOAD] = do_reload, [HAND_ATTEST] = do_attest,
	[HAND_SETTLE] = do_settle, [HAND_PUT_BACK] = do_put_back, [HAND_BACK_DONE] = do_back_done, [HAND_CHECK] = do_check,
	[HAND_FORGET] = do_forget, [HAND_CSR] = do_csr, [HAND_IDENTITY_CSR] = do_identity_csr,
	[HAND_IDENTITY_SAVE] = do_identity_save,
};

void hand_handle(struct hand *h, const struct hand_request *r, struct arena *a, struct hand_reply *ret)
{
	struct job j = { .h = h, .r = r, .a = a, .ret = ret };
	struct troth_err e = { 0 };
	memset(ret, 0, sizeof *ret);
	troth_rc rc = OPS[r->op](&j, &e);
	ret->op = r->op;
	ret->ticket = r->ticket;
	ret->id = r->id;
	ret->generation = r->generation;
	ret->ok = rc_ok(rc);
	if (ret->ok)
		return;
	ret->kind = e.kind;
	ret->text = arena_printf(a, "%s%s%s", e.primary, e.hint[0] ? "; " : "", e.hint);
}

bool hand_is_slow(const struct hand *h, const struct hand_request *r)
{
	return r->op == HAND_RELOAD || r->op == HAND_CSR || r->op == HAND_IDENTITY_CSR;
}

troth_rc hand_open(struct hand *h, const struct hand_port *port, const char *dir, const struct profile *const *profiles,
		   size_t profile_count, const struct settings *settings, struct troth_err *e)
{
	*h = (struct hand){ .port = *port, .profiles = profiles, .profile_count = profile_count, .settings = settings,
			     .instance_lock = -1 };
	h->port.uid = geteuid();
	h->store.fs = port->fs;
	h->store.fd = port->fs->openat(port->fs->self, AT_FDCWD, dir, O_RDONLY | O_DIRECTORY, 0);
	if (h->store.fd < 0)
		return err_errno(e, errno, "could not open the agent's directory \"%.200s\"", dir);
	troth_rc rc = store_make_dir(&h->store, "targets", e);
	if (rc_ok(rc))
		rc = store_make_dir(&h->store, "keys", e);
	if (rc_failed(rc))
		hand_close(h);
	return rc;
}

void hand_close(struct hand *h)
{
	while (h->lock_count)
		lock_drop(h, &h->locks[0]);
	if (h->store.fd >= 0)
		h->store.fs->close(h->store.fs->self, h->store.fd);
	h->store.fd = -1;
}
