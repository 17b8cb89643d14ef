/* libyaml's events to our tree.  Recursion is bounded by LIMIT_JSON_DEPTH, size by LIMIT_YAML_BYTES. */
#include "base/yaml_tree.h"

#include <string.h>
#include <yaml.h>

#include "base/limits.h"

enum { ITEMS_MAX = 4096 }; /* in one list or mapping: a profile has a dozen */

struct reader {
	yaml_parser_t parser;
	struct arena *a;
};

static void reader_release(struct reader *r) { yaml_parser_delete(&r->parser); }
static void event_release(yaml_event_t *ev) { yaml_event_delete(ev); }

static troth_rc next(struct reader *r, yaml_event_t *ev, struct troth_err *e)
{
	if (yaml_parser_parse(&r->parser, ev))
		return RC_OK;
	memset(ev, 0, sizeof *ev);
	return err_set(e, TROTH_INVALID, "line %zu: broken YAML: %s", r->parser.problem_mark.line + 1,
		       r->parser.problem ? r->parser.problem : "out of memory");
}

static bool whole_number(const char *s, size_t len, int64_t *ret)
{
	bool minus = len > 1 && s[0] == '-';
	size_t i = minus ? 1 : 0;
	int64_t n = 0;
	if (len == 0 || len - i > 18 || (s[i] == '0' && len - i > 1))
		return false;
	for (; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		n = n * 10 + (s[i] - '0');
	}
	*ret = minus ? -n : n;
	return true;
}

static bool word_is(const char *s, size_t len, const char *word) { return strlen(word) == len && memcmp(s, word, len) == 0; }

static troth_rc read_scalar(struct reader *r, const yaml_event_t *ev, struct json *ret, struct troth_err *e)
{
	const char *s = (const char *)ev->data.scalar.value;
	size_t len = ev->data.scalar.length;
	ENSURE(!ev->data.scalar.anchor && !ev->data.scalar.tag, e, TROTH_INVALID,
	       "line %zu: anchors and tags are not accepted here", ev->start_mark.line + 1);
	bool plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	if (plain && (len == 0 || word_is(s, len, "~") || word_is(s, len, "null"))) {
		ret->type = JSON_NULL;
	} else if (plain && (word_is(s, len, "true") || word_is(s, len, "false"))) {
		ret->type = JSON_BOOL;
		ret->b = s[0] == 't';
	} else if (plain && whole_number(s, len, &ret->i)) {
		ret->type = JSON_INT;
	} else {
		ret->type = JSON_STRING;
		ret->str.s = arena_text_n(r->a, s, len);
		ret->str.len = len;
	}
	return RC_OK;
}

static troth_rc read_value(struct reader *r, const yaml_event_t *ev, const char *path, int depth, struct json *ret,
			   struct troth_err *e);

/* Grows by doubling; the arena keeps the old ones until it goes. */
static void make_room(struct arena *a, void **items, size_t size, size_t count, size_t *room)
{
	if (count < *room)
		return;
	size_t more = *room ? *room * 2 : 8;
	void *grown = arena_array(a, more, size);
	if (count)
		memcpy(grown, *items, size * count);
	*items = grown;
	*room = more;
}

static troth_rc read_sequence(struct reader *r, const char *path, int depth, struct json *ret, struct troth_err *e)
{
	size_t room = 0;
	ret->type = JSON_ARRAY;
	for (;;) {
		CLEANUP(event_release) yaml_event_t ev = { 0 };
		TRY(next(r, &ev, e));
		if (ev.type == YAML_SEQUENCE_END_EVENT)
			return RC_OK;
		ENSURE(ret->list.count < ITEMS_MAX, e, TROTH_TOO_LARGE, "%s: more than %d entries", path, ITEMS_MAX);
		void *items = ret->list.items;
		make_room(r->a, &items, sizeof(struct json), ret->list.count, &room);
		ret->list.items = items;
		TRY(read_value(r, &ev, arena_printf(r->a, "%s[%zu]", path, ret->list.count), depth,
			       &ret->list.items[ret->list.count], e));
		ret->list.count++;
	}
}

static troth_rc read_key(struct reader *r, const yaml_event_t *ev, const struct json *map, const char **ret_key,
			 struct troth_err *e)
{
	size_t line = ev->start_mark.line + 1;
	ENSURE(ev->type == YAML_SCALAR_EVENT && !ev->data.scalar.anchor && !ev->data.scalar.tag, e, TROTH_INVALID,
	       "line %zu: a key must be plain text", line);
	const char *s = (const char *)ev->data.scalar.value;
	ENSURE(strlen(s) == ev->data.scalar.length && strlen(s) <= LIMIT_NAME_BYTES, e, TROTH_INVALID,
	       "line %zu: the key is too long or holds a NUL", line);
	ENSURE(!json_get(map, s), e, TROTH_INVALID, "line %zu: the key \"%.80s\" stands twice", line, s);
	ENSURE(map->map.count < ITEMS_MAX, e, TROTH_TOO_LARGE, "line %zu: more than %d keys", line, ITEMS_MAX);
	*ret_key = arena_text(r->a, s);
	return RC_OK;
}

