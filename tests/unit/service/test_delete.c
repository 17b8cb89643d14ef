/* Deleting: what is needed stays, what is gone leaves its name. */
#include "outsider.h"

#include "service/handout/delete.h"
#include "service/outside/holder.h"
#include "service/rotation/beside.h"

static void drop(struct room *r, const char *name)
{
	struct no_ret ret;
	room_do(r, &VERB_CREDENTIAL_DELETE, &(struct delete_cmd){ name }, &ret);
}

static void refused(struct room *r, const char *name, enum troth_kind kind, const char *words)
{
	size_t before = room_audit_count(r);
	room_refused(r, &r->admin, &VERB_CREDENTIAL_DELETE, &(struct delete_cmd){ name }, kind, words);
	assert_int_equal(room_audit_count(r), before);
}

static void what_signs_is_needed(void **state)
{
	struct room *r = room_new();
	struct lookup_ret ret;
	outsider_asks(r, outsider_ca("/x/ca", NULL));
	outsider_asks(r, outsider_leaf(r, "/x/leaf", "/x/ca"));
	refused(r, "/x/ca", TROTH_CONFLICT, "/x/leaf is signed by it");
	room_refused(r, &r->narrow, &VERB_CREDENTIAL_DELETE, &(struct delete_cmd){ "/x/leaf" }, TROTH_NOT_FOUND, "");
	room_refused(r, &r->auditor, &VERB_CREDENTIAL_DELETE, &(struct delete_cmd){ "/x/leaf" }, TROTH_FORBIDDEN, "");
	drop(r, "/x/leaf");
	assert_string_equal(room_last_audit(r), "credential.delete");
	refused(r, "/x/leaf", TROTH_NOT_FOUND, "");
	room_refused(r, &r->admin, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = "/x/leaf" }, TROTH_NOT_FOUND, "");
	drop(r, "/x/ca");
	outsider_asks(r, outsider_ca("/x/ca", NULL)); /* its name is free */
	room_do(r, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = "/x/ca" }, &ret);
	assert_int_equal(ret.count, 1);
	room_free(r);
}

static void the_fleet_needs_it(void **state)
{
	struct room *r = room_new();
	room_deployment(r, "pg");
	refused(r, "/prod/pg/ca", TROTH_CONFLICT, "/prod/pg/trust is a bundle");
	(void)room_enroll(r, "pg", "pg-0");
	refused(r, "/prod/pg/pg-0/server", TROTH_CONFLICT, "pg-0 serves it");
	refused(r, "/troth/server", TROTH_UNSAFE, "own");
	room_free(r);
}

/* A CA and a leaf of names that others had: nothing of those is in their way. */
static void a_name_begins_anew(void **state)
{
	struct room *r = room_new();
	for (int i = 0; i < 3; i++) {
		outsider_asks(r, outsider_ca("/x/ca", NULL));
		outsider_asks(r, outsider_leaf(r, "/x/leaf", "/x/ca"));
		outsider_asks(r, (struct generate_cmd){ .name = "/x/leaf", .again = true });
		outsider_asks(r, outsider_ca("/x/other", NULL));
		drop(r, "/x/leaf");
		outsider_asks(r, outsider_leaf(r, "/x/leaf", "/x/other")); /* and another CA's */
		outsider_asks(r, (struct generate_cmd){ .name = "/x/leaf", .again = true });
		drop(r, "/x/leaf");
		drop(r, "/x/other");
		drop(r, "/x/ca");
	}
	room_free(r);
}

/* Deleting says nothing about who shows it: the old CA waits for him, and he is named until somebody says that he is gone. */
static void who_holds_what_was_deleted_is_named(void **state)
{
	struct room *r = room_new();
	struct lookup_ret now;
	struct attest_ret gone;
	struct generate_ret ca = outsider_asks(r, outsider_ca("/x/ca", NULL));
	struct generate_ret leaf = outsider_asks(r, outsider_leaf(r, "/x/leaf", "/x/ca"));
	outsider_asks(r, (struct generate_cmd){ .name = "/x/ca", .again = true, .beside = true });
	struct beside_cmd cmd = { ca.of.credential.row.uuid, ca.of.items[0].version->row.uuid, false };
	room_do(r, &VERB_AUTHORITY_BESIDE, &cmd, &now);
	drop(r, "/x/leaf");
	cmd.version = NULL;
	room_refused(r, &r->admin, &VERB_AUTHORITY_BESIDE, &cmd, TROTH_UNSAFE, "");
	assert_non_null(strstr(r->e.detail, "/x/leaf was deleted"));
	assert_non_null(strstr(r->e.detail, leaf.of.credential.row.uuid));
	room_do(r, &VERB_CREDENTIAL_ATTEST, &(struct attest_cmd){ leaf.of.credential.row.uuid, "gone" }, &gone);
	room_do(r, &VERB_AUTHORITY_BESIDE, &cmd, &now);
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(what_signs_is_needed), cmocka_unit_test(the_fleet_needs_it),
					    cmocka_unit_test(a_name_begins_anew), cmocka_unit_test(who_holds_what_was_deleted_is_named) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
