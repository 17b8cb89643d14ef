/* What the native routes share: reading a body with all its findings, ids and pages, and writing the
 * shapes that occur in several answers. */
#ifndef TROTH_FACADE_NATIVE_WORDS_H
#define TROTH_FACADE_NATIVE_WORDS_H

#include "edge/route.h"
#include "service/nouns.h"

/* The body into cmd by the table.  False: the text is no JSON object, and there is nothing more to say;
 * true: go on with the noun's own check, which adds its findings to those of the table. */
bool words_body(struct arena *a, const struct http_request *r, const struct json_field *fields, size_t n, void *cmd,
		struct troth_err *e);
/* RC_OK unless e says otherwise: the end of a parse. */
troth_rc words_done(const struct troth_err *e);
/* A list of objects: each entry that is one is read by the table into items[i] (size bytes each), with
 * all findings.  `j` may be NULL or null: then nothing.  At most max entries. */
void words_objects(struct arena *a, const struct json *j, const struct json_field *fields, size_t n, size_t size, size_t max,
		   void **ret_items, size_t *ret_count, struct troth_err *e);

/* parse of routes with only an {id}: cmd is a struct id_cmd. */
troth_rc words_id(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e);
/* parse of lists with ?name=: cmd is a struct list_cmd. */
troth_rc words_list(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e);
/* The same for authorities and credentials, which can be looked for: name_prefix, issuer, san, fingerprint, expires_before, sort. */
troth_rc words_find(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e);
#define WORDS_FIND "name name_prefix issuer san fingerprint expires_before sort after limit"
/* "2027-06-01", "2027-06-01T12:00:00Z", or a length from now on: "30d".  `what` is how it is called in the error. */
troth_rc words_moment(struct arena *a, const char *what, const char *text, msec_t now, msec_t *ret, struct troth_err *e);
troth_rc words_page(const struct http_request *r, struct page *ret, struct troth_err *e);
/* parse of what takes nothing. */
troth_rc words_none(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e);

/* "24h" or "none"; NULL: nothing was said.  What is neither is a finding at $.grace. */
void words_grace(struct arena *a, const char *text, msec_t *ret_length, bool *ret_none, struct troth_err *e);

/* 201, or 200 for a dry run. */
int words_created(const struct http_request *r);
/* {"items":[ ... opened; then words_list_end writes ],"next":...}. */
void words_list_begin(struct json_writer *w);
void words_list_end(struct json_writer *w, int64_t next);

/* The members renew, renew_at, renew_before of a row's word; prefix "" or "leaf_". */
void words_renewal(struct arena *a, struct json_writer *w, const char *prefix, const char *word);
/* Rows for a json_field table: `member` is the struct renewal_cmd of struct `type`, `prefix` "" or "leaf_". */
#define WORDS_RENEWAL_FIELDS(prefix, type, member)                                                  \
	{ prefix "renew", JF_TEXT, offsetof(struct type, member.word), 0, 0, 0 },                 \
	{ prefix "renew_at", JF_TEXT, offsetof(struct type, member.at), 0, 0, 0 },                \
	{ prefix "renew_before", JF_DURATION, offsetof(struct type, member.before), 0, 0, 0 }
/* Fields of a request: `place` of a struct. */
#define WORDS_PLACE_FIELDS(type)                                                                    \
	{ "country", JF_TEXT, offsetof(struct type, place.country), 0, 0, 0 },                    \
	{ "state", JF_TEXT, offsetof(struct type, place.state), 0, 0, 0 },                        \
	{ "locality", JF_TEXT, offsetof(struct type, place.locality), 0, 0, 0 }
void words_subject(struct json_writer *w, const struct credential_spec *spec);    /* the subject behind its common name */
void words_duration(struct json_writer *w, const char *key, msec_t length);       /* 0 writes null */
void words_texts(struct json_writer *w, const char *key, struct json_texts texts);
void words_hex(struct json_writer *w, const char *key, struct bytes b);           /* at most 64 bytes */
void words_json(struct json_writer *w, const char *key, const char *json);        /* NULL writes null */
/* subject, fingerprint, dates, and with `pem` the certificate. */
void words_cert(struct arena *a, struct json_writer *w, const struct cert_row *cert, bool pem);
void words_versions(struct arena *a, struct json_writer *w, const struct credential_view *v, bool pem);

#endif
