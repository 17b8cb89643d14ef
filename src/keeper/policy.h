/* A key's policy: what a wrapped key may be used for, fixed when the key was made.
 *
 * A wrapped key ("blob") is the policy in clear, then the private key under AES-256-GCM with the
 * policy as associated data.  So the server can read a policy (keeper_policy_read) and store it, and
 * whoever changes a byte of it makes the blob unusable.  The keeper believes only a policy that it
 * has opened itself.
 *
 *     "TKB1" | policy length u16 | policy | nonce 12 | length u32 | ciphertext | tag 16
 */
#ifndef TROTH_KEEPER_POLICY_H
#define TROTH_KEEPER_POLICY_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"

enum keeper_key_kind {
	KEEPER_KEY_AUTHORITY = 1, /* signs certificates */
	KEEPER_KEY_LEAF,          /* of a service: kept for delivery, signs nothing here */
	KEEPER_KEY_AUDIT,         /* signs heads of the audit chain, nothing else */
	KEEPER_KEY_WEBHOOK,       /* a shared secret: signs what is sent to one webhook, nothing else */
};

struct keeper_policy {
	char key_id[UUID_LEN];         /* the caller's name for the key: the version's uuid */
	enum keeper_key_kind kind;
	const char *authority;         /* "/prod/pg/ca"; for a leaf its credential's name; for audit "/troth/audit";
	                                  for a webhook its name */
	bool may_sign_ca;              /* authority: may sign other authorities' certificates */
	int path_len;                  /* authority: CAs allowed below this one; -1 = any number */
	msec_t latest_not_after;       /* authority: nothing it signs may end later */
	bool exportable;               /* it may be given out again: a leaf's by KEY_OPEN, an authority's by AUTHORITY_OPEN.  Fixed
	                                  here for good: what was made without is never given to anybody */
	bool brought;                  /* authority: made elsewhere, so somebody else may have it; the keeper fills it in */
	uint8_t spki_hash[SHA256_LEN]; /* SHA-256 of the public key's SPKI, of a webhook's secret itself; the keeper
	                                  fills it in */
};

/* The policy of a blob as it is written there: NOT checked, for listing and for choosing a blob.
 * CORRUPT if the bytes are not a blob.  Texts live in arena a. */
troth_rc keeper_policy_read(struct arena *a, struct bytes blob, struct keeper_policy *ret, struct troth_err *e);
/* "authority", "leaf", "audit", "webhook"; "unknown" for what is not a kind. */
const char *keeper_key_kind_name(enum keeper_key_kind kind);

/* -- inside the room -------------------------------------------------------------------------- */
enum { KEEPER_POLICY_BYTES = 512 }; /* room for the longest encoded policy */

/* Encodes to at most KEEPER_POLICY_BYTES, always the same bytes for the same policy.
 * INVALID if a field is out of its bounds. */
troth_rc keeper_policy_encode(const struct keeper_policy *p, struct buf *out, struct troth_err *e);
/* The exact inverse: other lengths, other versions, unknown fields and trailing bytes are refused. */
troth_rc keeper_policy_decode(struct arena *a, struct bytes in, struct keeper_policy *ret, struct troth_err *e);
/* The table of it (field.h), for requests that carry a policy. */
struct field;
const struct field *keeper_policy_fields(size_t *ret_count);

#endif
