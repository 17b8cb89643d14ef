/* Time zone files, and windows written by people: whatever comes in, the answer comes and is within bounds. */
#include "base/limits.h"
#include "model/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(4 << 20);
	struct troth_err e = { 0 };
	const struct zone *z;

	if (rc_failed(zone_parse(a, bytes_of(data, size), &z, &e)))
		return 0;
	for (int64_t year = 1900; year < 2200; year += 7) {
		int64_t day = days_of_date(year, 1 + (int)(year % 12), 28);
		msec_t at = zone_moment(z, day, (int)(year % 1440));
		int32_t offset = zone_offset(z, at);

		CHECK(offset > -27 * 3600 && offset < 27 * 3600);
		CHECK(at > (day - 3) * MSEC_DAY && at < (day + 4) * MSEC_DAY);
	}
	return 0;
}
