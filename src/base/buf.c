/* The growing buffer, and the two small acts that secrets need. */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>

struct buf buf_make(size_t max_bytes) { return (struct buf){ .max = max_bytes }; }

struct buf buf_make_secret(size_t max_bytes)
{
	return (struct buf){ .max = max_bytes, .secret = true };
}

void secret_wipe(void *p, size_t len)
{
	if (len)
		explicit_bzero(p, len);
}

bool secret_equal(const void *a, const void *b, size_t len)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t diff = 0;
	for (size_t i = 0; i < len; i++)
		diff |= (uint8_t)(x[i] ^ y[i]);
	return diff == 0;
}

void buf_release(struct buf *b)
{
	if (b->data && b->secret)
		secret_wipe(b->data, b->cap);
	free(b->data);
	b->data = NULL;
	b->len = b->cap = 0;
}

void buf_clear(struct buf *b)
{
	if (b->data && b->secret)
		secret_wipe(b->data, b->cap);
	b->len = 0;
	b->failed = false;
}

/* realloc could leave a copy behind, so a secret moves by hand. */
static uint8_t *grow(struct buf *b, size_t cap)
{
	if (!b->secret)
		return realloc(b->data, cap);
	uint8_t *p = malloc(cap);
	if (!p)
		return NULL;
	if (b->len)
		memcpy(p, b->data, b->len);
	if (b->data)
		secret_wipe(b->data, b->cap);
	free(b->data);
	return p;
}

static bool reserve(struct buf *b, size_t more)
{
	if (b->failed)
		return false;
	if (more > b->max || b->len > b->max - more) {
		b->failed = true;
		return false;
	}
	size_t need = b->len + more + 1; /* one for buf_text's 0 */
	if (need <= b->cap)
		return true;
	size_t cap = b->cap ? b->cap : 256;
	while (cap < need)
		cap *= 2;
	uint8_t *p = grow(b, cap);
	if (!p) {
		b->failed = true;
		return false;
	}
	b->data = p;
	b->cap = cap;
	return true;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
	if (!reserve(b, len) || len == 0)
		return;
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

void buf_add_bytes(struct buf *b, struct bytes bytes) { buf_add(b, bytes.data, bytes.len); }
void buf_add_text(struct buf *b, const char *s) { buf_add(b, s, strlen(s)); }
void buf_add_byte(struct buf *b, uint8_t c) { buf_add(b, &c, 1); }

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !reserve(b, (size_t)n))
		return;
	va_start(ap, fmt);
	vsnprintf((char *)b->data + b->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->len += (size_t)n;
}

const char *buf_text(struct buf *b)
{
	if (!b->data && !reserve(b, 0))
		return "";
	if (b->failed && !b->data)
		return "";
	b->data[b->len] = 0;
	return (const char *)b->data;
}
