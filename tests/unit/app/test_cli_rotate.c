/* Starting, following, steering a rotation; a server that goes away meanwhile. */
#include "cli_fixture.h"

#define ID "6e0c51aa-3a0e-4f2a-9d0b-5d1f3c5a7e10"
#define STARTED "{\"name\":\"/demo/ca\",\"kind\":\"authority\",\"dry_run\":false,\"rotation\":\"" ID "\",\"operation\":\"o\",\"stores\":6,\"slots\":3,\"instances\":6,\"steps\":[\"trust the new\"],\"would_wait_for\":[]}"
#define VIEW(state, stage, n) "{\"id\":\"" ID "\",\"name\":\"/demo/ca\",\"kind\":\"authority\",\"state\":\"" state "\",\"going_back\":false,\"progress\":{\"stage\":\"" stage "\",\"stores_total\":6,\"stores_with_new\":" #n ",\"stores_with_old\":6,\"slots_total\":3,\"slots_on_new\":0},\"waits_for\":\"app-2\"}"
#define ASK "GET /v1/rotations/" ID
#define HOLD ASK "?wait=1000ms"

static void waiting_prints_a_line_per_change(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "POST /v1/rotations", "{\"name\":\"/demo/ca\",\"reason\":\"yearly\"}", 202, STARTED },
		{ ASK, NULL, 200, VIEW("running", "introducing", 1) },
		{ HOLD, NULL, 200, VIEW("running", "introducing", 1) },
		{ HOLD, NULL, 200, VIEW("running", "introducing", 2) },
		{ HOLD, NULL, 200, VIEW("done", "done", 6) },
	};
	assert_int_equal(RUN(s, turns, "rotate", "/demo/ca", "--wait", "--reason", "yearly"), 0);
	assert_has(s->out, "rotating /demo/ca: 6 stores and 3 slots on 6 instances");
	assert_has(s->out, "stores 1/6");
	assert_has(s->out, "stores 2/6");
	assert_has(s->out, "/demo/ca: rotated in 2.0 s\n");
	char *first = strstr(s->out, "stores 1/6");
	assert_null(strstr(first + 1, "stores 1/6"));
	assert_null(strchr(s->out, '\x1b'));
}

static void by_steps_is_said_of_the_rotation(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = { { "POST /v1/rotations", "{\"name\":\"/demo/ca\",\"by_steps\":true}", 202, STARTED } };
	assert_int_equal(RUN(s, turns, "rotate", "/demo/ca", "--by-steps", "--no-wait"), 0);
}

static void a_terminal_is_redrawn(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ ASK, NULL, 200, VIEW("running", "introducing", 1) },
		{ HOLD, NULL, 200, VIEW("done", "done", 6) },
	};
	s->terminal = true;
	assert_int_equal(RUN(s, turns, "rotation", "watch", ID), 0);
	assert_has(s->out, "A\x1b[J");
	s->terminal = false;
}

static void a_late_spectator_is_told_the_whole_time(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ ASK, NULL, 200, "{\"id\":\"" ID "\",\"name\":\"/demo/ca\",\"kind\":\"authority\",\"state\":\"done\","
				  "\"started\":\"2026-11-18T11:06:34Z\",\"finished\":\"2026-11-18T11:06:40.600Z\"}" },
	};
	assert_int_equal(RUN(s, turns, "rotation", "watch", ID), 0);
	assert_has(s->out, "/demo/ca: rotated in 6.6 s\n");
}

static void a_server_that_restarts_is_endured(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ ASK, NULL, 200, VIEW("running", "introducing", 1) },
		{ HOLD, NULL, 0, NULL },
		{ HOLD, NULL, 503, "{\"status\":503,\"code\":\"unavailable\",\"detail\":\"starting\"}" },
		{ HOLD, NULL, 200, VIEW("done", "done", 6) },
	};
	assert_int_equal(RUN(s, turns, "rotation", "watch", ID), 0);
	assert_has(s->err, "the server does not answer (could not connect)");
	assert_null(strstr(s->err, "starting")); /* told once */
}

