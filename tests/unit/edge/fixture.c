/* Certificates from pki, toy verbs, and raw sockets. */
#include "fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "service/verb.h"

msec_t mono(void) { return port_mono(&PORT_CLOCK_REAL); }

bool await_int(atomic_int *value, int at_least)
{
	for (msec_t end = mono() + 5000; mono() < end; poll(NULL, 0, 2))
		if (atomic_load(value) >= at_least)
			return true;
	return false;
}

/* -- certificates ---------------------------------------------------------------------------------- */
static struct issued issue(struct world *w, struct cert_spec spec, const struct issued *ca, const struct key *ca_key,
			   struct key **ret_key)
{
	struct troth_err e = { 0 };
	struct issued out = { .key = buf_make_secret(16 << 10) };
	struct key *key = NULL;
	const struct cert *issuer = NULL;
	assert_true(rc_ok(key_generate(KEY_EC_P256, &key, &e)));
	assert_true(rc_ok(key_spki(key, w->a, &spec.spki, &e)));
	PORT_RANDOM_REAL.fill(NULL, spec.serial, sizeof spec.serial);
	if (ca)
		assert_true(rc_ok(cert_parse(w->a, ca->der, &issuer, &e)));
	troth_rc rc = cert_build(&spec, issuer, ca ? ca_key : key, w->a, &out.der, &e);
	if (rc_failed(rc))
		fail_msg("%s", e.primary);
	assert_true(rc_ok(key_write(key, KEY_PKCS8_PEM, &out.key, &e)));
	out.pem = cert_pem(w->a, out.der);
	if (ret_key)
		*ret_key = key;
	else
		key_release(key);
	return out;
}

static struct cert_spec spec_of(enum cert_kind kind, const char *cn, unsigned eku, msec_t from_now)
{
	static const struct san sans[] = { { SAN_IP, "127.0.0.1" }, { SAN_DNS, "localhost" } };
	msec_t now = port_now(&PORT_CLOCK_REAL);
	bool leaf = kind == CERT_LEAF;
	return (struct cert_spec){ .kind = kind, .common_name = cn, .not_before = now - CERT_BACKDATE, .not_after = now + from_now,
				   .path_len = -1, .eku = eku, .sans = leaf ? sans : NULL, .san_count = leaf ? 2 : 0 };
}

struct issued world_leaf(struct world *w, const char *cn, unsigned eku, msec_t from_now)
{
	return issue(w, spec_of(CERT_LEAF, cn, eku, from_now), &w->ca, w->ca_key, NULL);
}

struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof *w);
	signal(SIGPIPE, SIG_IGN);
	w->a = arena_new(256 << 20);
	w->ca = issue(w, spec_of(CERT_ROOT, "test ca", 0, 10 * MSEC_DAY), NULL, NULL, &w->ca_key);
	w->other_ca = issue(w, spec_of(CERT_ROOT, "other ca", 0, 10 * MSEC_DAY), NULL, NULL, NULL);
	w->server = world_leaf(w, "server", EKU_SERVER, MSEC_DAY);
	w->client = world_leaf(w, "client", EKU_CLIENT, MSEC_DAY);
	w->chain_pem = arena_printf(w->a, "%s%s", w->server.pem, w->ca.pem);
	return w;
}

struct edge_tls world_tls(const struct world *w, struct bytes *room)
{
	*room = w->ca.der;
	return (struct edge_tls){ bytes_of_text(w->chain_pem), &w->server.key, room, 1 };
}

const char *world_file(struct world *w, const char *name, const void *data, size_t len)
{
	char *path = arena_printf(w->a, "/tmp/edge-test-%d-%s", getpid(), name);
	assert_true(rc_ok(file_write(path, bytes_of(data, len), 0600, NULL)));
	return path;
}

struct http_client_config world_client(const struct world *w)
{
	return (struct http_client_config){ .server = arena_printf(w->a, "https://127.0.0.1:%d", w->port),
					    .ca_pem = bytes_of_text(w->ca.pem), .timeout = 5000 };
}

void world_free(struct world *w)
{
	if (w->edge) {
		edge_server_stop(w->edge, 500);
		edge_server_join(w->edge);
		edge_server_free(w->edge);
	}
	struct issued *all[] = { &w->ca, &w->server, &w->client, &w->other_ca };
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		buf_release(&all[i]->key);
	key_release(w->ca_key);
	arena_free(w->a);
	free(w);
}

/* -- toy routes -------------------------------------------------------------------------------------- */
struct toy_cmd { const char *name; };
struct toy_ret { const char *said; };
static const struct verb TOY = { .name = "toy", .cmd_size = sizeof(struct toy_cmd), .ret_size = sizeof(struct toy_ret) };

