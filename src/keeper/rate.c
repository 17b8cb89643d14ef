/* The rate of uses per key. */
#include "keeper/rate.h"

static const struct {
	const char *what;
	int64_t burst, cost_us; /* so many at once; then one per cost */
} USES[RATE_USE_COUNT] = {
	[RATE_LEAF] = { "leaf certificates by this authority", LIMIT_KEEPER_LEAF_BURST, 1000000 / LIMIT_KEEPER_LEAF_PER_S },
	[RATE_CA] = { "CA certificates by this authority", LIMIT_KEEPER_CA_BURST, 60000000 / LIMIT_KEEPER_CA_PER_MIN },
	[RATE_NEW] = { "new keys", LIMIT_KEEPER_NEW_BURST, 1000000 / LIMIT_KEEPER_NEW_PER_S },
	[RATE_EXPORT] = { "keys of authorities given out", LIMIT_KEEPER_EXPORT_BURST, 60000000 / LIMIT_KEEPER_EXPORT_PER_MIN },
	[RATE_WEBHOOK] = { "messages to this webhook", LIMIT_KEEPER_WEBHOOK_BURST, 1000000 / LIMIT_KEEPER_WEBHOOK_PER_S },
	[RATE_AUDIT] = { "audit signatures", LIMIT_KEEPER_AUDIT_BURST, 1000000 / LIMIT_KEEPER_AUDIT_PER_S },
};

/* The entry of this key and use, else one that nothing is lost by taking, else -1. */
static int entry_find(const struct rate *r, const uint8_t *key, enum rate_use use, int64_t now_us)
{
	int free_one = -1;
	for (int i = 0; i < LIMIT_KEEPER_RATED_KEYS; i++) {
		bool used = r->entries[i].used;
		if (used && r->entries[i].use == use && memcmp(r->entries[i].key, key, SHA256_LEN) == 0)
			return i;
		if (free_one < 0 && (!used || r->entries[i].until_us <= now_us))
			free_one = i;
	}
	return free_one;
}

troth_rc rate_take(struct rate *r, const uint8_t key[SHA256_LEN], enum rate_use use, msec_t mono, struct troth_err *e)
{
	int64_t now = mono * 1000;
	int i = entry_find(r, key, use, now);
	ENSURE(i >= 0, e, TROTH_BUSY, "too many different keys are in use at once (%d)", LIMIT_KEEPER_RATED_KEYS);
	bool same = r->entries[i].used && r->entries[i].use == use && memcmp(r->entries[i].key, key, SHA256_LEN) == 0;
	int64_t from = same && r->entries[i].until_us > now ? r->entries[i].until_us : now;
	int64_t until = from + USES[use].cost_us, over = until - now - USES[use].burst * USES[use].cost_us;
	if (over > 0) {
		troth_rc rc = err_set(e, TROTH_BUSY, "the keeper's rate of %s is used up", USES[use].what);
		err_hint(e, "try again in %lld s; if you did not expect this, read the keeper's log",
			 (long long)(over / 1000000 + 1));
		return rc;
	}
	memcpy(r->entries[i].key, key, SHA256_LEN);
	r->entries[i].use = use;
	r->entries[i].used = true;
	r->entries[i].until_us = until;
	return RC_OK;
}
