/* What the server finds fault with is called as it was typed. */
#include "cli_fixture.h"

#define BAD(detail, findings) "{\"status\":400,\"code\":\"invalid\",\"detail\":\"" detail "\",\"findings\":[" findings "]}"
#define FINDING(path, text) "{\"path\":\"" path "\",\"rule\":\"r\",\"text\":\"" text "\"}"

static void options_and_the_argument_are_named(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "POST /v1/authorities", NULL, 400, BAD("$.ttl: is too short", FINDING("$.ttl", "is too short") ","
			FINDING("$.name", "must start with a slash") "," FINDING("$.leaf_renew_at", "is no share") "," FINDING("$.unheard", "stays")) } };
	assert_int_equal(RUN(s, turns, "authority", "create", "x", "--ttl", "1s", "--leaf-renew-at", "x"), 1);
	assert_has(s->err, "troth: --ttl: is too short\n");
	assert_has(s->err, "  NAME: must start with a slash\n");
	assert_has(s->err, "  --leaf-renew-at: is no share\n");
	assert_has(s->err, "  $.unheard: stays\n");
	assert_null(strstr(s->err, "$.ttl"));
}

static void of_what_may_be_said_again_the_value_is_named(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "POST /v1/credentials", NULL, 400, BAD("$.sans[1]: is no name", FINDING("$.sans[1]", "is no name") "," FINDING("$.sans", "are too many")
			"," FINDING("$.sans[7]", "is odd") "," FINDING("$.csr", "is none")) } };
	char file[] = "/tmp/troth-csr-XXXXXX";
	close(mkstemp(file));
	assert_int_equal(RUN(s, turns, "credential", "create", "/x", "--authority", "/ca", "--san", "a.example", "--san", "b..c", "--csr-file", file), 1);
	assert_has(s->err, "troth: --san \"b..c\": is no name\n");
	assert_has(s->err, "  --san: are too many\n");
	assert_has(s->err, "  --san: is odd\n");
	assert_has(s->err, "  --csr-file: is none\n");
	unlink(file);
}

static void the_keys_of_a_spec_are_named(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "POST /v1/deployments", NULL, 400, BAD("$.slots[1].key_type: is unknown", FINDING("$.slots[1].key_type", "is unknown") ","
			FINDING("$.slots[0].sans[0]", "is no name") "," FINDING("$.stores[0].parameters.port", "is no number") ","
			FINDING("$.stores[0]", "is odd")) } };
	assert_int_equal(RUN(s, turns, "deployment", "create", "d", "--slot", "name=a", "--slot", "name=b,key-type=x", "--store", "name=s"), 1);
	assert_has(s->err, "troth: --slot 2, key-type: is unknown\n");
	assert_has(s->err, "  --slot 1, san: is no name\n");
	assert_has(s->err, "  --store, parameter.port: is no number\n");
	assert_has(s->err, "  --store: is odd\n");
}

static void the_option_that_was_typed_of_several(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "GET /v1/deployments?name=d", NULL, 200, "{\"items\":[{\"name\":\"d\",\"id\":\"1\"}],\"next\":null}" },
		{ "PATCH /v1/deployments/1", NULL, 400, BAD("$.windows: is odd", FINDING("$.windows", "is odd")) } };
	assert_int_equal(RUN(s, turns, "deployment", "policy", "d", "--no-window"), 1);
	assert_has(s->err, "troth: --no-window: is odd\n");
}

static void what_the_whole_lacks_needs_no_place(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "GET /v1/authorities?name=%2Fx", NULL, 200, "{\"items\":[{\"name\":\"/x\",\"id\":\"1\"}],\"next\":null}" },
		{ "PATCH /v1/authorities/1", NULL, 400, BAD("$: says nothing", FINDING("$", "says nothing")) } };
	assert_int_equal(RUN(s, turns, "authority", "set", "/x", "--renew", "auto"), 1);
	assert_has(s->err, "troth: says nothing\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_and_the_argument_are_named),
		cmocka_unit_test(of_what_may_be_said_again_the_value_is_named),
		cmocka_unit_test(the_keys_of_a_spec_are_named),
		cmocka_unit_test(the_option_that_was_typed_of_several),
		cmocka_unit_test(what_the_whole_lacks_needs_no_place),
	};
	return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
