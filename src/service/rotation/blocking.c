/* Who holds up how much.  See blocking.h.
 *
 *     app-1/trust  was sent a set and has not reported it        <- holds up 3: the slots below
 *     svc-0/tls, and 2 more, keep their old certificate until app-1/trust trusts the new CA
 *
 * The same pair may be refused for more than one CA: it is counted once. */
#include "service/rotation/blocking.h"

#include <stdlib.h>

struct hold { int64_t holder, waiter, count; };

static int compare_holds(const void *x, const void *y)
{
	const struct hold *a = x, *b = y;
	if (a->holder != b->holder)
		return a->holder < b->holder ? -1 : 1;
	if (a->waiter != b->waiter)
		return a->waiter < b->waiter ? -1 : 1;
	return (a->count < b->count) - (a->count > b->count); /* the larger first: it counts */
}

/* Sorted, one for each pair. */
static size_t collect_holds(const struct wait *waits, size_t n, struct hold *out)
{
	size_t all = 0, kept = 0;
	for (size_t i = 0; i < n; i++)
		if (waits[i].other_target)
			out[all++] = (struct hold){ waits[i].other_target, waits[i].target, (int64_t)waits[i].count };
	if (all > 1)
		qsort(out, all, sizeof *out, compare_holds);
	for (size_t i = 0; i < all; i++)
		if (kept == 0 || out[kept - 1].holder != out[i].holder || out[kept - 1].waiter != out[i].waiter)
			out[kept++] = out[i];
	return kept;
}

static int64_t held_by(const struct hold *holds, size_t n, int64_t holder)
{
	size_t low = 0, high = n;
	int64_t sum = 0;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (holds[middle].holder < holder)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < n && holds[low].holder == holder; low++)
		sum += holds[low].count;
	return sum;
}

int64_t *blocking_count(struct arena *a, const struct wait *waits, size_t n)
{
	struct hold *holds = ARENA_ARRAY(a, struct hold, n + 1);
	int64_t *out = ARENA_ARRAY(a, int64_t, n + 1);
	size_t kept = collect_holds(waits, n, holds);
	for (size_t i = 0; i < n; i++)
		out[i] = waits[i].target && waits[i].speaker != SPEAKER_SAFETY ? held_by(holds, kept, waits[i].target) : 0;
	return out;
}
