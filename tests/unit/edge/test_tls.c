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
	assert_true(SSL_CTX_get_options(ctx) & SSL_OP_CLEANSE_PLAINTEXT); /* an uploaded key is not kept until the next record */
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

/* -- anchors that have expired ---------------------------------------------------------------------------- */
/* The world's CA, or another name or key, valid from .. until (milliseconds from now), as a root. */
static struct bytes root_der(const char *name, const struct key *key, msec_t from, msec_t until)
{
	msec_t now = port_now(&PORT_CLOCK_REAL);
	struct cert_spec spec = { .kind = CERT_ROOT, .common_name = name, .not_before = now + from, .not_after = now + until, .path_len = -1, .serial = { 7 } };
	struct bytes der;
	assert_true(rc_ok(key_spki(key, w->a, &spec.spki, NULL)));
	assert_true(rc_ok(cert_build(&spec, NULL, key, w->a, &der, NULL)));
	return der;
}

static bool shake(SSL *client, SSL *server)
{
	for (int i = 0; i < 10; i++) {
		int c = SSL_do_handshake(client), s = SSL_do_handshake(server);
		if (c == 1 && s == 1)
			return true;
		if (c != 1 && SSL_get_error(client, c) == SSL_ERROR_SSL)
			return false;
	}
	return false;
}

/* Does a client with these anchors believe a server that shows this chain? */
static bool believes(struct bytes anchor, bool old_anchors, const char *chain, const struct buf *key, const char *host)
{
	struct http_client_config config = { .server = "https://x:1", .ca_pem = bytes_of_text(cert_pem(w->a, anchor)), .old_anchors = old_anchors };
	struct edge_tls tls = { .cert_pem = bytes_of_text(chain), .key_pem = key };
	SSL_CTX *server_ctx = NULL, *client_ctx = NULL;
	SSL *client;
	BIO *here, *there;
	struct troth_err e = { 0 };
	assert_true(rc_ok(tls_server_context(&tls, &server_ctx, &e)));
	assert_true(rc_ok(tls_client_context(&config, config.pin, &client_ctx, &e)));
	assert_true(rc_ok(tls_client_connection(client_ctx, host, true, &client, &e)));
	SSL *server = SSL_new(server_ctx);
	assert_int_equal(BIO_new_bio_pair(&here, 0, &there, 0), 1);
	SSL_set_bio(client, here, here);
	SSL_set_bio(server, there, there);
	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
	bool yes = shake(client, server);
	assert_true(yes == (SSL_get_verify_result(client) == X509_V_OK));
	SSL_free(client);
	SSL_free(server);
	SSL_CTX_free(server_ctx);
	SSL_CTX_free(client_ctx);
	return yes;
}

static void an_old_anchor_stands_for_its_key(void **state)
{
	struct key *stranger;
	struct bytes old = root_der("test ca", w->ca_key, -20 * MSEC_DAY, -MSEC_DAY), early = root_der("test ca", w->ca_key, MSEC_DAY, 9 * MSEC_DAY);
	assert_true(rc_ok(key_generate(KEY_EC_P256, &stranger, NULL)));
	struct bytes other = root_der("test ca", stranger, -20 * MSEC_DAY, -MSEC_DAY);
	const char *chain = w->server.pem, *with_root = w->chain_pem;
	struct issued expired = world_leaf(w, "server", EKU_SERVER, -MSEC_MIN), client = world_leaf(w, "client", EKU_CLIENT, MSEC_DAY);
	assert_true(believes(w->ca.der, false, chain, &w->server.key, "127.0.0.1"));
	assert_true(believes(w->ca.der, true, chain, &w->server.key, "127.0.0.1"));
	assert_false(believes(old, false, chain, &w->server.key, "127.0.0.1")); /* everywhere else a date is a date */
	assert_true(believes(old, true, chain, &w->server.key, "127.0.0.1"));
	assert_true(believes(old, true, with_root, &w->server.key, "127.0.0.1")); /* the server sends its new root too */
	assert_false(believes(early, true, chain, &w->server.key, "127.0.0.1")); /* old, not early */
	assert_false(believes(other, true, chain, &w->server.key, "127.0.0.1")); /* the name and not the key */
	assert_false(believes(old, true, chain, &w->server.key, "127.0.0.2"));
	assert_false(believes(old, true, expired.pem, &expired.key, "127.0.0.1")); /* the leaf must be valid now */
	assert_false(believes(old, true, client.pem, &client.key, "127.0.0.1"));
	key_release(stranger);
	buf_release(&expired.key);
	buf_release(&client.key);
}

