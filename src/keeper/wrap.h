/* Private keys at rest: AES-256-GCM under the master key, the key's policy as associated data.
 *
 *     "TKB1" | policy length u16 | policy | nonce 12 | length u32 | ciphertext | tag 16
 *      `------- associated data -------'
 *
 * The nonce is random (96 bits): far below 2^32 wraps per master key, which the rate of new keys
 * (limits.h) does not reach in a century.  The plain text is the key as PKCS#8 DER,
 * or the bytes of a webhook's secret. */
#ifndef TROTH_KEEPER_WRAP_H
#define TROTH_KEEPER_WRAP_H

#include "keeper/policy.h"
#include "pki/key.h"

struct wrap_parts { /* point into the blob */
	struct bytes associated; /* magic, length and policy */
	struct bytes policy;
	struct bytes nonce, sealed, tag;
};

/* Takes a blob apart; CORRUPT if it is not one (lengths, magic, trailing bytes). Proves nothing. */
troth_rc wrap_split(struct bytes blob, struct wrap_parts *ret, struct troth_err *e);
/* Wraps key `k` with `policy` (whose spki_hash must be k's).  The blob lives in arena a. */
troth_rc wrap_key(const unsigned char master[32], const struct keeper_policy *policy, const struct key *k,
		  struct arena *a, struct bytes *ret_blob, struct troth_err *e);
/* Opens a blob: from here on the policy is believed.  CORRUPT if a byte of it was changed, it was
 * wrapped under another master key, or the key inside is not the one its policy names.  The policy's
 * texts live in arena a; the caller releases the key. */
troth_rc wrap_open(const unsigned char master[32], struct bytes blob, struct arena *a, struct keeper_policy *ret_policy,
		   struct key **ret_key, struct troth_err *e);
/* The same for what is no private key: the secret of a webhook (policy->kind WEBHOOK).  FORBIDDEN when the one is opened as the
 * other. */
troth_rc wrap_secret(const unsigned char master[32], const struct keeper_policy *policy, struct bytes secret, struct arena *a,
		     struct bytes *ret_blob, struct troth_err *e);
/* Appends to ret_secret, a secret buffer of the caller's. */
troth_rc wrap_open_secret(const unsigned char master[32], struct bytes blob, struct arena *a, struct keeper_policy *ret_policy,
			  struct buf *ret_secret, struct troth_err *e);

#endif
