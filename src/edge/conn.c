/* One connection's life: handshake, read, wait, write, again; and the one timer that ends it when the
 * peer is slower than it may be.
 *
 * The timer is a deadline, never an inactivity timeout: a byte a second does not move it.  It is set
 * when a phase begins and not touched until the phase ends. */
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "edge/internal.h"

enum { CLOSE_LINGER_MS = 1000, READ_HIGH_WATER = 64 << 10, WRITE_BYTES_PER_DEADLINE = 1 << 20 };

static void on_read(struct bufferevent *bev, void *self);
static void on_write(struct bufferevent *bev, void *self);
static void on_event(struct bufferevent *bev, short what, void *self);

static void set_deadline(struct edge_conn *c, msec_t after)
{
	struct timeval tv = msec_timeval(after);
	event_add(c->timer, &tv);
}

static msec_t request_time(const struct edge_conn *c) { return c->loop->server->request_time; }

/* -- ending ------------------------------------------------------------------------------------ */
static void forget_request(struct edge_conn *c)
{
	buf_release(&c->body);
	arena_freep(&c->a);
	c->loop->body_bytes -= c->reserved;
	c->reserved = 0;
	c->scanned = 0;
	c->head_read = false;
	c->chunks = (struct wire_chunks){ 0 };
}

static void call_free(struct edge_call *call)
{
	struct bytes body = call->request.body;
	if (body.len)
		secret_wipe((void *)body.data, body.len);
	arena_free(call->a);
}

/* The call leaves the connection; `status` 0 tells the log that nobody was there to hear. */
static void call_finish(struct edge_conn *c, int status)
{
	struct edge_call *call = c->call;
	const struct edge_handler *h = &c->loop->server->config.handler;
	c->call = NULL;
	if (!call)
		return;
	if (h->finished)
		h->finished(h->self, call, status);
	call_free(call);
}

/* NULL: a connection without TLS. */
static SSL *ssl_of(const struct edge_conn *c) { return c->plain ? NULL : bufferevent_openssl_get_ssl(c->bev); }

void edge_conn_close(struct edge_conn *c)
{
	struct edge_server *s = c->loop->server;
	edge_conn_unhold(c);
	if (c->away)
		c->call->conn = NULL; /* whoever has it will bring it back to nobody */
	else
		call_finish(c, c->state == CONN_WRITING ? c->status : 0);
	forget_request(c);
	*c->at = c->next;
	if (c->next)
		c->next->at = c->at;
	event_free(c->timer);
	SSL *ssl = ssl_of(c);
	if (ssl && c->state > CONN_HANDSHAKE) {
		SSL_set_shutdown(ssl, SSL_get_shutdown(ssl) | SSL_RECEIVED_SHUTDOWN);
		(void)SSL_shutdown(ssl); /* best effort: the peer may be gone */
		ERR_clear_error();
	}
	bufferevent_free(c->bev);
	free((void *)c->peer_cert.data);
	free(c);
	atomic_fetch_sub(&s->connections, 1);
}

/* Our side is done.  Closing now, with unread bytes in the kernel, would reset the connection and take
 * the reply out of the peer's hands; so we shut our half and read on for a moment. */
static void linger(struct edge_conn *c)
{
	SSL *ssl = ssl_of(c);
	c->state = CONN_CLOSING;
	if (ssl)
		(void)SSL_shutdown(ssl);
	ERR_clear_error();
	(void)shutdown(bufferevent_getfd(c->bev), SHUT_WR);
	set_deadline(c, CLOSE_LINGER_MS);
	bufferevent_enable(c->bev, EV_READ);
	struct evbuffer *in = bufferevent_get_input(c->bev);
	evbuffer_drain(in, evbuffer_get_length(in));
}

static void on_raw_bytes(evutil_socket_t fd, short what, void *self)
{
	char chunk[4096];
	if (recv(fd, chunk, sizeof chunk, 0) <= 0)
		edge_conn_close(self);
}

/* The same after a handshake that we refused: a TLS 1.3 client has sent its request by then, and must still get to read
 * the alert that says why ("certificate expired").  false: could not. */
