/* An arena: memory of one request or one step, dropped whole.
 *
 * Nothing in it is freed alone.  It has a maximum from birth; above it, and when the system has no
 * memory, arena_alloc ends the process if the arena was made "must" (the default: the maxima are
 * far above what bounded input can ask for, so hitting one is a bug), or returns NULL if the arena
 * was made with arena_new_may_fail (used by fault tests). */
#ifndef TROTH_BASE_ARENA_H
#define TROTH_BASE_ARENA_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

struct arena;

struct arena *arena_new(size_t max_bytes);
struct arena *arena_new_may_fail(size_t max_bytes);
void arena_free(struct arena *a);     /* accepts NULL */
void arena_freep(struct arena **a);   /* for CLEANUP */
void arena_secret(struct arena *a);   /* a secret will be in it: what it holds is wiped when it is dropped */
void arena_reset(struct arena *a);    /* empty again, first block kept */
size_t arena_used(const struct arena *a);
bool arena_scarce(const struct arena *a, size_t more); /* with so much more, three quarters of its maximum are used: who reads without a bound of his own stops */

void *arena_alloc(struct arena *a, size_t size);              /* zeroed, aligned for any type */
void *arena_array(struct arena *a, size_t count, size_t size); /* zeroed; checks the product */
void *arena_copy(struct arena *a, const void *data, size_t size);
char *arena_text(struct arena *a, const char *s);             /* a copy; NULL stays NULL */
char *arena_text_n(struct arena *a, const char *s, size_t len);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_join(struct arena *a, const char *const *texts, size_t count); /* one behind the other; "" of none */
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));
struct bytes arena_bytes(struct arena *a, struct bytes b);

#define ARENA_NEW(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, count) ((type *)arena_array((a), (count), sizeof(type)))

#endif
