/* Between issue.c and its test: the extensions, one by one. */
#ifndef TROTH_PKI_ISSUE_INTERNAL_H
#define TROTH_PKI_ISSUE_INTERNAL_H

#include "pki/issue.h"

/* The bits of keyUsage that a certificate of this kind gets for this key. */
unsigned issue_key_usage(enum cert_kind kind, enum key_type type);
/* RFC 7093 section 2 method 1: the left 160 bits of SHA-256 over the key bits. */
void issue_key_identifier(struct bytes spki, uint8_t out[20]);

#endif
