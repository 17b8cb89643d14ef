/* Documents and reports: what a target may hold, in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "engine/view.h"
#include "fleet.h"

static size_t seq_length(struct fleet *f, int64_t target)
{
	return target_find(f->view, target)->class->key.length;
}

/* The file is written, nothing is loaded: no report counts, so the old world stays in Seq. */
static void written_is_not_loaded(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_run(f);
	assert_true(fleet_hand(f, 11) && fleet_hand(f, 12));
	fleet_run(f);
	assert_int_equal(seq_length(f, 11), 2);
	assert_int_equal(fleet_find(f, 21)->asked, 0);
	assert_non_null(fleet_wait(f, WAIT_NOT_LOADED, 11, 0));
	fleet_free(f);
}

/* b1, b2, back to b1: a late "b1" of the first generation is not taken for the third. */
static void match_by_fingerprint(void **state)
{
	struct fleet *f = fleet_rotating();
	int64_t b1 = fleet_newest(f, 21);
	struct fleet_target before = *fleet_find(f, 21);

	fleet_run(f);
	for (int64_t id = 11; id <= 12; id++)
		fleet_settle(f, id);
	fleet_run(f);
	assert_true(fleet_issue(f, 21));
	fleet_run(f);
	assert_true(fleet_hand(f, 21)); /* b2 is on its way */
	fleet_want(f, 1, true);
	fleet_want(f, 2, false);
	fleet_stage(f, 21, b1);
	fleet_run(f);
	assert_int_equal(fleet_newest(f, 21), b1); /* the same contents, a new generation */
	assert_int_equal(seq_length(f, 21), 3);
	assert_true(view_apply(f->view, &(struct fact){ .kind = FACT_SEEN, .seen = { 21, b1,
			before.base_generation, before.high } }));
	assert_int_equal(seq_length(f, 21), 3); /* b2 may still arrive */
	fleet_free(f);
}

/* {1}, {1,2}, {2} sent and handed; the middle one may be what arrives, until h passes it. */
static void stale_document(void **state)
{
	struct fleet *f = fleet_rotating();
	struct fleet_target *t = fleet_find(f, 11);

	fleet_run(f);
	assert_true(fleet_hand(f, 11));
	fleet_ca(f, 3, 5);
	fleet_run(f);
	assert_true(fleet_hand(f, 11));
	assert_int_equal(seq_length(f, 11), 3);
	t->real = t->docs[0].content; /* the first of the two was loaded */
	t->real_generation = t->real_high = t->docs[0].generation;
	fleet_report(f, 11);
	assert_int_equal(seq_length(f, 11), 2); /* the second is still out */
	fleet_settle_all(f);
	assert_int_equal(seq_length(f, 11), 1);
	fleet_free(f);
}

/* Generation 2 failed: l = 1, h = 2.  It is out of Seq, and what comes next is a new generation. */
static void failed_reload_retries(void **state)
{
	struct fleet *f = fleet_rotating();
	struct fleet_target *t = fleet_find(f, 11);

	fleet_run(f);
	int64_t failed = t->docs[0].generation, set = t->docs[0].content;

	assert_true(fleet_hand(f, 11) && fleet_fail(f, 11));
	assert_int_equal(seq_length(f, 11), 1);
	fleet_run(f);
	assert_int_equal(t->docs[0].content, set);
	assert_true(t->docs[0].generation > failed);
	assert_false(view_apply(f->view, &(struct fact){ .kind = FACT_SENT, .sent = { 11, failed, set } }));
	fleet_free(f);
}

/* What was handed out may be applied, whatever the service says. */
static void handed_out_is_not_taken_back(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_run(f);
	int64_t generation = fleet_find(f, 11)->docs[0].generation;

	assert_true(fleet_hand(f, 11));
	assert_false(view_apply(f->view, &(struct fact){ .kind = FACT_DROPPED, .dropped = { 11, generation } }));
	assert_int_equal(seq_length(f, 11), 2);
	assert_true(view_apply(f->view, &(struct fact){ .kind = FACT_DROPPED, .dropped = { 12, fleet_find(f, 12)->docs[0].generation } }));
	assert_int_equal(seq_length(f, 12), 1);
	fleet_free(f);
}

