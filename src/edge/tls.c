/* Building SSL_CTXs from bytes, never from paths that change under us. */
#include "edge/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/limits.h"
#include "edge/tls_choice.h"
#include "pki/pki.h"
#include "port/port.h"

enum { TLS_CAS = LIMIT_BUNDLE_CERTS };

static void bio_release(BIO **b) { BIO_free(*b); }
static void x509_release(X509 **x) { X509_free(*x); }
static void pkey_release(EVP_PKEY **k) { EVP_PKEY_free(*k); }
static void ctx_release(SSL_CTX **c) { SSL_CTX_free(*c); }

static troth_rc openssl_error(struct troth_err *e, enum troth_kind kind, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;
	troth_rc rc = err_set(e, kind, "%s: %s", what, reason ? reason : "no reason given");
	ERR_clear_error();
	return rc;
}

/* A PEM file with a pass phrase must not make a server wait at a terminal. */
static int no_passphrase(char *out, int size, int writing, void *self)
{
	return -1;
}

static troth_rc context_new(const SSL_METHOD *method, SSL_CTX **ret, struct troth_err *e)
{
	SSL_CTX *ctx = SSL_CTX_new(method);
	if (!ctx)
		return openssl_error(e, TROTH_UNAVAILABLE, "could not make a TLS context");
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	/* limits.md section 4: 26 KiB a connection instead of 43 */
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
					 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_CLEANSE_PLAINTEXT);
	*ret = ctx;
	return RC_OK;
}

static troth_rc use_certificates(SSL_CTX *ctx, struct bytes pem, struct troth_err *e)
{
	CLEANUP(bio_release) BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	ENSURE(bio, e, TROTH_UNAVAILABLE, "out of memory");
	CLEANUP(x509_release) X509 *leaf = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
	if (!leaf || SSL_CTX_use_certificate(ctx, leaf) != 1)
		return openssl_error(e, TROTH_INVALID, "could not use the TLS certificate");
	for (int n = 0; n < LIMIT_CHAIN_CERTS; n++) {
		CLEANUP(x509_release) X509 *ca = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
		if (!ca)
			break;
		if (SSL_CTX_add1_chain_cert(ctx, ca) != 1)
			return openssl_error(e, TROTH_INVALID, "could not use the TLS chain");
	}
	ERR_clear_error(); /* the end of the PEM is an "error" to OpenSSL */
	return RC_OK;
}

static troth_rc use_key(SSL_CTX *ctx, const struct buf *pem, struct troth_err *e)
{
	CLEANUP(bio_release) BIO *bio = BIO_new_mem_buf(pem->data, (int)pem->len);
	ENSURE(bio, e, TROTH_UNAVAILABLE, "out of memory");
	CLEANUP(pkey_release) EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	if (!key || SSL_CTX_use_PrivateKey(ctx, key) != 1 || SSL_CTX_check_private_key(ctx) != 1)
		return openssl_error(e, TROTH_INVALID, "the TLS key cannot be used with its certificate");
	return RC_OK;
}

static troth_rc add_anchor(SSL_CTX *ctx, X509 *ca, bool ask, struct troth_err *e)
{
	if (X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca) != 1)
		return openssl_error(e, TROTH_INVALID, "could not trust a CA");
	if (ask && SSL_CTX_add_client_CA(ctx, ca) != 1)
		return openssl_error(e, TROTH_INVALID, "could not ask for a CA");
	return RC_OK;
}

/* An intermediate that was given as an anchor is one. */
static void accept_partial_chains(SSL_CTX *ctx)
{
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), X509_V_FLAG_PARTIAL_CHAIN);
}

