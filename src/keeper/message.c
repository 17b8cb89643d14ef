/* The tables of what is said on the line, and the frames around them. */
#include "keeper/message.h"

#include "base/limits.h"
#include "keeper/field.h"

static const uint8_t MAGIC[4] = { 'T', 'K', 'M', '1' };

#define TIME_MAX INT64_C(253402300799000) /* 9999-12-31T23:59:59Z */
#define REQ(member) offsetof(struct keeper_request, member)

static const struct field SPEC[] = {
	{ 1, FIELD_INT, "certificate kind", offsetof(struct cert_spec, kind), .size = sizeof(enum cert_kind), .min = 0,
	  .max = CERT_KIND_COUNT - 1 },
	{ 2, FIELD_TEXT, "common name", offsetof(struct cert_spec, common_name), .max = LIMIT_NAME_BYTES },
	{ 3, FIELD_TEXT, "organization", offsetof(struct cert_spec, organization), .max = LIMIT_NAME_BYTES },
	{ 4, FIELD_SANS, "subject alternative names", offsetof(struct cert_spec, sans),
	  .count_offset = offsetof(struct cert_spec, san_count), .max = LIMIT_SAN_COUNT },
	{ 5, FIELD_INT, "notBefore", offsetof(struct cert_spec, not_before), .size = sizeof(msec_t), .min = 0, .max = TIME_MAX },
	{ 6, FIELD_INT, "notAfter", offsetof(struct cert_spec, not_after), .size = sizeof(msec_t), .min = 0, .max = TIME_MAX },
	{ 7, FIELD_INT, "path length", offsetof(struct cert_spec, path_len), .size = sizeof(int), .min = -1,
	  .max = LIMIT_CHAIN_CERTS },
	{ 8, FIELD_TEXTS, "permitted names", offsetof(struct cert_spec, permitted_dns),
	  .count_offset = offsetof(struct cert_spec, permitted_dns_count), .max = CERT_PERMITTED_MAX },
	{ 9, FIELD_INT, "extended key usage", offsetof(struct cert_spec, eku), .size = sizeof(unsigned), .min = 0,
	  .max = EKU_SERVER | EKU_CLIENT },
	{ 10, FIELD_FIXED, "serial number", offsetof(struct cert_spec, serial), .size = CERT_SERIAL_LEN },
	{ 11, FIELD_BYTES, "public key", offsetof(struct cert_spec, spki), .max = LIMIT_KEY_DER_BYTES },
	{ 12, FIELD_TEXT, "organizational unit", offsetof(struct cert_spec, organizational_unit), .max = LIMIT_NAME_BYTES },
	{ 13, FIELD_TEXT, "country", offsetof(struct cert_spec, place.country), .max = CERT_COUNTRY_LEN },
	{ 14, FIELD_TEXT, "state", offsetof(struct cert_spec, place.state), .max = 4 * CERT_PLACE_MAX }, /* UTF-8 */
	{ 15, FIELD_TEXT, "locality", offsetof(struct cert_spec, place.locality), .max = 4 * CERT_PLACE_MAX },
	{ 16, FIELD_INT, "key usage", offsetof(struct cert_spec, key_usage), .size = sizeof(unsigned), .min = 0, .max = CERT_LEAF_USAGES },
};

static const struct field ISSUER[] = {
	{ 1, FIELD_BYTES, "wrapped key", offsetof(struct keeper_issuer, blob), .max = LIMIT_KEEPER_BLOB_BYTES, .required = true },
	{ 2, FIELD_BYTES, "issuer certificate", offsetof(struct keeper_issuer, cert), .max = LIMIT_CERT_DER_BYTES,
	  .required = true },
};

#define FIELD_SPEC_AT(tag_, member) \
	{ tag_, FIELD_STRUCT, "spec", REQ(member), .fields = SPEC, .field_count = ARRAY_LEN(SPEC) }
#define FIELD_ISSUER_AT(tag_, name_, member) \
	{ tag_, FIELD_STRUCT, name_, REQ(member), .fields = ISSUER, .field_count = ARRAY_LEN(ISSUER) }
#define FIELD_KEY_TYPE_AT(tag_, member) \
	{ tag_, FIELD_INT, "key type", REQ(member), .size = sizeof(enum key_type), .min = 0, .max = KEY_TYPE_COUNT - 1 }
/* A policy's own table lives in policy.c; it is put in place of this row when the row is used. */
#define FIELD_POLICY_AT(tag_, member) { tag_, FIELD_STRUCT, "policy", REQ(member) }

