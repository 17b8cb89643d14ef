/* The audit: one changed byte, one missing row, one cut-off end are all found. */
#include "box.h"

#include "store/stmt.h"

enum { ROWS = 40 };

static void append(struct box *b, struct tx *tx, int n)
{
	struct audit_row row = { .at = 1000 + n, .who = "ada", .action = "authority.create", .object = n % 2 ? "/x" : NULL,
		.before = n % 3 ? "{}" : NULL, .after = arena_printf(b->a, "{\"n\":%d}", n) };
	OK(audit_append(tx, &row, &b->e));
	assert_int_equal(row.seq, n);
}

static struct tx *chain(struct box *b)
{
	struct tx *tx = box_write(b);
	for (int n = 1; n <= ROWS; n++)
		append(b, tx, n);
	return tx;
}

static void by_hand(struct box *b, struct tx *tx, const char *sql) { OK(conn_exec(tx->conn, sql, &b->e)); }

static void sign(struct box *b, struct tx *tx, const char *signature)
{
	uint8_t hash[32];
	struct audit_head_row head = { .signature = bytes_of_text(signature), .spki = bytes_of_text("spki"), .signed_at = 5 };
	OK(audit_last(tx, &head.seq, hash, &b->e));
	head.hash = bytes_of(hash, sizeof hash);
	OK(audit_head_put(tx, &head, &b->e));
}

static bool signed_well(void *self, const struct audit_head_row *head)
{
	++*(int *)self;
	return bytes_equal(head->signature, bytes_of_text("good"));
}

static struct audit_check verify(struct box *b, struct tx *tx)
{
	struct audit_check check;
	int asked = 0;
	OK(audit_verify(tx, signed_well, &asked, &check, &b->e));
	return check;
}

static void a_fresh_chain_holds(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct audit_check check = verify(b, tx);
	assert_true(check.holds && check.rows == 0 && check.signed_up_to == 0);
	store_write_rollback(tx);
	tx = chain(b);
	sign(b, tx, "good");
	append(b, tx, ROWS + 1);
	box_commit(b, tx);
	tx = box_write(b);
	check = verify(b, tx);
	assert_true(check.holds && check.rows == ROWS + 1 && check.first_broken == 0 && check.signed_up_to == ROWS);
	assert_string_equal(check.text, "the audit holds: 41 rows, signed up to row 40");
	store_write_rollback(tx);
}

/* Every column of every row, one byte. */
static void one_changed_byte_is_found(void **state)
{
	struct box *b = *state;
	static const char *const changes[] = { "at = at + 1", "who = 'adb'", "action = 'authority.creatf'", "object = 'y'", "object = ''", "before = '[]'",
		"after = after || ' '", "hash = zeroblob(32)", "hash = x'00'" };
	box_commit(b, chain(b));
	for (size_t i = 0; i < ARRAY_LEN(changes); i++)
		for (int n = 2; n <= ROWS; n += 19) {
			struct tx *tx = box_write(b);
			by_hand(b, tx, arena_printf(b->a, "UPDATE audit SET %s WHERE seq = %d", changes[i], n));
			struct audit_check check = verify(b, tx);
			assert_false(check.holds);
			assert_int_equal(check.first_broken, n);
			assert_int_equal(check.rows, n - 1);
			assert_non_null(strstr(check.text, arena_printf(b->a, "row %d", n)));
			store_write_rollback(tx);
		}
}

static void a_removed_row_is_found(void **state)
{
	struct box *b = *state;
	struct tx *tx = chain(b);
	by_hand(b, tx, "DELETE FROM audit WHERE seq = 17");
	assert_int_equal(verify(b, tx).first_broken, 17);
	by_hand(b, tx, "UPDATE audit SET seq = seq - 1 WHERE seq > 17");
	assert_int_equal(verify(b, tx).first_broken, 17);
	by_hand(b, tx, "DELETE FROM audit WHERE seq = 1");
	assert_int_equal(verify(b, tx).first_broken, 1);
	store_write_rollback(tx);
}

