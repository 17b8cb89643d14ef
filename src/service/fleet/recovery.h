/* Recovery: an agent whose identity has expired asks for a new one, and a person says yes (decision 0050).
 *
 *     agent                                    server                               operator
 *     nonce?                              -->  a time, random bytes, a MAC: nothing is kept
 *     its old certificate, a CSR for a
 *     new key, the nonce, all signed with
 *     the old key                         -->  proved: a row "pending"         -->  troth recover list
 *     asks again, with a fresh nonce      -->  still pending                   <--  troth recover approve NAME
 *     asks again                          -->  a certificate for the new key
 *     opens a session                     -->  the row goes; what the node holds is unknown until it has said so
 *
 * Anybody may ask, so a request costs little before it is proved and writes nothing: the MAC, one indexed look for the
 * old certificate's fingerprint, then one signature.  There is at most one row for an instance. */
#ifndef TROTH_SERVICE_RECOVERY_H
#define TROTH_SERVICE_RECOVERY_H

#include "model/message.h"
#include "service/verb.h"
#include "store/store.h"

/* no_cmd -> msg_nonce; anybody. */
extern const struct verb VERB_RECOVERY_NONCE;
/* msg_recovery -> msg_recovering; anybody.
 *   INVALID          a field is wrong in itself
 *   UNAUTHENTICATED  the nonce is not fresh, or was used; or, without saying which: nobody here has this certificate, or
 *                    its key did not sign this
 *   CONFLICT         the identity has not expired
 *   FORBIDDEN        denied, leaving, or signed by a CA that is distrusted
 *   BUSY             asked again too soon */
extern const struct verb VERB_RECOVERY_ASK;

struct recovery_view {
	struct recovery_row row;
	const char *state;          /* "pending", "contested", "approved", "issued", "denied" */
	const char *instance, *instance_id, *deployment;
	const char *instance_state; /* "active", "waived" */
	msec_t identity_ended;
	msec_t last_seen;
};
/* Two have proved the same old key with different new ones: somebody has a copy of it. */
static inline bool recovery_contested(const struct recovery_row *row) { return row->rivals > 0; }

struct recovery_list_cmd { struct page page; };
struct recovery_list_ret {
	struct recovery_view *items;
	size_t count;
	int64_t next;
};
extern const struct verb VERB_RECOVERY_LIST; /* recovery_list_cmd -> recovery_list_ret */

struct recovery_decide_cmd {
	struct json_texts instances; /* UUIDs; or */
	bool all;                    /* approve: every one that is pending, in scope and not contested, LIMIT_RECOVERIES at a time */
};
struct recovery_decide_ret {
	struct json_texts instances; /* names of those decided upon now */
	int64_t left;                /* pending ones in scope that were not */
};
void recovery_decide_check(struct arena *a, const struct recovery_decide_cmd *cmd, bool all_allowed, struct troth_err *e);
/* CONFLICT for a contested one: its key was copied.  NOT_FOUND for one that asks for nothing. */
extern const struct verb VERB_RECOVERY_APPROVE; /* recovery_decide_cmd -> recovery_decide_ret */
extern const struct verb VERB_RECOVERY_DENY;    /* the same; without all */

/* -- inside the room ------------------------------------------------------------------------------- */
/* The key of the nonces' MACs, made once: by init. */
extern const struct verb VERB_RECOVERY_KEY; /* no_cmd -> no_ret; system */
/* Its agent opened a session, it enrolled again, or it left: nothing is asked any more. */
troth_rc recovery_end(struct verb_ctx *ctx, const struct instance_row *instance, bool returned, struct troth_err *e);
/* "pending", ...: an approval is none any more after LIMIT_RECOVERY_APPROVED_S; until then its answer may be asked for again. */
const char *recovery_state(const struct recovery_row *row, msec_t now);
/* Does it wait for somebody's approval?  ret_since: since when, may be NULL. */
bool recovery_waits(struct tx *tx, struct arena *a, int64_t instance_id, msec_t *ret_since);

#endif
