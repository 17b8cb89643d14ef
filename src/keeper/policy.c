/* A policy as bytes, and reading one off a blob.  The blob's own layout is wrap.c's; here only its
 * front part is looked at. */
#include "keeper/policy.h"

#include "base/limits.h"
#include "keeper/field.h"
#include "keeper/wrap.h"

static const struct field FIELDS[] = {
	{ 1, FIELD_UUID, "policy key id", offsetof(struct keeper_policy, key_id) },
	{ 2, FIELD_INT, "policy kind", offsetof(struct keeper_policy, kind), .size = sizeof(enum keeper_key_kind),
	  .min = KEEPER_KEY_AUTHORITY, .max = KEEPER_KEY_WEBHOOK },
	{ 3, FIELD_TEXT, "policy authority", offsetof(struct keeper_policy, authority), .max = LIMIT_NAME_BYTES,
	  .required = true },
	{ 4, FIELD_BOOL, "policy may sign CA", offsetof(struct keeper_policy, may_sign_ca) },
	{ 5, FIELD_INT, "policy path length", offsetof(struct keeper_policy, path_len), .size = sizeof(int), .min = -1,
	  .max = LIMIT_CHAIN_CERTS },
	{ 6, FIELD_INT, "policy latest notAfter", offsetof(struct keeper_policy, latest_not_after), .size = sizeof(msec_t),
	  .min = 0, .max = INT64_C(253402300799000) /* 9999-12-31T23:59:59Z */ },
	{ 7, FIELD_BOOL, "policy exportable", offsetof(struct keeper_policy, exportable) },
	{ 8, FIELD_FIXED, "policy public key", offsetof(struct keeper_policy, spki_hash), .size = SHA256_LEN },
	{ 9, FIELD_BOOL, "policy brought", offsetof(struct keeper_policy, brought) },
};

const struct field *keeper_policy_fields(size_t *ret_count)
{
	*ret_count = ARRAY_LEN(FIELDS);
	return FIELDS;
}

troth_rc keeper_policy_encode(const struct keeper_policy *p, struct buf *out, struct troth_err *e)
{
	return field_write(FIELDS, ARRAY_LEN(FIELDS), p, out, e);
}

troth_rc keeper_policy_decode(struct arena *a, struct bytes in, struct keeper_policy *ret, struct troth_err *e)
{
	struct keeper_policy p = { 0 };
	TRY(field_read(FIELDS, ARRAY_LEN(FIELDS), a, in, &p, e));
	*ret = p;
	return RC_OK;
}

troth_rc keeper_policy_read(struct arena *a, struct bytes blob, struct keeper_policy *ret, struct troth_err *e)
{
	struct wrap_parts parts;
	TRY(wrap_split(blob, &parts, e));
	struct troth_err why = { 0 };
	if (rc_failed(keeper_policy_decode(a, parts.policy, ret, &why)))
		return err_set(e, TROTH_CORRUPT, "the policy of a wrapped key cannot be read: %s", why.primary);
	return RC_OK;
}

const char *keeper_key_kind_name(enum keeper_key_kind kind)
{
	static const char *const NAMES[] = { [KEEPER_KEY_AUTHORITY] = "authority", [KEEPER_KEY_LEAF] = "leaf",
					     [KEEPER_KEY_AUDIT] = "audit", [KEEPER_KEY_WEBHOOK] = "webhook" };
	return kind >= KEEPER_KEY_AUTHORITY && kind <= KEEPER_KEY_WEBHOOK ? NAMES[kind] : "unknown";
}
