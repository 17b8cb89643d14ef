/* Writing the keeper's log lines. */
#include "keeper/journal.h"

#include "base/limits.h"

static void pair_text(struct buf *out, const char *key, const char *s)
{
	buf_printf(out, " %s=\"", key);
	for (const unsigned char *p = (const unsigned char *)(s ? s : ""); *p; p++) {
		if (*p == '"' || *p == '\\' || *p < 0x20 || *p > 0x7e)
			buf_printf(out, "\\x%02x", *p);
		else
			buf_add_byte(out, *p);
	}
	buf_add_byte(out, '"');
}

static void pair_time(struct buf *out, const char *key, msec_t t)
{
	char text[RFC3339_LEN];
	buf_printf(out, " %s=%s", key, time_format(t, text));
}

static void pair_hex(struct buf *out, const char *key, const uint8_t *data, size_t len)
{
	char hex[2 * SHA256_LEN + 1];
	CHECK(len <= SHA256_LEN);
	buf_printf(out, " %s=%s", key, hex_encode(data, len, hex));
}

static void line_begin(struct journal *j, struct buf *out, const struct keeper_request *req, const char *result)
{
	char text[RFC3339_LEN];
	buf_printf(out, "time=%s n=%llu request=%llu act=%s result=%s", time_format(port_now(j->ports->clock), text),
		   (unsigned long long)j->count + 1, (unsigned long long)req->id, keeper_kind_name(req->kind), result);
}

static bool line_end(struct journal *j, struct buf *out)
{
	buf_add_byte(out, '\n');
	if (!buf_ok(out))
		return false;
	j->count++;
	return !j->ports->log_line || j->ports->log_line(j->ports->log_self, buf_bytes(out));
}

static void policy_pairs(struct buf *out, const char *key, const struct keeper_policy *p)
{
	buf_printf(out, " %s=%.36s", key, p->key_id);
	pair_text(out, "authority", p->authority);
	pair_hex(out, "key_spki", p->spki_hash, SHA256_LEN);
	if (p->kind != KEEPER_KEY_AUTHORITY)
		return;
	pair_time(out, "latest", p->latest_not_after);
	if (p->exportable)
		buf_printf(out, " exportable=yes");
}

static void spec_pairs(struct buf *out, const struct cert_spec *spec)
{
	uint8_t id[SHA256_LEN];
	pair_text(out, "subject", spec->common_name);
	pair_hex(out, "serial", spec->serial, CERT_SERIAL_LEN);
	pair_time(out, "not_before", spec->not_before);
	pair_time(out, "not_after", spec->not_after);
	if (spec->kind != CERT_LEAF)
		buf_printf(out, " path_len=%d", spec->path_len);
	if (spec->spki.len) {
		spki_id(spec->spki, id);
		pair_hex(out, "spki", id, sizeof id);
	}
	for (size_t i = 0; i < spec->san_count; i++)
		pair_text(out, san_kind_name(spec->sans[i].kind), spec->sans[i].value);
}

static void request_pairs(struct buf *out, const struct keeper_request *req)
{
	if (req->kind == KEEPER_WEBHOOK_SIGN) {
		pair_text(out, "message", req->webhook_sign.message);
		buf_printf(out, " timestamp=%lld", (long long)req->webhook_sign.timestamp);
	}
	if (req->kind != KEEPER_AUDIT_SIGN)
		return;
	buf_printf(out, " seq=%llu", (unsigned long long)req->audit_sign.seq);
	pair_hex(out, "head", req->audit_sign.head, SHA256_LEN);
}

troth_rc journal_start(struct journal *j, int64_t pid, struct troth_err *e)
{
	char text[RFC3339_LEN];
	CLEANUP(buf_release) struct buf out = buf_make(LIMIT_KEEPER_LOG_LINE_BYTES);
	buf_printf(&out, "time=%s n=%llu act=start result=ready pid=%lld version=" TROTH_VERSION,
		   time_format(port_now(j->ports->clock), text), (unsigned long long)j->count + 1, (long long)pid);
	ENSURE(line_end(j, &out), e, TROTH_UNAVAILABLE, "the keeper could not write its log");
	return RC_OK;
}

troth_rc journal_grant(struct journal *j, const struct journal_use *use, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf out = buf_make(LIMIT_KEEPER_LOG_LINE_BYTES);
	line_begin(j, &out, use->req, "granted");
	if (use->key)
		policy_pairs(&out, "key", use->key);
	if (use->made)
		policy_pairs(&out, "made", use->made);
	if (use->spec)
		spec_pairs(&out, use->spec);
	if (use->recipient) {
		pair_text(&out, "recipient", use->recipient->subject);
		pair_hex(&out, "recipient_cert", use->recipient->fingerprint, SHA256_LEN);
	}
	request_pairs(&out, use->req);
	ENSURE(line_end(j, &out), e, TROTH_UNAVAILABLE, "the keeper could not write its log, so it did not use the key");
	return RC_OK;
}

void journal_refuse(struct journal *j, const struct keeper_request *req, const struct troth_err *why)
{
	CLEANUP(buf_release) struct buf out = buf_make(LIMIT_KEEPER_LOG_LINE_BYTES);
	line_begin(j, &out, req, "refused");
	buf_printf(&out, " kind=%s", err_kind_name(why->kind));
	pair_text(&out, "why", why->primary);
	(void)line_end(j, &out); /* the refusal stands whether or not it could be noted */
}