static const struct field AUTHORITY_CREATE[] = {
	FIELD_POLICY_AT(1, authority_create.policy),
	FIELD_KEY_TYPE_AT(2, authority_create.key_type),
	FIELD_SPEC_AT(3, authority_create.spec),
};
static const struct field AUTHORITY_SIGN[] = {
	FIELD_ISSUER_AT(1, "issuer", authority_sign.issuer),
	FIELD_POLICY_AT(2, authority_sign.policy),
	FIELD_KEY_TYPE_AT(3, authority_sign.key_type),
	FIELD_SPEC_AT(4, authority_sign.spec),
};
static const struct field AUTHORITY_CROSS[] = {
	FIELD_ISSUER_AT(1, "issuer", authority_cross.issuer),
	FIELD_ISSUER_AT(2, "subject", authority_cross.subject),
	FIELD_SPEC_AT(3, authority_cross.spec),
};
static const struct field AUTHORITY_REQUEST[] = {
	FIELD_POLICY_AT(1, authority_request.policy),
	FIELD_KEY_TYPE_AT(2, authority_request.key_type),
	FIELD_SPEC_AT(3, authority_request.spec),
};
static const struct field AUTHORITY_RENEW[] = {
	FIELD_ISSUER_AT(1, "root", authority_renew.root),
	FIELD_SPEC_AT(2, authority_renew.spec),
};
static const struct field LEAF_SIGN[] = {
	FIELD_ISSUER_AT(1, "issuer", leaf_sign.issuer),
	FIELD_SPEC_AT(2, leaf_sign.spec),
};
static const struct field LEAF_SEAL[] = {
	FIELD_ISSUER_AT(1, "issuer", leaf_seal.issuer),
	FIELD_KEY_TYPE_AT(2, leaf_seal.key_type),
	FIELD_SPEC_AT(3, leaf_seal.spec),
	{ 4, FIELD_BYTES, "recipient certificate", REQ(leaf_seal.recipient), .max = LIMIT_CERT_DER_BYTES, .required = true },
	FIELD_ISSUER_AT(5, "agents", leaf_seal.agents),
};
static const struct field KEY_WRAP[] = {
	FIELD_POLICY_AT(1, key_wrap.policy),
	{ 2, FIELD_BYTES, "private key", REQ(key_wrap.key), .max = LIMIT_KEY_DER_BYTES * 2, .required = true },
};
static const struct field KEY_SEAL[] = {
	{ 1, FIELD_BYTES, "wrapped key", REQ(key_seal.blob), .max = LIMIT_KEEPER_BLOB_BYTES, .required = true },
	{ 2, FIELD_BYTES, "recipient certificate", REQ(key_seal.recipient), .max = LIMIT_CERT_DER_BYTES, .required = true },
	FIELD_ISSUER_AT(3, "agents", key_seal.agents),
};
static const struct field KEY_MAKE[] = {
	FIELD_POLICY_AT(1, key_make.policy),
	FIELD_KEY_TYPE_AT(2, key_make.key_type),
};
static const struct field KEY_OPEN[] = {
	{ 1, FIELD_BYTES, "wrapped key", REQ(key_open.blob), .max = LIMIT_KEEPER_BLOB_BYTES, .required = true },
};
static const struct field AUDIT_CREATE[] = { { 1, FIELD_UUID, "key id", REQ(audit_create.key_id) } };
static const struct field AUDIT_SIGN[] = {
	{ 1, FIELD_BYTES, "wrapped key", REQ(audit_sign.blob), .max = LIMIT_KEEPER_BLOB_BYTES, .required = true },
	{ 2, FIELD_INT, "sequence", REQ(audit_sign.seq), .size = sizeof(uint64_t), .min = 0, .max = INT64_MAX },
	{ 3, FIELD_FIXED, "head", REQ(audit_sign.head), .size = SHA256_LEN },
};
static const struct field WEBHOOK_WRAP[] = {
	FIELD_POLICY_AT(1, webhook_wrap.policy),
	{ 2, FIELD_BYTES, "secret", REQ(webhook_wrap.secret), .max = KEEPER_WEBHOOK_SECRET_BYTES, .required = true },
};
static const struct field WEBHOOK_SIGN[] = {
	{ 1, FIELD_BYTES, "wrapped key", REQ(webhook_sign.blob), .max = LIMIT_KEEPER_BLOB_BYTES, .required = true },
	{ 2, FIELD_TEXT, "message id", REQ(webhook_sign.message), .max = KEEPER_WEBHOOK_ID_BYTES, .required = true },
	{ 3, FIELD_INT, "timestamp", REQ(webhook_sign.timestamp), .size = sizeof(int64_t), .min = 0, .max = TIME_MAX },
	{ 4, FIELD_BYTES, "body", REQ(webhook_sign.body), .max = LIMIT_WEBHOOK_BODY_BYTES, .required = true },
};

