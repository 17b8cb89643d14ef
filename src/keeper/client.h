/* The server's end of the line to the keeper.  Used by one thread at a time.
 *
 *     keeper_spawn(...) -> client
 *     keeper_client_send(client, reqs, n, &sent)     up to 64 requests in a message; never blocks
 *     poll(keeper_client_fd(client))                 readable: answers, or the keeper has ended
 *     keeper_client_receive(client, a, replies, ...) answers come in any order, named by id
 *
 * When the keeper is gone, send and receive fail with UNAVAILABLE, what was unanswered stays so, and
 * the caller closes the client and spawns another (three in a minute: stop). */
#ifndef TROTH_KEEPER_CLIENT_H
#define TROTH_KEEPER_CLIENT_H

#include "base/limits.h"
#include "keeper/request.h"

struct keeper_client;

struct keeper_spawn_options {
	const char *master_key_path; /* NULL: the keeper looks in CREDENTIALS_DIRECTORY */
	const char *log_path;        /* the keeper's own log; opened for appending, made with mode 0600 */
};

/* Starts `self_exe keeper --master-key PATH` and waits until it has entered its sandbox (its first word
 * is the answer to a PING; 10 s).  self_exe: an absolute path, or "/proc/self/exe".  If it cannot start,
 * its own words are on standard error and the call fails with UNAVAILABLE. */
troth_rc keeper_spawn(const char *self_exe, const struct keeper_spawn_options *options, struct keeper_client **ret,
		      struct troth_err *e);
/* Closes the line and waits for the process to end (kills it after LIMIT_KEEPER_STOP_MS).  Accepts NULL. */
void keeper_client_close(struct keeper_client *c);
void keeper_client_closep(struct keeper_client **c);

int keeper_client_fd(const struct keeper_client *c);   /* for poll */
int keeper_client_pid(const struct keeper_client *c);
int keeper_client_in_flight(const struct keeper_client *c); /* sent and not yet answered */

/* Sends as many of the n requests as fit a message and the line (at least one, or it fails), in order.
 * BUSY: the line is full or LIMIT_KEEPER_IN_FLIGHT are unanswered: receive first.  INVALID or TOO_LARGE:
 * request number *ret_sent cannot be written down; the ones before it were sent. */
troth_rc keeper_client_send(struct keeper_client *c, const struct keeper_request *reqs, size_t n, size_t *ret_sent,
			    struct troth_err *e);
/* Waits at most timeout for one message of answers (0: only looks; then *ret_n may be 0 without an
 * error).  Everything in the replies lives in arena a.  TIMEOUT if a timeout > 0 passed. */
troth_rc keeper_client_receive(struct keeper_client *c, struct arena *a, msec_t timeout,
			       struct keeper_reply replies[LIMIT_KEEPER_BATCH], size_t *ret_n, struct troth_err *e);
/* One request, waiting for its answer at most timeout; a refusal becomes the error.  Only when nothing
 * else is in flight.  Gives the request an id itself. */
troth_rc keeper_call(struct keeper_client *c, struct arena *a, const struct keeper_request *req, msec_t timeout,
		     struct keeper_reply *ret, struct troth_err *e);

#endif
