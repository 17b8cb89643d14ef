/* The sender's side: in order, at least once, signed; what fails comes again, later and later; what was forgotten is told. */
#include "webhook.h"

#include "keeper/webhook.h"

static struct webhook_next_ret next_of(struct room *r, const char *uuid)
{
	struct webhook_next_ret ret = { 0 };
	troth_rc rc = room_try(r, &PRINCIPAL_SYSTEM, &VERB_WEBHOOK_NEXT, &(struct webhook_next_cmd){ uuid }, &ret);
	if (rc_failed(rc))
		fail_msg("%s", r->e.primary);
	return ret;
}

static void result_of(struct room *r, const char *uuid, const struct webhook_next_ret *n, int status, const char *error)
{
	struct webhook_result_cmd cmd = { .uuid = uuid, .seq = n->seq, .test = n->test, .status = status, .error = error, .took = 12 };
	struct no_ret none;
	if (rc_failed(room_try(r, &PRINCIPAL_SYSTEM, &VERB_WEBHOOK_RESULT, &cmd, &none)))
		fail_msg("%s", r->e.primary);
}

/* 0 of nothing, else what DUE says, plus one. */
static msec_t due_of(struct room *r)
{
	struct webhook_due_ret ret;
	if (rc_failed(room_try(r, &PRINCIPAL_SYSTEM, &VERB_WEBHOOK_DUE, &(struct no_cmd){ 0 }, &ret)))
		fail_msg("%s", r->e.primary);
	return ret.count ? ret.items[0].due + 1 : 0;
}

static const char *type_of(struct room *r, const struct webhook_next_ret *n)
{
	const struct json *j;
	assert_true(n->message);
	assert_true(rc_ok(json_parse(r->a, bytes_of_text(n->body), &j, NULL)));
	assert_string_equal(json_get_text(j, "id", ""), n->id);
	return json_get_text(j, "type", "");
}

static void events_come_in_order_and_each_until_it_is_taken(void **state)
{
	struct room *r = room_new();
	const char *uuid = webhook_made(r, NULL).webhook.row.uuid;
	(void)room_authority(r, "/prod/pg/ca", NULL);
	struct webhook_next_ret one = next_of(r, uuid), again = next_of(r, uuid), two;
	assert_string_equal(type_of(r, &one), "webhook.add");
	assert_string_equal(one.id, again.id); /* the server died before it heard the answer */
	assert_int_equal(webhook_seen(r).row.cursor, one.seq - 1);
	result_of(r, uuid, &one, 204, NULL);
	assert_int_equal(webhook_seen(r).row.cursor, one.seq);
	two = next_of(r, uuid);
	assert_string_equal(type_of(r, &two), "authority.create");
	assert_int_equal(two.seq, one.seq + 1);
	result_of(r, uuid, &one, 204, NULL); /* an answer that comes twice moves nothing */
	assert_int_equal(webhook_seen(r).row.cursor, one.seq);
	result_of(r, uuid, &two, 200, NULL);
	assert_false(next_of(r, uuid).message);
	assert_int_equal(due_of(r), 0);
	assert_true(webhook_seen(r).row.last_delivered == r->now && webhook_seen(r).waiting == 0);
	room_free(r);
}

static void a_message_is_signed_with_the_secret_that_was_shown(void **state)
{
	struct room *r = room_new();
	struct webhook_ret hook = webhook_made(r, NULL);
	struct webhook_next_ret n = next_of(r, hook.webhook.row.uuid);
	struct bytes key;
	uint8_t mac[SHA256_LEN];
	assert_true(rc_ok(base64_decode(r->a, hook.secret + 6, strlen(hook.secret + 6), &key, NULL)));
	assert_true(rc_ok(keeper_webhook_mac(key, n.id, n.timestamp, bytes_of_text(n.body), mac, NULL)));
	assert_int_equal(n.timestamp, r->now / MSEC_S);
	assert_string_equal(n.signature, arena_printf(r->a, "v1,%s", base64_encode(r->a, bytes_of(mac, sizeof mac))));
	assert_string_equal(n.url, "https://hooks.example.org/services/T0/secret");
	room_free(r);
}

static void what_is_not_wanted_is_passed_over(void **state)
{
	struct room *r = room_new();
	const char *uuid = webhook_made(r, "bundle.*").webhook.row.uuid;
	(void)room_authority(r, "/prod/pg/ca", NULL);
	assert_true(due_of(r) != 0);
	assert_false(next_of(r, uuid).message);
	assert_int_equal(due_of(r), 0); /* the cursor moved without anything sent */
	assert_int_equal(webhook_seen(r).row.last_delivered, 0);
	(void)room_bundle(r, "/prod/pg/trust", "/prod/pg/ca");
	struct webhook_next_ret n = next_of(r, uuid);
	assert_true(text_starts(type_of(r, &n), "bundle."));
	room_free(r);
}

