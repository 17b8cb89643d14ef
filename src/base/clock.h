/* Times as the program keeps them: milliseconds since 1970 UTC in an int64.  Reading a clock is
 * port/'s business; here is only the writing and reading of RFC 3339 (base/clock.c). */
#ifndef TROTH_BASE_CLOCK_H
#define TROTH_BASE_CLOCK_H

#include <stdint.h>

#include "base/err.h"

typedef int64_t msec_t; /* since the epoch, or a length; 0 = never/unset */

#define MSEC_S INT64_C(1000)
#define MSEC_MIN (60 * MSEC_S)
#define MSEC_HOUR (60 * MSEC_MIN)
#define MSEC_DAY (24 * MSEC_HOUR)

enum { RFC3339_LEN = 32 };

/* "2026-11-22T05:53:48.123Z"; without the fraction if it is zero.  Returns buf. */
char *time_format(msec_t t, char buf[RFC3339_LEN]);
/* RFC 3339 in UTC or with an offset, years 1970..9999. */
troth_rc time_parse(const char *text, msec_t *ret_t, struct troth_err *e);
/* "90d", "12h", "30m", "45s", "500ms", or a sum "1h30m".  Refuses 0, negatives and overflow. */
troth_rc duration_parse(const char *text, msec_t *ret_len, struct troth_err *e);
/* The shortest exact form of the above: "90d", "1h30m".  Returns buf. */
char *duration_format(msec_t len, char buf[RFC3339_LEN]);

#endif