static bool linger_raw(struct edge_conn *c)
{
	int fd = bufferevent_getfd(c->bev);
	c->closed = event_new(c->loop->base, fd, EV_READ | EV_PERSIST, on_raw_bytes, c);
	bufferevent_disable(c->bev, EV_READ | EV_WRITE);
	(void)shutdown(fd, SHUT_WR);
	set_deadline(c, CLOSE_LINGER_MS);
	return c->closed && event_add(c->closed, NULL) == 0;
}

/* -- reading ----------------------------------------------------------------------------------- */
/* Looks at what has come; false: more is needed. */
static bool advance_head(struct edge_conn *c, struct evbuffer *in, struct troth_err *e, troth_rc *ret_rc)
{
	size_t have = evbuffer_get_length(in);
	size_t look = have < LIMIT_HTTP_HEADER_BYTES + 1 ? have : LIMIT_HTTP_HEADER_BYTES + 1;
	const uint8_t *p = evbuffer_pullup(in, (ev_ssize_t)look);
	size_t end = p ? wire_head_end(p, look, &c->scanned) : 0;
	if (!end) {
		*ret_rc = p ? wire_head_check(p, look, e) : RC_OK;
		return rc_failed(*ret_rc);
	}
	c->a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	*ret_rc = wire_request_parse(c->a, p, end, &c->head, e);
	if (rc_ok(*ret_rc))
		*ret_rc = request_begin(c, e);
	evbuffer_drain(in, end);
	c->scanned = 0;
	c->state = CONN_BODY;
	return true;
}

static troth_rc take_chunks(struct edge_conn *c, struct evbuffer *in, struct troth_err *e)
{
	while (!c->chunks.done && evbuffer_get_length(in)) {
		size_t len = evbuffer_get_contiguous_space(in), used = 0;
		const uint8_t *p = evbuffer_pullup(in, (ev_ssize_t)len);
		troth_rc rc = wire_chunks_feed(&c->chunks, p, len, &used, &c->body, e);
		evbuffer_drain(in, used);
		TRY(rc);
	}
	return RC_OK;
}

static void take_length(struct edge_conn *c, struct evbuffer *in)
{
	size_t want = c->head.content_length < 0 ? 0 : (size_t)c->head.content_length;
	while (c->body.len < want && evbuffer_get_length(in)) {
		uint8_t chunk[8192];
		size_t left = want - c->body.len;
		int n = evbuffer_remove(in, chunk, left < sizeof chunk ? left : sizeof chunk);
		if (n <= 0)
			return;
		buf_add(&c->body, chunk, (size_t)n);
		secret_wipe(chunk, (size_t)n);
	}
}

static bool body_complete(const struct edge_conn *c)
{
	return c->head.chunked ? c->chunks.done : (int64_t)c->body.len >= c->head.content_length;
}

static bool advance_body(struct edge_conn *c, struct evbuffer *in, struct troth_err *e, troth_rc *ret_rc)
{
	if (c->head.chunked)
		*ret_rc = take_chunks(c, in, e);
	else
		take_length(c, in);
	if (rc_ok(*ret_rc))
		*ret_rc = request_body_grew(c, e);
	return rc_failed(*ret_rc) || body_complete(c);
}

static void say_continue(struct edge_conn *c)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n"; /* RFC 9110 10.1.1 */
	if (c->head.expect_continue && !body_complete(c))
		bufferevent_write(c->bev, text, sizeof text - 1);
	c->head.expect_continue = false;
}

/* As far as the bytes go; at most one request, whose reply calls this again. */
static void advance(struct edge_conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	struct troth_err e = { 0 };
	troth_rc rc = RC_OK;
	if (c->state == CONN_IDLE && evbuffer_get_length(in)) {
		c->state = CONN_HEAD;
		set_deadline(c, request_time(c));
	}
	if (c->state == CONN_HEAD && !advance_head(c, in, &e, &rc))
		return;
	if (c->state == CONN_BODY && rc_ok(rc) && !advance_body(c, in, &e, &rc)) {
		say_continue(c);
		return;
	}
	if (rc_failed(rc)) {
		edge_conn_refuse(c, &e);
	} else if (c->state == CONN_BODY) {
		event_del(c->timer);
		bufferevent_disable(c->bev, EV_READ);
		c->state = CONN_BUSY;
		request_dispatch(c);
	}
}

