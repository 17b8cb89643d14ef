/* What a signature on the audit chain covers: a structure of its own, so that no signature made here
 * can pass for one over something else, nor the other way round.
 *
 *     "troth audit head v1" 0 | seq u64 | head 32 bytes | signed_at i64 (ms)      big-endian
 *
 * The time is the keeper's: a server cannot date a head back. */
#ifndef TROTH_KEEPER_AUDIT_H
#define TROTH_KEEPER_AUDIT_H

#include "keeper/request.h"

#define KEEPER_AUDIT_AUTHORITY "/troth/audit"
#define KEEPER_AUDIT_PREFIX "troth audit head v1" /* its 0 is part of it */

enum { KEEPER_AUDIT_HEAD_BYTES = sizeof KEEPER_AUDIT_PREFIX + 8 + SHA256_LEN + 8 };

void keeper_audit_head(uint64_t seq, const uint8_t head[SHA256_LEN], msec_t signed_at,
		       uint8_t out[KEEPER_AUDIT_HEAD_BYTES]);

#endif
