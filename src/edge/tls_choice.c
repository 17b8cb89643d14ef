/* One listener, two certificates: see tls_choice.h.
 *
 * The choice is made in OpenSSL's certificate callback, when the whole ClientHello has been read.  What it needs belongs to
 * the context and goes with it; a connection that began under an older context ends under that one. */
#include "edge/tls_choice.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>

#include "base/limits.h"
#include "model/name.h"
#include "pki/pki.h"

struct choice {
	struct arena *a;
	const struct cert *own, *brought; /* parsed, for their names */
	X509_NAME *own_ca;
	X509 *leaf;
	STACK_OF(X509) *chain;
	EVP_PKEY *key;
};

static void choice_free(struct choice *c)
{
	if (!c)
		return;
	X509_NAME_free(c->own_ca);
	X509_free(c->leaf);
	sk_X509_pop_free(c->chain, X509_free);
	EVP_PKEY_free(c->key);
	arena_free(c->a);
	free(c);
}

static void choice_freep(struct choice **c) { choice_free(*c); }

/* -- with the context it goes ----------------------------------------------------------------------------------- */
static void on_context_freed(void *parent, void *self, CRYPTO_EX_DATA *data, int index, long arg_long, void *arg)
{
	choice_free(self);
}

static int choice_index;
static void make_index(void) { choice_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, on_context_freed); }

static troth_rc give_to(SSL_CTX *ctx, struct choice *c, struct troth_err *e)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	(void)pthread_once(&once, make_index); /* fails for wrong arguments only */
	ENSURE(choice_index >= 0 && SSL_CTX_set_ex_data(ctx, choice_index, c) == 1, e, TROTH_UNAVAILABLE, "out of memory");
	return RC_OK;
}

/* -- choosing ---------------------------------------------------------------------------------------------------- */
static bool names_own_ca(const SSL *ssl, const struct choice *c)
{
	const STACK_OF(X509_NAME) *named = SSL_get0_peer_CA_list(ssl);
	for (int i = 0; i < sk_X509_NAME_num(named); i++) /* -1 of NULL */
		if (X509_NAME_cmp(sk_X509_NAME_value(named, i), c->own_ca) == 0)
			return true;
	return false;
}

/* The address of ours that it came to, as text. */
static bool local_address(const SSL *ssl, char out[INET6_ADDRSTRLEN])
{
	struct sockaddr_storage at = { 0 };
	socklen_t len = sizeof at;
	if (getsockname(SSL_get_fd(ssl), (struct sockaddr *)&at, &len) != 0)
		return false;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&at;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&at;
	if (at.ss_family == AF_INET)
		return inet_ntop(AF_INET, &v4->sin_addr, out, INET6_ADDRSTRLEN);
	if (at.ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		return inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, out, INET6_ADDRSTRLEN);
	return at.ss_family == AF_INET6 && inet_ntop(AF_INET6, &v6->sin6_addr, out, INET6_ADDRSTRLEN);
}

static bool wants_own(const SSL *ssl, const struct choice *c)
{
	char address[INET6_ADDRSTRLEN];
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	if (names_own_ca(ssl, c))
		return true;
	if (!name && local_address(ssl, address))
		name = address;
	return name && !cert_host_matches(c->brought, name) && cert_host_matches(c->own, name);
}

/* 0 ends the handshake. */
static int on_certificate(SSL *ssl, void *self)
{
	const struct choice *c = self;
	if (wants_own(ssl, c))
		return 1;
	SSL_certs_clear(ssl); /* or the one of another key type stays beside it */
	return SSL_use_cert_and_key(ssl, c->leaf, c->key, c->chain, 1) == 1;
}

/* -- the brought one ----------------------------------------------------------------------------------------------- */
static int no_passphrase(char *out, int size, int writing, void *self) { return -1; }
static void bio_release(BIO **b) { BIO_free(*b); }

static troth_rc load_chain(struct choice *c, struct bytes pem, struct troth_err *e)
{
	CLEANUP(bio_release) BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	c->chain = sk_X509_new_null();
	ENSURE(bio && c->chain, e, TROTH_UNAVAILABLE, "out of memory");
	c->leaf = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
	for (int n = 0; c->leaf && n < LIMIT_CHAIN_CERTS; n++) {
		X509 *ca = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
		if (!ca)
			break;
		if (sk_X509_push(c->chain, ca) <= 0) {
			X509_free(ca);
			return err_set(e, TROTH_UNAVAILABLE, "out of memory");
		}
	}
	ERR_clear_error(); /* the end of the PEM is an "error" to OpenSSL */
	ENSURE(c->leaf, e, TROTH_INVALID, "could not use the TLS certificate that was brought");
	return RC_OK;
}

