/* The requests that change what a target holds, and the table of all.  What they share is in
 * hand_files.c; reloading, checking and the agent's own affairs have files of their own. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/hand_task.h"
#include "base/limits.h"

/* -- LOOK ------------------------------------------------------------------------------------------------------------- */

static void take_found(struct task *j, struct bytes pem, const char *text)
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
static void look_for_files(struct task *j, int dir)
{
	int fd;
	char current[STATE_DIR_BYTES] = "";
	for (size_t i = 0; i < j->p.fixed_count && !j->m.found_text; i++) {
		CLEANUP(buf_release) struct buf b = { 0 };
		if (rc_ok(task_read_fixed(j, &j->p.fixed[i], &b, NULL, NULL)))
			take_found(j, buf_bytes(&b), arena_printf(j->a, "present in %s before anything of ours", j->p.fixed[i].path));
	}
	if (rc_failed(task_current(j, dir, current, NULL)) || !current[0])
		return;
	if (rc_failed(task_open_version(j, dir, current, false, &fd, NULL)))
		return;
	for (size_t i = 0; i < j->p.file_count && !j->m.found_text; i++) {
		CLEANUP(buf_release) struct buf b = { 0 };
		if (shows_certificates(j->p.files[i].content) &&
		    rc_ok(tree_read(task_fs(j), fd, j->p.files[i].name, DEPLOYED_BYTES, &b, NULL, NULL)))
			take_found(j, buf_bytes(&b), arena_printf(j->a, "present in %s/current/%s before anything of ours", j->p.directory,
								   j->p.files[i].name));
	}
	task_fs(j)->close(task_fs(j)->self, fd);
}

static void fill_view(const struct task *j, struct hand_view *v)
{
	const struct target_memory *m = &j->m;
	*v = (struct hand_view){ .phase = m->phase, .loaded = m->loaded.generation, .high_water = m->high_water,
				 .doing = m->doing.generation, .no_way_back = task_no_way_back(j), .has_files = m->loaded.dir[0] != 0,
				 .loaded_fingerprints = m->loaded.fingerprints, .doing_fingerprints = m->doing.fingerprints,
				 .reason = m->reason, .name = m->name, .profile = m->profile, .kind = m->kind, .role = m->role,
				 .parameters = m->parameters, .parameter_count = m->parameter_count,
				 .found_fingerprints = m->found_fingerprints, .found_text = m->found_text };
}

static troth_rc fresh_memory(struct task *j, struct troth_err *e)
{
	struct agent_identity id;
	ENSURE(j->r->name && j->r->profile, e, TROTH_NOT_FOUND, "target %s is not known here", j->r->id);
	TRY(identity_read(&j->h->store, j->a, &id, e));
	j->m = (struct target_memory){ .id = j->r->id, .epoch = id.epoch };
	return RC_OK;
}

static troth_rc do_look(struct task *j, struct troth_err *e)
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
	rc = task_place(j, &why);
	if (rc_ok(rc))
		rc = task_lock(j, &why);
	if (rc_ok(rc))
		rc = tree_open(task_fs(j), &j->p, j->p.directory, true, &dir, &why);
	if (rc_ok(rc) && fresh)
		look_for_files(j, dir);
	task_close(j, &dir);
	if (rc_failed(rc)) /* no place for it: said, and remembered as asked */
		j->ret->text = arena_printf(j->a, "%s%s%s", why.primary, why.hint[0] ? "; " : "", why.hint);
	if (fresh || (j->r->name && j->r->profile))
		TRY(task_save(j, e));
	fill_view(j, &j->ret->view);
	return RC_OK;
}

/* -- STAGE, REFUSE ------------------------------------------------------------------------------------------------------ */

static troth_rc check_new(const struct task *j, struct troth_err *e)
{
	int64_t g = j->r->generation;
	ENSURE(g > j->m.high_water && g > j->m.loaded.generation, e, TROTH_CONFLICT,
	       "generation %lld is not above %lld, which is done with", (long long)g, (long long)j->m.high_water); /* A1 */
	ENSURE(j->m.phase == PHASE_SETTLED || g > j->m.doing.generation, e, TROTH_CONFLICT, "generation %lld is not above %lld, which is begun",
	       (long long)g, (long long)j->m.doing.generation);
	return RC_OK;
}

