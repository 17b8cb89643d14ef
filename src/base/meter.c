/* Counting: one flat array of atomic cells, cut by the rows' shapes.
 *
 *     row 0 (i x j series, 1 cell each) | row 1 (a histogram: bounds + 1 buckets and a sum for each series) | ...  */
#include "base/meter.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/err.h"

struct meter_set {
	const struct meter_row *rows;
	size_t count;
	size_t *starts;              /* of each row's cells */
	_Atomic int64_t *cells;
};

static size_t axis_count(const struct meter_row *r, size_t axis) { return r->axes[axis].count ? r->axes[axis].count : 1; }
static size_t series_count(const struct meter_row *r) { return axis_count(r, 0) * axis_count(r, 1); }
static size_t series_cells(const struct meter_row *r) { return r->family.kind == METER_HISTOGRAM ? r->family.bound_count + 2 : 1; }

struct meter_set *meter_set_new(const struct meter_row *rows, size_t count)
{
	struct meter_set *s = calloc(1, sizeof *s);
	size_t cells = 0;
	CHECK(s);
	s->rows = rows;
	s->count = count;
	s->starts = calloc(count + 1, sizeof *s->starts);
	CHECK(s->starts);
	for (size_t r = 0; r < count; r++) {
		CHECK(rows[r].family.bound_count <= METER_BOUNDS);
		s->starts[r] = cells;
		cells += series_count(&rows[r]) * series_cells(&rows[r]);
	}
	s->cells = calloc(cells + 1, sizeof *s->cells);
	CHECK(s->cells);
	return s;
}

void meter_set_free(struct meter_set *s)
{
	if (!s)
		return;
	free(s->starts);
	free((void *)s->cells);
	free(s);
}

static _Atomic int64_t *series(const struct meter_set *s, size_t row, size_t i, size_t j)
{
	const struct meter_row *r = &s->rows[row];
	CHECK(row < s->count && i < axis_count(r, 0) && j < axis_count(r, 1));
	return &s->cells[s->starts[row] + (i * axis_count(r, 1) + j) * series_cells(r)];
}

static void count(_Atomic int64_t *cell, int64_t n) { atomic_fetch_add_explicit(cell, n, memory_order_relaxed); }

void meter_add(struct meter_set *s, size_t row, size_t i, size_t j, int64_t n)
{
	if (s)
		count(series(s, row, i, j), n);
}

void meter_put(struct meter_set *s, size_t row, size_t i, size_t j, int64_t value)
{
	if (s)
		atomic_store_explicit(series(s, row, i, j), value, memory_order_relaxed);
}

void meter_observe(struct meter_set *s, size_t row, size_t i, size_t j, int64_t value)
{
	if (!s)
		return;
	const struct meter_family *f = &s->rows[row].family;
	_Atomic int64_t *cells = series(s, row, i, j);
	size_t bucket = 0;
	value = value < 0 ? 0 : value;
	while (bucket < f->bound_count && value > f->bounds[bucket])
		bucket++;
	count(&cells[bucket], 1);
	count(&cells[f->bound_count + 1], value);
}

static const char *word_of(const struct meter_row *r, size_t axis, size_t i)
{
	const struct meter_axis *x = &r->axes[axis];
	return !x->count ? NULL : x->words ? x->words[i] : x->word(i);
}

/* -- reading ------------------------------------------------------------------------------------------ */
static const int64_t *copy_cells(struct arena *a, const _Atomic int64_t *cells, size_t n, bool *ret_any)
{
	int64_t *out = ARENA_ARRAY(a, int64_t, n);
	*ret_any = false;
	for (size_t i = 0; i < n; i++) {
		out[i] = atomic_load_explicit(&cells[i], memory_order_relaxed);
		*ret_any = *ret_any || out[i];
	}
	return out;
}

static void read_row(const struct meter_set *s, size_t row, struct arena *a, struct meter_reading *ret)
{
	const struct meter_row *r = &s->rows[row];
	struct meter_sample *samples = ARENA_ARRAY(a, struct meter_sample, series_count(r));
	*ret = (struct meter_reading){ .family = &r->family, .samples = samples };
	for (size_t i = 0; i < axis_count(r, 0); i++)
		for (size_t j = 0; j < axis_count(r, 1); j++) {
			bool any;
			const int64_t *cells = copy_cells(a, series(s, row, i, j), series_cells(r), &any);
			if (r->quiet && !any)
				continue;
			samples[ret->count++] = (struct meter_sample){ { word_of(r, 0, i), word_of(r, 1, j) }, cells };
		}
}

void meter_set_read(const struct meter_set *s, struct arena *a, const struct meter_reading **ret, size_t *ret_count)
{
	struct meter_reading *out = ARENA_ARRAY(a, struct meter_reading, s->count + 1);
	for (size_t r = 0; r < s->count; r++)
		read_row(s, r, a, &out[r]);
	*ret = out;
	*ret_count = s->count;
}
