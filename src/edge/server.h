/* The HTTPS server: loops, connections, deadlines, held requests.
 *
 *     accept -> TLS -> head -> body -> router -> call -> handler (app) -> reply -> next request
 *
 * A request whose route was found becomes a struct edge_call and is given to the handler on the
 * loop's thread.  The call always has one owner, who does exactly one of
 *
 *     edge_reply / edge_fail / edge_send    answer; the call is gone              (loop's thread)
 *     edge_hold                             park it until a topic or the deadline (loop's thread)
 *     edge_depart ... edge_return           give it to another thread, which gives it back
 *
 * While a call is away it belongs to the other thread alone: the loop keeps only a mark that the
 * connection waits for something, so a peer that vanishes meanwhile costs nothing and races with
 * nobody; the returned call is then dropped.  Other threads touch a loop only through its queue and
 * eventfd (edge_return, edge_publish, edge_server_set_tls, edge_server_stop).
 *
 * Not done here: who the caller is, what a verb does, the log. */
#ifndef TROTH_EDGE_SERVER_H
#define TROTH_EDGE_SERVER_H

#include "edge/route.h"
#include "port/port.h"

struct edge_server;
struct edge_conn;

struct edge_call {
	struct arena *a;               /* of this request; the call itself lives in it */
	struct http_request request;
	const struct route *route;
	const char *facade;            /* the API that it belongs to (route_table); NULL: the native one */
	void *cmd, *ret;               /* of the route's verb, zeroed; NULL when the route has none */
	unsigned loop;                 /* 0..edge_config.loops-1: whose reader snapshot to use */
	msec_t started;                /* monotonic, when the request had been read: for the log */
	void *user;                    /* the handler's */

	/* edge's own */
	struct edge_conn *conn;        /* loop's thread only; NULL once the peer is gone */
	struct edge_call *next;        /* in the loop's queue */
};

struct edge_handler {
	void *self;
	void (*handle)(void *self, struct edge_call *call);                      /* a new request */
	void (*resume)(void *self, struct edge_call *call, bool last_chance);    /* held: news, or the deadline */
	void (*returned)(void *self, struct edge_call *call);                    /* back from another thread */
	/* A reply has left (or its peer had gone: status 0).  For the log; may be NULL. */
	void (*finished)(void *self, const struct edge_call *call, int status);
};

struct edge_config {
	const char *listen;            /* "127.0.0.1:8443" */
	const char *plain_listen;      /* NULL: none.  The same without TLS, for trying things; refused unless it is loopback */
	unsigned loops;                /* 1..EDGE_LOOPS */
	unsigned connections;          /* 0: LIMIT_CONNECTIONS; this and the next two: edge_server_set_limits */
	msec_t request_time;           /* 0: LIMIT_CONNECTION_REQUEST_S; handshake and the first request together, then each request */
	msec_t idle_time;              /* 0: LIMIT_CONNECTION_IDLE_S; between two requests */
	msec_t hold_time;              /* 0: LIMIT_HOLD_S */
	const struct port_clock *clock;
	const struct port_random *random;
	const struct route_table *tables;
	size_t table_count;
	struct edge_handler handler;
};

enum { EDGE_LOOPS = 16, EDGE_TOPIC = 80 };

/* What the server shows and whom it asks for: PEM with the leaf first, its key, and the CAs (DER) whose client
 * certificates are accepted (none: no client certificate is asked for).  A second certificate that somebody brought is
 * shown to whom it is for (tls_choice.h). */
struct edge_tls {
	struct bytes cert_pem;
	const struct buf *key_pem;
	const struct bytes *client_cas;
	size_t client_ca_count;
	struct bytes brought_pem;      /* leaf first; len 0: none */
	const struct buf *brought_key; /* PEM */
};

/* Binds, so that a busy port is told here, but answers nobody before edge_server_start.  config is copied, the tables
 * and what they point to stay the caller's. */
troth_rc edge_server_new(const struct edge_config *config, const struct edge_tls *tls, struct edge_server **ret,
			 struct troth_err *e);
int edge_server_port(const struct edge_server *s);
int edge_server_plain_port(const struct edge_server *s); /* 0: none */
troth_rc edge_server_start(struct edge_server *s, struct troth_err *e);
/* Would it be taken?  INVALID with words otherwise. */
troth_rc edge_tls_check(const struct edge_tls *tls, struct troth_err *e);
/* Any thread.  New connections get the new context; old ones keep theirs to their end.  On failure the old stays. */
troth_rc edge_server_set_tls(struct edge_server *s, const struct edge_tls *tls, struct troth_err *e);
/* Any thread.  0 is the default, as in edge_config.  What waits now keeps the deadline it has; connections above a lower cap
 * are not closed, but nobody new is taken until there is room. */
void edge_server_set_limits(struct edge_server *s, unsigned connections, msec_t request_time, msec_t idle_time);
/* Any thread.  No new connections or requests; held ones are answered now, those under way have `grace` to end. */
void edge_server_stop(struct edge_server *s, msec_t grace);
void edge_server_join(struct edge_server *s);
/* After join, and after every call that is away was returned. */
void edge_server_free(struct edge_server *s); /* accepts NULL */
unsigned edge_server_connections(const struct edge_server *s);

/* -- the owner of a call, on the loop's thread ------------------------------------------------ */
/* route->parse into call->cmd. */
troth_rc edge_call_parse(struct edge_call *call, struct troth_err *e);
void edge_reply(struct edge_call *call);                              /* route->render of call->cmd and call->ret */
void edge_fail(struct edge_call *call, const struct troth_err *e);    /* in the route's problem shape */
void edge_send(struct edge_call *call, struct http_reply *reply);     /* takes the reply's memory */
/* Renders without sending, on any thread that owns the call: what is kept under an Idempotency-Key. */
void edge_render(struct edge_call *call, struct http_reply *reply);
/* Parks it.  The read that found no news and the hold must happen in one turn of the loop: then no publication
 * between the two is lost, as publications are handled in a later turn. */
void edge_hold(struct edge_call *call, const char *topic, msec_t wait);
/* A reply without an end: the first call sends the head (200, this type, closed at the end), each adds `piece`.  The call
 * stays its owner's: edge_hold it, or edge_stream_end it.  False: end it now, because the server stops or the peer
 * does not read what it was sent. */
bool edge_stream(struct edge_call *call, const char *content_type, struct bytes piece);
void edge_stream_end(struct edge_call *call);
/* The next owner is another thread.  Call it before handing over. */
void edge_depart(struct edge_call *call);

/* -- any thread -------------------------------------------------------------------------------- */
void edge_return(struct edge_server *s, struct edge_call *call);
void edge_publish(struct edge_server *s, const char *const *topics, size_t count);

#endif
