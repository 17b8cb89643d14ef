/* The certificate of a CA that somebody else signed, with its chain: everything that is wrong with it, said at once.
 *
 * Pure: it knows the request, what stands below the CA and whom it could be anchored by; who that may be is decided
 * in certify.c. */
#ifndef TROTH_SERVICE_CERTIFY_CHAIN_H
#define TROTH_SERVICE_CERTIFY_CHAIN_H

#include "service/intake/cert_pool.h"

/* What the CA must be. */
struct certify_need {
	const char *name;            /* of the authority */
	struct bytes spki;           /* of the request */
	const struct cert **before;  /* its own versions until now */
	size_t before_count;
	int64_t path_len;            /* at least so much of the CA itself, for the CAs below it */
	int64_t levels;              /* so many levels of CAs below it: of those above */
	unsigned eku;                /* EKU_ bits that its leaves have; 0: none yet */
	msec_t life;                 /* of the longest leaf that it signs */
	msec_t now;
};

/* Reads `pem`, finds the CA of the request in it and sorts the rest.  ret->leaf is the CA, or NULL.  `path`: "$.certificate". */
void certify_chain_read(struct arena *a, const char *path, const char *pem, const struct certify_need *need, struct upload_chain *ret,
			struct troth_err *e);
/* The same of a chain that `anchor` holds: path lengths, ends, signatures, strength.  RC_OK if it does. */
troth_rc certify_chain_anchored(struct arena *a, const struct upload_chain *chain, const struct cert *anchor,
				const struct certify_need *need, struct troth_err *e);
/* Can it do what this authority needs: path length, extended key usage, life?  Findings at `path`. */
void certify_ca_judge(struct arena *a, const char *path, const struct cert *ca, const struct certify_need *need, struct troth_err *e);
/* Could this be a root that is trusted from now on?  Findings at `path`. */
void certify_root_judge(struct arena *a, const char *path, const struct cert *root, msec_t now, struct troth_err *e);

#endif
