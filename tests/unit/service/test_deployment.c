/* Deployments and their templates. */
#include "room.h"

static void test_create(void **state)
{
	struct room *r = room_new();
	struct deployment_ret ret;
	room_authority(r, "/prod/pg/ca", NULL);
	room_bundle(r, "/prod/pg/trust", "/prod/pg/ca");
	struct parameter port = { "port", "5432" };
	struct slot_template slots[] = {
		{ .name = "server", .profile = "postgresql", .role = "both", .credential = "/prod/pg/{instance}/server",
		  .authority = "/prod/pg/ca", .common_name = "{instance}", .key_type = "ec-p384", .key_source = "keeper",
		  .sans = room_texts(r, "{instance}.pg.example", "ip:127.0.0.1"), .ttl = 30 * MSEC_DAY, .parameters = &port,
		  .parameter_count = 1 },
	};
	struct store_template stores[] = { { .name = "trust", .profile = "pem-files", .bundle = "/prod/pg/trust" } };
	struct deployment_create_cmd cmd = { .name = "/prod/pg/db", .slots = slots, .slot_count = 1, .stores = stores, .store_count = 1 };
	assert_true(rc_ok(room_try(r, &r->narrow, &VERB_DEPLOYMENT_CREATE, &cmd, &ret)));
	assert_int_equal(ret.deployment.template_count, 2);
	const struct template_view *t = &ret.deployment.templates[0];
	assert_string_equal(t->authority, "/prod/pg/ca");
	assert_int_equal(t->row.role, TARGET_BOTH);
	assert_int_equal(t->row.key_source, KEY_SOURCE_KEEPER);
	assert_int_equal(t->row.leaf_ttl, 30 * MSEC_DAY);
	assert_string_equal(t->row.parameters, "{\"port\":\"5432\"}");
	assert_int_equal(t->sans.count, 2);
	assert_string_equal(t->sans.items[0], "{instance}.pg.example");
	assert_string_equal(ret.deployment.templates[1].bundle, "/prod/pg/trust");
	assert_string_equal(room_last_audit(r), "deployment.create");
	room_refused(r, &r->admin, &VERB_DEPLOYMENT_CREATE, &cmd, TROTH_CONFLICT, "");
	room_free(r);
}

static void test_all_findings(void **state)
{
	struct room *r = room_new();
	char big[600];
	memset(big, 'x', sizeof big);
	big[599] = 0;
	struct parameter odd[] = { { "a b", "x" }, { "y", big } };
	struct slot_template slots[] = {
		{ .name = "s", .profile = "nginx", .role = "peer", .credential = "/prod/{node}/x", .authority = "ca", .key_type = "dsa",
		  .key_source = "me", .sans = room_texts(r, "a_b", "{x}.y"), .ttl = 1, .parameters = odd, .parameter_count = 2 },
		{ .name = "s", .profile = "nginx", .credential = "/troth/x", .authority = "/prod/ca", .sans = room_texts(r, "a", NULL),
		  .common_name = "{node}" },
		{ .name = NULL },
	};
	struct store_template stores[] = { { .name = "s", .bundle = "x" } };
	struct deployment_create_cmd cmd = { .name = "a b", .slots = slots, .slot_count = 3, .stores = stores, .store_count = 1 };
	room_refused(r, &r->admin, &VERB_DEPLOYMENT_CREATE, &cmd, TROTH_INVALID, "");
	room_finding(r, "$.name", "character");
	room_finding(r, "$.slots[0].role", "role");
	room_finding(r, "$.slots[0].credential", "placeholder");
	room_finding(r, "$.slots[0].authority", "start");
	room_finding(r, "$.slots[0].key_type", "key type");
	room_finding(r, "$.slots[0].key_source", "key source");
	room_finding(r, "$.slots[0].sans[0]", "character");
	room_finding(r, "$.slots[0].sans[1]", "placeholder");
	room_finding(r, "$.slots[0].ttl", "between");
	room_finding(r, "$.slots[0].parameters.a b", "character");
	room_finding(r, "$.slots[0].parameters.y", "longer");
	room_finding(r, "$.slots[1].name", "another template");
	room_finding(r, "$.slots[1].credential", "belong to the program");
	room_finding(r, "$.slots[1].common_name", "placeholder");
	room_finding(r, "$.slots[2].name", "missing");
	room_finding(r, "$.slots[2].profile", "missing");
	room_finding(r, "$.slots[2].credential", "missing");
	room_finding(r, "$.slots[2].sans", "at least one");
	room_finding(r, "$.stores[0].profile", "missing");
	room_finding(r, "$.stores[0].bundle", "start");
	room_finding(r, "$.stores[0].name", "another template");
	room_free(r);
}