static void refusals_are_not_endured(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ ASK, NULL, 200, VIEW("running", "introducing", 1) },
		{ HOLD, NULL, 403, "{\"status\":403,\"code\":\"forbidden\",\"detail\":\"not yours\",\"findings\":[{\"path\":\"$\",\"rule\":\"r\",\"text\":\"t\"}]}" },
	};
	assert_int_equal(RUN(s, turns, "rotation", "watch", ID), 1);
	assert_has(s->err, "troth: not yours");
}

static void patience_ends(void **state)
{
	struct scene *s = *state;
	static struct turn turns[400];
	for (size_t i = 0; i < ARRAY_LEN(turns); i++)
		turns[i] = (struct turn){ i ? HOLD : ASK, NULL, i ? 0 : 200, i ? NULL : VIEW("running", "introducing", 1) };
	size_t calls = 1 + 1 + 120000 / 800; /* half a second a call, 300 ms between: 120 s */
	assert_int_equal(scene_run(s, turns, calls, (const char *const[]){ "rotation", "watch", ID, NULL }), 1);
	assert_has(s->err, "troth: could not connect");
}

static void a_timeout_exits_5_and_says_what_for(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "POST /v1/rotations", NULL, 202, STARTED },
		{ ASK, NULL, 200, VIEW("running", "introducing", 1) },
		{ HOLD, NULL, 200, VIEW("running", "introducing", 1) },
	};
	assert_int_equal(RUN(s, turns, "rotate", "/demo/ca", "--timeout", "1s"), 5);
	assert_has(s->err, "it goes on");
	assert_has(s->err, "it waits: app-2");
	assert_has(s->err, "troth explain");
	assert_int_equal(RUN_ALONE(s, "rotation", "watch", ID, "--timeout", "soon"), 2);
}

static void an_aborted_one_exits_1(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = { { ASK, NULL, 200, VIEW("aborted", "introducing", 0) } };
	assert_int_equal(RUN(s, turns, "rotation", "watch", ID), 1);
	assert_has(s->err, "was aborted");
}

static void not_waiting_and_dry_runs_only_tell(void **state)
{
	struct scene *s = *state;
	static const struct turn start[] = { { "POST /v1/rotations", NULL, 202, STARTED } };
	static const struct turn dry[] = {
		{ "POST /v1/rotations?dry_run=true", "{\"name\":\"/demo/ca\"}", 200,
		  "{\"name\":\"/demo/ca\",\"dry_run\":true,\"rotation\":null,\"stores\":1,\"slots\":2,\"instances\":3,\"steps\":[\"first this\"],"
		  "\"outside\":[\"/lb\"],\"would_wait_for\":[{\"instance\":\"pg-0\",\"why\":\"not heard of for 4m\"}]}" },
	};
	assert_int_equal(RUN(s, start, "rotate", "/demo/ca", "--no-wait"), 0);
	assert_has(s->out, "rotation " ID " is under way");
	assert_int_equal(RUN(s, start, "rotate", "/demo/ca", "--no-wait", "-o", "json"), 0);
	assert_has(s->out, "\"rotation\": \"" ID "\"");
	assert_int_equal(RUN(s, dry, "rotate", "/demo/ca", "--dry-run"), 0);
	assert_has(s->out, "would rotate /demo/ca");
	assert_has(s->out, "  - first this");
	assert_has(s->out, "would wait for pg-0: not heard of for 4m");
	assert_has(s->out, "waits for the holder of /lb");
}

