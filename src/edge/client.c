/* The client: an exchange (what is asked and what comes back) runs on a link (a TLS connection), and
 * links outlive exchanges.  The bytes are read by the same wire.c as the server's. */
#include "edge/client.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "edge/tls.h"
#include "edge/uri.h"
#include "edge/wire.h"

enum { IDLE_LINKS = 2, IDLE_REUSE_S = 30, DEFAULT_TIMEOUT_S = 30, REQUEST_BYTES = 2 << 20 };

struct http_link {
	struct http_client *client;
	struct addrinfo *addresses, *address; /* while TCP connects: all, and the one being tried */
	struct event *connecting;
	struct bufferevent *bev;              /* NULL before TCP is there */
	struct event *idle_timer;
	struct http_exchange *exchange; /* NULL: idle */
	bool connected, reused, barred; /* barred: an address was not to be dialled */
	struct http_link *next;
};

struct http_exchange {
	struct http_client *client;
	struct http_link *link;
	struct arena *a;
	struct buf request, body;
	struct event *start, *timer;
	http_done_fn *done;
	void *self;
	enum http_method method;
	msec_t timeout;
	bool in_body, got_bytes, retried, cut; /* cut: its body is not waited for */
	size_t scanned;
	struct wire_head head;
	struct wire_chunks chunks;
	struct http_exchange *next;
};

struct http_client {
	struct event_base *base;
	struct http_client_config config; /* its texts and bytes live in a */
	struct arena *a;
	struct uri_server server;
	SSL_CTX *tls;
	struct http_link *links;
	struct http_exchange *exchanges;
};

/* -- links -------------------------------------------------------------------------------------- */
/* The socket is closed, or given to TLS. */
static void connecting_end(struct http_link *l, bool close_socket)
{
	if (!l->connecting)
		return;
	int fd = event_get_fd(l->connecting);
	event_free(l->connecting);
	l->connecting = NULL;
	if (close_socket)
		evutil_closesocket(fd);
}

static void link_free(struct http_link *l)
{
	struct http_link **at = &l->client->links;
	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	if (l->connected && !l->client->config.plain) {
		SSL *ssl = bufferevent_openssl_get_ssl(l->bev);
		SSL_set_shutdown(ssl, SSL_get_shutdown(ssl) | SSL_RECEIVED_SHUTDOWN);
		(void)SSL_shutdown(ssl);
		ERR_clear_error();
	}
	if (l->bev)
		bufferevent_free(l->bev);
	connecting_end(l, true);
	if (l->addresses)
		freeaddrinfo(l->addresses);
	event_free(l->idle_timer);
	free(l);
}

static void on_idle_end(evutil_socket_t fd, short what, void *self) { link_free(self); }

static void link_idle(struct http_link *l)
{
	struct timeval tv = { IDLE_REUSE_S, 0 };
	int idle = 0;
	l->exchange = NULL;
	for (struct http_link *o = l->client->links; o; o = o->next)
		idle += !o->exchange;
	if (idle > IDLE_LINKS)
		link_free(l);
	else
		event_add(l->idle_timer, &tv);
}

/* -- the end of an exchange ------------------------------------------------------------------------ */
/* Everything of ours is in order before the call back, which may send again or free the client. */
static void exchange_unlink(struct http_exchange *x)
{
	struct http_exchange **at = &x->client->exchanges;
	while (*at != x)
		at = &(*at)->next;
	*at = x->next;
	event_del(x->timer);
	event_del(x->start);
}

static void exchange_release(struct http_exchange *x)
{
	event_free(x->start);
	event_free(x->timer);
	buf_release(&x->request);
	buf_release(&x->body);
	arena_free(x->a);
	free(x);
}

static void exchange_fail(struct http_exchange *x, troth_rc rc, const struct troth_err *e)
{
	if (x->link)
		link_free(x->link);
	exchange_unlink(x);
	x->done(x->self, rc, NULL, x->a, e);
	exchange_release(x);
}

