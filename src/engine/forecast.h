/* The engine run ahead: what will come if nothing is done (included by engine.h).
 *
 * Assumed, and to be told to whoever reads it: every member whose session is alive now stays alive, answers
 * what it is asked within a second, and settles what it is sent within its measured time; who is
 * silent stays silent; certificates are issued with the lives they have now; nobody changes a goal. */
#ifndef TROTH_ENGINE_FORECAST_H
#define TROTH_ENGINE_FORECAST_H

enum moment_kind {
	MOMENT_RENEWAL = 1, /* slots of an authority get their next chain */
	MOMENT_ROTATION,    /* a rotation of the authority begins by itself */
	MOMENT_ROTATED,     /* an old version of it is gone everywhere */
	MOMENT_WAIT,        /* something is waited for, and still is an hour later */
	MOMENT_ENDING,      /* a slot is named because what it serves ends: `breaks` */
	MOMENT_SHED,        /* stores are left out for a slot at its deadline */
	MOMENT_BREAKS,      /* a slot breaks with everybody it meets */
	MOMENT_KIND_MAX
};
const char *moment_kind_name(enum moment_kind kind); /* "renewal" */

struct moment {
	msec_t at, last;          /* the first and the last of `count` that are told as one */
	enum moment_kind kind;
	int64_t authority;        /* 0: not about one */
	int64_t target, other_target; /* 0: none, or several */
	enum wait_reason reason;  /* WAIT: which; ENDING, BREAKS: the cause */
	msec_t breaks;            /* ENDING */
	size_t count;
};

struct forecast {
	struct moment *moments;   /* in the arena; by time */
	size_t count;
	msec_t reached;           /* nothing is told after it: `until`, or where the bound was met */
	bool cut;                 /* LIMIT_FORECAST_STEPS or LIMIT_FORECAST_MOMENTS was met */
	size_t offline;           /* instances that are silent */
};

/* `v` is used up: give it a view of its own (rebuilt from rows), and free it.  Pure as a step is. */
void engine_forecast(struct view *v, const struct engine_policy *policy, msec_t now, msec_t until, struct arena *a,
		     struct forecast *ret_forecast);

#endif