static void test_what_is_named_must_exist(void **state)
{
	struct room *r = room_new();
	room_authority(r, "/test/ca", NULL);
	struct slot_template slots[] = {
		{ .name = "a", .profile = "nginx", .credential = "/prod/pg/{instance}", .authority = "/prod/pg/ca", .sans = room_texts(r, "a", NULL) },
		{ .name = "b", .profile = "nginx", .credential = "/prod/pg/{instance}", .authority = "/test/ca", .sans = room_texts(r, "a", NULL) },
	};
	struct store_template store = { .name = "trust", .profile = "x", .bundle = "/prod/pg/trust" };
	struct deployment_create_cmd cmd = { .name = "/prod/pg/db", .slots = slots, .slot_count = 2, .stores = &store, .store_count = 1 };
	room_refused(r, &r->narrow, &VERB_DEPLOYMENT_CREATE, &cmd, TROTH_INVALID, "");
	room_finding(r, "$.slots[0].authority", "no authority /prod/pg/ca");
	room_finding(r, "$.slots[1].authority", "no authority /test/ca"); /* it is there, but outside the scope */
	room_finding(r, "$.stores[0].bundle", "no bundle /prod/pg/trust");
	assert_int_equal(room_findings(r), 3);
	cmd.name = "pg";
	room_refused(r, &r->narrow, &VERB_DEPLOYMENT_CREATE, &cmd, TROTH_FORBIDDEN, "may not touch pg");
	cmd.name = "/prod/pg/db";
	slots[0].credential = "/test/{instance}";
	room_refused(r, &r->narrow, &VERB_DEPLOYMENT_CREATE, &cmd, TROTH_FORBIDDEN, "may not touch /test/{instance}");
	cmd.name = "/troth/x";
	room_refused(r, &r->admin, &VERB_DEPLOYMENT_CREATE, &cmd, TROTH_INVALID, "belong to the program");
	room_free(r);
}

static void test_extend_reaches_those_who_are_there(void **state)
{
	struct room *r = room_new();
	struct deployment_ret ret;
	struct target_list_ret targets;
	struct deployment_view d = room_deployment(r, "pg");
	struct msg_enrolled joined = room_enroll(r, "pg", "pg-1");
	struct slot_template slot = { .name = "client", .profile = "pem-files", .role = "client", .credential = "/prod/pg/{instance}/client",
				      .authority = "/prod/pg/ca", .sans = room_texts(r, "{instance}.pg.example", NULL) };
	struct deployment_extend_cmd cmd = { .id = d.row.uuid, .slots = &slot, .slot_count = 1 };
	room_do(r, &VERB_DEPLOYMENT_EXTEND, &cmd, &ret);
	assert_int_equal(ret.deployment.template_count, 3);
	assert_int_equal(ret.deployment.row.rev, 2);
	assert_int_equal(ret.deployment.instance_count, 1);
	room_do(r, &VERB_TARGET_LIST, &(struct target_list_cmd){ .instance = joined.instance_id }, &targets);
	assert_int_equal(targets.count, 3);
	assert_string_equal(targets.items[2].credential, "/prod/pg/pg-1/client");
	room_refused(r, &r->admin, &VERB_DEPLOYMENT_EXTEND, &cmd, TROTH_INVALID, "template of this deployment");
	cmd.slot_count = 0;
	room_refused(r, &r->admin, &VERB_DEPLOYMENT_EXTEND, &cmd, TROTH_INVALID, "no slots and no stores");
	room_free(r);
}

