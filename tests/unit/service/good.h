/* Handshakes that were verified and good.  The same two sides meet after every word of a story, thousands of times: each
 * pair of contents is verified once, for as long as the time stays within the certificates that were looked at. */
#ifndef TEST_SERVICE_GOOD_H
#define TEST_SERVICE_GOOD_H

#include "base/arena.h"
#include "base/clock.h"

struct good_key {
	uint8_t hash[32];
};

/* What a handshake depends on; count texts, of any length. */
struct good_key good_key(struct arena *a, const char *const *texts, size_t count);
bool good_known(const struct good_key *key, msec_t now);
/* from..until (ms, inclusive): when every certificate that was looked at is valid. */
void good_keep(const struct good_key *key, msec_t from, msec_t until);

#endif
