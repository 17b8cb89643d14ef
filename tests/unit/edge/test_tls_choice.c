/* A listener with two certificates: who is shown which. */
#include "edge/tls_choice.h"

#include <arpa/inet.h>
#include <openssl/pem.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "fixture.h"
#include "model/name.h"

static struct world *w;
static struct issued brought, corporate; /* for api.example and ip 127.0.0.2, by another CA and with a key of another type */

static struct bytes sign(struct cert_spec spec, enum key_type type, const struct bytes *ca, const struct key *ca_key, struct key **ret_key)
{
	struct troth_err e = { 0 };
	const struct cert *issuer = NULL;
	struct bytes der;
	assert_true(rc_ok(key_generate(type, ret_key, &e)));
	assert_true(rc_ok(key_spki(*ret_key, w->a, &spec.spki, &e)));
	PORT_RANDOM_REAL.fill(NULL, spec.serial, sizeof spec.serial);
	spec.not_before = port_now(&PORT_CLOCK_REAL) - CERT_BACKDATE;
	spec.not_after = spec.not_before + MSEC_DAY;
	spec.path_len = -1;
	if (ca)
		assert_true(rc_ok(cert_parse(w->a, *ca, &issuer, &e)));
	troth_rc rc = cert_build(&spec, issuer, ca ? ca_key : *ret_key, w->a, &der, &e);
	if (rc_failed(rc))
		fail_msg("%s", e.primary);
	return der;
}

static void bring(void)
{
	static const struct san names[] = { { SAN_DNS, "api.example" }, { SAN_DNS, "*.many.example" }, { SAN_IP, "127.0.0.2" } };
	CLEANUP(key_releasep) struct key *ca_key = NULL, *key = NULL;
	corporate.der = sign((struct cert_spec){ .kind = CERT_ROOT, .common_name = "corporate" }, KEY_EC_P256, NULL, NULL, &ca_key);
	corporate.pem = cert_pem(w->a, corporate.der);
	brought.der = sign((struct cert_spec){ .kind = CERT_LEAF, .common_name = "brought", .sans = names, .san_count = 3, .eku = EKU_SERVER },
			   KEY_ED25519, &corporate.der, ca_key, &key);
	brought.pem = arena_printf(w->a, "%s%s", cert_pem(w->a, brought.der), corporate.pem);
	brought.key = buf_make_secret(LIMIT_PEM_BYTES);
	assert_true(rc_ok(key_write(key, KEY_PKCS8_PEM, &brought.key, NULL)));
}

static struct edge_tls both(struct bytes *room)
{
	struct edge_tls tls = world_tls(w, room);
	tls.brought_pem = bytes_of_text(brought.pem);
	tls.brought_key = &brought.key;
	return tls;
}

static int connect_to(const char *address)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)w->port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(inet_pton(AF_INET, address, &at.sin_addr), 1);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
	return fd;
}

/* A name of a CA, as the context's list of those that the client believes. */
static void name_ca(SSL_CTX *ctx, const char *cn)
{
	STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
	X509_NAME *name = X509_NAME_new();
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
	sk_X509_NAME_push(names, name);
	SSL_CTX_set0_CA_list(ctx, names);
}

/* What somebody is shown who asks for this name (NULL: none) at this address, and names this CA (NULL: none): its subject,
 * and how many certificates came. */
static const char *shown(const char *address, const char *sni, const char *ca, int version)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int fd = connect_to(address);
	if (version)
		SSL_CTX_set_max_proto_version(ctx, version);
	if (ca)
		name_ca(ctx, ca);
	SSL *ssl = SSL_new(ctx);
	SSL_set_fd(ssl, fd);
	if (sni)
		SSL_set_tlsext_host_name(ssl, sni);
	assert_int_equal(SSL_connect(ssl), 1);
	X509 *leaf = SSL_get1_peer_certificate(ssl);
	char subject[80];
	X509_NAME_get_text_by_NID(X509_get_subject_name(leaf), NID_commonName, subject, sizeof subject);
	const char *text = arena_printf(w->a, "%s %d", subject, sk_X509_num(SSL_get_peer_cert_chain(ssl)));
	X509_free(leaf);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	close(fd);
	return text;
}

#define OWN "server 2"
#define BROUGHT "brought 2"

static void by_name_by_address_and_by_ca(void **state)
{
	static const struct { const char *address, *sni, *ca; int version; const char *want; } rows[] = {
		{ "127.0.0.1", "api.example", NULL, 0, BROUGHT },
		{ "127.0.0.1", "API.example", NULL, TLS1_2_VERSION, BROUGHT },
		{ "127.0.0.1", "x.many.example", NULL, 0, BROUGHT },
		{ "127.0.0.1", "localhost", NULL, 0, OWN },
		{ "127.0.0.1", "localhost", NULL, TLS1_2_VERSION, OWN },
		{ "127.0.0.1", "elsewhere.example", NULL, 0, BROUGHT }, /* neither: what people are meant to see */
		{ "127.0.0.1", NULL, NULL, 0, OWN },                    /* by address */
		{ "127.0.0.2", NULL, NULL, 0, BROUGHT },
		{ "127.0.0.3", NULL, NULL, 0, BROUGHT },
		{ "127.0.0.1", "api.example", "test ca", 0, OWN },      /* it can verify nothing else */
		{ "127.0.0.2", NULL, "test ca", 0, OWN },
		{ "127.0.0.1", "api.example", "corporate", 0, BROUGHT },
		{ "127.0.0.1", "localhost", "corporate", 0, OWN },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *got = shown(rows[i].address, rows[i].sni, rows[i].ca, rows[i].version);
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s %s %s: %s", rows[i].address, rows[i].sni, rows[i].ca, got);
	}
}

