/* Maintenance windows: when a deployment may begin to change.
 *
 *     "0 2 * * 6 4h Europe/Zurich"    minute hour day-of-month month day-of-week LENGTH ZONE
 *
 * The first five as in cron(5): numbers, a-b, lists with commas, steps with /, * for all; day-of-week 0 or 7 is Sunday;
 * if both days are given either will do.  LENGTH as everywhere ("4h", "90m"), at most LIMIT_WINDOW_S.  A window
 * begins at the local time of its zone: once if clocks show it twice, when they jump if they skip it. */
#ifndef TROTH_SERVICE_WINDOW_H
#define TROTH_SERVICE_WINDOW_H

#include "base/json.h"
#include "model/zone.h"
#include "service/verb.h"
#include "store/store.h"

struct window {
	uint64_t minutes, hours, days, months, weekdays; /* bits */
	bool any_day, any_weekday; /* said as * */
	msec_t length;
	char zone[ZONE_NAME_MAX + 1];
};

/* INVALID with what is wrong and what a window looks like. */
troth_rc window_parse(const char *text, struct window *ret, struct troth_err *e);
/* Is it open at `now`, and when does that change?  until 0: not within LIMIT_WINDOW_YEARS. */
void window_state(const struct window *w, const struct zone *zone, msec_t now, bool *ret_open, msec_t *ret_until);

/* The rules of its zone, from the system's files; NOT_FOUND names the zone. */
troth_rc window_zone(const struct verb_ctx *ctx, const char *name, const struct zone **ret, struct troth_err *e);
/* The texts of a policy as the store keeps them. */
const char *windows_write(struct arena *a, struct json_texts texts);
troth_rc windows_read(struct arena *a, const char *json, struct json_texts *ret, struct troth_err *e);
/* All windows of a policy together, as of ctx->now: fills window_open, window_at, window_until.  A window that cannot
 * be read any more (its zone is gone) counts as closed. */
troth_rc windows_judge(const struct verb_ctx *ctx, struct rolling_row *row, struct troth_err *e);

#endif
