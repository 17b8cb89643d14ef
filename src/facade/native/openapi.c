/* GET /v1/openapi.json: the route table and the nouns, written as OpenAPI 3.1 (spec.openapis.org/oas/v3.1.0). */
#include <string.h>

#include "facade/native/describe.h"
#include "facade/native/native.h"
#include "facade/native/nouns.h"
#include "facade/native/words.h"

/* -- schemas -------------------------------------------------------------------------------------- */
static const struct { const char *word, *type, *format, *pattern, *example; } PLAIN[] = {
	{ "text", "string" },
	{ "uuid", "string", "uuid", NULL, "6e0c12c4-90c2-4d1f-8f5e-2f7a4d0b1c3e" },
	{ "time", "string", "date-time", NULL, "2026-11-22T06:20:00Z" },
	{ "duration", "string", NULL, "^([0-9]+(ms|s|m|h|d))+$", "90d" },
	{ "hash", "string", NULL, "^[0-9a-f]{64}$", "3f9ac1d43f9ac1d43f9ac1d43f9ac1d43f9ac1d43f9ac1d43f9ac1d43f9ac1d4" },
	{ "pem", "string", NULL, "^-----BEGIN ", "-----BEGIN CERTIFICATE-----\n..." },
	{ "int", "integer", "int64", NULL, "1" },
	{ "bool", "boolean", NULL, NULL, "false" },
	{ "any" },
};

static size_t plain_of(const struct api_type *t)
{
	size_t i = 0;
	while (i < ARRAY_LEN(PLAIN) && !api_type_is(t, PLAIN[i].word))
		i++;
	return i;
}

static void put_type(struct json_writer *w, const char *type, bool nullable)
{
	jw_key(w, "type");
	if (!nullable) {
		jw_text(w, type);
		return;
	}
	jw_array(w);
	jw_text(w, type);
	jw_text(w, "null");
	jw_array_end(w);
}

static void put_optional(struct json_writer *w, const char *key, const char *text)
{
	if (text)
		jw_kv_text(w, key, text);
}

static void put_enum(struct json_writer *w, const char *words, size_t len, bool nullable)
{
	put_type(w, "string", nullable);
	jw_key(w, "enum");
	jw_array(w);
	for (const char *end = words + len; words < end;) {
		size_t n = strcspn(words, "|");
		n = n < (size_t)(end - words) ? n : (size_t)(end - words);
		jw_text_n(w, words, n);
		words += n + 1;
	}
	if (nullable)
		jw_null(w);
	jw_array_end(w);
}

static void put_ref(struct json_writer *w, struct arena *a, const char *noun, size_t len, bool nullable)
{
	const char *ref = arena_printf(a, "#/components/schemas/%.*s", (int)len, noun);
	if (!nullable) {
		jw_kv_text(w, "$ref", ref);
		return;
	}
	jw_key(w, "anyOf");
	jw_array(w);
	jw_object(w);
	jw_kv_text(w, "$ref", ref);
	jw_object_end(w);
	jw_object(w);
	jw_kv_text(w, "type", "null");
	jw_object_end(w);
	jw_array_end(w);
}

/* The keywords of one value that is neither a list nor a map. */
static void put_one(struct json_writer *w, struct arena *a, const struct api_type *t, bool nullable)
{
	size_t i = plain_of(t);
	if (*t->word == '=') {
		put_enum(w, t->word + 1, t->len - 1, nullable);
	} else if (i == ARRAY_LEN(PLAIN)) {
		put_ref(w, a, t->word, t->len, nullable);
	} else if (PLAIN[i].type) {
		put_type(w, PLAIN[i].type, nullable);
		put_optional(w, "format", PLAIN[i].format);
		put_optional(w, "pattern", PLAIN[i].pattern);
	}
}

