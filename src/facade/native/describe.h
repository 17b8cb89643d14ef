/* What the native API says of itself: the nouns of its answers as data, and the document made of them and of the route
 * table (OpenAPI 3.1).  Nothing is said twice: statuses follow from a row's verb, flags and pattern, bodies from the very
 * table that parse reads them by.
 *
 * A type is a word: text uuid time duration int bool hash pem any, =one|of|these, or a noun; [type] is a list, {text} an
 * object of texts.  Before it ~ says that it may be absent, behind it ? that it may be null. */
#ifndef TROTH_FACADE_NATIVE_DESCRIBE_H
#define TROTH_FACADE_NATIVE_DESCRIBE_H

#include "edge/route.h"

struct api_noun { const char *name, *about; };
struct api_field {
	const char *noun, *name, *type;
	const char *example;        /* as text; of a list: its one entry.  NULL: the type's own */
	const char *about;
};
extern const struct api_noun API_NOUNS[];
extern const size_t API_NOUN_COUNT;
extern const struct api_field API_FIELDS[]; /* of one noun stand together; those of "Word" are what bodies share */
extern const size_t API_FIELD_COUNT;
extern const struct api_field API_QUERIES[]; /* query parameters; noun: NULL */
extern const size_t API_QUERY_COUNT;

struct api_type {
	bool optional, nullable, list, map;
	const char *word;           /* "text", "=a|b", "Authority" */
	size_t len;
};
struct api_type api_type_read(const char *type);
bool api_type_is(const struct api_type *t, const char *word);
/* The first row of a noun, and how many; NULL: no such noun, or it has no members. */
const struct api_field *api_fields_of(const char *noun, size_t len, size_t *ret_count);
const struct api_field *api_field_of(const char *noun, const char *name);
const struct api_field *api_query_of(const char *name, size_t len);
bool api_noun_known(const char *noun, size_t len);

/* One answer of a row's `gives`. */
struct api_answer {
	int status;
	const char *words;          /* "Rotation|RotationPreview", "[Authority]", "application/x-pem-file"; len 0: no body */
	size_t len;
};
/* The first, then the next: `at` starts as route->gives; false at the end. */
bool api_answer_next(const char **at, struct api_answer *ret);
/* Does a row answer with this status when all is well, and when not? */
bool api_gives(const struct route *row, int status, struct api_answer *ret);
bool api_fails(const struct route *row, int status);
enum { API_STATUS_MIN = 400, API_STATUS_MAX = 503 };

#endif