static void exchange_succeed(struct http_exchange *x)
{
	const char *type = "";
	for (size_t i = 0; i < x->head.headers.count; i++)
		if (strcasecmp(x->head.headers.items[i].name, "Content-Type") == 0)
			type = x->head.headers.items[i].value;
	const char *text = buf_text(&x->body);
	struct http_answer answer = { x->head.status, type, x->head.headers, bytes_of(text, x->body.len) };
	if (x->head.keep_alive && !x->cut && (x->head.chunked || x->head.content_length >= 0 || x->head.status == 204))
		link_idle(x->link);
	else
		link_free(x->link);
	exchange_unlink(x);
	x->done(x->self, RC_OK, &answer, x->a, NULL);
	exchange_release(x);
}

static void on_timeout(evutil_socket_t fd, short what, void *self)
{
	struct http_exchange *x = self;
	struct troth_err e = { 0 };
	const struct uri_server *s = &x->client->server;
	troth_rc rc = err_set(&e, TROTH_TIMEOUT, "no answer from %s:%d within %lld ms", s->host, s->port, (long long)x->timeout);
	exchange_fail(x, rc, &e);
}

/* -- reading ----------------------------------------------------------------------------------------- */
static bool has_no_body(const struct http_exchange *x)
{
	return x->method == HTTP_HEAD || x->head.status == 204 || x->head.status == 304;
}

static troth_rc read_head(struct http_exchange *x, struct evbuffer *in, bool *ret_more, struct troth_err *e)
{
	size_t have = evbuffer_get_length(in), look = have < LIMIT_HTTP_HEADER_BYTES ? have : LIMIT_HTTP_HEADER_BYTES;
	const uint8_t *p = evbuffer_pullup(in, (ev_ssize_t)look);
	size_t end = p ? wire_head_end(p, look, &x->scanned) : 0;
	*ret_more = !end;
	ENSURE(end || have < LIMIT_HTTP_HEADER_BYTES, e, TROTH_TOO_LARGE, "the answer's header is too large");
	if (!end)
		return RC_OK;
	TRY(wire_response_parse(x->a, p, end, &x->head, e));
	evbuffer_drain(in, end);
	x->scanned = 0;
	x->in_body = x->head.status >= 200; /* 1xx: the real one follows */
	bool unwanted = x->client->config.head_suffices &&
			(x->head.chunked || x->head.content_length < 0 || x->head.content_length > (int64_t)x->body.max);
	x->cut = x->in_body && unwanted && !has_no_body(x);
	ENSURE(unwanted || x->head.content_length <= (int64_t)x->body.max, e, TROTH_TOO_LARGE, "the answer has %lld bytes; at most %zu are accepted",
	       (long long)x->head.content_length, x->body.max);
	return RC_OK;
}

static troth_rc read_plain(struct http_exchange *x, struct evbuffer *in, bool *ret_end, struct troth_err *e)
{
	int64_t want = x->head.content_length;
	while (evbuffer_get_length(in) && (want < 0 || (int64_t)x->body.len < want)) {
		size_t len = evbuffer_get_contiguous_space(in);
		if (want >= 0 && len > (size_t)want - x->body.len)
			len = (size_t)want - x->body.len;
		buf_add(&x->body, evbuffer_pullup(in, (ev_ssize_t)len), len);
		evbuffer_drain(in, len);
		ENSURE(buf_ok(&x->body), e, TROTH_TOO_LARGE, "the answer is larger than %zu bytes", x->body.max);
	}
	*ret_end = want >= 0 && (int64_t)x->body.len >= want;
	return RC_OK;
}

static troth_rc read_body(struct http_exchange *x, struct evbuffer *in, bool *ret_end, struct troth_err *e)
{
	*ret_end = has_no_body(x) || x->cut;
	if (*ret_end)
		return RC_OK;
	if (!x->head.chunked)
		return read_plain(x, in, ret_end, e);
	while (!x->chunks.done && evbuffer_get_length(in)) {
		size_t len = evbuffer_get_contiguous_space(in), used = 0;
		TRY(wire_chunks_feed(&x->chunks, evbuffer_pullup(in, (ev_ssize_t)len), len, &used, &x->body, e));
		evbuffer_drain(in, used);
	}
	*ret_end = x->chunks.done;
	return RC_OK;
}

