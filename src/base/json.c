/* JSON reading over json-c, turned at once into our own small tree in the arena. */
#include "base/json.h"

#include <json-c/json.h>
#include <json-c/printbuf.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"

/* A body may hold a private key: json-c frees what it copied as it is. */
static void tokener_free(struct json_tokener **t)
{
	if (*t)
		secret_wipe((*t)->pb->buf, (size_t)(*t)->pb->size);
	json_tokener_free(*t);
}

/* Room for the longest string at once: as it grows it would leave copies behind. */
static bool make_room(struct json_tokener *t, size_t len) { return printbuf_memset(t->pb, 0, 0, (int)len) >= 0; }

static void object_put(struct json_object **o) { json_object_put(*o); }

/* The tree under way.  A megabyte of "0," is half a million values, and a path repeats every key above it: both are
 * bounded here, so that no text can ask for more than the arena of a request holds. */
struct tree { struct arena *a; size_t values; };

static troth_rc convert(struct tree *t, struct json_object *o, const char *path, struct json *ret, struct troth_err *e);

/* A path that grows too long ends at the last value that it still names whole. */
static const char *path_below(struct tree *t, const char *path, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static const char *path_below(struct tree *t, const char *path, const char *fmt, ...)
{
	char part[100];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(part, sizeof part, fmt, ap);
	va_end(ap);
	return strlen(path) + strlen(part) <= LIMIT_JSON_PATH_BYTES ? arena_printf(t->a, "%s%s", path, part) : path;
}

static troth_rc count_values(struct tree *t, size_t n, struct troth_err *e)
{
	t->values += n;
	ENSURE(t->values <= LIMIT_JSON_VALUES, e, TROTH_TOO_LARGE, "the JSON text has more than %d values", LIMIT_JSON_VALUES);
	return RC_OK;
}

static troth_rc convert_array(struct tree *t, struct json_object *o, const char *path,
			      struct json *ret, struct troth_err *e)
{
	size_t n = json_object_array_length(o);
	TRY(count_values(t, n, e));
	ret->type = JSON_ARRAY;
	ret->list.items = ARENA_ARRAY(t->a, struct json, n);
	ret->list.count = n;
	for (size_t i = 0; i < n; i++)
		TRY(convert(t, json_object_array_get_idx(o, i), path_below(t, path, "[%zu]", i),
			    &ret->list.items[i], e));
	return RC_OK;
}

static troth_rc convert_object(struct tree *t, struct json_object *o, const char *path,
			       struct json *ret, struct troth_err *e)
{
	size_t n = (size_t)json_object_object_length(o), i = 0;
	TRY(count_values(t, n, e));
	ret->type = JSON_OBJECT;
	ret->map.keys = ARENA_ARRAY(t->a, const char *, n);
	ret->map.values = ARENA_ARRAY(t->a, struct json, n);
	ret->map.count = n;
	json_object_object_foreach(o, key, value)
	{
		ret->map.keys[i] = arena_text(t->a, key);
		TRY(convert(t, value, path_below(t, path, ".%.80s", key), &ret->map.values[i], e));
		i++;
	}
	return RC_OK;
}

static troth_rc convert_string(struct arena *a, struct json_object *o, const char *path,
			       struct json *ret, struct troth_err *e)
{
	size_t len = (size_t)json_object_get_string_len(o);
	ENSURE(len <= LIMIT_JSON_STRING_BYTES, e, TROTH_TOO_LARGE,
	       "%s: the string has %zu bytes; at most %d are accepted", path, len, LIMIT_JSON_STRING_BYTES);
	ret->type = JSON_STRING;
	ret->str.s = arena_text_n(a, json_object_get_string(o), len);
	secret_wipe((char *)json_object_get_string(o), len); /* of the two copies one is left, in the arena */
	ret->str.len = len;
	return RC_OK;
}

static troth_rc convert(struct tree *t, struct json_object *o, const char *path, struct json *ret, struct troth_err *e)
{
	ret->path = path;
	switch (json_object_get_type(o)) {
	case json_type_null:
		ret->type = JSON_NULL;
		return RC_OK;
	case json_type_boolean:
		ret->type = JSON_BOOL;
		ret->b = json_object_get_boolean(o);
		return RC_OK;
	case json_type_int:
		ret->type = JSON_INT;
		ret->i = json_object_get_int64(o); /* the nearest there is, without a word */
		ENSURE(ret->i != INT64_MIN && (ret->i != INT64_MAX || json_object_get_uint64(o) == INT64_MAX), e, TROTH_INVALID,
		       "%s: the number is too large; at most %lld, with either sign", path, (long long)INT64_MAX);
		return RC_OK;
	case json_type_double:
		ret->type = JSON_DOUBLE;
		ret->d = json_object_get_double(o);
		return RC_OK;
	case json_type_string:
		return convert_string(t->a, o, path, ret, e);
	case json_type_array:
		return convert_array(t, o, path, ret, e);
	case json_type_object:
		return convert_object(t, o, path, ret, e);
	}
	return err_set(e, TROTH_INTERNAL, "%s: a JSON type without a name", path);
}

static bool only_space(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != ' ' && p[i] != '\n' && p[i] != '\r' && p[i] != '\t')
			return false;
	return true;
}

