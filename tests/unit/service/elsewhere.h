/* Somebody else's CA: a root with its key, perhaps a CA below it, and what they sign. */
#ifndef TEST_SERVICE_ELSEWHERE_H
#define TEST_SERVICE_ELSEWHERE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "pki/pki.h"

struct elsewhere {
	struct key *key;
	const struct cert *cert;
	const char *pem;
};

/* What is signed; zeros: a CA of path length 0, from an hour ago, for two years. */
struct elsewhere_wish {
	const char *name;       /* NULL: the request's */
	enum cert_kind kind;    /* 0: CERT_INTERMEDIATE */
	int path_len;           /* -1: any */
	msec_t from, until;     /* relative to now; 0 as above */
};

static inline struct bytes elsewhere_build(struct arena *a, struct cert_spec spec, const struct cert *issuer, const struct key *key)
{
	static uint8_t serial;
	struct troth_err e = { 0 };
	struct bytes der;
	memset(spec.serial, 5, sizeof spec.serial);
	spec.serial[1] = ++serial;
	if (rc_failed(cert_build(&spec, issuer, key, a, &der, &e)))
		fail_msg("%s", e.primary);
	return der;
}

/* `domain`: the one that it permits names of, or NULL. */
static inline struct elsewhere elsewhere_narrow(struct arena *a, msec_t now, const char *name, int path_len, const struct elsewhere *issuer,
						const char *domain)
{
	struct elsewhere x;
	struct troth_err e = { 0 };
	struct cert_spec spec = { .kind = issuer ? CERT_INTERMEDIATE : CERT_ROOT, .common_name = name, .path_len = path_len,
				  .not_before = now - MSEC_DAY, .not_after = now + 3650 * MSEC_DAY,
				  .permitted_dns = &domain, .permitted_dns_count = domain ? 1 : 0 };
	assert_true(rc_ok(key_generate(KEY_EC_P256, &x.key, &e)));
	assert_true(rc_ok(key_spki(x.key, a, &spec.spki, &e)));
	struct bytes der = elsewhere_build(a, spec, issuer ? issuer->cert : NULL, issuer ? issuer->key : x.key);
	assert_true(rc_ok(cert_parse(a, der, &x.cert, &e)));
	x.pem = cert_pem(a, x.cert->der);
	return x;
}

static inline struct elsewhere elsewhere_below(struct arena *a, msec_t now, const char *name, int path_len, const struct elsewhere *issuer)
{
	return elsewhere_narrow(a, now, name, path_len, issuer, NULL);
}

static inline struct elsewhere elsewhere_root(struct arena *a, msec_t now, const char *name)
{
	return elsewhere_below(a, now, name, -1, NULL);
}

static inline const char *elsewhere_key_pem(struct arena *a, const struct elsewhere *x)
{
	CLEANUP(buf_release) struct buf pem = buf_make_secret(LIMIT_KEY_DER_BYTES);
	assert_true(rc_ok(key_write(x->key, KEY_PKCS8_PEM, &pem, NULL)));
	return arena_text(a, buf_text(&pem));
}

/* The request, signed. */
static inline const char *elsewhere_sign(struct arena *a, msec_t now, const struct elsewhere *by, const char *csr_text,
					 struct elsewhere_wish w)
{
	struct troth_err e = { 0 };
	struct csr csr;
	assert_true(rc_ok(csr_parse(a, bytes_of_text(csr_text), &csr, &e)));
	struct cert_spec spec = { .kind = w.kind ? w.kind : CERT_INTERMEDIATE, .common_name = w.name ? w.name : csr.subject + 3,
				  .path_len = w.path_len, .spki = csr.spki, .not_before = now + (w.from ? w.from : -MSEC_HOUR),
				  .not_after = now + (w.until ? w.until : 730 * MSEC_DAY) };
	return cert_pem(a, elsewhere_build(a, spec, by->cert, by->key));
}

#endif
