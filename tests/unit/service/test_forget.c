/* Versions that are shown no more: only what nobody needs. */
#include "outsider.h"

#include "service/handout/forget.h"
#include "service/outside/holder.h"
#include "service/rotation/beside.h"

static struct lookup_ret look(struct room *r, const char *name)
{
	struct lookup_ret ret;
	room_do(r, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = name }, &ret);
	return ret;
}

static void forget(struct room *r, const char *id, const char *version)
{
	struct lookup_ret ret;
	room_do(r, &VERB_VERSION_FORGET, &(struct forget_cmd){ id, version, false }, &ret);
	assert_int_equal(ret.count, 1);
	assert_string_equal(ret.items[0].version->row.uuid, version);
	assert_string_equal(room_last_audit(r), "version.forget");
}

static void refused(struct room *r, const char *id, const char *version, enum troth_kind kind, const char *words)
{
	size_t before = room_audit_count(r);
	room_refused(r, &r->admin, &VERB_VERSION_FORGET, &(struct forget_cmd){ id, version, false }, kind, words);
	assert_int_equal(room_audit_count(r), before);
}

static const char *uuid_of(const struct generate_ret *x) { return x->of.items[0].version->row.uuid; }

static void of_an_authority(void **state)
{
	struct room *r = room_new();
	struct lookup_ret now;
	struct generate_ret ca = outsider_asks(r, outsider_ca("/x/ca", NULL));
	const char *id = ca.of.credential.row.uuid, *old = uuid_of(&ca);
	refused(r, id, old, TROTH_CONFLICT, "only version");
	assert_string_equal(r->e.clause, CLAUSE_LAST_VERSION);
	struct generate_ret next = outsider_asks(r, (struct generate_cmd){ .id = id, .again = true, .beside = true });
	refused(r, id, old, TROTH_CONFLICT, "the one in use");
	refused(r, id, uuid_of(&next), TROTH_UNSAFE, "on its way to sign");
	room_do(r, &VERB_AUTHORITY_BESIDE, &(struct beside_cmd){ id, old, false }, &now);
	refused(r, id, old, TROTH_UNSAFE, "trusted still");
	room_do(r, &VERB_AUTHORITY_BESIDE, &(struct beside_cmd){ id, NULL, false }, &now);
	refused(r, id, "11111111-1111-4111-8111-111111111111", TROTH_INVALID, "has no version");
	room_refused(r, &r->narrow, &VERB_VERSION_FORGET, &(struct forget_cmd){ id, old, false }, TROTH_NOT_FOUND, "");
	room_refused(r, &r->auditor, &VERB_VERSION_FORGET, &(struct forget_cmd){ id, old, false }, TROTH_FORBIDDEN, "");
	forget(r, id, old);
	assert_int_equal(look(r, "/x/ca").count, 1);
	refused(r, id, old, TROTH_INVALID, "has no version");
	room_free(r);
}

static void of_a_leaf(void **state)
{
	struct room *r = room_new();
	struct attest_ret attested;
	struct lookup_ret now;
	struct generate_ret ca = outsider_asks(r, outsider_ca("/x/ca", NULL)), one = outsider_asks(r, outsider_leaf(r, "/x/leaf", "/x/ca"));
	const char *id = one.of.credential.row.uuid, *root = ca.of.credential.row.uuid;
	struct generate_ret two = outsider_asks(r, outsider_leaf(r, "/x/leaf", "/x/ca"));
	forget(r, id, uuid_of(&one)); /* of the same CA: who may show it may as well show the newer one */
	outsider_asks(r, (struct generate_cmd){ .id = root, .again = true, .beside = true });
	room_do(r, &VERB_AUTHORITY_BESIDE, &(struct beside_cmd){ root, uuid_of(&ca), false }, &now);
	outsider_asks(r, outsider_leaf(r, "/x/leaf", "/x/ca"));
	refused(r, id, uuid_of(&two), TROTH_UNSAFE, "may still show it");
	room_do(r, &VERB_CREDENTIAL_ATTEST, &(struct attest_cmd){ id, "renewed" }, &attested);
	forget(r, id, uuid_of(&two));
	assert_int_equal(look(r, "/x/leaf").count, 1);
	room_free(r);
}

/* An administrator answers for who took it; not for what is trusted, nor for what is in use. */
static void by_force(void **state)
{
	struct room *r = room_new();
	struct lookup_ret now, gone;
	struct generate_ret ca = outsider_asks(r, outsider_ca("/x/ca", NULL)), one = outsider_asks(r, outsider_leaf(r, "/x/leaf", "/x/ca"));
	const char *id = one.of.credential.row.uuid, *root = ca.of.credential.row.uuid;
	outsider_asks(r, (struct generate_cmd){ .id = root, .again = true, .beside = true });
	room_do(r, &VERB_AUTHORITY_BESIDE, &(struct beside_cmd){ root, uuid_of(&ca), false }, &now);
	struct generate_ret two = outsider_asks(r, outsider_leaf(r, "/x/leaf", "/x/ca"));
	struct forget_cmd old = { id, uuid_of(&one), true }, newest = { id, uuid_of(&two), true }, trusted = { root, uuid_of(&ca), true };
	room_refused(r, &r->narrow, &VERB_VERSION_FORGET, &old, TROTH_FORBIDDEN, "only an administrator may insist");
	room_refused(r, &r->admin, &VERB_VERSION_FORGET, &newest, TROTH_CONFLICT, "the one in use");
	room_refused(r, &r->admin, &VERB_VERSION_FORGET, &trusted, TROTH_UNSAFE, "trusted still");
	room_do(r, &VERB_VERSION_FORGET, &old, &gone);
	assert_string_equal(room_last_audit(r), "version.forget");
	assert_int_equal(look(r, "/x/leaf").count, 1);
	room_do(r, &VERB_AUTHORITY_BESIDE, &(struct beside_cmd){ root, NULL, false }, &now); /* nobody is left to be named */
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(of_an_authority), cmocka_unit_test(of_a_leaf), cmocka_unit_test(by_force) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
