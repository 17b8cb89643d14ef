/* Private keys as handles, public keys as SPKI bytes.
 *
 * A key is RSA 2048/3072/4096, ECDSA P-256/P-384 or Ed25519, and nothing else: every other kind,
 * size or curve is refused by name when it is read.  Private keys are read from and written to
 * PKCS#8, PKCS#1 (RSA) and SEC1 (EC) by our own strict DER code, so their numbers never pass
 * through OpenSSL's encoders, which leave copies in the ordinary heap.
 * Not done: encrypted PKCS#8 (refused, with a hint), DSA, other curves, RSA-PSS keys. */
#ifndef TROTH_PKI_KEY_H
#define TROTH_PKI_KEY_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/text.h"

enum key_type {
	KEY_RSA_2048,
	KEY_RSA_3072,
	KEY_RSA_4096,
	KEY_EC_P256,
	KEY_EC_P384,
	KEY_ED25519,
	KEY_TYPE_COUNT
};

/* "rsa-2048" "rsa-3072" "rsa-4096" "ec-p256" "ec-p384" "ed25519" */
const char *key_type_name(enum key_type type);
troth_rc key_type_parse(const char *name, enum key_type *ret_type, struct troth_err *e);

struct key; /* a private key; the caller of key_generate and key_parse releases it */

void key_release(struct key *k);   /* accepts NULL */
void key_releasep(struct key **k); /* for CLEANUP */

/* Makes a key with OpenSSL's random numbers.  RSA-4096 takes seconds (limits.h: the long lane). */
troth_rc key_generate(enum key_type type, struct key **ret_key, struct troth_err *e);
/* Reads PEM (the first private key block; what else is in the text is ignored) or DER: PKCS#8
 * without password, PKCS#1, SEC1.  At most LIMIT_PEM_BYTES in; INVALID with a reason otherwise.
 * The public half is checked to belong to the private one. */
troth_rc key_parse(struct bytes pem_or_der, struct key **ret_key, struct troth_err *e);
/* The same for PKCS#8 DER that key_write made and that was authenticated since (the keeper's own
 * blobs): without the arithmetic checks, which take 100 ms and more for RSA. */
troth_rc key_parse_own(struct bytes pkcs8, struct key **ret_key, struct troth_err *e);

enum key_format {
	KEY_PKCS8_DER,
	KEY_PKCS8_PEM,       /* "BEGIN PRIVATE KEY" */
	KEY_TRADITIONAL_DER, /* RSA: PKCS#1; EC: SEC1; Ed25519 has none and is written as PKCS#8 */
	KEY_TRADITIONAL_PEM, /* "BEGIN RSA PRIVATE KEY", "BEGIN EC PRIVATE KEY" */
};
/* Appends to `out`, which must be a secret buffer (buf_make_secret). */
troth_rc key_write(const struct key *k, enum key_format format, struct buf *out, struct troth_err *e);

enum key_type key_type_of(const struct key *k);
/* The public half as SubjectPublicKeyInfo DER, in arena a. */
troth_rc key_spki(const struct key *k, struct arena *a, struct bytes *ret_spki, struct troth_err *e);
bool key_public_matches(const struct key *k, struct bytes spki);

/* Signs: RSA PKCS#1 v1.5 with SHA-256, ECDSA with SHA-256 (P-256) or SHA-384 (P-384) as DER
 * ECDSA-Sig-Value, Ed25519.  Appends the signature to `out`. */
troth_rc key_sign(const struct key *k, struct bytes data, struct buf *out, struct troth_err *e);

/* -- public keys ---------------------------------------------------------------------------- */
/* Is this one of the key types above, in strict DER, with a sound public key (point on the curve,
 * RSA exponent odd and 3..2^32)? */
troth_rc spki_check(struct bytes spki, enum key_type *ret_type, struct troth_err *e);
/* Checks what key_sign made. INVALID if it is not the signature. */
troth_rc spki_verify(struct bytes spki, struct bytes data, struct bytes signature, struct troth_err *e);
/* SHA-256 of the SPKI: the identity of a key everywhere in troth. */
void spki_id(struct bytes spki, uint8_t out[SHA256_LEN]);

/* SHA-256 of any bytes; here because everyone with a certificate needs it. */
void pki_sha256(struct bytes data, uint8_t out[SHA256_LEN]);
/* HMAC-SHA-256 (RFC 2104).  Compare two with pki_same, which takes as long wherever they differ. */
void pki_hmac_sha256(struct bytes key, struct bytes data, uint8_t out[SHA256_LEN]);
bool pki_same(const uint8_t *x, const uint8_t *y, size_t len);

#endif