static void what_fails_comes_again_later_and_later(void **state)
{
	struct room *r = room_new();
	const char *uuid = webhook_made(r, NULL).webhook.row.uuid;
	struct webhook_next_ret n = next_of(r, uuid), again;
	msec_t pause = 0, start = r->now;
	for (int i = 0; i < 4; i++) {
		result_of(r, uuid, &n, i % 2 ? 503 : 0, "could not connect");
		struct webhook_view v = webhook_seen(r);
		assert_string_equal(v.state, "failing");
		assert_string_equal(v.row.last_error, i % 2 ? "the receiver answered 503" : "could not connect");
		assert_int_equal(v.row.failing_since, start);
		assert_true(v.row.due - r->now > pause);
		pause = v.row.due - r->now;
		assert_int_equal(due_of(r), v.row.due + 1);
		assert_false(next_of(r, uuid).message);
		r->now = v.row.due;
		again = next_of(r, uuid);
		assert_string_equal(again.id, n.id);
		assert_string_not_equal(again.signature, n.signature); /* of another time */
	}
	result_of(r, uuid, &again, 200, NULL);
	struct webhook_view v = webhook_seen(r);
	assert_string_equal(v.state, "working");
	assert_true(v.row.attempts == 0 && v.row.failing_since == 0 && v.row.due == 0 && !v.row.last_error);
	room_free(r);
}

static void a_redirect_is_a_failure(void **state)
{
	struct room *r = room_new();
	const char *uuid = webhook_made(r, NULL).webhook.row.uuid;
	struct webhook_next_ret n = next_of(r, uuid);
	result_of(r, uuid, &n, 302, NULL);
	assert_string_equal(webhook_seen(r).row.last_error, "the receiver answered 302: redirects are not followed");
	room_free(r);
}

static void after_a_day_it_is_disabled_and_can_be_enabled_where_it_stood(void **state)
{
	struct room *r = room_new();
	struct event_list_ret events;
	struct webhook_ret ret;
	const char *uuid = webhook_made(r, NULL).webhook.row.uuid;
	struct webhook_next_ret n = next_of(r, uuid);
	msec_t start = r->now;
	for (int i = 0; i < 60 && !webhook_seen(r).row.disabled_at; i++) {
		result_of(r, uuid, &n, 500, NULL);
		r->now = webhook_seen(r).row.due;
	}
	struct webhook_view v = webhook_seen(r);
	assert_string_equal(v.state, "disabled");
	assert_true(v.row.disabled_at - start >= MSEC_DAY && v.row.disabled_at - start < MSEC_DAY + 2 * MSEC_HOUR);
	assert_non_null(strstr(v.row.disabled_why, "nothing was taken for 24 h: the receiver answered 500"));
	assert_string_equal(room_last_audit(r), "webhook.disabled");
	room_do(r, &VERB_EVENT_LIST, &(struct event_list_cmd){ 0 }, &events);
	assert_string_equal(events.items[events.count - 1].kind, "webhook.disabled");
	r->now += 2 * MSEC_DAY;
	assert_int_equal(due_of(r), 0);
	assert_false(next_of(r, uuid).message);
	room_do(r, &VERB_WEBHOOK_ENABLE, &(struct id_cmd){ "ops" }, &ret);
	assert_string_equal(ret.webhook.state, "working");
	assert_string_equal(next_of(r, uuid).id, n.id);
	room_free(r);
}

static void gone_disables_at_once(void **state)
{
	struct room *r = room_new();
	const char *uuid = webhook_made(r, NULL).webhook.row.uuid;
	struct webhook_next_ret n = next_of(r, uuid);
	result_of(r, uuid, &n, 410, NULL);
	assert_string_equal(webhook_seen(r).state, "disabled");
	assert_non_null(strstr(webhook_seen(r).row.disabled_why, "410"));
	assert_int_equal(webhook_seen(r).row.cursor, n.seq - 1);
	room_free(r);
}

static void forget_all(struct room *r)
{
	struct tx *tx;
	bool more;
	assert_true(rc_ok(store_write_begin(r->store, &tx, &r->e)));
	assert_true(rc_ok(event_row_forget(tx, r->now + 1, &more, &r->e)));
	assert_true(rc_ok(store_write_commit(tx, &r->e)));
}