static const struct {
	const char *name;
	const struct field *fields;
	size_t count;
} KINDS[KEEPER_KIND_MAX] = {
	[KEEPER_PING] = { "ping", NULL, 0 },
	[KEEPER_AUTHORITY_CREATE] = { "authority-create", AUTHORITY_CREATE, ARRAY_LEN(AUTHORITY_CREATE) },
	[KEEPER_AUTHORITY_SIGN] = { "authority-sign", AUTHORITY_SIGN, ARRAY_LEN(AUTHORITY_SIGN) },
	[KEEPER_AUTHORITY_CROSS] = { "authority-cross", AUTHORITY_CROSS, ARRAY_LEN(AUTHORITY_CROSS) },
	[KEEPER_AUTHORITY_REQUEST] = { "authority-request", AUTHORITY_REQUEST, ARRAY_LEN(AUTHORITY_REQUEST) },
	[KEEPER_AUTHORITY_RENEW] = { "authority-renew", AUTHORITY_RENEW, ARRAY_LEN(AUTHORITY_RENEW) },
	[KEEPER_AUTHORITY_OPEN] = { "authority-open", KEY_OPEN, ARRAY_LEN(KEY_OPEN) },
	[KEEPER_LEAF_SIGN] = { "leaf-sign", LEAF_SIGN, ARRAY_LEN(LEAF_SIGN) },
	[KEEPER_LEAF_SEAL] = { "leaf-seal", LEAF_SEAL, ARRAY_LEN(LEAF_SEAL) },
	[KEEPER_KEY_WRAP] = { "key-wrap", KEY_WRAP, ARRAY_LEN(KEY_WRAP) },
	[KEEPER_KEY_SEAL] = { "key-seal", KEY_SEAL, ARRAY_LEN(KEY_SEAL) },
	[KEEPER_KEY_MAKE] = { "key-make", KEY_MAKE, ARRAY_LEN(KEY_MAKE) },
	[KEEPER_KEY_OPEN] = { "key-open", KEY_OPEN, ARRAY_LEN(KEY_OPEN) },
	[KEEPER_AUDIT_CREATE] = { "audit-create", AUDIT_CREATE, ARRAY_LEN(AUDIT_CREATE) },
	[KEEPER_WEBHOOK_WRAP] = { "webhook-wrap", WEBHOOK_WRAP, ARRAY_LEN(WEBHOOK_WRAP) },
	[KEEPER_WEBHOOK_SIGN] = { "webhook-sign", WEBHOOK_SIGN, ARRAY_LEN(WEBHOOK_SIGN) },
	[KEEPER_AUDIT_SIGN] = { "audit-sign", AUDIT_SIGN, ARRAY_LEN(AUDIT_SIGN) },
};
enum { FIELDS_MAX = 8 };

#define REPLY(member) offsetof(struct keeper_reply, member)
static const struct field REPLY_FIELDS[] = {
	{ 1, FIELD_TEXT, "text", REPLY(text), .max = LIMIT_TEXT_BYTES },
	{ 2, FIELD_TEXT, "hint", REPLY(hint), .max = LIMIT_TEXT_BYTES },
	{ 3, FIELD_BYTES, "wrapped key", REPLY(blob), .max = LIMIT_KEEPER_BLOB_BYTES },
	{ 4, FIELD_BYTES, "certificate", REPLY(der), .max = LIMIT_CERT_DER_BYTES },
	{ 5, FIELD_BYTES, "public key", REPLY(spki), .max = LIMIT_KEY_DER_BYTES },
	{ 6, FIELD_BYTES, "sealed key", REPLY(sealed), .max = LIMIT_KEEPER_SEALED_BYTES },
	{ 7, FIELD_BYTES, "signature", REPLY(signature), .max = 1024 },
	{ 8, FIELD_INT, "signed at", REPLY(signed_at), .size = sizeof(msec_t), .min = 0, .max = TIME_MAX },
	{ 9, FIELD_BYTES, "private key", REPLY(key), .max = LIMIT_KEY_DER_BYTES },
};

const char *keeper_kind_name(enum keeper_kind kind)
{
	return kind >= KEEPER_PING && kind < KEEPER_KIND_MAX ? KINDS[kind].name : "unknown";
}

/* The table of a kind with the policy's table put in. */
static size_t fields_of(unsigned kind, struct field out[FIELDS_MAX])
{
	size_t n = KINDS[kind].count;
	CHECK(n <= FIELDS_MAX);
	for (size_t i = 0; i < n; i++) {
		out[i] = KINDS[kind].fields[i];
		if (out[i].kind == FIELD_STRUCT && !out[i].fields)
			out[i].fields = keeper_policy_fields(&out[i].field_count);
	}
	return n;
}

void message_begin(struct buf *out)
{
	buf_clear(out);
	buf_add(out, MAGIC, sizeof MAGIC);
	buf_add_byte(out, 0);
}

