/* A document: the certificates (and the key) that a target is told to hold, and the files they make.
 *
 * Checked before anything is written: the certificates parse, each is issued by the next, the leaf is
 * not expired, the key is the leaf's; of a store: all are CAs, none twice. */
#ifndef TROTH_AGENT_DOCUMENT_H
#define TROTH_AGENT_DOCUMENT_H

#include "agent/profile.h"
#include "pki/pki.h"

struct document {
	enum msg_target_kind kind;
	const struct cert **certs;      /* in the order served, or as listed */
	size_t cert_count;
	struct json_texts fingerprints; /* as message.h wants them */
	struct buf key;                 /* PKCS#8 PEM, secret; empty for a store */
	struct buf combined;            /* full chain and key, secret */
};
void document_release(struct document *d); /* for CLEANUP */

/* PEM texts of one certificate each, or one PEM text of all.  `key` may be empty (a store).  The
 * certificates live in the arena, the key in the document.  now 0: dates are not looked at (a document
 * that was accepted before stays one). */
troth_rc document_make(struct arena *a, enum msg_target_kind kind, const struct json_texts *pems, struct bytes key_pem,
		       msec_t now, struct document *ret, struct troth_err *e);

struct document_file { const char *name; struct bytes data; const struct place_file *as; };
/* The files of a place; data points into arena or document. */
troth_rc document_files(struct arena *a, const struct place *p, struct document *d, struct document_file **ret,
			size_t *ret_count, struct troth_err *e);
/* All certificates as one PEM text. */
struct bytes document_pem(struct arena *a, const struct document *d);

#endif
