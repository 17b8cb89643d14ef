/* The sender of webhooks: one thread with an event loop of its own, beside the loops and the writer.
 *
 *     commit ──> webhooks_wake ──> due? (a snapshot of its own) ──> VERB_WEBHOOK_NEXT (writer, keeper) ──> POST
 *                                                          cursor <── VERB_WEBHOOK_RESULT (writer) <──────── answer
 *
 * Each webhook has at most one message under way, so each receiver gets its events in order; a slow one holds up no other.
 * Nothing is kept here that a restart would need: the cursor is in the store.
 *
 * Resolving a name blocks this thread (getaddrinfo), and nothing else. */
#ifndef TROTH_APP_WEBHOOKS_H
#define TROTH_APP_WEBHOOKS_H

#include <sys/socket.h>

#include "app/pipeline.h"

struct webhooks;

/* Opens a reader on the store; no thread yet. */
troth_rc webhooks_new(struct pipeline *p, struct store *store, const struct port_clock *clock, struct webhooks **ret, struct troth_err *e);
/* After pipeline_start. */
troth_rc webhooks_start(struct webhooks *w, struct troth_err *e);
/* Any thread: something was committed.  Cheap; accepts NULL. */
void webhooks_wake(struct webhooks *w);
/* Before pipeline_stop: what is under way is broken off, to be sent again after the next start.  Waits for the thread, but not for
 * a name that does not resolve.  Accepts NULL. */
void webhooks_stop(struct webhooks *w);
/* After pipeline_free, as the pipeline's last answers come here.  Leaves everything to the end of the process if the thread
 * still waits for a name.  Accepts NULL. */
void webhooks_free(struct webhooks *w);

/* webhook_address.c: which addresses a message may go to, asked when the connection is made, so that a name cannot lead
 * elsewhere meanwhile.  Never: none at all, link-local (where clouds keep their instances' credentials), multicast, broadcast,
 * also when written as IPv4 in IPv6.  Private addresses and this machine are good: receivers live there. */
bool webhook_may_dial(const struct sockaddr *to);
bool webhook_may_dial_plain(const struct sockaddr *to); /* this machine only */

#endif