static void put_keywords(struct json_writer *w, struct arena *a, const struct api_type *t)
{
	if (!t->list && !t->map) {
		put_one(w, a, t, t->nullable);
		return;
	}
	put_type(w, t->list ? "array" : "object", t->nullable);
	jw_key(w, t->list ? "items" : "additionalProperties");
	jw_object(w);
	put_one(w, a, t, false);
	jw_object_end(w);
}

/* Examples are kept as text; the type says how they are written. */
static void put_example_value(struct json_writer *w, const struct api_type *t, const char *text)
{
	size_t i = plain_of(t);
	if (*t->word == '=')
		jw_text_n(w, t->word + 1, strcspn(t->word + 1, "|?]"));
	else if (i < ARRAY_LEN(PLAIN) && (text_equal(PLAIN[i].type, "integer") || text_equal(PLAIN[i].type, "boolean")))
		jw_raw(w, text);
	else
		jw_text(w, text);
}

static void put_example(struct json_writer *w, const struct api_type *t, const char *text)
{
	size_t i = plain_of(t);
	if (!text && i < ARRAY_LEN(PLAIN))
		text = PLAIN[i].example;
	if ((!text && *t->word != '=') || t->map)
		return;
	jw_key(w, "examples");
	jw_array(w);
	if (t->list)
		jw_array(w);
	put_example_value(w, t, text);
	if (t->list)
		jw_array_end(w);
	jw_array_end(w);
}

static void put_field(struct json_writer *w, struct arena *a, const struct api_field *f)
{
	struct api_type t = api_type_read(f->type);
	jw_key(w, f->name);
	jw_object(w);
	put_keywords(w, a, &t);
	put_optional(w, "description", f->about);
	put_example(w, &t, f->example);
	jw_object_end(w);
}

static void put_noun(struct json_writer *w, struct arena *a, const struct api_noun *noun)
{
	size_t n;
	const struct api_field *f = api_fields_of(noun->name, strlen(noun->name), &n);
	jw_key(w, noun->name);
	jw_object(w);
	jw_kv_text(w, "type", "object");
	jw_kv_text(w, "description", noun->about);
	jw_key(w, "required");
	jw_array(w);
	for (size_t i = 0; i < n; i++)
		if (!api_type_read(f[i].type).optional)
			jw_text(w, f[i].name);
	jw_array_end(w);
	jw_key(w, "properties");
	jw_object(w);
	for (size_t i = 0; i < n; i++)
		put_field(w, a, &f[i]);
	jw_object_end(w);
	jw_object_end(w);
}

/* -- bodies: from the table that parse reads them by ------------------------------------------------- */
static void put_fields_schema(struct json_writer *w, struct arena *a, const char *noun, struct route_fields fields);

/* What is known of a member by its name: in the words that bodies share, or in the noun that is answered. */
static const struct api_field *known_as(const char *noun, const char *name)
{
	const struct api_field *f = noun ? api_field_of(noun, name) : NULL;
	const struct api_field *word = api_field_of("Word", name);
	return word ? word : f;
}

static void put_bounds(struct json_writer *w, const struct json_field *f, bool one_of)
{
	if (f->kind == JF_INT && (f->min || f->max)) {
		jw_kv_int(w, "minimum", f->min);
		jw_kv_int(w, "maximum", f->max);
	}
	if (f->kind == JF_TEXTS && f->max)
		jw_kv_int(w, "maxItems", f->max);
	if (f->kind == JF_TEXT && !one_of)
		jw_kv_int(w, "maxLength", f->max ? f->max : LIMIT_TEXT_BYTES);
}

static struct api_type body_type(const struct json_field *f, const struct api_field *known)
{
	static const char *const KINDS[] = { [JF_TEXT] = "text", [JF_INT] = "int", [JF_BOOL] = "bool", [JF_TEXTS] = "[text]",
					     [JF_DURATION] = "duration", [JF_TIME] = "time", [JF_ANY] = "any" };
	struct api_type t = api_type_read(f->what ? f->what : KINDS[f->kind]), shown = known ? api_type_read(known->type) : t;
	if (f->kind == JF_TEXT && *shown.word == '=' && !shown.list)
		t = shown;
	t.nullable = !(f->flags & (JF_REQUIRED | JF_NEEDED));
	return t;
}

