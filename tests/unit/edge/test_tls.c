/* TLS contexts: what they are made of, and what makes them fail. */
#include "edge/tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"

static struct world *w;

static void server_contexts(void **state)
{
	struct bytes ca;
	struct edge_tls tls = world_tls(w, &ca);
	SSL_CTX *ctx = NULL;
	struct troth_err e = { 0 };
	assert_true(rc_ok(tls_server_context(&tls, &ctx, &e)));
	assert_int_equal(SSL_CTX_get_min_proto_version(ctx), TLS1_2_VERSION);
	assert_true(SSL_CTX_get_verify_mode(ctx) & SSL_VERIFY_PEER);
	assert_int_equal(SSL_CTX_get_num_tickets(ctx), 0);
	SSL_CTX_free(ctx);
	tls.client_ca_count = 0;
	assert_true(rc_ok(tls_server_context(&tls, &ctx, &e)));
	assert_int_equal(SSL_CTX_get_verify_mode(ctx), SSL_VERIFY_NONE);
	SSL_CTX_free(ctx);
}

static void wrong_parts(void **state)
{
	struct bytes ca, junk = bytes_of_text("junk");
	struct edge_tls tls = world_tls(w, &ca);
	SSL_CTX *ctx = NULL;
	struct troth_err e = { 0 };
	tls.key_pem = &w->client.key;
	assert_int_equal(tls_server_context(&tls, &ctx, &e).code, TROTH_INVALID);
	assert_non_null(strstr(e.primary, "key"));
	tls = world_tls(w, &ca);
	tls.cert_pem = junk;
	assert_int_equal(tls_server_context(&tls, &ctx, &e).code, TROTH_INVALID);
	tls = world_tls(w, &ca);
	tls.client_cas = &junk;
	assert_int_equal(tls_server_context(&tls, &ctx, &e).code, TROTH_INVALID);
	assert_null(ctx);
}

static void client_contexts(void **state)
{
	struct http_client_config config = world_client(w);
	SSL_CTX *ctx = NULL;
	SSL *ssl = NULL;
	struct troth_err e = { 0 };
	assert_true(rc_ok(tls_client_context(&config, config.pin, &ctx, &e)));
	assert_true(SSL_CTX_get_verify_mode(ctx) & SSL_VERIFY_PEER);
	assert_true(rc_ok(tls_client_connection(ctx, "127.0.0.1", true, &ssl, &e)));
	SSL_free(ssl);
	char *long_name = arena_alloc(w->a, 301);
	memset(long_name, 'a', 300);
	assert_int_equal(tls_client_connection(ctx, long_name, false, &ssl, &e).code, TROTH_INVALID);
	SSL_CTX_free(ctx);
	config.ca_pem = bytes_of_text("no certificate here");
	assert_int_equal(tls_client_context(&config, config.pin, &ctx, &e).code, TROTH_INVALID);
}

static void own_certificates(void **state)
{
	struct http_client_config config = world_client(w);
	SSL_CTX *ctx = NULL;
	struct troth_err e = { 0 };
	config.cert_file = world_file(w, "cert", w->client.pem, strlen(w->client.pem));
	config.key_file = world_file(w, "key", w->client.key.data, w->client.key.len);
	assert_true(rc_ok(tls_client_context(&config, config.pin, &ctx, &e)));
	SSL_CTX_free(ctx);
	const char *key = config.key_file;
	config.key_file = "/nonexistent";
	assert_int_equal(tls_client_context(&config, config.pin, &ctx, &e).code, TROTH_NOT_FOUND);
	unlink(config.cert_file);
	unlink(key);
}

static int setup(void **state) { w = world_new(); return 0; }
static int teardown(void **state) { world_free(w); return 0; }

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(server_contexts), cmocka_unit_test(wrong_parts),
					    cmocka_unit_test(client_contexts), cmocka_unit_test(own_certificates) };
	return cmocka_run_group_tests(tests, setup, teardown);
}