static troth_rc use_client_cas(SSL_CTX *ctx, const struct bytes *ders, size_t n, struct troth_err *e)
{
	ENSURE(n <= TLS_CAS, e, TROTH_TOO_LARGE, "%zu client CAs; at most %d are accepted", n, TLS_CAS);
	for (size_t i = 0; i < n; i++) {
		const unsigned char *p = ders[i].data;
		CLEANUP(x509_release) X509 *ca = d2i_X509(NULL, &p, (long)ders[i].len);
		if (!ca)
			return openssl_error(e, TROTH_INVALID, "could not read a client CA");
		TRY(add_anchor(ctx, ca, true, e));
	}
	accept_partial_chains(ctx);
	/* Without FAIL_IF_NO_PEER_CERT: a caller may come with a bearer token instead. */
	SSL_CTX_set_verify(ctx, n ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	return RC_OK;
}

static troth_rc server_fill(SSL_CTX *ctx, const struct edge_tls *tls, struct troth_err *e)
{
	static const unsigned char context_id[] = "troth"; /* asked for by OpenSSL whenever peers are verified */
	TRY(use_certificates(ctx, tls->cert_pem, e));
	TRY(use_key(ctx, tls->key_pem, e));
	TRY(tls_choice_offer(ctx, tls, e));
	TRY(use_client_cas(ctx, tls->client_cas, tls->client_ca_count, e));
	if (SSL_CTX_set_session_id_context(ctx, context_id, sizeof context_id - 1) != 1)
		return openssl_error(e, TROTH_INTERNAL, "could not set the TLS session context");
	return RC_OK;
}

troth_rc tls_server_context(const struct edge_tls *tls, SSL_CTX **ret, struct troth_err *e)
{
	CLEANUP(ctx_release) SSL_CTX *ctx = NULL;
	TRY(context_new(TLS_server_method(), &ctx, e));
	TRY(server_fill(ctx, tls, e));
	*ret = ctx;
	ctx = NULL;
	return RC_OK;
}

/* -- client ------------------------------------------------------------------------------------ */
static troth_rc use_anchors(SSL_CTX *ctx, struct bytes pem, struct troth_err *e)
{
	CLEANUP(bio_release) BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
	ENSURE(bio, e, TROTH_UNAVAILABLE, "out of memory");
	int n = 0;
	for (; n < TLS_CAS; n++) {
		CLEANUP(x509_release) X509 *ca = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
		if (!ca)
			break;
		TRY(add_anchor(ctx, ca, false, e));
	}
	ERR_clear_error();
	ENSURE(n > 0, e, TROTH_INVALID, "the server's CA file holds no certificate");
	return RC_OK;
}

/* The certificate of the peer's chain whose SHA-256 is the pin; borrowed. */
static X509 *find_pinned(STACK_OF(X509) *chain, const uint8_t pin[SHA256_LEN])
{
	for (int i = 0; i < sk_X509_num(chain); i++) { /* -1 of NULL */
		X509 *x = sk_X509_value(chain, i);
		unsigned char digest[EVP_MAX_MD_SIZE];
		unsigned len = 0;
		if (X509_digest(x, EVP_sha256(), digest, &len) == 1 && len == SHA256_LEN &&
		    memcmp(digest, pin, SHA256_LEN) == 0)
			return x;
	}
	return NULL;
}

/* pki's own rule, the one that everyone in the program uses: SANs only, never the CN (RFC 9525 6.3). */
static bool host_matches(X509 *leaf, const char *host)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	const struct cert *c;
	int len = leaf ? i2d_X509(leaf, NULL) : 0;
	if (len <= 0 || len > LIMIT_CERT_DER_BYTES)
		return false;
	unsigned char *der = arena_alloc(a, (size_t)len), *end = der;
	i2d_X509(leaf, &end);
	return rc_ok(cert_parse(a, bytes_of(der, (size_t)len), &c, NULL)) && cert_host_matches(c, host);
}

/* Enrolment: the only anchor is the CA with the fingerprint; all other checks (dates, purpose, name) stay. */
static int verify_pinned(X509_STORE_CTX *sc, const uint8_t *pin)
{
	X509 *pinned = find_pinned(X509_STORE_CTX_get0_untrusted(sc), pin);
	if (!pinned) {
		X509_STORE_CTX_set_error(sc, X509_V_ERR_CERT_UNTRUSTED);
		return 0;
	}
	STACK_OF(X509) *anchors = sk_X509_new_null();
	int ok = 0;
	if (anchors && sk_X509_push(anchors, pinned) > 0) {
		X509_STORE_CTX_set0_trusted_stack(sc, anchors);
		ok = X509_verify_cert(sc);
	}
	sk_X509_free(anchors);
	return ok;
}

/* `pin` NULL: by the context's anchors. */
static int verify_server(X509_STORE_CTX *sc, void *pin)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(sc, SSL_get_ex_data_X509_STORE_CTX_idx());
	int ok = pin ? verify_pinned(sc, pin) : X509_verify_cert(sc);
	if (ok > 0 && !host_matches(X509_STORE_CTX_get0_cert(sc), SSL_get_app_data(ssl))) {
		X509_STORE_CTX_set_error(sc, X509_V_ERR_HOSTNAME_MISMATCH);
		ok = 0;
	}
	return ok;
}

