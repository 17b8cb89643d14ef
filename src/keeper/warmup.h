/* One act of every kind with throw-away keys, before the sandbox is entered: OpenSSL then has its
 * providers and tables loaded and the C library its time zone, and neither opens a file later. */
#ifndef TROTH_KEEPER_WARMUP_H
#define TROTH_KEEPER_WARMUP_H

#include "base/err.h"

/* Takes some milliseconds; nothing it makes survives.  Fails if this OpenSSL cannot do what is needed. */
troth_rc keeper_warm_up(struct troth_err *e);

#endif