static troth_rc read_answer(struct http_exchange *x, struct evbuffer *in, bool *ret_end, struct troth_err *e)
{
	bool more = false;
	*ret_end = false;
	while (!x->in_body && !more)
		TRY(read_head(x, in, &more, e));
	return x->in_body ? read_body(x, in, ret_end, e) : RC_OK;
}

static void on_read(struct bufferevent *bev, void *self)
{
	struct http_link *l = self;
	struct http_exchange *x = l->exchange;
	struct troth_err e = { 0 };
	bool end = false;
	if (!x) { /* a server that speaks unasked is not understood */
		link_free(l);
		return;
	}
	x->got_bytes = true;
	troth_rc rc = read_answer(x, bufferevent_get_input(bev), &end, &e);
	if (rc_failed(rc))
		exchange_fail(x, rc, &e);
	else if (end)
		exchange_succeed(x);
}

/* -- links break ----------------------------------------------------------------------------------------- */
static troth_rc link_error(struct http_link *l, struct troth_err *e)
{
	const struct uri_server *s = &l->client->server;
	unsigned long code = l->client->config.plain ? 0 : bufferevent_get_openssl_error(l->bev);
	if (code || !l->connected) {
		troth_rc rc = tls_handshake_error(bufferevent_openssl_get_ssl(l->bev), code, e);
		err_object(e, "%s:%d", s->host, s->port);
		return rc;
	}
	return err_set(e, TROTH_UNAVAILABLE, "%s:%d closed the connection before it answered", s->host, s->port);
}

static void exchange_start(struct http_exchange *x);

static bool may_retry(const struct http_exchange *x)
{
	return x->link->reused && !x->got_bytes && !x->retried && x->method != HTTP_POST && x->method != HTTP_PATCH;
}

/* Without TLS nobody can tell an end from a cut. */
static bool said_goodbye(const struct http_link *l)
{
	return l->client->config.plain || (SSL_get_shutdown(bufferevent_openssl_get_ssl(l->bev)) & SSL_RECEIVED_SHUTDOWN);
}

static void link_broke(struct http_link *l, short what)
{
	struct http_exchange *x = l->exchange;
	struct troth_err e = { 0 };
	if (may_retry(x)) {
		x->retried = true;
		x->link = NULL;
		link_free(l);
		exchange_start(x);
		return;
	}
	bool to_the_end = x->in_body && !x->head.chunked && x->head.content_length < 0 && (what & BEV_EVENT_EOF) && said_goodbye(l);
	if (to_the_end) { /* RFC 9112 6.3: the body goes to the end, and TLS said it is the end */
		x->head.keep_alive = false;
		exchange_succeed(x);
	} else {
		exchange_fail(x, link_error(l, &e), &e);
	}
}

static void on_event(struct bufferevent *bev, short what, void *self)
{
	struct http_link *l = self;
	if (what & BEV_EVENT_CONNECTED)
		l->connected = true;
	else if (l->exchange)
		link_broke(l, what);
	else
		link_free(l);
	ERR_clear_error();
}

static troth_rc resolve(const struct uri_server *s, struct addrinfo **ret, struct troth_err *e)
{
	char port[8];
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	snprintf(port, sizeof port, "%d", s->port);
	int why = getaddrinfo(s->host, port, &hints, ret);
	ENSURE(why == 0, e, TROTH_UNAVAILABLE, "could not resolve \"%s\": %s", s->host, gai_strerror(why));
	return RC_OK;
}

static troth_rc link_secure(struct http_link *l, int fd, struct troth_err *e)
{
	struct http_client *c = l->client;
	SSL *ssl;
	TRY(tls_client_connection(c->tls, c->server.host, c->server.is_address, &ssl, e));
	l->bev = bufferevent_openssl_socket_new(c->base, fd, ssl, BUFFEREVENT_SSL_CONNECTING, BEV_OPT_CLOSE_ON_FREE);
	if (!l->bev)
		SSL_free(ssl);
	ENSURE(l->bev, e, TROTH_UNAVAILABLE, "out of memory");
	bufferevent_openssl_set_allow_dirty_shutdown(l->bev, 1);
	return RC_OK;
}

