/* How often a key may be used: a burst, and then so many a second, per key and sort of use.
 *
 * It limits what a taken-over server gets before someone looks at the log.  Kept as one time per key
 * (the generic cell rate algorithm): an entry whose time has passed is as good as none, so such are
 * given away first; when every entry is in use a new key is refused. */
#ifndef TROTH_KEEPER_RATE_H
#define TROTH_KEEPER_RATE_H

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"

enum rate_use { RATE_LEAF, RATE_CA, RATE_NEW, RATE_EXPORT, RATE_AUDIT, RATE_WEBHOOK, RATE_USE_COUNT };

struct rate {
	struct {
		uint8_t key[SHA256_LEN];
		int64_t until_us; /* all that was granted is paid off at this time */
		enum rate_use use;
		bool used;
	} entries[LIMIT_KEEPER_RATED_KEYS];
};

/* Grants one use now (a clock that never goes back), or says BUSY and when to come again. */
troth_rc rate_take(struct rate *r, const uint8_t key[SHA256_LEN], enum rate_use use, msec_t mono, struct troth_err *e);

#endif