static troth_rc load_key(struct choice *c, const struct buf *pem, struct troth_err *e)
{
	CLEANUP(bio_release) BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
	ENSURE(bio, e, TROTH_UNAVAILABLE, "out of memory");
	c->key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	bool fits = c->key && X509_check_private_key(c->leaf, c->key) == 1;
	ERR_clear_error();
	ENSURE(fits, e, TROTH_INVALID, "the TLS key that was brought cannot be used with its certificate");
	return RC_OK;
}

/* Would a handshake take it?  OpenSSL refuses some keys and signatures only when they are used. */
static troth_rc try_it(const SSL_CTX *ctx, const struct choice *c, struct troth_err *e)
{
	SSL_CTX *scratch = SSL_CTX_new(SSL_CTX_get_ssl_method(ctx));
	bool taken = scratch && SSL_CTX_use_cert_and_key(scratch, c->leaf, c->key, c->chain, 1) == 1;
	const char *why = ERR_reason_error_string(ERR_peek_last_error());
	SSL_CTX_free(scratch);
	troth_rc rc = taken ? RC_OK : err_set(e, TROTH_INVALID, "TLS does not take the certificate that was brought: %s", why ? why : "no reason given");
	ERR_clear_error();
	return rc;
}

static troth_rc load_names(struct choice *c, const struct edge_tls *tls, struct troth_err *e)
{
	const struct cert *const *own, *const *brought;
	size_t n;
	TRY(certs_parse_pem(c->a, tls->cert_pem, &own, &n, e));
	TRY(certs_parse_pem(c->a, tls->brought_pem, &brought, &n, e));
	c->own = own[0];
	c->brought = brought[0];
	const unsigned char *p = c->own->issuer_der.data;
	c->own_ca = d2i_X509_NAME(NULL, &p, (long)c->own->issuer_der.len);
	ENSURE(c->own_ca, e, TROTH_INVALID, "could not read who issued the TLS certificate");
	return RC_OK;
}

troth_rc tls_choice_offer(SSL_CTX *ctx, const struct edge_tls *tls, struct troth_err *e)
{
	if (!tls->brought_pem.len)
		return RC_OK;
	CLEANUP(choice_freep) struct choice *c = calloc(1, sizeof *c);
	ENSURE(c, e, TROTH_UNAVAILABLE, "out of memory");
	c->a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	TRY(load_names(c, tls, e));
	TRY(load_chain(c, tls->brought_pem, e));
	TRY(load_key(c, tls->brought_key, e));
	TRY(try_it(ctx, c, e));
	TRY(give_to(ctx, c, e));
	SSL_CTX_set_cert_cb(ctx, on_certificate, c);
	c = NULL;
	return RC_OK;
}

/* -- the client's part --------------------------------------------------------------------------------------------- */
static troth_rc name_every_server(SSL_CTX *ctx, struct troth_err *e)
{
	STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
	X509_NAME *name = X509_NAME_new();
	if (names && name && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)NAME_SERVER_CA, -1, -1, 0) == 1 &&
	    sk_X509_NAME_push(names, name) > 0) {
		SSL_CTX_set0_CA_list(ctx, names);
		return RC_OK;
	}
	X509_NAME_free(name);
	sk_X509_NAME_free(names);
	return err_set(e, TROTH_UNAVAILABLE, "out of memory");
}

static troth_rc name_anchors(SSL_CTX *ctx, struct troth_err *e)
{
	const STACK_OF(X509_OBJECT) *all = X509_STORE_get0_objects(SSL_CTX_get_cert_store(ctx));
	if (sk_X509_OBJECT_num(all) > LIMIT_TLS_CAS_NAMED)
		return RC_OK;
	for (int i = 0; i < sk_X509_OBJECT_num(all); i++) {
		const X509 *anchor = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));
		ENSURE(!anchor || SSL_CTX_add1_to_CA_list(ctx, anchor) == 1, e, TROTH_UNAVAILABLE, "out of memory");
	}
	return RC_OK;
}

troth_rc tls_choice_ask(SSL_CTX *ctx, bool pinned, struct troth_err *e)
{
	/* Only TLS 1.3 has the extension.  A machine whose OpenSSL is told to speak less to the world speaks it to its server. */
	SSL_CTX_set_max_proto_version(ctx, 0);
	SSL_CTX_clear_options(ctx, SSL_OP_NO_TLSv1_3);
	return pinned ? name_every_server(ctx, e) : name_anchors(ctx, e);
}