/* Our own client, by the name that the brought one is for: a name server would say where that is. */
static troth_rc call(const char *ca_pem, const char *host)
{
	struct http_client_config config = world_client(w);
	struct http_outgoing out = { HTTP_GET, "/echo" };
	struct http_answer answer;
	struct troth_err e = { 0 };
	config.server = arena_printf(w->a, "https://%s:%d", host, w->port);
	config.ca_pem = bytes_of_text(ca_pem);
	return http_call(w->a, &config, &out, &answer, &e);
}

static void our_clients_are_shown_what_they_believe(void **state)
{
	assert_true(rc_ok(call(w->ca.pem, "localhost")));
	assert_int_equal(call(corporate.pem, "localhost").code, TROTH_UNAUTHENTICATED); /* not its name */
	assert_true(rc_ok(call(corporate.pem, "127.0.0.2")));
	assert_true(rc_ok(call(arena_printf(w->a, "%s%s", corporate.pem, w->ca.pem), "127.0.0.1")));
}

static size_t names_of(struct bytes ca_pem, bool pinned, const char *first)
{
	struct http_client_config config = { .server = "https://x:1", .ca_pem = ca_pem, .pinned = pinned };
	SSL_CTX *ctx;
	struct troth_err e = { 0 };
	char text[80] = "";
	assert_true(rc_ok(tls_client_context(&config, config.pin, &ctx, &e)));
	const STACK_OF(X509_NAME) *names = SSL_CTX_get0_CA_list(ctx);
	int n = sk_X509_NAME_num(names);
	if (n > 0)
		X509_NAME_get_text_by_NID(sk_X509_NAME_value(names, 0), NID_commonName, text, sizeof text);
	assert_string_equal(text, first);
	assert_int_equal(SSL_CTX_get_max_proto_version(ctx), 0);
	SSL_CTX_free(ctx);
	return n < 0 ? 0 : (size_t)n;
}

static void clients_name_their_cas_but_no_collection(void **state)
{
	const char *many = "";
	CLEANUP(key_releasep) struct key *key = NULL;
	assert_int_equal(names_of(bytes_of_text(w->ca.pem), false, "test ca"), 1);
	assert_int_equal(names_of((struct bytes){ 0 }, true, NAME_SERVER_CA), 1);
	for (int i = 0; i <= LIMIT_TLS_CAS_NAMED; i++) {
		struct cert_spec spec = { .kind = CERT_ROOT, .common_name = arena_printf(w->a, "ca %d", i) };
		struct key *k;
		many = arena_printf(w->a, "%s%s", many, cert_pem(w->a, sign(spec, KEY_EC_P256, NULL, NULL, &k)));
		key_release(k);
	}
	assert_int_equal(names_of(bytes_of_text(many), false, ""), 0);
}

/* A receiver of webhooks has no use for it. */
static void a_foreign_server_is_told_of_no_ca(void **state)
{
	struct http_client_config config = { .server = "https://x:1", .ca_pem = bytes_of_text(w->ca.pem), .foreign = true };
	SSL_CTX *ctx;
	assert_true(rc_ok(tls_client_context(&config, config.pin, &ctx, NULL)));
	assert_true(sk_X509_NAME_num(SSL_CTX_get0_CA_list(ctx)) <= 0);
	SSL_CTX_free(ctx);
}

static void what_does_not_fit_is_refused(void **state)
{
	struct bytes room;
	struct edge_tls tls = both(&room);
	struct troth_err e = { 0 };
	SSL_CTX *ctx = NULL;
	tls.brought_key = &w->server.key;
	assert_int_equal(tls_server_context(&tls, &ctx, &e).code, TROTH_INVALID);
	assert_non_null(strstr(e.primary, "key that was brought"));
	assert_int_equal(edge_server_set_tls(w->edge, &tls, &e).code, TROTH_INVALID);
	tls = both(&room);
	tls.brought_pem = bytes_of_text("junk");
	assert_int_equal(tls_server_context(&tls, &ctx, &e).code, TROTH_INVALID);
	assert_null(ctx);
	assert_string_equal(shown("127.0.0.1", "api.example", NULL, 0), BROUGHT); /* the old stays */
}

static void taken_away_again(void **state)
{
	struct bytes room;
	struct edge_tls tls = world_tls(w, &room);
	struct troth_err e = { 0 };
	assert_true(rc_ok(edge_server_set_tls(w->edge, &tls, &e)));
	assert_string_equal(shown("127.0.0.1", "api.example", NULL, 0), OWN);
}

static int setup(void **state)
{
	struct bytes room;
	struct troth_err e = { 0 };
	w = world_new();
	bring();
	world_serve(w, (struct edge_config){ .listen = "0.0.0.0:0" });
	struct edge_tls tls = both(&room);
	if (rc_failed(edge_server_set_tls(w->edge, &tls, &e)))
		fail_msg("%s", e.primary);
	return 0;
}

static int teardown(void **state)
{
	buf_release(&brought.key);
	world_free(w);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_name_by_address_and_by_ca),
		cmocka_unit_test(our_clients_are_shown_what_they_believe),
		cmocka_unit_test(clients_name_their_cas_but_no_collection),
		cmocka_unit_test(a_foreign_server_is_told_of_no_ca),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(taken_away_again), /* last: the listener has one certificate after it */
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
