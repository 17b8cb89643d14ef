/* One change, said once: an audit row and an event in the verb's own transaction, and whoever holds
 * "events" woken after the commit.  Every verb of a noun ends here. */
#ifndef TROTH_SERVICE_RECORD_H
#define TROTH_SERVICE_RECORD_H

#include "base/json.h"
#include "service/verb.h"
#include "store/store.h"

struct change {
	const char *action; /* the verb: "authority.create"; also the event's kind */
	const char *object; /* name of the thing, or NULL */
	const char *topic;  /* of the event: "instance/<uuid>"; NULL: none */
	const char *before; /* JSON without secrets, or NULL */
	const char *after;  /* the same; also the event's body */
};
troth_rc record_change(struct verb_ctx *ctx, const struct change *c, struct troth_err *e);

/* JSON for before and after: {"name":"x",...}.  The writer points into the record: do not copy it.
 *     struct record r;  record_begin(&r);  jw_kv_text(&r.w, ...);  c.after = record_end(&r, ctx->a); */
struct record {
	struct buf out;
	struct json_writer w;
};
void record_begin(struct record *r);                       /* opens the object */
const char *record_end(struct record *r, struct arena *a); /* closes it; releases the buffer */

/* An object of this name, seen by `who`: outside the scope it does not exist (NOT_FOUND, no hint that it
 * does); FORBIDDEN if it may be read and is to be written.  kind: "authority". */
troth_rc record_visible(const struct principal *who, const char *kind, const char *name, struct troth_err *e);
/* True if the object may appear in a list of `who`. */
bool record_in_scope(const struct principal *who, const char *name);
/* The same, or a permission to read it in a verb that writes: an authority that only signs, a key that was there before. */
bool record_readable(const struct principal *who, const char *name);
/* TOO_LARGE, before a request's memory ends: for loops over what nobody bounds, such as the versions of a credential of this name. */
troth_rc record_room(const struct arena *a, size_t more, const char *name, struct troth_err *e);
/* May `who` be told that this happened?  An act of the engine that is about no one name is about targets of anybody. */
bool record_told(const struct principal *who, const char *action, const char *object);
/* If-Match of the request against the row's rev: PRECONDITION with both numbers. */
troth_rc record_if_match(const struct verb_ctx *ctx, const char *name, int64_t rev, struct troth_err *e);
/* The cursor behind a page of n rows whose last has this id: 0 if it was not full. */
int64_t record_next(struct page page, size_t n, int64_t last_id);
/* The name of a row that was looked up by a path parameter must be a UUID; else NOT_FOUND without a query. */
troth_rc record_uuid(const char *kind, const char *uuid, struct troth_err *e);

#endif
