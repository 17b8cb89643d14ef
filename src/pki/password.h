/* Passwords as they are kept: scrypt (RFC 7914) with r 8 and p 1, and a salt of their own.
 *
 *     "scrypt:15:<32 hex digits of salt>:<64 hex digits>"
 *
 * The first number is log2 of N; the memory it takes is 1 KiB times N.  What was kept with other numbers can be
 * checked later, so LIMIT_PASSWORD_COST may change.  A derivation takes long: it belongs on no event loop. */
#ifndef TROTH_PKI_PASSWORD_H
#define TROTH_PKI_PASSWORD_H

#include "base/arena.h"
#include "base/err.h"

enum { PASSWORD_SALT_BYTES = 16, PASSWORD_COST_LEAST = 4, PASSWORD_COST_MOST = 17 /* 128 MiB */ };

/* cost: log2 of N, within the two above.  UNAVAILABLE if the memory is not there. */
troth_rc password_keep(struct arena *a, const char *password, int cost, const uint8_t salt[PASSWORD_SALT_BYTES], const char **ret_kept,
		       struct troth_err *e);
/* Something kept that no password matches, for taking as long as for one that is there. */
const char *password_nobodys(struct arena *a, int cost);
/* Compares in constant time.  CORRUPT if `kept` is not what password_keep wrote. */
troth_rc password_check(const char *kept, const char *password, bool *ret_match, struct troth_err *e);

#endif