static void on_read(struct bufferevent *bev, void *self)
{
	struct edge_conn *c = self;
	struct evbuffer *in = bufferevent_get_input(bev);
	if (c->state == CONN_CLOSING)
		evbuffer_drain(in, evbuffer_get_length(in));
	else if (c->state == CONN_IDLE || c->state == CONN_HEAD || c->state == CONN_BODY)
		advance(c);
}

/* -- writing ----------------------------------------------------------------------------------- */
static void free_body(const void *data, size_t len, void *self) { free(self); }

/* Sent, or the peer is gone. */
static void wipe_body(const void *data, size_t len, void *self)
{
	secret_wipe(self, len);
	free(self);
}

/* The reply's buffer becomes part of the output without a copy when it is large, or when a copy would stay unwiped. */
static void put_body(struct evbuffer *out, struct buf *body)
{
	bool copy = body->len <= 4096 && !body->secret;
	evbuffer_ref_cleanup_cb end = body->secret ? wipe_body : free_body;
	if (copy || evbuffer_add_reference(out, body->data, body->len, end, body->data) != 0)
		evbuffer_add(out, body->data, body->len);
	else
		*body = buf_make(body->max); /* given away */
}

void edge_conn_answer(struct edge_conn *c, const struct http_request *r, struct http_reply *reply)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);
	CLEANUP(buf_release) struct buf head = buf_make(LIMIT_HTTP_HEADER_BYTES);
	bool no_body = reply->status == 204 || reply->status == 304;
	int64_t length = no_body ? -1 : (int64_t)reply->body.len;
	c->status = reply->status ? reply->status : 200;
	c->close_after = c->close_after || c->loop->stopping;
	wire_reply_head(&head, reply, r ? r->id : NULL, length, c->close_after, port_now(c->loop->server->config.clock));
	CHECK(buf_ok(&head));
	c->state = CONN_WRITING;
	set_deadline(c, request_time(c) * (1 + (msec_t)(reply->body.len / WRITE_BYTES_PER_DEADLINE)));
	evbuffer_add(out, head.data, head.len);
	if (!no_body && reply->body.len && !(r && r->method == HTTP_HEAD))
		put_body(out, &reply->body);
}

/* The reply has left. */
static void on_write(struct bufferevent *bev, void *self)
{
	struct edge_conn *c = self;
	if (c->state != CONN_WRITING || evbuffer_get_length(bufferevent_get_output(bev)))
		return;
	call_finish(c, c->status);
	forget_request(c);
	if (c->close_after) {
		linger(c);
		return;
	}
	c->state = CONN_IDLE;
	set_deadline(c, c->loop->server->idle_time);
	bufferevent_enable(bev, EV_READ);
	advance(c); /* what was pipelined */
}

/* -- streams ----------------------------------------------------------------------------------- */
static void stream_begin(struct edge_conn *c, const char *content_type)
{
	CLEANUP(buf_release) struct buf head = buf_make(LIMIT_HTTP_HEADER_BYTES);
	CLEANUP(http_reply_release) struct http_reply reply = http_reply_make();
	c->streaming = c->close_after = true; /* it ends where the connection does (RFC 9112 6.3) */
	c->status = 200;
	http_reply_header(&reply, c->call->a, "Content-Type", "%s", content_type);
	wire_reply_head(&head, &reply, c->call->request.id, -1, true, port_now(c->loop->server->config.clock));
	evbuffer_add(bufferevent_get_output(c->bev), head.data, head.len);
}

