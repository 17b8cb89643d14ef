/* Requests about the agent rather than a target's files: who it is, its epoch, what it forgets, its keys. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "agent/hand_task.h"
#include "base/limits.h"

enum { REQUESTS_MAX = 8 };

/* -- FORGET, EPOCH, HELLO ------------------------------------------------------------------------------------------------------------ */

troth_rc hand_do_forget(struct task *j, struct troth_err *e)
{
	struct troth_err why = { 0 };
	troth_rc rc = task_load(j, &why);
	task_unlock(j->h, j->r->id);
	if (rc_failed(rc) && why.kind == TROTH_NOT_FOUND)
		return RC_OK;
	if (rc_failed(rc))
		return err_set(e, why.kind, "%s", why.primary);
	return memory_forget(&j->h->store, j->a, &j->m, e);
}

/* The server was restored: it may not know what it told us last.  What is settled stays (it learns l and
 * h from us, and its generations go on above h); what is only begun is taken back. */
static troth_rc take_back(struct task *j, const char *id, const char *epoch, struct troth_err *e)
{
	TRY(memory_read(&j->h->store, j->a, id, &j->m, e));
	if (text_equal(j->m.epoch, epoch))
		return RC_OK;
	j->m.epoch = epoch;
	if (j->m.phase != PHASE_SETTLED) {
		j->m.phase = PHASE_BACKING;
		j->m.reason = "the server began a new epoch while this was being applied";
	}
	return task_save(j, e);
}

troth_rc hand_do_epoch(struct task *j, struct troth_err *e)
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

static troth_rc read_line(struct task *j, const char *path, char *out, size_t size, struct troth_err *e)
{
	const struct port_fs *fs = task_fs(j);
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

troth_rc hand_do_hello(struct task *j, struct troth_err *e)
{
	struct agent_identity id;
	char boot[64] = "";
	CLEANUP(buf_release) struct buf pem = { 0 };
	struct agent_trust trust;
	TRY(identity_read(&j->h->store, j->a, &id, e));
	TRY(read_line(j, "/proc/sys/kernel/random/boot_id", boot, sizeof boot, e));
	TRY(store_read(&j->h->store, "identity.pem", 2 * LIMIT_PEM_BYTES, &pem, e));
	TRY(trust_read(&j->h->store, j->a, &trust, e));
	const char *text = text_of(j->a, &pem), *key = strstr(text, "-----BEGIN PRIVATE KEY");
	ENSURE(key, e, TROTH_CORRUPT, "identity.pem has no key");
	j->ret->key = bytes_of(key, strlen(key)); /* the end of text: wiped with it by whoever sends this */
	j->ret->certificate = arena_text_n(j->a, text, (size_t)(key - text));
	j->ret->server_ca = trust.pem;
	j->ret->trust_id = trust.id;
	j->ret->trust_generation = trust.generation;
	j->ret->trust_fingerprints = trust.fingerprints;
	j->ret->server = id.server;
	j->ret->instance_id = id.instance_id;
	j->ret->epoch = id.epoch;
	j->ret->boot_id = arena_printf(j->a, "%.36s-%.8s", boot, id.state_id);
	return memory_index(&j->h->store, j->a, &j->ret->ids, e);
}

/* -- CSRs ----------------------------------------------------------------------------------------------------------------------------- */

/* A target keeps the keys of its last few CSRs: a rotation that is taken back brings an earlier chain
 * again, and keys of CSRs that were never answered do not pile up. */
static troth_rc remember_request(struct task *j, struct troth_err *e)
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

static troth_rc key_for(struct task *j, const char *name, enum key_type type, struct key **ret, struct troth_err *e)
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

troth_rc hand_do_csr(struct task *j, struct troth_err *e)
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

/* A key is for one identity.  Where the power failed before this file was removed, it holds the key of the present one. */
static troth_rc drop_spent_key(struct task *j, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf next = { 0 };
	CLEANUP(buf_release) struct buf pem = { 0 };
	CLEANUP(key_releasep) struct key *k = NULL;
	const struct cert *const *certs;
	size_t n;
	if (rc_failed(store_read(&j->h->store, "identity-next.key", 4 * LIMIT_KEY_DER_BYTES, &next, NULL)))
		return RC_OK; /* there is none, or whoever wants it says what is wrong */
	TRY(key_parse(buf_bytes(&next), &k, e));
	TRY(store_read(&j->h->store, "identity.pem", 2 * LIMIT_PEM_BYTES, &pem, e));
	const char *text = buf_text(&pem), *key = strstr(text, "-----BEGIN PRIVATE KEY");
	ENSURE(key, e, TROTH_CORRUPT, "identity.pem has no key");
	TRY(certs_parse_pem(j->a, bytes_of(text, (size_t)(key - text)), &certs, &n, e));
	return key_public_matches(k, certs[0]->spki) ? store_remove(&j->h->store, "identity-next.key", e) : RC_OK;
}

troth_rc hand_do_identity_csr(struct task *j, struct troth_err *e)
{
	CLEANUP(key_releasep) struct key *k = NULL;
	struct agent_identity id;
	TRY(identity_read(&j->h->store, j->a, &id, e));
	TRY(drop_spent_key(j, e));
	TRY(key_for(j, "identity-next.key", KEY_EC_P256, &k, e));
	return csr_build(j->a, k, id.instance_id, &j->ret->csr, e);
}

/* A renewal leaves the server's CAs alone: those come as documents, in order (TRUST_SAVE); who was recovered begins anew with
 * what it was given (server_ca).  A key that was sealed to the former identity may still be on its way. */
troth_rc hand_do_identity_save(struct task *j, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf pem = { 0 };
	CLEANUP(buf_release) struct buf former = { 0 };
	ENSURE(j->r->certificate, e, TROTH_INVALID, "no identity to save");
	TRY(store_read(&j->h->store, "identity-next.key", 4 * LIMIT_KEY_DER_BYTES, &pem, e));
	TRY(store_read(&j->h->store, "identity.pem", 2 * LIMIT_PEM_BYTES, &former, e));
	TRY(store_write(&j->h->store, "identity-former.pem", buf_bytes(&former), e));
	TRY(identity_install(&j->h->store, j->a, buf_bytes(&pem), j->r->certificate, j->r->chain, j->r->server_ca, e));
	return store_remove(&j->h->store, "identity-next.key", e);
}

/* What came later rules, as for every document (A1).  The same once more is answered once more. */
troth_rc hand_do_trust_save(struct task *j, struct troth_err *e)
{
	struct agent_trust now;
	ENSURE(j->r->id && uuid_valid(j->r->id), e, TROTH_INVALID, "which store is it?");
	TRY(trust_read(&j->h->store, j->a, &now, e));
	bool same = text_equal(now.id, j->r->id);
	ENSURE(!same || j->r->generation >= now.generation, e, TROTH_CONFLICT, "generation %lld of the server's CAs is older than %lld",
	       (long long)j->r->generation, (long long)now.generation);
	if (!same || j->r->generation > now.generation)
		TRY(trust_write(&j->h->store, j->a, j->r->id, j->r->generation, &j->r->certificates, e));
	return hand_do_hello(j, e);
}
