/* Webhooks for people: added, shown, tested, removed; and what never is. */
#include "webhook.h"

static void the_secret_is_shown_once_and_kept_by_the_keeper(void **state)
{
	struct room *r = room_new();
	struct webhook_ret ret = webhook_made(r, NULL), again;
	struct bytes key;
	assert_true(text_starts(ret.secret, "whsec_"));
	assert_true(rc_ok(base64_decode(r->a, ret.secret + 6, strlen(ret.secret + 6), &key, NULL)));
	assert_int_equal(key.len, KEEPER_WEBHOOK_SECRET_BYTES);
	assert_string_equal(ret.webhook.state, "working");
	assert_string_equal(ret.webhook.row.events, "*");
	room_do(r, &VERB_WEBHOOK_SHOW, &(struct id_cmd){ ret.webhook.row.uuid }, &again);
	assert_null(again.secret);
	assert_null(memmem(again.webhook.row.key_blob.data, again.webhook.row.key_blob.len, key.data, 8));
	room_free(r);
}

/* A chat service's URL is a secret of its own. */
static void audit_and_events_name_the_host_only(void **state)
{
	struct room *r = room_new();
	struct event_list_ret events;
	(void)webhook_made(r, "rotation.*");
	assert_string_equal(room_last_audit(r), "webhook.add");
	room_do(r, &VERB_EVENT_LIST, &(struct event_list_cmd){ 0 }, &events);
	const struct event_row *last = &events.items[events.count - 1];
	assert_string_equal(last->kind, "webhook.add");
	assert_non_null(strstr(last->body, "\"server\":\"https://hooks.example.org:443\""));
	assert_null(strstr(last->body, "T0"));
	room_free(r);
}

static void refusals(void **state)
{
	struct room *r = room_new();
	struct webhook_add_cmd cmd = { .name = "a/b", .url = "http://hooks.example.org", .events = room_texts(r, "rotation.*", "a b"), .ca_pem = "x" };
	room_refused(r, &r->admin, &VERB_WEBHOOK_ADD, &cmd, TROTH_INVALID, "");
	room_finding(r, "$.name", "character");
	room_finding(r, "$.url", "must begin with https://");
	room_finding(r, "$.events[1]", "not a pattern");
	room_finding(r, "$.ca", "no certificate");
	cmd = (struct webhook_add_cmd){ .name = "ops", .url = "https://hooks.example.org", .events = room_texts(r, "rotation", "nothing.*") };
	room_refused(r, &r->admin, &VERB_WEBHOOK_ADD, &cmd, TROTH_INVALID, "");
	room_finding(r, "$.events[0]", "matches no type of event");
	room_finding(r, "$.events[1]", "matches no type of event");
	cmd = (struct webhook_add_cmd){ 0 };
	room_refused(r, &r->admin, &VERB_WEBHOOK_ADD, &cmd, TROTH_INVALID, "missing");
	cmd = (struct webhook_add_cmd){ .name = "ops", .url = "https://hooks.example.org" };
	room_refused(r, &r->narrow, &VERB_WEBHOOK_ADD, &cmd, TROTH_FORBIDDEN, "told of everything");
	room_refused(r, &r->auditor, &VERB_WEBHOOK_ADD, &cmd, TROTH_FORBIDDEN, "may not");
	room_refused(r, &r->narrow, &VERB_WEBHOOK_LIST, &(struct list_cmd){ 0 }, TROTH_FORBIDDEN, "told of everything");
	(void)webhook_made(r, NULL);
	room_refused(r, &r->admin, &VERB_WEBHOOK_ADD, &cmd, TROTH_CONFLICT, "already");
	room_refused(r, &r->admin, &VERB_WEBHOOK_SHOW, &(struct id_cmd){ "nobody" }, TROTH_NOT_FOUND, "no webhook nobody");
	room_refused(r, &r->narrow, &VERB_WEBHOOK_REMOVE, &(struct id_cmd){ "ops" }, TROTH_FORBIDDEN, "");
	room_free(r);
}

static void there_are_at_most_so_many(void **state)
{
	struct room *r = room_new();
	struct webhook_ret ret;
	for (int i = 0; i < LIMIT_WEBHOOKS; i++)
		room_do(r, &VERB_WEBHOOK_ADD, &(struct webhook_add_cmd){ .name = arena_printf(r->a, "w%d", i), .url = "https://h" }, &ret);
	room_refused(r, &r->admin, &VERB_WEBHOOK_ADD, &(struct webhook_add_cmd){ .name = "ops", .url = "https://h" }, TROTH_CONFLICT, "32 webhooks");
	struct webhook_list_ret list;
	room_do(r, &VERB_WEBHOOK_LIST, &(struct list_cmd){ .name = "w7" }, &list);
	assert_int_equal(list.count, 1);
	room_free(r);
}

static void a_removed_one_is_gone_and_its_test_cancelled(void **state)
{
	struct room *r = room_new();
	struct operation_ret op, after;
	struct webhook_list_ret list;
	struct no_ret none;
	(void)webhook_made(r, NULL);
	room_do(r, &VERB_WEBHOOK_TEST, &(struct id_cmd){ "ops" }, &op);
	assert_int_equal(op.operation.state, OPERATION_RUNNING);
	room_do(r, &VERB_WEBHOOK_TEST, &(struct id_cmd){ "ops" }, &after);
	assert_string_equal(after.operation.uuid, op.operation.uuid);
	room_do(r, &VERB_WEBHOOK_REMOVE, &(struct id_cmd){ "ops" }, &none);
	assert_string_equal(room_last_audit(r), "webhook.remove");
	room_do(r, &VERB_OPERATION_SHOW, &(struct id_cmd){ op.operation.uuid }, &after);
	assert_int_equal(after.operation.state, OPERATION_CANCELLED);
	room_do(r, &VERB_WEBHOOK_LIST, &(struct list_cmd){ 0 }, &list);
	assert_int_equal(list.count, 0);
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_secret_is_shown_once_and_kept_by_the_keeper), cmocka_unit_test(audit_and_events_name_the_host_only),
		cmocka_unit_test(refusals), cmocka_unit_test(there_are_at_most_so_many), cmocka_unit_test(a_removed_one_is_gone_and_its_test_cancelled),
	};
	return cmocka_run_group_tests_name("webhook", tests, NULL, NULL);
}
