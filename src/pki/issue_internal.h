/* Between issue.c and its test: the extensions, one by one. */
#ifndef TROTH_PKI_ISSUE_INTERNAL_H
#define TROTH_PKI_ISSUE_INTERNAL_H

#include "pki/issue.h"

/* The bits of keyUsage that the certificate gets for its key. */
unsigned issue_key_usage(const struct cert_spec *spec, enum key_type type);
/* RFC 7093 section 2 method 1: the left 160 bits of SHA-256 over the key bits. */
void issue_key_identifier(struct bytes spki, uint8_t out[20]);

#endif
