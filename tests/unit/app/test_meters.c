/* What a pipeline counts: by itself, and as it works. */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "plant.h"

static struct plant *p;

/* The cells of the series with these labels; a NULL where there is none. */
static const int64_t *cells(const struct meter_set *s, const char *name, const char *x, const char *y)
{
	const struct meter_reading *r;
	size_t n;
	meter_set_read(s, p->a, &r, &n);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; text_equal(r[i].family->name, name) && k < r[i].count; k++)
			if (text_equal(r[i].samples[k].values[0], x) && text_equal(r[i].samples[k].values[1], y))
				return r[i].samples[k].cells;
	return NULL;
}

static int64_t of_pipeline(const char *name, const char *x, const char *y)
{
	const int64_t *c = cells(p->pipeline->meters, name, x, y);
	assert_non_null(c);
	return c[0];
}

static void every_kind_of_request_has_its_word(void **state)
{
	struct meter_set *s = meters_new(1);
	for (int k = KEEPER_PING; k < KEEPER_KIND_MAX; k++) {
		for (int i = 0; i < k; i++)
			meters_keeper(s, (enum keeper_kind)k, TROTH_OK);
		assert_int_equal(cells(s, "troth_keeper_requests_total", keeper_kind_name((enum keeper_kind)k), "ok")[0], k);
	}
	for (int kind = TROTH_INVALID; kind < TROTH_KIND_MAX; kind++)
		meters_keeper(s, KEEPER_PING, (enum troth_kind)kind);
	assert_int_equal(cells(s, "troth_keeper_requests_total", "ping", "refused")[0], 3);
	assert_int_equal(cells(s, "troth_keeper_requests_total", "ping", "busy")[0], 1);
	assert_int_equal(cells(s, "troth_keeper_requests_total", "ping", "failed")[0], TROTH_KIND_MAX - 1 - 3 - 1);
	meter_set_free(s);
}

static void requests_by_method_and_class(void **state)
{
	static const struct { int status; const char *class; } STATUSES[] = { { 0, "gone" }, { 200, "2xx" }, { 304, "3xx" }, { 409, "4xx" },
									      { 503, "5xx" }, { 999, "5xx" } };
	struct meter_set *s = meters_new(1);
	for (int m = HTTP_GET; m < HTTP_METHOD_MAX; m++)
		for (size_t i = 0; i < ARRAY_LEN(STATUSES); i++) {
			const int64_t *before = cells(s, "troth_http_request_duration_seconds", http_method_name((enum http_method)m), STATUSES[i].class);
			int64_t was = before ? before[3] : 0;
			meters_request(s, (enum http_method)m, STATUSES[i].status, 7, false);
			assert_int_equal(cells(s, "troth_http_request_duration_seconds", http_method_name((enum http_method)m), STATUSES[i].class)[3],
					 was + 1);
		}
	meters_request(s, HTTP_GET, 200, 55000, true);
	assert_int_equal(cells(s, "troth_http_request_duration_seconds", "GET", "2xx")[12], 0); /* waiting is no slowness */
	assert_int_equal(cells(s, "troth_http_held_requests_total", NULL, NULL)[0], 1);
	meter_set_free(s);
}

static void counts_what_it_does(void **state)
{
	struct toy_ret ret;
	struct troth_err e = { 0 };
	int64_t commits = of_pipeline("troth_writer_commits_total", "ok", NULL), asked = of_pipeline("troth_keeper_requests_total", "ping", "ok");
	assert_true(rc_ok(plant_do(p, &TOY_PUT, &(struct toy_cmd){ "a", 7, .needs = 3 }, &ret, &e)));
	assert_true(of_pipeline("troth_writer_commits_total", "ok", NULL) > commits);
	assert_int_equal(of_pipeline("troth_keeper_requests_total", "ping", "ok"), asked + 3);
	assert_int_equal(of_pipeline("troth_writer_commits_total", "failed", NULL), 0);
	assert_true(cells(p->pipeline->meters, "troth_writer_batch_verbs", NULL, NULL)[1] > 0); /* of one verb */
	assert_true(of_pipeline("troth_start_time_seconds", NULL, NULL) > 0);
}

static void counts_what_the_keeper_refuses_and_takes_with_it(void **state)
{
	struct toy_ret ret;
	struct troth_err e = { 0 };
	atomic_store(&p->mood, KEEPER_REFUSES);
	assert_int_equal(plant_do(p, &TOY_PUT, &(struct toy_cmd){ "b", 1, .needs = 1 }, &ret, &e).code, TROTH_FORBIDDEN);
	assert_int_equal(of_pipeline("troth_keeper_requests_total", "ping", "refused"), 1);
	atomic_store(&p->mood, KEEPER_DIES);
	assert_int_equal(plant_do(p, &TOY_PUT, &(struct toy_cmd){ "b", 1, .needs = 2 }, &ret, &e).code, TROTH_UNAVAILABLE);
	assert_int_equal(of_pipeline("troth_keeper_deaths_total", NULL, NULL), 1);
	atomic_store(&p->mood, KEEPER_ANSWERS);
}

static void counts_a_commit_that_failed(void **state)
{
	struct rlimit old, tight = { 4096, 0 };
	struct toy_ret ret;
	struct troth_err e = { 0 };
	getrlimit(RLIMIT_FSIZE, &old);
	tight.rlim_max = old.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0); /* no file grows: the WAL cannot be written */
	assert_int_equal(plant_do(p, &TOY_PUT, &(struct toy_cmd){ "c", 1 }, &ret, &e).code, TROTH_UNAVAILABLE);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_true(of_pipeline("troth_writer_commits_total", "failed", NULL) >= 1);
}

static void says_how_long_the_queue_is(void **state)
{
	struct tally t = { 0 };
	struct troth_err e = { 0 };
	plant_free(p);
	p = plant_new();
	plant_make_pipeline(p); /* nobody takes from the queue */
	for (int i = 0; i < 3; i++)
		plant_submit(p, &TOY_PUT, &(struct toy_cmd){ "q", i }, &t);
	assert_int_equal(of_pipeline("troth_writer_queue_length", NULL, NULL), 3);
	assert_true(rc_ok(pipeline_start(p->pipeline, NULL, &e)));
	assert_true(plant_await(&t.done, 3));
	pipeline_stop(p->pipeline);
	assert_int_equal(of_pipeline("troth_writer_queue_length", NULL, NULL), 0);
	assert_int_equal(cells(p->pipeline->meters, "troth_writer_batch_verbs", NULL, NULL)[3], 1); /* three at once */
}

static int begin(void **state)
{
	signal(SIGXFSZ, SIG_IGN);
	p = plant_new();
	plant_start(p);
	return plant_await(&p->committed, 1) ? 0 : -1;
}

static int end(void **state)
{
	plant_free(p);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_of_request_has_its_word),
		cmocka_unit_test(requests_by_method_and_class),
		cmocka_unit_test(counts_what_it_does),
		cmocka_unit_test(counts_what_the_keeper_refuses_and_takes_with_it),
		cmocka_unit_test(counts_a_commit_that_failed),
		cmocka_unit_test(says_how_long_the_queue_is),
	};
	return cmocka_run_group_tests_name("meters", tests, begin, end);
}