static void a_rewritten_chain_is_found_by_its_head(void **state)
{
	struct box *b = *state;
	struct tx *tx = chain(b);
	sign(b, tx, "good");
	by_hand(b, tx, "DELETE FROM audit WHERE seq > 30");
	for (int n = 31; n <= ROWS; n++) {
		struct audit_row row = { .at = 1, .who = "mallory", .action = "nothing" };
		OK(audit_append(tx, &row, &b->e));
	}
	assert_int_equal(verify(b, tx).first_broken, ROWS);
	store_write_rollback(tx);
}

static void a_cut_off_end_is_found_by_its_head(void **state)
{
	struct box *b = *state;
	struct tx *tx = chain(b);
	sign(b, tx, "good");
	by_hand(b, tx, "DELETE FROM audit WHERE seq > 30");
	struct audit_check check = verify(b, tx);
	assert_false(check.holds);
	assert_int_equal(check.first_broken, 31);
	assert_non_null(strstr(check.text, "cut off"));
	store_write_rollback(tx);
}

static void a_bad_signature_is_found(void **state)
{
	struct box *b = *state;
	struct audit_check check;
	struct tx *tx = chain(b);
	sign(b, tx, "bad");
	check = verify(b, tx);
	assert_false(check.holds);
	assert_int_equal(check.first_broken, ROWS);
	OK(audit_verify(tx, NULL, NULL, &check, &b->e));
	assert_true(check.holds);
	sign(b, tx, "good"); /* the same head again */
	assert_true(verify(b, tx).holds);
	store_write_rollback(tx);
}

static void too_large_is_refused(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	char *text = arena_alloc(b->a, LIMIT_HTTP_BODY_BYTES + 2);
	memset(text, 'x', LIMIT_HTTP_BODY_BYTES + 1);
	FAILS(TROTH_TOO_LARGE, audit_append(tx, &(struct audit_row){ .who = "a", .action = "b", .after = text }, &b->e));
	text[LIMIT_HTTP_BODY_BYTES] = 0;
	OK(audit_append(tx, &(struct audit_row){ .who = "a", .action = "b", .before = text, .after = text }, &b->e));
	assert_true(verify(b, tx).holds);
	store_write_rollback(tx);
}

static void lists_and_heads(void **state)
{
	struct box *b = *state;
	struct tx *tx = chain(b);
	struct audit_row *rows;
	struct audit_head_row head;
	size_t count;
	OK(audit_list(tx, b->a, (struct page){ 10, 5 }, &rows, &count, &b->e));
	assert_true(count == 5 && rows[0].seq == 11 && rows[0].hash.len == 32);
	OK(audit_list_object(tx, b->a, "/x", (struct page){ 10, 5 }, &rows, &count, &b->e));
	assert_true(count == 5 && rows[1].seq == 13);
	OK(audit_list_newest(tx, b->a, 0, 3, &rows, &count, &b->e));
	assert_true(count == 3 && rows[0].seq == ROWS);
	OK(audit_list_newest(tx, b->a, rows[2].seq, 3, &rows, &count, &b->e));
	assert_true(count == 3 && rows[0].seq == ROWS - 3);
	FAILS(TROTH_NOT_FOUND, audit_head_last(tx, b->a, &head, &b->e));
	sign(b, tx, "good");
	OK(audit_head_last(tx, b->a, &head, &b->e));
	assert_true(head.seq == ROWS && head.signed_at == 5 && bytes_equal(head.spki, bytes_of_text("spki")));
	store_write_rollback(tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(a_fresh_chain_holds),
		BOX_TEST(one_changed_byte_is_found),
		BOX_TEST(a_removed_row_is_found),
		BOX_TEST(a_rewritten_chain_is_found_by_its_head),
		BOX_TEST(a_cut_off_end_is_found_by_its_head),
		BOX_TEST(a_bad_signature_is_found),
		BOX_TEST(too_large_is_refused),
		BOX_TEST(lists_and_heads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
