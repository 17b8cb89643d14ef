/* Certificates that somebody else issued: a root, an intermediate, a leaf with its key, all as PEM. */
#ifndef TEST_SERVICE_BROUGHT_H
#define TEST_SERVICE_BROUGHT_H

#include "fleet.h"

#include "pki/pki.h"
#include "service/intake/upload.h"

struct brought {
	const char *root, *inter, *leaf, *key;
};

struct brought_wish {
	const char *san;      /* "svc-0.example" */
	enum san_kind kind;   /* of that */
	const char *name;     /* of the root; NULL: "Corporate" */
	unsigned eku;         /* 0: server */
	msec_t from, until;   /* relative to now; 0: an hour ago, 60 days */
	msec_t inter_until;   /* the same of the intermediate; 0: 1000 days.  The leaf may outlive it: not everybody checks */
};

static inline struct bytes brought_sign(struct arena *a, struct cert_spec spec, const struct key *own, const struct cert *issuer,
					const struct key *issuer_key)
{
	struct troth_err e = { 0 };
	struct bytes der;
	static uint8_t serial;
	assert_true(rc_ok(key_spki(own, a, &spec.spki, &e)));
	memset(spec.serial, 7, sizeof spec.serial);
	spec.serial[1] = ++serial;
	if (rc_failed(cert_build(&spec, issuer, issuer_key, a, &der, &e)))
		fail_msg("%s", e.primary);
	return der;
}

static inline struct key *brought_key(void)
{
	struct key *k;
	struct troth_err e = { 0 };
	assert_true(rc_ok(key_generate(KEY_EC_P256, &k, &e)));
	return k;
}

static inline struct brought brought_make(struct arena *a, msec_t now, struct brought_wish w)
{
	CLEANUP(key_releasep) struct key *rk = brought_key(), *ik = brought_key(), *lk = brought_key();
	CLEANUP(buf_release) struct buf pem = buf_make_secret(LIMIT_PEM_BYTES);
	struct troth_err e = { 0 };
	const struct cert *root, *inter;
	struct san san = { w.kind, w.san ? w.san : "svc-0.example" };
	struct bytes der = brought_sign(a, (struct cert_spec){ .kind = CERT_ROOT, .common_name = w.name ? w.name : "Corporate", .path_len = -1,
		.not_before = now - MSEC_DAY, .not_after = now + 3650 * MSEC_DAY }, rk, NULL, rk);
	assert_true(rc_ok(cert_parse(a, der, &root, &e)));
	der = brought_sign(a, (struct cert_spec){ .kind = CERT_INTERMEDIATE, .common_name = "Issuing", .path_len = 0,
		.not_before = now - MSEC_DAY, .not_after = now + (w.inter_until ? w.inter_until : 1000 * MSEC_DAY) }, ik, root, rk);
	assert_true(rc_ok(cert_parse(a, der, &inter, &e)));
	struct cert lenient = *inter;
	lenient.not_after = root->not_after;
	der = brought_sign(a, (struct cert_spec){ .kind = CERT_LEAF, .common_name = "svc", .sans = &san, .san_count = 1, .path_len = -1,
		.eku = w.eku ? w.eku : EKU_SERVER, .not_before = now + (w.from ? w.from : -MSEC_HOUR),
		.not_after = now + (w.until ? w.until : 60 * MSEC_DAY) }, lk, &lenient, ik);
	assert_true(rc_ok(key_write(lk, KEY_PKCS8_PEM, &pem, &e)));
	return (struct brought){ cert_pem(a, root->der), cert_pem(a, inter->der), cert_pem(a, der), arena_text(a, buf_text(&pem)) };
}

#endif
