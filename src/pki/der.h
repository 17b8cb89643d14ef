/* Strict DER, both ways: a reader that never looks past its bytes, a writer over a struct buf.
 *
 * Only what X.509, PKCS#8, PKCS#1, SEC1 and PKCS#10 need: low tag numbers, definite shortest
 * lengths (X.690 section 10.1).  Everything else is an error, not a warning. */
#ifndef TROTH_PKI_DER_H
#define TROTH_PKI_DER_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/clock.h"

enum {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_UTF8_STRING = 0x0c,
	DER_PRINTABLE_STRING = 0x13,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_CONTEXT = 0x80,             /* | number: [n] IMPLICIT of a primitive type */
	DER_CONTEXT_CONSTRUCTED = 0xa0, /* | number: [n] EXPLICIT, or IMPLICIT of a constructed one */
};

/* -- reading: a struct bytes is the cursor; every call moves it behind what was read ----------- */
/* The next value, whatever it is.  false: no strict value there, and nothing moved. */
bool der_next(struct bytes *in, int *ret_tag, struct bytes *ret_content);
/* The next value if it has this tag. */
bool der_read(struct bytes *in, int tag, struct bytes *ret_content);
/* The next value if it has this tag, header included. */
bool der_read_whole(struct bytes *in, int tag, struct bytes *ret_value);
/* A non-negative INTEGER without its sign byte (zero: one byte 0). */
bool der_read_unsigned(struct bytes *in, struct bytes *ret_magnitude);
/* A non-negative INTEGER below 2^31. */
bool der_read_small(struct bytes *in, int *ret_value);
/* A BIT STRING of whole bytes. */
bool der_read_bits(struct bytes *in, struct bytes *ret_bits);
/* The next tag, -1 at the end. */
int der_peek(struct bytes in);
/* Is every value below `in`, nested ones included, strict DER?  Bounded in depth. */
bool der_well_formed(struct bytes in);

/* -- writing ------------------------------------------------------------------------------------ */
/* Opens a value whose length is not known yet; der_close with what der_open returned puts it in. */
size_t der_open(struct buf *w, int tag);
void der_close(struct buf *w, size_t mark);
void der_add(struct buf *w, int tag, struct bytes content);
void der_add_text(struct buf *w, int tag, const char *s);
/* An INTEGER from a big-endian magnitude; leading zeros are dropped, a sign byte is put in. */
void der_add_unsigned(struct buf *w, struct bytes magnitude);
void der_add_small(struct buf *w, int value);
void der_add_bits(struct buf *w, struct bytes content);   /* BIT STRING of whole bytes */
void der_add_named_bits(struct buf *w, unsigned bits);    /* bit 0 is the first; trailing zeros cut */
void der_add_true(struct buf *w);
void der_add_null(struct buf *w);
/* UTCTime to 2049, GeneralizedTime from 2050 (RFC 5280 4.1.2.5). */
void der_add_time(struct buf *w, msec_t t);

#endif
