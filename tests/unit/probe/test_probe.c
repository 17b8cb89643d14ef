/* Looking at servers that behave, that want more, and that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pki/pki.h"
#include "port/port.h"
#include "probe/probe.h"

enum mode { PLAIN, POSTGRESQL, POSTGRESQL_NO, WANTS_CLIENT, SILENT, GARBAGE };

struct server {
	struct arena *a;
	struct bytes der;
	struct buf key;
	pid_t pid;
	int port;
};

static int setup(void **state)
{
	static struct server s;
	struct key *k = NULL;
	struct bytes spki;
	s = (struct server){ .a = arena_new(8 << 20), .key = buf_make_secret(8192) };
	assert_true(rc_ok(key_generate(KEY_EC_P256, &k, NULL)));
	assert_true(rc_ok(key_spki(k, s.a, &spki, NULL)));
	struct cert_spec spec = { .kind = CERT_ROOT, .common_name = "probe", .not_before = port_now(&PORT_CLOCK_REAL) - CERT_BACKDATE,
				  .not_after = port_now(&PORT_CLOCK_REAL) + MSEC_DAY, .path_len = -1, .serial = { 1, 2 }, .spki = spki };
	const struct cert *root;
	assert_true(rc_ok(cert_build(&spec, NULL, k, s.a, &s.der, NULL)));
	assert_true(rc_ok(cert_parse(s.a, s.der, &root, NULL)));
	struct cert_spec leaf = { .kind = CERT_LEAF, .common_name = "leaf", .not_before = spec.not_before, .not_after = spec.not_after,
				  .serial = { 3 }, .spki = spki, .eku = EKU_SERVER };
	assert_true(rc_ok(cert_build(&leaf, root, k, s.a, &s.der, NULL)));
	assert_true(rc_ok(key_write(k, KEY_PKCS8_DER, &s.key, NULL)));
	key_release(k);
	*state = &s;
	return 0;
}

static int teardown(void **state)
{
	struct server *s = *state;
	if (s->pid > 0) {
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
	}
	arena_free(s->a);
	buf_release(&s->key);
	return 0;
}

static void talk(struct server *s, int fd, enum mode mode)
{
	uint8_t request[8];
	if (mode == POSTGRESQL || mode == POSTGRESQL_NO) {
		if (recv(fd, request, sizeof request, MSG_WAITALL) != 8 || request[7] != 0x2f)
			_exit(1);
		if (send(fd, mode == POSTGRESQL ? "S" : "N", 1, 0) != 1 || mode == POSTGRESQL_NO)
			return;
	}
	if (mode == GARBAGE && send(fd, "HELLO WORLD, THIS IS NO TLS\r\n", 29, 0) != 29)
		return;
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	const unsigned char *key = s->key.data;
	SSL_CTX_use_certificate_ASN1(ctx, (int)s->der.len, s->der.data);
	SSL_CTX_use_PrivateKey_ASN1(EVP_PKEY_EC, ctx, key, (long)s->key.len);
	if (mode == WANTS_CLIENT) {
		SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION); /* it says so inside the handshake */
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	}
	SSL *ssl = SSL_new(ctx);
	SSL_set_fd(ssl, fd);
	if (mode != GARBAGE && SSL_accept(ssl) == 1)
		SSL_read(ssl, request, 1);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

static void serve(struct server *s, enum mode mode)
{
	int fd, flags;
	assert_true(rc_ok(socket_listen("127.0.0.1:0", &fd, &s->port, NULL)));
	s->pid = fork();
	if (s->pid == 0) {
		flags = fcntl(fd, F_GETFL);
		fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
		for (;;) {
			int c = accept(fd, NULL, NULL);
			if (mode == SILENT)
				continue;
			talk(s, c, mode);
			close(c);
		}
	}
	close(fd);
}

static struct probe_request request_to(const struct server *s, enum probe_starttls starttls)
{
	return (struct probe_request){ "127.0.0.1", s->port, starttls, "localhost", 5000 };
}

