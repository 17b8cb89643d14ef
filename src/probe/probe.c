/* Connect, say STARTTLS if the protocol wants it, shake hands, keep what was shown. */
#include "probe/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/text.h"
#include "port/port.h"

struct look {
	int fd;
	msec_t deadline; /* of the monotonic clock */
	SSL_CTX *ctx;
	SSL *ssl;
	STACK_OF(X509) *chain; /* as sent; taken when it comes, because a handshake that fails forgets it */
};

static const char *const STARTTLS_NAMES[] = { [PROBE_TLS] = "none", [PROBE_POSTGRESQL] = "postgresql" };

const char *probe_starttls_name(enum probe_starttls s) { return STARTTLS_NAMES[s]; }

bool probe_starttls_parse(const char *name, enum probe_starttls *ret)
{
	for (int i = 0; i < PROBE_STARTTLS_COUNT; i++)
		if (text_equal(name, STARTTLS_NAMES[i])) {
			*ret = (enum probe_starttls)i;
			return true;
		}
	return false;
}

static void look_release(struct look *l)
{
	sk_X509_pop_free(l->chain, X509_free);
	SSL_free(l->ssl);
	SSL_CTX_free(l->ctx);
	if (l->fd >= 0)
		close(l->fd);
	ERR_clear_error();
}

static msec_t left(const struct look *l)
{
	msec_t n = l->deadline - port_mono(&PORT_CLOCK_REAL);
	return n > 0 ? n : 0;
}