static void failing_stops_after_three(void **state)
{
	struct fleet *f = fleet_rotating();

	for (int i = 0; i < 3; i++) {
		fleet_run(f);
		assert_true(fleet_hand(f, 11) && fleet_fail(f, 11));
	}
	fleet_run(f);
	assert_int_equal(fleet_find(f, 11)->doc_count, 0);
	assert_non_null(fleet_wait(f, WAIT_FAILING, 11, 0));
	fleet_assert_same(f);
	fleet_ca(f, 3, 5); /* other contents: a change */
	fleet_run(f);
	assert_int_equal(fleet_find(f, 11)->doc_count, 1);
	fleet_free(f);
}

static void a_failing_chain_is_tried_again_then_stops(void **state)
{
	struct fleet *f = fleet_rotating();
	int64_t chain = 0;

	fleet_run(f);
	for (int64_t id = 11; id <= 12; id++)
		fleet_settle(f, id);
	fleet_run(f);
	assert_true(fleet_issue(f, 21));
	for (int i = 0; i < 3; i++) {
		fleet_run(f);
		assert_int_equal(fleet_find(f, 21)->asked, 0); /* the same chain, not a new one each time */
		assert_true(!chain || fleet_newest(f, 21) == chain);
		chain = fleet_newest(f, 21);
		assert_true(fleet_hand(f, 21) && fleet_fail(f, 21));
	}
	fleet_run(f);
	assert_int_equal(fleet_find(f, 21)->doc_count, 0);
	assert_non_null(fleet_wait(f, WAIT_FAILING, 21, 0));
	assert_int_equal(fleet_signer_of(f, 21), 1); /* it keeps serving the old one */
	fleet_free(f);
}

static void pending_documents_are_capped(void **state)
{
	struct fleet *f = fleet_usual();
	struct fleet_target *t = fleet_find(f, 11);

	for (int64_t id = 2; id < 8; id++) {
		fleet_ca(f, id, 5);
		fleet_run(f);
		(void)fleet_lose(f, 11); /* handed out, never seen */
	}
	assert_int_equal(t->doc_count, LIMIT_PENDING_DOCUMENTS);
	assert_non_null(fleet_wait(f, WAIT_PENDING_FULL, 11, 0));
	fleet_assert_same(f);
	fleet_settle_all(f);
	assert_true(fleet_holds_cert(f, 11, 107));
	fleet_free(f);
}

static void more_than_the_cap_is_unknown(void **state)
{
	struct fleet *f = fleet_usual();
	int64_t set = fleet_newest(f, 11);
	bool fits = true;

	for (int64_t g = 100; fits; g++)
		fits = view_apply(f->view, &(struct fact){ .kind = FACT_SENT, .sent = { 11, g, set } });
	assert_false(target_find(f->view, 11)->known);
	fleet_free(f);
}

/* Reports that are older than what is known change nothing. */
static void unopened_session(void **state)
{
	struct fleet *f = fleet_usual();
	struct fleet_target *t = fleet_find(f, 11);
	int64_t old = t->base, generation = t->base_generation;

	fleet_ca(f, 2, 5);
	fleet_settle_all(f);
	assert_false(view_apply(f->view, &(struct fact){ .kind = FACT_SEEN, .seen = { 11, old, generation, generation } }));
	assert_false(view_apply(f->view, &(struct fact){ .kind = FACT_SEEN, .seen = { 11, old, 99, 98 } }));
	assert_false(view_apply(f->view, &(struct fact){ .kind = FACT_SEEN, .seen = { 999, old, 1, 1 } }));
	fleet_assert_same(f);
	fleet_free(f);
}

static void contents_that_nobody_sent_are_unknown(void **state)
{
	struct fleet *f = fleet_rotating();
	struct fleet_target *t = fleet_find(f, 11);

	fleet_run(f);
	assert_true(fleet_hand(f, 11));
	/* its generation, but not its contents */
	assert_true(view_apply(f->view, &(struct fact){ .kind = FACT_SEEN, .seen = { 11, t->base,
			t->docs[0].generation, t->docs[0].generation } }));
	assert_false(target_find(f->view, 11)->known);
	assert_true(view_apply(f->view, &(struct fact){ .kind = FACT_SEEN, .seen = { 12, 12345, 1, 50 } }));
	assert_false(target_find(f->view, 12)->known);
	fleet_free(f);
}