static void test_too_many(void **state)
{
	struct room *r = room_new();
	struct deployment_view d = room_deployment(r, "pg");
	struct store_template stores[LIMIT_TARGETS_PER_INSTANCE + 1];
	for (int i = 0; i <= LIMIT_TARGETS_PER_INSTANCE; i++)
		stores[i] = (struct store_template){ .name = arena_printf(r->a, "s%d", i), .profile = "x", .bundle = "/prod/pg/trust" };
	struct deployment_extend_cmd cmd = { .id = d.row.uuid, .stores = stores, .store_count = LIMIT_TARGETS_PER_INSTANCE + 1 };
	room_refused(r, &r->admin, &VERB_DEPLOYMENT_EXTEND, &cmd, TROTH_INVALID, "more than 64");
	cmd.store_count = LIMIT_TARGETS_PER_INSTANCE;
	room_refused(r, &r->admin, &VERB_DEPLOYMENT_EXTEND, &cmd, TROTH_TOO_LARGE, "66 templates");
	room_free(r);
}

static void test_delete(void **state)
{
	struct room *r = room_new();
	struct no_ret none;
	struct deployment_list_ret list;
	struct meet_list_ret meets;
	struct deployment_view d = room_deployment(r, "pg");
	struct msg_enrolled joined = room_enroll(r, "pg", "pg-1");
	room_refused(r, &r->admin, &VERB_DEPLOYMENT_DELETE, &(struct id_cmd){ d.row.uuid }, TROTH_CONFLICT, "has 1 instance");
	room_do(r, &VERB_INSTANCE_DELETE, &(struct instance_delete_cmd){ joined.instance_id, true }, &none);
	r->if_match = "7";
	room_refused(r, &r->admin, &VERB_DEPLOYMENT_DELETE, &(struct id_cmd){ d.row.uuid }, TROTH_PRECONDITION, "");
	r->if_match = NULL;
	room_do(r, &VERB_DEPLOYMENT_DELETE, &(struct id_cmd){ d.row.uuid }, &none);
	room_do(r, &VERB_DEPLOYMENT_LIST, &(struct list_cmd){ 0 }, &list);
	assert_int_equal(list.count, 0);
	room_do(r, &VERB_MEET_LIST, &(struct list_cmd){ 0 }, &meets);
	assert_int_equal(meets.count, 0);
	assert_string_equal(room_last_audit(r), "deployment.delete");
	room_free(r);
}

static void test_list_and_show(void **state)
{
	struct room *r = room_new();
	struct deployment_list_ret list;
	struct deployment_ret ret;
	struct deployment_view d = room_deployment(r, "pg");
	room_do(r, &VERB_DEPLOYMENT_LIST, &(struct list_cmd){ .name = "pg" }, &list);
	assert_int_equal(list.count, 1);
	room_do(r, &VERB_DEPLOYMENT_LIST, &(struct list_cmd){ .name = "my" }, &list);
	assert_int_equal(list.count, 0);
	room_do(r, &VERB_DEPLOYMENT_SHOW, &(struct id_cmd){ d.row.uuid }, &ret);
	assert_int_equal(ret.deployment.template_count, 2);
	room_refused(r, &r->narrow, &VERB_DEPLOYMENT_SHOW, &(struct id_cmd){ d.row.uuid }, TROTH_NOT_FOUND, "no such deployment");
	assert_true(rc_ok(room_try(r, &r->narrow, &VERB_DEPLOYMENT_LIST, &(struct list_cmd){ 0 }, &list)));
	assert_int_equal(list.count, 0);
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create),   cmocka_unit_test(test_all_findings), cmocka_unit_test(test_what_is_named_must_exist),
		cmocka_unit_test(test_extend_reaches_those_who_are_there), cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_delete),   cmocka_unit_test(test_list_and_show),
	};
	return cmocka_run_group_tests_name("deployment", tests, NULL, NULL);
}
