/* The keeper's decisions: one request in, one reply out.
 *
 * No thread, no descriptor, no clock of its own: the caller gives a clock and a place for log lines.
 * One state is used by one thread at a time.  The process shell, unit tests, `troth init` and the
 * simulator run this same function. */
#ifndef TROTH_KEEPER_STATE_H
#define TROTH_KEEPER_STATE_H

#include "keeper/request.h"
#include "port/port.h"

struct keeper_state;

struct keeper_ports {
	const struct port_clock *clock;
	/* Writes one whole line (it ends with a newline) to the keeper's log; false if that failed, and then
	 * the key is not used.  NULL: no log (tests only). */
	bool (*log_line)(void *self, struct bytes line);
	void *log_self;
};

enum { KEEPER_MASTER_KEY_BYTES = 32 };

/* Copies the master key into OpenSSL's secure heap (when it is set up; the ordinary heap otherwise). */
troth_rc keeper_state_new(const uint8_t master_key[KEEPER_MASTER_KEY_BYTES], const struct keeper_ports *ports,
			  struct keeper_state **ret, struct troth_err *e);
void keeper_state_free(struct keeper_state *s); /* accepts NULL; wipes */
void keeper_state_freep(struct keeper_state **s);

/* Handles one request wholly, generating a key if it needs one (RSA: seconds).  Always fills *ret; what
 * it points to lives in arena a. */
void keeper_handle(struct keeper_state *s, const struct keeper_request *req, struct arena *a,
		   struct keeper_reply *ret);

/* The same in two halves, so that a slow generation can happen on another thread: when this is true,
 * make a key of *ret_type and give it to keeper_handle_with. */
bool keeper_needs_key(const struct keeper_request *req, enum key_type *ret_type);
bool keeper_is_long(const struct keeper_request *req); /* an RSA key is made: it waits in the long lane */
void keeper_handle_with(struct keeper_state *s, const struct keeper_request *req, struct key *made, struct arena *a,
			struct keeper_reply *ret);

/* Writes the first line of the log; a keeper that cannot does not start. */
troth_rc keeper_state_start(struct keeper_state *s, int64_t pid, struct troth_err *e);
/* Fills *ret with a refusal; for the process shell, which refuses what cannot be read at all. */
void keeper_reply_refuse(struct arena *a, uint64_t id, const struct troth_err *why, struct keeper_reply *ret);
/* Notes such a refusal in the log, under the id (0: unknown) it came with. */
void keeper_state_note(struct keeper_state *s, uint64_t id, const struct troth_err *why);

#endif
