/* The keeper's own maxima; those that other rooms share with it (a message, a batch, a certificate)
 * are in base/limits.h. */
#ifndef TROTH_KEEPER_LIMITS_H
#define TROTH_KEEPER_LIMITS_H

enum {
	LIMIT_KEEPER_BLOB_BYTES = 12 << 10,    /* an RSA-4096 key (2.4 KiB; the limit is 8) and its policy */
	LIMIT_KEEPER_SEALED_BYTES = 12 << 10,  /* the same key as CMS for one agent: 3 KiB */
	LIMIT_KEEPER_IN_FLIGHT = 1024,         /* requests a client may have unanswered; above it BUSY */
	LIMIT_KEEPER_LANE_JOBS = 1024,         /* jobs waiting in a lane: as many as can be in flight */
	LIMIT_KEEPER_LONG_JOBS = 16,           /* RSA generations waiting: at 4 s each a minute; above it BUSY */
	LIMIT_KEEPER_CACHED_KEYS = 16,         /* opened keys kept: the signers of one busy minute */
	LIMIT_KEEPER_RATED_KEYS = 1024,        /* keys whose rate is remembered; full ones are forgotten first */
	LIMIT_KEEPER_LEAF_BURST = 20000,       /* leaves of one authority at once: a whole fleet's rotation */
	LIMIT_KEEPER_LEAF_PER_S = 1000,        /* and then so many a second: 100,000 leaves in 80 s */
	LIMIT_KEEPER_CA_BURST = 60,            /* CA certificates by one authority at once: a deployment of a new estate */
	LIMIT_KEEPER_CA_PER_MIN = 10,          /* and then so many a minute: people make CAs, not loops */
	LIMIT_KEEPER_NEW_BURST = 1000,         /* keys generated or wrapped by the whole keeper at once: an import */
	LIMIT_KEEPER_NEW_PER_S = 10,           /* and then so many a second */
	LIMIT_KEEPER_AUDIT_BURST = 10000,      /* audit heads: one each CA use and each minute */
	LIMIT_KEEPER_AUDIT_PER_S = 100,        /* and then so many a second */
	LIMIT_KEEPER_WEBHOOK_BURST = 10000,    /* messages to one webhook: the events of a fleet's rotation */
	LIMIT_KEEPER_WEBHOOK_PER_S = 100,      /* and then so many a second; each waits for its answer, so few receivers take more */
	LIMIT_KEEPER_BACKDATE_S = 3600,        /* notBefore may lie so far back: 5 min by habit, and skew */
	LIMIT_KEEPER_LIFE_DAYS = 50 * 366,     /* the longest certificate: public roots have 25 years */
	LIMIT_KEEPER_SECURE_HEAP_BYTES = 1 << 20, /* OpenSSL's locked heap: 16 RSA-4096 keys use a tenth */
	LIMIT_KEEPER_STOP_MS = 2000,           /* a keeper that does not end by itself is killed after this */
	LIMIT_KEEPER_LOG_LINE_BYTES = 32 << 10, /* a leaf with 100 names of 253 characters: 25 KiB */
};

#endif
