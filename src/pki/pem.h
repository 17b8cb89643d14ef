/* PEM blocks (RFC 7468), read without copying the text and without trusting its length.
 *
 * Strict in what matters (matching labels, base64 and nothing else between them), lax where files in
 * the field are: CR LF, spaces at line ends, any text between blocks.  Headers inside a block
 * ("Proc-Type: 4,ENCRYPTED") are refused with a hint. */
#ifndef TROTH_PKI_PEM_H
#define TROTH_PKI_PEM_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

enum { PEM_LABEL_MAX = 32 };

struct pem_block {
	char label[PEM_LABEL_MAX]; /* "CERTIFICATE" */
	struct bytes base64;       /* between the lines, as it stands; points into the text */
	int line;                  /* of the BEGIN line, from 1 */
};

struct pem_reader {
	struct bytes rest;
	int line;
};

struct pem_reader pem_reader_make(struct bytes text);
/* The next block: *ret_found false at the end of the text.  INVALID: an END is missing or differs. */
troth_rc pem_next(struct pem_reader *r, struct pem_block *ret_block, bool *ret_found, struct troth_err *e);
/* Appends the decoded bytes to out (its maximum is the bound; a secret buffer for keys). */
troth_rc pem_decode(const struct pem_block *block, struct buf *out, struct troth_err *e);
/* Does this look like PEM rather than DER? */
bool pem_looks_like(struct bytes in);
/* Appends "-----BEGIN label-----", 64 columns, "-----END label-----". */
void pem_encode(const char *label, struct bytes der, struct buf *out);

#endif
