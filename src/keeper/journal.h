/* The keeper's own log: one line for each use of a key, written before the key is used.
 *
 *     time=2026-11-22T05:53:48Z n=17 act=leaf-sign result=granted key=3f.. authority="/demo/ca" ...
 *
 * When the line cannot be written the key is not used.  Texts are quoted and everything but printable
 * ASCII is escaped, so that no name can write a line of its own.  There is no secret in it. */
#ifndef TROTH_KEEPER_JOURNAL_H
#define TROTH_KEEPER_JOURNAL_H

#include "keeper/state.h"

struct journal {
	const struct keeper_ports *ports;
	uint64_t count; /* lines written by this process */
};

/* What is known about the use when it is granted; members may be NULL. */
struct journal_use {
	const struct keeper_request *req;
	const struct keeper_policy *key;   /* the key that signs, or that is made */
	const struct keeper_policy *made;  /* authority-sign: the new CA's */
	const struct cert_spec *spec;      /* what is signed, its spki filled in */
	const struct cert *recipient;      /* leaf-seal */
};

/* The first line of a process, so that its count can be told from another's.  Fails as journal_grant. */
troth_rc journal_start(struct journal *j, int64_t pid, struct troth_err *e);
/* UNAVAILABLE if the line could not be written or is longer than LIMIT_KEEPER_LOG_LINE_BYTES. */
troth_rc journal_grant(struct journal *j, const struct journal_use *use, struct troth_err *e);
/* A refusal, or a failure after the grant.  A log that fails here changes nothing. */
void journal_refuse(struct journal *j, const struct keeper_request *req, const struct troth_err *why);

#endif
