/* What the rows say in numbers: for monitoring, not for deciding.
 *
 * One table (gauge.c) of {name, help, labels, SQL}; each row becomes a family of base/meter.h.  How many series there can be
 * is bounded by LIMIT_METRIC_SERIES each; what matters most (ends soonest, waits longest, fails) comes first, so the rest is
 * what is cut.
 *
 * These queries read tables whole: counting is that.  They are for a reader's snapshot, never for the writer. */
#ifndef TROTH_STORE_GAUGE_H
#define TROTH_STORE_GAUGE_H

#include "base/meter.h"
#include "store/store.h"

struct gauge {
	struct meter_family family;
	/* ?1: now (msec); ?2: rows at most.  Gives a text for each label, then the number. */
	const char *sql;
};
extern const struct gauge GAUGES[];
extern const size_t GAUGE_COUNT;

/* Reads GAUGES[i]; at most `limit` series (0: LIMIT_METRIC_SERIES).  Lives in a. */
troth_rc gauge_read(struct tx *tx, struct arena *a, size_t i, msec_t now, size_t limit, struct meter_reading *ret, struct troth_err *e);

#endif
