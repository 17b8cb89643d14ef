/* JSON in and out.
 *
 * Reading goes through json-c, bounded before and while it parses: depth, string length, no
 * duplicate keys hidden (the last wins, as RFC 8259 section 4 allows), nothing after the value.
 * Objects are read with a table of fields, so an unknown field, a missing one and a wrong type all
 * become findings with a JSON path, and all of them are reported, not the first.
 * A text may hold a secret: what json-c copied of it is wiped, so it is only where the arena is.
 * Writing is a streaming writer over a struct buf; it keeps the commas. */
#ifndef TROTH_BASE_JSON_H
#define TROTH_BASE_JSON_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* -- reading ------------------------------------------------------------------------------ */
enum json_kind { JSON_NULL, JSON_BOOL, JSON_INT, JSON_DOUBLE, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {                       /* lives in the arena that json_parse was given */
	enum json_kind type;
	unsigned line;              /* in YAML: of a member its key's, from 1 (yaml_tree.h); 0 in JSON */
	const char *path;           /* "$.versions[0].pem" */
	union {
		bool b;
		int64_t i;
		double d;
		struct { const char *s; size_t len; } str; /* ends with 0; may hold more zeros inside */
		struct { struct json *items; size_t count; } list;
		struct { const char **keys; struct json *values; size_t count; } map;
	};
};

troth_rc json_parse(struct arena *a, struct bytes in, const struct json **ret_value,
		    struct troth_err *e);
/* The member, or NULL when `j` is not an object or has no such key. */
const struct json *json_get(const struct json *j, const char *key);
/* Plain readers for messages we trust to be well formed; the default if absent or another type. */
const char *json_get_text(const struct json *j, const char *key, const char *otherwise);
int64_t json_get_int(const struct json *j, const char *key, int64_t otherwise);
bool json_get_bool(const struct json *j, const char *key, bool otherwise);
const struct json *json_get_list(const struct json *j, const char *key); /* otherwise an empty list, never NULL */
/* False if a number in it is larger than any double: 1e999. */
bool json_is_finite(const struct json *j);
/* True if an entry of the list is this text. */
bool json_list_has(const struct json *list, const char *text);

/* A table row: where a member of the object goes in the struct that is being filled. */
enum json_field_kind {
	JF_TEXT,     /* const char *; no 0 inside, at most `max` bytes (0: LIMIT_TEXT_BYTES) */
	JF_INT,      /* int64_t; between min and max (both 0: any) */
	JF_BOOL,     /* bool */
	JF_TEXTS,    /* struct json_texts; at most `max` of them */
	JF_DURATION, /* msec_t, written "90d" */
	JF_TIME,     /* msec_t, RFC 3339 */
	JF_ANY,      /* const struct json * */
};
enum json_field_flags {
	JF_REQUIRED = 1,
	JF_NEEDED = 2, /* the noun's own check misses it, in its own words: told in descriptions, not asked for by json_read */
};

struct json_texts { const char **items; size_t count; };

struct json_field {
	const char *name;
	enum json_field_kind kind;
	size_t offset;     /* offsetof(struct x, member) */
	unsigned flags;
	int64_t min, max;
	/* Of a JF_ANY, for descriptions of the API only, as json_read does not look into it: */
	const char *what;             /* its type in the words of facade/native/describe.h: "bool", "{text}" */
	const struct json_field *of;  /* a list of objects with these members; `what` is then the noun that they become */
	size_t of_count;
};

/* Fills `out` from object `j` by the table.  Members that are absent or null stay as they were.
 * Collects every problem in e->findings (arena a) and fails with INVALID if there was one. */
troth_rc json_read(struct arena *a, const struct json *j, const struct json_field *fields,
		   size_t field_count, void *out, struct troth_err *e);
/* Adds a finding to e (making it INVALID if it was OK).  Strings are copied into a. */
void err_finding(struct arena *a, struct troth_err *e, const char *path, const char *rule,
		 const char *text, const char *hint);

/* -- writing ------------------------------------------------------------------------------ */
struct json_writer {
	struct buf *out;
	int depth;
	bool comma[32]; /* per level: a value was written before */
	bool after_key;
};

struct json_writer json_writer_make(struct buf *out);
void jw_object(struct json_writer *w);
void jw_object_end(struct json_writer *w);
void jw_array(struct json_writer *w);
void jw_array_end(struct json_writer *w);
void jw_key(struct json_writer *w, const char *key);
void jw_text(struct json_writer *w, const char *s);            /* NULL writes null */
void jw_text_n(struct json_writer *w, const char *s, size_t n); /* invalid UTF-8 becomes U+FFFD */
void jw_int(struct json_writer *w, int64_t i);
void jw_bool(struct json_writer *w, bool b);
void jw_null(struct json_writer *w);
void jw_time(struct json_writer *w, int64_t msec);             /* 0 writes null */
void jw_raw(struct json_writer *w, const char *json);          /* already JSON */
void jw_double(struct json_writer *w, double d);                /* finite; 15 digits, or what reads back the same; never as an integer */
void jw_value(struct json_writer *w, const struct json *j);     /* what json_parse read, with its numbers finite (json_is_finite) */
/* key and value in one call */
void jw_kv_text(struct json_writer *w, const char *key, const char *s);
void jw_kv_int(struct json_writer *w, const char *key, int64_t i);
void jw_kv_bool(struct json_writer *w, const char *key, bool b);
void jw_kv_time(struct json_writer *w, const char *key, int64_t msec);

#endif
