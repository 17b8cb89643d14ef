/* The audit head as it is signed, and checking such a signature. */
#include "keeper/audit.h"

#include "keeper/field.h"

void keeper_audit_head(uint64_t seq, const uint8_t head[SHA256_LEN], msec_t signed_at,
		       uint8_t out[KEEPER_AUDIT_HEAD_BYTES])
{
	CLEANUP(buf_release) struct buf b = buf_make(KEEPER_AUDIT_HEAD_BYTES);
	buf_add(&b, KEEPER_AUDIT_PREFIX, sizeof KEEPER_AUDIT_PREFIX);
	field_put_u64(&b, seq);
	buf_add(&b, head, SHA256_LEN);
	field_put_u64(&b, (uint64_t)signed_at);
	CHECK(buf_ok(&b) && b.len == KEEPER_AUDIT_HEAD_BYTES);
	memcpy(out, b.data, b.len);
}

troth_rc keeper_audit_verify(struct bytes spki, uint64_t seq, const uint8_t head[SHA256_LEN], msec_t signed_at,
			     struct bytes signature, struct troth_err *e)
{
	uint8_t signed_bytes[KEEPER_AUDIT_HEAD_BYTES];
	keeper_audit_head(seq, head, signed_at, signed_bytes);
	ENSURE(rc_ok(spki_verify(spki, bytes_of(signed_bytes, sizeof signed_bytes), signature, NULL)), e, TROTH_CORRUPT,
	       "the signature of audit head %llu does not hold", (unsigned long long)seq);
	return RC_OK;
}