static bool is_anchor(X509_STORE_CTX *sc, const X509 *x)
{
	const STACK_OF(X509_OBJECT) *all = X509_STORE_get0_objects(X509_STORE_CTX_get0_store(sc));
	for (int i = 0; i < sk_X509_OBJECT_num(all); i++) {
		const X509 *anchor = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));
		if (anchor && X509_cmp(anchor, x) == 0)
			return true;
	}
	return false;
}

/* Of all that OpenSSL finds wrong, one thing is forgiven: the end of an anchor of ours, above the leaf. */
static int forgive_old_anchor(int ok, X509_STORE_CTX *sc)
{
	if (ok || X509_STORE_CTX_get_error(sc) != X509_V_ERR_CERT_HAS_EXPIRED || X509_STORE_CTX_get_error_depth(sc) == 0 ||
	    !is_anchor(sc, X509_STORE_CTX_get_current_cert(sc)))
		return ok;
	X509_STORE_CTX_set_error(sc, X509_V_OK);
	return 1;
}

static int verify_by_old_anchors(X509_STORE_CTX *sc, void *none)
{
	X509_STORE_CTX_set_verify_cb(sc, forgive_old_anchor);
	return verify_server(sc, none);
}

static troth_rc use_own_certificate(SSL_CTX *ctx, const char *cert_file, const char *key_file, struct troth_err *e)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(2 * LIMIT_PEM_BYTES);
	CLEANUP(buf_release) struct buf key = buf_make_secret(0);
	struct bytes pem;
	TRY(file_read(a, cert_file, LIMIT_PEM_BYTES, &pem, e));
	TRY(file_read_secret(key_file, LIMIT_PEM_BYTES, &key, e));
	TRY(use_certificates(ctx, pem, e));
	return use_key(ctx, &key, e);
}

troth_rc tls_client_context(const struct http_client_config *config, const uint8_t *pin, SSL_CTX **ret, struct troth_err *e)
{
	CLEANUP(ctx_release) SSL_CTX *ctx = NULL;
	TRY(context_new(TLS_client_method(), &ctx, e));
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	accept_partial_chains(ctx);
	if (config->old_anchors && !config->pinned)
		SSL_CTX_set_cert_verify_callback(ctx, verify_by_old_anchors, NULL);
	else
		SSL_CTX_set_cert_verify_callback(ctx, verify_server, config->pinned ? (void *)pin : NULL);
	if (config->system_anchors)
		ENSURE(SSL_CTX_set_default_verify_paths(ctx) == 1, e, TROTH_UNAVAILABLE, "the system's list of CAs cannot be used");
	else if (!config->pinned)
		TRY(use_anchors(ctx, config->ca_pem, e));
	if (!config->foreign)
		TRY(tls_choice_ask(ctx, config->pinned, e));
	if (config->cert_file)
		TRY(use_own_certificate(ctx, config->cert_file, config->key_file, e));
	*ret = ctx;
	ctx = NULL;
	return RC_OK;
}

troth_rc tls_client_connection(SSL_CTX *ctx, const char *host, bool is_address, SSL **ret, struct troth_err *e)
{
	SSL *ssl = SSL_new(ctx);
	ENSURE(ssl, e, TROTH_UNAVAILABLE, "out of memory");
	if (SSL_set_app_data(ssl, (void *)host) != 1 || (!is_address && SSL_set_tlsext_host_name(ssl, host) != 1)) {
		SSL_free(ssl);
		return openssl_error(e, TROTH_INVALID, "the server's name cannot be asked for");
	}
	*ret = ssl;
	return RC_OK;
}

troth_rc tls_handshake_error(const SSL *ssl, unsigned long openssl_error_code, struct troth_err *e)
{
	long verify = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;
	if (verify != X509_V_OK) {
		troth_rc rc = err_set(e, TROTH_UNAUTHENTICATED, "the server's certificate does not verify: %s",
				      X509_verify_cert_error_string(verify));
		err_hint(e, "is this the right server, and does the CA file (or fingerprint) belong to it?");
		return rc;
	}
	const char *reason = openssl_error_code ? ERR_reason_error_string(openssl_error_code) : NULL;
	if (!reason)
		return err_set(e, TROTH_UNAVAILABLE, "the TLS handshake was broken off");
	bool alert = ERR_GET_REASON(openssl_error_code) >= SSL_AD_REASON_OFFSET; /* the peer's words */
	troth_rc rc = err_set(e, alert ? TROTH_UNAUTHENTICATED : TROTH_UNAVAILABLE, "the TLS handshake failed: %s", reason);
	if (alert)
		err_hint(e, "the other side refused; its log says why");
	return rc;
}
