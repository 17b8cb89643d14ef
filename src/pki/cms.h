/* Bytes sealed for the holder of one certificate: CMS AuthEnvelopedData (RFC 5083), AES-256-GCM.
 *
 * For EC recipients ephemeral ECDH with the SHA-256 KDF (not OpenSSL's default SHA-1), for RSA
 * recipients OAEP with SHA-256.  `openssl cms -decrypt -inform DER` opens it.
 * Not possible: Ed25519 recipients (they cannot agree on a key); refused. */
#ifndef TROTH_PKI_CMS_H
#define TROTH_PKI_CMS_H

#include "pki/key.h"

/* Appends the DER to `out`. */
troth_rc cms_seal(struct bytes recipient_cert_der, struct bytes secret, struct buf *out, struct troth_err *e);
/* Appends the secret to `secret`, a secret buffer.  Anything but AuthEnvelopedData with AES-256-GCM
 * for this certificate is refused, and so is any change of the content or of the wrapped key.  Who
 * sealed it is not shown by this: the channel that carries it must say. */
troth_rc cms_open(const struct key *k, struct bytes cert_der, struct bytes sealed, struct buf *secret,
		  struct troth_err *e);

/* The same for several recipients, any of whom can open it, and for contents of up to LIMIT_BACKUP_BYTES, which are in
 * memory thrice meanwhile.  INVALID names the recipient by its place, from 1. */
troth_rc cms_seal_for(const struct bytes *recipient_certs_der, size_t count, struct bytes contents, struct buf *out, struct troth_err *e);
/* With the key of any recipient; the certificate is not needed. */
troth_rc cms_open_large(const struct key *k, struct bytes sealed, struct buf *contents, struct troth_err *e);

#endif
