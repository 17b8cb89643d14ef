/* What will come if nobody does anything: the engine run ahead on a view of its own, in names.
 *
 * Read only, from a snapshot: it changes nothing and holds nobody up.  It costs a rebuilt view and at
 * most LIMIT_FORECAST_STEPS steps. */
#ifndef TROTH_SERVICE_FORECAST_H
#define TROTH_SERVICE_FORECAST_H

#include "service/rotation/explain.h"

struct forecast_cmd {
	const char *name;    /* as in explain; NULL: everything */
	msec_t until;        /* 0: now + length */
	msec_t length;       /* 0 too: 90 days */
};
struct foreseen {
	const char *kind;    /* "renewal" "rotation" "rotated" "wait" "ending" "shed" "breaks" */
	const char *sentence;
	struct explained x;  /* names, reason or cause, breaks, count; since is not set */
	msec_t at, last;     /* last: of several told as one */
};
struct forecast_ret {
	const char *name;
	msec_t now, until, reached; /* reached < until: a limit was met, see cut */
	bool cut;
	const char *const *assumptions; /* sentences */
	size_t assumption_count;
	struct foreseen *items; /* by time */
	size_t count;
};
/* INVALID: until lies in the past, or more than LIMIT_FORECAST_DAYS ahead.  NOT_FOUND: no such name. */
extern const struct verb VERB_FORECAST; /* forecast_cmd -> forecast_ret */

#endif
