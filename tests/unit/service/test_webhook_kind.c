/* Which patterns can match an event, and what is near those that cannot. */
#include "../unit.h"

#include "service/webhook/webhook_kind.h"

static void what_can_match(void **state)
{
	static const char *const GOOD[] = { "*", "rotation.*", "rotation.start", "rot*", "*.done", "*ation*abort", "freeze", "**" };
	static const char *const BAD[] = { "rotation", "rotation.", "rotation.started", "rotation.start.*", "nothing", "*.nothing", "Rotation.*", "" };
	for (size_t i = 0; i < ARRAY_LEN(GOOD); i++)
		assert_true(webhook_kind_matches(GOOD[i]));
	for (size_t i = 0; i < ARRAY_LEN(BAD); i++)
		assert_false(webhook_kind_matches(BAD[i]));
	for (size_t i = 1; i < WEBHOOK_KIND_COUNT; i++)
		assert_true(strcmp(WEBHOOK_KINDS[i - 1], WEBHOOK_KINDS[i]) < 0);
}

static void what_is_near(void **state)
{
	struct arena *a = arena_new(1 << 16);
	assert_string_equal(webhook_kind_near(a, "token"), "token.*, or one of token.create, token.revoke");
	assert_string_equal(webhook_kind_near(a, "tokens.*"), "token.*, or one of token.create, token.revoke");
	assert_string_equal(webhook_kind_near(a, "frezee"), "freeze");
	assert_true(strstr(webhook_kind_near(a, "rotaion.*"), "rotation.*, or one of rotation.abort, rotation.approve, rotation.done") != NULL);
	assert_true(strstr(webhook_kind_near(a, "binding.fetched"), "binding.fetch") != NULL);
	assert_null(webhook_kind_near(a, "pg"));
	assert_null(webhook_kind_near(a, ""));
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_can_match), cmocka_unit_test(what_is_near) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
