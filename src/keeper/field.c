/* The codec behind policies, requests and replies: walk a table, write or read one field a row.
 *
 * Everything is checked on both sides: what the writer would refuse the reader refuses too, so the
 * two ends of the line cannot disagree about what may be said. */
#include "keeper/field.h"

#include "base/limits.h"
#include "base/text.h"
#include "pki/cert.h"

/* -- numbers ---------------------------------------------------------------------------------- */

static void put_be(struct buf *out, uint64_t v, int bytes)
{
	for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8)
		buf_add_byte(out, (uint8_t)(v >> shift));
}

void field_put_u16(struct buf *out, uint16_t v) { put_be(out, v, 2); }
void field_put_u32(struct buf *out, uint32_t v) { put_be(out, v, 4); }
void field_put_u64(struct buf *out, uint64_t v) { put_be(out, v, 8); }

bool field_take(struct bytes *in, size_t len, struct bytes *ret)
{
	if (in->len < len)
		return false;
	*ret = bytes_of(in->data, len);
	if (len)
		*in = bytes_of(in->data + len, in->len - len);
	return true;
}

static bool take_be(struct bytes *in, size_t len, uint64_t *ret)
{
	struct bytes b;
	if (!field_take(in, len, &b))
		return false;
	uint64_t v = 0;
	for (size_t i = 0; i < len; i++)
		v = v << 8 | b.data[i];
	*ret = v;
	return true;
}

bool field_take_u8(struct bytes *in, uint8_t *ret)
{
	uint64_t v;
	bool ok = take_be(in, 1, &v);
	if (ok)
		*ret = (uint8_t)v;
	return ok;
}

bool field_take_u16(struct bytes *in, uint16_t *ret)
{
	uint64_t v;
	bool ok = take_be(in, 2, &v);
	if (ok)
		*ret = (uint16_t)v;
	return ok;
}

bool field_take_u32(struct bytes *in, uint32_t *ret)
{
	uint64_t v;
	bool ok = take_be(in, 4, &v);
	if (ok)
		*ret = (uint32_t)v;
	return ok;
}

bool field_take_u64(struct bytes *in, uint64_t *ret) { return take_be(in, 8, ret); }

/* -- one member ------------------------------------------------------------------------------- */

static const void *member(const struct field *f, const void *in) { return (const char *)in + f->offset; }
static void *member_out(const struct field *f, void *out) { return (char *)out + f->offset; }
static size_t count_of(const struct field *f, const void *in) { return *(const size_t *)((const char *)in + f->count_offset); }

static int64_t int_load(const struct field *f, const void *in)
{
	const void *p = member(f, in);
	CHECK(f->size == 4 || f->size == 8);
	if (f->size == 8)
		return *(const int64_t *)p;
	return *(const int32_t *)p;
}

static void int_store(const struct field *f, void *out, int64_t v)
{
	void *p = member_out(f, out);
	CHECK(f->size == 4 || f->size == 8);
	if (f->size == 8)
		*(int64_t *)p = v;
	else
		*(int32_t *)p = (int32_t)v;
}

static troth_rc int_check(const struct field *f, int64_t v, struct troth_err *e)
{
	ENSURE(v >= f->min && v <= f->max, e, TROTH_INVALID, "field \"%s\" is %lld; it must be %lld to %lld", f->name,
	       (long long)v, (long long)f->min, (long long)f->max);
	return RC_OK;
}

/* Control characters would let a name write lines of its own into a log. */
static troth_rc text_check(const struct field *f, const char *s, size_t len, size_t max, struct troth_err *e)
{
	ENSURE(len > 0 && len <= max, e, TROTH_INVALID, "field \"%s\" has %zu bytes; 1 to %zu are allowed", f->name, len, max);
	for (size_t i = 0; i < len; i++)
		ENSURE((uint8_t)s[i] >= 0x20 && s[i] != 0x7f, e, TROTH_INVALID, "field \"%s\" has a control character", f->name);
	return RC_OK;
}

static bool absent(const struct field *f, const void *in)
{
	switch (f->kind) {
	case FIELD_TEXT: {
		const char *s = *(const char *const *)member(f, in);
		return !s || !*s;
	}
	case FIELD_BYTES:
		return ((const struct bytes *)member(f, in))->len == 0;
	case FIELD_TEXTS:
	case FIELD_SANS:
		return count_of(f, in) == 0;
	default:
		return false;
	}
}

/* -- writing ---------------------------------------------------------------------------------- */

static troth_rc item_write(const struct field *f, const char *s, struct buf *out, struct troth_err *e)
{
	size_t len = s ? strlen(s) : 0;
	TRY(text_check(f, s, len, LIMIT_TEXT_BYTES, e));
	field_put_u16(out, (uint16_t)len);
	buf_add(out, s, len);
	return RC_OK;
}