/* With the identity in this file. */
static troth_rc open_sealed(struct task *j, const char *file, struct buf *ret, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf identity = { 0 };
	CLEANUP(key_releasep) struct key *k = NULL;
	const struct cert *cert;
	TRY(store_read(&j->h->store, file, 2 * LIMIT_PEM_BYTES, &identity, e));
	TRY(key_parse(buf_bytes(&identity), &k, e));
	const char *end = strstr(buf_text(&identity), "-----END CERTIFICATE-----");
	ENSURE(end, e, TROTH_CORRUPT, "%s has no certificate", file);
	TRY(cert_parse_any(j->a, bytes_of(identity.data, (size_t)(end - (const char *)identity.data) + 25), &cert, e));
	*ret = buf_make_secret(4 * LIMIT_KEY_DER_BYTES);
	return cms_open(k, cert->der, j->r->sealed_key, ret, e);
}

/* The key of a slot's document: kept since its CSR, or sealed to our identity. */
static troth_rc find_key(struct task *j, struct buf *ret, struct troth_err *e)
{
	struct troth_err why = { 0 };
	if (j->r->key_request) {
		ENSURE(uuid_valid(j->r->key_request), e, TROTH_INVALID, "\"%.40s\" is no CSR's id", j->r->key_request);
		if (rc_failed(store_read(&j->h->store, memory_request_name(j->a, j->r->key_request), 4 * LIMIT_KEY_DER_BYTES, ret, &why)))
			return err_set(e, why.kind, "there is no key for CSR %s on this node: %s", j->r->key_request, why.primary);
		return RC_OK;
	}
	ENSURE(j->r->sealed_key.len > 0, e, TROTH_INVALID, "a slot's document without a key");
	troth_rc rc = open_sealed(j, "identity.pem", ret, e);
	if (rc_ok(rc))
		return rc;
	buf_release(ret);
	if (rc_failed(open_sealed(j, "identity-former.pem", ret, &why))) /* sealed before the identity was renewed? */
		return rc;
	err_clear(e);
	return RC_OK;
}

static troth_rc make_document(struct task *j, struct document *ret, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf key = { 0 };
	if (j->m.kind == MSG_SLOT)
		TRY(find_key(j, &key, e));
	return document_make(j->a, j->m.kind, &j->r->certificates, buf_bytes(&key), j->h->port.now(j->h->port.self), ret, e);
}

/* From this document on.  While another is begun, what that one named stays named. */
static void take_distrusted(struct task *j)
{
	struct json_texts old = j->m.phase == PHASE_SETTLED ? (struct json_texts){ 0 } : j->m.distrusted;
	struct json_texts out = { ARENA_ARRAY(j->a, const char *, LIMIT_DISTRUSTED + 1), 0 };
	for (size_t i = 0; i < j->r->distrusted.count && out.count < LIMIT_DISTRUSTED; i++)
		out.items[out.count++] = j->r->distrusted.items[i];
	for (size_t i = 0; i < old.count && out.count < LIMIT_DISTRUSTED; i++)
		out.items[out.count++] = old.items[i];
	j->m.distrusted = out;
}

static troth_rc stage_files(struct task *j, int dir, struct document *d, struct troth_err *e)
{
	char name[STATE_DIR_BYTES];
	int fd;
	memory_dir_name(j->r->generation, name);
	take_distrusted(j);
	task_add_old(j, name); /* until it is begun: a crash here leaves what the next settling removes */
	TRY(task_save(j, e));
	TRY(task_write_document(j, name, d, e));
	TRY(task_open_version(j, dir, name, true, &fd, e));
	troth_rc rc = task_write_files(j, fd, d, e);
	task_fs(j)->close(task_fs(j)->self, fd);
	TRY(rc);
	return tree_keep(task_fs(j), &j->p, j->p.directory, e);
}

static troth_rc do_stage(struct task *j, struct troth_err *e)
{
	int dir = -1;
	CLEANUP(document_release) struct document d = { 0 };
	TRY(task_prepare(j, &dir, e));
	troth_rc rc = check_new(j, e);
	if (rc_ok(rc))
		rc = make_document(j, &d, e);
	if (rc_ok(rc))
		rc = stage_files(j, dir, &d, e);
	task_close(j, &dir);
	if (rc_ok(rc))
		j->ret->fingerprints = d.fingerprints;
	j->ret->no_way_back = rc_ok(rc) && task_no_way_back(j);
	return rc;
}

static troth_rc do_refuse(struct task *j, struct troth_err *e)
{
	TRY(task_load(j, e));
	if (j->r->generation <= j->m.high_water)
		return RC_OK; /* said before */
	TRY(check_new(j, e));
	j->m.high_water = j->r->generation;
	return task_save(j, e);
}