static void put_body_field(struct json_writer *w, struct arena *a, const char *noun, const struct json_field *f)
{
	const struct api_field *known = known_as(noun, f->name);
	struct api_type t = body_type(f, known);
	jw_key(w, f->name);
	jw_object(w);
	if (f->of) {
		put_type(w, "array", t.nullable);
		jw_key(w, "items");
		put_fields_schema(w, a, f->what ? f->what : noun, (struct route_fields){ f->of, f->of_count });
	} else {
		put_keywords(w, a, &t);
		put_bounds(w, f, *t.word == '=');
		put_optional(w, "description", known ? known->about : NULL);
		put_example(w, &t, known ? known->example : NULL);
	}
	jw_object_end(w);
}

static void put_fields_schema(struct json_writer *w, struct arena *a, const char *noun, struct route_fields fields)
{
	jw_object(w);
	jw_kv_text(w, "type", "object");
	jw_kv_bool(w, "additionalProperties", false);
	jw_key(w, "required");
	jw_array(w);
	for (size_t i = 0; i < fields.count; i++)
		if (fields.rows[i].flags & (JF_REQUIRED | JF_NEEDED))
			jw_text(w, fields.rows[i].name);
	jw_array_end(w);
	jw_key(w, "properties");
	jw_object(w);
	for (size_t i = 0; i < fields.count; i++)
		put_body_field(w, a, noun, &fields.rows[i]);
	jw_object_end(w);
	jw_object_end(w);
}

/* The noun that a row's first answer is: "Authority" of "201 Authority" and of "200 [Authority]". */
static const char *noun_given(struct arena *a, const struct route *row)
{
	struct api_answer answer;
	const char *at = row->gives;
	if (!api_answer_next(&at, &answer) || !answer.len)
		return NULL;
	const char *word = answer.words + (*answer.words == '[');
	return arena_text_n(a, word, strcspn(word, "]|, "));
}

static bool body_needed(const struct route *row)
{
	for (size_t i = 0; i < row->body.count; i++)
		if (row->body.rows[i].flags & (JF_REQUIRED | JF_NEEDED))
			return true;
	return row->takes;
}

static void put_request_body(struct json_writer *w, struct arena *a, const struct route *row)
{
	if (!row->body.count && !row->takes)
		return;
	jw_key(w, "requestBody");
	jw_object(w);
	jw_kv_bool(w, "required", body_needed(row));
	jw_key(w, "content");
	jw_object(w);
	jw_key(w, "application/json");
	jw_object(w);
	jw_key(w, "schema");
	if (row->takes) {
		jw_object(w);
		put_ref(w, a, row->takes, strlen(row->takes), false);
		jw_object_end(w);
	} else {
		put_fields_schema(w, a, noun_given(a, row), row->body);
	}
	jw_object_end(w);
	jw_object_end(w);
	jw_object_end(w);
}

/* -- answers ------------------------------------------------------------------------------------------ */
static void put_page(struct json_writer *w, struct arena *a, const char *noun, size_t len)
{
	struct api_type text = api_type_read("text?");
	jw_object(w);
	jw_kv_text(w, "type", "object");
	jw_key(w, "required");
	jw_raw(w, "[\"items\",\"next\"]");
	jw_key(w, "properties");
	jw_object(w);
	jw_key(w, "items");
	jw_object(w);
	jw_kv_text(w, "type", "array");
	jw_key(w, "items");
	jw_object(w);
	put_ref(w, a, noun, len, false);
	jw_object_end(w);
	jw_object_end(w);
	jw_key(w, "next");
	jw_object(w);
	put_keywords(w, a, &text);
	jw_kv_text(w, "description", "give it back as ?after=; null is the end");
	jw_object_end(w);
	jw_object_end(w);
	jw_object_end(w);
}

