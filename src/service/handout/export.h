/* What a certificate's owner gives to others: itself, what is served with it, and the root to trust.
 * Certificates only; no verb hands a key out. */
#ifndef TROTH_SERVICE_EXPORT_H
#define TROTH_SERVICE_EXPORT_H

#include "service/nouns.h"

struct export_cmd {
	const char *id;             /* of a credential or an authority */
	const char *version;        /* NULL: its newest (a leaf), the one that signs (an authority) */
};
struct export_ret {
	const char *name, *version; /* version: uuid */
	const char *certificate;    /* PEM */
	struct json_texts chain;    /* PEM each: the intermediates behind it, as served */
	const char *root;           /* PEM of the CA that a verifier must trust; NULL: it is not known here */
};
/* NOT_FOUND: no such version, or none yet. */
extern const struct verb VERB_CREDENTIAL_EXPORT; /* export_cmd -> export_ret */

#endif
