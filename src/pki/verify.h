/* Does a chain hold?  Asked of OpenSSL, with names checked by SAN only.
 *
 * Several CAs of one subject (old and new root of an authority) are told apart by signature before
 * OpenSSL's path search sees them, because that search does not go back on a wrong first choice. */
#ifndef TROTH_PKI_VERIFY_H
#define TROTH_PKI_VERIFY_H

#include "base/clock.h"
#include "pki/cert.h"

struct der_list { /* certificates as DER */
	const struct bytes *items;
	size_t count;
};

/* RC_OK if a path leads from leaf over some of `intermediates` to a self-signed member of `anchors`,
 * all valid at `at` (0: dates are not looked at), for `role` (EKU_SERVER or EKU_CLIENT: the purpose
 * of the leaf), and, unless host is NULL, if the leaf is for host (a DNS name or an address).
 * Else INVALID: the text names the certificate that failed and why. */
troth_rc chain_verify(struct arena *a, struct bytes leaf, struct der_list intermediates,
		      struct der_list anchors, msec_t at, unsigned role, const char *host,
		      struct troth_err *e);

/* engine-rules section 3, anchors(b): every candidate CA that alone makes the chain (leaf first, then
 * what is served with it) valid.  Two, when a CA was renewed with its key.  Pessimistic: a served
 * intermediate that leads plain verifiers astray counts against the chain.
 * ret_indices: into candidates, ascending, in arena a; none is no error. */
troth_rc chain_anchors(struct arena *a, struct der_list chain, struct der_list candidates, msec_t at,
		       unsigned role, const size_t **ret_indices, size_t *ret_count,
		       struct troth_err *e);

/* The order a server should send: leaf, then each issuer found in `pool`, without the self-signed
 * root.  Of several that fit (a CA renewed with its key) the one that lives longest.  An issuer that
 * is not in the pool ends the list; whether the chain holds is chain_verify's question.  Lives in a. */
troth_rc chain_order(struct arena *a, struct bytes leaf, struct der_list pool, struct der_list *ret_chain,
		     struct troth_err *e);

#endif
