/* An error as a problem document (RFC 9457), and back again on the client's side. */
#include <string.h>

#include "base/text.h"
#include "edge/http.h"

static const char TYPE_PREFIX[] = "type:";

static const char *code_of(const struct troth_err *e)
{
	return text_starts(e->clause, TYPE_PREFIX) ? e->clause + strlen(TYPE_PREFIX) : err_kind_name(e->kind);
}

static void write_findings(struct json_writer *w, const struct finding *f)
{
	jw_key(w, "findings");
	jw_array(w);
	for (; f; f = f->next) {
		jw_object(w);
		jw_kv_text(w, "path", f->path);
		jw_kv_text(w, "rule", f->rule);
		jw_kv_text(w, "text", f->text);
		if (f->hint)
			jw_kv_text(w, "hint", f->hint);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void write_detail(struct json_writer *w, const struct troth_err *e)
{
	char text[sizeof e->primary + sizeof e->detail + 8];
	snprintf(text, sizeof text, "%s%s%s", e->primary, e->detail[0] ? ": " : "", e->detail);
	jw_kv_text(w, "detail", text);
}

static void write_optional(struct json_writer *w, const char *key, const char *value)
{
	if (value && value[0])
		jw_kv_text(w, key, value);
}

/* What HTTP has a status for and the program has no kind for. */
static const struct { const char *code; int status; } HTTP_CODES[] = {
	{ "method-not-allowed", 405 },     { "request-timeout", 408 },  { "length-required", 411 },
	{ "url-too-long", 414 },           { "unsupported-media-type", 415 }, { "expectation-failed", 417 },
	{ "header-too-large", 431 },       { "not-implemented", 501 },  { "version-not-supported", 505 },
};

int http_code_status(const char *code)
{
	for (size_t i = 0; i < ARRAY_LEN(HTTP_CODES); i++)
		if (strcmp(HTTP_CODES[i].code, code) == 0)
			return HTTP_CODES[i].status;
	return 0;
}

int http_err_status(const struct troth_err *e)
{
	int own = http_code_status(code_of(e));
	return own ? own : err_http_status(e->kind);
}

void http_reply_problem(struct http_reply *reply, const struct http_request *r, const struct troth_err *e)
{
	char type[96];
	const char *code = code_of(e);
	int status = http_err_status(e);
	struct json_writer w = http_reply_json(reply, status);
	snprintf(type, sizeof type, "/problems/%s", code);
	reply->content_type = "application/problem+json";
	jw_object(&w);
	jw_kv_text(&w, "type", type);
	jw_kv_text(&w, "title", err_kind_title(e->kind));
	jw_kv_int(&w, "status", status);
	write_detail(&w, e);
	write_optional(&w, "instance", r ? r->path : NULL);
	jw_kv_text(&w, "code", code);
	write_optional(&w, "hint", e->hint);
	write_optional(&w, "object", e->object);
	if (!text_starts(e->clause, TYPE_PREFIX))
		write_optional(&w, "clause", e->clause);
	write_optional(&w, "request_id", r ? r->id : NULL);
	if (e->findings)
		write_findings(&w, e->findings);
	jw_object_end(&w);
}

/* The kind by its stable name; the status decides for names this client does not know. */
static enum troth_kind kind_of(const char *code, int status)
{
	for (int k = 1; k < TROTH_KIND_MAX; k++)
		if (strcmp(err_kind_name((enum troth_kind)k), code) == 0)
			return (enum troth_kind)k;
	enum troth_kind k = err_kind_from_http(status);
	return k == TROTH_OK ? TROTH_INTERNAL : k;
}

static void read_findings(struct arena *a, const struct json *list, struct troth_err *e)
{
	if (!list || list->type != JSON_ARRAY)
		return;
	for (size_t i = 0; i < list->list.count; i++) {
		const struct json *f = &list->list.items[i];
		err_finding(a, e, json_get_text(f, "path", "$"), json_get_text(f, "rule", ""),
			    json_get_text(f, "text", ""), json_get_text(f, "hint", NULL));
	}
}

troth_rc http_problem_read(struct arena *a, int status, struct bytes body, struct troth_err *e)
{
	const struct json *j = NULL;
	troth_rc parsed = body.len ? json_parse(a, body, &j, NULL) : (troth_rc){ TROTH_INVALID };
	const char *detail = json_get_text(j, "detail", NULL);
	if (rc_failed(parsed) || !detail)
		return err_set(e, kind_of("", status), "the server answered %d", status);
	const char *code = json_get_text(j, "code", "");
	enum troth_kind kind = kind_of(code, status);
	troth_rc rc = err_set(e, kind, "%s", detail);
	err_hint(e, "%s", json_get_text(j, "hint", ""));
	err_object(e, "%s", json_get_text(j, "object", ""));
	const char *clause = json_get_text(j, "clause", "");
	bool own_type = strcmp(err_kind_name(kind), code) != 0 && code[0];
	err_clause(e, own_type ? arena_printf(a, "%s%s", TYPE_PREFIX, code) : clause);
	read_findings(a, json_get(j, "findings"), e);
	return rc;
}
