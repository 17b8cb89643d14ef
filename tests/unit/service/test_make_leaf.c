/* A leaf with a key that the keeper makes: twice to the keeper, and nothing is left of it when that fails. */
#include "outsider.h"

static void first_the_key_then_the_signature(void **state)
{
	struct room *r = room_new();
	outsider_asks(r, outsider_ca("/x/ca", NULL));
	size_t before = r->keeper_calls;
	outsider_asks(r, outsider_leaf(r, "/x/leaf", "/x/ca"));
	assert_int_equal(r->keeper_calls, before + 2);
	room_free(r);
}

static void a_keeper_that_dies_leaves_nothing(void **state)
{
	struct room *r = room_new();
	outsider_asks(r, outsider_ca("/x/ca", NULL));
	for (size_t at = 1; at <= 2; at++) {
		struct generate_cmd cmd = outsider_leaf(r, "/x/leaf", "/x/ca");
		size_t audit = room_audit_count(r);
		r->keeper_dies_at = r->keeper_calls + at;
		room_refused(r, &r->admin, &VERB_CREDENTIAL_GENERATE, &cmd, TROTH_UNAVAILABLE, "");
		room_refused(r, &r->admin, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = "/x/leaf" }, TROTH_NOT_FOUND, "");
		assert_int_equal(room_audit_count(r), audit);
	}
	r->keeper_dies_at = 0;
	outsider_asks(r, outsider_leaf(r, "/x/leaf", "/x/ca"));
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(first_the_key_then_the_signature), cmocka_unit_test(a_keeper_that_dies_leaves_nothing) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