static void put_content(struct json_writer *w, struct arena *a, const char *word, size_t len)
{
	bool media = memchr(word, '/', len);
	jw_key(w, media ? arena_text_n(a, word, len) : "application/json");
	jw_object(w);
	jw_key(w, "schema");
	if (*word == '[') {
		put_page(w, a, word + 1, len - 2);
	} else {
		jw_object(w);
		if (media)
			jw_kv_text(w, "type", "string");
		else
			put_ref(w, a, word, len, false);
		jw_object_end(w);
	}
	jw_object_end(w);
}

/* Alternatives: several media types beside each other, several nouns as anyOf. */
static void put_contents(struct json_writer *w, struct arena *a, const struct api_answer *answer)
{
	const char *end = answer->words + answer->len, *bar = memchr(answer->words, '|', answer->len);
	size_t first = bar ? (size_t)(bar - answer->words) : answer->len;
	jw_key(w, "content");
	jw_object(w);
	if (!bar || memchr(answer->words, '/', answer->len)) {
		put_content(w, a, answer->words, first);
		if (bar)
			put_content(w, a, bar + 1, (size_t)(end - bar - 1));
	} else {
		jw_key(w, "application/json");
		jw_object(w);
		jw_key(w, "schema");
		jw_object(w);
		jw_key(w, "anyOf");
		jw_array(w);
		for (int i = 0; i < 2; i++) {
			jw_object(w);
			put_ref(w, a, i ? bar + 1 : answer->words, i ? (size_t)(end - bar - 1) : first, false);
			jw_object_end(w);
		}
		jw_array_end(w);
		jw_object_end(w);
		jw_object_end(w);
	}
	jw_object_end(w);
}

static void put_etag(struct json_writer *w)
{
	jw_key(w, "headers");
	jw_raw(w, "{\"ETag\":{\"description\":\"Its revision, for If-Match\",\"schema\":{\"type\":\"string\"}}}");
}

static void put_answer(struct json_writer *w, struct arena *a, const struct route *row, const struct api_answer *answer, int status)
{
	const char *noun = noun_given(a, row);
	jw_key(w, arena_printf(a, "%d", status));
	jw_object(w);
	jw_kv_text(w, "description", status == 201 ? "Made" : status == 202 ? "Begun" : status == 204 ? "Done" : status == 304 ? "Nothing newer" :
		   answer->status != status ? "What a dry run says would be" : "What was asked for");
	if (noun && answer->len && *answer->words != '[' && api_field_of(noun, "rev"))
		put_etag(w);
	if (answer->len)
		put_contents(w, a, answer);
	jw_object_end(w);
}

static void put_responses(struct json_writer *w, struct arena *a, const struct route *row)
{
	struct api_answer answer;
	jw_key(w, "responses");
	jw_object(w);
	for (int status = 200; status < API_STATUS_MIN; status++)
		if (api_gives(row, status, &answer))
			put_answer(w, a, row, &answer, status);
	for (int status = API_STATUS_MIN; status <= API_STATUS_MAX; status++)
		if (api_fails(row, status)) {
			jw_key(w, arena_printf(a, "%d", status));
			jw_raw(w, "{\"$ref\":\"#/components/responses/Problem\"}");
		}
	jw_key(w, "default");
	jw_raw(w, "{\"$ref\":\"#/components/responses/Problem\"}");
	jw_object_end(w);
}

/* -- parameters ----------------------------------------------------------------------------------------- */
static void put_path_parameters(struct json_writer *w, struct arena *a, const char *pattern)
{
	for (const char *open = strchr(pattern, '{'); open; open = strchr(open + 1, '{')) {
		jw_object(w);
		jw_kv_text(w, "name", arena_text_n(a, open + 1, strcspn(open + 1, "}")));
		jw_kv_text(w, "in", "path");
		jw_kv_bool(w, "required", true);
		jw_key(w, "schema");
		jw_raw(w, "{\"type\":\"string\"}");
		jw_object_end(w);
	}
}

