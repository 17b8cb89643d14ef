/* Templates of targets. */
#include "box.h"

static void every_column_comes_back(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	int64_t ca = add_credential(b, tx, 1, CREDENTIAL_AUTHORITY), deployment = add_deployment(b, tx, 1);
	struct template_row in = { .uuid = uuid_of(b, 1), .deployment_id = deployment, .kind = TARGET_SLOT, .name = "tls", .profile = "nginx",
		.role = TARGET_BOTH, .parameters = "{\"port\":\"443\"}", .credential_pattern = "/prod/{instance}", .common_name = "{instance}",
		.sans = "[]", .authority_id = ca, .key_source = KEY_SOURCE_KEEPER, .key_type = "ec-p256", .leaf_ttl = 5, .atomic = true, .store_limit = 4,
		.created = 3 }, out;
	OK(template_row_insert(tx, &in, &b->e));
	OK(template_row_by_name(tx, b->a, deployment, "tls", &out, &b->e));
	assert_string_equal(out.uuid, in.uuid);
	assert_int_equal(out.kind, TARGET_SLOT);
	assert_int_equal(out.role, TARGET_BOTH);
	assert_int_equal(out.key_source, KEY_SOURCE_KEEPER);
	assert_string_equal(out.profile, "nginx");
	assert_string_equal(out.parameters, in.parameters);
	assert_string_equal(out.credential_pattern, in.credential_pattern);
	assert_string_equal(out.common_name, in.common_name);
	assert_string_equal(out.sans, "[]");
	assert_string_equal(out.key_type, "ec-p256");
	assert_int_equal(out.authority_id, ca);
	assert_int_equal(out.bundle_id, 0);
	assert_true(out.leaf_ttl == 5 && out.atomic && out.store_limit == 4 && out.created == 3);
	in.uuid = uuid_of(b, 2);
	FAILS(TROTH_CONFLICT, template_row_insert(tx, &in, &b->e));
	box_commit(b, tx);
}

static void lists_find_their_templates(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct template_row *rows, row;
	size_t count;
	struct bundle_row bundle = { .uuid = uuid_of(b, 1), .name = "bundle" };
	OK(bundle_row_insert(tx, &bundle, &b->e));
	int64_t deployment = add_deployment(b, tx, 1), ca = add_credential(b, tx, 1, CREDENTIAL_AUTHORITY);
	for (int i = 1; i <= 3; i++) {
		OK(template_row_get(tx, b->a, add_template(b, tx, i, deployment, TARGET_STORE), &row, &b->e));
		row.bundle_id = i > 1 ? bundle.id : 0;
		row.authority_id = i == 1 ? ca : 0;
		OK(template_row_update(tx, &row, &b->e));
	}
	OK(template_row_by_uuid(tx, b->a, uuid_of(b, 3), &row, &b->e));
	OK(template_row_list(tx, b->a, PAGE_ALL, &rows, &count, &b->e));
	assert_int_equal(count, 3);
	OK(template_row_list_deployment(tx, b->a, deployment, (struct page){ rows[0].id, 1 }, &rows, &count, &b->e));
	assert_int_equal(count, 1);
	OK(template_row_list_authority(tx, b->a, ca, &rows, &count, &b->e));
	assert_int_equal(count, 1);
	OK(template_row_list_bundle(tx, b->a, bundle.id, &rows, &count, &b->e));
	assert_int_equal(count, 2);
	box_commit(b, tx);
}

static void deleting_waits_for_its_targets(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct target_row target;
	OK(target_row_get(tx, b->a, add_target(b, tx, 1), &target, &b->e));
	FAILS(TROTH_CONFLICT, template_row_delete(tx, target.template_id, &b->e));
	target.state = TARGET_LEFT;
	OK(target_row_update(tx, &target, &b->e));
	OK(template_row_delete(tx, target.template_id, &b->e));
	FAILS(TROTH_NOT_FOUND, target_row_get(tx, b->a, target.id, &target, &b->e));
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(every_column_comes_back),
		BOX_TEST(lists_find_their_templates),
		BOX_TEST(deleting_waits_for_its_targets),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