/* -- SWAP, SETTLE ----------------------------------------------------------------------------------------------------------- */

static troth_rc begin(struct task *j, int dir, struct troth_err *e)
{
	char name[STATE_DIR_BYTES];
	CLEANUP(document_release) struct document d = { 0 };
	TRY(check_new(j, e));
	memory_dir_name(j->r->generation, name);
	struct version v = { .generation = j->r->generation };
	snprintf(v.dir, sizeof v.dir, "%s", name);
	TRY(task_read_document(j, &v, &d, e)); /* staged? */
	v.fingerprints = d.fingerprints;
	if (!j->m.loaded.dir[0]) { /* the first of ours: what was there is what we go back to */
		TRY(task_adopt(j, dir, e));
		TRY(task_current(j, dir, j->m.loaded.dir, e));
	}
	if (j->m.doing.dir[0])
		task_add_old(j, j->m.doing.dir);
	task_drop_old(j, name);
	j->m.doing = v;
	j->m.phase = PHASE_APPLYING;
	j->m.reason = NULL;
	return task_save(j, e);
}

static troth_rc link_all_fixed(struct task *j, struct troth_err *e)
{
	bool changed;
	for (size_t i = 0; i < j->p.fixed_count; i++)
		TRY(task_link_fixed(j, &j->p.fixed[i], &changed, e));
	return RC_OK;
}

static troth_rc do_swap(struct task *j, struct troth_err *e)
{
	int dir = -1, version = -1;
	TRY(task_prepare(j, &dir, e));
	troth_rc rc = RC_OK;
	if (j->m.phase != PHASE_APPLYING || j->m.doing.generation != j->r->generation)
		rc = begin(j, dir, e);
	if (rc_ok(rc))
		rc = task_open_version(j, dir, j->m.doing.dir, false, &version, e); /* never a dangling `current` */
	if (rc_ok(rc))
		rc = tree_link(task_fs(j), dir, j->m.doing.dir, "current", e);
	if (rc_ok(rc))
		rc = link_all_fixed(j, e);
	task_close(j, &version);
	task_close(j, &dir);
	return rc;
}

static troth_rc do_settle(struct task *j, struct troth_err *e)
{
	int dir = -1;
	char current[STATE_DIR_BYTES];
	TRY(task_prepare(j, &dir, e));
	struct target_memory *m = &j->m;
	troth_rc rc = RC_OK;
	bool again = m->phase == PHASE_SETTLED && m->loaded.generation == j->r->generation;
	if (!again) {
		rc = task_current(j, dir, current, e);
		if (rc_ok(rc) && (m->phase != PHASE_APPLYING || m->doing.generation != j->r->generation || !text_equal(current, m->doing.dir)))
			rc = err_set(e, TROTH_CONFLICT, "generation %lld is not the one in place", (long long)j->r->generation);
		for (size_t i = 0; rc_ok(rc) && i < m->old.count; i++)
			if (!text_equal(m->old.items[i], m->loaded.dir) && !text_equal(m->old.items[i], m->doing.dir))
				task_remove_version(j, dir, m->old.items[i]);
		if (rc_ok(rc)) {
			m->old.count = 0;
			if (m->loaded.generation) /* ours, and one generation more stays */
				task_add_old(j, m->loaded.dir);
			m->loaded = m->doing;
			if (m->doing.generation > m->high_water) /* a newer one may have been refused meanwhile */
				m->high_water = m->doing.generation;
			m->doing = (struct version){ 0 };
			m->phase = PHASE_SETTLED;
			rc = task_save(j, e);
		}
	}
	if (rc_ok(rc))
		rc = task_remove_old_trust(j, dir, e);
	task_close(j, &dir);
	return rc;
}

/* -- PUT_BACK, BACK_DONE ------------------------------------------------------------------------------------------------------ */

static troth_rc go_back(struct task *j, int dir, struct troth_err *e)
{
	const struct port_fs *fs = task_fs(j);
	if (j->m.loaded.dir[0])
		return tree_link(fs, dir, j->m.loaded.dir, "current", e);
	if (fs->unlinkat(fs->self, dir, "current", 0) != 0 && errno != ENOENT)
		return err_errno(e, errno, "could not remove \"current\" in \"%.200s\"", j->p.directory);
	return tree_sync(fs, dir, e);
}