static troth_rc link_plain(struct http_link *l, int fd, struct troth_err *e)
{
	l->bev = bufferevent_socket_new(l->client->base, fd, BEV_OPT_CLOSE_ON_FREE);
	ENSURE(l->bev, e, TROTH_UNAVAILABLE, "out of memory");
	l->connected = true;
	return RC_OK;
}

/* TCP is there: TLS, and the request that waits. */
static troth_rc link_begin(struct http_link *l, int fd, struct troth_err *e)
{
	TRY(l->client->config.plain ? link_plain(l, fd, e) : link_secure(l, fd, e));
	connecting_end(l, false);
	bufferevent_setcb(l->bev, on_read, NULL, on_event, l);
	bufferevent_enable(l->bev, EV_READ | EV_WRITE);
	bufferevent_write(l->bev, l->exchange->request.data, l->exchange->request.len);
	return RC_OK;
}

static void link_try_next(struct http_link *l, int err_no);

static void on_connected(evutil_socket_t fd, short what, void *self)
{
	struct http_link *l = self;
	struct troth_err e = { 0 };
	int err_no = 0, one = 1;
	socklen_t len = sizeof err_no;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &err_no, &len) != 0 || err_no) {
		connecting_end(l, true);
		link_try_next(l, err_no);
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one); /* slower without, not wrong */
	troth_rc rc = link_begin(l, fd, &e);
	if (rc_failed(rc))
		exchange_fail(l->exchange, rc, &e);
}

/* Starts a connection to the address; 0 or errno. */
static int link_dial(struct http_link *l, const struct addrinfo *to)
{
	int fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	if (connect(fd, to->ai_addr, to->ai_addrlen) == 0 || errno == EINPROGRESS) {
		l->connecting = event_new(l->client->base, fd, EV_WRITE, on_connected, l);
		CHECK(l->connecting);
		event_add(l->connecting, NULL);
		return 0;
	}
	int err_no = errno;
	close(fd);
	return err_no;
}

/* The next of the server's addresses; fails the exchange with the last one's reason when there is none left. */
static void link_try_next(struct http_link *l, int err_no)
{
	const struct uri_server *s = &l->client->server;
	for (; l->address; ) {
		const struct addrinfo *to = l->address;
		l->address = to->ai_next;
		bool may = !l->client->config.may_dial || l->client->config.may_dial(to->ai_addr);
		l->barred = l->barred || !may;
		err_no = may ? link_dial(l, to) : err_no;
		if (may && err_no == 0)
			return;
	}
	struct troth_err e = { 0 };
	troth_rc rc = l->barred ? err_set(&e, TROTH_FORBIDDEN, "%s:%d is at an address that is not called from here", s->host, s->port)
				: err_set(&e, TROTH_UNAVAILABLE, "could not connect to %s:%d: %s", s->host, s->port, strerror(err_no));
	exchange_fail(l->exchange, rc, &e);
}

static void link_open(struct http_client *c, struct http_exchange *x)
{
	struct troth_err e = { 0 };
	struct addrinfo *addresses;
	troth_rc rc = resolve(&c->server, &addresses, &e);
	if (rc_failed(rc)) {
		exchange_fail(x, rc, &e);
		return;
	}
	struct http_link *l = calloc(1, sizeof *l);
	CHECK(l);
	*l = (struct http_link){ .client = c, .addresses = addresses, .address = addresses, .exchange = x, .next = c->links };
	l->idle_timer = event_new(c->base, -1, 0, on_idle_end, l);
	CHECK(l->idle_timer);
	c->links = l;
	x->link = l;
	link_try_next(l, ECONNREFUSED);
}

/* -- sending ------------------------------------------------------------------------------------------ */
static struct http_link *link_find_idle(struct http_client *c)
{
	for (struct http_link *l = c->links; l; l = l->next)
		if (!l->exchange) {
			event_del(l->idle_timer);
			l->reused = true;
			return l;
		}
	return NULL;
}

static void exchange_start(struct http_exchange *x)
{
	struct http_link *l = link_find_idle(x->client);
	if (!l) {
		link_open(x->client, x);
		return;
	}
	l->exchange = x;
	x->link = l;
	bufferevent_write(l->bev, x->request.data, x->request.len);
}

