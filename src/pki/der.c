/* Strict DER.  The reader's cursor is a struct bytes that shrinks from the front; the writer puts a
 * value's contents first and slides them to make room for the length, which costs a memmove of a few
 * hundred bytes and keeps the callers' code in the order of the standard's text. */
#include "pki/der.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { DER_DEPTH = 24 }; /* our own certificates have 8 levels; deep nesting is an attack on recursion */

/* -- reading -------------------------------------------------------------------------------- */
/* X.690 8.1.3 and 10.1: definite, shortest form, at most four bytes. */
static bool read_length(struct bytes *in, size_t *ret_len)
{
	if (in->len == 0)
		return false;
	uint8_t first = in->data[0];
	size_t count = first & 0x7f, len = first;
	if (first >= 0x80) {
		if (count == 0 || count > 4 || in->len < 1 + count || in->data[1] == 0)
			return false;
		len = 0;
		for (size_t i = 0; i < count; i++)
			len = len << 8 | in->data[1 + i];
		if (len < 0x80)
			return false;
	} else {
		count = 0;
	}
	*in = bytes_of(in->data + 1 + count, in->len - 1 - count);
	*ret_len = len;
	return true;
}

bool der_next(struct bytes *in, int *ret_tag, struct bytes *ret_content)
{
	struct bytes at = *in;
	size_t len;
	if (at.len < 2 || (at.data[0] & 0x1f) == 0x1f) /* high tag numbers: none where we look */
		return false;
	int tag = at.data[0];
	at = bytes_of(at.data + 1, at.len - 1);
	if (!read_length(&at, &len) || len > at.len)
		return false;
	*ret_tag = tag;
	*ret_content = bytes_of(at.data, len);
	*in = bytes_of(at.data + len, at.len - len);
	return true;
}

bool der_read(struct bytes *in, int tag, struct bytes *ret_content)
{
	int got;
	struct bytes at = *in, content;
	if (!der_next(&at, &got, &content) || got != tag)
		return false;
	*in = at;
	*ret_content = content;
	return true;
}

bool der_read_whole(struct bytes *in, int tag, struct bytes *ret_value)
{
	struct bytes content;
	const uint8_t *start = in->data;
	if (!der_read(in, tag, &content))
		return false;
	*ret_value = bytes_of(start, (size_t)(in->data - start));
	return true;
}

bool der_read_unsigned(struct bytes *in, struct bytes *ret_magnitude)
{
	struct bytes at = *in, c;
	if (!der_read(&at, DER_INTEGER, &c) || c.len == 0 || (c.data[0] & 0x80))
		return false;
	if (c.len > 1 && c.data[0] == 0) {
		if (!(c.data[1] & 0x80)) /* X.690 8.3.2: a zero byte that is not needed */
			return false;
		c = bytes_of(c.data + 1, c.len - 1);
	}
	*in = at;
	*ret_magnitude = c;
	return true;
}

bool der_read_small(struct bytes *in, int *ret_value)
{
	struct bytes at = *in, m;
	if (!der_read_unsigned(&at, &m) || m.len > 4 || (m.len == 4 && (m.data[0] & 0x80)))
		return false;
	unsigned value = 0;
	for (size_t i = 0; i < m.len; i++)
		value = value << 8 | m.data[i];
	*in = at;
	*ret_value = (int)value;
	return true;
}

bool der_read_bits(struct bytes *in, struct bytes *ret_bits)
{
	struct bytes at = *in, c;
	if (!der_read(&at, DER_BIT_STRING, &c) || c.len < 1 || c.data[0] != 0)
		return false;
	*in = at;
	*ret_bits = bytes_of(c.data + 1, c.len - 1);
	return true;
}

int der_peek(struct bytes in)
{
	return in.len ? in.data[0] : -1;
}