static troth_rc refuse_distrusted(const struct task *j, struct troth_err *e)
{
	j->ret->no_way_back = true;
	return err_set(e, TROTH_UNSAFE, "what generation %lld replaced is distrusted; it is not put back", (long long)j->r->generation);
}

/* Its swap failed before it began, and h has passed it since: a newer one was refused.  It is nowhere in place and never will be. */
static bool never_begun(const struct task *j)
{
	return j->m.phase == PHASE_SETTLED && j->r->generation <= j->m.high_water && j->r->generation != j->m.loaded.generation;
}

static troth_rc do_put_back(struct task *j, struct troth_err *e)
{
	int dir = -1;
	TRY(task_prepare(j, &dir, e));
	troth_rc rc = RC_OK;
	if (never_begun(j)) {
		task_close(j, &dir);
		return RC_OK;
	}
	if (j->m.phase != PHASE_BACKING && task_no_way_back(j)) { /* whatever the link says: not by our hand */
		rc = refuse_distrusted(j, e);
	} else if (j->m.phase == PHASE_SETTLED) { /* the swap failed before it began: remember that it did */
		rc = check_new(j, e);
		if (rc_ok(rc) && !j->m.loaded.dir[0]) /* an adoption may have got as far as this */
			rc = task_current(j, dir, j->m.loaded.dir, e);
		j->m.doing = (struct version){ .generation = j->r->generation };
		memory_dir_name(j->r->generation, j->m.doing.dir);
		task_drop_old(j, j->m.doing.dir);
	} else if (j->m.doing.generation != j->r->generation) {
		rc = err_set(e, TROTH_CONFLICT, "generation %lld is not the one begun", (long long)j->r->generation);
	}
	if (rc_ok(rc)) {
		j->m.phase = PHASE_BACKING;
		j->m.reason = j->r->text;
		rc = task_save(j, e);
	}
	if (rc_ok(rc))
		rc = go_back(j, dir, e);
	task_close(j, &dir);
	return rc;
}

static troth_rc do_back_done(struct task *j, struct troth_err *e)
{
	int dir = -1;
	char current[STATE_DIR_BYTES];
	TRY(task_prepare(j, &dir, e));
	struct target_memory *m = &j->m;
	troth_rc rc = RC_OK;
	if (m->phase != PHASE_SETTLED || m->high_water < j->r->generation) {
		rc = task_current(j, dir, current, e);
		if (rc_ok(rc) && (m->phase != PHASE_BACKING || m->doing.generation != j->r->generation || !text_equal(current, m->loaded.dir)))
			rc = err_set(e, TROTH_CONFLICT, "generation %lld was not put back", (long long)j->r->generation);
		if (rc_ok(rc)) {
			task_add_old(j, m->doing.dir);
			if (m->doing.generation > m->high_water)
				m->high_water = m->doing.generation;
			m->doing = (struct version){ 0 };
			m->phase = PHASE_SETTLED;
			rc = task_save(j, e);
		}
	}
	task_close(j, &dir);
	return rc;
}

/* -- the table ------------------------------------------------------------------------------------------------------------------------- */

static troth_rc (*const OPS[HAND_OP_COUNT])(struct task *j, struct troth_err *e) = {
	[HAND_HELLO] = hand_do_hello, [HAND_EPOCH] = hand_do_epoch, [HAND_LOOK] = do_look, [HAND_STAGE] = do_stage,
	[HAND_REFUSE] = do_refuse, [HAND_SWAP] = do_swap, [HAND_RELOAD] = hand_do_reload, [HAND_ATTEST] = hand_do_attest,
	[HAND_SETTLE] = do_settle, [HAND_PUT_BACK] = do_put_back, [HAND_BACK_DONE] = do_back_done, [HAND_CHECK] = hand_do_check,
	[HAND_FORGET] = hand_do_forget, [HAND_CSR] = hand_do_csr, [HAND_IDENTITY_CSR] = hand_do_identity_csr,
	[HAND_IDENTITY_SAVE] = hand_do_identity_save, [HAND_TRUST_SAVE] = hand_do_trust_save,
};

void hand_handle(struct hand *h, const struct hand_request *r, struct arena *a, struct hand_reply *ret)
{
	struct task j = { .h = h, .r = r, .a = a, .ret = ret };
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
		task_unlock(h, h->locks[0].id);
	if (h->store.fd >= 0)
		h->store.fs->close(h->store.fs->self, h->store.fd);
	h->store.fd = -1;
}
