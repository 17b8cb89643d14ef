/* What server.c, loop.c and conn.c share; nobody else includes it.
 *
 * A loop owns its connections and everything that hangs on them; only `queue`, `topics` and `stop` are
 * touched by other threads, under `lock`, followed by a write to the eventfd. */
#ifndef TROTH_EDGE_INTERNAL_H
#define TROTH_EDGE_INTERNAL_H

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdatomic.h>

#include "edge/router.h"
#include "edge/server.h"
#include "edge/tls.h"
#include "edge/wire.h"

enum conn_state {
	CONN_HANDSHAKE,  /* TLS; deadline: request_time */
	CONN_IDLE,       /* between two requests; deadline: idle_time */
	CONN_HEAD,       /* some bytes of a head, or a fresh connection; deadline: request_time */
	CONN_BODY,       /* the same deadline goes on */
	CONN_BUSY,       /* a call is with the handler or away; no deadline, nothing is read */
	CONN_HELD,       /* a call is parked; deadline: the hold's; a vanished peer is noticed (EV_CLOSED) */
	CONN_WRITING,    /* the reply is leaving; deadline by its size */
	CONN_CLOSING,    /* our end is shut, the peer's last bytes are dropped so that it can read our reply */
};

struct edge_conn {
	struct edge_loop *loop;
	struct bufferevent *bev;
	struct event *timer, *closed; /* closed: only while held, or while a refused handshake lingers */
	enum conn_state state;
	bool plain;                   /* no TLS: came in by the plain listener */
	bool close_after, resumed;    /* resumed: in the loop's wake list */
	bool head_read;               /* of the request being read: whose API its path is can be told */
	bool streaming;               /* the head of a reply without an end has been sent */
	msec_t stalled;               /* since when a stream's peer has left bytes unread; 0: it reads */
	int status;                   /* of the reply that is leaving: for the log */
	char peer[64];
	struct bytes peer_cert;       /* malloc'ed DER */
	/* the request being read */
	struct arena *a;
	size_t scanned, reserved;
	struct wire_head head;
	struct wire_chunks chunks;
	struct buf body;
	/* the request being answered */
	struct edge_call *call;
	bool away;
	struct edge_topic *topic;     /* CONN_HELD */
	struct edge_conn *held_next, **held_at;
	struct edge_conn *wake_next;
	struct edge_conn *next, **at; /* in the loop's list */
};

struct edge_topic {                   /* a topic that someone of this loop waits for */
	char name[EDGE_TOPIC];
	struct edge_conn *held;
	struct edge_topic *next;
};

enum { EDGE_LISTEN_TLS, EDGE_LISTEN_PLAIN, EDGE_LISTENERS };
enum { TOPIC_BUCKETS = 1024, LOOP_ACCEPTS = 16, LOOP_BODY_BYTES = 128 << 20, LOOP_FREE_BODY = 64 << 10 };

struct edge_topic_list { char (*names)[EDGE_TOPIC]; size_t count, room; };

struct edge_loop {
	struct edge_server *server;
	unsigned index;
	pthread_t thread;
	bool started;
	struct event_base *base;
	struct event *accept[EDGE_LISTENERS], *accept_pause, *queue_event, *wake_event, *grace;
	int eventfd;
	struct edge_conn *conns;
	struct edge_topic *topics[TOPIC_BUCKETS];
	struct edge_conn *wake_first, **wake_last;
	size_t body_bytes;            /* large bodies being received, all connections together */
	bool stopping;
	/* -- shared, under lock -- */
	pthread_mutex_t lock;
	struct edge_call *queue, **queue_last;
	struct edge_topic_list published;
	bool stop;
};

struct edge_server {
	struct edge_config config;
	char listen[300], plain_listen[300];
	struct arena *a;
	const struct router *router;
	int fds[EDGE_LISTENERS], ports[EDGE_LISTENERS]; /* fd -1: not listened on */
	struct edge_loop *loops;
	atomic_uint connections;
	atomic_uint connections_most;            /* these three: edge_server_set_limits */
	_Atomic msec_t request_time, idle_time;
	_Atomic msec_t grace;
	pthread_mutex_t tls_lock;
	SSL_CTX *tls;
};

/* conn.c */
void edge_conn_accept(struct edge_loop *loop, int fd, bool plain, const char *peer);
void edge_conn_close(struct edge_conn *c);         /* at once; a parked call is dropped */
void edge_conn_resume(struct edge_conn *c, bool last_chance);
void edge_conn_stop(struct edge_conn *c);          /* the server stops: what can end ends now */
void edge_conn_returned(struct edge_call *call);
void edge_conn_unhold(struct edge_conn *c);
void edge_conn_refuse(struct edge_conn *c, const struct troth_err *e);
void edge_conn_answer(struct edge_conn *c, const struct http_request *r, struct http_reply *reply);

/* request.c: from a head and a body to a call */
troth_rc request_begin(struct edge_conn *c, struct troth_err *e);   /* head is read: limits before the body */
/* What a request is refused with whose bytes are wrong or too many: in the shape of its path's API, if its head is read. */
void request_refusal(struct edge_conn *c, const struct troth_err *e, struct http_reply *reply);
troth_rc request_body_grew(struct edge_conn *c, struct troth_err *e); /* some of it has come: within the loop's budget? */
void request_dispatch(struct edge_conn *c);                         /* body is read: route it */

/* loop.c */
struct edge_loop;
troth_rc loop_init(struct edge_loop *loop, struct edge_server *s, unsigned index, struct troth_err *e);
void loop_release(struct edge_loop *loop);
void *loop_main(void *loop);
void loop_signal(struct edge_loop *loop);
void loop_hold(struct edge_loop *loop, struct edge_conn *c, const char *topic);
SSL_CTX *server_tls(struct edge_server *s);   /* caller releases */

static inline msec_t loop_mono(const struct edge_loop *l) { return port_mono(l->server->config.clock); }
static inline struct timeval msec_timeval(msec_t t) { return (struct timeval){ t / MSEC_S, (t % MSEC_S) * 1000 }; }

#endif
