/* What the files of pki/ share about keys and the rest of the tree does not see. */
#ifndef TROTH_PKI_KEY_INTERNAL_H
#define TROTH_PKI_KEY_INTERNAL_H

#include <openssl/evp.h>

#include "pki/der.h"
#include "pki/key.h"

enum {
	KEY_SPKI_MAX = 640,  /* RSA-4096: 550 bytes */
	KEY_POINT_MAX = 97,  /* P-384: 04, x, y */
	KEY_SCALAR_MAX = 48,
	KEY_RSA_NUMBER_MAX = 512,
	KEY_SIGNATURE_MAX = 512,
};

struct key {
	enum key_type type;
	EVP_PKEY *pkey;
	uint8_t spki[KEY_SPKI_MAX]; /* written once, when the key is made or read */
	size_t spki_len;
};

/* One row per key type: all that differs between them. */
struct key_algorithm {
	const char *name;
	struct bytes key_oid;       /* AlgorithmIdentifier of SPKI and PKCS#8 */
	struct bytes curve_oid;     /* its parameter; empty for RSA (NULL) and Ed25519 (absent) */
	struct bytes signature_oid; /* of what the key signs */
	const char *group, *digest; /* OpenSSL's names; NULL where there is none */
	int rsa_bits;               /* 0 for the others */
	size_t field_len;           /* EC: bytes of a coordinate */
};
const struct key_algorithm *key_algorithm_of(enum key_type type);
static inline bool key_is_rsa(enum key_type t) { return t <= KEY_RSA_4096; }
static inline bool key_is_ec(enum key_type t) { return t == KEY_EC_P256 || t == KEY_EC_P384; }

/* Writes the AlgorithmIdentifier of the key, or of its signatures. */
void key_write_algorithm(struct buf *w, enum key_type type);
void key_write_signature_algorithm(struct buf *w, enum key_type type);

/* The AlgorithmIdentifier at the cursor: one of ours, or INVALID.  For RSA the size is not known yet:
 * *ret_type is KEY_RSA_2048 and rsa_type_of_modulus says the rest. */
troth_rc key_read_algorithm(struct bytes *in, enum key_type *ret_type, struct troth_err *e);
troth_rc rsa_type_of_modulus(struct bytes modulus, enum key_type *ret_type, struct troth_err *e);

/* The numbers of a private key; they point into the caller's secret buffer. */
struct key_numbers {
	enum key_type type;
	struct bytes rsa[8]; /* n e d p q dp dq qinv, as in PKCS#1 */
	struct bytes scalar; /* EC, padded to the field; Ed25519: the seed */
	struct bytes point;  /* EC: uncompressed, or empty if the file had none */
};
/* key_der.c: PKCS#8, PKCS#1 or SEC1 DER to numbers, and back. */
troth_rc key_numbers_read(struct bytes der, struct key_numbers *ret, struct troth_err *e);
void key_numbers_write_pkcs8(const struct key_numbers *k, struct buf *w);
void key_numbers_write_traditional(const struct key_numbers *k, struct buf *w);

/* spki.c */
void spki_write_rsa(struct buf *w, enum key_type type, struct bytes modulus, struct bytes exponent);
void spki_write_point(struct buf *w, enum key_type type, struct bytes point);
/* The public key as OpenSSL's handle; the caller frees it. */
troth_rc spki_load(struct bytes spki, enum key_type *ret_type, EVP_PKEY **ret_pkey, struct troth_err *e);

/* OpenSSL's own last word behind ours; empties its error queue. */
troth_rc err_openssl(struct troth_err *e, enum troth_kind kind, const char *what);

static inline void evp_pkey_freep(EVP_PKEY **p) { EVP_PKEY_free(*p); }

#endif
