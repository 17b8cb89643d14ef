/* A time zone's rules: how far its clocks are from UTC at a moment, and when a local time comes.
 *
 * Read from TZif (RFC 8536, what /usr/share/zoneinfo holds): transitions, and behind the last one the
 * rule of the footer.  Bounded and strict: the file may be anything. */
#ifndef TROTH_MODEL_ZONE_H
#define TROTH_MODEL_ZONE_H

#include "base/arena.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/err.h"

struct zone; /* lives in the arena; NULL stands for UTC */

enum { ZONE_NAME_MAX = 64 };
/* "Europe/Zurich": letters, digits, + - _, parts with a / between; never a path that leads elsewhere. */
bool zone_name_valid(const char *name);
/* INVALID if it is no TZif file, or one with more in it than any zone has. */
troth_rc zone_parse(struct arena *a, struct bytes tzif, const struct zone **ret, struct troth_err *e);
/* Seconds east of UTC at this moment. */
int32_t zone_offset(const struct zone *z, msec_t at);
/* The moment at which clocks there show this time: days since 1970-01-01, and minutes of that day.
 * Shown twice: the first.  Never shown: the moment at which it is skipped. */
msec_t zone_moment(const struct zone *z, int64_t days, int minutes);

/* The calendar, without zones. */
int64_t days_of_date(int64_t year, int month, int day); /* since 1970-01-01; month and day from 1 */
void date_of_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day);
int weekday_of_days(int64_t days); /* 0 is Sunday */

#endif