static void unknown_gets_no_act(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_void(f, 11);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 11)->doc_count, 0);
	assert_int_equal(fleet_find(f, 12)->doc_count, 1);
	assert_non_null(fleet_wait(f, WAIT_UNKNOWN, 11, 0));
	fleet_assert_same(f);
	fleet_free(f);
}

static void silent_gets_no_act(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_offline(f, 11);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 11)->doc_count, 0);
	assert_non_null(fleet_wait(f, WAIT_OFFLINE, 11, 0));
	assert_int_equal(fleet_wait(f, WAIT_OFFLINE, 11, 0)->authority, 5);
	fleet_free(f);
}

static void facts_about_strangers_change_nothing(void **state)
{
	struct fleet *f = fleet_usual();
	const struct fact strangers[] = {
		{ .kind = FACT_SENT, .sent = { 999, 1, 1 } }, { .kind = FACT_SENT, .sent = { 11, 77, 9999 } },
		{ .kind = FACT_HANDED, .handed = { 11, 77 } }, { .kind = FACT_DROPPED, .dropped = { 11, 77 } },
		{ .kind = FACT_HANDED, .handed = { 999, 1 } }, { .kind = FACT_DROPPED, .dropped = { 999, 1 } },
		{ .kind = FACT_VOID, .voided = { 999 } }, { .kind = FACT_STAGED, .staged = { 11, 1, true } },
		{ .kind = FACT_STAGED, .staged = { 21, 9999, true } }, { .kind = FACT_ASKED, .asked = { 999, 1 } },
		{ .kind = FACT_FAILED, .failed = { 999, 1, 1 } }, { .kind = FACT_ALIVE, .alive = { 0, 1 } },
		{ .kind = FACT_TARGET, .target = { 999, 77, 1, 0, TARGET_COUNTED } },
		{ .kind = FACT_TARGET, .target = { 11, 2, 1, 0, TARGET_COUNTED } },
		{ .kind = FACT_TARGET, .target = { 999, 1, 1, 0, TARGET_LEFT } },
		{ .kind = FACT_KIND_MAX },
	};

	for (size_t i = 0; i < ARRAY_LEN(strangers); i++)
		assert_false(view_apply(f->view, &strangers[i]));
	fleet_assert_same(f);
	fleet_free(f);
}

static void a_leaver_leaves_nothing_behind(void **state)
{
	struct fleet *f = fleet_rotating();

	fleet_run(f);
	assert_true(fleet_hand(f, 11));
	fleet_leave(f, 12); /* silent for ever, but no longer in anybody's way */
	fleet_settle_all(f);
	assert_true(fleet_find_ca(f, 1)->retired);
	fleet_free(f);
}

static void a_target_moves_to_another_instance(void **state)
{
	struct fleet *f = fleet_usual();
	struct fleet_target *t = fleet_find(f, 11);

	t->instance = fleet_find(f, 12)->instance;
	assert_true(view_apply(f->view, &(struct fact){ .kind = FACT_TARGET, .target = { 11, 1, t->instance, 0, TARGET_COUNTED } }));
	fleet_assert_same(f);
	fleet_leave(f, 12);
	fleet_assert_same(f);
	fleet_free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_is_not_loaded),
		cmocka_unit_test(match_by_fingerprint),
		cmocka_unit_test(stale_document),
		cmocka_unit_test(failed_reload_retries),
		cmocka_unit_test(handed_out_is_not_taken_back),
		cmocka_unit_test(failing_stops_after_three),
		cmocka_unit_test(a_failing_chain_is_tried_again_then_stops),
		cmocka_unit_test(pending_documents_are_capped),
		cmocka_unit_test(more_than_the_cap_is_unknown),
		cmocka_unit_test(unopened_session),
		cmocka_unit_test(contents_that_nobody_sent_are_unknown),
		cmocka_unit_test(unknown_gets_no_act),
		cmocka_unit_test(silent_gets_no_act),
		cmocka_unit_test(facts_about_strangers_change_nothing),
		cmocka_unit_test(a_leaver_leaves_nothing_behind),
		cmocka_unit_test(a_target_moves_to_another_instance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
