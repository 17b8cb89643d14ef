/* A certificate for the server's listener that somebody brought, beside its own of /troth/server (decision 0078).
 *
 * It is shown to people and scripts; agents go on being shown the own one, because they ask for that
 * (edge/tls_choice.h).  So it has no part in any rotation: it is a leaf of its own, with no slot, and the engine knows
 * nothing of it.  Everything is judged before anything changes, as with an upload; the keeper wraps the key and seals it
 * to the server's own certificate in the same transaction, so what was brought is shown when the answer leaves, and a
 * restored store shows it again.  What is replaced or taken away leaves no key behind. */
#ifndef TROTH_SERVICE_BROUGHT_H
#define TROTH_SERVICE_BROUGHT_H

#include "service/nouns.h"

#define BROUGHT_CREDENTIAL KEEPER_LISTENER_KEY

struct brought_cmd {
	const char *certificate;    /* PEM: the leaf; what else is in it counts as chain */
	const char *chain;          /* PEM, any order, with the root unless that is known here; or NULL */
	const char *private_key;    /* PEM, SECRET */
};
/* Reads it all; each thing that is wrong is a finding. */
void brought_check(struct arena *a, const struct brought_cmd *cmd, msec_t now, struct troth_err *e);

struct shown_certificate {
	struct cert_row cert;
	const char *key_type;
	struct json_texts names;    /* "dns:x", "ip:y": that it is for */
	const char *anchor;         /* subject of the CA that clients need */
};
struct brought_ret {
	struct shown_certificate own, brought; /* brought: cert.der.len 0: none */
};
extern const struct verb VERB_BROUGHT_SET;   /* brought_cmd -> brought_ret; admin */
extern const struct verb VERB_BROUGHT_SHOW;  /* no_cmd -> brought_ret; who reads */
extern const struct verb VERB_BROUGHT_UNSET; /* no_cmd -> no_ret; admin.  Nothing was brought: nothing is done */

/* For the listener. */
struct brought_load_ret {
	int64_t number;             /* server_trust_ret's; 0: none */
	const char *pem;            /* leaf and chain, as they are shown */
	const char *anchor;         /* PEM: what clients verify it by */
	struct bytes sealed;        /* its key, CMS for the key of the server's own certificate */
};
extern const struct verb VERB_BROUGHT_LOAD;  /* no_cmd -> brought_load_ret; system */

/* Would distrusting these versions take what is shown with it: is one of them its anchor, or a CA between, by its key? */
troth_rc brought_lives_by(struct verb_ctx *ctx, const struct id_list *versions, bool *ret, struct troth_err *e);
/* They are distrusted: then it is taken away, with an event that says so.  A chain below a distrusted CA is shown to nobody
 * (engine-rules, 10); who still trusts that CA could be shown anything by whoever has its key. */
troth_rc brought_distrusted(struct verb_ctx *ctx, const struct id_list *versions, struct troth_err *e);

/* The number of what is shown now; 0: none. */
troth_rc brought_now(struct verb_ctx *ctx, int64_t *ret, struct troth_err *e);

#endif
