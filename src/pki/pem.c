/* PEM blocks: found line by line, decoded into a bounded buffer. */
#include "pki/pem.h"

#include <string.h>

struct pem_reader pem_reader_make(struct bytes text)
{
	return (struct pem_reader){ text, 0 };
}

/* Takes the next line off the reader, without its line end and trailing blanks. */
static bool line_next(struct pem_reader *r, struct bytes *ret_line)
{
	if (r->rest.len == 0)
		return false;
	const uint8_t *end = memchr(r->rest.data, '\n', r->rest.len);
	size_t len = end ? (size_t)(end - r->rest.data) : r->rest.len, taken = end ? len + 1 : len;
	struct bytes line = bytes_of(r->rest.data, len);
	r->rest = bytes_of(r->rest.data + taken, r->rest.len - taken);
	r->line++;
	while (line.len && strchr(" \t\r", line.data[line.len - 1]) && line.data[line.len - 1])
		line.len--;
	*ret_line = line;
	return true;
}

/* "-----BEGIN X-----" with the given word: the label, or false. */
static bool boundary(struct bytes line, const char *word, char label[PEM_LABEL_MAX])
{
	size_t head = strlen(word), tail = strlen("-----");
	if (line.len < head + tail || memcmp(line.data, word, head) != 0 ||
	    memcmp(line.data + line.len - tail, "-----", tail) != 0)
		return false;
	size_t n = line.len - head - tail;
	if (n == 0 || n >= PEM_LABEL_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = line.data[head + i];
		if (c < 0x20 || c > 0x7e)
			return false;
	}
	memcpy(label, line.data + head, n);
	label[n] = 0;
	return true;
}

static troth_rc find_end(struct pem_reader *r, struct pem_block *b, struct troth_err *e)
{
	struct bytes line;
	char label[PEM_LABEL_MAX];
	const uint8_t *start = r->rest.data, *at = start;
	while (line_next(r, &line)) {
		if (boundary(line, "-----END ", label)) {
			ENSURE(strcmp(label, b->label) == 0, e, TROTH_INVALID,
			       "PEM block \"%s\" of line %d ends as \"%s\" on line %d", b->label, b->line, label,
			       r->line);
			b->base64 = bytes_of(start, (size_t)(at - start));
			return RC_OK;
		}
		ENSURE(!boundary(line, "-----BEGIN ", label), e, TROTH_INVALID,
		       "PEM block \"%s\" of line %d has no END before the next BEGIN on line %d", b->label, b->line,
		       r->line);
		at = r->rest.data;
	}
	return err_set(e, TROTH_INVALID, "PEM block \"%s\" of line %d has no END line", b->label, b->line);
}

troth_rc pem_next(struct pem_reader *r, struct pem_block *ret_block, bool *ret_found, struct troth_err *e)
{
	struct bytes line;
	struct pem_block b = { .line = 0 };
	while (line_next(r, &line)) {
		if (!boundary(line, "-----BEGIN ", b.label))
			continue;
		b.line = r->line;
		TRY(find_end(r, &b, e));
		*ret_block = b;
		*ret_found = true;
		return RC_OK;
	}
	*ret_found = false;
	return RC_OK;
}

static int digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool blank(uint8_t c)
{
	return c == '\n' || c == '\r' || c == ' ' || c == '\t';
}

troth_rc pem_decode(const struct pem_block *block, struct buf *out, struct troth_err *e)
{
	uint32_t acc = 0;
	int have = 0, pad = 0;
	if (memchr(block->base64.data ? (const char *)block->base64.data : "", ':', block->base64.len)) {
		troth_rc rc = err_set(e, TROTH_INVALID, "PEM block \"%s\" of line %d has headers, it may be encrypted",
				      block->label, block->line);
		err_hint(e, "write it without a password, for example with: openssl pkey -in FILE");
		return rc;
	}
	for (size_t i = 0; i < block->base64.len; i++) {
		uint8_t c = block->base64.data[i];
		if (blank(c))
			continue;
		pad += c == '=';
		int d = c == '=' ? 0 : digit(c);
		ENSURE(d >= 0 && have < 4 && (!pad || c == '=') && pad <= 2, e, TROTH_INVALID,
		       "PEM block \"%s\" of line %d has a wrong base64 character", block->label, block->line);
		acc = acc << 6 | (uint32_t)d;
		if (++have < 4)
			continue;
		uint8_t b[3] = { (uint8_t)(acc >> 16), (uint8_t)(acc >> 8), (uint8_t)acc };
		buf_add(out, b, (size_t)(3 - pad));
		secret_wipe(b, sizeof b);
		acc = 0;
		have = pad ? 8 : 0; /* nothing may follow the padding */
	}
	ENSURE(have == 0 || (have == 8 && pad), e, TROTH_INVALID, "PEM block \"%s\" of line %d is cut off", block->label,
	       block->line);
	ENSURE(buf_ok(out), e, TROTH_TOO_LARGE, "PEM block \"%s\" of line %d is larger than %zu bytes", block->label,
	       block->line, out->max);
	return RC_OK;
}

bool pem_looks_like(struct bytes in)
{
	return memmem(in.data ? (const char *)in.data : "", in.len, "-----BEGIN ", 11) != NULL;
}

void pem_encode(const char *label, struct bytes der, struct buf *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	buf_printf(out, "-----BEGIN %s-----\n", label);
	for (size_t i = 0; i < der.len; i += 3) {
		size_t left = der.len - i;
		uint32_t v = (uint32_t)der.data[i] << 16;
		v |= left > 1 ? (uint32_t)der.data[i + 1] << 8 : 0;
		v |= left > 2 ? der.data[i + 2] : 0;
		buf_add_byte(out, (uint8_t)digits[v >> 18 & 63]);
		buf_add_byte(out, (uint8_t)digits[v >> 12 & 63]);
		buf_add_byte(out, left > 1 ? (uint8_t)digits[v >> 6 & 63] : '=');
		buf_add_byte(out, left > 2 ? (uint8_t)digits[v & 63] : '=');
		if ((i / 3 + 1) % 16 == 0 || i + 3 >= der.len) /* 16 groups are the 64 columns of RFC 7468 */
			buf_add_byte(out, '\n');
	}
	buf_printf(out, "-----END %s-----\n", label);
}