static void put_query_parameters(struct json_writer *w, struct arena *a, const char *list)
{
	for (const char *p = list ? list : ""; *p;) {
		size_t n = strcspn(p, " ");
		const struct api_field *q = api_query_of(p, n);
		struct api_type t = api_type_read(q ? q->type : "text");
		jw_object(w);
		jw_kv_text(w, "name", arena_text_n(a, p, n));
		jw_kv_text(w, "in", "query");
		put_optional(w, "description", q ? q->about : NULL);
		jw_key(w, "schema");
		jw_object(w);
		put_keywords(w, a, &t);
		put_example(w, &t, q ? q->example : NULL);
		jw_object_end(w);
		jw_object_end(w);
		p += n + strspn(p + n, " ");
	}
}

static void put_shared(struct json_writer *w, struct arena *a, const char *name)
{
	jw_object(w);
	jw_kv_text(w, "$ref", arena_printf(a, "#/components/parameters/%s", name));
	jw_object_end(w);
}

static void put_parameters(struct json_writer *w, struct arena *a, const struct route *row)
{
	jw_key(w, "parameters");
	jw_array(w);
	put_path_parameters(w, a, row->pattern);
	put_query_parameters(w, a, row->query);
	if (row->flags & ROUTE_HOLD)
		put_shared(w, a, "wait");
	if (route_tries(row))
		put_shared(w, a, "dry_run");
	if (route_writes(row))
		put_shared(w, a, "idempotency_key");
	if (row->flags & ROUTE_IF_MATCH)
		put_shared(w, a, "if_match");
	jw_array_end(w);
}

/* -- operations -------------------------------------------------------------------------------------------- */
static const char *operation_id(struct arena *a, const struct route *row)
{
	char *id = arena_printf(a, "%s%s", http_method_name(row->method), row->pattern + (text_starts(row->pattern, "/v1/") ? strlen("/v1") : 0)), *out = id;
	for (char *p = id; *p; p++)
		if (*p != '{' && *p != '}')
			*out++ = *p == '/' || *p == '.' ? '_' : *p >= 'A' && *p <= 'Z' ? (char)(*p + 'a' - 'A') : *p;
	*out = 0;
	return id;
}

static void put_roles(struct json_writer *w, unsigned roles)
{
	static const struct { unsigned bit; const char *name; } NAMES[] = {
		{ ROLE_ADMIN, "admin" }, { ROLE_OPERATOR, "operator" }, { ROLE_DEVELOPER, "developer" }, { ROLE_AUDITOR, "auditor" },
		{ ROLE_AGENT, "agent" }, { ROLE_ANONYMOUS, "anybody" },
	};
	jw_key(w, "x-roles");
	jw_array(w);
	for (size_t i = 0; i < ARRAY_LEN(NAMES); i++)
		if (roles & NAMES[i].bit)
			jw_text(w, NAMES[i].name);
	jw_array_end(w);
}

static void put_operation(struct json_writer *w, struct arena *a, const struct route *row)
{
	static const char *const METHODS[HTTP_METHOD_MAX] = { "get", "head", "post", "put", "delete", "patch", "options" };
	const char *path = row->pattern + strlen("/v1/");
	jw_key(w, METHODS[row->method]);
	jw_object(w);
	jw_kv_text(w, "operationId", operation_id(a, row));
	jw_kv_text(w, "summary", row->summary);
	jw_key(w, "tags");
	jw_array(w);
	jw_text_n(w, path, strcspn(path, "/"));
	jw_array_end(w);
	jw_kv_text(w, "x-verb", row->verb->name);
	put_roles(w, row->verb->roles);
	if (row->flags & ROUTE_NO_AUTH) {
		jw_key(w, "security");
		jw_raw(w, "[]");
	}
	put_parameters(w, a, row);
	put_request_body(w, a, row);
	put_responses(w, a, row);
	jw_object_end(w);
}

