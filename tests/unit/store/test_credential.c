/* Credentials: every column comes back, names are free again after retirement. */
#include "box.h"

static void all_columns_come_back(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	int64_t ca = add_credential(b, tx, 1, CREDENTIAL_AUTHORITY);
	int64_t v = add_version(b, tx, 7, ca);
	struct credential_row in = { .uuid = uuid_of(b, 2), .name = "/prod/pg/server", .kind = CREDENTIAL_LEAF, .issuer_id = ca,
		.key_type = "rsa-2048", .spec = "{\"sans\":[]}", .ca_ttl = 5, .leaf_ttl = 6, .signing_version = v,
		.exportable = true, .paused = true, .renew = "66%", .leaf_renew = "never", .hold_at_deadline = true, .rev = 3, .created = 12345, .retired = 0 }, out;
	OK(credential_row_insert(tx, &in, &b->e));
	assert_true(in.id > 0);
	OK(credential_row_get(tx, b->a, in.id, &out, &b->e));
	assert_string_equal(out.uuid, in.uuid);
	assert_string_equal(out.name, in.name);
	assert_int_equal(out.kind, CREDENTIAL_LEAF);
	assert_int_equal(out.issuer_id, ca);
	assert_string_equal(out.key_type, "rsa-2048");
	assert_string_equal(out.spec, in.spec);
	assert_int_equal(out.ca_ttl, 5);
	assert_int_equal(out.leaf_ttl, 6);
	assert_int_equal(out.signing_version, v);
	assert_true(out.exportable && out.paused && out.hold_at_deadline);
	assert_string_equal(out.renew, "66%");
	assert_string_equal(out.leaf_renew, "never");
	assert_int_equal(out.rev, 3);
	assert_int_equal(out.created, 12345);
	OK(credential_row_by_uuid(tx, b->a, in.uuid, &out, &b->e));
	assert_int_equal(out.id, in.id);
	box_commit(b, tx);
}

static void absent_is_null_and_zero(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct credential_row out;
	OK(credential_row_get(tx, b->a, add_credential(b, tx, 1, CREDENTIAL_AUTHORITY), &out, &b->e));
	assert_null(out.spec);
	assert_int_equal(out.issuer_id, 0);
	assert_int_equal(out.signing_version, 0);
	box_commit(b, tx);
}

static void the_longest_life_below_an_authority(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	int64_t ca = add_credential(b, tx, 1, CREDENTIAL_AUTHORITY), leaf = add_credential(b, tx, 2, CREDENTIAL_LEAF);
	int64_t below = add_credential(b, tx, 3, CREDENTIAL_AUTHORITY);
	struct credential_row row;
	msec_t ttl = -1;
	OK(credential_row_longest_below(tx, ca, &ttl, &b->e));
	assert_int_equal(ttl, 0);
	OK(credential_row_get(tx, b->a, leaf, &row, &b->e));
	row.issuer_id = ca;
	row.ca_ttl = 99; /* of a leaf it says nothing */
	row.leaf_ttl = 7;
	OK(credential_row_update(tx, &row, &b->e));
	OK(credential_row_longest_below(tx, ca, &ttl, &b->e));
	assert_int_equal(ttl, 7);
	OK(credential_row_get(tx, b->a, below, &row, &b->e));
	row.issuer_id = ca;
	row.ca_ttl = 50;
	row.leaf_ttl = 70;
	OK(credential_row_update(tx, &row, &b->e));
	OK(credential_row_longest_below(tx, ca, &ttl, &b->e));
	assert_int_equal(ttl, 50);
	row.retired = 1;
	OK(credential_row_update(tx, &row, &b->e));
	OK(credential_row_longest_below(tx, ca, &ttl, &b->e));
	assert_int_equal(ttl, 7);
	box_commit(b, tx);
}

static void a_name_is_unique_while_it_lives(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct credential_row first, second;
	OK(credential_row_get(tx, b->a, add_credential(b, tx, 1, CREDENTIAL_AUTHORITY), &first, &b->e));
	second = first;
	second.uuid = uuid_of(b, 2);
	FAILS(TROTH_CONFLICT, credential_row_insert(tx, &second, &b->e));
	assert_string_equal(b->e.object, "/test/1");
	assert_string_equal(b->e.primary, "credential \"/test/1\": exists already");
	first.retired = 2000;
	OK(credential_row_update(tx, &first, &b->e));
	FAILS(TROTH_NOT_FOUND, credential_row_by_name(tx, b->a, "/test/1", &second, &b->e));
	assert_string_equal(b->e.object, "/test/1");
	OK(credential_row_insert(tx, &(struct credential_row){ .uuid = uuid_of(b, 2), .name = "/test/1", .key_type = "ec-p256" }, &b->e));
	OK(credential_row_by_name(tx, b->a, "/test/1", &second, &b->e));
	assert_string_equal(second.uuid, uuid_of(b, 2));
	box_commit(b, tx);
}

static void lists_page_and_filter(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct credential_row *rows;
	size_t count, seen = 0;
	for (int i = 1; i <= 25; i++)
		add_credential(b, tx, i, i % 5 ? CREDENTIAL_LEAF : CREDENTIAL_AUTHORITY);
	for (struct page page = { 0, 10 };; page.after = rows[count - 1].id) {
		OK(credential_row_list(tx, b->a, page, &rows, &count, &b->e));
		if (!count)
			break;
		seen += count;
	}
	assert_int_equal(seen, 25);
	assert_null(rows);
	OK(credential_row_list_kind(tx, b->a, CREDENTIAL_AUTHORITY, PAGE_FIRST, &rows, &count, &b->e));
	assert_int_equal(count, 5);
	OK(credential_row_list_issuer(tx, b->a, rows[0].id, PAGE_ALL, &rows, &count, &b->e));
	assert_int_equal(count, 0);
	box_commit(b, tx);
}

static void updating_nothing_is_not_found(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct credential_row row = { .id = 99, .uuid = uuid_of(b, 1), .name = "/x", .key_type = "ec-p256" };
	FAILS(TROTH_NOT_FOUND, credential_row_update(tx, &row, &b->e));
	FAILS(TROTH_NOT_FOUND, credential_row_get(tx, b->a, 99, &row, NULL));
	row.issuer_id = 4711;
	FAILS(TROTH_CONFLICT, credential_row_insert(tx, &row, &b->e));
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(all_columns_come_back), BOX_TEST(absent_is_null_and_zero), BOX_TEST(a_name_is_unique_while_it_lives),
		BOX_TEST(lists_page_and_filter), BOX_TEST(updating_nothing_is_not_found), BOX_TEST(the_longest_life_below_an_authority),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