static troth_rc list_write(const struct field *f, const void *in, struct buf *out, struct troth_err *e)
{
	size_t n = count_of(f, in);
	ENSURE(n <= (size_t)f->max, e, TROTH_INVALID, "field \"%s\" has %zu entries; at most %lld are allowed", f->name, n,
	       (long long)f->max);
	field_put_u16(out, (uint16_t)n);
	for (size_t i = 0; i < n; i++) {
		if (f->kind == FIELD_TEXTS) {
			TRY(item_write(f, (*(const char *const *const *)member(f, in))[i], out, e));
			continue;
		}
		const struct san *s = &(*(const struct san *const *)member(f, in))[i];
		ENSURE(s->kind <= SAN_URI, e, TROTH_INVALID, "field \"%s\" has a name of unknown kind", f->name);
		buf_add_byte(out, (uint8_t)s->kind);
		TRY(item_write(f, s->value, out, e));
	}
	return RC_OK;
}

static troth_rc value_write(const struct field *f, const void *in, struct buf *out, struct troth_err *e)
{
	const void *p = member(f, in);
	switch (f->kind) {
	case FIELD_TEXT: {
		const char *s = *(const char *const *)p;
		TRY(text_check(f, s, strlen(s), (size_t)f->max, e));
		buf_add_text(out, s);
		return RC_OK;
	}
	case FIELD_BYTES: {
		const struct bytes *b = p;
		ENSURE(b->len <= (size_t)f->max, e, TROTH_TOO_LARGE, "field \"%s\" has %zu bytes; at most %lld are allowed",
		       f->name, b->len, (long long)f->max);
		buf_add_bytes(out, *b);
		return RC_OK;
	}
	case FIELD_FIXED:
		buf_add(out, p, f->size);
		return RC_OK;
	case FIELD_UUID:
		ENSURE(uuid_valid(p), e, TROTH_INVALID, "field \"%s\" is not a UUID", f->name);
		buf_add(out, p, UUID_LEN - 1);
		return RC_OK;
	case FIELD_INT:
		TRY(int_check(f, int_load(f, in), e));
		field_put_u64(out, (uint64_t)int_load(f, in));
		return RC_OK;
	case FIELD_BOOL:
		buf_add_byte(out, *(const bool *)p);
		return RC_OK;
	case FIELD_TEXTS:
	case FIELD_SANS:
		return list_write(f, in, out, e);
	case FIELD_STRUCT:
		return field_write(f->fields, f->field_count, p, out, e);
	}
	CHECK(!"a field kind");
	return RC_OK;
}

static void length_patch(struct buf *out, size_t at)
{
	if (!buf_ok(out))
		return;
	size_t len = out->len - at - 4;
	for (int i = 0; i < 4; i++)
		out->data[at + (size_t)i] = (uint8_t)(len >> (24 - 8 * i));
}

troth_rc field_write(const struct field *fields, size_t count, const void *in, struct buf *out, struct troth_err *e)
{
	for (size_t i = 0; i < count; i++) {
		const struct field *f = &fields[i];
		if (absent(f, in)) {
			ENSURE(!f->required, e, TROTH_INVALID, "field \"%s\" is missing", f->name);
			continue;
		}
		buf_add_byte(out, f->tag);
		size_t at = out->len;
		field_put_u32(out, 0);
		TRY(value_write(f, in, out, e));
		length_patch(out, at);
	}
	ENSURE(buf_ok(out), e, TROTH_TOO_LARGE, "the value does not fit %zu bytes", out->max);
	return RC_OK;
}

/* -- reading ---------------------------------------------------------------------------------- */

static troth_rc item_read(const struct field *f, struct arena *a, struct bytes *in, const char **ret, struct troth_err *e)
{
	uint16_t len;
	struct bytes b;
	ENSURE(field_take_u16(in, &len) && field_take(in, len, &b), e, TROTH_INVALID, "field \"%s\" is cut short", f->name);
	TRY(text_check(f, (const char *)b.data, b.len, LIMIT_TEXT_BYTES, e));
	*ret = arena_text_n(a, (const char *)b.data, b.len);
	return RC_OK;
}

static troth_rc texts_read(const struct field *f, struct arena *a, size_t n, struct bytes *in, void *out,
			   struct troth_err *e)
{
	const char **items = ARENA_ARRAY(a, const char *, n);
	for (size_t i = 0; i < n; i++)
		TRY(item_read(f, a, in, &items[i], e));
	*(const char *const **)member_out(f, out) = items;
	return RC_OK;
}

