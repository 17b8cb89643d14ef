/* What a webhook is sent: an event as JSON, and an id by which its receiver knows it again.
 *
 * The id is made of the event's own bytes, not of its number alone: after a restore from a backup a number may come again
 * with another event behind it, and a receiver that drops what it had must not drop that one. */
#include "service/webhook/webhook.h"

#include <string.h>

#include "base/json.h"
#include "pki/pki.h"

#define ID_PREFIX "msg_"
enum { ID_HEX = 32 }; /* 128 bits */

struct parts {
	int64_t seq;
	msec_t at;
	const char *type, *object, *data; /* data: JSON or NULL */
};

/* Each part with its length before it, so that no two events give the same bytes. */
static void add_part(struct buf *b, const char *s)
{
	buf_printf(b, "%zu:%s|", s ? strlen(s) : 0, s ? s : "");
}

/* `at` 0: of what is told whenever it is sent. */
static const char *id_of(struct arena *a, const struct parts *p, msec_t at)
{
	size_t room = 128 + strlen(p->type) + (p->object ? strlen(p->object) : 0) + (p->data ? strlen(p->data) : 0);
	CLEANUP(buf_release) struct buf b = buf_make(room);
	uint8_t hash[SHA256_LEN];
	char hex[SHA256_HEX_LEN];
	buf_printf(&b, "%lld|%lld|", (long long)p->seq, (long long)at);
	add_part(&b, p->type);
	add_part(&b, p->object);
	add_part(&b, p->data);
	CHECK(buf_ok(&b));
	pki_sha256(buf_bytes(&b), hash);
	return arena_printf(a, ID_PREFIX "%.*s", ID_HEX, hex_encode(hash, sizeof hash, hex));
}

/* false: it does not fit. */
static bool write_body(struct arena *a, const struct parts *p, const char *id, bool truncated, const char **ret)
{
	CLEANUP(buf_release) struct buf out = buf_make(LIMIT_WEBHOOK_BODY_BYTES);
	struct json_writer w = json_writer_make(&out);
	jw_object(&w);
	jw_kv_text(&w, "id", id);
	jw_kv_int(&w, "seq", p->seq);
	jw_kv_text(&w, "type", p->type);
	jw_kv_time(&w, "time", p->at);
	jw_kv_text(&w, "object", p->object);
	jw_key(&w, "data");
	if (p->data && !truncated)
		jw_raw(&w, p->data);
	else
		jw_null(&w);
	if (truncated)
		jw_kv_bool(&w, "truncated", true);
	jw_object_end(&w);
	if (!buf_ok(&out))
		return false;
	*ret = arena_text(a, buf_text(&out));
	return true;
}

static void make(struct arena *a, const struct parts *p, msec_t id_at, struct webhook_message *ret)
{
	ret->id = id_of(a, p, id_at);
	bool fits = write_body(a, p, ret->id, false, &ret->body) || write_body(a, p, ret->id, true, &ret->body);
	CHECK(fits); /* a kind and a name are short */
}

void webhook_message_event(struct arena *a, const struct event_row *event, struct webhook_message *ret)
{
	make(a, &(struct parts){ event->seq, event->at, event->kind, event->object, event->body }, event->at, ret);
}

void webhook_message_gap(struct arena *a, const struct webhook_row *row, int64_t up_to, msec_t now, struct webhook_message *ret)
{
	const char *data = arena_printf(a, "{\"after\":%lld,\"up_to\":%lld}", (long long)row->cursor, (long long)up_to);
	make(a, &(struct parts){ up_to, now, "webhook.gap", row->name, data }, 0, ret);
}

void webhook_message_ping(struct arena *a, const struct webhook_row *row, const char *operation, msec_t now, struct webhook_message *ret)
{
	const char *data = arena_printf(a, "{\"operation\":\"%s\"}", operation);
	make(a, &(struct parts){ 0, now, "webhook.ping", row->name, data }, 0, ret);
}

bool webhook_wants(struct arena *a, const char *patterns, const char *kind)
{
	for (const char *p = patterns; *p;) {
		size_t len = strcspn(p, " ");
		if (text_glob(arena_text_n(a, p, len), kind))
			return true;
		p += len + (p[len] == ' ');
	}
	return false;
}