/* Waits until the socket is ready for `events`; false at the deadline. */
static bool wait_for(const struct look *l, short events)
{
	for (;;) {
		struct pollfd p = { .fd = l->fd, .events = events };
		msec_t ms = left(l);
		if (ms == 0)
			return false;
		int n = poll(&p, 1, ms > 60000 ? 60000 : (int)ms);
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
}

/* The 8 bytes of SSLRequest; the answer is one byte, 'S' or 'N'. */
static troth_rc ask_postgresql(const struct look *l, const struct probe_request *r, struct troth_err *e)
{
	static const uint8_t SSL_REQUEST[8] = { 0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f };
	ENSURE(send(l->fd, SSL_REQUEST, sizeof SSL_REQUEST, MSG_NOSIGNAL) == (ssize_t)sizeof SSL_REQUEST, e, TROTH_IO,
	       "%s:%d broke the connection off before SSLRequest", r->host, r->port);
	ENSURE(wait_for(l, POLLIN), e, TROTH_TIMEOUT, "%s:%d did not answer SSLRequest in time", r->host, r->port);
	char answer = 0;
	ENSURE(recv(l->fd, &answer, 1, 0) == 1, e, TROTH_IO, "%s:%d broke the connection off after SSLRequest", r->host,
	       r->port);
	ENSURE(answer == 'S', e, TROTH_INVALID, "%s:%d does not offer TLS: it answered SSLRequest with '%c'", r->host,
	       r->port, answer > 32 && answer < 127 ? answer : '?');
	return RC_OK;
}

/* In place of a verification: keep what was shown, accept it. */
static int take_chain(X509_STORE_CTX *ctx, void *self)
{
	struct look *l = self;
	STACK_OF(X509) *shown = X509_STORE_CTX_get0_untrusted(ctx);
	sk_X509_pop_free(l->chain, X509_free);
	l->chain = shown ? X509_chain_up_ref(shown) : NULL;
	return 1;
}

static troth_rc look_prepare(struct look *l, const struct probe_request *r, struct troth_err *e)
{
	l->ctx = SSL_CTX_new(TLS_client_method());
	ENSURE(l->ctx, e, TROTH_UNAVAILABLE, "out of memory");
	SSL_CTX_set_verify(l->ctx, SSL_VERIFY_NONE, NULL); /* we look, we do not judge */
	SSL_CTX_set_cert_verify_callback(l->ctx, take_chain, l);
	SSL_CTX_set_options(l->ctx, SSL_OP_NO_TICKET);
	l->ssl = SSL_new(l->ctx);
	ENSURE(l->ssl && SSL_set_fd(l->ssl, l->fd) == 1, e, TROTH_UNAVAILABLE, "out of memory");
	if (r->server_name && r->server_name[0] && !text_is_address(r->server_name))
		ENSURE(SSL_set_tlsext_host_name(l->ssl, r->server_name) == 1, e, TROTH_INVALID,
		       "\"%.100s\" cannot be sent as a server name", r->server_name);
	return RC_OK;
}

/* true: the handshake went through.  false with *timed_out false: the server ended it. */
static bool shake_hands(struct look *l, bool *timed_out)
{
	for (;;) {
		int n = SSL_connect(l->ssl);
		if (n == 1)
			return true;
		int why = SSL_get_error(l->ssl, n);
		if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
			return false;
		if (!wait_for(l, why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT)) {
			*timed_out = true;
			return false;
		}
	}
}

static troth_rc copy_chain(struct arena *a, const struct look *l, struct probe_seen *ret, struct troth_err *e)
{
	int count = l->chain ? sk_X509_num(l->chain) : 0;
	if (count > LIMIT_CHAIN_CERTS)
		count = LIMIT_CHAIN_CERTS;
	ret->chain = ARENA_ARRAY(a, struct bytes, (size_t)count);
	ret->chain_count = (size_t)count;
	for (int i = 0; i < count; i++) {
		X509 *x = sk_X509_value(l->chain, i);
		int len = i2d_X509(x, NULL);
		ENSURE(len > 0 && len <= LIMIT_CERT_DER_BYTES, e, TROTH_TOO_LARGE,
		       "certificate %d of the chain is larger than %d bytes", i, LIMIT_CERT_DER_BYTES);
		uint8_t *der = arena_alloc(a, (size_t)len), *end = der;
		i2d_X509(x, &end);
		ret->chain[i] = bytes_of(der, (size_t)len);
	}
	return RC_OK;
}

static troth_rc no_chain(const struct probe_request *r, bool timed_out, struct troth_err *e)
{
	const char *why = ERR_reason_error_string(ERR_peek_error());
	if (timed_out)
		return err_set(e, TROTH_TIMEOUT, "the TLS handshake with %s:%d did not end in time", r->host, r->port);
	return err_set(e, TROTH_IO, "the TLS handshake with %s:%d failed: %s", r->host, r->port,
		       why ? why : "the connection was closed");
}

troth_rc probe_tls(struct arena *a, const struct probe_request *r, struct probe_seen *ret, struct troth_err *e)
{
	CLEANUP(look_release) struct look l = { .fd = -1, .deadline = port_mono(&PORT_CLOCK_REAL) + r->timeout };
	struct probe_seen seen = { 0 };
	bool timed_out = false;
	TRY(socket_connect(r->host, r->port, r->timeout, &l.fd, e));
	if (r->starttls == PROBE_POSTGRESQL)
		TRY(ask_postgresql(&l, r, e));
	if (fcntl(l.fd, F_SETFL, fcntl(l.fd, F_GETFL) | O_NONBLOCK) != 0)
		return err_errno(e, errno, "could not prepare the connection to %s:%d", r->host, r->port);
	TRY(look_prepare(&l, r, e));
	ERR_clear_error();
	seen.complete = shake_hands(&l, &timed_out);
	TRY(copy_chain(a, &l, &seen, e));
	if (seen.chain_count == 0)
		return no_chain(r, timed_out, e);
	(void)text_copy(seen.protocol, sizeof seen.protocol, SSL_get_version(l.ssl)); /* longer names are cut */
	if (seen.complete)
		(void)SSL_shutdown(l.ssl); /* a word of farewell; the answer is not awaited */
	*ret = seen;
	return RC_OK;
}
