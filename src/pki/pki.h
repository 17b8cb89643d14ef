/* The door of pki/: keys, certificates, requests, chains, sealing.
 *
 * Everything here is a function of its arguments: no clock, no files, no state.  Randomness is
 * OpenSSL's for keys and signatures, and the caller's for serial numbers.  This is the only folder
 * that includes OpenSSL's X.509. */
#ifndef TROTH_PKI_PKI_H
#define TROTH_PKI_PKI_H

#include "pki/cert.h"   /* certificates as read */
#include "pki/cms.h"    /* bytes sealed for one certificate */
#include "pki/constraints.h" /* names that may stand below a CA */
#include "pki/csr.h"    /* signing requests */
#include "pki/issue.h"  /* certificates as made */
#include "pki/key.h"    /* private and public keys */
#include "pki/password.h" /* passwords as they are kept */
#include "pki/pem.h"    /* PEM blocks */
#include "pki/verify.h" /* chains */

#endif
