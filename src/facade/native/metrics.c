/* GET /metrics: the server in numbers, as Prometheus reads them (text exposition format 0.0.4,
 * prometheus.io/docs/instrumenting/exposition_formats).
 *
 *     # HELP troth_waits What is waited for ...
 *     # TYPE troth_waits gauge
 *     troth_waits{authority="/prod/pg/ca",speaker="node",reason="offline"} 3
 *
 * No floating point: a number of the smallest unit is divided by its scale, digit by digit. */
#include "service/server/metrics.h"

#include <inttypes.h>

#include "facade/native/nouns.h"
#include "facade/native/words.h"

#define EXPOSITION "text/plain; version=0.0.4"

/* "1.5": value / scale, in as many digits as it needs. */
static void put_number(struct buf *b, int64_t value, int64_t scale)
{
	scale = scale ? scale : 1;
	int64_t whole = value / scale, rest = value % scale;
	rest = rest < 0 ? -rest : rest;
	buf_printf(b, "%s%" PRId64, value < 0 && whole == 0 ? "-" : "", whole);
	if (rest)
		buf_add_byte(b, '.');
	for (int64_t unit = scale / 10; rest && unit; unit /= 10) {
		buf_add_byte(b, (uint8_t)('0' + rest / unit));
		rest %= unit;
	}
}

/* Backslash and newline are escaped in both, the quotation mark only within one. */
static void put_escaped(struct buf *b, const char *text, bool quoted)
{
	for (const char *p = text; *p; p++) {
		if (*p == '\n')
			buf_add_text(b, "\\n");
		else if (*p == '\\' || (quoted && *p == '"'))
			buf_printf(b, "\\%c", *p);
		else
			buf_add_byte(b, (uint8_t)*p);
	}
}

static void put_label(struct buf *b, const char *name, const char *value, bool *open)
{
	buf_printf(b, "%c%s=\"", *open ? ',' : '{', name);
	put_escaped(b, value ? value : "", true);
	buf_add_byte(b, '"');
	*open = true;
}

/* name + suffix {labels, le} and the blank; le NULL: none. */
static void put_series(struct buf *b, const struct meter_family *f, const char *suffix, const struct meter_sample *s, const char *le)
{
	bool open = false;
	buf_printf(b, "%s%s", f->name, suffix);
	for (size_t i = 0; i < METER_LABELS && f->labels[i]; i++)
		put_label(b, f->labels[i], s->values[i], &open);
	if (le)
		put_label(b, "le", le, &open);
	buf_add_text(b, open ? "} " : " ");
}

/* Buckets are cumulative, and the last one is the count. */
static void put_histogram(struct buf *b, const struct meter_family *f, const struct meter_sample *s)
{
	int64_t below = 0;
	for (size_t i = 0; i <= f->bound_count; i++) {
		CLEANUP(buf_release) struct buf le = buf_make(64);
		if (i < f->bound_count)
			put_number(&le, f->bounds[i], f->scale);
		below += s->cells[i];
		put_series(b, f, "_bucket", s, i < f->bound_count ? buf_text(&le) : "+Inf");
		buf_printf(b, "%" PRId64 "\n", below);
	}
	put_series(b, f, "_sum", s, NULL);
	put_number(b, s->cells[f->bound_count + 1], f->scale);
	buf_add_byte(b, '\n');
	put_series(b, f, "_count", s, NULL);
	buf_printf(b, "%" PRId64 "\n", below);
}

static void put_reading(struct buf *b, const struct meter_reading *r)
{
	static const char *const KINDS[] = { [METER_GAUGE] = "gauge", [METER_COUNTER] = "counter", [METER_HISTOGRAM] = "histogram" };
	const struct meter_family *f = r->family;
	buf_printf(b, "# HELP %s ", f->name);
	put_escaped(b, f->help, false);
	buf_printf(b, "\n# TYPE %s %s\n", f->name, KINDS[f->kind]);
	for (size_t i = 0; i < r->count; i++) {
		if (f->kind == METER_HISTOGRAM) {
			put_histogram(b, f, &r->samples[i]);
			continue;
		}
		put_series(b, f, "", &r->samples[i], NULL);
		put_number(b, r->samples[i].cells[0], f->scale);
		buf_add_byte(b, '\n');
	}
}

static void metrics_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct metrics_ret *x = ret;
	http_reply_text(reply, 200, EXPOSITION, "");
	for (size_t i = 0; i < x->count; i++)
		put_reading(&reply->body, &x->readings[i]);
}

static const struct route ROWS[] = {
	{ HTTP_GET, "/metrics", &VERB_METRICS, words_none, metrics_render,
	  .summary = "The server in numbers, for Prometheus", .gives = "200 text/plain" },
};
const struct route_table NATIVE_METRICS_ROUTES = { ROWS, ARRAY_LEN(ROWS) };
