/* webhook add, test, enable. */
#include "cli_fixture.h"

#define FOUND { "GET /v1/webhooks?name=ops", NULL, 200, "{\"items\":[{\"name\":\"ops\",\"id\":\"7\"}],\"next\":null}" }
#define ASKED { "POST /v1/webhooks/7/test", "", 202, "{\"id\":\"9\",\"state\":\"running\"}" }
#define RUNNING { "GET /v1/operations/9?wait=30s", NULL, 200, "{\"id\":\"9\",\"state\":\"running\"}" }

static void the_secret_comes_with_what_it_is_for(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = { { "POST /v1/webhooks", "{\"name\":\"ops\",\"url\":\"https://h/x\",\"events\":[\"a.*\",\"b\"]}", 201,
					       "{\"id\":\"7\",\"name\":\"ops\",\"secret\":\"whsec_x\"}" } };
	assert_int_equal(RUN(s, turns, "webhook", "add", "ops", "--url", "https://h/x", "--event", "a.*", "--event", "b"), 0);
	assert_has(s->out, "whsec_x");
	assert_has(s->out, "shown this once");
	assert_has(s->out, "troth webhook test ops");
	assert_int_equal(RUN(s, turns, "webhook", "add", "ops", "--url", "https://h/x", "--event", "a.*", "--event", "b", "-o", "json"), 0);
	assert_null(strstr(s->out, "shown this once"));
	assert_int_equal(RUN_ALONE(s, "webhook", "add", "ops"), 2);
	assert_has(s->err, "--url");
}

static void a_test_waits_for_the_answer(void **state)
{
	struct scene *s = *state;
	static const struct turn good[] = { FOUND, ASKED, RUNNING,
					    { "GET /v1/operations/9?wait=30s", NULL, 200, "{\"id\":\"9\",\"state\":\"succeeded\",\"result\":{\"status\":204,\"ms\":12}}" } };
	static const struct turn bad[] = { FOUND, ASKED, { "GET /v1/operations/9?wait=30s", NULL, 200,
					   "{\"id\":\"9\",\"state\":\"failed\",\"result\":{\"status\":503,\"ms\":12,\"error\":\"the receiver answered 503\"}}" } };
	assert_int_equal(RUN(s, good, "webhook", "test", "ops"), 0);
	assert_has(s->out, "webhook ops: the receiver answered 204 after 12 ms");
	assert_int_equal(RUN(s, bad, "webhook", "test", "ops"), 1);
	assert_has(s->err, "webhook ops: the receiver answered 503");
	assert_int_equal(RUN(s, bad, "webhook", "test", "ops", "-o", "json"), 1);
	assert_has(s->out, "\"state\": \"failed\"");
}

/* The fixture's clock goes on by half a second at each call. */
static void a_test_does_not_wait_for_ever(void **state)
{
	struct scene *s = *state;
	struct turn turns[120] = { FOUND, ASKED };
	for (size_t i = 2; i < ARRAY_LEN(turns); i++)
		turns[i] = (struct turn)RUNNING;
	assert_int_equal(scene_run(s, turns, ARRAY_LEN(turns), (const char *const[]){ "webhook", "test", "ops", NULL }), 5);
	assert_has(s->err, "not sent within 60 s");
}

static void a_disabled_one_goes_on(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = { FOUND, { "POST /v1/webhooks/7/enable", "", 200, "{\"id\":\"7\",\"name\":\"ops\",\"state\":\"working\"}" } };
	assert_int_equal(RUN(s, turns, "webhook", "enable", "ops"), 0);
	assert_has(s->out, "working");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_secret_comes_with_what_it_is_for), cmocka_unit_test(a_test_waits_for_the_answer), cmocka_unit_test(a_test_does_not_wait_for_ever),
		cmocka_unit_test(a_disabled_one_goes_on),
	};
	return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
