/* Structs as bytes, by table: one row a field.  Policies, requests and replies are written with it.
 *
 * A value is a run of fields, each `tag u8 | length u32 | bytes`, big-endian, tags strictly ascending.
 * Reading is strict so that a value has exactly one encoding: an unknown tag, one out of order or
 * twice, a missing required field, an empty optional one, a length that is not the field's, a bool
 * that is not 0 or 1, and trailing bytes are all INVALID, with the field's name.
 *
 *     static const struct field FIELDS[] = {
 *             { 1, FIELD_TEXT, "authority", offsetof(struct x, authority), .max = 200, .required = true }, ...
 */
#ifndef TROTH_KEEPER_FIELD_H
#define TROTH_KEEPER_FIELD_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum field_kind {
	FIELD_TEXT,   /* const char *: 1..max bytes without control characters; NULL or "" is absent */
	FIELD_BYTES,  /* struct bytes: 1..max bytes; len 0 is absent.  Points into what was read */
	FIELD_FIXED,  /* uint8_t[size]: always written */
	FIELD_UUID,   /* char[UUID_LEN]: always written, as 36 characters */
	FIELD_INT,    /* an integer member of `size` 4 or 8 bytes between min and max: 8 bytes, always written */
	FIELD_BOOL,   /* bool: always written */
	FIELD_TEXTS,  /* const char *const * and its count: at most max of them */
	FIELD_SANS,   /* const struct san * and its count: at most max of them */
	FIELD_STRUCT, /* a nested struct with its own table: always written */
};

struct field {
	uint8_t tag;            /* from 1, ascending in a table */
	enum field_kind kind;
	const char *name;       /* for errors */
	size_t offset;          /* offsetof(struct, member) */
	size_t size;            /* FIXED, INT: of the member */
	size_t count_offset;    /* TEXTS, SANS: of the size_t beside it */
	int64_t min, max;
	bool required;          /* TEXT, BYTES, TEXTS, SANS: absent is an error */
	const struct field *fields; /* STRUCT */
	size_t field_count;
};

/* Appends; fails if a member is out of its bounds (then `out` holds a part: throw it away). */
troth_rc field_write(const struct field *fields, size_t count, const void *in, struct buf *out, struct troth_err *e);
/* Fills `out`, which the caller has zeroed; texts and lists live in arena a, bytes in `in`. */
troth_rc field_read(const struct field *fields, size_t count, struct arena *a, struct bytes in, void *out,
		    struct troth_err *e);

/* Big-endian numbers, for the headers around the fields. */
void field_put_u16(struct buf *out, uint16_t v);
void field_put_u32(struct buf *out, uint32_t v);
void field_put_u64(struct buf *out, uint64_t v);
/* Take from the front of *in; false and nothing taken if it is too short. */
bool field_take(struct bytes *in, size_t len, struct bytes *ret);
bool field_take_u8(struct bytes *in, uint8_t *ret);
bool field_take_u16(struct bytes *in, uint16_t *ret);
bool field_take_u32(struct bytes *in, uint32_t *ret);
bool field_take_u64(struct bytes *in, uint64_t *ret);

#endif
