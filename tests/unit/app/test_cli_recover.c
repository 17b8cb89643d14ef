/* recover list, approve, deny. */
#include "cli_fixture.h"

#define ITEM(name, id, state) "{\"instance\":\"" name "\",\"instance_id\":\"" id "\",\"deployment\":\"pg\",\"state\":\"" state "\",\"since\":\"2026-11-22T06:55:00Z\"," \
	"\"address\":\"192.0.2.7\",\"key\":\"0123456789abcdef\",\"identity_ended\":\"2026-11-01T00:00:00Z\"}"
#define ASKING { "GET /v1/recoveries", NULL, 200, "{\"items\":[" ITEM("pg-1", "7", "pending") "," ITEM("pg-2", "8", "contested") "],\"next\":null}" }

static void who_asks(void **state)
{
	struct scene *s = *state;
	static const struct turn list[] = { ASKING };
	static const struct turn none[] = { { "GET /v1/recoveries", NULL, 200, "{\"items\":[],\"next\":null}" } };
	assert_int_equal(RUN(s, list, "recover", "list"), 0);
	assert_has(s->out, "pg-1");
	assert_has(s->out, "pending");
	assert_has(s->out, "contested");
	assert_has(s->out, "192.0.2.7");
	assert_has(s->out, "0123456789ab");
	assert_has(s->out, "2026-11-01");
	assert_int_equal(RUN(s, none, "recover", "list"), 0);
	assert_has(s->out, "nobody asks");
}

static void approved_by_name(void **state)
{
	struct scene *s = *state;
	static const struct turn one[] = { ASKING, { "POST /v1/recoveries/approve", "{\"instances\":[\"7\"]}", 200, "{\"instances\":[\"pg-1\"],\"left\":0}" } };
	static const struct turn two[] = { ASKING, { "POST /v1/recoveries/approve?dry_run=true", "{\"instances\":[\"7\",\"8\"]}", 200,
						     "{\"instances\":[\"pg-1\",\"pg-2\"],\"left\":0}" } };
	static const struct turn list[] = { ASKING };
	assert_int_equal(RUN(s, one, "recover", "approve", "pg-1"), 0);
	assert_has(s->out, "approved:\n  pg-1\n");
	assert_has(s->out, "when it asks next");
	assert_int_equal(RUN(s, one, "recover", "approve", "pg-1", "-o", "json"), 0);
	assert_has(s->out, "\"instances\"");
	assert_int_equal(RUN(s, two, "recover", "approve", "pg-1", "pg-2", "--dry-run"), 0);
	assert_has(s->out, "would be approved; nothing was changed");
	assert_null(strstr(s->out, "when it asks next"));
	assert_int_equal(RUN(s, list, "recover", "approve", "pg-3"), 4);
	assert_has(s->err, "pg-3 asks for no recovery");
	assert_has(s->err, "troth recover list");
}

static void all_in_as_many_requests_as_it_takes(void **state)
{
	struct scene *s = *state;
	static const struct turn rounds[] = { { "POST /v1/recoveries/approve", "{\"all\":true}", 200, "{\"instances\":[\"pg-1\",\"pg-2\"],\"left\":2}" },
					      { "POST /v1/recoveries/approve", "{\"all\":true}", 200, "{\"instances\":[\"pg-3\"],\"left\":1}" },
					      { "POST /v1/recoveries/approve", "{\"all\":true}", 200, "{\"instances\":[],\"left\":1}" } };
	static const struct turn none[] = { { "POST /v1/recoveries/approve", "{\"all\":true}", 200, "{\"instances\":[],\"left\":0}" } };
	assert_int_equal(RUN(s, rounds, "recover", "approve", "--all"), 0);
	assert_has(s->out, "  pg-3\n");
	assert_has(s->out, "1 not approved");
	assert_int_equal(RUN(s, none, "recover", "approve", "--all"), 0);
	assert_has(s->out, "nobody waits for approval");
	assert_int_equal(RUN(s, none, "recover", "approve", "--all", "-o", "json"), 0);
	assert_has(s->out, "\"left\": 0");
}

static void denied_by_name(void **state)
{
	struct scene *s = *state;
	static const struct turn one[] = { ASKING, { "POST /v1/recoveries/deny", "{\"instances\":[\"8\"]}", 200, "{\"instances\":[\"pg-2\"],\"left\":0}" } };
	assert_int_equal(RUN(s, one, "recover", "deny", "pg-2"), 0);
	assert_has(s->out, "denied:\n  pg-2\n");
}

static void who_must_be_said(void **state)
{
	struct scene *s = *state;
	static const struct turn twins[] = { { "GET /v1/recoveries", NULL, 200, "{\"items\":[" ITEM("pg-1", "7", "pending") "," ITEM("pg-1", "8", "pending") "],\"next\":null}" } };
	assert_int_equal(RUN_ALONE(s, "recover", "approve"), 2);
	assert_has(s->err, "--all");
	assert_int_equal(RUN_ALONE(s, "recover", "approve", "pg-1", "--all"), 2);
	assert_int_equal(RUN_ALONE(s, "recover", "deny"), 2);
	assert_has(s->err, "which INSTANCE?");
	assert_int_equal(RUN(s, twins, "recover", "approve", "pg-1"), 1);
	assert_has(s->err, "say the id");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_asks), cmocka_unit_test(approved_by_name), cmocka_unit_test(all_in_as_many_requests_as_it_takes),
		cmocka_unit_test(denied_by_name), cmocka_unit_test(who_must_be_said),
	};
	return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