static troth_rc toy_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	static const struct json_field fields[] = { { "name", JF_TEXT, offsetof(struct toy_cmd, name), 0 } };
	return http_body_read(a, r, fields, ARRAY_LEN(fields), cmd, e);
}

static void toy_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct toy_cmd *c = cmd;
	const struct toy_ret *t = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_text(&w, "method", http_method_name(r->method));
	jw_kv_text(&w, "path", r->path);
	jw_kv_text(&w, "name", c->name);
	jw_kv_text(&w, "said", t->said);
	jw_kv_int(&w, "body", (int64_t)r->body.len);
	jw_kv_int(&w, "peer_cert", (int64_t)r->peer_cert.len);
	jw_kv_text(&w, "bearer", r->bearer);
	jw_kv_text(&w, "user", r->basic_user);
	jw_kv_text(&w, "if_match", r->if_match);
	jw_kv_text(&w, "key", r->idempotency_key);
	jw_kv_int(&w, "wait", r->wait);
	jw_kv_bool(&w, "dry_run", r->dry_run);
	jw_object_end(&w);
}

static void big_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	http_reply_text(reply, 200, "text/plain", "");
	for (int i = 0; i < (1 << 20) / 16; i++)
		buf_add_text(&reply->body, "0123456789abcde\n");
}

static void foreign_problem(struct arena *a, const struct http_request *r, const struct troth_err *e, struct http_reply *reply)
{
	http_reply_text(reply, 418, "text/plain", arena_printf(a, "foreign: %s", e->primary));
}

static const struct route ROWS[] = {
	{ HTTP_GET, "/foreign/{rest*}", &TOY, NULL, toy_render, 0, foreign_problem },
	{ HTTP_GET, "/echo", &TOY, NULL, toy_render, 0 },
	{ HTTP_POST, "/echo", &TOY, toy_parse, toy_render, 0 },
	{ HTTP_POST, "/any", &TOY, NULL, toy_render, ROUTE_ANY_BODY },
	{ HTTP_GET, "/hold", &TOY, NULL, toy_render, ROUTE_HOLD },
	{ HTTP_GET, "/away", &TOY, NULL, toy_render, 0 },
	{ HTTP_GET, "/stream", &TOY, NULL, toy_render, 0 },
	{ HTTP_GET, "/big", NULL, NULL, big_render, 0 },
	{ HTTP_GET, "/fail", &TOY, NULL, toy_render, 0 },
	{ HTTP_PUT, "/only-put", &TOY, NULL, NULL, 0 },
	{ HTTP_GET, "/things/{id}", &TOY, NULL, toy_render, 0 },
};
const struct route_table TOY_ROUTES = { ROWS, ARRAY_LEN(ROWS) };

struct trip { struct world *w; struct edge_call *call; };

static void *elsewhere(void *self)
{
	struct trip t = *(struct trip *)self;
	free(self);
	poll(NULL, 0, 20); /* the peer of one test goes meanwhile */
	((struct toy_ret *)t.call->ret)->said = "elsewhere";
	edge_return(t.w->edge, t.call);
	return NULL;
}

static void send_away(struct world *w, struct edge_call *call)
{
	struct trip *t = malloc(sizeof *t);
	pthread_t thread;
	*t = (struct trip){ w, call };
	edge_depart(call);
	assert_int_equal(pthread_create(&thread, NULL, elsewhere, t), 0);
	pthread_detach(thread);
}

/* A piece each time there is news, or the deadline has come; its end when the server says so. */
static void toy_stream(struct edge_call *call, const char *piece)
{
	static const uint8_t much[512 << 10];
	struct bytes said = http_query(&call->request, "much") ? bytes_of(much, sizeof much) : bytes_of_text(piece);
	if (edge_stream(call, "text/event-stream", said))
		edge_hold(call, "news", 50);
	else
		edge_stream_end(call);
}

static void toy_handle(void *self, struct edge_call *call)
{
	struct world *w = self;
	struct troth_err e = { 0 };
	atomic_fetch_add(&w->handled, 1);
	if (rc_failed(edge_call_parse(call, &e)))
		edge_fail(call, &e);
	else if (strcmp(call->request.path, "/hold") == 0 && call->request.wait)
		edge_hold(call, "news", call->request.wait);
	else if (strcmp(call->request.path, "/stream") == 0)
		toy_stream(call, "first\n");
	else if (strcmp(call->request.path, "/away") == 0)
		send_away(w, call);
	else if (strcmp(call->request.path, "/fail") == 0 && rc_failed(err_set(&e, TROTH_UNAVAILABLE, "not now")))
		edge_fail(call, &e);
	else
		edge_reply(call);
}

