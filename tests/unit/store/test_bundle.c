/* Bundles and members. */
#include "box.h"

static struct bundle_row add_bundle(struct box *b, struct tx *tx, int n)
{
	struct bundle_row row = { .uuid = uuid_of(b, n), .name = arena_printf(b->a, "bundle-%d", n), .rev = 1, .created = 5 };
	OK(bundle_row_insert(tx, &row, &b->e));
	return row;
}

static void bundles_by_name_and_uuid(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct bundle_row row = add_bundle(b, tx, 1), out, *rows;
	size_t count;
	row.rev = 2;
	OK(bundle_row_update(tx, &row, &b->e));
	OK(bundle_row_by_name(tx, b->a, "bundle-1", &out, &b->e));
	assert_int_equal(out.rev, 2);
	OK(bundle_row_by_uuid(tx, b->a, row.uuid, &out, &b->e));
	OK(bundle_row_get(tx, b->a, row.id, &out, &b->e));
	assert_int_equal(out.created, 5);
	OK(bundle_row_list(tx, b->a, PAGE_FIRST, &rows, &count, &b->e));
	assert_int_equal(count, 1);
	row.uuid = uuid_of(b, 2);
	FAILS(TROTH_CONFLICT, bundle_row_insert(tx, &row, &b->e));
	assert_string_equal(b->e.object, "bundle-1");
	box_commit(b, tx);
}

static void members_are_authorities_or_certificates(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct bundle_member_row *rows;
	size_t count;
	int64_t bundle = add_bundle(b, tx, 1).id, ca = add_credential(b, tx, 1, CREDENTIAL_AUTHORITY), cert = add_cert(b, tx, 1);
	struct bundle_member_row m = { .bundle_id = bundle, .authority_id = ca, .created = 1 };
	OK(bundle_member_row_insert(tx, &m, &b->e));
	FAILS(TROTH_CONFLICT, bundle_member_row_insert(tx, &m, &b->e));
	struct bundle_member_row single = { .bundle_id = bundle, .cert_id = cert, .alias = "s3", .source = "operator", .created = 2 };
	OK(bundle_member_row_insert(tx, &single, &b->e));
	struct bundle_member_row both = { .bundle_id = bundle, .cert_id = cert, .authority_id = ca };
	FAILS(TROTH_INTERNAL, bundle_member_row_insert(tx, &both, &b->e));
	OK(bundle_member_row_list_bundle(tx, b->a, bundle, PAGE_ALL, &rows, &count, &b->e));
	assert_int_equal(count, 2);
	assert_string_equal(rows[1].alias, "s3");
	assert_string_equal(rows[1].source, "operator");
	OK(bundle_member_row_list_authority(tx, b->a, ca, &rows, &count, &b->e));
	assert_int_equal(count, 1);
	OK(bundle_member_row_list_cert(tx, b->a, cert, &rows, &count, &b->e));
	assert_int_equal(count, 1);
	OK(bundle_member_row_delete(tx, single.id, &b->e));
	FAILS(TROTH_NOT_FOUND, bundle_member_row_delete(tx, single.id, &b->e));
	OK(bundle_member_row_list(tx, b->a, PAGE_ALL, &rows, &count, &b->e));
	assert_int_equal(count, 1);
	OK(bundle_row_delete(tx, bundle, &b->e)); /* takes its members along */
	OK(bundle_member_row_list(tx, b->a, PAGE_ALL, &rows, &count, &b->e));
	assert_int_equal(count, 0);
	box_commit(b, tx);
}

static void a_used_bundle_stays(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct template_row t;
	struct bundle_row bundle = add_bundle(b, tx, 1);
	OK(template_row_get(tx, b->a, add_template(b, tx, 1, add_deployment(b, tx, 1), TARGET_STORE), &t, &b->e));
	t.bundle_id = bundle.id;
	OK(template_row_update(tx, &t, &b->e));
	FAILS(TROTH_CONFLICT, bundle_row_delete(tx, bundle.id, &b->e));
	OK(bundle_row_get(tx, b->a, bundle.id, &bundle, &b->e));
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(bundles_by_name_and_uuid),
		BOX_TEST(members_are_authorities_or_certificates),
		BOX_TEST(a_used_bundle_stays),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
