/* An agent whose identity has expired gets a new one: it proves the old key, a person says yes (decision 0050).
 *
 * One struct for one such time.  It asks the server for a nonce, signs it with the expired identity's key, says what it
 * wants, and asks again with growing pauses until the answer is a certificate.  The server is believed by the keys of the
 * CAs that the last identity came with, also when those have expired; no client certificate is shown.  What only the hand
 * can do (a CSR for a key it keeps, saving the new identity) the owner does. */
#ifndef TROTH_AGENT_RECOVER_H
#define TROTH_AGENT_RECOVER_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/err.h"
#include "model/message.h"
#include "pki/pki.h"

struct event_base;
struct recover;

struct recover_config {
	struct event_base *base;
	const char *server;          /* https://host:port */
	const char *server_ca;       /* PEM: what came with the last identity */
	const struct cert *identity; /* the one that has expired */
	struct bytes key;            /* PEM: its key; parsed at once, the caller wipes it */
	msec_t first_pause;          /* between the first two requests; 0: RECOVER_FIRST_S */
	void *self;
	void (*want_csr)(void *self); /* said again after a pause, if none came */
	void (*approved)(void *self, const struct msg_recovering *m); /* m lives for the call; called once */
	void (*valid)(void *self);   /* instead of asking: the identity has not expired, the clock was put right */
};

enum {
	RECOVER_FIRST_S = 3,   /* pauses between two requests: above what the server allows, */
	RECOVER_LONGEST_S = 300, /* up to what a person who has just approved likes to wait */
};
/* The pause after this one: half as much more. */
msec_t recover_next_pause(msec_t pause);

/* Strings are copied.  INVALID if key and certificate do not fit, or the CAs cannot be read. */
troth_rc recover_new(const struct recover_config *config, struct recover **ret, struct troth_err *e);
void recover_free(struct recover *r); /* accepts NULL; not from inside `approved` or `valid` */
/* The hand has made this CSR: asks now.  Said again, it goes on with that one. */
void recover_ask(struct recover *r, const char *csr);
/* What could not be done here will be tried again after a pause (the new identity could not be saved). */
void recover_again(struct recover *r);

#endif
