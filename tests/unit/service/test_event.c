/* Events: from a sequence on, filtered by scope, held while there is none. */
#include "room.h"

#include "service/policy/policy.h"

static void test_from_a_sequence(void **state)
{
	struct room *r = room_new();
	struct event_list_ret all, more;
	room_do(r, &VERB_EVENT_LIST, &(struct event_list_cmd){ { 0, 0 } }, &all);
	assert_true(all.count >= 4); /* init's */
	room_do(r, &VERB_EVENT_LIST, &(struct event_list_cmd){ { all.next, 0 } }, &more);
	assert_int_equal(more.count, 0);
	assert_int_equal(more.next, all.next);
	assert_false(r->ctx.hold.wanted);
	r->wait = 10 * MSEC_S;
	room_do(r, &VERB_EVENT_LIST, &(struct event_list_cmd){ { all.next, 0 } }, &more);
	assert_true(r->ctx.hold.wanted);
	assert_string_equal(r->ctx.hold.topic, "events");
	r->last_chance = true;
	room_do(r, &VERB_EVENT_LIST, &(struct event_list_cmd){ { all.next, 0 } }, &more);
	assert_false(r->ctx.hold.wanted);
	r->wait = 0;
	room_authority(r, "/prod/pg/ca", NULL);
	room_do(r, &VERB_EVENT_LIST, &(struct event_list_cmd){ { all.next, 0 } }, &more);
	assert_int_equal(more.count, 1);
	assert_int_equal(more.next, more.items[0].seq);
	room_free(r);
}

/* A reader that was away longer than events are kept is told so; one that begins, or missed none, is not. */
static void test_forgotten(void **state)
{
	struct room *r = room_new();
	struct event_list_ret all;
	struct tx *tx;
	bool more;
	room_do(r, &VERB_EVENT_LIST, &(struct event_list_cmd){ { 0, 0 } }, &all);
	int64_t last = all.next;
	assert_true(rc_ok(store_write_begin(r->store, &tx, NULL)));
	assert_true(rc_ok(event_row_forget(tx, INT64_MAX, &more, NULL)) && rc_ok(store_write_commit(tx, NULL)));
	room_do(r, &VERB_EVENT_LIST, &(struct event_list_cmd){ { 0, 0 } }, &all);
	assert_int_equal(all.count, 0);
	room_do(r, &VERB_EVENT_LIST, &(struct event_list_cmd){ { last, 0 } }, &all);
	assert_int_equal(all.count, 0);
	struct event_list_cmd late = { { last - 1, 0 } };
	room_refused(r, &r->admin, &VERB_EVENT_LIST, &late, TROTH_NOT_FOUND,
		     arena_printf(r->a, "after %lld are forgotten up to %lld", (long long)last - 1, (long long)last));
	room_refused(r, &r->admin, &VERB_EVENT_LIST, &late, TROTH_NOT_FOUND, arena_printf(r->a, "go on after %lld", (long long)last));
	room_free(r);
}

static void test_scope(void **state)
{
	struct room *r = room_new();
	struct event_list_ret all;
	size_t freezes = 0;
	room_authority(r, "/prod/pg/ca", NULL);
	room_authority(r, "/test/ca", NULL);
	room_do(r, &VERB_FREEZE, &(struct freeze_cmd){ "migration" }, &(struct freeze_ret){ 0 });
	struct tx *tx; /* as the engine tells of several targets at once, whosever they are */
	struct event_row several = { .at = r->now, .kind = "engine.send", .body = "{\"targets\":[\"x-0/trust\"]}" };
	assert_true(rc_ok(store_write_begin(r->store, &tx, NULL)) && rc_ok(event_append(tx, &several, NULL)) && rc_ok(store_write_commit(tx, NULL)));
	assert_true(rc_ok(room_try(r, &r->narrow, &VERB_EVENT_LIST, &(struct event_list_cmd){ { 0, 0 } }, &all)));
	for (size_t i = 0; i < all.count; i++) { /* nothing else: not who was added, what the engine did, which key signs the audit */
		freezes += text_equal(all.items[i].kind, "freeze");
		assert_true(text_equal(all.items[i].kind, "freeze") || text_starts(all.items[i].object, "/prod/pg/"));
	}
	assert_true(freezes == 1 && all.count == 2);
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_from_a_sequence), cmocka_unit_test(test_forgotten), cmocka_unit_test(test_scope) };
	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
