/* Hex, base64, UUIDs and the few string helpers the house needs. */
#include "base/text.h"

#include <arpa/inet.h>
#include <string.h>

char *hex_encode(const void *data, size_t len, char *out)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = data;
	for (size_t i = 0; i < len; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * len] = 0;
	return out;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool hex_decode(const char *text, size_t text_len, uint8_t *out, size_t len)
{
	if (text_len != 2 * len)
		return false;
	for (size_t i = 0; i < text_len; i++)
		if (hex_digit(text[i]) < 0)
			return false;
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
	return true;
}

static const char B64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *base64_encode(struct arena *a, struct bytes in)
{
	char *out = arena_alloc(a, (in.len + 2) / 3 * 4 + 1);
	if (!out)
		return NULL;
	char *p = out;
	for (size_t i = 0; i < in.len; i += 3) {
		size_t left = in.len - i;
		uint32_t v = (uint32_t)in.data[i] << 16;
		v |= left > 1 ? (uint32_t)in.data[i + 1] << 8 : 0;
		v |= left > 2 ? in.data[i + 2] : 0;
		*p++ = B64[v >> 18 & 63];
		*p++ = B64[v >> 12 & 63];
		*p++ = left > 1 ? B64[v >> 6 & 63] : '=';
		*p++ = left > 2 ? B64[v & 63] : '=';
	}
	*p = 0;
	return out;
}

static int b64_digit(char c)
{
	const char *p = c ? strchr(B64, c) : NULL;
	return p ? (int)(p - B64) : -1;
}

troth_rc base64_decode(struct arena *a, const char *text, size_t len, struct bytes *ret_out,
		       struct troth_err *e)
{
	ENSURE(len % 4 == 0, e, TROTH_INVALID, "base64 text has a length that is not a multiple of 4");
	size_t pad = len && text[len - 1] == '=' ? (text[len - 2] == '=' ? 2 : 1) : 0;
	uint8_t *out = arena_alloc(a, len / 4 * 3 + 1);
	ENSURE(out, e, TROTH_UNAVAILABLE, "out of memory");
	size_t n = 0;
	for (size_t i = 0; i < len; i += 4) {
		uint32_t v = 0;
		for (size_t j = 0; j < 4; j++) {
			bool padding = i + j >= len - pad;
			int d = padding ? 0 : b64_digit(text[i + j]);
			ENSURE(d >= 0, e, TROTH_INVALID, "base64 text has a wrong character at %zu", i + j);
			v = v << 6 | (uint32_t)d;
		}
		out[n++] = (uint8_t)(v >> 16);
		out[n++] = (uint8_t)(v >> 8);
		out[n++] = (uint8_t)v;
	}
	*ret_out = bytes_of(out, n - pad);
	return RC_OK;
}

char *uuid_format(const uint8_t random[16], char out[UUID_LEN])
{
	uint8_t b[16];
	memcpy(b, random, sizeof b);
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	char hex[33];
	hex_encode(b, sizeof b, hex);
	snprintf(out, UUID_LEN, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
	return out;
}

bool uuid_valid(const char *s)
{
	if (strlen(s) != UUID_LEN - 1)
		return false;
	for (int i = 0; i < UUID_LEN - 1; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (dash ? s[i] != '-' : hex_digit(s[i]) < 0 || (s[i] >= 'A' && s[i] <= 'F'))
			return false;
	}
	return true;
}

bool text_copy(char *out, size_t size, const char *s)
{
	return (size_t)snprintf(out, size, "%s", s) < size;
}

bool text_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool text_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);
	return n >= m && strcmp(s + n - m, suffix) == 0;
}

bool text_equal(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

int text_order(const void *x, const void *y) { return strcmp(*(const char *const *)x, *(const char *const *)y); }

bool text_address(const char *s, char out[TEXT_ADDRESS_LEN])
{
	uint8_t raw[16];
	int family = inet_pton(AF_INET, s, raw) == 1 ? AF_INET : AF_INET6;
	return (family == AF_INET || inet_pton(AF_INET6, s, raw) == 1) && inet_ntop(family, raw, out, TEXT_ADDRESS_LEN);
}

bool text_is_address(const char *s)
{
	char out[TEXT_ADDRESS_LEN];
	return text_address(s, out);
}

/* Greedy with one point of return: linear in |s| * number of stars. */
bool text_glob(const char *pattern, const char *s)
{
	const char *star = NULL, *retry = NULL;
	while (*s) {
		if (*pattern == '*') {
			star = pattern++;
			retry = s;
		} else if (*pattern == *s) {
			pattern++;
			s++;
		} else if (star) {
			pattern = star + 1;
			s = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == 0;
}
