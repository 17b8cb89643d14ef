/* One change, said once.  See record.h. */
#include "service/record.h"

#include <stdlib.h>

enum { RECORD_JSON_BYTES = 512 << 10 }; /* a bundle of LIMIT_BUNDLE_CERTS names and fingerprints */

troth_rc record_change(struct verb_ctx *ctx, const struct change *c, struct troth_err *e)
{
	struct audit_row audit = { .at = ctx->now, .who = ctx->who->name, .action = c->action, .object = c->object,
				   .before = c->before, .after = c->after };
	struct event_row event = { .at = ctx->now, .kind = c->action, .object = c->object, .topic = c->topic,
				   .body = c->after };
	TRY(audit_append(ctx->tx, &audit, e));
	TRY(event_append(ctx->tx, &event, e));
	verb_publish(ctx, "events");
	return RC_OK;
}

void record_begin(struct record *r)
{
	r->out = buf_make(RECORD_JSON_BYTES);
	r->w = json_writer_make(&r->out);
	jw_object(&r->w);
}

const char *record_end(struct record *r, struct arena *a)
{
	jw_object_end(&r->w);
	CHECK(buf_ok(&r->out)); /* every list that goes in is bounded where it comes in */
	const char *json = arena_text(a, buf_text(&r->out));
	buf_release(&r->out);
	return json;
}

bool record_in_scope(const struct principal *who, const char *name)
{
	struct troth_err ignored = { 0 }; /* only yes or no counts here */
	return rc_ok(principal_in_scope(who, name, &ignored));
}

bool record_readable(const struct principal *who, const char *name)
{
	return record_in_scope(who, name) || (who->right && principal_may(who, RIGHT_READ, name));
}

troth_rc record_visible(const struct principal *who, const char *kind, const char *name, struct troth_err *e)
{
	if (record_in_scope(who, name))
		return RC_OK;
	if (record_readable(who, name))
		return principal_in_scope(who, name, e); /* it may know of it, and not touch it */
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "no such %s", kind);
	err_hint(e, "your scope is %s; troth %s list shows what is in it", who->scope, kind);
	return rc;
}

troth_rc record_room(const struct arena *a, size_t more, const char *name, struct troth_err *e)
{
	if (!arena_scarce(a, more))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_TOO_LARGE, "%s has too many versions, or too many who use them, for one answer", name);
	err_hint(e, "ask for less at a time; what is made anew that often is better made under a new name now and then");
	err_object(e, "%s", name);
	return rc;
}

bool record_told(const struct principal *who, const char *action, const char *object)
{
	if (object)
		return record_in_scope(who, object);
	return principal_sees_everything(who) || !text_starts(action, "engine.");
}

troth_rc record_if_match(const struct verb_ctx *ctx, const char *name, int64_t rev, struct troth_err *e)
{
	if (!ctx->options.if_match)
		return RC_OK;
	char *end;
	long long want = strtoll(ctx->options.if_match, &end, 10);
	if (!*end && want == rev)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_PRECONDITION, "%s is at revision %lld, not %s", name, (long long)rev,
			      ctx->options.if_match);
	err_hint(e, "read it again and decide again");
	err_object(e, "%s", name);
	return rc;
}

troth_rc record_uuid(const char *kind, const char *uuid, struct troth_err *e)
{
	if (uuid && uuid_valid(uuid))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "no such %s: \"%.60s\" is not an id", kind, uuid ? uuid : "");
	err_hint(e, "ids are UUIDs; look a name up with ?name=");
	return rc;
}

int64_t record_next(struct page page, size_t n, int64_t last_id)
{
	int limit = page.limit ? page.limit : LIMIT_PAGE;
	return n && n >= (size_t)limit ? last_id : 0;
}
