/* The real clocks. */
#include <time.h>

#include "port/port.h"

static msec_t read_clock(clockid_t id)
{
	struct timespec ts;
	CHECK(clock_gettime(id, &ts) == 0);
	return (msec_t)ts.tv_sec * MSEC_S + ts.tv_nsec / 1000000;
}

static msec_t real_now(void *self) { return read_clock(CLOCK_REALTIME); }
static msec_t real_mono(void *self) { return read_clock(CLOCK_MONOTONIC); }

const struct port_clock PORT_CLOCK_REAL = { NULL, real_now, real_mono };
