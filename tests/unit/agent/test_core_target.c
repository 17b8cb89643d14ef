/* Targets as the core keeps them. */
#include "world.h"

#include "agent/core_parts.h"

static void other_parameters_mean_another_look(void **out)
{
	struct world *w = *out;
	static struct msg_parameter p[] = { { "x", "1" } };
	struct msg_target t = slot(SLOT, 3);
	t.parameters = p;
	t.parameter_count = 1;
	start_settled(w, SLOT);
	desire(w, t);
	struct agent_effect x = take(w, EFFECT_HAND, HAND_LOOK, NULL);
	assert_int_equal(x.hand.parameter_count, 1);
}

static void a_copy_replaces_what_it_was_copied_from(void **out)
{
	struct world *w = *out;
	struct arena *mem = NULL;
	struct json_texts list = { 0 };
	core_keep_fps(&mem, &list, fp(w, OLD));
	core_keep_fps(&mem, &list, list);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.items[0], OLD);
	arena_free(mem);
}

static void waits_grow_and_are_bounded(void **out)
{
	struct world *w = *out;
	struct agent_core *core = agent_core_new(&(struct agent_config){ w->profiles, 2, NULL, 7 });
	for (int n = 1; n < 40; n++) {
		msec_t ms = core_back_off(core, n);
		assert_true(ms >= 50 && ms <= 22500);
		if (n == 1)
			assert_true(ms <= 150);
		if (n > 10)
			assert_true(ms >= 7500);
	}
	agent_core_free(core);
}

static void there_is_an_end_to_targets_and_lines(void **out)
{
	struct world *w = *out;
	struct agent_core *core = agent_core_new(&(struct agent_config){ w->profiles, 2, NULL, 7 });
	struct target *t = NULL;
	char id[UUID_LEN];
	for (int i = 0; i < LIMIT_TARGETS_PER_INSTANCE; i++) {
		snprintf(id, sizeof id, "id-%d", i);
		assert_non_null(t = core_target_add(core, id));
	}
	assert_null(core_target_add(core, "one more"));
	for (int i = 0; i < 2 * WIRE_DRIFT_LINES; i++)
		core_add_drift(t, arena_printf(w->a, "line %d", i / 2)); /* each twice: said once */
	assert_int_equal(t->drift_count, WIRE_DRIFT_LINES);
	core_target_remove(core, core_target_by_id(core, "id-3"));
	assert_null(core_target_by_id(core, "id-3"));
	assert_non_null(core_target_by_id(core, "id-63"));
	agent_core_free(core);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(other_parameters_mean_another_look), CASE(a_copy_replaces_what_it_was_copied_from),
		CASE(waits_grow_and_are_bounded), CASE(there_is_an_end_to_targets_and_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
