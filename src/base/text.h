/* Hex, base64 and UUIDs: the three ways bytes are written down here; and what is asked of texts everywhere. */
#ifndef TROTH_BASE_TEXT_H
#define TROTH_BASE_TEXT_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

enum {
	UUID_LEN = 37,   /* 36 characters and the 0 */
	SHA256_LEN = 32, /* bytes */
	SHA256_HEX_LEN = 65,
	TEXT_ADDRESS_LEN = 46, /* INET6_ADDRSTRLEN */
};

/* Lower-case hex; `out` has room for 2 * len + 1. */
char *hex_encode(const void *data, size_t len, char *out);
/* Exactly 2 * len digits, either case; false and nothing written otherwise. */
bool hex_decode(const char *text, size_t text_len, uint8_t *out, size_t len);

/* Standard base64 with padding (RFC 4648 section 4). */
char *base64_encode(struct arena *a, struct bytes in);
troth_rc base64_decode(struct arena *a, const char *text, size_t len, struct bytes *ret_out,
		       struct troth_err *e);

/* 16 random bytes to a version 4 UUID in text (RFC 9562 section 5.4); lower case. */
char *uuid_format(const uint8_t random[16], char out[UUID_LEN]);
bool uuid_valid(const char *text);

/* strlcpy: always ends with 0; returns false if it did not fit. */
bool text_copy(char *out, size_t size, const char *s);
bool text_starts(const char *s, const char *prefix);
bool text_ends(const char *s, const char *suffix);
/* An IPv4 or IPv6 address as inet_pton(3) reads it: no port, no brackets, no zone. */
bool text_is_address(const char *s);
/* The same, and the one way to write it down (RFC 5952): 2001:DB8:0::1 is 2001:db8::1.  False: it is none. */
bool text_address(const char *s, char out[TEXT_ADDRESS_LEN]);
bool text_equal(const char *a, const char *b); /* NULL equals only NULL */
/* strcmp for qsort and bsearch over an array of const char *. */
int text_order(const void *x, const void *y);
/* Shell-like match of '*' (any run, '/' included); for scopes such as /prod/pg/ and a star. */
bool text_glob(const char *pattern, const char *s);

#endif
