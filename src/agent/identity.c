/* Who this agent is: agent.json, identity.pem and server-ca.pem in its directory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/hand.h"
#include "pki/pki.h"

troth_rc identity_read(const struct store_dir *d, struct arena *a, struct agent_identity *ret, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf b = { 0 };
	const struct json *j;
	troth_rc rc = store_read(d, "agent.json", 64 << 10, &b, e);
	if (rc_failed(rc) && e && e->kind == TROTH_NOT_FOUND) {
		rc = err_set(e, TROTH_NOT_FOUND, "this agent is not enrolled: there is no agent.json in its directory");
		err_hint(e, "troth agent enroll --server URL --ca-fingerprint HEX --token TOKEN --dir DIR");
	}
	TRY(rc);
	TRY(json_parse(a, buf_bytes(&b), &j, e));
	struct agent_identity id = { json_get_text(j, "server", NULL), json_get_text(j, "instance_id", NULL),
				     json_get_text(j, "instance", ""), json_get_text(j, "deployment", ""),
				     json_get_text(j, "epoch", ""), json_get_text(j, "state_id", "") };
	ENSURE(id.server && id.instance_id, e, TROTH_CORRUPT, "agent.json is damaged");
	*ret = id;
	return RC_OK;
}

troth_rc identity_write(const struct store_dir *d, const struct agent_identity *id, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf b = buf_make(64 << 10);
	struct json_writer w = json_writer_make(&b);
	jw_object(&w);
	jw_kv_text(&w, "server", id->server);
	jw_kv_text(&w, "instance_id", id->instance_id);
	jw_kv_text(&w, "instance", id->instance);
	jw_kv_text(&w, "deployment", id->deployment);
	jw_kv_text(&w, "epoch", id->epoch);
	jw_kv_text(&w, "state_id", id->state_id);
	jw_object_end(&w);
	ENSURE(buf_ok(&b), e, TROTH_TOO_LARGE, "agent.json would be too large");
	return store_write(d, "agent.json", buf_bytes(&b), e);
}

/* Certificates as we read them, not as they came: text between them could pass for a key of ours. */
static void add_certs(struct arena *a, struct buf *b, const struct cert *const *certs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_add_text(b, cert_pem(a, certs[i]->der));
}

troth_rc identity_install(const struct store_dir *d, struct arena *a, struct bytes key_pem, const char *certificate,
			  const char *chain, const char *server_ca, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf b = buf_make_secret(2 * LIMIT_PEM_BYTES);
	CLEANUP(key_releasep) struct key *k = NULL;
	const struct cert *c;
	const struct cert *const *cas, *const *above = NULL;
	size_t ca_count, above_count = 0;
	TRY(key_parse(key_pem, &k, e));
	TRY(cert_parse_any(a, bytes_of_text(certificate), &c, e));
	ENSURE(key_public_matches(k, c->spki), e, TROTH_INVALID, "the identity certificate is not for this agent's key");
	if (server_ca)
		TRY(certs_parse_pem(a, bytes_of_text(server_ca), &cas, &ca_count, e));
	if (chain && chain[0])
		TRY(certs_parse_pem(a, bytes_of_text(chain), &above, &above_count, e));
	add_certs(a, &b, &c, 1);
	add_certs(a, &b, above, above_count);
	buf_add_bytes(&b, key_pem);
	ENSURE(buf_ok(&b), e, TROTH_TOO_LARGE, "the identity is too large");
	if (server_ca)
		TRY(store_write(d, "server-ca.pem", bytes_of_text(server_ca), e));
	return store_write(d, "identity.pem", buf_bytes(&b), e);
}

/* -- whom we believe ---------------------------------------------------------------------------------- */

#define TRUST_HEAD "troth: generation %lld of %s\n"

/* "troth: generation 7 of <uuid>", or nothing of the kind. */
static void read_head(struct arena *a, const char *text, struct agent_trust *ret)
{
	char id[UUID_LEN] = "";
	long long generation = 0;
	ret->id = "";
	ret->generation = 0;
	if (sscanf(text, "troth: generation %lld of %36s", &generation, id) != 2 || generation <= 0 || !uuid_valid(id))
		return;
	ret->id = arena_text(a, id);
	ret->generation = generation;
}

troth_rc trust_read(const struct store_dir *d, struct arena *a, struct agent_trust *ret, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf b = { 0 };
	const struct cert *const *cas;
	size_t n;
	TRY(store_read(d, "server-ca.pem", LIMIT_PEM_BYTES, &b, e));
	ret->pem = arena_text(a, buf_text(&b));
	read_head(a, ret->pem, ret);
	if (rc_failed(certs_parse_pem(a, bytes_of_text(ret->pem), &cas, &n, NULL)))
		n = 0; /* whoever speaks TLS by it says what is wrong */
	ret->fingerprints = (struct json_texts){ ARENA_ARRAY(a, const char *, n), n };
	for (size_t i = 0; i < n; i++) {
		char hex[SHA256_HEX_LEN];
		ret->fingerprints.items[i] = arena_text(a, cert_fingerprint_hex(cas[i], hex));
	}
	qsort(ret->fingerprints.items, n, sizeof *ret->fingerprints.items, text_order);
	return RC_OK;
}

troth_rc trust_write(const struct store_dir *d, struct arena *a, const char *id, int64_t generation,
		     const struct json_texts *certificates, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf b = buf_make(LIMIT_PEM_BYTES);
	ENSURE(certificates->count > 0, e, TROTH_INVALID, "no CA: the server could not be believed any more");
	buf_printf(&b, TRUST_HEAD, (long long)generation, id);
	for (size_t i = 0; i < certificates->count; i++) {
		const struct cert *c;
		TRY(cert_parse_any(a, bytes_of_text(certificates->items[i]), &c, e));
		ENSURE(c->is_ca, e, TROTH_INVALID, "certificate %zu of %zu is no CA", i + 1, certificates->count);
		buf_add_text(&b, cert_pem(a, c->der)); /* as we read it, not as it came */
	}
	ENSURE(buf_ok(&b), e, TROTH_TOO_LARGE, "the server's CAs are too large");
	return store_write(d, "server-ca.pem", buf_bytes(&b), e);
}