static bool well_formed(struct bytes in, int depth)
{
	while (in.len) {
		int tag;
		struct bytes content;
		if (depth > DER_DEPTH || !der_next(&in, &tag, &content))
			return false;
		if ((tag & 0x20) && !well_formed(content, depth + 1))
			return false;
	}
	return true;
}

bool der_well_formed(struct bytes in)
{
	return well_formed(in, 0);
}

/* -- writing -------------------------------------------------------------------------------- */
size_t der_open(struct buf *w, int tag)
{
	buf_add_byte(w, (uint8_t)tag);
	return w->len;
}

/* Writes the length of `len` to out, returns how many bytes that took. */
static size_t put_length(size_t len, uint8_t out[5])
{
	if (len < 0x80) {
		out[0] = (uint8_t)len;
		return 1;
	}
	size_t count = len > 0xffffff ? 4 : len > 0xffff ? 3 : len > 0xff ? 2 : 1;
	out[0] = (uint8_t)(0x80 | count);
	for (size_t i = 0; i < count; i++)
		out[1 + i] = (uint8_t)(len >> (8 * (count - 1 - i)));
	return 1 + count;
}

void der_close(struct buf *w, size_t mark)
{
	static const uint8_t room[5];
	uint8_t head[5];
	if (w->failed)
		return;
	size_t len = w->len - mark, n = put_length(len, head);
	buf_add(w, room, n);
	if (w->failed)
		return;
	memmove(w->data + mark + n, w->data + mark, len);
	memcpy(w->data + mark, head, n);
}

void der_add(struct buf *w, int tag, struct bytes content)
{
	uint8_t head[5];
	size_t n = put_length(content.len, head);
	buf_add_byte(w, (uint8_t)tag);
	buf_add(w, head, n);
	buf_add_bytes(w, content);
}

void der_add_text(struct buf *w, int tag, const char *s)
{
	der_add(w, tag, bytes_of_text(s));
}

void der_add_unsigned(struct buf *w, struct bytes m)
{
	while (m.len > 1 && m.data[0] == 0)
		m = bytes_of(m.data + 1, m.len - 1);
	size_t mark = der_open(w, DER_INTEGER);
	if (m.len == 0 || (m.data[0] & 0x80))
		buf_add_byte(w, 0);
	buf_add_bytes(w, m);
	der_close(w, mark);
}

void der_add_small(struct buf *w, int value)
{
	uint8_t b[4] = { (uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value };
	der_add_unsigned(w, bytes_of(b, sizeof b));
}

void der_add_bits(struct buf *w, struct bytes content)
{
	size_t mark = der_open(w, DER_BIT_STRING);
	buf_add_byte(w, 0);
	buf_add_bytes(w, content);
	der_close(w, mark);
}

/* X.690 11.2.2: in DER a named bit list ends with its last one bit. */
void der_add_named_bits(struct buf *w, unsigned bits)
{
	uint8_t b[2] = { 0, 0 };
	int last = -1;
	for (int i = 0; i < 8; i++)
		if (bits & (1u << i)) {
			b[1] |= (uint8_t)(0x80 >> i);
			last = i;
		}
	b[0] = last < 0 ? 0 : (uint8_t)(7 - last);
	der_add(w, DER_BIT_STRING, bytes_of(b, last < 0 ? 1 : 2));
}

void der_add_true(struct buf *w)
{
	der_add(w, DER_BOOLEAN, bytes_of("\xff", 1));
}

void der_add_null(struct buf *w)
{
	der_add(w, DER_NULL, bytes_of(NULL, 0));
}

void der_add_time(struct buf *w, msec_t t)
{
	time_t s = (time_t)(t / 1000);
	struct tm tm;
	char text[32];
	gmtime_r(&s, &tm);
	bool utc = tm.tm_year + 1900 < 2050;
	size_t n = strftime(text, sizeof text, "%Y%m%d%H%M%SZ", &tm), century = utc ? 2 : 0;
	der_add(w, utc ? DER_UTC_TIME : DER_GENERALIZED_TIME, bytes_of(text + century, n - century));
}
