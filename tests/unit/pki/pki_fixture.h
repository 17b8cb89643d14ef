/* What the tests of pki/ share: keys of every type, and a small PKI made in three lines. */
#ifndef TROTH_PKI_FIXTURE_H
#define TROTH_PKI_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/limits.h"
#include "pki/pki.h"
#include "test_keys.h"

#define FIXTURE_NOW (INT64_C(1795000000) * MSEC_S) /* November 2026 */
static msec_t fixture_now = FIXTURE_NOW; /* a test that asks programs that look at the clock sets it */

#define assert_rc_ok(call)                                                                         \
	do {                                                                                       \
		struct troth_err err_ = { 0 };                                                     \
		struct troth_err *e = &err_;                                                       \
		troth_rc rc_ = (call);                                                             \
		if (rc_failed(rc_))                                                                \
			fail_msg("%s: %s (%s)", #call, err_.primary, err_.detail);                 \
	} while (0)

/* The call fails with INVALID-like `kind` and its primary line contains `text`. */
#define assert_refused(call, want_kind, text)                                                      \
	do {                                                                                       \
		struct troth_err err_ = { 0 };                                                     \
		struct troth_err *e = &err_;                                                       \
		troth_rc rc_ = (call);                                                             \
		assert_true(rc_failed(rc_));                                                       \
		assert_int_equal(err_.kind, want_kind);                                            \
		if (!strstr(err_.primary, text))                                                   \
			fail_msg("\"%s\" is not in \"%s\"", text, err_.primary);                   \
	} while (0)

static inline struct key *fixture_key(enum key_type type)
{
	static const char *const rsa[] = { TEST_RSA_2048, TEST_RSA_3072, TEST_RSA_4096 };
	struct key *k = NULL;
	if (type <= KEY_RSA_4096)
		assert_rc_ok(key_parse(bytes_of_text(rsa[type]), &k, e));
	else
		assert_rc_ok(key_generate(type, &k, e));
	return k;
}

static inline struct cert_spec fixture_spec(struct arena *a, enum cert_kind kind, const char *name, const struct key *k)
{
	static uint8_t counter;
	struct cert_spec s = { .kind = kind, .common_name = name, .organization = "Troth Test",
			       .not_before = fixture_now - CERT_BACKDATE, .path_len = -1 };
	s.not_after = fixture_now + (kind == CERT_ROOT ? 3650 : kind == CERT_INTERMEDIATE ? 1800 : 90) * MSEC_DAY;
	s.eku = kind == CERT_LEAF ? EKU_SERVER | EKU_CLIENT : 0;
	memset(s.serial, 0xa5, sizeof s.serial);
	s.serial[15] = ++counter;
	assert_rc_ok(key_spki(k, a, &s.spki, e));
	return s;
}

static inline const struct cert *fixture_build(struct arena *a, const struct cert_spec *s, const struct cert *issuer,
					       const struct key *issuer_key)
{
	struct bytes der;
	const struct cert *c = NULL;
	assert_rc_ok(cert_build(s, issuer, issuer_key, a, &der, e));
	assert_rc_ok(cert_parse(a, der, &c, e));
	return c;
}

static inline const struct cert *fixture_root(struct arena *a, const char *name, const struct key *k)
{
	struct cert_spec s = fixture_spec(a, CERT_ROOT, name, k);
	return fixture_build(a, &s, NULL, k);
}

static inline const struct cert *fixture_ca(struct arena *a, const char *name, const struct key *k,
					    const struct cert *issuer, const struct key *issuer_key)
{
	struct cert_spec s = fixture_spec(a, CERT_INTERMEDIATE, name, k);
	return fixture_build(a, &s, issuer, issuer_key);
}

static inline const struct cert *fixture_leaf(struct arena *a, const char *host, const struct key *k,
					      const struct cert *issuer, const struct key *issuer_key)
{
	struct cert_spec s = fixture_spec(a, CERT_LEAF, host, k);
	struct san *san = ARENA_NEW(a, struct san);
	*san = (struct san){ SAN_DNS, host };
	s.sans = san;
	s.san_count = 1;
	return fixture_build(a, &s, issuer, issuer_key);
}

#endif
