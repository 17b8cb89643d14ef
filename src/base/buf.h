/* A growing byte buffer that cannot be made without its maximum.
 *
 * An append that would pass the maximum (or finds no memory) sets `failed` and changes nothing;
 * later appends are refused too, so a writer may append many times and ask once (buf_ok).
 * A secret buffer is wiped whenever its memory moves or goes. */
#ifndef TROTH_BASE_BUF_H
#define TROTH_BASE_BUF_H

#include <stdarg.h>

#include "base/bytes.h"
#include "base/err.h"

struct buf {
	uint8_t *data;
	size_t len, cap, max;
	bool failed, secret;
};

struct buf buf_make(size_t max_bytes);
struct buf buf_make_secret(size_t max_bytes);
void buf_release(struct buf *b); /* for CLEANUP; accepts a released one */
void buf_clear(struct buf *b);   /* empty, memory kept (wiped if secret) */

void buf_add(struct buf *b, const void *data, size_t len);
void buf_add_bytes(struct buf *b, struct bytes bytes);
void buf_add_text(struct buf *b, const char *s);
void buf_add_byte(struct buf *b, uint8_t c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The contents with a 0 byte behind them (not counted).  Never NULL. */
const char *buf_text(struct buf *b);
static inline bool buf_ok(const struct buf *b) { return !b->failed; }
static inline struct bytes buf_bytes(const struct buf *b) { return bytes_of(b->data, b->len); }

/* Overwrites with zeros in a way the compiler keeps. */
void secret_wipe(void *p, size_t len);
/* Compares in a time that depends on len only. */
bool secret_equal(const void *a, const void *b, size_t len);

#endif
