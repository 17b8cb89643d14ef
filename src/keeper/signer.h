/* Opened keys: the last few that were used, so that a fleet's thousand leaves open their CA key once.
 *
 * An entry is found by the SHA-256 of blob and certificate together, so a changed byte in either is
 * another entry and goes through every check again. */
#ifndef TROTH_KEEPER_SIGNER_H
#define TROTH_KEEPER_SIGNER_H

#include "base/limits.h"
#include "keeper/request.h"

struct signer {
	struct keeper_policy policy; /* opened, so believed */
	const struct cert *cert;     /* NULL if none was asked for */
	struct key *key;
	/* the cache's */
	struct arena *a;
	uint8_t id[SHA256_LEN];
	uint64_t used_at;
};

struct signer_cache {
	struct signer entries[LIMIT_KEEPER_CACHED_KEYS];
	uint64_t clock; /* counts uses */
};

/* Opens issuer->blob and reads issuer->cert (when it has one).  The signer stays the cache's and is good
 * until LIMIT_KEEPER_CACHED_KEYS - 1 others have been opened. */
troth_rc signer_open(struct signer_cache *c, const unsigned char master[32], const struct keeper_issuer *issuer,
		     const struct signer **ret, struct troth_err *e);
void signer_cache_clear(struct signer_cache *c);

#endif
