/* The rows, one table; and from what happens to the words of their labels. */
#include "app/meters.h"

#include "base/limits.h"

enum { ROW_STARTED, ROW_REQUEST_DURATION, ROW_REQUESTS_HELD, ROW_KEEPER_REQUESTS, ROW_KEEPER_DEATHS, ROW_BATCH, ROW_COMMITS, ROW_QUEUE };

/* From a read of one row to a whole request_time; milliseconds. */
static const int64_t DURATIONS[] = { 1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10000 };
static const int64_t BATCHES[] = { 0, 1, 2, 4, 8, 16, 32, LIMIT_WRITER_BATCH };

static const char *method_word(size_t i) { return http_method_name((enum http_method)i); }
static const char *request_word(size_t i) { return keeper_kind_name((enum keeper_kind)(KEEPER_PING + i)); }

enum { CLASS_GONE, CLASS_1XX };
static const char *const CLASSES[] = { "gone", "1xx", "2xx", "3xx", "4xx", "5xx" };

enum { RESULT_OK, RESULT_REFUSED, RESULT_BUSY, RESULT_FAILED };
static const char *const RESULTS[] = { "ok", "refused", "busy", "failed" };
static const char *const COMMITS[] = { "ok", "failed" };

#define AXIS(words) { words, ARRAY_LEN(words) }

static const struct meter_row ROWS[] = {
	[ROW_STARTED] = { { "troth_start_time_seconds", "When this server was started, in seconds since 1970.", METER_GAUGE, .scale = 1000 } },
	[ROW_REQUEST_DURATION] = { { "troth_http_request_duration_seconds",
				     "From a request that was read to its answer that has left; without those that waited for news.", METER_HISTOGRAM,
				     { "method", "status" }, 1000, DURATIONS, ARRAY_LEN(DURATIONS) },
				   { { .word = method_word, .count = HTTP_METHOD_MAX }, AXIS(CLASSES) }, .quiet = true },
	[ROW_REQUESTS_HELD] = { { "troth_http_held_requests_total", "Requests that waited for news (polls, streams) and have ended.", METER_COUNTER } },
	[ROW_KEEPER_REQUESTS] = { { "troth_keeper_requests_total",
				    "Signatures and other uses of keys that the keeper was asked for: done, refused by its rules, beyond a key's rate, or failed.",
				    METER_COUNTER, { "request", "result" } },
				  { { .word = request_word, .count = KEEPER_KIND_MAX - KEEPER_PING }, AXIS(RESULTS) } },
	[ROW_KEEPER_DEATHS] = { { "troth_keeper_deaths_total", "How often the keeper ended by itself and was started again.", METER_COUNTER } },
	[ROW_BATCH] = { { "troth_writer_batch_verbs", "Changes in one transaction; 0: the engine alone.", METER_HISTOGRAM,
			  .bounds = BATCHES, .bound_count = ARRAY_LEN(BATCHES) } },
	[ROW_COMMITS] = { { "troth_writer_commits_total", "Transactions; of one that failed nothing is there.", METER_COUNTER, { "result" } },
			  { AXIS(COMMITS) } },
	[ROW_QUEUE] = { { "troth_writer_queue_length", "Changes that wait for the writer now.", METER_GAUGE } },
};

struct meter_set *meters_new(msec_t started)
{
	struct meter_set *s = meter_set_new(ROWS, ARRAY_LEN(ROWS));
	meter_put(s, ROW_STARTED, 0, 0, started);
	return s;
}

static size_t class_of(int status)
{
	size_t class = status < 100 ? CLASS_GONE : (size_t)status / 100 - 1 + CLASS_1XX;
	return class < ARRAY_LEN(CLASSES) ? class : ARRAY_LEN(CLASSES) - 1;
}

void meters_request(struct meter_set *s, enum http_method method, int status, msec_t took, bool held)
{
	if (held)
		meter_add(s, ROW_REQUESTS_HELD, 0, 0, 1);
	else
		meter_observe(s, ROW_REQUEST_DURATION, method, class_of(status), took);
}

static size_t result_of(enum troth_kind kind)
{
	switch (kind) {
	case TROTH_OK:        return RESULT_OK;
	case TROTH_FORBIDDEN:
	case TROTH_INVALID:
	case TROTH_CORRUPT:   return RESULT_REFUSED;
	case TROTH_BUSY:      return RESULT_BUSY;
	default:              return RESULT_FAILED;
	}
}

void meters_keeper(struct meter_set *s, enum keeper_kind kind, enum troth_kind result)
{
	meter_add(s, ROW_KEEPER_REQUESTS, (size_t)(kind - KEEPER_PING), result_of(result), 1);
}

void meters_keeper_died(struct meter_set *s) { meter_add(s, ROW_KEEPER_DEATHS, 0, 0, 1); }

void meters_batch(struct meter_set *s, size_t verbs, bool committed)
{
	meter_observe(s, ROW_BATCH, 0, 0, (int64_t)verbs);
	meter_add(s, ROW_COMMITS, committed ? 0 : 1, 0, 1);
}

void meters_queue(struct meter_set *s, size_t waiting) { meter_put(s, ROW_QUEUE, 0, 0, (int64_t)waiting); }
