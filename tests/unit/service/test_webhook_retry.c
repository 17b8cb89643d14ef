/* Pauses between tries, and the end of trying, in simulated time. */
#include "room.h"

#include "service/webhook/webhook.h"

static void pauses_double_up_to_an_hour(void **state)
{
	static const int64_t seconds[] = { 5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600 };
	for (size_t i = 0; i < ARRAY_LEN(seconds); i++) {
		msec_t middle = seconds[i] * MSEC_S;
		assert_int_equal(webhook_pause((int64_t)i + 1, 0), middle - middle / 4);
		assert_int_equal(webhook_pause((int64_t)i + 1, (uint32_t)(middle / 2)), middle - middle / 4 + middle / 2);
	}
	assert_int_equal(webhook_pause(INT64_MAX, 0), 2700 * MSEC_S);
	assert_int_equal(webhook_pause(0, 0), 3750);
}

static void jitter_spreads_over_a_half_of_the_pause(void **state)
{
	msec_t least = MSEC_DAY, most = 0;
	for (uint32_t r = 0; r < 100000; r += 7) {
		msec_t pause = webhook_pause(3, r * 2654435761u);
		least = pause < least ? pause : least;
		most = pause > most ? pause : most;
	}
	assert_in_range(least, 15000, 15100);
	assert_in_range(most, 24900, 25000);
}

/* A receiver that never answers: some thirty tries in a day, and then no more. */
static void a_dead_receiver_is_given_up_after_a_day(void **state)
{
	static const uint32_t luck[] = { 0, UINT32_MAX, 1234567 };
	for (size_t i = 0; i < ARRAY_LEN(luck); i++) {
		msec_t start = INT64_C(1795000000000), now = start;
		int64_t attempts = 1;
		for (; !webhook_gives_up(attempts, start, now); attempts++)
			now += webhook_pause(attempts, luck[i]);
		assert_in_range(attempts, 25, 45);
		assert_in_range(now - start, MSEC_DAY, MSEC_DAY + 2 * MSEC_HOUR);
	}
}

static void a_server_that_was_off_does_not_give_up_at_once(void **state)
{
	msec_t start = INT64_C(1795000000000);
	assert_false(webhook_gives_up(3, start, start + 30 * MSEC_DAY));
	assert_true(webhook_gives_up(LIMIT_WEBHOOK_TRIES_LEAST, start, start + 30 * MSEC_DAY));
	assert_false(webhook_gives_up(LIMIT_WEBHOOK_TRIES_LEAST, 0, start));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pauses_double_up_to_an_hour), cmocka_unit_test(jitter_spreads_over_a_half_of_the_pause),
		cmocka_unit_test(a_dead_receiver_is_given_up_after_a_day), cmocka_unit_test(a_server_that_was_off_does_not_give_up_at_once),
	};
	return cmocka_run_group_tests_name("webhook_retry", tests, NULL, NULL);
}
