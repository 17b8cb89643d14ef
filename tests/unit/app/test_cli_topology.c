/* troth topology: the tree, its colours, its width. */
#include "cli_fixture.h"

static const char ITEMS[] = "{\"items\":["
	"{\"name\":\"/prod/ca\",\"kind\":\"authority\",\"authority\":null,\"versions\":["
	"{\"id\":\"v2\",\"wanted\":true,\"signing\":false,\"signed_by\":null,\"fingerprint\":\"bbbbbbbbbbbbbbbb\",\"not_before\":\"2026-11-18T00:00:00Z\","
	"\"not_after\":\"2027-11-22T00:00:00Z\",\"chain_not_after\":\"2027-11-22T00:00:00Z\",\"used_by\":["
	"{\"kind\":\"store\",\"deployment\":\"app\",\"instance\":null,\"target\":\"trust\",\"members\":1,\"of\":3}]},"
	"{\"id\":\"v1\",\"wanted\":false,\"signing\":true,\"signed_by\":null,\"fingerprint\":\"aaaaaaaaaaaaaaaa\",\"not_before\":\"2026-01-01T00:00:00Z\","
	"\"not_after\":\"2026-12-01T00:00:00Z\",\"chain_not_after\":\"2026-12-01T00:00:00Z\",\"used_by\":["
	"{\"kind\":\"store\",\"deployment\":\"app\",\"instance\":null,\"target\":\"trust\",\"members\":3,\"of\":3}]}]},"
	"{\"name\":\"/prod/a/name/that/is/longer/than/its/column/server\",\"kind\":\"leaf\",\"authority\":\"/prod/ca\",\"versions\":["
	"{\"id\":\"l1\",\"wanted\":true,\"signing\":true,\"signed_by\":\"v1\",\"fingerprint\":\"cccccccccccccccc\",\"not_before\":\"2026-11-01T00:00:00Z\","
	"\"not_after\":\"2027-11-01T00:00:00Z\",\"chain_not_after\":\"2026-12-01T00:00:00Z\",\"chain_ends\":\"/prod/ca\",\"used_by\":["
	"{\"kind\":\"slot\",\"deployment\":\"web\",\"instance\":\"web-1\",\"target\":\"tls\",\"members\":1,\"of\":1}]}]},"
	"{\"name\":\"/prod/new\",\"kind\":\"leaf\",\"authority\":\"/prod/ca\",\"versions\":[]},"
	"{\"name\":\"/prod/brought\",\"kind\":\"leaf\",\"authority\":null,\"versions\":["
	"{\"id\":\"l2\",\"wanted\":true,\"signed_by\":null,\"fingerprint\":\"dddddddddddddddd\",\"not_before\":\"2026-01-01T00:00:00Z\","
	"\"not_after\":\"2026-11-01T00:00:00Z\",\"chain_not_after\":\"2026-11-01T00:00:00Z\",\"used_by\":["
	"{\"kind\":\"holder\",\"deployment\":null,\"instance\":\"/prod/brought\",\"target\":null,\"members\":1,\"of\":1}]}]}"
	"],\"next\":null}";

static void a_tree_is_drawn(void **state)
{
	struct scene *s = *state;
	const struct turn turns[] = { { "GET /v1/topology?limit=50&name=%2Fprod%2Fca", NULL, 200, ITEMS } };
	assert_int_equal(RUN(s, turns, "topology", "--name", "/prod/ca", "-o", "tree"), 0);
	assert_string_equal(s->out,
		"/prod/ca                            bbbbbbbbbbbb  2027-11-22  368 d\n"
		"└─ app/trust                        in 1 of 3 stores\n"
		"/prod/ca                            aaaaaaaaaaaa  2026-12-01  12 d    signs, old\n"
		"├─ app/trust                        in 3 of 3 stores\n"
		"├─ /prod/a/name/that/is/longer/than/its/column/server\n"
		"│                                   cccccccccccc  2027-11-01  347 d\n"
		"│                                   chain ends with /prod/ca\n"
		"│  └─ web-1/tls                     served\n"
		"└─ /prod/new                        no certificate yet\n"
		"/prod/brought                       dddddddddddd  2026-11-01  ended 17 d ago\n"
		"└─ outside the fleet                taken with a request\n");
	assert_width(s->out, CLI_WIDTH);
}

static void colours_only_on_a_terminal(void **state)
{
	struct scene *s = *state;
	const struct turn turns[] = { { "GET /v1/topology?limit=50", NULL, 200, ITEMS } };
	s->terminal = true;
	assert_int_equal(RUN(s, turns, "topology"), 0);
	assert_has(s->out, "\x1b[32mbbbbbbbbbbbb"); /* a year to go */
	assert_has(s->out, "\x1b[31maaaaaaaaaaaa"); /* the last tenth */
	assert_has(s->out, "\x1b[31mcccccccccccc"); /* its chain ends with its CA's */
	assert_int_equal(RUN(s, turns, "topology", "--no-colour"), 0);
	assert_null(strchr(s->out, '\x1b'));
	s->terminal = false;
	assert_int_equal(RUN(s, turns, "topology"), 0);
	assert_null(strchr(s->out, '\x1b'));
}

static void forms_for_programs(void **state)
{
	struct scene *s = *state;
	const struct turn turns[] = { { "GET /v1/topology?limit=50&all=true", NULL, 200, ITEMS } };
	const struct turn none[] = { { "GET /v1/topology?limit=50", NULL, 200, "{\"items\":[],\"next\":null}" } };
	assert_int_equal(RUN(s, turns, "topology", "--all", "-o", "json"), 0);
	assert_has(s->out, "\"signed_by\": \"v1\"");
	assert_int_equal(RUN(s, turns, "topology", "--all", "-o", "yaml"), 0);
	assert_has(s->out, "signed_by: v1");
	assert_int_equal(RUN(s, none, "topology"), 0);
	assert_has(s->out, "nothing yet");
	assert_int_equal(RUN_ALONE(s, "authority", "list", "-o", "tree"), 2); /* a list is no tree */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_is_drawn),
		cmocka_unit_test(colours_only_on_a_terminal),
		cmocka_unit_test(forms_for_programs),
	};
	return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