/* -- the document -------------------------------------------------------------------------------------------- */
static const struct route *row_at(size_t n)
{
	for (size_t t = 0; t < NATIVE_TABLE_COUNT; t++) {
		if (n < NATIVE_TABLES[t]->count)
			return &NATIVE_TABLES[t]->rows[n];
		n -= NATIVE_TABLES[t]->count;
	}
	return NULL;
}

static bool is_first_of_its_path(size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (text_equal(row_at(i)->pattern, row_at(n)->pattern))
			return false;
	return true;
}

static void put_paths(struct json_writer *w, struct arena *a)
{
	jw_key(w, "paths");
	jw_object(w);
	for (size_t i = 0; row_at(i); i++) {
		if (!is_first_of_its_path(i))
			continue;
		jw_key(w, row_at(i)->pattern);
		jw_object(w);
		for (size_t k = i; row_at(k); k++)
			if (row_at(k)->summary && text_equal(row_at(k)->pattern, row_at(i)->pattern))
				put_operation(w, a, row_at(k));
		jw_object_end(w);
	}
	jw_object_end(w);
}

static const char SHARED[] =
	"\"parameters\":{"
	"\"dry_run\":{\"name\":\"dry_run\",\"in\":\"query\",\"description\":\"Checks everything, writes nothing, says what would be\","
	"\"schema\":{\"type\":\"boolean\",\"default\":false}},"
	"\"wait\":{\"name\":\"wait\",\"in\":\"query\",\"description\":\"Hold the answer until there is news, at most 55s\","
	"\"schema\":{\"type\":\"string\",\"examples\":[\"30s\"]}},"
	"\"if_match\":{\"name\":\"If-Match\",\"in\":\"header\",\"description\":\"The ETag that was seen: refused with 412 if it has moved on\","
	"\"schema\":{\"type\":\"string\",\"examples\":[\"\\\"3\\\"\"]}},"
	"\"idempotency_key\":{\"name\":\"Idempotency-Key\",\"in\":\"header\",\"description\":\"The same request again under the same key is "
	"answered the same, and done once\",\"schema\":{\"type\":\"string\",\"maxLength\":200}}},"
	"\"responses\":{\"Problem\":{\"description\":\"Why not\",\"content\":{\"application/problem+json\":"
	"{\"schema\":{\"$ref\":\"#/components/schemas/Problem\"}}}}},"
	"\"securitySchemes\":{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\"},\"certificate\":{\"type\":\"mutualTLS\"}}";

static void put_components(struct json_writer *w, struct arena *a)
{
	jw_key(w, "components");
	jw_object(w);
	jw_key(w, "schemas");
	jw_object(w);
	for (size_t i = 0; i < API_NOUN_COUNT; i++)
		if (!text_equal(API_NOUNS[i].name, "Word"))
			put_noun(w, a, &API_NOUNS[i]);
	jw_object_end(w);
	buf_add_text(w->out, ",");
	buf_add_text(w->out, SHARED);
	jw_object_end(w);
}

static void openapi_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_text(&w, "openapi", "3.1.0");
	jw_key(&w, "info");
	jw_object(&w);
	jw_kv_text(&w, "title", "troth");
	jw_kv_text(&w, "version", TROTH_VERSION);
	jw_kv_text(&w, "description", "A certificate and trust control plane for fleets. In words: docs/api/native.md");
	jw_object_end(&w);
	jw_key(&w, "security");
	jw_raw(&w, "[{\"token\":[]},{\"certificate\":[]}]");
	put_paths(&w, a);
	put_components(&w, a);
	jw_object_end(&w);
}

static const struct route ROWS[] = {
	{ HTTP_GET, "/v1/openapi.json", &VERB_API_DESCRIBE, words_none, openapi_render,
	  .summary = "This description", .gives = "200 Description" },
};
const struct route_table NATIVE_OPENAPI_ROUTES = { ROWS, ARRAY_LEN(ROWS) };
