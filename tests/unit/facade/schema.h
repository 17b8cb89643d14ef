/* Holds an answer of the native API against what its route says of itself: the status is one that is described, and
 * every member is there, known, and of its type. */
#ifndef TEST_FACADE_SCHEMA_H
#define TEST_FACADE_SCHEMA_H

#include "facade/native/describe.h"

/* Fails the test with words.  body NULL: none.  json NULL: the answer is none (empty, or another type). */
void schema_hold(struct arena *a, const struct route *route, const struct json *body, int status, const char *content_type,
		 const struct json *json);
/* NULL, or where and why `j` is not that noun. */
const char *schema_differs(struct arena *a, const char *noun, size_t len, const struct json *j);

#endif
