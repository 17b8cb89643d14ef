/* Certificates: equal bytes are one row. */
#include "box.h"

static void equal_fingerprints_are_one_row(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct cert_row *rows;
	size_t count;
	int64_t id = add_cert(b, tx, 11);
	assert_int_equal(add_cert(b, tx, 11), id);
	int64_t other = add_cert(b, tx, 12);
	assert_int_not_equal(other, id);
	add_cert(b, tx, 21);
	OK(cert_row_list(tx, b->a, PAGE_ALL, &rows, &count, &b->e));
	assert_int_equal(count, 3);
	OK(cert_row_list_subject_key(tx, b->a, hash_of(b, 1), &rows, &count, &b->e)); /* 11 / 10 and 12 / 10 */
	assert_int_equal(count, 2);
	assert_int_equal(rows[1].id, other);
	box_commit(b, tx);
}

static void every_column_comes_back(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct cert_row in = { .fingerprint = hash_of(b, 3), .der = bytes_of("\0\1\2", 3), .subject = "CN=a,O=b", .issuer = "CN=c",
		.serial = "0a", .subject_key = hash_of(b, 4), .spki_hash = hash_of(b, 5), .not_before = -5, .not_after = INT64_C(1) << 50 }, out;
	OK(cert_row_put(tx, &in, &b->e));
	OK(cert_row_by_fingerprint(tx, b->a, in.fingerprint, &out, &b->e));
	assert_int_equal(out.id, in.id);
	assert_true(bytes_equal(out.der, in.der));
	assert_true(bytes_equal(out.subject_key, in.subject_key) && bytes_equal(out.spki_hash, in.spki_hash));
	assert_string_equal(out.subject, in.subject);
	assert_string_equal(out.issuer, in.issuer);
	assert_string_equal(out.serial, "0a");
	assert_int_equal(out.not_before, -5);
	assert_int_equal(out.not_after, in.not_after);
	assert_false(out.is_ca);
	OK(cert_row_get(tx, b->a, in.id, &out, &b->e));
	FAILS(TROTH_NOT_FOUND, cert_row_by_fingerprint(tx, b->a, hash_of(b, 99), &out, &b->e));
	in.fingerprint = bytes_of("short", 5);
	FAILS(TROTH_INTERNAL, cert_row_put(tx, &in, &b->e));
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(equal_fingerprints_are_one_row),
		BOX_TEST(every_column_comes_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