/* json-c is lenient where RFC 8259 is not: keys in single quotes, NaN, control characters in strings
 * (sections 2, 6 and 7).  Outside strings only the bytes of the grammar may stand. */
static troth_rc check_alphabet(struct bytes in, struct troth_err *e)
{
	bool in_string = false;
	for (size_t i = 0; i < in.len; i++) {
		uint8_t c = in.data[i];
		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		else
			ENSURE(in_string ? c >= 0x20 : c != 0 && strchr("{}[],: \t\r\n0123456789+-.eEtrufalsn", c), e,
			       TROTH_INVALID, "broken JSON at byte %zu: unexpected character 0x%02x", i, c);
	}
	return RC_OK;
}

/* The code unit of "\\uXXXX" at p; -1: none stands there. */
static int escaped_unit(const uint8_t *p, size_t len)
{
	int unit = 0;
	if (len < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (size_t i = 2; i < 6; i++) {
		const char *digits = "0123456789abcdef", *digit = p[i] ? strchr(digits, p[i] | 0x20) : NULL;
		if (!digit)
			return -1;
		unit = unit << 4 | (int)(digit - digits);
	}
	return unit;
}

static bool is_high(int unit) { return unit >= 0xd800 && unit < 0xdc00; }
static bool is_low(int unit) { return unit >= 0xdc00 && unit < 0xe000; }

/* What json-c would change without a word: of a member's name nothing is left from a NUL on, so that two become one; half of a
 * surrogate pair, which UTF-8 has not (RFC 8259 section 8.2), becomes U+FFFD. */
static troth_rc check_escapes(struct bytes in, struct troth_err *e)
{
	size_t nul = 0; /* in the string that was last */
	bool in_string = false;
	for (size_t i = 0; i < in.len; i++) {
		const uint8_t *p = in.data + i;
		int unit = in_string ? escaped_unit(p, in.len - i) : -1;
		bool pair = is_high(unit) && is_low(escaped_unit(p + 6, in.len - i - 6));
		ENSURE(pair || !(is_high(unit) || is_low(unit)), e, TROTH_INVALID, "broken JSON at byte %zu: half of a surrogate pair", i);
		ENSURE(in_string || *p != ':' || !nul, e, TROTH_INVALID, "broken JSON at byte %zu: a NUL in the name of a member", nul);
		nul = unit == 0 ? i : in_string || *p != '"' ? nul : 0;
		in_string ^= *p == '"';
		i += pair ? 11 : in_string && *p == '\\' ? 1 : 0;
	}
	return RC_OK;
}

troth_rc json_parse(struct arena *a, struct bytes in, const struct json **ret_value,
		    struct troth_err *e)
{
	ENSURE(in.len <= LIMIT_HTTP_BODY_BYTES, e, TROTH_TOO_LARGE,
	       "the JSON text has %zu bytes; at most %d are accepted", in.len, LIMIT_HTTP_BODY_BYTES);
	ENSURE(!only_space(in.data, in.len), e, TROTH_INVALID, "the JSON text is empty");
	TRY(check_alphabet(in, e));
	TRY(check_escapes(in, e));
	CLEANUP(tokener_free) struct json_tokener *tok = json_tokener_new_ex(LIMIT_JSON_DEPTH);
	ENSURE(tok && make_room(tok, in.len), e, TROTH_UNAVAILABLE, "out of memory");
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_ALLOW_TRAILING_CHARS |
					    JSON_TOKENER_VALIDATE_UTF8);
	CLEANUP(object_put) struct json_object *o = json_tokener_parse_ex(tok, (const char *)in.data, (int)in.len);
	enum json_tokener_error why = json_tokener_get_error(tok);
	if (why == json_tokener_continue) { /* a bare number ends only at a byte that is not of it */
		o = json_tokener_parse_ex(tok, " ", 1);
		why = json_tokener_get_error(tok);
		ENSURE(why == json_tokener_success, e, TROTH_INVALID, "the JSON text ends too early");
	} else {
		size_t end = json_tokener_get_parse_end(tok);
		ENSURE(why == json_tokener_success, e, TROTH_INVALID, "broken JSON at byte %zu: %s", end,
		       json_tokener_error_desc(why));
		ENSURE(only_space(in.data + end, in.len - end), e, TROTH_INVALID,
		       "broken JSON at byte %zu: text after the value", end);
	}
	struct json *root = ARENA_NEW(a, struct json);
	TRY(convert(&(struct tree){ .a = a }, o, "$", root, e));
	*ret_value = root;
	return RC_OK;
}

