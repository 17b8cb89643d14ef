/* What the hand remembers: written, read, damaged. */
#include "lab.h"

#include <string.h>

#include "agent/state.h"

static struct target_memory memory(void)
{
	static const char *fps[] = { "aa", "bb" }, *old[] = { "v1", "v2" };
	static struct msg_parameter p[] = { { "port", "443" } };
	return (struct target_memory){ .id = LAB_SLOT, .name = "tls", .profile = "web", .kind = MSG_SLOT, .role = MSG_CLIENT, .parameters = p,
				       .parameter_count = 1, .epoch = "e1", .phase = PHASE_APPLYING, .high_water = 6,
				       .loaded = { 5, "v5", { fps, 2 } }, .doing = { 7, "v7", { fps, 1 } }, .reason = "r", .distrusted = { fps, 2 }, .old = { old, 2 },
				       .found_fingerprints = { fps, 1 }, .found_text = "found" };
}

static void what_is_written_is_read(void **state)
{
	struct lab *l = *state;
	struct target_memory in = memory(), out;
	struct json_texts ids;
	assert_true(rc_ok(memory_write(&l->hand.store, l->a, &in, NULL)));
	assert_true(rc_ok(memory_write(&l->hand.store, l->a, &in, NULL)));
	assert_true(rc_ok(memory_read(&l->hand.store, l->a, LAB_SLOT, &out, NULL)));
	assert_int_equal(out.phase, PHASE_APPLYING);
	assert_int_equal(out.role, MSG_CLIENT);
	assert_int_equal(out.loaded.generation, 5);
	assert_string_equal(out.doing.dir, "v7");
	assert_string_equal(out.loaded.fingerprints.items[1], "bb");
	assert_string_equal(out.distrusted.items[1], "bb");
	assert_string_equal(out.old.items[1], "v2");
	assert_string_equal(out.parameters[0].value, "443");
	assert_string_equal(out.found_text, "found");
	assert_true(rc_ok(memory_index(&l->hand.store, l->a, &ids, NULL)));
	assert_int_equal(ids.count, 1);
	assert_true(rc_ok(memory_forget(&l->hand.store, l->a, &out, NULL)));
	assert_true(rc_ok(memory_index(&l->hand.store, l->a, &ids, NULL)));
	assert_int_equal(ids.count, 0);
}

static void damage_is_told_from_absence(void **state)
{
	struct lab *l = *state;
	struct target_memory m = memory(), out;
	struct json_texts ids;
	struct troth_err e = { 0 };
	assert_true(rc_failed(memory_read(&l->hand.store, l->a, LAB_SLOT, &out, &e)));
	assert_int_equal(e.kind, TROTH_NOT_FOUND);
	assert_true(rc_failed(memory_read(&l->hand.store, l->a, "../x", &out, &e)));
	assert_int_equal(e.kind, TROTH_INVALID);
	assert_true(rc_ok(memory_write(&l->hand.store, l->a, &m, NULL)));
	static const char *const broken[] = { "", "{", "[]", "{\"id\":\"" LAB_SLOT "\"}" };
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		lab_write(l, "agent/targets/" LAB_SLOT ".json", broken[i]);
		assert_true(rc_failed(memory_read(&l->hand.store, l->a, LAB_SLOT, &out, &e)));
		assert_int_equal(e.kind, TROTH_CORRUPT);
	}
	snprintf(m.loaded.dir, sizeof m.loaded.dir, "../../etc");
	assert_true(rc_ok(memory_write(&l->hand.store, l->a, &m, NULL)));
	assert_true(rc_failed(memory_read(&l->hand.store, l->a, LAB_SLOT, &out, &e)));
	assert_int_equal(e.kind, TROTH_CORRUPT);
	lab_write(l, "agent/targets/index", "nonsense\n");
	assert_true(rc_failed(memory_index(&l->hand.store, l->a, &ids, &e)));
	assert_int_equal(e.kind, TROTH_CORRUPT);
}

static void a_crash_leaves_the_old_or_the_new(void **state)
{
	struct lab *l = *state;
	struct target_memory m = memory(), out;
	bool through = false;
	assert_true(rc_ok(memory_write(&l->hand.store, l->a, &m, NULL)));
	for (long n = 0; !through; n++) {
		m.high_water = 100 + n;
		lab_crash_after(l, n);
		through = rc_ok(memory_write(&l->hand.store, l->a, &m, NULL));
		lab_crash_after(l, -1);
		assert_true(rc_ok(memory_read(&l->hand.store, l->a, LAB_SLOT, &out, NULL)));
		assert_true(out.high_water == 6 || out.high_water >= 100);
		assert_true(!through || out.high_water == m.high_water);
	}
}

static void names(void **state)
{
	struct lab *l = *state;
	char dir[STATE_DIR_BYTES];
	memory_dir_name(42, dir);
	assert_string_equal(dir, "v42");
	assert_string_equal(memory_crt_name(l->a, "i", "v1"), "targets/i.v1.crt");
	assert_string_equal(memory_key_name(l->a, "i", "v1"), "targets/i.v1.key");
	assert_string_equal(memory_request_name(l->a, "r"), "keys/r.key");
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { CASE(what_is_written_is_read), CASE(damage_is_told_from_absence),
					    CASE(a_crash_leaves_the_old_or_the_new), CASE(names) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