static void a_plain_server_shows_its_chain(void **state)
{
	struct server *s = *state;
	struct probe_seen seen;
	serve(s, PLAIN);
	struct probe_request r = request_to(s, PROBE_TLS);
	assert_true(rc_ok(probe_tls(s->a, &r, &seen, NULL)));
	assert_int_equal(seen.chain_count, 1);
	assert_true(bytes_equal(seen.chain[0], s->der));
	assert_true(seen.complete);
	assert_string_equal(seen.protocol, "TLSv1.3");
}

static void postgresql_is_asked_first(void **state)
{
	struct server *s = *state;
	struct probe_seen seen;
	serve(s, POSTGRESQL);
	struct probe_request r = request_to(s, PROBE_POSTGRESQL);
	assert_true(rc_ok(probe_tls(s->a, &r, &seen, NULL)));
	assert_true(bytes_equal(seen.chain[0], s->der));
}

static void postgresql_without_tls_is_named(void **state)
{
	struct server *s = *state;
	struct probe_seen seen;
	struct troth_err e = { 0 };
	serve(s, POSTGRESQL_NO);
	struct probe_request r = request_to(s, PROBE_POSTGRESQL);
	assert_true(rc_failed(probe_tls(s->a, &r, &seen, &e)));
	assert_int_equal(e.kind, TROTH_INVALID);
	assert_non_null(strstr(e.primary, "does not offer TLS"));
}

static void a_server_that_wants_a_client_certificate_is_seen(void **state)
{
	struct server *s = *state;
	struct probe_seen seen;
	serve(s, WANTS_CLIENT);
	struct probe_request r = request_to(s, PROBE_TLS);
	struct troth_err e = { 0 };
	if (rc_failed(probe_tls(s->a, &r, &seen, &e)))
		fail_msg("%s", e.primary);
	assert_false(seen.complete);
	assert_true(bytes_equal(seen.chain[0], s->der));
}

static void a_silent_server_is_left_at_the_deadline(void **state)
{
	struct server *s = *state;
	struct probe_seen seen;
	struct troth_err e = { 0 };
	serve(s, SILENT);
	struct probe_request r = request_to(s, PROBE_TLS);
	r.timeout = 200;
	msec_t before = port_mono(&PORT_CLOCK_REAL);
	assert_true(rc_failed(probe_tls(s->a, &r, &seen, &e)));
	assert_int_equal(e.kind, TROTH_TIMEOUT);
	assert_true(port_mono(&PORT_CLOCK_REAL) - before < 3000);
}

static void no_tls_is_an_error(void **state)
{
	struct server *s = *state;
	struct probe_seen seen;
	struct troth_err e = { 0 };
	serve(s, GARBAGE);
	struct probe_request r = request_to(s, PROBE_TLS);
	assert_true(rc_failed(probe_tls(s->a, &r, &seen, &e)));
	assert_int_equal(e.kind, TROTH_IO);
}

static void nobody_there_is_unavailable(void **state)
{
	struct server *s = *state;
	struct probe_seen seen;
	struct troth_err e = { 0 };
	int fd;
	assert_true(rc_ok(socket_listen("127.0.0.1:0", &fd, &s->port, NULL)));
	close(fd);
	struct probe_request r = request_to(s, PROBE_TLS);
	assert_true(rc_failed(probe_tls(s->a, &r, &seen, &e)));
	assert_int_equal(e.kind, TROTH_UNAVAILABLE);
}

static void starttls_has_names(void **state)
{
	enum probe_starttls t;
	assert_true(probe_starttls_parse("postgresql", &t));
	assert_int_equal(t, PROBE_POSTGRESQL);
	assert_true(probe_starttls_parse("none", &t));
	assert_int_equal(t, PROBE_TLS);
	assert_false(probe_starttls_parse("smtp", &t));
	assert_string_equal(probe_starttls_name(PROBE_POSTGRESQL), "postgresql");
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest tests[] = {
		CASE(a_plain_server_shows_its_chain), CASE(postgresql_is_asked_first), CASE(postgresql_without_tls_is_named),
		CASE(a_server_that_wants_a_client_certificate_is_seen), CASE(a_silent_server_is_left_at_the_deadline),
		CASE(no_tls_is_an_error), CASE(nobody_there_is_unavailable), CASE(starttls_has_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
