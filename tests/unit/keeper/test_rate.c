/* The rate of uses: a burst, then a trickle, per key and use. */
#include "fixture.h"

#include "keeper/rate.h"

static bool take(struct rate *r, int key, enum rate_use use, msec_t at)
{
	uint8_t id[SHA256_LEN] = { (uint8_t)key, (uint8_t)(key >> 8) };
	return rc_ok(rate_take(r, id, use, at, NULL));
}

static int burst(struct rate *r, int key, enum rate_use use, msec_t at)
{
	int n = 0;
	while (n < 1000000 && take(r, key, use, at))
		n++;
	return n;
}

static struct rate *rate_new(void) { return calloc(1, sizeof(struct rate)); }

static void a_burst_and_then_the_rate(void **state)
{
	struct rate *r = rate_new();
	assert_int_equal(burst(r, 1, RATE_LEAF, 5000), LIMIT_KEEPER_LEAF_BURST);
	assert_int_equal(burst(r, 1, RATE_LEAF, 6000), LIMIT_KEEPER_LEAF_PER_S);
	assert_int_equal(burst(r, 1, RATE_LEAF, 6001), 1);
	assert_int_equal(burst(r, 1, RATE_LEAF, 1000000000), LIMIT_KEEPER_LEAF_BURST);
	free(r);
}

static void keys_and_uses_have_their_own(void **state)
{
	struct rate *r = rate_new();
	assert_int_equal(burst(r, 1, RATE_CA, 0), LIMIT_KEEPER_CA_BURST);
	assert_int_equal(burst(r, 2, RATE_CA, 0), LIMIT_KEEPER_CA_BURST);
	assert_true(take(r, 1, RATE_LEAF, 0));
	assert_false(take(r, 1, RATE_CA, 5999));
	assert_true(take(r, 1, RATE_CA, 6000));
	free(r);
}

static void a_used_up_rate_says_when_to_come_again(void **state)
{
	struct rate *r = rate_new();
	struct troth_err e = { 0 };
	uint8_t id[SHA256_LEN] = { 1 };
	burst(r, 1, RATE_CA, 0);
	assert_true(rc_failed(rate_take(r, id, RATE_CA, 0, &e)));
	assert_int_equal(e.kind, TROTH_BUSY);
	assert_non_null(strstr(e.hint, "try again in 7 s"));
	free(r);
}

/* With every entry busy a new key is refused; once one is paid off it gives way, and loses nothing. */
static void busy_entries_are_not_forgotten(void **state)
{
	struct rate *r = rate_new();
	for (int k = 0; k < LIMIT_KEEPER_RATED_KEYS; k++)
		assert_true(take(r, k, RATE_CA, 0));
	assert_false(take(r, 5000, RATE_CA, 0));
	assert_false(take(r, 5000, RATE_CA, 5999));
	assert_true(take(r, 5000, RATE_CA, 6000));
	free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_and_then_the_rate),
		cmocka_unit_test(keys_and_uses_have_their_own),
		cmocka_unit_test(a_used_up_rate_says_when_to_come_again),
		cmocka_unit_test(busy_entries_are_not_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
