/* All leaves below an authority, or none of them. */
#include "outsider.h"

#include "service/ca/generate_below.h"
#include "service/rotation/beside.h"

static struct generate_below_ret below(struct room *r, const char *name)
{
	struct generate_below_ret ret;
	room_do(r, &VERB_CREDENTIAL_GENERATE_BELOW, &(struct generate_below_cmd){ name }, &ret);
	return ret;
}

static void refused(struct room *r, const struct principal *who, const char *name, enum troth_kind kind, const char *words)
{
	size_t before = room_audit_count(r), calls = r->keeper_calls;
	room_refused(r, who, &VERB_CREDENTIAL_GENERATE_BELOW, &(struct generate_below_cmd){ name }, kind, words);
	assert_int_equal(room_audit_count(r), before);
	assert_int_equal(r->keeper_calls, calls);
}

static struct lookup_ret look(struct room *r, const char *name)
{
	struct lookup_ret ret;
	room_do(r, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = name, .keys = true }, &ret);
	return ret;
}

static void through_the_cas_below(void **state)
{
	struct room *r = room_new();
	outsider_asks(r, outsider_ca("/x/root", NULL));
	outsider_asks(r, outsider_ca("/x/sub", "/x/root"));
	outsider_asks(r, outsider_leaf(r, "/x/b", "/x/sub"));
	outsider_asks(r, outsider_leaf(r, "/x/A", "/x/root"));
	outsider_asks(r, outsider_leaf(r, "/y/other", "/x/root"));
	struct generate_below_ret ret = below(r, "/x/root");
	assert_int_equal(ret.names.count, 3);
	assert_string_equal(ret.names.items[0], "/x/A");
	assert_string_equal(ret.names.items[1], "/x/b");
	struct lookup_ret b = look(r, "/x/b");
	assert_true(b.count == 2 && b.items[0].private_key && !text_equal(b.items[0].private_key, b.items[1].private_key));
	assert_int_equal(look(r, "/x/sub").count, 1);
	assert_int_equal(below(r, "/x/sub").names.count, 1);
	room_free(r);
}

/* The third step of a rotation led by hand. */
static void signed_by_the_new_one(void **state)
{
	struct room *r = room_new();
	struct lookup_ret now;
	struct generate_ret ca = outsider_asks(r, outsider_ca("/x/ca", NULL));
	outsider_asks(r, outsider_leaf(r, "/x/a", "/x/ca"));
	outsider_asks(r, outsider_leaf(r, "/x/b", "/x/ca"));
	struct generate_ret new = outsider_asks(r, (struct generate_cmd){ .name = "/x/ca", .again = true, .beside = true });
	struct beside_cmd cmd = { ca.of.credential.row.uuid, ca.of.items[0].version->row.uuid, false };
	room_do(r, &VERB_AUTHORITY_BESIDE, &cmd, &now);
	below(r, "/x/ca");
	assert_string_equal(look(r, "/x/a").items[0].version->signed_by, new.of.items[0].version->row.uuid);
	assert_string_equal(look(r, "/x/b").items[0].version->signed_by, new.of.items[0].version->row.uuid);
	cmd.version = NULL;
	room_do(r, &VERB_AUTHORITY_BESIDE, &cmd, &now);
	room_free(r);
}

static void all_or_none(void **state)
{
	struct room *r = room_new();
	struct principal some = r->narrow;
	(void)text_copy(some.scope, sizeof some.scope, "/x/*");
	outsider_asks(r, outsider_ca("/x/ca", NULL));
	outsider_asks(r, outsider_leaf(r, "/x/a", "/x/ca"));
	outsider_asks(r, outsider_leaf(r, "/y/b", "/x/ca"));
	refused(r, &some, "/x/ca", TROTH_FORBIDDEN, "");
	refused(r, &r->auditor, "/x/ca", TROTH_FORBIDDEN, "");
	refused(r, &r->admin, "/x/a", TROTH_NOT_FOUND, "no authority");
	refused(r, &r->admin, "/x/none", TROTH_NOT_FOUND, "no authority");
	r->keeper_dies_at = r->keeper_calls + 4;
	room_refused(r, &r->admin, &VERB_CREDENTIAL_GENERATE_BELOW, &(struct generate_below_cmd){ "/x/ca" }, TROTH_UNAVAILABLE, "");
	assert_int_equal(look(r, "/x/a").count, 1);
	r->keeper_dies_at = 0;
	for (int i = 0; i < LIMIT_KEEPER_BATCH / 2; i++)
		outsider_asks(r, outsider_leaf(r, arena_printf(r->a, "/x/many-%d", i), "/x/ca"));
	refused(r, &r->admin, "/x/ca", TROTH_TOO_LARGE, "too many");
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(through_the_cas_below), cmocka_unit_test(signed_by_the_new_one), cmocka_unit_test(all_or_none) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
