/* Numbers that a program gives of itself, and the form in which they are read: families of samples with labels, as
 * Prometheus has them (prometheus.io/docs/concepts/data_model).
 *
 * A family says its name, its kind and its labels once.  There are two sources of samples: a meter_set, which counts in
 * memory while the process runs, and whoever makes readings by other means (store/gauge.h asks the rows).  Both end as
 * struct meter_reading, and whoever writes them down need not know which it was.
 *
 * A meter_set has a fixed shape: each label of a row has one of a few words that are known before, so its memory, and the
 * number of series, are known too.  Counting takes no lock and may be done on any thread; a reading is not of one moment,
 * but each number in it is one that was there.
 *
 * Numbers are integers of a small unit; `scale` of them are one of what the family's name says (1000 of ms: seconds). */
#ifndef TROTH_BASE_METER_H
#define TROTH_BASE_METER_H

#include "base/arena.h"

enum { METER_LABELS = 3, METER_AXES = 2, METER_BOUNDS = 16 };
enum meter_kind { METER_GAUGE, METER_COUNTER, METER_HISTOGRAM };

struct meter_family {
	const char *name;           /* a counter's ends in _total, a time's in _seconds */
	const char *help;           /* one sentence */
	enum meter_kind kind;
	const char *labels[METER_LABELS]; /* NULL: no more */
	int64_t scale;              /* 0 counts as 1 */
	const int64_t *bounds;      /* a histogram's: ascending, each the most that its bucket takes; one more bucket takes the rest */
	size_t bound_count;
};

struct meter_sample {
	const char *values[METER_LABELS]; /* of the labels */
	const int64_t *cells;       /* one number; of a histogram: what fell into each bucket (bound_count + 1 of them), then the sum */
};

struct meter_reading {
	const struct meter_family *family;
	const struct meter_sample *samples;
	size_t count;
	bool cut;                   /* there were more samples than are given here */
};

/* -- counting ------------------------------------------------------------------------------------- */
struct meter_axis {                 /* what a label can say */
	const char *const *words;   /* count of them; or NULL: */
	size_t count;
	const char *(*word)(size_t i);
};
struct meter_row {
	struct meter_family family; /* labels[i] goes with axes[i] */
	struct meter_axis axes[METER_AXES];
	bool quiet;                 /* a series that nothing was counted in is left out of readings */
};
struct meter_set;

/* `rows` stay the caller's, as do all texts in them. */
struct meter_set *meter_set_new(const struct meter_row *rows, size_t count);
void meter_set_free(struct meter_set *s); /* accepts NULL */
/* `row` is the row's index; i and j those of the words of its axes, 0 where there is none.  A NULL set counts nothing. */
void meter_add(struct meter_set *s, size_t row, size_t i, size_t j, int64_t n);
void meter_put(struct meter_set *s, size_t row, size_t i, size_t j, int64_t value); /* gauges */
void meter_observe(struct meter_set *s, size_t row, size_t i, size_t j, int64_t value); /* histograms; below 0 counts as 0 */
/* All of it, one reading a row; lives in a. */
void meter_set_read(const struct meter_set *s, struct arena *a, const struct meter_reading **ret, size_t *ret_count);

#endif
