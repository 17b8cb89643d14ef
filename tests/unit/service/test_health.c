/* Health and version: for anybody. */
#include "room.h"

static void test_anybody_may_ask(void **state)
{
	struct room *r = room_new();
	struct health_ret health;
	struct version_ret version;
	assert_true(rc_ok(room_try(r, &PRINCIPAL_ANONYMOUS, &VERB_HEALTH, &(struct no_cmd){ 0 }, &health)));
	assert_string_equal(health.epoch, service_epoch(r->svc));
	assert_true(health.event_seq > 0);
	assert_true(rc_ok(room_try(r, &PRINCIPAL_ANONYMOUS, &VERB_VERSION, &(struct no_cmd){ 0 }, &version)));
	assert_string_equal(version.version, TROTH_VERSION);
	assert_int_equal(version.schema, store_schema_version());
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_anybody_may_ask) };
	return cmocka_run_group_tests_name("health", tests, NULL, NULL);
}
