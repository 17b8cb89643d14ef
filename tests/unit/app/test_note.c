/* The note beside the database: written after commits, compared at start. */
#include "plant.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/note.h"
#include "port/port.h"

static struct note make(struct plant *p)
{
	return (struct note){ .path = arena_printf(p->a, "%s/epoch", p->dir) };
}

static const char *written(struct plant *p, const struct note *n)
{
	struct bytes text;
	struct troth_err e = { 0 };
	if (rc_failed(file_read(p->a, n->path, 1000, &text, &e)))
		return NULL;
	return (const char *)text.data;
}

static bool begin(struct plant *p, struct note *n)
{
	bool raised;
	struct troth_err e = { 0 };
	if (rc_failed(note_begin(n, p->svc, &p->port, &raised, &e)))
		fail_msg("%s", e.primary);
	return raised;
}

static void the_first_start_writes_it(void **state)
{
	struct plant *p = plant_new();
	struct note n = make(p), again = make(p);
	assert_false(begin(p, &n));
	assert_string_equal(written(p, &n), arena_printf(p->a, "epoch 1\naudit %lld\n", (long long)n.audit_seq));
	assert_false(begin(p, &again)); /* nothing happened in between */
	unlink(n.path);
	plant_free(p);
}

static void a_database_that_is_older_begins_an_epoch(void **state)
{
	struct plant *p = plant_new();
	struct note n = make(p);
	struct troth_err e = { 0 };
	assert_true(rc_ok(file_write(n.path, bytes_of_text("epoch 4\naudit 900\n"), 0644, &e)));
	assert_true(begin(p, &n));
	assert_string_equal(service_epoch(p->svc), "5");
	assert_int_equal(n.epoch, 5);
	assert_non_null(strstr(written(p, &n), "epoch 5\n"));
	assert_false(begin(p, &n));
	unlink(n.path);
	plant_free(p);
}

static void what_is_no_note_is_refused(void **state)
{
	static const char *const bad[] = { "", "epoch\n", "epoch 1\naudit 2\nmore\n", "audit 1\nepoch 2\n" };
	struct plant *p = plant_new();
	struct note n = make(p);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct troth_err e = { 0 };
		bool raised;
		assert_true(rc_ok(file_write(n.path, bytes_of_text(bad[i]), 0644, &e)));
		assert_int_equal(note_begin(&n, p->svc, &p->port, &raised, &e).code, TROTH_CORRUPT);
		assert_non_null(strstr(e.hint, "move it away"));
	}
	assert_string_equal(service_epoch(p->svc), "1"); /* nothing was changed */
	unlink(n.path);
	plant_free(p);
}

static void it_is_kept_now_and_then(void **state)
{
	struct plant *p = plant_new();
	struct note n = make(p);
	struct store_reader *reader;
	struct tx *tx;
	struct troth_err e = { 0 };
	assert_false(begin(p, &n));
	msec_t begun = n.written;
	assert_true(rc_ok(store_write_begin(p->store, &tx, &e)));
	assert_true(rc_ok(audit_append(tx, &(struct audit_row){ .at = 1, .who = "x", .action = "y" }, &e)));
	assert_true(rc_ok(store_write_commit(tx, &e)));
	assert_true(rc_ok(store_reader_open(p->store, &reader, &e)));
	assert_true(rc_ok(store_read_begin(reader, &tx, &e)));
	int64_t before = n.audit_seq;
	assert_true(rc_ok(note_keep(&n, tx, begun + NOTE_MS - 1, false, &e)));
	assert_int_equal(n.audit_seq, before); /* a commit each millisecond does not write a file each millisecond */
	assert_true(rc_ok(note_keep(&n, tx, begun + NOTE_MS, false, &e)));
	assert_int_equal(n.audit_seq, before + 1);
	assert_non_null(strstr(written(p, &n), arena_printf(p->a, "audit %lld\n", (long long)n.audit_seq)));
	unlink(n.path);
	assert_true(rc_ok(note_keep(&n, tx, begun, true, &e)));
	assert_null(written(p, &n)); /* nothing new: nothing written */
	store_read_end(tx);
	store_reader_close(reader);
	plant_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_start_writes_it), cmocka_unit_test(a_database_that_is_older_begins_an_epoch),
		cmocka_unit_test(what_is_no_note_is_refused), cmocka_unit_test(it_is_kept_now_and_then),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
