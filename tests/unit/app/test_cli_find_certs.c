/* troth expiring and troth search, over the certificates of the topology and of bundles. */
#include "cli_fixture.h"

static const char CERTS[] = "{\"items\":["
	"{\"name\":\"/prod/ca\",\"kind\":\"authority\",\"sans\":[],\"versions\":[{\"id\":\"v1\",\"subject\":\"CN=/prod/ca\",\"serial\":\"0AFF\","
	"\"fingerprint\":\"abcd12\",\"not_after\":\"2026-12-01T00:00:00Z\",\"chain_not_after\":\"2026-12-01T00:00:00Z\",\"chain_ends\":\"/prod/ca\"}]},"
	"{\"name\":\"/prod/web\",\"kind\":\"leaf\",\"sans\":[\"dns:shop.example\"],\"versions\":[{\"id\":\"l1\",\"subject\":\"CN=web\",\"serial\":\"77\","
	"\"fingerprint\":\"ef0199\",\"not_after\":\"2027-11-01T00:00:00Z\",\"chain_not_after\":\"2026-12-01T00:00:00Z\",\"chain_ends\":\"/prod/ca\"}]}"
	"],\"next\":null}";
static const char BUNDLES[] = "{\"items\":[{\"name\":\"/prod/trust\",\"members\":[{\"id\":\"1\",\"authority\":\"/prod/ca\"},"
	"{\"id\":\"2\",\"alias\":\"corporate\",\"subject\":\"CN=Corporate Root\",\"serial\":\"05\",\"fingerprint\":\"9999\","
	"\"not_after\":\"2026-11-25T00:00:00Z\"}]}],\"next\":null}";

static void what_ends_soon_is_told_and_is_exit_1(void **state)
{
	struct scene *s = *state;
	const struct turn turns[] = { { "GET /v1/topology?limit=50", NULL, 200, CERTS }, { "GET /v1/bundles", NULL, 200, BUNDLES } };
	assert_int_equal(RUN(s, turns, "expiring"), 1);
	assert_string_equal(s->err, "");
	assert_int_equal(strncmp(s->out, "NAME                   KIND", 27), 0);
	assert_true(strstr(s->out, "/prod/trust corporate") < strstr(s->out, "/prod/ca")); /* the first end first */
	assert_has(s->out, "/prod/web              leaf       2026-12-01 00:00  12 d  /prod/ca");
	assert_width(s->out, CLI_WIDTH);
	assert_int_equal(RUN(s, turns, "expiring", "--within", "8d", "-o", "json"), 1);
	assert_has(s->out, "corporate");
	assert_null(strstr(s->out, "/prod/web"));
	assert_int_equal(RUN(s, turns, "expiring", "--within", "1d"), 0);
	assert_has(s->out, "nothing ends so soon");
	assert_int_equal(RUN_ALONE(s, "expiring", "--within", "soon"), 2);
	assert_has(s->err, "--within soon");
}

#define SEARCH(certs, bundles)                                                                       \
	{ { "GET /v1/topology?limit=50&all=true", NULL, 200, certs }, { "GET /v1/bundles", NULL, 200, bundles }, \
	  { "GET /v1/deployments", NULL, 200, "{\"items\":[{\"name\":\"shop\"}],\"next\":null}" },       \
	  { "GET /v1/instances", NULL, 200, "{\"items\":[{\"name\":\"shop-1\"}],\"next\":null}" },       \
	  { "GET /v1/bindings", NULL, 200, "{\"items\":[],\"next\":null}" } }

static void each_place_is_searched(void **state)
{
	struct scene *s = *state;
	const struct turn turns[] = SEARCH(CERTS, BUNDLES);
	static const char *const finds[][2] = { { "SHOP", "dns:shop.example" }, { "AB:CD:12", "fingerprint" }, { "0a:ff", "serial" },
						{ "corporate root", "CN=Corporate Root" }, { "CORPORATE", "alias" }, { "/prod/web", "leaf" },
						{ "shop-1", "instance" }, { "cn=web", "subject" } };
	for (size_t i = 0; i < ARRAY_LEN(finds); i++) {
		assert_int_equal(RUN(s, turns, "search", finds[i][0]), 0);
		assert_has(s->out, finds[i][1]);
		assert_width(s->out, CLI_WIDTH);
	}
	assert_int_equal(RUN(s, turns, "search", "ef0"), 4); /* a name could be that short, a fingerprint says too little */
	assert_int_equal(RUN(s, turns, "search", "nowhere"), 4);
	assert_has(s->err, "nothing here has \"nowhere\"");
	assert_int_equal(RUN_ALONE(s, "search", ":"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_ends_soon_is_told_and_is_exit_1), cmocka_unit_test(each_place_is_searched) };
	return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
