/* An HTTP/1.1 client over TLS, for the agent and the server's webhooks (asynchronous, on a libevent base) and for the CLI
 * (http_call, blocking).
 *
 * The server's certificate is always verified, chain and name: there is no switch to turn it off, but one for no TLS at all,
 * for webhooks to this machine.
 * Trust comes from a PEM file's bytes, or, for the one enrolment call, from the SHA-256 fingerprint
 * of a CA that the server must send in its chain.  Connections are kept alive and reused for half a
 * minute; a GET, PUT or DELETE on a reused one that the server closed meanwhile is sent again, once.
 * A client belongs to one thread.  Resolving the server's name blocks (getaddrinfo).
 *
 * Not done: redirects, cookies, proxies, HTTP/2. */
#ifndef TROTH_EDGE_CLIENT_H
#define TROTH_EDGE_CLIENT_H

#include "base/text.h"
#include "edge/http.h"

struct event_base;
struct sockaddr;
struct http_client;
struct http_exchange; /* one request under way */

struct http_client_config {
	const char *server;        /* "https://host:port"; IPv6 as https://[::1]:8443; nothing but https, unless `plain` */
	struct bytes ca_pem;       /* trust anchors, one or more CERTIFICATE blocks; or */
	bool old_anchors;          /* an anchor may have expired: it stands for its name and key (RFC 5280 6.1.1 d).  All below it must be
	                              valid now.  For recovery only, where nothing is believed but who the server is */
	bool system_anchors;       /* trust what the system's programs trust (OpenSSL's default paths) instead of ca_pem */
	bool foreign;              /* no server of troth: it is not told which CAs are believed (tls_choice.h) */
	bool plain;                /* no TLS at all, `server` is "http://...": for somebody on this machine, told nothing secret */
	bool (*may_dial)(const struct sockaddr *to); /* asked for each address that the name leads to, when it is dialled; NULL: any */
	bool head_suffices;        /* the caller wants the status only: a body that is chunked, long or without length is not waited for */
	bool pinned;               /* trust the CA of the server's chain that has this fingerprint */
	uint8_t pin[SHA256_LEN];
	const char *cert_file;     /* client certificate (leaf first) and key, PEM files; NULL: none */
	const char *key_file;
	const char *bearer;        /* sent as Authorization: Bearer; NULL: none */
	msec_t timeout;            /* of a whole exchange, connecting included; 0: 30 s */
	size_t max_reply_bytes;    /* 0: HTTP_REPLY_BYTES */
};

struct http_outgoing {
	enum http_method method;
	const char *target;        /* "/v1/agent/desired?after=7": sent as it is */
	const char *content_type;  /* NULL: application/json if there is a body */
	struct bytes body;         /* copied */
	struct http_pairs headers; /* more headers, copied */
	msec_t timeout;            /* 0: the client's; a held poll wants its wait and some seconds */
};

struct http_answer {
	int status;
	const char *content_type;  /* "" if absent */
	struct http_pairs headers;
	struct bytes body;         /* followed by a 0 byte */
};

/* Reads the certificates and the key now (a later change on disk needs a new client).  Strings are copied. */
troth_rc http_client_new(struct event_base *base, const struct http_client_config *config,
			 struct http_client **ret, struct troth_err *e);
void http_client_free(struct http_client *c); /* accepts NULL; exchanges under way end without a call back */

/* `done` is called once from the loop, never from inside http_client_send: rc failed = no answer came (kind
 * UNAVAILABLE: could not connect, UNAUTHENTICATED: the server's certificate or the name does not verify,
 * TIMEOUT, TOO_LARGE); an HTTP error status is an answer.  `answer` and its memory live in `a` for the call only. */
typedef void http_done_fn(void *self, troth_rc rc, const struct http_answer *answer, struct arena *a, const struct troth_err *e);
troth_rc http_client_send(struct http_client *c, const struct http_outgoing *out, http_done_fn *done, void *self,
			  struct http_exchange **ret, struct troth_err *e); /* ret may be NULL */
/* Ends an exchange without its call back.  Only before `done` was called. */
void http_client_cancel(struct http_exchange *x);
/* Closes the connections that are idle: the next exchange shakes hands anew (after a change of network). */
void http_client_drop_idle(struct http_client *c);

/* One exchange on a loop of its own; the answer lives in `a`. */
troth_rc http_call(struct arena *a, const struct http_client_config *config, const struct http_outgoing *out,
		   struct http_answer *ret, struct troth_err *e);

/* 2xx is OK; otherwise the problem+json of the body (kind, primary = detail, hint, object, clause, findings in `a`)
 * as an error.  An unknown body becomes "the server answered 502". */
troth_rc http_answer_check(struct arena *a, const struct http_answer *answer, struct troth_err *e);

#endif