const struct json *json_get(const struct json *j, const char *key)
{
	if (!j || j->type != JSON_OBJECT)
		return NULL;
	for (size_t i = 0; i < j->map.count; i++)
		if (strcmp(j->map.keys[i], key) == 0)
			return &j->map.values[i];
	return NULL;
}

const char *json_get_text(const struct json *j, const char *key, const char *otherwise)
{
	const struct json *v = json_get(j, key);
	return v && v->type == JSON_STRING ? v->str.s : otherwise;
}

int64_t json_get_int(const struct json *j, const char *key, int64_t otherwise)
{
	const struct json *v = json_get(j, key);
	return v && v->type == JSON_INT ? v->i : otherwise;
}

bool json_get_bool(const struct json *j, const char *key, bool otherwise)
{
	const struct json *v = json_get(j, key);
	return v && v->type == JSON_BOOL ? v->b : otherwise;
}

const struct json *json_get_list(const struct json *j, const char *key)
{
	static const struct json none = { .type = JSON_ARRAY, .path = "$" };
	const struct json *v = json_get(j, key);
	return v && v->type == JSON_ARRAY ? v : &none;
}

bool json_is_finite(const struct json *j)
{
	bool all = j->type != JSON_DOUBLE || isfinite(j->d);
	for (size_t i = 0; j->type == JSON_ARRAY && i < j->list.count; i++)
		all = all && json_is_finite(&j->list.items[i]);
	for (size_t i = 0; j->type == JSON_OBJECT && i < j->map.count; i++)
		all = all && json_is_finite(&j->map.values[i]);
	return all;
}

bool json_list_has(const struct json *list, const char *text)
{
	for (size_t i = 0; i < list->list.count; i++)
		if (list->list.items[i].type == JSON_STRING && text_equal(list->list.items[i].str.s, text))
			return true;
	return false;
}

void err_finding(struct arena *a, struct troth_err *e, const char *path, const char *rule,
		 const char *text, const char *hint)
{
	if (!e)
		return;
	if (e->kind == TROTH_OK) {
		e->kind = TROTH_INVALID;
		snprintf(e->primary, sizeof e->primary, "%s: %s", path, text);
		snprintf(e->hint, sizeof e->hint, "%s", hint ? hint : "");
	}
	struct finding **at = &e->findings;
	int n = 0;
	while (*at && n++ < LIMIT_FINDINGS)
		at = &(*at)->next;
	if (*at)
		return;
	struct finding *f = ARENA_NEW(a, struct finding);
	*f = (struct finding){ arena_text(a, path), arena_text(a, rule), arena_text(a, text),
			       arena_text(a, hint), NULL };
	*at = f;
}

static const char *const TYPE_NAMES[] = { "null", "true or false", "an integer", "a number",
					  "a string", "a list", "an object" };

static bool wrong_type(struct arena *a, const struct json *v, enum json_kind want, struct troth_err *e)
{
	if (v->type == want)
		return false;
	err_finding(a, e, v->path, "type",
		    arena_printf(a, "must be %s, is %s", TYPE_NAMES[want], TYPE_NAMES[v->type]), NULL);
	return true;
}

static void read_text(struct arena *a, const struct json *v, const struct json_field *f, void *at,
		      struct troth_err *e)
{
	int64_t max = f->max ? f->max : LIMIT_TEXT_BYTES;
	if (wrong_type(a, v, JSON_STRING, e))
		return;
	if ((int64_t)v->str.len > max)
		err_finding(a, e, v->path, "length",
			    arena_printf(a, "has %zu bytes; at most %lld are accepted", v->str.len,
					 (long long)max), NULL);
	else if (memchr(v->str.s, 0, v->str.len))
		err_finding(a, e, v->path, "text", "holds a NUL character", NULL);
	else
		*(const char **)at = v->str.s;
}