/* Does the peer take what it is sent, if slowly? */
static bool stream_flows(struct edge_conn *c)
{
	size_t waiting = evbuffer_get_length(bufferevent_get_output(c->bev));
	msec_t now = loop_mono(c->loop);
	if (!waiting)
		c->stalled = 0;
	else if (!c->stalled)
		c->stalled = now;
	return waiting < LIMIT_STREAM_BACKLOG_BYTES && (!c->stalled || now - c->stalled < request_time(c));
}

bool edge_stream(struct edge_call *call, const char *content_type, struct bytes piece)
{
	struct edge_conn *c = call->conn;
	if (!c->streaming)
		stream_begin(c, content_type);
	else if (!stream_flows(c))
		return false;
	evbuffer_add(bufferevent_get_output(c->bev), piece.data, piece.len);
	return !c->loop->stopping;
}

void edge_stream_end(struct edge_call *call)
{
	struct edge_conn *c = call->conn;
	c->state = CONN_WRITING;
	set_deadline(c, request_time(c));
	on_write(c->bev, c); /* nothing may be left to write, and then nobody else calls it */
}

/* What is wrong with the bytes themselves: say so and close, as the next request's start is unknown. */
void edge_conn_refuse(struct edge_conn *c, const struct troth_err *e)
{
	CLEANUP(http_reply_release) struct http_reply reply = http_reply_make();
	bufferevent_disable(c->bev, EV_READ);
	c->close_after = true;
	request_refusal(c, e, &reply);
	edge_conn_answer(c, NULL, &reply);
}

/* -- events ------------------------------------------------------------------------------------ */
static void copy_peer_cert(struct edge_conn *c)
{
	X509 *x = SSL_get0_peer_certificate(ssl_of(c));
	unsigned char *der = NULL;
	int len = x ? i2d_X509(x, NULL) : 0;
	if (len <= 0 || len > LIMIT_CERT_DER_BYTES || !(der = malloc((size_t)len)))
		return;
	c->peer_cert = bytes_of(der, (size_t)len);
	i2d_X509(x, &der);
}

static void on_event(struct bufferevent *bev, short what, void *self)
{
	struct edge_conn *c = self;
	if (what & BEV_EVENT_CONNECTED) {
		c->state = CONN_HEAD; /* the handshake's deadline goes on: the first request is part of it */
		copy_peer_cert(c);
		return;
	}
	bool refused = !c->plain && c->state == CONN_HANDSHAKE && bufferevent_get_openssl_error(bev);
	while (!c->plain && bufferevent_get_openssl_error(bev))
		; /* the peer's doing, not ours to report */
	ERR_clear_error();
	if (!refused || !linger_raw(c))
		edge_conn_close(c);
}

static void refuse_slow(struct edge_conn *c)
{
	struct troth_err e = { 0 };
	if (rc_failed(err_set(&e, TROTH_TIMEOUT, "the request did not arrive within %lld ms", (long long)request_time(c))))
		err_clause(&e, "type:request-timeout");
	edge_conn_refuse(c, &e);
}

static void on_deadline(evutil_socket_t fd, short what, void *self)
{
	struct edge_conn *c = self;
	bool began = c->state == CONN_BODY ||
		     (c->state == CONN_HEAD && evbuffer_get_length(bufferevent_get_input(c->bev)) > 0);
	if (c->state == CONN_HELD)
		edge_conn_resume(c, true);
	else if (began)
		refuse_slow(c);
	else
		edge_conn_close(c);
}

/* -- holding ----------------------------------------------------------------------------------- */
static void on_closed(evutil_socket_t fd, short what, void *self) { edge_conn_close(self); }

/* Reading stays off while a call is held: its peer's going is an EV_CLOSED of its own (EPOLLRDHUP), and
 * bytes of a next request wait in the kernel. */
static void watch_peer(struct edge_conn *c)
{
	c->closed = event_new(c->loop->base, bufferevent_getfd(c->bev), EV_CLOSED, on_closed, c);
	if (c->closed)
		event_add(c->closed, NULL);
}

