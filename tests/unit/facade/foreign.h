/* One row of a compatible API's table, called by hand: parse, or the shape of an error. */
#ifndef TEST_FACADE_FOREIGN_H
#define TEST_FACADE_FOREIGN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "edge/route.h"
#include "service/verb.h"

struct foreign {
	struct arena *a;
	const struct route *row;
	struct http_request q;
	struct troth_err e;
	void *cmd;
	struct http_pair query[8], params[2], headers[4];
};

static inline const struct route *foreign_row(const struct route_table *t, enum http_method method, const char *pattern)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->rows[i].method == method && strcmp(t->rows[i].pattern, pattern) == 0)
			return &t->rows[i];
	fail_msg("no row %s", pattern);
	return NULL;
}

static inline struct foreign foreign_make(const struct route_table *t, enum http_method method, const char *pattern)
{
	struct foreign f = { .a = arena_new(1 << 24), .row = foreign_row(t, method, pattern) };
	f.q = (struct http_request){ .method = method, .path = pattern, .now = INT64_C(1795000000000) };
	return f;
}

static inline void foreign_query(struct foreign *f, const char *name, const char *value)
{
	f->query[f->q.query.count++] = (struct http_pair){ name, value };
	f->q.query.items = f->query;
}

static inline void foreign_header(struct foreign *f, const char *name, const char *value)
{
	f->headers[f->q.headers.count++] = (struct http_pair){ name, value };
	f->q.headers.items = f->headers;
}

/* The command it reads; NULL if it refuses. */
static inline void *foreign_parse(struct foreign *f, const char *body)
{
	f->q.body = bytes_of_text(body ? body : "");
	f->cmd = arena_alloc(f->a, f->row->verb->cmd_size);
	f->params[0] = (struct http_pair){ "id", "11111111-1111-4111-8111-111111111111" };
	f->q.params = (struct http_pairs){ f->params, 1 };
	err_clear(&f->e);
	return rc_ok(f->row->parse(f->a, &f->q, f->cmd, &f->e)) ? f->cmd : NULL;
}

static inline int foreign_problem(struct foreign *f, const char **ret_text)
{
	struct http_reply reply = http_reply_make();
	f->row->problem(f->a, &f->q, &f->e, &reply);
	*ret_text = arena_text(f->a, buf_text(&reply.body));
	http_reply_release(&reply);
	return reply.status;
}

/* It is refused with this status and these words. */
static inline void foreign_refuses(struct foreign *f, const char *body, int status, const char *words)
{
	const char *text;
	assert_null(foreign_parse(f, body));
	assert_int_equal(foreign_problem(f, &text), status);
	if (!strstr(text, words))
		fail_msg("%s has no %s", text, words);
}

#endif
