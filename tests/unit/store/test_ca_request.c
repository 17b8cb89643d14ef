/* Requests for the certificates of external authorities. */
#include "box.h"

static struct credential_row authority(struct box *b, struct tx *tx)
{
	struct credential_row row = { .uuid = "6f1c1a5e-6c1e-4b62-9d6b-0a3a9d0c2f11", .name = "/corp/issuing", .kind = CREDENTIAL_AUTHORITY,
				      .origin = ORIGIN_EXTERNAL, .key_type = "ec-p256", .rev = 1 };
	OK(credential_row_insert(tx, &row, &b->e));
	return row;
}

static void one_waits_at_a_time(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct credential_row c = authority(b, tx), again;
	struct ca_request_row row = { .uuid = "1f1c1a5e-6c1e-4b62-9d6b-0a3a9d0c2f11", .credential_id = c.id, .key_blob = bytes_of("key", 3),
				      .csr = bytes_of("csr", 3), .created = 7 }, found, second = row;
	bool there;
	OK(credential_row_get(tx, b->a, c.id, &again, &b->e));
	assert_int_equal(again.origin, ORIGIN_EXTERNAL);
	OK(ca_request_row_of(tx, b->a, c.id, &found, &there, &b->e));
	assert_false(there || found.id);
	OK(ca_request_row_insert(tx, &row, &b->e));
	second.uuid = "2f1c1a5e-6c1e-4b62-9d6b-0a3a9d0c2f11";
	FAILS(TROTH_CONFLICT, ca_request_row_insert(tx, &second, &b->e));
	OK(ca_request_row_of(tx, b->a, c.id, &found, &there, &b->e));
	assert_true(there && found.id == row.id && found.created == 7 && found.rotation_id == 0);
	assert_true(bytes_equal(found.key_blob, row.key_blob) && bytes_equal(found.csr, row.csr));
	OK(ca_request_row_delete(tx, row.id, &b->e));
	FAILS(TROTH_NOT_FOUND, ca_request_row_delete(tx, row.id, &b->e));
	OK(ca_request_row_of(tx, b->a, c.id, &found, &there, &b->e));
	assert_false(there);
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(one_waits_at_a_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
