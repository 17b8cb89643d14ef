/* The audit: complete, signed, and broken where a byte was changed. */
#include "room.h"

#include <sqlite3.h>

static struct audit_verify_ret verify(struct room *r)
{
	struct audit_verify_ret ret;
	room_do(r, &VERB_AUDIT_VERIFY, &(struct no_cmd){ 0 }, &ret);
	return ret;
}

static void sign(struct room *r)
{
	struct no_ret none;
	assert_true(rc_ok(room_try(r, &PRINCIPAL_SYSTEM, &VERB_AUDIT_SIGN, &(struct no_cmd){ 0 }, &none)));
}

static void sql(struct room *r, const char *text)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(r->path, &db), SQLITE_OK);
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s", sqlite3_errmsg(db));
	sqlite3_close(db);
}

static void test_chain_holds_and_is_signed(void **state)
{
	struct room *r = room_new();
	struct audit_list_ret list;
	room_authority(r, "/prod/ca", NULL);
	struct audit_verify_ret v = verify(r);
	assert_true(v.check.holds);
	assert_int_equal(v.check.rows, v.head_seq);
	assert_int_equal(v.check.signed_up_to, v.head_seq - 1); /* init's own signature */
	sign(r);
	size_t calls = r->keeper_calls;
	sign(r); /* nothing new: nothing to sign */
	assert_int_equal(r->keeper_calls, calls);
	v = verify(r);
	assert_int_equal(v.check.signed_up_to, v.head_seq);
	room_do(r, &VERB_AUDIT_LIST, &(struct audit_list_cmd){ .object = "/prod/ca" }, &list);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.items[0].who, "admin");
	assert_string_equal(list.items[0].action, "authority.create");
	assert_non_null(strstr(list.items[0].after, "\"key_type\":\"ec-p256\""));
	room_do(r, &VERB_AUDIT_LIST, &(struct audit_list_cmd){ .page = { 0, 2 } }, &list);
	assert_int_equal(list.count, 2);
	assert_int_equal(list.next, 2);
	room_free(r);
}

static void test_changed_byte(void **state)
{
	struct room *r = room_new();
	room_authority(r, "/prod/ca", NULL);
	sign(r);
	sql(r, "UPDATE audit SET who = 'nobody' WHERE seq = 2");
	struct audit_verify_ret v = verify(r);
	assert_false(v.check.holds);
	assert_int_equal(v.check.first_broken, 2);
	room_free(r);
}

static void test_cut_end(void **state)
{
	struct room *r = room_new();
	room_authority(r, "/prod/ca", NULL);
	sign(r);
	sql(r, "DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)");
	assert_false(verify(r).check.holds);
	room_free(r);
}

/* Signed by another key: a head that an attacker made. */
static void test_foreign_signature(void **state)
{
	struct room *r = room_new();
	sql(r, "UPDATE audit_head SET signature = zeroblob(64)");
	assert_false(verify(r).check.holds);
	sql(r, "UPDATE audit_head SET spki = x'00'");
	assert_false(verify(r).check.holds);
	room_free(r);
}

static void test_who_may(void **state)
{
	struct room *r = room_new();
	struct audit_list_ret list;
	room_refused(r, &r->narrow, &VERB_AUDIT_LIST, &(struct audit_list_cmd){ 0 }, TROTH_FORBIDDEN, "may not");
	room_refused(r, &r->narrow, &VERB_AUDIT_VERIFY, &(struct no_cmd){ 0 }, TROTH_FORBIDDEN, "may not");
	room_refused(r, &r->admin, &VERB_AUDIT_SIGN, &(struct no_cmd){ 0 }, TROTH_FORBIDDEN, "may not");
	assert_true(rc_ok(room_try(r, &r->auditor, &VERB_AUDIT_LIST, &(struct audit_list_cmd){ 0 }, &list)));
	room_free(r);
}

/* An auditor of a part reads that part, by whatever way. */
static void test_scope(void **state)
{
	struct room *r = room_new();
	struct principal narrow = { .id = 9, .name = "narrow", .roles = ROLE_AUDITOR, .scope = "/prod/pg/*" };
	struct audit_list_ret list;
	room_authority(r, "/prod/pg/ca", NULL);
	room_authority(r, "/test/ca", NULL);
	assert_true(rc_ok(room_try(r, &narrow, &VERB_AUDIT_LIST, &(struct audit_list_cmd){ 0 }, &list)));
	assert_true(list.count >= 1);
	for (size_t i = 0; i < list.count; i++)
		assert_true(!list.items[i].object || text_starts(list.items[i].object, "/prod/pg/"));
	assert_true(rc_ok(room_try(r, &narrow, &VERB_AUDIT_LIST, &(struct audit_list_cmd){ .object = "/test/ca" }, &list)) && list.count == 0);
	assert_true(rc_ok(room_try(r, &narrow, &VERB_AUDIT_LIST, &(struct audit_list_cmd){ .page = { 0, 2 } }, &list)) && list.next == 2);
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chain_holds_and_is_signed), cmocka_unit_test(test_changed_byte), cmocka_unit_test(test_cut_end),
		cmocka_unit_test(test_foreign_signature), cmocka_unit_test(test_who_may), cmocka_unit_test(test_scope),
	};
	return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
