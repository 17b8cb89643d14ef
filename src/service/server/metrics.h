/* The server in numbers, for monitoring: what the rows say now (store/gauge.h), and what the process has counted since its
 * start (server_port.meters).  Whoever may ask sees every authority and deployment by name, so its scope must be everything. */
#ifndef TROTH_SERVICE_SERVER_METRICS_H
#define TROTH_SERVICE_SERVER_METRICS_H

#include "base/meter.h"
#include "service/verb.h"

struct metrics_ret {
	const struct meter_reading *readings; /* one a family */
	size_t count;
};
extern const struct verb VERB_METRICS; /* no_cmd -> metrics_ret; admin, operator, auditor */

#endif