static void the_newest_of_a_name_is_steered(void **state)
{
	struct scene *s = *state;
	static const struct turn found = { "GET /v1/rotations?name=%2Fdemo%2Fca", NULL, 200,
					   "{\"items\":[{\"id\":\"1\",\"started\":\"2026-11-22T01:00:00Z\"},{\"id\":\"3\",\"started\":\"2026-11-22T03:00:00Z\"},"
					   "{\"id\":\"2\",\"started\":\"2026-11-22T02:00:00Z\"}],\"next\":null}" };
	const struct turn pause[] = { found, { "POST /v1/rotations/3/pause", "{}", 200, "{\"name\":\"/demo/ca\",\"state\":\"paused\"}" } };
	const struct turn abort_it[] = { found, { "POST /v1/rotations/3/abort", "{}", 200,
						  "{\"name\":\"/demo/ca\",\"state\":\"aborted\",\"going_back\":true}" } };
	const struct turn show[] = { found, { "GET /v1/rotations/3", NULL, 200, VIEW("running", "switching", 6) } };
	const struct turn none[] = { { "GET /v1/rotations?name=%2Fdemo%2Fca", NULL, 200, "{\"items\":[],\"next\":null}" } };
	assert_int_equal(RUN(s, pause, "rotation", "pause", "/demo/ca"), 0);
	assert_has(s->out, "rotation of /demo/ca: paused");
	assert_int_equal(RUN(s, abort_it, "rotation", "abort", "/demo/ca"), 0);
	assert_has(s->out, "going back");
	assert_int_equal(RUN(s, show, "rotation", "show", "/demo/ca"), 0);
	assert_has(s->out, "use the new");
	assert_int_equal(RUN(s, none, "rotation", "show", "/demo/ca"), 4);
	assert_has(s->err, "was never rotated");
}

static void an_approval_is_looked_up_first(void **state)
{
	struct scene *s = *state;
	static const char id[] = "6e0c51aa-3a0e-4f2a-9d0b-5d1f3c5a7e10";
	static const char DRY[] = "{\"name\":\"/ca\",\"step\":\"switch\",\"dry_run\":true,\"waiting\":[\"pg-1/server gets it\"]}";
	static const char DONE[] = "{\"name\":\"/ca\",\"step\":\"switch\",\"dry_run\":false,\"waiting\":[\"pg-1/server gets it\"]}";
	static const struct turn turns[] = {
		{ "POST /v1/rotations/6e0c51aa-3a0e-4f2a-9d0b-5d1f3c5a7e10/approve?dry_run=true", "{}", 200, DRY },
		{ "POST /v1/rotations/6e0c51aa-3a0e-4f2a-9d0b-5d1f3c5a7e10/approve", "{\"step\":\"switch\"}", 200, DONE } };
	static const struct turn named[] = {
		{ "POST /v1/rotations/6e0c51aa-3a0e-4f2a-9d0b-5d1f3c5a7e10/approve?dry_run=true", "{\"step\":\"switch\"}", 200, DRY } };
	assert_int_equal(RUN(s, turns, "rotation", "approve", id), 0);
	assert_has(s->out, "switch of /ca is approved:");
	assert_has(s->out, "  pg-1/server gets it");
	assert_int_equal(RUN(s, named, "rotation", "approve", id, "--step", "switch", "--dry-run"), 0);
	assert_has(s->out, "switch of /ca waits for an approval:");
	assert_int_equal(RUN(s, named, "rotation", "approve", id, "--step", "switch", "--dry-run", "-o", "json"), 0);
	assert_int_equal(RUN_ALONE(s, "rotation", "approve", id, "--step", "all"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_approval_is_looked_up_first),
		cmocka_unit_test(waiting_prints_a_line_per_change),
		cmocka_unit_test(by_steps_is_said_of_the_rotation),
		cmocka_unit_test(a_terminal_is_redrawn),
		cmocka_unit_test(a_late_spectator_is_told_the_whole_time),
		cmocka_unit_test(a_server_that_restarts_is_endured),
		cmocka_unit_test(refusals_are_not_endured),
		cmocka_unit_test(patience_ends),
		cmocka_unit_test(a_timeout_exits_5_and_says_what_for),
		cmocka_unit_test(an_aborted_one_exits_1),
		cmocka_unit_test(not_waiting_and_dry_runs_only_tell),
		cmocka_unit_test(the_newest_of_a_name_is_steered),
	};
	return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