/* Events are kept for a month; what was forgotten before it was delivered is said, once, and then it goes on. */
static void what_was_forgotten_is_told(void **state)
{
	struct room *r = room_new();
	struct webhook_ret hook = webhook_made(r, NULL);
	const char *uuid = hook.webhook.row.uuid;
	int64_t cursor = hook.webhook.row.cursor;
	(void)room_authority(r, "/prod/pg/ca", NULL);
	forget_all(r);
	r->now += MSEC_DAY;
	(void)room_authority(r, "/prod/pg/other", NULL);
	struct webhook_next_ret n = next_of(r, uuid);
	assert_string_equal(type_of(r, &n), "webhook.gap");
	assert_non_null(strstr(n.body, arena_printf(r->a, "{\"after\":%lld,\"up_to\":%lld}", (long long)cursor, (long long)n.seq)));
	result_of(r, uuid, &n, 200, NULL);
	n = next_of(r, uuid);
	assert_string_equal(type_of(r, &n), "authority.create");
	assert_non_null(strstr(n.body, "/prod/pg/other"));
	room_free(r);
}

static void a_test_goes_first_and_moves_nothing(void **state)
{
	struct room *r = room_new();
	struct operation_ret op;
	const char *uuid = webhook_made(r, NULL).webhook.row.uuid;
	struct webhook_next_ret event = next_of(r, uuid), n;
	result_of(r, uuid, &event, 410, NULL); /* disabled: a test is sent all the same */
	room_do(r, &VERB_WEBHOOK_TEST, &(struct id_cmd){ "ops" }, &op);
	assert_int_equal(due_of(r), 1);
	n = next_of(r, uuid);
	assert_string_equal(type_of(r, &n), "webhook.ping");
	result_of(r, uuid, &n, 503, NULL);
	room_do(r, &VERB_OPERATION_SHOW, &(struct id_cmd){ op.operation.uuid }, &op);
	assert_int_equal(op.operation.state, OPERATION_FAILED);
	assert_string_equal(op.operation.result, "{\"status\":503,\"ms\":12,\"error\":\"the receiver answered 503\"}");
	assert_int_equal(webhook_seen(r).row.cursor, event.seq - 1);
	room_do(r, &VERB_WEBHOOK_TEST, &(struct id_cmd){ "ops" }, &op);
	n = next_of(r, uuid);
	result_of(r, uuid, &n, 200, NULL);
	result_of(r, uuid, &n, 500, NULL); /* said twice */
	room_do(r, &VERB_OPERATION_SHOW, &(struct id_cmd){ op.operation.uuid }, &op);
	assert_int_equal(op.operation.state, OPERATION_SUCCEEDED);
	assert_string_equal(op.operation.result, "{\"status\":200,\"ms\":12}");
	assert_string_equal(webhook_seen(r).state, "disabled");
	room_free(r);
}

static void remove_it(struct room *r)
{
	struct no_ret none;
	struct verb_ctx mine = r->ctx;
	room_do(r, &VERB_WEBHOOK_REMOVE, &(struct id_cmd){ "ops" }, &none);
	r->ctx = mine;
}

/* Between the keeper's signature and the commit somebody removes it: nothing is sent. */
static void one_that_is_removed_meanwhile_sends_nothing(void **state)
{
	struct room *r = room_new();
	const char *uuid = webhook_made(r, NULL).webhook.row.uuid;
	struct webhook_next_ret n = next_of(r, uuid), late;
	r->before_keeper = remove_it;
	late = next_of(r, uuid);
	assert_false(late.message);
	result_of(r, uuid, &n, 200, NULL); /* and an answer to it is no error */
	room_free(r);
}

static void only_the_server_itself_sends(void **state)
{
	struct room *r = room_new();
	const char *uuid = webhook_made(r, NULL).webhook.row.uuid;
	room_refused(r, &r->admin, &VERB_WEBHOOK_NEXT, &(struct webhook_next_cmd){ uuid }, TROTH_FORBIDDEN, "");
	room_refused(r, &r->admin, &VERB_WEBHOOK_RESULT, &(struct webhook_result_cmd){ .uuid = uuid }, TROTH_FORBIDDEN, "");
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_come_in_order_and_each_until_it_is_taken), cmocka_unit_test(a_message_is_signed_with_the_secret_that_was_shown),
		cmocka_unit_test(what_is_not_wanted_is_passed_over), cmocka_unit_test(what_fails_comes_again_later_and_later),
		cmocka_unit_test(a_redirect_is_a_failure), cmocka_unit_test(after_a_day_it_is_disabled_and_can_be_enabled_where_it_stood),
		cmocka_unit_test(gone_disables_at_once), cmocka_unit_test(what_was_forgotten_is_told),
		cmocka_unit_test(a_test_goes_first_and_moves_nothing), cmocka_unit_test(one_that_is_removed_meanwhile_sends_nothing),
		cmocka_unit_test(only_the_server_itself_sends),
	};
	return cmocka_run_group_tests_name("webhook_deliver", tests, NULL, NULL);
}
