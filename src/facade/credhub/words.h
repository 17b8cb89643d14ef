/* What CredHub's routes share: errors and bodies as it has them, names, and the shape of a credential. */
#ifndef TROTH_FACADE_CREDHUB_WORDS_H
#define TROTH_FACADE_CREDHUB_WORDS_H

#include "facade/credhub/credhub.h"
#include "service/handout/lookup.h"

#define CREDHUB_API "credhub" /* whose credentials are good for it */
/* Each row: the slash at the end is nothing, the type of the body is looked at here. */
#define CREDHUB_FLAGS (ROUTE_ANY_BODY | ROUTE_SLASH)
/* {"error": text}; also {"error": code, "error_description": text} for 401, and no body for a method that is not there. */
void credhub_problem(struct arena *a, const struct http_request *r, const struct troth_err *e, struct http_reply *reply);
/* INVALID in CredHub's own words. */
troth_rc credhub_refuse(struct troth_err *e, const char *text);
/* The same with status 422. */
troth_rc credhub_unprocessable(struct troth_err *e, const char *text);
troth_rc credhub_unrecognized(struct arena *a, const char *member, bool strict, struct troth_err *e); /* strict: 422, else 400 */
/* A query that asks for what troth's own API does with it: told, not passed over. */
troth_rc credhub_plain(const struct http_request *r, struct troth_err *e);

/* The body by the table.  Empty and `null` are {}; "" and null are absent.  A member that is not in the table is refused with
 * 400, or with 422 where `strict` (bodies that CredHub binds). */
troth_rc credhub_body(struct arena *a, const struct http_request *r, const struct json_field *fields, size_t n, bool strict, void *out,
		      struct troth_err *e);
/* A member that is an object (NULL, null: nothing said). */
troth_rc credhub_object(struct arena *a, const struct json *j, const struct json_field *fields, size_t n, bool strict, void *out,
			struct troth_err *e);
/* `certificate` it is, or refused: 422 where `strict`. */
troth_rc credhub_type(const char *type, bool strict, struct troth_err *e);

/* With a / in front if it had none; NULL stays. */
const char *credhub_name(struct arena *a, const char *name);
/* Days as milliseconds; between 1 and 3650. */
troth_rc credhub_days(int64_t days, msec_t *ret, struct troth_err *e);
/* "rsa-2048", from the two ways to say it; NULL if neither is said. */
troth_rc credhub_key_type(int64_t key_length, const char *key_type, const char **ret, struct troth_err *e);

/* -- writing --------------------------------------------------------------------------------------------- */
/* Versions of one credential, as an array. */
void credhub_array(struct arena *a, struct json_writer *w, const struct lookup_ret *of);
/* A route's whole answer (route_render).  Of a struct lookup_ret: its first version. */
void credhub_render_one(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply);
/* Of a struct generate_cmd and its generate_ret: that, and what one that was made says besides. */
void credhub_render_made(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply);

#endif
