/* A request through the whole native API on one thread: router, principal, parse, verb, render; only the
 * wire is missing. */
#ifndef TEST_FACADE_CALL_H
#define TEST_FACADE_CALL_H

#include "edge/http.h"
#include "facade/native/native.h"

#include "../service/room.h"

struct call {
	struct room *room;
	const char *bearer;        /* NULL: none */
	struct bytes peer_cert;    /* len 0: none */
	const char *basic_user, *basic_password;
	struct http_pairs request_headers;
	bool dry_run;
	const char *if_match, *idempotency_key;
	msec_t wait;
	/* of the last answer */
	int status;
	const struct json *json;   /* NULL if there was no body */
	const char *text;
	struct http_pairs headers;
	bool held;
};

struct call *call_new(void);       /* init done, bearer is the admin's */
void call_free(struct call *c);
/* path with its query: "/v1/targets?state=left".  body NULL: none.  Returns the status. */
int call(struct call *c, enum http_method method, const char *path, const char *body);
/* The same; fails the test unless the status is this one. */
void call_expect(struct call *c, int status, enum http_method method, const char *path, const char *body);
/* "id", "versions.0.subject", "findings.1.path" in the last answer; a number as text; NULL if absent or null. */
const char *call_at(struct call *c, const char *where);
void call_is(struct call *c, const char *where, const char *value);
void call_has(struct call *c, const char *where, const char *part);
size_t call_count(struct call *c, const char *where); /* entries of a list */
const char *call_header(struct call *c, const char *name);
/* A finding at this JSON path in the last answer. */
void call_finding(struct call *c, const char *path);
/* JSON text of a string: quoted and escaped. */
const char *call_quote(struct call *c, const char *text);

#endif
