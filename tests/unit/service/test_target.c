/* Targets: wanted, on the way, loaded. */
#include "room.h"

static void write_documents(struct room *r, int64_t target_id, int64_t cert_id)
{
	struct tx *tx;
	struct target_row row;
	struct content_row content = { .kind = CONTENT_SET, .certs = { &cert_id, 1 } }, none = { .kind = CONTENT_SET };
	assert_true(rc_ok(store_write_begin(r->store, &tx, &r->e)));
	assert_true(rc_ok(content_row_put(tx, &content, &r->e)));
	assert_true(rc_ok(content_row_put(tx, &none, &r->e)));
	assert_true(rc_ok(target_row_get(tx, r->a, target_id, &row, &r->e)));
	struct document_row d = { .target_id = target_id, .generation = row.next_generation, .content_id = content.id,
				  .state = DOCUMENT_PENDING, .created = r->now };
	assert_true(rc_ok(document_row_insert(tx, &d, &r->e)));
	row.next_generation++;
	row.base_content = none.id;
	row.base_generation = 1;
	row.last_error = "reload failed";
	assert_true(rc_ok(target_row_update(tx, &row, &r->e)));
	assert_true(rc_ok(store_write_commit(tx, &r->e)));
	service_drop(r->svc);
}

static void test_view(void **state)
{
	struct room *r = room_new();
	struct target_list_ret list;
	struct target_ret one;
	struct deployment_view d = room_deployment(r, "pg");
	room_enroll(r, "pg", "pg-1");
	room_do(r, &VERB_TARGET_LIST, &(struct target_list_cmd){ .deployment = "pg" }, &list);
	assert_int_equal(list.count, 2);
	const struct target_view *store = &list.items[1];
	size_t before = store->document_count;
	struct credential_list_ret ca;
	room_do(r, &VERB_AUTHORITY_LIST, &(struct list_cmd){ .name = "/prod/pg/ca" }, &ca);
	write_documents(r, store->row.id, ca.items[0].versions[0].cert.id);
	room_do(r, &VERB_TARGET_SHOW, &(struct id_cmd){ store->row.uuid }, &one);
	char hex[SHA256_HEX_LEN];
	hex_encode(ca.items[0].versions[0].cert.fingerprint.data, SHA256_LEN, hex);
	assert_int_equal(one.target.document_count, before + 1);
	assert_int_equal(one.target.wanted.fingerprints.count, 1);
	assert_string_equal(one.target.wanted.fingerprints.items[0], hex);
	assert_int_equal(one.target.loaded.row.generation, 1);
	assert_int_equal(one.target.loaded.fingerprints.count, 0);
	assert_string_equal(one.target.row.last_error, "reload failed");
	assert_string_equal(one.target.template.name, "trust");
	assert_int_equal(one.target.template.id, d.templates[1].row.id);
	room_free(r);
}

static void test_filters(void **state)
{
	struct room *r = room_new();
	struct target_list_ret list;
	room_deployment(r, "pg");
	room_enroll(r, "pg", "pg-1");
	room_do(r, &VERB_TARGET_LIST, &(struct target_list_cmd){ .state = "joining" }, &list);
	assert_int_equal(list.count, 2);
	room_do(r, &VERB_TARGET_LIST, &(struct target_list_cmd){ .state = "counted" }, &list);
	assert_int_equal(list.count, 0);
	room_do(r, &VERB_TARGET_LIST, &(struct target_list_cmd){ .deployment = "x" }, &list);
	assert_int_equal(list.count, 0);
	room_do(r, &VERB_TARGET_LIST, &(struct target_list_cmd){ .page = { 0, 1 } }, &list);
	assert_int_equal(list.count, 1);
	assert_int_not_equal(list.next, 0);
	assert_true(rc_ok(room_try(r, &r->narrow, &VERB_TARGET_LIST, &(struct target_list_cmd){ 0 }, &list)));
	assert_int_equal(list.count, 0);
	struct target_list_cmd bad = { .state = "odd", .instance = "x" };
	room_refused(r, &r->admin, &VERB_TARGET_LIST, &bad, TROTH_INVALID, "");
	room_finding(r, "?state", "not a state");
	room_finding(r, "?instance", "not an id");
	room_do(r, &VERB_TARGET_LIST, &(struct target_list_cmd){ 0 }, &list);
	room_refused(r, &r->narrow, &VERB_TARGET_SHOW, &(struct id_cmd){ list.items[0].row.uuid }, TROTH_NOT_FOUND, "no such target");
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_view), cmocka_unit_test(test_filters) };
	return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