static void on_start(evutil_socket_t fd, short what, void *self) { exchange_start(self); }

static void write_request(const struct http_client *c, const struct http_outgoing *out, struct buf *b)
{
	bool v6 = strchr(c->server.host, ':') != NULL;
	buf_printf(b, "%s %s HTTP/1.1\r\nHost: %s%s%s:%d\r\nUser-Agent: troth/%s\r\n", http_method_name(out->method), out->target,
		   v6 ? "[" : "", c->server.host, v6 ? "]" : "", c->server.port, TROTH_VERSION);
	if (c->config.bearer)
		buf_printf(b, "Authorization: Bearer %s\r\n", c->config.bearer);
	for (size_t i = 0; i < out->headers.count; i++)
		buf_printf(b, "%s: %s\r\n", out->headers.items[i].name, out->headers.items[i].value);
	if (out->body.len)
		buf_printf(b, "Content-Type: %s\r\n", out->content_type ? out->content_type : "application/json");
	if (out->body.len || out->method == HTTP_POST || out->method == HTTP_PUT || out->method == HTTP_PATCH)
		buf_printf(b, "Content-Length: %zu\r\n", out->body.len);
	buf_add_text(b, "\r\n");
	buf_add_bytes(b, out->body);
}

static troth_rc check_outgoing(const struct http_outgoing *out, struct troth_err *e)
{
	ENSURE(out->target && out->target[0] == '/' && !strpbrk(out->target, " \r\n") && strlen(out->target) <= LIMIT_URL_BYTES,
	       e, TROTH_INVALID, "\"%.100s\" is not a request target", out->target ? out->target : "");
	for (size_t i = 0; i < out->headers.count; i++)
		ENSURE(!strpbrk(out->headers.items[i].name, "\r\n") && !strpbrk(out->headers.items[i].value, "\r\n"), e,
		       TROTH_INVALID, "a header holds a line break");
	return RC_OK;
}

troth_rc http_client_send(struct http_client *c, const struct http_outgoing *out, http_done_fn *done, void *self,
			  struct http_exchange **ret, struct troth_err *e)
{
	TRY(check_outgoing(out, e));
	struct buf request = buf_make_secret(REQUEST_BYTES); /* the token is in it */
	write_request(c, out, &request);
	if (!buf_ok(&request)) {
		buf_release(&request);
		return err_set(e, TROTH_TOO_LARGE, "the request is larger than %d bytes", REQUEST_BYTES);
	}
	struct http_exchange *x = calloc(1, sizeof *x);
	CHECK(x);
	*x = (struct http_exchange){ .client = c, .request = request, .done = done, .self = self, .method = out->method,
				     .timeout = out->timeout ? out->timeout : c->config.timeout, .next = c->exchanges };
	x->a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	x->body = buf_make(c->config.max_reply_bytes);
	x->start = event_new(c->base, -1, 0, on_start, x);
	x->timer = event_new(c->base, -1, 0, on_timeout, x);
	CHECK(x->start && x->timer);
	c->exchanges = x;
	struct timeval now = { 0, 0 }, tv = { x->timeout / MSEC_S, (x->timeout % MSEC_S) * 1000 };
	event_add(x->start, &now);
	event_add(x->timer, &tv);
	if (ret)
		*ret = x;
	return RC_OK;
}

void http_client_cancel(struct http_exchange *x)
{
	if (x->link)
		link_free(x->link);
	exchange_unlink(x);
	exchange_release(x);
}

/* -- clients --------------------------------------------------------------------------------------------- */
static void copy_config(struct http_client *c, const struct http_client_config *config)
{
	c->config = *config;
	c->config.bearer = arena_text(c->a, config->bearer);
	c->config.timeout = config->timeout ? config->timeout : DEFAULT_TIMEOUT_S * MSEC_S;
	c->config.max_reply_bytes = config->max_reply_bytes ? config->max_reply_bytes : HTTP_REPLY_BYTES;
	c->config.server = NULL; /* read below, once; what follows is read while the context is made */
	c->config.cert_file = c->config.key_file = NULL;
	c->config.ca_pem = (struct bytes){ 0 };
}