static void put_back(struct buf *out, size_t len)
{
	if (out->secret && out->len > len)
		secret_wipe(out->data + len, out->len - len);
	out->len = len;
	out->failed = false;
}

/* Writes the frame's head, its fields by table, and then the length and the count. */
static troth_rc frame_add(struct buf *out, uint64_t id, unsigned kind, const struct field *fields, size_t n,
			  const void *in, struct troth_err *e)
{
	size_t start = out->len;
	CHECK(start >= MESSAGE_HEADER_BYTES && buf_ok(out));
	ENSURE(message_count(out) < LIMIT_KEEPER_BATCH, e, TROTH_TOO_LARGE, "a message carries at most %d requests",
	       LIMIT_KEEPER_BATCH);
	field_put_u64(out, id);
	buf_add_byte(out, (uint8_t)kind);
	field_put_u32(out, 0);
	size_t body = out->len;
	troth_rc rc = field_write(fields, n, in, out, e);
	if (rc_ok(rc) && !buf_ok(out))
		rc = err_set(e, TROTH_TOO_LARGE, "the message is full");
	if (rc_failed(rc)) {
		put_back(out, start);
		return rc;
	}
	size_t len = out->len - body;
	for (int i = 0; i < 4; i++)
		out->data[body - 4 + (size_t)i] = (uint8_t)(len >> (24 - 8 * i));
	out->data[4]++;
	return RC_OK;
}

troth_rc message_add_request(struct buf *out, const struct keeper_request *req, struct troth_err *e)
{
	struct field fields[FIELDS_MAX];
	ENSURE(req->id != 0, e, TROTH_INVALID, "a request to the keeper needs an id");
	ENSURE(req->kind >= KEEPER_PING && req->kind < KEEPER_KIND_MAX, e, TROTH_INVALID, "request kind %d is unknown",
	       (int)req->kind);
	size_t n = fields_of(req->kind, fields);
	return frame_add(out, req->id, req->kind, fields, n, req, e);
}

troth_rc message_add_reply(struct buf *out, const struct keeper_reply *reply, struct troth_err *e)
{
	return frame_add(out, reply->id, reply->kind, REPLY_FIELDS, ARRAY_LEN(REPLY_FIELDS), reply, e);
}

troth_rc message_split(struct bytes in, struct message_frame ret_frames[LIMIT_KEEPER_BATCH], size_t *ret_count,
		       struct troth_err *e)
{
	struct bytes magic;
	uint8_t count;
	ENSURE(in.len <= LIMIT_KEEPER_MESSAGE_BYTES && field_take(&in, sizeof MAGIC, &magic) &&
		       bytes_equal(magic, bytes_of(MAGIC, sizeof MAGIC)),
	       e, TROTH_INVALID, "these bytes are not a keeper message");
	ENSURE(field_take_u8(&in, &count) && count >= 1 && count <= LIMIT_KEEPER_BATCH, e, TROTH_INVALID,
	       "a message carries 1 to %d requests", LIMIT_KEEPER_BATCH);
	for (size_t i = 0; i < count; i++) {
		struct message_frame *f = &ret_frames[i];
		uint32_t len;
		ENSURE(field_take_u64(&in, &f->id) && field_take_u8(&in, &f->kind) && field_take_u32(&in, &len) &&
			       field_take(&in, len, &f->body),
		       e, TROTH_INVALID, "part %zu of the message is cut short", i);
	}
	ENSURE(in.len == 0, e, TROTH_INVALID, "the message has %zu trailing bytes", in.len);
	*ret_count = count;
	return RC_OK;
}

troth_rc message_read_request(struct arena *a, const struct message_frame *f, struct keeper_request *ret,
			      struct troth_err *e)
{
	struct field fields[FIELDS_MAX];
	struct keeper_request req = { .id = f->id, .kind = f->kind };
	ENSURE(f->id != 0, e, TROTH_INVALID, "a request to the keeper needs an id");
	ENSURE(f->kind >= KEEPER_PING && f->kind < KEEPER_KIND_MAX, e, TROTH_INVALID, "request kind %u is unknown", f->kind);
	size_t n = fields_of(f->kind, fields);
	TRY(field_read(fields, n, a, f->body, &req, e));
	*ret = req;
	return RC_OK;
}

troth_rc message_read_reply(struct arena *a, const struct message_frame *f, struct keeper_reply *ret,
			    struct troth_err *e)
{
	struct keeper_reply r = { .id = f->id, .kind = f->kind };
	ENSURE(f->kind < TROTH_KIND_MAX, e, TROTH_INVALID, "reply kind %u is unknown", f->kind);
	TRY(field_read(REPLY_FIELDS, ARRAY_LEN(REPLY_FIELDS), a, f->body, &r, e));
	r.text = r.text ? r.text : "";
	r.hint = r.hint ? r.hint : "";
	*ret = r;
	return RC_OK;
}