void edge_conn_unhold(struct edge_conn *c)
{
	if (c->closed)
		event_free(c->closed);
	c->closed = NULL;
	if (c->held_at) {
		*c->held_at = c->held_next;
		if (c->held_next)
			c->held_next->held_at = c->held_at;
		c->held_at = NULL;
		c->topic = NULL;
	}
	if (c->resumed) {
		struct edge_conn **at = &c->loop->wake_first;
		while (*at != c)
			at = &(*at)->wake_next;
		*at = c->wake_next;
		if (c->loop->wake_last == &c->wake_next)
			c->loop->wake_last = at;
		c->resumed = false;
	}
}

void edge_conn_resume(struct edge_conn *c, bool last_chance)
{
	const struct edge_handler *h = &c->loop->server->config.handler;
	edge_conn_unhold(c);
	event_del(c->timer);
	c->state = CONN_BUSY;
	h->resume(h->self, c->call, last_chance);
}

void edge_hold(struct edge_call *call, const char *topic, msec_t wait)
{
	struct edge_conn *c = call->conn;
	c->state = CONN_HELD;
	msec_t most = c->loop->server->config.hold_time;
	loop_hold(c->loop, c, topic);
	set_deadline(c, c->loop->stopping ? 0 : wait < most ? wait : most);
	watch_peer(c);
}

/* -- the call's way out and back ----------------------------------------------------------------- */
void edge_depart(struct edge_call *call) { call->conn->away = true; }

void edge_conn_returned(struct edge_call *call)
{
	struct edge_conn *c = call->conn;
	if (!c) {
		call_free(call);
		return;
	}
	const struct edge_handler *h = &c->loop->server->config.handler;
	c->away = false;
	h->returned(h->self, call);
}

void edge_conn_stop(struct edge_conn *c)
{
	c->close_after = true;
	if (c->state == CONN_HELD)
		edge_conn_resume(c, true);
	else if (c->state < CONN_BUSY)
		edge_conn_close(c);
}

/* -- beginning --------------------------------------------------------------------------------- */
static struct bufferevent *tls_bufferevent(struct edge_loop *loop, int fd)
{
	SSL_CTX *ctx = server_tls(loop->server);
	SSL *ssl = SSL_new(ctx);
	SSL_CTX_free(ctx);
	if (!ssl)
		return NULL;
	struct bufferevent *bev = bufferevent_openssl_socket_new(loop->base, fd, ssl, BUFFEREVENT_SSL_ACCEPTING,
								 BEV_OPT_CLOSE_ON_FREE);
	if (!bev)
		SSL_free(ssl);
	return bev;
}

static struct bufferevent *plain_bufferevent(struct edge_loop *loop, int fd)
{
	return bufferevent_socket_new(loop->base, fd, BEV_OPT_CLOSE_ON_FREE);
}

void edge_conn_accept(struct edge_loop *loop, int fd, bool plain, const char *peer)
{
	struct edge_conn *c = calloc(1, sizeof *c);
	struct bufferevent *bev = !c ? NULL : plain ? plain_bufferevent(loop, fd) : tls_bufferevent(loop, fd);
	struct event *timer = bev ? event_new(loop->base, -1, 0, on_deadline, c) : NULL;
	if (!timer) {
		if (bev)
			bufferevent_free(bev);
		else
			close(fd);
		free(c);
		atomic_fetch_sub(&loop->server->connections, 1);
		return;
	}
	c->loop = loop;
	c->bev = bev;
	c->timer = timer;
	c->body = buf_make_secret(LIMIT_HTTP_BODY_BYTES); /* an uploaded key may be in it */
	snprintf(c->peer, sizeof c->peer, "%s", peer);
	c->at = &loop->conns;
	c->next = loop->conns;
	if (c->next)
		c->next->at = &c->next;
	loop->conns = c;
	c->plain = plain;
	if (plain)
		c->state = CONN_HEAD;
	else
		bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	bufferevent_setcb(bev, on_read, on_write, on_event, c);
	bufferevent_setwatermark(bev, EV_READ, 0, READ_HIGH_WATER);
	set_deadline(c, request_time(c));
	bufferevent_enable(bev, EV_READ | EV_WRITE);
}
