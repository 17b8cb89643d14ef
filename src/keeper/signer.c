/* The cache of opened keys: found by hash, the least recently used one makes room. */
#include "keeper/signer.h"

#include "base/limits.h"
#include "keeper/wrap.h"

enum { SIGNER_ARENA_BYTES = 16 << 20 }; /* a certificate of 32 KiB with 10,000 tiny names, parsed: under 2 MiB */

/* hash(hash(blob) | hash(cert)): lengths cannot be shifted between the two */
static void issuer_id(const struct keeper_issuer *issuer, uint8_t out[SHA256_LEN])
{
	uint8_t both[2 * SHA256_LEN];
	pki_sha256(issuer->blob, both);
	pki_sha256(issuer->cert, both + SHA256_LEN);
	pki_sha256(bytes_of(both, sizeof both), out);
}

static void signer_clear(struct signer *s)
{
	key_release(s->key);
	arena_free(s->a);
	memset(s, 0, sizeof *s);
}

static struct signer *oldest(struct signer_cache *c)
{
	struct signer *best = &c->entries[0];
	for (size_t i = 1; i < ARRAY_LEN(c->entries); i++)
		if (c->entries[i].used_at < best->used_at)
			best = &c->entries[i];
	return best;
}

static troth_rc signer_fill(struct signer *s, const unsigned char *master, const struct keeper_issuer *issuer,
			    struct troth_err *e)
{
	s->a = arena_new(SIGNER_ARENA_BYTES);
	TRY(wrap_open(master, issuer->blob, s->a, &s->policy, &s->key, e));
	if (issuer->cert.len)
		TRY(cert_parse(s->a, issuer->cert, &s->cert, e));
	return RC_OK;
}

troth_rc signer_open(struct signer_cache *c, const unsigned char master[32], const struct keeper_issuer *issuer,
		     const struct signer **ret, struct troth_err *e)
{
	uint8_t id[SHA256_LEN];
	issuer_id(issuer, id);
	for (size_t i = 0; i < ARRAY_LEN(c->entries); i++) {
		struct signer *s = &c->entries[i];
		if (!s->key || memcmp(s->id, id, SHA256_LEN) != 0)
			continue;
		s->used_at = ++c->clock;
		*ret = s;
		return RC_OK;
	}
	struct signer fresh = { 0 };
	troth_rc rc = signer_fill(&fresh, master, issuer, e);
	if (rc_failed(rc)) {
		signer_clear(&fresh);
		return rc;
	}
	struct signer *s = oldest(c);
	signer_clear(s);
	*s = fresh;
	memcpy(s->id, id, SHA256_LEN);
	s->used_at = ++c->clock;
	*ret = s;
	return RC_OK;
}

void signer_cache_clear(struct signer_cache *c)
{
	for (size_t i = 0; i < ARRAY_LEN(c->entries); i++)
		signer_clear(&c->entries[i]);
}
