/* The arena: a chain of blocks that only grows, and is dropped whole. */
#include "base/arena.h"
#include "base/buf.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"

enum { FIRST_BLOCK = 4096 };

struct block {
	struct block *next; /* the block filled before this one */
	size_t size, used;
	alignas(max_align_t) uint8_t data[];
};

struct arena {
	struct block *top;
	size_t max, used;
	bool may_fail, secret;
};

static struct arena *arena_make(size_t max_bytes, bool may_fail)
{
	struct arena *a = calloc(1, sizeof *a);
	if (!a) {
		CHECK(may_fail);
		return NULL;
	}
	a->max = max_bytes;
	a->may_fail = may_fail;
	return a;
}

struct arena *arena_new(size_t max_bytes) { return arena_make(max_bytes, false); }
struct arena *arena_new_may_fail(size_t max_bytes) { return arena_make(max_bytes, true); }

static void blocks_free(struct block *b, struct block *keep, bool secret)
{
	while (b) {
		struct block *next = b->next;
		if (secret)
			secret_wipe(b->data, b->used);
		if (b != keep)
			free(b);
		b = next;
	}
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	blocks_free(a->top, NULL, a->secret);
	free(a);
}

void arena_secret(struct arena *a) { a->secret = true; }

void arena_freep(struct arena **a)
{
	arena_free(*a);
	*a = NULL;
}

void arena_reset(struct arena *a)
{
	struct block *first = a->top;
	while (first && first->next)
		first = first->next;
	blocks_free(a->top, first, a->secret);
	a->top = first;
	a->used = 0;
	if (first) {
		first->used = 0;
		first->next = NULL;
	}
}

size_t arena_used(const struct arena *a) { return a->used; }

bool arena_scarce(const struct arena *a, size_t more)
{
	size_t most = a->max - a->max / 4;
	return a->used > most || more > most - a->used;
}

static struct block *block_add(struct arena *a, size_t need)
{
	size_t size = a->top ? a->top->size * 2 : FIRST_BLOCK;
	if (size > ((size_t)1 << 20))
		size = (size_t)1 << 20;
	if (size < need)
		size = need;
	struct block *b = malloc(sizeof *b + size);
	if (!b)
		return NULL;
	b->next = a->top;
	b->size = size;
	b->used = 0;
	a->top = b;
	return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
	size_t al = alignof(max_align_t);
	bool fits = size <= a->max;
	size_t need = fits ? (size + al - 1) / al * al : 0;
	if (need == 0)
		need = al;
	fits = fits && a->used + need <= a->max;
	struct block *b = a->top;
	if (fits && (!b || b->size - b->used < need))
		b = block_add(a, need);
	if (!fits || !b) {
		CHECK(a->may_fail);
		return NULL;
	}
	void *p = b->data + b->used;
	b->used += need;
	a->used += need;
	memset(p, 0, need);
	return p;
}

void *arena_array(struct arena *a, size_t count, size_t size)
{
	size_t total;
	if (__builtin_mul_overflow(count, size, &total))
		total = SIZE_MAX; /* above every maximum: refused like one */
	return arena_alloc(a, total);
}

void *arena_copy(struct arena *a, const void *data, size_t size)
{
	void *p = arena_alloc(a, size);
	if (p && size)
		memcpy(p, data, size);
	return p;
}

char *arena_text_n(struct arena *a, const char *s, size_t len)
{
	char *p = arena_alloc(a, len + 1);
	if (p && len)
		memcpy(p, s, len);
	return p;
}

char *arena_text(struct arena *a, const char *s)
{
	return s ? arena_text_n(a, s, strlen(s)) : NULL;
}

char *arena_join(struct arena *a, const char *const *texts, size_t count)
{
	size_t len = 0;
	for (size_t i = 0; i < count; i++)
		len += strlen(texts[i]);
	char *all = arena_alloc(a, len + 1), *at = all;
	for (size_t i = 0; at && i < count; i++)
		at = stpcpy(at, texts[i]);
	return all;
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	CHECK(n >= 0);
	char *p = arena_alloc(a, (size_t)n + 1);
	if (p)
		vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}

struct bytes arena_bytes(struct arena *a, struct bytes b)
{
	return bytes_of(arena_copy(a, b.data, b.len), b.len);
}
