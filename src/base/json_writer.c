/* JSON writing: a stream with commas, escapes and valid UTF-8. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"

struct json_writer json_writer_make(struct buf *out) { return (struct json_writer){ .out = out }; }

static void before_value(struct json_writer *w)
{
	if (!w->after_key && w->comma[w->depth])
		buf_add_byte(w->out, ',');
	w->comma[w->depth] = true;
	w->after_key = false;
}

static void open_level(struct json_writer *w, char c)
{
	before_value(w);
	buf_add_byte(w->out, (uint8_t)c);
	CHECK(w->depth + 1 < (int)ARRAY_LEN(w->comma));
	w->comma[++w->depth] = false;
}

static void close_level(struct json_writer *w, char c)
{
	CHECK(w->depth > 0);
	w->depth--;
	buf_add_byte(w->out, (uint8_t)c);
}

void jw_object(struct json_writer *w) { open_level(w, '{'); }
void jw_object_end(struct json_writer *w) { close_level(w, '}'); }
void jw_array(struct json_writer *w) { open_level(w, '['); }
void jw_array_end(struct json_writer *w) { close_level(w, ']'); }

/* Length of the valid UTF-8 sequence at p (RFC 3629 section 4), or 0. */
static size_t utf8_len(const uint8_t *p, size_t left)
{
	if (p[0] < 0x80)
		return 1;
	size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (p[0] < 0xc2 || p[0] > 0xf4 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
	    (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return n;
}

static void put_char(struct buf *out, uint8_t c)
{
	static const char *const short_form[128] = { ['"'] = "\\\"", ['\\'] = "\\\\", ['\n'] = "\\n",
						     ['\r'] = "\\r", ['\t'] = "\\t", ['\b'] = "\\b",
						     ['\f'] = "\\f" };
	if (short_form[c])
		buf_add_text(out, short_form[c]);
	else if (c < 0x20 || c == 0x7f)
		buf_printf(out, "\\u%04x", c);
	else
		buf_add_byte(out, c);
}

static void put_string(struct buf *out, const char *s, size_t n)
{
	const uint8_t *p = (const uint8_t *)s;
	buf_add_byte(out, '"');
	for (size_t i = 0; i < n;) {
		size_t len = utf8_len(p + i, n - i);
		if (len == 1)
			put_char(out, p[i]);
		else if (len)
			buf_add(out, p + i, len);
		else
			buf_add_text(out, "\xef\xbf\xbd");
		i += len ? len : 1;
	}
	buf_add_byte(out, '"');
}

void jw_key(struct json_writer *w, const char *key)
{
	before_value(w);
	put_string(w->out, key, strlen(key));
	buf_add_byte(w->out, ':');
	w->after_key = true;
}

void jw_text_n(struct json_writer *w, const char *s, size_t n)
{
	before_value(w);
	put_string(w->out, s, n);
}

void jw_raw(struct json_writer *w, const char *json)
{
	before_value(w);
	buf_add_text(w->out, json);
}

void jw_text(struct json_writer *w, const char *s)
{
	if (s)
		jw_text_n(w, s, strlen(s));
	else
		jw_null(w);
}

void jw_int(struct json_writer *w, int64_t i)
{
	before_value(w);
	buf_printf(w->out, "%lld", (long long)i);
}

/* 15 digits say most numbers as people wrote them, 17 each one (IEEE 754). */
void jw_double(struct json_writer *w, double d)
{
	char text[40];
	CHECK(isfinite(d));
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, d);
		if (strtod(text, NULL) == d)
			break;
	}
	before_value(w);
	buf_printf(w->out, "%s%s", text, strpbrk(text, ".e") ? "" : ".0");
}

void jw_value(struct json_writer *w, const struct json *j)
{
	switch (j->type) {
	case JSON_NULL: jw_null(w); break;
	case JSON_BOOL: jw_bool(w, j->b); break;
	case JSON_INT: jw_int(w, j->i); break;
	case JSON_DOUBLE: jw_double(w, j->d); break;
	case JSON_STRING: jw_text_n(w, j->str.s, j->str.len); break;
	case JSON_ARRAY:
		jw_array(w);
		for (size_t i = 0; i < j->list.count; i++)
			jw_value(w, &j->list.items[i]);
		jw_array_end(w);
		break;
	case JSON_OBJECT:
		jw_object(w);
		for (size_t i = 0; i < j->map.count; i++) {
			jw_key(w, j->map.keys[i]);
			jw_value(w, &j->map.values[i]);
		}
		jw_object_end(w);
		break;
	}
}

void jw_bool(struct json_writer *w, bool b) { jw_raw(w, b ? "true" : "false"); }
void jw_null(struct json_writer *w) { jw_raw(w, "null"); }

void jw_time(struct json_writer *w, int64_t msec)
{
	char text[RFC3339_LEN];
	if (msec)
		jw_text(w, time_format(msec, text));
	else
		jw_null(w);
}

void jw_kv_text(struct json_writer *w, const char *key, const char *s) { jw_key(w, key); jw_text(w, s); }
void jw_kv_int(struct json_writer *w, const char *key, int64_t i) { jw_key(w, key); jw_int(w, i); }
void jw_kv_bool(struct json_writer *w, const char *key, bool b) { jw_key(w, key); jw_bool(w, b); }
void jw_kv_time(struct json_writer *w, const char *key, int64_t msec) { jw_key(w, key); jw_time(w, msec); }
