/* The signature of a message to a webhook. */
#include "fixture.h"

#include "keeper/webhook.h"

static const char *mac_text(struct arena *a, struct bytes secret, const char *id, int64_t timestamp, const char *body)
{
	uint8_t mac[SHA256_LEN];
	assert_true(rc_ok(keeper_webhook_mac(secret, id, timestamp, bytes_of_text(body), mac, NULL)));
	return base64_encode(a, bytes_of(mac, sizeof mac));
}

/* The example of the Standard Webhooks specification's libraries. */
static void the_known_message_has_the_known_signature(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 16);
	struct bytes secret;
	assert_true(rc_ok(base64_decode(a, "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 32, &secret, NULL)));
	assert_string_equal(mac_text(a, secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, "{\"test\": 2432232314}"),
			    "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

static void each_part_counts(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 16);
	struct bytes secret = bytes_of_text("a secret of thirty-two bytes ...");
	const char *one = mac_text(a, secret, "msg_1", 17, "{}");
	assert_string_equal(one, mac_text(a, secret, "msg_1", 17, "{}"));
	assert_string_not_equal(one, mac_text(a, secret, "msg_2", 17, "{}"));
	assert_string_not_equal(one, mac_text(a, secret, "msg_1", 18, "{}"));
	assert_string_not_equal(one, mac_text(a, secret, "msg_1", 17, "{ }"));
	assert_string_not_equal(one, mac_text(a, bytes_of_text("another"), "msg_1", 17, "{}"));
}

/* "a.1" with time 7 and "a" with time 1.7 must not be one message. */
static void an_id_that_could_be_read_twice_is_refused(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	static const char *const bad[] = { "", "a.1", "a b", "a\n", "\xc3\xa4", "a,b" };
	uint8_t mac[SHA256_LEN];
	struct troth_err e = { 0 };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(keeper_webhook_mac(bytes_of_text("s"), bad[i], 7, bytes_of_text("{}"), mac, &e).code, TROTH_INVALID);
	char *longest = arena_alloc(a, KEEPER_WEBHOOK_ID_BYTES + 2);
	memset(longest, 'x', KEEPER_WEBHOOK_ID_BYTES);
	assert_true(rc_ok(keeper_webhook_mac(bytes_of_text("s"), longest, 7, bytes_of_text("{}"), mac, &e)));
	longest[KEEPER_WEBHOOK_ID_BYTES] = 'x';
	assert_int_equal(keeper_webhook_mac(bytes_of_text("s"), longest, 7, bytes_of_text("{}"), mac, &e).code, TROTH_INVALID);
	size_t huge = LIMIT_WEBHOOK_BODY_BYTES + 1000;
	assert_int_equal(keeper_webhook_mac(bytes_of_text("s"), "x", 7, bytes_of(arena_alloc(a, huge), huge), mac, &e).code, TROTH_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_known_message_has_the_known_signature),
		cmocka_unit_test(each_part_counts),
		cmocka_unit_test(an_id_that_could_be_read_twice_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
