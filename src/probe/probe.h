/* The door of probe/: look at a TLS server as a client does.
 *
 * One connection, one handshake, and what the server showed: its chain as sent, leaf first.  Nothing
 * is trusted or refused here (a server that shows the wrong thing is exactly what we want to see);
 * whoever asks compares fingerprints.  A server that wants a client certificate and ends the
 * handshake for the lack of one has shown its chain all the same; `complete` is false then.
 * Blocking, bounded by the deadline; call it from a thread that may wait. */
#ifndef TROTH_PROBE_PROBE_H
#define TROTH_PROBE_PROBE_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"

enum probe_starttls {
	PROBE_TLS,        /* the handshake is the first thing said */
	PROBE_POSTGRESQL, /* SSLRequest of the frontend protocol 3.0, section 55.2.10 */
	PROBE_STARTTLS_COUNT
};
const char *probe_starttls_name(enum probe_starttls s); /* "none", "postgresql" */
bool probe_starttls_parse(const char *name, enum probe_starttls *ret);

struct probe_request {
	const char *host; /* a name or an address, IPv6 without brackets */
	int port;
	enum probe_starttls starttls;
	const char *server_name; /* SNI; NULL or an address: none is sent */
	msec_t timeout;          /* of the whole look */
};

struct probe_seen {
	struct bytes *chain; /* DER, leaf first, in the arena; at least one, at most LIMIT_CHAIN_CERTS */
	size_t chain_count;
	char protocol[16]; /* "TLSv1.3" */
	bool complete;     /* the handshake went through */
};

/* UNAVAILABLE: nobody listens there (connection refused).  TIMEOUT.  IO: it broke off, or speaks
 * something else.  INVALID: it does not offer TLS (STARTTLS refused). */
troth_rc probe_tls(struct arena *a, const struct probe_request *r, struct probe_seen *ret, struct troth_err *e);

#endif
