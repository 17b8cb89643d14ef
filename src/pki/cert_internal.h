/* OpenSSL's certificate handle, for the files of pki/ that ask it questions. */
#ifndef TROTH_PKI_CERT_INTERNAL_H
#define TROTH_PKI_CERT_INTERNAL_H

#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

/* Exactly one certificate, bounded; the caller frees it. */
troth_rc x509_load(struct bytes der, X509 **ret_x509, struct troth_err *e);
/* RFC 2253 text of a name, UTF-8 as it is, control characters escaped; in arena a. */
const char *x509_name_text(struct arena *a, const X509_NAME *name);
/* SAN only, never CN; addresses against iPAddress, all else against dNSName. */
bool x509_host_matches(X509 *x, const char *host);

static inline void x509_freep(X509 **x) { X509_free(*x); }

#endif
