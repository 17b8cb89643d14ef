/* A slot's credential at joining: made, adopted, or in the way. */
#include "room.h"

static void deployment(struct room *r, const char *name, const char *pattern, const char *san)
{
	struct deployment_ret ret;
	struct slot_template slot = { .name = "tls", .profile = "nginx", .credential = pattern, .authority = "/prod/ca",
				      .common_name = "node {instance}", .role = "both", .sans = room_texts(r, san, NULL) };
	room_do(r, &VERB_DEPLOYMENT_CREATE, &(struct deployment_create_cmd){ .name = name, .slots = &slot, .slot_count = 1 }, &ret);
}

static void refused(struct room *r, const char *deployment_name, const char *instance, enum troth_kind kind, const char *part)
{
	struct msg_enroll m = { .token = room_token(r, deployment_name, NULL), .csr = room_csr(r, KEY_EC_P256), .boot_id = "b",
				.agent_version = "1", .instance = instance };
	room_refused(r, &PRINCIPAL_ANONYMOUS, &VERB_ENROLL, &m, kind, part);
}

static struct credential_view credential(struct room *r, const char *name)
{
	struct credential_list_ret ret;
	room_do(r, &VERB_CREDENTIAL_LIST, &(struct list_cmd){ .name = name }, &ret);
	assert_int_equal(ret.count, 1);
	return ret.items[0];
}

static void test_made_from_the_patterns(void **state)
{
	struct room *r = room_new();
	room_authority(r, "/prod/ca", NULL);
	deployment(r, "web", "/prod/{instance}/tls", "{instance}.example");
	room_enroll(r, "web", "w-1");
	struct credential_view v = credential(r, "/prod/w-1/tls");
	assert_string_equal(v.spec.common_name, "node w-1");
	assert_int_equal(v.spec.eku, EKU_SERVER | EKU_CLIENT);
	assert_string_equal(v.issuer, "/prod/ca");
	room_free(r);
}

static void test_definition_is_adopted(void **state)
{
	struct room *r = room_new();
	struct credential_ret made;
	room_authority(r, "/prod/ca", NULL);
	room_authority(r, "/prod/ca2", NULL);
	deployment(r, "web", "/prod/{instance}/tls", "{instance}.example");
	struct credential_create_cmd cmd = { .name = "/prod/w-1/tls", .authority = "/prod/ca", .sans = room_texts(r, "special.example", NULL) };
	room_do(r, &VERB_CREDENTIAL_CREATE, &cmd, &made);
	room_enroll(r, "web", "w-1");
	assert_string_equal(credential(r, "/prod/w-1/tls").row.uuid, made.credential.row.uuid);
	assert_string_equal(credential(r, "/prod/w-1/tls").spec.sans.items[0], "special.example");
	cmd.name = "/prod/w-2/tls";
	cmd.authority = "/prod/ca2";
	room_do(r, &VERB_CREDENTIAL_CREATE, &cmd, &made);
	refused(r, "web", "w-2", TROTH_CONFLICT, "another authority");
	room_free(r);
}

static void test_shared_pattern_holds_one(void **state)
{
	struct room *r = room_new();
	room_authority(r, "/prod/ca", NULL);
	deployment(r, "web", "/prod/tls", "web.example");
	room_enroll(r, "web", "w-1");
	refused(r, "web", "w-2", TROTH_CONFLICT, "presented by another instance");
	room_authority(r, "/prod/taken", NULL);
	deployment(r, "odd", "/prod/taken", "web.example");
	refused(r, "odd", "o-1", TROTH_CONFLICT, "is an authority");
	room_free(r);
}

static void test_name_that_does_not_fit(void **state)
{
	struct room *r = room_new();
	room_authority(r, "/prod/ca", NULL);
	deployment(r, "web", "/prod/{instance}/tls", "{instance}.example");
	refused(r, "web", "w_1", TROTH_INVALID, "\"w_1.example\"");
	char longest[64];
	memset(longest, 'a', 63);
	longest[63] = 0;
	refused(r, "web", longest, TROTH_INVALID, "longer than 64");
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_made_from_the_patterns), cmocka_unit_test(test_definition_is_adopted),
		cmocka_unit_test(test_shared_pattern_holds_one), cmocka_unit_test(test_name_that_does_not_fit),
	};
	return cmocka_run_group_tests_name("join", tests, NULL, NULL);
}