troth_rc http_client_new(struct event_base *base, const struct http_client_config *config, struct http_client **ret,
			 struct troth_err *e)
{
	ENSURE(!config->bearer || !strpbrk(config->bearer, " \r\n"), e, TROTH_INVALID, "the token holds a space or a line break");
	struct http_client *c = calloc(1, sizeof *c);
	CHECK(c);
	c->base = base;
	c->a = arena_new(LIMIT_HTTP_HEADER_BYTES * 2);
	copy_config(c, config);
	troth_rc rc = config->plain ? uri_plain_server_parse(config->server, &c->server, e) : uri_server_parse(config->server, &c->server, e);
	if (rc_ok(rc) && !config->plain)
		rc = tls_client_context(config, c->config.pin, &c->tls, e);
	if (rc_failed(rc)) {
		http_client_free(c);
		return rc;
	}
	*ret = c;
	return RC_OK;
}

void http_client_free(struct http_client *c)
{
	if (!c)
		return;
	while (c->exchanges)
		http_client_cancel(c->exchanges);
	while (c->links)
		link_free(c->links);
	SSL_CTX_free(c->tls);
	arena_free(c->a);
	free(c);
}

void http_client_drop_idle(struct http_client *c)
{
	for (struct http_link *l = c->links, *next; l; l = next) {
		next = l->next;
		if (!l->exchange)
			link_free(l);
	}
}

/* -- one exchange, blocking ---------------------------------------------------------------------------- */
struct blocking { struct arena *a; struct http_answer *ret; struct troth_err *e; troth_rc rc; bool ended; };

static void on_done(void *self, troth_rc rc, const struct http_answer *answer, struct arena *from, const struct troth_err *e)
{
	struct blocking *b = self;
	b->rc = rc;
	b->ended = true;
	if (rc_failed(rc)) {
		if (b->e)
			*b->e = *e;
		return;
	}
	struct http_pair *pairs = ARENA_ARRAY(b->a, struct http_pair, answer->headers.count);
	for (size_t i = 0; i < answer->headers.count; i++)
		pairs[i] = (struct http_pair){ arena_text(b->a, answer->headers.items[i].name),
					       arena_text(b->a, answer->headers.items[i].value) };
	const char *body = arena_text_n(b->a, (const char *)answer->body.data, answer->body.len);
	*b->ret = (struct http_answer){ answer->status, arena_text(b->a, answer->content_type),
					{ pairs, answer->headers.count }, bytes_of(body, answer->body.len) };
}

static void client_release(struct http_client **c) { http_client_free(*c); }

/* bufferevents end in a turn of the loop after their release. */
static void base_release(struct event_base **base)
{
	event_base_loop(*base, EVLOOP_NONBLOCK);
	event_base_free(*base);
}

static troth_rc call_on(struct event_base *base, const struct http_client_config *config, const struct http_outgoing *out,
			struct blocking *b)
{
	CLEANUP(client_release) struct http_client *client = NULL;
	TRY(http_client_new(base, config, &client, b->e));
	TRY(http_client_send(client, out, on_done, b, NULL, b->e));
	while (!b->ended)
		ENSURE(event_base_loop(base, EVLOOP_ONCE) == 0, b->e, TROTH_INTERNAL, "the client's loop ended early");
	return b->rc;
}

troth_rc http_call(struct arena *a, const struct http_client_config *config, const struct http_outgoing *out,
		   struct http_answer *ret, struct troth_err *e)
{
	struct event_base *made = event_base_new();
	ENSURE(made, e, TROTH_UNAVAILABLE, "could not make an event loop");
	CLEANUP(base_release) struct event_base *base = made;
	struct blocking b = { .a = a, .ret = ret, .e = e };
	return call_on(base, config, out, &b);
}

troth_rc http_answer_check(struct arena *a, const struct http_answer *answer, struct troth_err *e)
{
	if (answer->status >= 200 && answer->status < 300)
		return RC_OK;
	return http_problem_read(a, answer->status, answer->body, e);
}
