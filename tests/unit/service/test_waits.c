/* What the engine waits for, in the table: only the difference is written. */
#include "room.h"

#include "service/waits.h"

/* A wait of one store (by number; no such row is needed for it: it is not a reference here). */
static struct wait wait_for(int64_t ca, enum wait_reason reason, enum wait_speaker speaker, size_t count)
{
	return (struct wait){ .speaker = speaker, .rule = "S", .reason = reason, .ca = ca, .count = count, .text = "words" };
}

/* In a writer's transaction of its own; returns the rows as a reader sees them after the commit. */
static struct wait_row *write_waits(struct room *r, struct wait *waits, size_t n, size_t *ret_count)
{
	struct tx *tx;
	struct wait_row *rows;
	struct verb_ctx ctx;
	struct plan plan = { .waits = waits, .wait_count = n };
	assert_true(rc_ok(store_write_begin(r->store, &tx, &r->e)));
	verb_ctx_init(&ctx, r->a, &PRINCIPAL_SYSTEM, &r->port, r->now);
	ctx.tx = tx;
	ctx.svc = r->svc;
	assert_true(rc_ok(waits_write(&ctx, &plan, &r->e)));
	assert_true(rc_ok(wait_row_list(tx, r->a, 0, &rows, ret_count, &r->e)));
	assert_true(rc_ok(store_write_commit(tx, &r->e)));
	return rows;
}

/* A mark in a row that is seen as long as nobody writes the row. */
static void mark(struct room *r, const struct wait_row *row)
{
	struct tx *tx;
	struct wait_row marked = *row;
	marked.body = "{\"marked\":true}";
	assert_true(rc_ok(store_write_begin(r->store, &tx, &r->e)));
	assert_true(rc_ok(wait_row_put(tx, &marked, &r->e)));
	assert_true(rc_ok(store_write_commit(tx, &r->e)));
}

static bool is_marked(const struct wait_row *row) { return strstr(row->body, "marked") != NULL; }

static void only_the_difference_is_written(void **state)
{
	struct room *r = room_new();
	size_t n;
	struct wait waits[] = {
		wait_for(1, WAIT_NOT_TRUSTED, SPEAKER_SAFETY, 3),
		wait_for(2, WAIT_NOT_FETCHED, SPEAKER_NODE, 2),
		wait_for(3, WAIT_NOT_FETCHED, SPEAKER_NODE, 1),
	};
	struct wait_row *rows = write_waits(r, waits, 3, &n);
	msec_t began = r->now;
	assert_int_equal(n, 3);
	assert_non_null(strstr(rows[0].body, "\"ca\":2")); /* nodes first, the most first; safety follows from them */
	assert_non_null(strstr(rows[1].body, "\"ca\":3"));
	assert_non_null(strstr(rows[2].body, "\"ca\":1"));
	for (size_t i = 0; i < n; i++)
		mark(r, &rows[i]);
	r->now += 1000;
	waits[2].count = 9;                                            /* changed: it is first now */
	waits[0] = wait_for(4, WAIT_NOT_TRUSTED, SPEAKER_SAFETY, 1);   /* one went, one came */
	rows = write_waits(r, waits, 3, &n);
	assert_int_equal(n, 3);
	assert_true(!is_marked(&rows[0]) && strstr(rows[0].body, "\"count\":9"));
	assert_int_equal(rows[0].since, began);
	assert_true(is_marked(&rows[1])); /* nothing to say about it: not written */
	assert_non_null(strstr(rows[2].body, "\"ca\":4"));
	assert_int_equal(rows[2].since, r->now);
	rows = write_waits(r, NULL, 0, &n);
	assert_int_equal(n, 0);
	room_free(r);
}

/* After a start, or a commit that failed, nobody knows what the table holds. */
static void what_is_not_known_is_written_again(void **state)
{
	struct room *r = room_new();
	size_t n;
	struct wait waits[] = { wait_for(1, WAIT_NOT_TRUSTED, SPEAKER_SAFETY, 3), wait_for(2, WAIT_NOT_FETCHED, SPEAKER_NODE, 2) };
	struct wait_row *rows = write_waits(r, waits, 2, &n);
	msec_t began = r->now;
	mark(r, &rows[1]);
	service_drop(r->svc);
	r->now += 1000;
	waits[1].reason = WAIT_OFFLINE; /* the row of the old one has no wait any more */
	rows = write_waits(r, waits, 2, &n);
	assert_int_equal(n, 2);
	assert_false(is_marked(&rows[1]));
	assert_int_equal(rows[1].since, began);
	assert_int_equal(rows[0].since, r->now);
	room_free(r);
}

static void the_same_wait_twice_is_one_row(void **state)
{
	struct room *r = room_new();
	size_t n;
	struct wait waits[] = { wait_for(1, WAIT_NOT_FETCHED, SPEAKER_NODE, 3), wait_for(1, WAIT_NOT_FETCHED, SPEAKER_NODE, 2) };
	(void)write_waits(r, waits, 2, &n);
	assert_int_equal(n, 1);
	(void)write_waits(r, waits, 2, &n);
	assert_int_equal(n, 1);
	(void)write_waits(r, waits + 1, 1, &n);
	assert_int_equal(n, 1);
	room_free(r);
}

/* Of many a page is kept, the most blocking ones. */
static void a_page_of_them(void **state)
{
	struct room *r = room_new();
	size_t n;
	struct wait *waits = ARENA_ARRAY(r->a, struct wait, LIMIT_PAGE + 50);
	for (int i = 0; i < LIMIT_PAGE + 50; i++)
		waits[i] = wait_for(i + 1, WAIT_NOT_FETCHED, SPEAKER_NODE, (size_t)i + 1);
	struct wait_row *rows = write_waits(r, waits, LIMIT_PAGE + 50, &n);
	assert_int_equal(n, LIMIT_PAGE);
	assert_non_null(strstr(rows[0].body, "\"count\":250"));
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_difference_is_written),
		cmocka_unit_test(what_is_not_known_is_written_again),
		cmocka_unit_test(the_same_wait_twice_is_one_row),
		cmocka_unit_test(a_page_of_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
