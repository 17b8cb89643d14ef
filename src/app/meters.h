/* What a server counts of itself while it runs: the pipeline's rows of a meter_set (base/meter.h), and the words for what is
 * counted.  Any thread; a NULL set counts nothing. */
#ifndef TROTH_APP_METERS_H
#define TROTH_APP_METERS_H

#include "base/meter.h"
#include "edge/http.h"
#include "keeper/keeper.h"

/* A set of all rows below, with the time of its start. */
struct meter_set *meters_new(msec_t started);

/* A reply has left after `took`; status 0: the peer had gone.  `held`: it waited for news on purpose (a poll, a stream), so
 * how long it took says nothing. */
void meters_request(struct meter_set *s, enum http_method method, int status, msec_t took, bool held);
/* The keeper's answer to one request; UNAVAILABLE also for one that died with it. */
void meters_keeper(struct meter_set *s, enum keeper_kind kind, enum troth_kind result);
void meters_keeper_died(struct meter_set *s);
/* A transaction of the writer with so many verbs (0: the runner alone). */
void meters_batch(struct meter_set *s, size_t verbs, bool committed);
void meters_queue(struct meter_set *s, size_t waiting);

#endif
