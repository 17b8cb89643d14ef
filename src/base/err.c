/* The error record and the one table that says what each kind means outside. */
#include "base/err.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *name, *title;
	int http, exit;
} KINDS[TROTH_KIND_MAX] = {
	[TROTH_OK]              = { "ok", "OK", 200, 0 },
	[TROTH_INVALID]         = { "invalid", "Invalid input", 400, 1 },
	[TROTH_UNAUTHENTICATED] = { "unauthenticated", "Not authenticated", 401, 1 },
	[TROTH_FORBIDDEN]       = { "forbidden", "Not allowed", 403, 1 },
	[TROTH_NOT_FOUND]       = { "not-found", "Not found", 404, 4 },
	[TROTH_CONFLICT]        = { "conflict", "Conflict", 409, 1 },
	[TROTH_PRECONDITION]    = { "precondition-failed", "Changed meanwhile", 412, 1 },
	[TROTH_TOO_LARGE]       = { "too-large", "Too large", 413, 1 },
	[TROTH_UNSAFE]          = { "unsafe", "Refused for safety", 409, 3 },
	[TROTH_BUSY]            = { "busy", "Too busy", 429, 1 },
	[TROTH_UNAVAILABLE]     = { "unavailable", "Temporarily unavailable", 503, 1 },
	[TROTH_TIMEOUT]         = { "timeout", "Timed out", 504, 5 },
	[TROTH_IO]              = { "io", "Input/output error", 500, 1 },
	[TROTH_CORRUPT]         = { "corrupt", "Corrupt data", 500, 1 },
	[TROTH_INTERNAL]        = { "internal", "Internal error", 500, 1 },
};

int err_http_status(enum troth_kind kind) { return KINDS[kind].http; }
int err_exit_code(enum troth_kind kind) { return KINDS[kind].exit; }
const char *err_kind_name(enum troth_kind kind) { return KINDS[kind].name; }
const char *err_kind_title(enum troth_kind kind) { return KINDS[kind].title; }

enum troth_kind err_kind_from_http(int status)
{
	if (status >= 200 && status < 300)
		return TROTH_OK;
	for (int k = 1; k < TROTH_KIND_MAX; k++)
		if (KINDS[k].http == status)
			return (enum troth_kind)k;
	return status >= 400 && status < 500 ? TROTH_INVALID : TROTH_INTERNAL;
}

void err_clear(struct troth_err *e)
{
	if (e)
		memset(e, 0, sizeof *e);
}

troth_rc err_set(struct troth_err *e, enum troth_kind kind, const char *fmt, ...)
{
	if (e) {
		char text[sizeof e->primary]; /* the arguments may point into *e */
		va_list ap;
		va_start(ap, fmt);
		vsnprintf(text, sizeof text, fmt, ap);
		va_end(ap);
		err_clear(e);
		e->kind = kind;
		memcpy(e->primary, text, sizeof text);
	}
	return (troth_rc){ (int)kind };
}

static enum troth_kind kind_of_errno(int err_no)
{
	switch (err_no) {
	case ENOENT: return TROTH_NOT_FOUND;
	case EEXIST: return TROTH_CONFLICT;
	case ETIMEDOUT: return TROTH_TIMEOUT;
	case ENOSPC: case EDQUOT: case ECONNREFUSED: return TROTH_UNAVAILABLE;
	default: return TROTH_IO;
	}
}

troth_rc err_errno(struct troth_err *e, int err_no, const char *fmt, ...)
{
	enum troth_kind kind = kind_of_errno(err_no);
	if (e) {
		char text[sizeof e->primary];
		va_list ap;
		va_start(ap, fmt);
		vsnprintf(text, sizeof text, fmt, ap);
		va_end(ap);
		size_t n = strlen(text);
		snprintf(text + n, sizeof text - n, ": %s", strerror(err_no));
		err_clear(e);
		e->kind = kind;
		memcpy(e->primary, text, sizeof text);
	}
	return (troth_rc){ (int)kind };
}

#define ADD_TEXT(field)                                                                            \
	do {                                                                                       \
		if (!e)                                                                            \
			return;                                                                    \
		char text[sizeof e->field];                                                        \
		va_list ap;                                                                        \
		va_start(ap, fmt);                                                                 \
		vsnprintf(text, sizeof text, fmt, ap);                                             \
		va_end(ap);                                                                        \
		memcpy(e->field, text, sizeof text);                                               \
	} while (0)

void err_detail(struct troth_err *e, const char *fmt, ...) { ADD_TEXT(detail); }
void err_hint(struct troth_err *e, const char *fmt, ...) { ADD_TEXT(hint); }
void err_object(struct troth_err *e, const char *fmt, ...) { ADD_TEXT(object); }

void err_clause(struct troth_err *e, const char *clause)
{
	if (e)
		snprintf(e->clause, sizeof e->clause, "%s", clause);
}

void err_prefix(struct troth_err *e, const char *fmt, ...)
{
	if (!e)
		return;
	char text[sizeof e->primary];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	size_t n = strlen(text);
	snprintf(text + n, sizeof text - n, ": %s", e->primary);
	memcpy(e->primary, text, sizeof text);
}

_Noreturn void err_check_failed(const char *cond, const char *file, int line)
{
	fprintf(stderr, "troth: bug: check failed: %s (%s:%d)\n", cond, file, line);
	abort();
}