/* A CA of the chain that is no anchor must be valid, whatever the anchor is. */
static void nothing_below_an_old_anchor_may_be_old(void **state)
{
	struct bytes old = root_der("test ca", w->ca_key, -20 * MSEC_DAY, -MSEC_DAY);
	const msec_t ends[] = { MSEC_DAY, -MSEC_DAY };
	for (int i = 0; i < 2; i++) {
		struct key *inter_key, *leaf_key;
		msec_t now = port_now(&PORT_CLOCK_REAL);
		static const struct san sans[] = { { SAN_IP, "127.0.0.1" } };
		const struct cert *root, *inter;
		struct bytes inter_der, leaf_der;
		CLEANUP(buf_release) struct buf pem = buf_make_secret(16 << 10);
		struct cert_spec ca = { .kind = CERT_INTERMEDIATE, .common_name = "inter", .not_before = now - 9 * MSEC_DAY, .not_after = now + MSEC_DAY, .path_len = 0, .serial = { 8 } };
		struct cert_spec leaf = { .kind = CERT_LEAF, .common_name = "leaf", .not_before = now - MSEC_HOUR, .not_after = now + MSEC_HOUR, .path_len = -1, .eku = EKU_SERVER,
					  .sans = sans, .san_count = 1, .serial = { 9 } };
		assert_true(rc_ok(key_generate(KEY_EC_P256, &inter_key, NULL)) && rc_ok(key_generate(KEY_EC_P256, &leaf_key, NULL)));
		assert_true(rc_ok(key_spki(inter_key, w->a, &ca.spki, NULL)) && rc_ok(key_spki(leaf_key, w->a, &leaf.spki, NULL)));
		assert_true(rc_ok(cert_parse(w->a, w->ca.der, &root, NULL)));
		assert_true(rc_ok(cert_build(&ca, root, w->ca_key, w->a, &inter_der, NULL)));
		assert_true(rc_ok(cert_parse(w->a, inter_der, &inter, NULL)));
		assert_true(rc_ok(cert_build(&leaf, inter, inter_key, w->a, &leaf_der, NULL)));
		ca.not_after = now + ends[i]; /* the same key and name, served with other dates than it was built under */
		assert_true(rc_ok(cert_build(&ca, root, w->ca_key, w->a, &inter_der, NULL)));
		assert_true(rc_ok(key_write(leaf_key, KEY_PKCS8_PEM, &pem, NULL)));
		const char *chain = arena_printf(w->a, "%s%s", cert_pem(w->a, leaf_der), cert_pem(w->a, inter_der));
		assert_int_equal(believes(old, true, chain, &pem, "127.0.0.1"), i == 0);
		key_release(inter_key);
		key_release(leaf_key);
	}
}

static int setup(void **state) { w = world_new(); return 0; }
static int teardown(void **state) { world_free(w); return 0; }

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(server_contexts), cmocka_unit_test(wrong_parts),
					    cmocka_unit_test(client_contexts), cmocka_unit_test(own_certificates),
					    cmocka_unit_test(an_old_anchor_stands_for_its_key),
					    cmocka_unit_test(nothing_below_an_old_anchor_may_be_old) };
	return cmocka_run_group_tests(tests, setup, teardown);
}
