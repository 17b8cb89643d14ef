/* The server as a whole: busy ports, bad tables, certificates changed under way, client certificates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"

static struct edge_config config_of(struct world *w, const char *listen)
{
	return (struct edge_config){ .listen = listen, .loops = 1, .clock = &PORT_CLOCK_REAL, .random = &PORT_RANDOM_REAL,
				     .tables = &TOY_ROUTES, .table_count = 1 };
}

static void busy_port(void **state)
{
	struct world *w = world_new();
	world_serve(w, (struct edge_config){ 0 });
	struct edge_server *second = NULL;
	struct bytes ca;
	struct edge_tls tls = world_tls(w, &ca);
	struct troth_err e = { 0 };
	struct edge_config config = config_of(w, arena_printf(w->a, "127.0.0.1:%d", w->port));
	assert_true(rc_failed(edge_server_new(&config, &tls, &second, &e)));
	assert_non_null(strstr(e.primary, "could not listen on 127.0.0.1"));
	assert_true(e.hint[0]);
	assert_null(second);
	world_free(w);
}

static void bad_configs(void **state)
{
	struct world *w = world_new();
	struct edge_server *s = NULL;
	struct bytes ca;
	struct edge_tls tls = world_tls(w, &ca);
	struct troth_err e = { 0 };
	struct edge_config config = config_of(w, "nowhere");
	assert_int_equal(edge_server_new(&config, &tls, &s, &e).code, TROTH_INVALID);
	config = config_of(w, "127.0.0.1:0");
	config.loops = 0;
	assert_int_equal(edge_server_new(&config, &tls, &s, &e).code, TROTH_INVALID);
	config.loops = 1;
	tls.key_pem = &w->client.key;
	assert_int_equal(edge_server_new(&config, &tls, &s, &e).code, TROTH_INVALID);
	edge_server_free(NULL);
	world_free(w);
}

static long serial_seen(struct world *w)
{
	struct raw r = raw_connect(w, false);
	X509 *x = SSL_get0_peer_certificate(r.ssl);
	unsigned long hash = X509_subject_name_hash(x);
	raw_close(&r);
	return (long)hash;
}

static void certificate_is_replaced_under_way(void **state)
{
	struct world *w = world_new();
	world_serve(w, (struct edge_config){ 0 });
	struct raw old = raw_connect(w, false);
	long before = serial_seen(w);
	struct issued fresh = world_leaf(w, "fresh", EKU_SERVER, MSEC_DAY);
	struct bytes ca = w->other_ca.der;
	struct edge_tls tls = { bytes_of_text(fresh.pem), &fresh.key, &ca, 1 };
	struct troth_err e = { 0 };
	assert_true(rc_ok(edge_server_set_tls(w->edge, &tls, &e)));
	assert_int_not_equal(serial_seen(w), before);
	raw_send(&old, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
	assert_int_equal(status_of(raw_reply(w, &old)), 200);
	raw_close(&old);
	tls.key_pem = &w->client.key;
	long now = serial_seen(w);
	assert_true(rc_failed(edge_server_set_tls(w->edge, &tls, &e)));
	assert_int_equal(serial_seen(w), now); /* the old stays when the new cannot be used */
	buf_release(&fresh.key);
	world_free(w);
}

static int status_with(struct world *w, const struct issued *client)
{
	struct http_client_config config = world_client(w);
	struct http_answer answer = { 0 };
	struct http_outgoing out = { .target = "/echo" };
	struct troth_err e = { 0 };
	config.cert_file = world_file(w, "c.pem", client->pem, strlen(client->pem));
	config.key_file = world_file(w, "k.pem", client->key.data, client->key.len);
	troth_rc rc = http_call(w->a, &config, &out, &answer, &e);
	remove(config.cert_file);
	remove(config.key_file);
	return rc_ok(rc) ? answer.status : -(int)e.kind;
}

static void client_certificates(void **state)
{
	struct world *w = world_new();
	world_serve(w, (struct edge_config){ 0 });
	struct issued expired = world_leaf(w, "expired", EKU_CLIENT, -MSEC_S), not_client = world_leaf(w, "s", EKU_SERVER, MSEC_DAY);
	assert_int_equal(status_with(w, &w->client), 200);
	assert_int_equal(status_with(w, &expired), -TROTH_UNAUTHENTICATED);
	assert_int_equal(status_with(w, &not_client), -TROTH_UNAUTHENTICATED);
	assert_int_equal(status_with(w, &w->other_ca), -TROTH_UNAUTHENTICATED);
	buf_release(&expired.key);
	buf_release(&not_client.key);
	world_free(w);
}

static void old_protocols_are_refused(void **state)
{
	struct world *w = world_new();
	world_serve(w, (struct edge_config){ 0 });
	struct raw r = raw_connect_plain(w);
	r.ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_max_proto_version(r.ctx, TLS1_1_VERSION);
	r.ssl = SSL_new(r.ctx);
	SSL_set_fd(r.ssl, r.fd);
	assert_int_not_equal(SSL_connect(r.ssl), 1);
	raw_close(&r);
	world_free(w);
}

/* A plain conversation, as `troth dev --plain-http` offers it on loopback. */
static void without_tls(void **state)
{
	struct world *w = world_new();
	char reply[512] = "";
	world_serve(w, (struct edge_config){ .plain_listen = "127.0.0.1:0" });
	int tls_port = w->port;
	w->port = edge_server_plain_port(w->edge);
	assert_int_not_equal(w->port, tls_port);
	struct raw r = raw_connect_plain(w);
	const char *ask = "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
	assert_int_equal(send(r.fd, ask, strlen(ask), 0), strlen(ask));
	for (ssize_t n, len = 0; (n = recv(r.fd, reply + len, sizeof reply - 1 - (size_t)len, 0)) > 0; len += n)
		;
	assert_true(text_starts(reply, "HTTP/1.1 200 "));
	assert_non_null(strstr(reply, "\"peer_cert\":0"));
	close(r.fd);
	w->port = tls_port;
	assert_int_equal(status_with(w, &w->client), 200);
	world_free(w);
}

static void without_tls_on_loopback_only(void **state)
{
	struct world *w = world_new();
	struct edge_server *s = NULL;
	struct bytes ca;
	struct edge_tls tls = world_tls(w, &ca);
	struct troth_err e = { 0 };
	struct edge_config config = config_of(w, "127.0.0.1:0");
	config.plain_listen = "0.0.0.0:0";
	assert_int_equal(edge_server_new(&config, &tls, &s, &e).code, TROTH_INVALID);
	assert_non_null(strstr(e.primary, "0.0.0.0:0 is not a loopback address"));
	config.plain_listen = "[::1]:0";
	err_clear(&e);
	if (rc_ok(edge_server_new(&config, &tls, &s, &e))) /* where there is IPv6 */
		edge_server_free(s);
	else
		assert_null(strstr(e.primary, "loopback"));
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(busy_port), cmocka_unit_test(bad_configs),
					    cmocka_unit_test(certificate_is_replaced_under_way), cmocka_unit_test(client_certificates),
					    cmocka_unit_test(old_protocols_are_refused), cmocka_unit_test(without_tls),
					    cmocka_unit_test(without_tls_on_loopback_only) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
