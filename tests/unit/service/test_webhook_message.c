/* What a webhook is sent. */
#include "room.h"

#include "service/webhook/webhook.h"

static const struct event_row EVENT = { .seq = 7, .at = INT64_C(1795000000123), .kind = "rotation.started", .object = "/prod/pg/ca",
					.topic = "rotation/x", .body = "{\"a\":[1,\"\\u00e4\"]}" };

static void an_event_as_json(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	struct webhook_message m;
	webhook_message_event(a, &EVENT, &m);
	assert_int_equal(strlen(m.id), 36);
	assert_true(text_starts(m.id, "msg_"));
	assert_string_equal(m.body, arena_printf(a, "{\"id\":\"%s\",\"seq\":7,\"type\":\"rotation.started\",\"time\":\"2026-11-18T11:06:40.123Z\","
						 "\"object\":\"/prod/pg/ca\",\"data\":{\"a\":[1,\"\\u00e4\"]}}", m.id));
	struct event_row bare = { .seq = 8, .at = EVENT.at, .kind = "x" };
	webhook_message_event(a, &bare, &m);
	assert_non_null(strstr(m.body, "\"object\":null,\"data\":null}"));
}

/* The same event has the same id for ever; after a restore another event may have its number. */
static void the_id_is_of_the_event_and_not_of_its_number(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	struct webhook_message one, two;
	struct event_row others[] = { EVENT, EVENT, EVENT, EVENT, EVENT };
	others[0].seq = 8;
	others[1].at++;
	others[2].kind = "rotation.ended";
	others[3].object = "/prod/pg/c";
	others[4].body = "{}";
	webhook_message_event(a, &EVENT, &one);
	webhook_message_event(a, &EVENT, &two);
	assert_string_equal(one.id, two.id);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		webhook_message_event(a, &others[i], &two);
		assert_string_not_equal(one.id, two.id);
	}
	struct event_row shifted[] = { { .seq = 1, .kind = "a", .object = "bc" }, { .seq = 1, .kind = "ab", .object = "c" } };
	webhook_message_event(a, &shifted[0], &one);
	webhook_message_event(a, &shifted[1], &two);
	assert_string_not_equal(one.id, two.id);
}

static void what_is_too_large_is_left_out_and_said(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(8 << 20);
	struct webhook_message m;
	struct event_row large = EVENT;
	char *body = arena_alloc(a, LIMIT_WEBHOOK_BODY_BYTES + 1);
	memset(body, 'x', LIMIT_WEBHOOK_BODY_BYTES);
	body[0] = body[LIMIT_WEBHOOK_BODY_BYTES - 1] = '"';
	large.body = body;
	webhook_message_event(a, &large, &m);
	assert_true(text_ends(m.body, "\"data\":null,\"truncated\":true}"));
	assert_true(strlen(m.body) < 300);
}

static void gap_and_ping_keep_their_ids_whenever_they_are_sent(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	struct webhook_row row = { .name = "ops", .cursor = 4 };
	struct webhook_message one, two;
	webhook_message_gap(a, &row, 9, EVENT.at, &one);
	webhook_message_gap(a, &row, 9, EVENT.at + MSEC_HOUR, &two);
	assert_string_equal(one.id, two.id);
	assert_non_null(strstr(one.body, "\"seq\":9,\"type\":\"webhook.gap\""));
	assert_non_null(strstr(one.body, "\"object\":\"ops\",\"data\":{\"after\":4,\"up_to\":9}}"));
	webhook_message_gap(a, &row, 10, EVENT.at, &two);
	assert_string_not_equal(one.id, two.id);
	webhook_message_ping(a, &row, "6e0c51aa-3a0e-4f2a-9d0b-5d1f3c5a7e10", EVENT.at, &one);
	webhook_message_ping(a, &row, "6e0c51aa-3a0e-4f2a-9d0b-5d1f3c5a7e10", EVENT.at + 1, &two);
	assert_string_equal(one.id, two.id);
	assert_non_null(strstr(one.body, "\"seq\":0,\"type\":\"webhook.ping\""));
}

static void patterns_choose(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 16);
	assert_true(webhook_wants(a, "*", "rotation.started"));
	assert_true(webhook_wants(a, "credential.* rotation.*", "rotation.started"));
	assert_true(webhook_wants(a, "credential.* rotation.*", "credential.create"));
	assert_false(webhook_wants(a, "credential.* rotation.*", "authority.create"));
	assert_false(webhook_wants(a, "rotation", "rotation.started"));
	assert_false(webhook_wants(a, "", "rotation.started"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_as_json), cmocka_unit_test(the_id_is_of_the_event_and_not_of_its_number),
		cmocka_unit_test(what_is_too_large_is_left_out_and_said), cmocka_unit_test(gap_and_ping_keep_their_ids_whenever_they_are_sent),
		cmocka_unit_test(patterns_choose),
	};
	return cmocka_run_group_tests_name("webhook_message", tests, NULL, NULL);
}