static void read_int(struct arena *a, const struct json *v, const struct json_field *f, void *at,
		     struct troth_err *e)
{
	if (wrong_type(a, v, JSON_INT, e))
		return;
	if ((f->min || f->max) && (v->i < f->min || v->i > f->max))
		err_finding(a, e, v->path, "range",
			    arena_printf(a, "must be between %lld and %lld, is %lld", (long long)f->min,
					 (long long)f->max, (long long)v->i), NULL);
	else
		*(int64_t *)at = v->i;
}

static void read_texts(struct arena *a, const struct json *v, const struct json_field *f, void *at,
		       struct troth_err *e)
{
	if (wrong_type(a, v, JSON_ARRAY, e))
		return;
	if (f->max && (int64_t)v->list.count > f->max) {
		err_finding(a, e, v->path, "length",
			    arena_printf(a, "has %zu entries; at most %lld are accepted", v->list.count,
					 (long long)f->max), NULL);
		return;
	}
	struct json_field each = { .kind = JF_TEXT };
	struct json_texts *out = at;
	const char **items = ARENA_ARRAY(a, const char *, v->list.count);
	bool whole = true;
	for (size_t i = 0; i < v->list.count; i++) {
		read_text(a, &v->list.items[i], &each, &items[i], e);
		whole = whole && items[i];
	}
	if (whole) /* a list with holes is never handed on: checks may follow before the findings are answered */
		*out = (struct json_texts){ items, v->list.count };
}

static void read_when(struct arena *a, const struct json *v, const struct json_field *f, void *at,
		      struct troth_err *e)
{
	if (wrong_type(a, v, JSON_STRING, e))
		return;
	struct troth_err why = { 0 };
	troth_rc rc = f->kind == JF_TIME ? time_parse(v->str.s, at, &why) : duration_parse(v->str.s, at, &why);
	if (rc_failed(rc))
		err_finding(a, e, v->path, f->kind == JF_TIME ? "time" : "duration", why.primary,
			    why.hint[0] ? why.hint : NULL);
}

static void read_field(struct arena *a, const struct json *v, const struct json_field *f, void *out,
		       struct troth_err *e)
{
	void *at = (char *)out + f->offset;
	switch (f->kind) {
	case JF_TEXT: read_text(a, v, f, at, e); break;
	case JF_INT: read_int(a, v, f, at, e); break;
	case JF_BOOL: if (!wrong_type(a, v, JSON_BOOL, e)) *(bool *)at = v->b; break;
	case JF_TEXTS: read_texts(a, v, f, at, e); break;
	case JF_DURATION: case JF_TIME: read_when(a, v, f, at, e); break;
	case JF_ANY: *(const struct json **)at = v; break;
	}
}

static const struct json_field *find_field(const struct json_field *fields, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(fields[i].name, name) == 0)
			return &fields[i];
	return NULL;
}

static const char *field_names(struct arena *a, const struct json_field *fields, size_t n)
{
	const char *list = n ? "known fields:" : "no fields are known here";
	for (size_t i = 0; i < n; i++)
		list = arena_printf(a, "%s%s %s", list, i ? "," : "", fields[i].name);
	return list;
}

troth_rc json_read(struct arena *a, const struct json *j, const struct json_field *fields,
		   size_t field_count, void *out, struct troth_err *e)
{
	struct troth_err mine = { 0 };
	if (!e)
		e = &mine;
	struct finding *before = e->findings;
	ENSURE(j->type == JSON_OBJECT, e, TROTH_INVALID, "%s: must be an object, is %s", j->path,
	       TYPE_NAMES[j->type]);
	const char *known = NULL; /* written out once, however many are unknown */
	for (size_t i = 0; i < j->map.count; i++) {
		const struct json_field *f = find_field(fields, field_count, j->map.keys[i]);
		if (!f && !known)
			known = field_names(a, fields, field_count);
		if (!f)
			err_finding(a, e, j->map.values[i].path, "unknown-field", "is not a field that is known here", known);
		else if (j->map.values[i].type != JSON_NULL)
			read_field(a, &j->map.values[i], f, out, e);
	}
	for (size_t i = 0; i < field_count; i++) {
		const struct json *v = json_get(j, fields[i].name);
		if ((fields[i].flags & JF_REQUIRED) && (!v || v->type == JSON_NULL))
			err_finding(a, e, arena_printf(a, "%s.%s", j->path, fields[i].name), "required", "is missing", NULL);
	}
	return e->kind == TROTH_OK && e->findings == before ? RC_OK : (troth_rc){ TROTH_INVALID };
}
