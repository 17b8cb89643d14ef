/* Reading what rows and nouns say of themselves.  See describe.h. */
#include "facade/native/describe.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "service/verb.h"

const struct api_field API_QUERIES[] = {
	{ NULL, "after", "text", "123", "Where the page begins: `next` of the one before" },
	{ NULL, "limit", "int", "50", "Entries in a page, 1 to 200" },
	{ NULL, "name", "text", "/prod/pg/ca", "Only this one" },
	{ NULL, "name_prefix", "text", "/prod/pg/", "Only those whose name begins so" },
	{ NULL, "issuer", "text", "/prod/pg/ca", "Only what this authority signs" },
	{ NULL, "san", "text", "dns:pg-1.example", "Only what is for this name, in any case" },
	{ NULL, "fingerprint", "text", "3f9ac1d43f9ac1d43f9ac1d43f9ac1d43f9ac1d43f9ac1d43f9ac1d43f9ac1d4", "Only what has this version, wanted or not; colons may stand in it" },
	{ NULL, "expires_before", "text", "30d", "Only what ends before: a day, a time, or a length from now" },
	{ NULL, "sort", "=name|-name|expires|-expires", NULL, "In this order; - is downwards. Otherwise by age" },
	{ NULL, "all", "bool", "true", "Also what is wanted no more" },
	{ NULL, "version", "uuid", NULL, "This version, in place of the newest" },
	{ NULL, "deployment", "text", "pg", "Only of this deployment" },
	{ NULL, "instance", "uuid", NULL, "Only of this instance" },
	{ NULL, "state", "text", "running", "Only in this state" },
	{ NULL, "kind", "text", "rotation", "Only of this kind" },
	{ NULL, "object", "text", "/prod/pg/ca", "Only about this one" },
	{ NULL, "now", "bool", "true", "Its services are stopped: nothing of it counts any more" },
	{ NULL, "tag", "text", "g2-0a1b2c3d", "What the caller runs, as If-None-Match says it too" },
	{ NULL, "as", "=json", NULL, "The same as a JSON object" },
	{ NULL, "until", "text", "90d", "A day, a time, or a length" },
	{ NULL, "session", "int", "7", "The open session" },
};
const size_t API_QUERY_COUNT = ARRAY_LEN(API_QUERIES);

/* -- types ---------------------------------------------------------------------------------------- */
struct api_type api_type_read(const char *type)
{
	struct api_type t = { .optional = *type == '~' };
	type += t.optional;
	t.word = type;
	t.len = strlen(type);
	t.nullable = t.len && type[t.len - 1] == '?';
	t.len -= t.nullable;
	t.list = *type == '[';
	t.map = *type == '{';
	if (t.list || t.map) {
		t.word++;
		t.len -= 2;
	}
	return t;
}

bool api_type_is(const struct api_type *t, const char *word) { return strlen(word) == t->len && memcmp(word, t->word, t->len) == 0; }

static bool is_noun(const char *noun, const char *word, size_t len)
{
	return noun && strlen(noun) == len && memcmp(noun, word, len) == 0;
}

const struct api_field *api_fields_of(const char *noun, size_t len, size_t *ret_count)
{
	size_t i = 0, n = 0;
	while (i < API_FIELD_COUNT && !is_noun(API_FIELDS[i].noun, noun, len))
		i++;
	while (i + n < API_FIELD_COUNT && is_noun(API_FIELDS[i + n].noun, noun, len))
		n++;
	*ret_count = n;
	return n ? &API_FIELDS[i] : NULL;
}

const struct api_field *api_field_of(const char *noun, const char *name)
{
	size_t n;
	const struct api_field *f = api_fields_of(noun, strlen(noun), &n);
	for (size_t i = 0; i < n; i++)
		if (text_equal(f[i].name, name))
			return &f[i];
	return NULL;
}

const struct api_field *api_query_of(const char *name, size_t len)
{
	for (size_t i = 0; i < API_QUERY_COUNT; i++)
		if (is_noun(API_QUERIES[i].name, name, len))
			return &API_QUERIES[i];
	return NULL;
}

bool api_noun_known(const char *noun, size_t len)
{
	for (size_t i = 0; i < API_NOUN_COUNT; i++)
		if (is_noun(API_NOUNS[i].name, noun, len))
			return true;
	return false;
}

/* -- statuses ------------------------------------------------------------------------------------- */
bool api_answer_next(const char **at, struct api_answer *ret)
{
	char *end;
	if (!*at || !**at)
		return false;
	ret->status = (int)strtol(*at, &end, 10);
	ret->words = end + strspn(end, " ");
	ret->len = strcspn(ret->words, ",");
	*at = ret->words + ret->len;
	*at += strspn(*at, ", ");
	return true;
}

bool api_gives(const struct route *row, int status, struct api_answer *ret)
{
	for (const char *at = row->gives; api_answer_next(&at, ret);)
		if (ret->status == status || (status == 200 && route_tries(row) && (ret->status == 201 || ret->status == 202)))
			return true;
	return false;
}

static bool has_body(const struct route *row) { return row->body.count || row->takes; }

bool api_fails(const struct route *row, int status)
{
	char text[12];
	switch (status) {
	case 400:
	case 503:
		return true;
	case 401:
	case 403:
		if (!(row->flags & ROUTE_NO_AUTH))
			return true;
		break;
	case 404:
		if (strchr(row->pattern, '{'))
			return true;
		break;
	case 409:
	case 412:
		if (route_writes(row))
			return true;
		break;
	case 413:
	case 415:
		if (has_body(row))
			return true;
		break;
	}
	snprintf(text, sizeof text, "%d", status);
	return route_word_in(row->fails, text, strlen(text));
}
