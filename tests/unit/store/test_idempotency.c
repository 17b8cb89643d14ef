/* Kept answers. */
#include "box.h"

static void an_answer_is_kept_per_principal_and_key(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct idempotency_row row = { .principal = "ada", .key = "k1", .body_hash = hash_of(b, 1), .status = 201, .headers = "ETag: \"1\"\n", .body = bytes_of_text("{}"), .created = 5 }, out;
	FAILS(TROTH_NOT_FOUND, idempotency_get(tx, b->a, "ada", "k1", &out, &b->e));
	OK(idempotency_put(tx, &row, &b->e));
	FAILS(TROTH_CONFLICT, idempotency_put(tx, &row, &b->e));
	OK(idempotency_get(tx, b->a, "ada", "k1", &out, &b->e));
	assert_true(out.status == 201 && out.created == 5 && bytes_equal(out.body, row.body) && bytes_equal(out.body_hash, row.body_hash));
	assert_string_equal(out.headers, row.headers);
	FAILS(TROTH_NOT_FOUND, idempotency_get(tx, b->a, "bob", "k1", &out, &b->e));
	OK(idempotency_forget(tx, 6, &b->e));
	FAILS(TROTH_NOT_FOUND, idempotency_get(tx, b->a, "ada", "k1", &out, &b->e));
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(an_answer_is_kept_per_principal_and_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