static void toy_resume(void *self, struct edge_call *call, bool last_chance)
{
	struct world *w = self;
	atomic_fetch_add(&w->resumed, 1);
	((struct toy_ret *)call->ret)->said = last_chance ? "nothing" : "news";
	if (strcmp(call->request.path, "/stream") == 0)
		toy_stream(call, last_chance ? "beat\n" : "news\n");
	else
		edge_reply(call);
}

static void toy_returned(void *self, struct edge_call *call) { edge_reply(call); }

static void toy_finished(void *self, const struct edge_call *call, int status)
{
	struct world *w = self;
	atomic_fetch_add(status ? &w->finished : &w->dropped, 1);
}

void world_serve(struct world *w, struct edge_config config)
{
	struct troth_err e = { 0 };
	struct bytes ca;
	struct edge_tls tls = world_tls(w, &ca);
	config.listen = config.listen ? config.listen : "127.0.0.1:0";
	config.loops = config.loops ? config.loops : 2;
	config.request_time = config.request_time ? config.request_time : 2000;
	config.clock = &PORT_CLOCK_REAL;
	config.random = &PORT_RANDOM_REAL;
	config.tables = &TOY_ROUTES;
	config.table_count = 1;
	config.handler = (struct edge_handler){ w, toy_handle, toy_resume, toy_returned, toy_finished };
	if (rc_failed(edge_server_new(&config, &tls, &w->edge, &e)) || rc_failed(edge_server_start(w->edge, &e)))
		fail_msg("%s", e.primary);
	w->port = edge_server_port(w->edge);
}

/* -- raw connections ------------------------------------------------------------------------------------ */
struct raw raw_connect_plain(const struct world *w)
{
	struct raw r = { .fd = socket(AF_INET, SOCK_STREAM, 0) };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)w->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval tv = { 5, 0 };
	setsockopt(r.fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
	assert_int_equal(connect(r.fd, (struct sockaddr *)&to, sizeof to), 0);
	return r;
}

static void use_client_cert(SSL_CTX *ctx, const struct world *w)
{
	BIO *cert = BIO_new_mem_buf(w->client.pem, -1), *key = BIO_new_mem_buf(w->client.key.data, (int)w->client.key.len);
	X509 *x = PEM_read_bio_X509(cert, NULL, NULL, NULL);
	EVP_PKEY *k = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);
	SSL_CTX_use_certificate(ctx, x);
	SSL_CTX_use_PrivateKey(ctx, k);
	X509_free(x);
	EVP_PKEY_free(k);
	BIO_free(cert);
	BIO_free(key);
}

struct raw raw_connect(const struct world *w, bool with_client_cert)
{
	struct raw r = raw_connect_plain(w);
	r.ctx = SSL_CTX_new(TLS_client_method());
	if (with_client_cert)
		use_client_cert(r.ctx, w);
	r.ssl = SSL_new(r.ctx);
	SSL_set_fd(r.ssl, r.fd);
	assert_int_equal(SSL_connect(r.ssl), 1);
	return r;
}

void raw_send(struct raw *r, const char *text) { assert_int_equal(SSL_write(r->ssl, text, (int)strlen(text)), (int)strlen(text)); }

const char *raw_reply(struct world *w, struct raw *r)
{
	struct buf b = buf_make(4 << 20);
	size_t want = 0, head = 0;
	char c;
	while ((!head || b.len < head + want) && SSL_read(r->ssl, &c, 1) == 1) {
		buf_add_byte(&b, (uint8_t)c);
		if (!head && text_ends(buf_text(&b), "\r\n\r\n")) {
			const char *length = strstr(buf_text(&b), "Content-Length: ");
			head = b.len;
			want = length ? (size_t)atoll(length + 16) : 0;
		}
	}
	const char *out = arena_text(w->a, buf_text(&b));
	buf_release(&b);
	return out;
}

bool raw_ended(struct raw *r, msec_t within)
{
	char chunk[4096];
	for (msec_t end = mono() + within; mono() < end;) {
		struct pollfd p = { .fd = r->fd, .events = POLLIN };
		if (!(r->ssl && SSL_pending(r->ssl)) && poll(&p, 1, 50) <= 0)
			continue;
		int n = r->ssl ? SSL_read(r->ssl, chunk, sizeof chunk) : (int)recv(r->fd, chunk, sizeof chunk, 0);
		if (n <= 0)
			return true;
	}
	return false;
}

void raw_close(struct raw *r)
{
	SSL_free(r->ssl);
	SSL_CTX_free(r->ctx);
	close(r->fd);
	ERR_clear_error();
}

int status_of(const char *reply) { return text_starts(reply, "HTTP/1.1 ") ? atoi(reply + 9) : 0; }