static troth_rc read_mapping(struct reader *r, const char *path, int depth, struct json *ret, struct troth_err *e)
{
	size_t key_room = 0, value_room = 0;
	ret->type = JSON_OBJECT;
	for (;;) {
		CLEANUP(event_release) yaml_event_t key_ev = { 0 };
		CLEANUP(event_release) yaml_event_t ev = { 0 };
		const char *key;
		TRY(next(r, &key_ev, e));
		if (key_ev.type == YAML_MAPPING_END_EVENT)
			return RC_OK;
		TRY(read_key(r, &key_ev, ret, &key, e));
		TRY(next(r, &ev, e));
		void *keys = ret->map.keys, *values = ret->map.values;
		make_room(r->a, &keys, sizeof(char *), ret->map.count, &key_room);
		make_room(r->a, &values, sizeof(struct json), ret->map.count, &value_room);
		ret->map.keys = keys;
		ret->map.values = values;
		TRY(read_value(r, &ev, arena_printf(r->a, "%s.%.80s", path, key), depth,
			       &ret->map.values[ret->map.count], e));
		ret->map.values[ret->map.count].line = (unsigned)key_ev.start_mark.line + 1;
		ret->map.keys[ret->map.count++] = key;
	}
}

static troth_rc read_value(struct reader *r, const yaml_event_t *ev, const char *path, int depth, struct json *ret,
			   struct troth_err *e)
{
	size_t line = ev->start_mark.line + 1;
	memset(ret, 0, sizeof *ret);
	ret->path = path;
	ret->line = (unsigned)line;
	ENSURE(depth < LIMIT_JSON_DEPTH, e, TROTH_TOO_LARGE, "line %zu: nested deeper than %d levels", line, LIMIT_JSON_DEPTH);
	switch (ev->type) {
	case YAML_SCALAR_EVENT: return read_scalar(r, ev, ret, e);
	case YAML_SEQUENCE_START_EVENT:
		ENSURE(!ev->data.sequence_start.anchor && !ev->data.sequence_start.tag, e, TROTH_INVALID,
		       "line %zu: anchors and tags are not accepted here", line);
		return read_sequence(r, path, depth + 1, ret, e);
	case YAML_MAPPING_START_EVENT:
		ENSURE(!ev->data.mapping_start.anchor && !ev->data.mapping_start.tag, e, TROTH_INVALID,
		       "line %zu: anchors and tags are not accepted here", line);
		return read_mapping(r, path, depth + 1, ret, e);
	case YAML_ALIAS_EVENT: return err_set(e, TROTH_INVALID, "line %zu: aliases are not accepted here", line);
	default: return err_set(e, TROTH_INVALID, "line %zu: a value is missing", line);
	}
}

static troth_rc expect(struct reader *r, yaml_event_type_t type, const char *otherwise, struct troth_err *e)
{
	CLEANUP(event_release) yaml_event_t ev = { 0 };
	TRY(next(r, &ev, e));
	ENSURE(ev.type == type, e, TROTH_INVALID, "line %zu: %s", ev.start_mark.line + 1, otherwise);
	return RC_OK;
}

troth_rc yaml_parse(struct arena *a, struct bytes in, const struct json **ret, struct troth_err *e)
{
	CLEANUP(reader_release) struct reader r = { .a = a };
	ENSURE(in.len <= LIMIT_YAML_BYTES, e, TROTH_TOO_LARGE, "the YAML text has %zu bytes; at most %d are accepted",
	       in.len, LIMIT_YAML_BYTES);
	ENSURE(yaml_parser_initialize(&r.parser), e, TROTH_UNAVAILABLE, "out of memory");
	yaml_parser_set_input_string(&r.parser, in.data, in.len);
	TRY(expect(&r, YAML_STREAM_START_EVENT, "no YAML", e));
	TRY(expect(&r, YAML_DOCUMENT_START_EVENT, "the YAML text is empty", e));
	CLEANUP(event_release) yaml_event_t ev = { 0 };
	TRY(next(&r, &ev, e));
	struct json *root = ARENA_NEW(a, struct json);
	TRY(read_value(&r, &ev, "$", 0, root, e));
	TRY(expect(&r, YAML_DOCUMENT_END_EVENT, "text after the document", e));
	TRY(expect(&r, YAML_STREAM_END_EVENT, "a second document; only one is accepted", e));
	*ret = root;
	return RC_OK;
}
