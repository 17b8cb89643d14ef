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

/* -- looking for some ------------------------------------------------------------------------------- */
static int64_t add_named(struct box *b, struct tx *tx, int n, const char *name, const char *sans, msec_t end)
{
	struct credential_row row = { .uuid = uuid_of(b, n), .name = name, .kind = CREDENTIAL_LEAF, .key_type = "ec-p256",
		.spec = sans ? arena_printf(b->a, "{\"sans\":[%s]}", sans) : NULL, .created = 1000 };
	OK(credential_row_insert(tx, &row, &b->e));
	if (!end)
		return row.id;
	struct cert_row cert = { .fingerprint = hash_of(b, n), .der = bytes_of_text("der"), .subject = "CN=x", .issuer = "CN=y", .serial = "01",
		.subject_key = hash_of(b, 1), .spki_hash = hash_of(b, 1), .not_before = 1, .not_after = end };
	OK(cert_row_put(tx, &cert, &b->e));
	struct version_row version = { .uuid = uuid_of(b, 100 + n), .credential_id = row.id, .cert_id = cert.id, .source = VERSION_CSR,
		.wanted = true, .created = 1000 };
	OK(version_row_insert(tx, &version, &b->e));
	return row.id;
}

/* The last parts of the names found, in order, through pages of two. */
static const char *found(struct box *b, struct tx *tx, struct credential_filter f)
{
	const char *all = "";
	struct credential_row *rows;
	size_t n;
	f.kind = CREDENTIAL_LEAF;
	for (struct page page = { 0, 2 };; page.after = rows[n - 1].id) {
		OK(credential_row_find(tx, b->a, &f, page, &rows, &n, &b->e));
		for (size_t i = 0; i < n; i++)
			all = arena_printf(b->a, "%s%s", all, strrchr(rows[i].name, '/') + 1);
		if (n < 2)
			return all;
	}
}

static struct tx *five(struct box *b)
{
	struct tx *tx = box_write(b);
	add_credential(b, tx, 50, CREDENTIAL_AUTHORITY);
	add_named(b, tx, 1, "/p/c", "\"dns:c.example\",\"ip:10.0.0.1\"", 300);
	add_named(b, tx, 2, "/p/a", "\"C.example\"", 500);
	add_named(b, tx, 3, "/q/e", NULL, 0);
	add_named(b, tx, 4, "/q/b", "\"dns:b.example\"", 300);
	add_named(b, tx, 5, "/p/d", NULL, 100);
	return tx;
}

static void some_are_found(void **state)
{
	struct box *b = *state;
	struct tx *tx = five(b);
	assert_string_equal(found(b, tx, (struct credential_filter){ 0 }), "caebd");
	assert_string_equal(found(b, tx, (struct credential_filter){ .name_prefix = "/p/" }), "cad");
	assert_string_equal(found(b, tx, (struct credential_filter){ .name_prefix = "/p/c" }), "c");
	assert_string_equal(found(b, tx, (struct credential_filter){ .san = "dns:c.example", .san_too = "c.example" }), "ca");
	assert_string_equal(found(b, tx, (struct credential_filter){ .san = "x", .san_too = "x" }), "");
	assert_string_equal(found(b, tx, (struct credential_filter){ .fingerprint = hash_of(b, 4) }), "b");
	assert_string_equal(found(b, tx, (struct credential_filter){ .ends_before = 301 }), "cbd");
	assert_string_equal(found(b, tx, (struct credential_filter){ .issuer_id = 77 }), "");
	assert_string_equal(found(b, tx, (struct credential_filter){ .name_prefix = "/p/", .ends_before = 301, .san = "ip:10.0.0.1",
		.san_too = "10.0.0.1" }), "c");
	assert_string_equal(found(b, tx, (struct credential_filter){ .fingerprint = hash_of(b, 4), .name_prefix = "/p/" }), "");
	box_commit(b, tx);
}

static void in_each_order(void **state)
{
	struct box *b = *state;
	struct tx *tx = five(b);
	static const enum credential_sort sorts[] = { CREDENTIAL_BY_NAME, CREDENTIAL_BY_NAME_DOWN, CREDENTIAL_BY_END, CREDENTIAL_BY_END_DOWN };
	static const char *const all[] = { "acdbe", "ebdca", "dcbae", "eabcd" }, *const some[] = { "acd", "dca", "dca", "acd" };
	for (size_t i = 0; i < ARRAY_LEN(sorts); i++) {
		assert_string_equal(found(b, tx, (struct credential_filter){ .sort = sorts[i] }), all[i]);
		assert_string_equal(found(b, tx, (struct credential_filter){ .sort = sorts[i], .name_prefix = "/p/" }), some[i]);
		assert_string_equal(found(b, tx, (struct credential_filter){ .sort = sorts[i], .fingerprint = hash_of(b, 1) }), "c");
		assert_string_equal(found(b, tx, (struct credential_filter){ .sort = sorts[i], .san = "b.example", .san_too = "dns:b.example" }), "b");
	}
	box_commit(b, tx);
}

/* `ends` follows the wanted versions, whatever is written beside. */
static void the_end_is_kept(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct credential_row row;
	struct version_row *versions;
	size_t n;
	msec_t ends = -1;
	int64_t id = add_named(b, tx, 1, "/p/a", "\"a\"", 0);
	OK(credential_row_ends(tx, id, &ends, &b->e));
	assert_int_equal(ends, 0);
	add_version(b, tx, 7, id); /* ends at 9 */
	OK(credential_row_get(tx, b->a, id, &row, &b->e));
	row.spec = "{\"sans\":[\"b\"]}";
	OK(credential_row_update(tx, &row, &b->e));
	OK(credential_row_ends(tx, id, &ends, &b->e));
	assert_int_equal(ends, 9);
	assert_string_equal(found(b, tx, (struct credential_filter){ .san = "b", .san_too = "b" }), "a");
	assert_string_equal(found(b, tx, (struct credential_filter){ .san = "a", .san_too = "a" }), "");
	OK(version_row_list_credential(tx, b->a, id, PAGE_FIRST, &versions, &n, &b->e));
	versions[0].wanted = false;
	OK(version_row_update(tx, &versions[0], &b->e));
	OK(credential_row_ends(tx, id, &ends, &b->e));
	assert_int_equal(ends, 0);
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
		BOX_TEST(lists_page_and_filter), BOX_TEST(some_are_found), BOX_TEST(in_each_order), BOX_TEST(the_end_is_kept), BOX_TEST(updating_nothing_is_not_found), BOX_TEST(the_longest_life_below_an_authority),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
