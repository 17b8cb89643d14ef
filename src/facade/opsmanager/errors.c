/* Ops Manager's errors.  See errors.h.
 *
 * Its documents have two shapes: a list of texts under "errors", and the same one level deeper for what never came so far as
 * to be judged (400, 401, 403). */
#include "facade/opsmanager/errors.h"

static int status_of(const struct troth_err *e)
{
	switch (e->kind) {
	case TROTH_CONFLICT: case TROTH_UNSAFE: case TROTH_PRECONDITION: return 422;
	default: return http_err_status(e);
	}
}

static void write_texts(struct arena *a, struct json_writer *w, const struct troth_err *e)
{
	jw_key(w, "errors");
	jw_array(w);
	for (const struct finding *f = e->findings; f; f = f->next)
		jw_text(w, arena_printf(a, "%s %s%s%s", f->path, f->text, f->hint ? ": " : "", f->hint ? f->hint : ""));
	if (!e->findings)
		jw_text(w, arena_printf(a, "%s%s%s", e->primary, e->hint[0] ? ": " : "", e->hint));
	jw_array_end(w);
}

void opsman_problem(struct arena *a, const struct http_request *r, const struct troth_err *e, struct http_reply *reply)
{
	int status = status_of(e);
	bool deeper = status == 400 || status == 401 || status == 403;
	struct json_writer w = http_reply_json(reply, status);
	jw_object(&w);
	if (deeper) {
		jw_key(&w, "errors");
		jw_object(&w);
	}
	write_texts(a, &w, e);
	if (deeper)
		jw_object_end(&w);
	jw_object_end(&w);
}

void opsman_error(struct http_reply *reply, int status, const char *text)
{
	struct json_writer w = http_reply_json(reply, status);
	jw_object(&w);
	jw_key(&w, "errors");
	jw_array(&w);
	jw_text(&w, text);
	jw_array_end(&w);
	jw_object_end(&w);
}
