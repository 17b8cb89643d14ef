/* instance delete, waive, and links. */
#include "cli_fixture.h"

#define FOUND { "GET /v1/instances?name=pg-1", NULL, 200, "{\"items\":[{\"name\":\"pg-1\",\"id\":\"7\"}],\"next\":null}" }
#define LINKS { "GET /v1/meets", NULL, 200, "{\"items\":[{\"slot\":{\"deployment\":\"pg\",\"template\":\"server\",\"id\":\"1\"}," \
	"\"store\":{\"deployment\":\"app\",\"template\":\"trust\",\"id\":\"2\"},\"source\":\"bundle\"}],\"next\":null}" }

static void a_leaver_is_gone_or_leaves(void **state)
{
	struct scene *s = *state;
	static const struct turn leaves[] = { FOUND, { "DELETE /v1/instances/7", NULL, 204, "" },
					      { "GET /v1/instances/7", NULL, 200, "{\"id\":\"7\",\"state\":\"leaving\"}" } };
	static const struct turn now[] = { FOUND, { "DELETE /v1/instances/7?now=true", NULL, 204, "" },
					   { "GET /v1/instances/7", NULL, 200, "{\"id\":\"7\",\"state\":\"left\"}" } };
	assert_int_equal(RUN(s, leaves, "instance", "delete", "pg-1"), 0);
	assert_has(s->out, "stays trusted until its service is stopped");
	assert_has(s->out, "troth instance delete pg-1 --now");
	assert_int_equal(RUN(s, now, "instance", "delete", "pg-1", "--now"), 0);
	assert_has(s->out, "has left");
	assert_int_equal(RUN(s, now, "instance", "delete", "pg-1", "--now", "-o", "json"), 0);
	assert_has(s->out, "\"state\": \"left\"");
}

static void a_waiver_says_what_it_costs_and_frees(void **state)
{
	struct scene *s = *state;
	static const struct turn dry[] = { FOUND, { "POST /v1/instances/7/waive?dry_run=true", "{\"reason\":\"away\"}", 200,
		"{\"dry_run\":true,\"instance\":\"pg-1\",\"pairs\":[{\"target\":\"server\",\"deployment\":\"app\",\"template\":\"trust\",\"members\":3}],"
		"\"frees\":[\"3 stores can be sent other trusted CAs\"]}" } };
	static const struct turn done[] = { FOUND, { "POST /v1/instances/7/waive", "{\"reason\":\"away\"}", 200,
		"{\"dry_run\":false,\"instance\":\"pg-1\",\"pairs\":[],\"frees\":[]}" } };
	assert_int_equal(RUN(s, dry, "waive", "pg-1", "--reason", "away", "--dry-run"), 0);
	assert_has(s->out, "would be waived; nothing was changed");
	assert_has(s->out, "loses its cover: server with 3 of app/trust");
	assert_has(s->out, "frees: 3 stores");
	assert_int_equal(RUN(s, done, "waive", "pg-1", "--reason", "away"), 0);
	assert_has(s->out, "is waived");
	assert_has(s->out, "frees nothing");
	assert_has(s->out, "joins like a new node");
	assert_int_equal(RUN(s, done, "waive", "pg-1", "--reason", "away", "-o", "json"), 0);
	assert_has(s->out, "\"frees\"");
	assert_int_equal(RUN_ALONE(s, "waive", "pg-1"), 2);
	assert_has(s->err, "--reason");
	assert_int_equal(RUN_ALONE(s, "waive", "/prod/lb", "--reason", "away"), 4); /* a holder, as `troth explain` calls it */
	assert_has(s->err, "troth credential attest /prod/lb --replaced gone");
}

static void links_are_named_by_deployment_and_name(void **state)
{
	struct scene *s = *state;
	static const char gone[] = "{\"dry_run\":false,\"slots\":3,\"stores\":2,\"pairs\":6,\"frees\":[]}";
	static const struct turn list[] = { LINKS };
	static const struct turn add[] = { { "POST /v1/meets", "{\"slot\":\"pg/server\",\"store\":\"app/trust\"}", 201, "{\"source\":\"admin\"}" } };
	static const struct turn removes[] = { LINKS, { "DELETE /v1/meets/1/2", NULL, 200, gone } };
	static const struct turn dry[] = { LINKS, { "DELETE /v1/meets/1/2?dry_run=true", NULL, 200,
						    "{\"dry_run\":true,\"slots\":3,\"stores\":2,\"pairs\":6,\"frees\":[\"x\"]}" } };
	assert_int_equal(RUN(s, list, "link", "list"), 0);
	assert_has(s->out, "bundle");
	assert_int_equal(RUN(s, add, "link", "add", "pg/server", "app/trust"), 0);
	assert_has(s->out, "pg/server is verified by app/trust");
	assert_int_equal(RUN(s, add, "link", "add", "pg/server", "app/trust", "-o", "json"), 0);
	assert_has(s->out, "\"source\": \"admin\"");
	assert_int_equal(RUN(s, dry, "link", "remove", "pg/server", "app/trust", "--dry-run"), 0);
	assert_has(s->out, "would no longer meet; nothing was changed");
	assert_int_equal(RUN(s, removes, "link", "remove", "1", "2"), 0);
	assert_has(s->out, "lose their cover: 6 pairs (3 slots, 2 stores)");
	assert_int_equal(RUN(s, removes, "link", "remove", "1", "2", "-o", "json"), 0);
	assert_has(s->out, "\"pairs\": 6");
	assert_int_equal(RUN(s, list, "link", "remove", "pg/server", "app/other"), 4);
	assert_has(s->err, "do not meet");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leaver_is_gone_or_leaves), cmocka_unit_test(a_waiver_says_what_it_costs_and_frees),
		cmocka_unit_test(links_are_named_by_deployment_and_name),
	};
	return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
