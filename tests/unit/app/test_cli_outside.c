/* The commands about who is outside the fleet. */
#include "cli_fixture.h"

#define FOUND "{\"items\":[{\"name\":\"/shop\",\"id\":\"3\"}],\"next\":null}"

static void a_fetch_writes_a_file_a_program_can_load(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "GET /v1/bindings?name=%2Fshop", NULL, 200, FOUND },
		{ "GET /v1/bindings/3/bundle?as=json&tag=g1-00", NULL, 200, "{\"tag\":\"g2-aa\",\"not_modified\":false,\"certificates\":\"PEM\\n\"}" },
	};
	assert_int_equal(RUN(s, turns, "binding", "fetch", "/shop", "--tag", "g1-00"), 0);
	assert_string_equal(s->out, "PEM\n");
	assert_has(s->err, "tag g2-aa");
}

static void nothing_new_is_said(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "GET /v1/bindings?name=%2Fshop", NULL, 200, FOUND },
		{ "GET /v1/bindings/3/bundle?as=json&tag=g2-aa", NULL, 200, "{\"tag\":\"g2-aa\",\"not_modified\":true,\"certificates\":null}" },
	};
	assert_int_equal(RUN(s, turns, "binding", "fetch", "/shop", "--tag", "g2-aa"), 0);
	assert_has(s->err, "not modified");
}

static void attesting_and_waiving(void **state)
{
	struct scene *s = *state;
	static const struct turn attest[] = {
		{ "GET /v1/bindings?name=%2Fshop", NULL, 200, FOUND },
		{ "POST /v1/bindings/3/attest", "{\"reason\":\"renewed\"}", 200, "{\"name\":\"/shop\",\"state\":\"counted\"}" },
	};
	static const struct turn waive[] = {
		{ "GET /v1/bindings?name=%2Fshop", NULL, 200, FOUND },
		{ "POST /v1/bindings/3/waive", "{}", 200, "{\"name\":\"/shop\",\"state\":\"waived\"}" },
	};
	assert_int_equal(RUN(s, attest, "binding", "attest", "/shop", "--reason", "renewed"), 0);
	assert_has(s->out, "counted");
	assert_int_equal(RUN(s, waive, "binding", "waive", "/shop"), 0);
	assert_has(s->out, "waived");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fetch_writes_a_file_a_program_can_load),
		cmocka_unit_test(nothing_new_is_said),
		cmocka_unit_test(attesting_and_waiving),
	};
	return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
