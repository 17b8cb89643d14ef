/* Logins: found by hash, ended by session and by principal, trimmed and forgotten by age. */
#include "box.h"

static int64_t add_principal(struct box *b, struct tx *tx, int i)
{
	struct principal_row row = { .uuid = uuid_of(b, 100 + i), .name = arena_printf(b->a, "p%d", i), .scope = "*", .token_hash = hash_of(b, 100 + i) };
	OK(principal_row_insert(tx, &row, &b->e));
	return row.id;
}

static void add(struct box *b, struct tx *tx, int i, int64_t principal, const char *session, msec_t expires)
{
	struct login_row row = { .uuid = uuid_of(b, i), .principal_id = principal, .refresh = i % 2, .session = session, .client = "credhub_cli",
				 .hash = hash_of(b, i), .created = 1, .expires = expires };
	OK(login_row_insert(tx, &row, &b->e));
}

static bool there(struct box *b, struct tx *tx, int i)
{
	struct login_row row;
	return rc_ok(login_row_by_hash(tx, b->a, hash_of(b, i), &row, NULL));
}

static void every_column_comes_back(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct login_row out;
	int64_t p = add_principal(b, tx, 1);
	add(b, tx, 1, p, "s", 7);
	OK(login_row_by_uuid(tx, b->a, uuid_of(b, 1), &out, &b->e));
	assert_true(out.principal_id == p && out.refresh && out.created == 1 && out.expires == 7);
	assert_string_equal(out.session, "s");
	assert_string_equal(out.client, "credhub_cli");
	assert_true(bytes_equal(out.hash, hash_of(b, 1)));
	FAILS(TROTH_NOT_FOUND, login_row_by_hash(tx, b->a, hash_of(b, 2), &out, &b->e));
	box_commit(b, tx);
}

static void what_belongs_together_ends_together(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	int64_t p = add_principal(b, tx, 1), q = add_principal(b, tx, 2);
	add(b, tx, 1, p, "s", 7), add(b, tx, 2, p, "s", 7), add(b, tx, 3, p, "t", 7), add(b, tx, 4, q, "u", 7);
	OK(login_row_end_session(tx, "s", &b->e));
	assert_true(!there(b, tx, 1) && !there(b, tx, 2) && there(b, tx, 3));
	OK(login_row_end_principal(tx, p, &b->e));
	assert_true(!there(b, tx, 3) && there(b, tx, 4));
	box_commit(b, tx);
}

static void the_newest_stay(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	int64_t p = add_principal(b, tx, 1), q = add_principal(b, tx, 2);
	for (int i = 1; i <= 5; i++)
		add(b, tx, i, p, "s", 7);
	add(b, tx, 6, q, "t", 7);
	OK(login_row_trim(tx, p, 2, &b->e));
	assert_true(!there(b, tx, 3) && there(b, tx, 4) && there(b, tx, 5) && there(b, tx, 6));
	box_commit(b, tx);
}

static void what_ended_is_forgotten_a_little_at_a_time(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	int64_t p = add_principal(b, tx, 1);
	for (int i = 1; i <= 4; i++)
		add(b, tx, i, p, "s", i);
	OK(login_row_forget(tx, 4, 2, &b->e));
	assert_int_equal(there(b, tx, 1) + there(b, tx, 2) + there(b, tx, 3), 1);
	OK(login_row_forget(tx, 4, 2, &b->e));
	assert_true(!there(b, tx, 3) && there(b, tx, 4));
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = { BOX_TEST(every_column_comes_back), BOX_TEST(what_belongs_together_ends_together),
					    BOX_TEST(the_newest_stay), BOX_TEST(what_ended_is_forgotten_a_little_at_a_time) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