static troth_rc sans_read(const struct field *f, struct arena *a, size_t n, struct bytes *in, void *out,
			  struct troth_err *e)
{
	struct san *items = ARENA_ARRAY(a, struct san, n);
	for (size_t i = 0; i < n; i++) {
		uint8_t kind;
		ENSURE(field_take_u8(in, &kind) && kind <= SAN_URI, e, TROTH_INVALID,
		       "field \"%s\" has a name of unknown kind", f->name);
		items[i].kind = kind;
		TRY(item_read(f, a, in, &items[i].value, e));
	}
	*(const struct san **)member_out(f, out) = items;
	return RC_OK;
}

static troth_rc list_read(const struct field *f, struct arena *a, struct bytes in, void *out, struct troth_err *e)
{
	uint16_t n;
	ENSURE(field_take_u16(&in, &n) && n > 0 && n <= f->max, e, TROTH_INVALID,
	       "field \"%s\" has a wrong number of entries", f->name);
	TRY(f->kind == FIELD_TEXTS ? texts_read(f, a, n, &in, out, e) : sans_read(f, a, n, &in, out, e));
	ENSURE(in.len == 0, e, TROTH_INVALID, "field \"%s\" has trailing bytes", f->name);
	*(size_t *)((char *)out + f->count_offset) = n;
	return RC_OK;
}

static troth_rc scalar_read(const struct field *f, struct bytes in, void *out, struct troth_err *e)
{
	void *p = member_out(f, out);
	size_t want = f->kind == FIELD_FIXED ? f->size : f->kind == FIELD_UUID ? UUID_LEN - 1 : f->kind == FIELD_INT ? 8 : 1;
	ENSURE(in.len == want, e, TROTH_INVALID, "field \"%s\" has %zu bytes; it must have %zu", f->name, in.len, want);
	uint64_t v = 0;
	switch (f->kind) {
	case FIELD_FIXED:
		memcpy(p, in.data, in.len);
		return RC_OK;
	case FIELD_UUID: {
		char text[UUID_LEN] = { 0 };
		memcpy(text, in.data, UUID_LEN - 1);
		ENSURE(uuid_valid(text), e, TROTH_INVALID, "field \"%s\" is not a UUID", f->name);
		memcpy(p, text, sizeof text);
		return RC_OK;
	}
	case FIELD_INT:
		CHECK(field_take_u64(&in, &v));
		TRY(int_check(f, (int64_t)v, e));
		int_store(f, out, (int64_t)v);
		return RC_OK;
	default:
		ENSURE(in.data[0] <= 1, e, TROTH_INVALID, "field \"%s\" is neither 0 nor 1", f->name);
		*(bool *)p = in.data[0] == 1;
		return RC_OK;
	}
}

static troth_rc value_read(const struct field *f, struct arena *a, struct bytes in, void *out, struct troth_err *e)
{
	switch (f->kind) {
	case FIELD_TEXT:
		TRY(text_check(f, (const char *)in.data, in.len, (size_t)f->max, e));
		*(const char **)member_out(f, out) = arena_text_n(a, (const char *)in.data, in.len);
		return RC_OK;
	case FIELD_BYTES:
		ENSURE(in.len > 0 && in.len <= (size_t)f->max, e, TROTH_INVALID, "field \"%s\" has %zu bytes; 1 to %lld are allowed",
		       f->name, in.len, (long long)f->max);
		*(struct bytes *)member_out(f, out) = in;
		return RC_OK;
	case FIELD_TEXTS:
	case FIELD_SANS:
		return list_read(f, a, in, out, e);
	case FIELD_STRUCT:
		return field_read(f->fields, f->field_count, a, in, member_out(f, out), e);
	default:
		return scalar_read(f, in, out, e);
	}
}

static bool always_written(const struct field *f)
{
	return f->required || (f->kind != FIELD_TEXT && f->kind != FIELD_BYTES && f->kind != FIELD_TEXTS && f->kind != FIELD_SANS);
}

troth_rc field_read(const struct field *fields, size_t count, struct arena *a, struct bytes in, void *out,
		    struct troth_err *e)
{
	size_t row = 0;
	while (in.len) {
		uint8_t tag;
		uint32_t len;
		struct bytes value;
		ENSURE(field_take_u8(&in, &tag) && field_take_u32(&in, &len) && field_take(&in, len, &value), e, TROTH_INVALID,
		       "a field is cut short");
		for (; row < count && fields[row].tag != tag; row++)
			ENSURE(!always_written(&fields[row]), e, TROTH_INVALID, "field \"%s\" is missing", fields[row].name);
		ENSURE(row < count, e, TROTH_INVALID, "field number %u is unknown here, repeated or out of order", tag);
		TRY(value_read(&fields[row], a, value, out, e));
		row++;
	}
	for (; row < count; row++)
		ENSURE(!always_written(&fields[row]), e, TROTH_INVALID, "field \"%s\" is missing", fields[row].name);
	return RC_OK;
}
