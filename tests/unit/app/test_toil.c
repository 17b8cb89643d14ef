/* The thread for what takes long: beside the others, once, in order, bounded, and gone when the server stops. */
#include "plant.h"

#include "app/toil.h"

static void once_and_before_the_rest(void **state)
{
	struct plant *p = plant_new();
	struct toy_ret ret;
	struct troth_err e;
	plant_start(p);
	assert_true(rc_ok(plant_do(p, &TOY_PUT, &(struct toy_cmd){ "a", 1, .toil = TOY_TOILS }, &ret, &e)));
	assert_int_equal(ret.toiled, 1);
	assert_true(rc_ok(plant_do(p, &TOY_PUT, &(struct toy_cmd){ "a", 2, .toil = TOY_TOILS, .needs = 3 }, &ret, &e)));
	assert_true(ret.toiled == 1 && ret.replies == 3); /* and then the keeper */
	assert_true(rc_ok(plant_do(p, &TOY_PUT, &(struct toy_cmd){ "a", 3, .toil = TOY_TOILS, .retries = 1 }, &ret, &e)));
	assert_int_equal(ret.toiled, 1); /* prepared again is toiled again, from nothing */
	assert_int_equal(plant_value(p, "a"), 3);
	plant_free(p);
}

static void what_fails_goes_home(void **state)
{
	struct plant *p = plant_new();
	struct toy_ret ret;
	struct troth_err e;
	plant_start(p);
	assert_int_equal(plant_do(p, &TOY_PUT, &(struct toy_cmd){ "a", 1, .toil = TOY_TOIL_FAILS }, &ret, &e).code, TROTH_INVALID);
	assert_string_equal(e.primary, "toiled in vain");
	assert_int_equal(plant_value(p, "a"), -1);
	plant_free(p);
}

/* Others write while somebody toils; more than the limit are refused at once. */
static void nobody_else_waits_and_too_many_are_refused(void **state)
{
	struct plant *p = plant_new();
	struct tally t = { 0 };
	struct toy_ret ret;
	struct troth_err e;
	atomic_store(&toy_gate, 0);
	atomic_store(&toy_toiling, 0);
	plant_start(p);
	struct toy_cmd slow = { "slow", 1, .toil = TOY_TOIL_WAITS };
	plant_submit(p, &TOY_PUT, &slow, &t);
	assert_true(plant_await(&toy_toiling, 1));
	assert_true(rc_ok(plant_do(p, &TOY_PUT, &(struct toy_cmd){ "a", 1 }, &ret, &e)));
	for (int i = 0; i <= LIMIT_TOIL_QUEUE; i++)
		plant_submit(p, &TOY_PUT, &slow, &t);
	assert_true(plant_await(&t.done, 1)); /* the one too many */
	assert_int_equal(atomic_load(&t.failed), 1);
	assert_int_equal(plant_value(p, "slow"), -1);
	atomic_store(&toy_gate, 1);
	assert_true(plant_await(&t.done, LIMIT_TOIL_QUEUE + 2));
	assert_int_equal(atomic_load(&t.failed), 1);
	assert_int_equal(plant_value(p, "slow"), 1);
	plant_free(p);
}

static void stopping_fails_who_waits(void **state)
{
	struct plant *p = plant_new();
	struct tally t = { 0 };
	struct job job = { 0 };
	plant_start(p);
	plant_submit(p, &TOY_PUT, &(struct toy_cmd){ "x", 1, .toil = TOY_TOILS }, &t);
	assert_true(plant_await(&t.done, 1));
	toil_stop(p->pipeline->toil);
	assert_int_equal(toil_push(p->pipeline->toil, &job).code, TROTH_UNAVAILABLE);
	assert_string_equal(job.err.primary, "the server is stopping");
	plant_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(once_and_before_the_rest), cmocka_unit_test(what_fails_goes_home),
		cmocka_unit_test(nobody_else_waits_and_too_many_are_refused), cmocka_unit_test(stopping_fails_who_waits),
	};
	return cmocka_run_group_tests_name("toil", tests, NULL, NULL);
}
