/* troth credential export: certificate, chain, root; never a key. */
#include "cli_fixture.h"

#define FOUND { "GET /v1/credentials?name=%2Fc", NULL, 200, "{\"items\":[{\"name\":\"/c\",\"id\":\"3\"}],\"next\":null}" }
#define ANSWER "{\"name\":\"/c\",\"version\":\"v\",\"certificate\":\"LEAF\\n\",\"chain\":[\"INTER\\n\",\"UPPER\\n\"],\"root\":\"ROOT\\n\"}"

static void what_is_given_away(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = { FOUND, { "GET /v1/credentials/3/export", NULL, 200, ANSWER } };
	assert_int_equal(RUN(s, turns, "credential", "export", "/c"), 0);
	assert_string_equal(s->out, "LEAF\nINTER\nUPPER\n");
	assert_int_equal(RUN(s, turns, "credential", "export", "/c", "--leaf", "--pem"), 0);
	assert_string_equal(s->out, "LEAF\n");
	assert_int_equal(RUN(s, turns, "credential", "export", "/c", "--chain"), 0);
	assert_string_equal(s->out, "INTER\nUPPER\n");
	assert_int_equal(RUN(s, turns, "credential", "export", "/c", "--root"), 0);
	assert_string_equal(s->out, "ROOT\n");
	assert_int_equal(RUN(s, turns, "credential", "export", "/c", "-o", "json"), 0);
	assert_has(s->out, "\"chain\": [");
	assert_int_equal(RUN_ALONE(s, "credential", "export", "/c", "--chain", "--root"), 2);
}

static void an_authority_and_a_version(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = {
		{ "GET /v1/credentials?name=%2Fca", NULL, 200, "{\"items\":[],\"next\":null}" },
		{ "GET /v1/authorities?name=%2Fca", NULL, 200, "{\"items\":[{\"name\":\"/ca\",\"id\":\"9\"}],\"next\":null}" },
		{ "GET /v1/credentials/9/export?version=v1", NULL, 200, "{\"certificate\":\"CA\\n\",\"chain\":[],\"root\":null}" },
	};
	assert_int_equal(RUN(s, turns, "credential", "export", "/ca", "--only-version", "v1"), 0);
	assert_string_equal(s->out, "CA\n");
	assert_int_equal(RUN(s, turns, "credential", "export", "/ca", "--only-version", "v1", "--root"), 4);
	assert_has(s->err, "the root of /ca is not known here");
	assert_int_equal(RUN(s, turns, "credential", "export", "/ca", "--only-version", "v1", "--chain"), 0);
	assert_has(s->err, "no intermediates");
}

static void no_such_name(void **state)
{
	struct scene *s = *state;
	static const struct turn turns[] = { { "GET /v1/credentials?name=%2Fx", NULL, 200, "{\"items\":[],\"next\":null}" },
					     { "GET /v1/authorities?name=%2Fx", NULL, 200, "{\"items\":[],\"next\":null}" } };
	assert_int_equal(RUN(s, turns, "credential", "export", "/x"), 4);
	assert_has(s->err, "there is no credential \"/x\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_given_away),
		cmocka_unit_test(an_authority_and_a_version),
		cmocka_unit_test(no_such_name),
	};
	return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
