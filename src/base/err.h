/* Errors: one result type, one record, one table.
 *
 * Every function that can fail returns troth_rc, a struct, so that the compiler tells it from an
 * int and warns when it is dropped.  What went wrong is written once, where it is known, into the
 * caller's struct troth_err; callers above pass it on unread (TRY).  A kind decides the HTTP
 * status, the exit code and the log level, in one table (err.c). */
#ifndef TROTH_BASE_ERR_H
#define TROTH_BASE_ERR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

/* gcc knows "must be used" for functions only; clang, which builds the fuzzers, for types too. */
#ifdef __clang__
#define TROTH_MUST_USE __attribute__((warn_unused_result))
#else
#define TROTH_MUST_USE
#endif

typedef struct TROTH_MUST_USE { int code; } troth_rc;

enum troth_kind {
	TROTH_OK = 0,
	TROTH_INVALID,         /* the input is wrong; the text says where and what to do */
	TROTH_UNAUTHENTICATED, /* who are you */
	TROTH_FORBIDDEN,       /* known, but not allowed */
	TROTH_NOT_FOUND,
	TROTH_CONFLICT,        /* exists already, or changed meanwhile */
	TROTH_PRECONDITION,    /* If-Match does not hold */
	TROTH_TOO_LARGE,       /* above a named limit */
	TROTH_UNSAFE,          /* refused for safety: a pair would break */
	TROTH_BUSY,            /* a limit on concurrent work; try again */
	TROTH_UNAVAILABLE,     /* a part is down (keeper, disk); try again */
	TROTH_TIMEOUT,
	TROTH_IO,              /* the operating system said no */
	TROTH_CORRUPT,         /* stored bytes are not what was stored */
	TROTH_INTERNAL,        /* a bug that could be contained */
	TROTH_KIND_MAX
};

/* One finding of many: a JSON path (or a file, or a line), the rule, the text, the advice. */
struct finding {
	const char *path, *rule, *text, *hint; /* live in the arena of the request */
	struct finding *next;
};

struct troth_err {
	enum troth_kind kind;
	char primary[320];  /* one line, lower case, no full stop: what and why */
	char detail[480];   /* a sentence more, or empty */
	char hint[320];     /* what to do, or empty */
	char object[160];   /* the thing spoken of: a name, a path, or empty */
	char clause[64];    /* RFC clause or API document, or empty */
	struct finding *findings; /* NULL, or a list in the caller's arena */
};

#define RC_OK ((troth_rc){0})

/* Writes kind and primary, empties the rest; returns the failing rc.  `e` may be NULL. */
troth_rc err_set(struct troth_err *e, enum troth_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same with ": " and the text of errno `err_no` behind it; kind is IO unless errno says better. */
troth_rc err_errno(struct troth_err *e, int err_no, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Add to a record that err_set made.  They return nothing and may be called on NULL. */
void err_detail(struct troth_err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void err_hint(struct troth_err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void err_object(struct troth_err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void err_clause(struct troth_err *e, const char *clause);
void err_clear(struct troth_err *e);
/* Puts "text: " before the primary line: says which of several things it was. */
void err_prefix(struct troth_err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The table: what a kind means to HTTP, to a shell and to the log. */
int err_http_status(enum troth_kind kind);
int err_exit_code(enum troth_kind kind);          /* design.md section 7 */
const char *err_kind_name(enum troth_kind kind);  /* "invalid", "not-found": stable, used in problem types */
const char *err_kind_title(enum troth_kind kind); /* "Invalid input": for people */
enum troth_kind err_kind_from_http(int status);   /* the nearest kind; INTERNAL for what is not known */

static inline bool rc_ok(troth_rc rc) { return rc.code == 0; }
static inline bool rc_failed(troth_rc rc) { return rc.code != 0; }

/* Hand a failure upward. */
#define TRY(call)                                                                                  \
	do {                                                                                       \
		troth_rc try_rc_ = (call);                                                         \
		if (try_rc_.code != 0)                                                             \
			return try_rc_;                                                            \
	} while (0)

/* Fail here, with words. */
#define ENSURE(cond, e, kind, ...)                                                                 \
	do {                                                                                       \
		if (!(cond))                                                                       \
			return err_set((e), (kind), __VA_ARGS__);                                  \
	} while (0)

/* A bug, not an error: say where and stop.  No test can take that branch, so where branches are
 * counted (scripts/coverage) there is none; the condition must have no effect of its own. */
#ifdef TROTH_COVERAGE
#define CHECK(cond) ((void)sizeof(!(cond)))
#else
#define CHECK(cond)                                                                                \
	do {                                                                                       \
		if (!(cond))                                                                       \
			err_check_failed(#cond, __FILE__, __LINE__);                               \
	} while (0)
#endif
_Noreturn void err_check_failed(const char *cond, const char *file, int line);

/* Cleanup attribute: `CLEANUP(buf_release) struct buf b = ...` */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
