/* Answers against what routes say of themselves.  See schema.h. */
#include "../unit.h"

#include "schema.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"

static const char *differs(struct arena *a, const struct api_type *t, bool nullable, const struct json *j);

static bool is_one_of(const struct api_type *t, const struct json *j)
{
	const char *p = t->word + 1, *end = t->word + t->len;
	while (p < end) {
		const char *bar = memchr(p, '|', (size_t)(end - p)), *stop = bar ? bar : end;
		if ((size_t)(stop - p) == j->str.len && memcmp(p, j->str.s, j->str.len) == 0)
			return true;
		p = stop + 1;
	}
	return false;
}

static bool is_text_of(const struct api_type *t, const char *s)
{
	msec_t at;
	if (api_type_is(t, "uuid"))
		return uuid_valid(s);
	if (api_type_is(t, "time"))
		return rc_ok(time_parse(s, &at, NULL));
	if (api_type_is(t, "duration"))
		return rc_ok(duration_parse(s, &at, NULL));
	if (api_type_is(t, "hash"))
		return strlen(s) == 64 && strspn(s, "0123456789abcdef") == 64;
	if (api_type_is(t, "pem"))
		return text_starts(s, "-----BEGIN ");
	return true;
}

static const char *one_differs(struct arena *a, const struct api_type *t, const struct json *j)
{
	if (api_type_is(t, "any"))
		return NULL;
	if (api_type_is(t, "int"))
		return j->type == JSON_INT ? NULL : arena_printf(a, "%s is no number", j->path);
	if (api_type_is(t, "bool"))
		return j->type == JSON_BOOL ? NULL : arena_printf(a, "%s is not true or false", j->path);
	if (*t->word >= 'A' && *t->word <= 'Z')
		return schema_differs(a, arena_text_n(a, t->word, t->len), t->len, j);
	if (j->type != JSON_STRING)
		return arena_printf(a, "%s is no text", j->path);
	if (*t->word == '=' ? is_one_of(t, j) : is_text_of(t, j->str.s))
		return NULL;
	return arena_printf(a, "%s is \"%s\", which is no %.*s", j->path, j->str.s, (int)t->len, t->word);
}

static const char *entries_differ(struct arena *a, const struct api_type *t, const struct json *j)
{
	struct api_type one = { .word = t->word, .len = t->len };
	const struct json *items = t->list ? j->list.items : j->map.values;
	for (size_t i = 0; i < (t->list ? j->list.count : j->map.count); i++) {
		const char *why = one_differs(a, &one, &items[i]);
		if (why)
			return why;
	}
	return NULL;
}

static const char *differs(struct arena *a, const struct api_type *t, bool nullable, const struct json *j)
{
	if (j->type == JSON_NULL)
		return nullable || api_type_is(t, "any") ? NULL : arena_printf(a, "%s is null", j->path);
	if (!t->list && !t->map)
		return one_differs(a, t, j);
	if (j->type != (t->list ? JSON_ARRAY : JSON_OBJECT))
		return arena_printf(a, "%s is no %s", j->path, t->list ? "list" : "object");
	return entries_differ(a, t, j);
}

static const char *member_differs(struct arena *a, const struct api_field *f, const struct json *j)
{
	struct api_type t = api_type_read(f->type);
	const struct json *v = json_get(j, f->name);
	if (!v)
		return t.optional ? NULL : arena_printf(a, "%s has no %s", j->path, f->name);
	return differs(a, &t, t.nullable, v);
}

const char *schema_differs(struct arena *a, const char *noun, size_t len, const struct json *j)
{
	size_t n;
	const struct api_field *f = api_fields_of(noun, len, &n);
	if (text_equal(noun, "Description"))
		return NULL; /* it describes, and is not described */
	if (!f && !text_equal(noun, "Empty"))
		return arena_printf(a, "no such noun: %.*s", (int)len, noun);
	if (j->type != JSON_OBJECT)
		return arena_printf(a, "%s is no object", j->path);
	for (size_t i = 0; i < j->map.count; i++)
		if (!n || !api_field_of(noun, j->map.keys[i]))
			return arena_printf(a, "%s has %s, which %s has not", j->path, j->map.keys[i], noun);
	for (size_t i = 0; i < n; i++) {
		const char *why = member_differs(a, &f[i], j);
		if (why)
			return why;
	}
	return NULL;
}

static const char *page_differs(struct arena *a, const char *noun, const struct json *j)
{
	const struct json *items = json_get(j, "items"), *next = json_get(j, "next");
	if (!items || items->type != JSON_ARRAY || !next || (next->type != JSON_NULL && next->type != JSON_STRING) || j->map.count != 2)
		return "is no page: {items, next}";
	for (size_t i = 0; i < items->list.count; i++) {
		const char *why = schema_differs(a, noun, strlen(noun), &items->list.items[i]);
		if (why)
			return why;
	}
	return NULL;
}

/* One of the words that a status may be answered with. */
static const char *answer_differs(struct arena *a, const struct api_answer *answer, const char *type, const struct json *j)
{
	const char *why = "it is none of what is described";
	for (const char *p = answer->words; p < answer->words + answer->len;) {
		size_t n = strcspn(p, "|,");
		const char *word = arena_text_n(a, p, n);
		if (strchr(word, '/'))
			why = type && strncmp(word, type, n) == 0 && (!type[n] || type[n] == ';') ? NULL : why; /* "text/plain; version=..." */
		else if (j && *word == '[')
			why = page_differs(a, arena_text_n(a, word + 1, n - 2), j);
		else if (j)
			why = schema_differs(a, word, n, j);
		if (!why)
			return NULL;
		p += n + 1;
	}
	return why;
}

void schema_hold(struct arena *a, const struct route *route, const struct json *body, int status, const char *content_type,
		 const struct json *json)
{
	const char *what = arena_printf(a, "%s %s answered %d", http_method_name(route->method), route->pattern, status), *why = NULL;
	struct api_answer answer;
	if (status < 400 && !api_gives(route, status, &answer))
		fail_msg("%s, which its row does not give", what);
	if (status >= 400 && !api_fails(route, status))
		fail_msg("%s, which its row does not know", what);
	if (status >= 400)
		why = json ? schema_differs(a, "Problem", strlen("Problem"), json) : "no problem document";
	else if (answer.len)
		why = answer_differs(a, &answer, content_type, json);
	else if (json)
		why = "a body where none is described";
	if (why)
		fail_msg("%s: %s", what, why);
	if (status < 400 && route->takes && body && (why = schema_differs(a, route->takes, strlen(route->takes), body)))
		fail_msg("%s to a body that is not described: %s", what, why);
}
