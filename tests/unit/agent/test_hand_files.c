/* What requests on files share: directories, links, adoption; and a crash between any two calls of it. */
#include "lab.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void ok(struct hand_reply r)
{
	if (!r.ok)
		fail_msg("%s: %s", hand_op_name(r.op), r.text);
}

static void refused(struct hand_reply r, const char *words)
{
	assert_false(r.ok);
	if (!strstr(r.text, words))
		fail_msg("\"%s\" does not say \"%s\"", r.text, words);
}

static const char *own_pair(struct lab *l)
{
	lab_write(l, "srv/site.crt", lab_leaf(l, "6f1c3a52-0b7e-4d0a-9a52-3f1b2c4d0777"));
	lab_write(l, "srv/site.key", lab_read(l, "agent/keys/6f1c3a52-0b7e-4d0a-9a52-3f1b2c4d0777.key"));
	lab_set(l, arena_printf(l->a, "\"cert_file\":\"%s/srv/site.crt\",\"key_file\":\"%s/srv/site.key\"", l->dir, l->dir));
	return lab_read(l, "srv/site.crt");
}

static void empty_srv(struct lab *l)
{
	static const char *const names[] = { "srv/web/v1/cert.pem", "srv/web/v1/key.pem", "srv/web/v0/cert.pem", "srv/web/v0/key.pem",
		"srv/web/v2/cert.pem", "srv/web/v2/key.pem", "srv/web/current", "srv/web/current.troth-new", "srv/site.crt", "srv/site.key",
		"srv/site.crt.troth-new", "srv/site.key.troth-new", "agent/targets/index", "agent/targets/" LAB_SLOT ".json" };
	static const char *const dirs[] = { "srv/web/v0", "srv/web/v1", "srv/web/v2" };
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		unlink(lab_path(l, names[i]));
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		rmdir(lab_path(l, dirs[i]));
}

/* After a rotation the old CA is in no file of the store. */
static void a_store_keeps_nothing_of_before(void **state)
{
	struct lab *l = *state;
	ok(lab_look(l, LAB_STORE));
	lab_settled(l, LAB_STORE, 1);
	lab_settled(l, LAB_STORE, 2);
	assert_false(lab_exists(l, "srv/trust/v1"));
	assert_false(lab_exists(l, "agent/targets/" LAB_STORE ".v1.crt"));
	ok(lab_stage(l, LAB_STORE, 3));
	ok(lab_op(l, HAND_SWAP, LAB_STORE, 3));
	ok(lab_op(l, HAND_PUT_BACK, LAB_STORE, 3));
	ok(lab_op(l, HAND_BACK_DONE, LAB_STORE, 3));
	ok(lab_op(l, HAND_CHECK, LAB_STORE, 2));
	assert_false(lab_exists(l, "srv/trust/v3"));
	assert_true(lab_exists(l, "srv/trust/v2/ca.pem"));
}

static void old_directories_go_one_generation_later(void **state)
{
	struct lab *l = *state;
	ok(lab_look(l, LAB_SLOT));
	lab_settled(l, LAB_SLOT, 1);
	lab_settled(l, LAB_SLOT, 2);
	assert_true(lab_exists(l, "srv/web/v1"));
	lab_settled(l, LAB_SLOT, 3);
	assert_false(lab_exists(l, "srv/web/v1"));
	assert_true(lab_exists(l, "srv/web/v2"));
	assert_true(lab_exists(l, "srv/web/v3"));
	assert_false(lab_exists(l, "agent/targets/" LAB_SLOT ".v1.key"));
	ok(lab_stage(l, LAB_SLOT, 4)); /* staged, never begun */
	lab_settled(l, LAB_SLOT, 5);
	assert_false(lab_exists(l, "srv/web/v4"));
}

static void a_symlink_on_the_way_is_not_followed(void **state)
{
	struct lab *l = *state;
	assert_int_equal(mkdir(lab_path(l, "elsewhere"), 0755), 0);
	assert_int_equal(symlink(lab_path(l, "elsewhere"), lab_path(l, "srv/web")), 0);
	struct hand_reply r = lab_look(l, LAB_SLOT);
	ok(r);
	assert_non_null(strstr(r.text, "symlink"));
	assert_false(lab_stage(l, LAB_SLOT, 1).ok);
	assert_false(lab_exists(l, "elsewhere/v1"));
}

static void a_symlink_in_place_of_a_version_is_not_followed(void **state)
{
	struct lab *l = *state;
	ok(lab_look(l, LAB_SLOT));
	assert_int_equal(mkdir(lab_path(l, "elsewhere"), 0755), 0);
	assert_int_equal(symlink(lab_path(l, "elsewhere"), lab_path(l, "srv/web/v1")), 0);
	assert_false(lab_stage(l, LAB_SLOT, 1).ok);
	assert_false(lab_exists(l, "elsewhere/cert.pem"));
}

static void a_second_agent_is_refused(void **state)
{
	struct lab *l = *state;
	struct hand other;
	struct hand_reply r;
	ok(lab_look(l, LAB_SLOT));
	assert_int_equal(mkdir(lab_path(l, "agent2"), 0700), 0);
	lab_write(l, "agent2/agent.json", lab_read(l, "agent/agent.json"));
	assert_true(rc_ok(hand_open(&other, &l->port, lab_path(l, "agent2"), l->profiles, 2, &l->settings, NULL)));
	struct hand_request q = { .op = HAND_LOOK, .id = "6f1c3a52-0b7e-4d0a-9a52-3f1b2c4d5e99", .name = "tls", .profile = "web" };
	hand_handle(&other, &q, l->a, &r);
	assert_true(r.ok);
	assert_non_null(strstr(r.text, "in use by another agent"));
	hand_close(&other);
}

static void fixed_names_are_adopted(void **state)
{
	struct lab *l = *state;
	const char *before = own_pair(l);
	struct hand_reply r = lab_look(l, LAB_SLOT);
	ok(r);
	assert_non_null(strstr(r.view.found_text, "site.crt"));
	assert_int_equal(r.view.found_fingerprints.count, 1);
	ok(lab_stage(l, LAB_SLOT, 1));
	assert_null(lab_readlink(l, "srv/site.crt"));
	ok(lab_op(l, HAND_SWAP, LAB_SLOT, 1));
	assert_string_equal(lab_readlink(l, "srv/site.crt"), lab_path(l, "srv/web/current/cert.pem"));
	assert_string_equal(lab_read(l, "srv/web/v0/cert.pem"), before);
	assert_string_not_equal(lab_read(l, "srv/site.crt"), before);
	ok(lab_op(l, HAND_PUT_BACK, LAB_SLOT, 1));
	assert_string_equal(lab_read(l, "srv/site.crt"), before);
	ok(lab_op(l, HAND_BACK_DONE, LAB_SLOT, 1));
	lab_settled(l, LAB_SLOT, 2);
	lab_settled(l, LAB_SLOT, 3);
	lab_settled(l, LAB_SLOT, 4);
	assert_true(lab_exists(l, "srv/web/v0/cert.pem")); /* not ours to remove */
}

static void a_foreign_symlink_is_not_taken_over(void **state)
{
	struct lab *l = *state;
	(void)own_pair(l);
	unlink(lab_path(l, "srv/site.crt"));
	assert_int_equal(symlink("/etc/hostname", lab_path(l, "srv/site.crt")), 0);
	ok(lab_look(l, LAB_SLOT));
	ok(lab_stage(l, LAB_SLOT, 1));
	refused(lab_op(l, HAND_SWAP, LAB_SLOT, 1), "only a plain file");
	ok(lab_op(l, HAND_PUT_BACK, LAB_SLOT, 1));
	ok(lab_op(l, HAND_BACK_DONE, LAB_SLOT, 1));
	assert_string_equal(lab_readlink(l, "srv/site.crt"), "/etc/hostname");
	assert_non_null(lab_read(l, "srv/site.key"));
}

/* The only moment where one rename does not hold: contents are equal on both sides of each step. */
static void a_crash_between_any_two_calls_of_an_adoption(void **state)
{
	struct lab *l = *state;
	bool through = false;
	for (long n = 0; !through; n++) {
		assert_true(n < 1000);
		empty_srv(l);
		const char *before = own_pair(l);
		ok(lab_look(l, LAB_SLOT));
		ok(lab_stage(l, LAB_SLOT, 1));
		lab_crash_after(l, n);
		through = lab_change(l, 1, false);
		lab_crash_after(l, -1);
		const char *now = lab_read(l, "srv/site.crt");
		assert_non_null(now); /* the service can always read a pair that fits */
		assert_non_null(lab_read(l, "srv/site.key"));
		if (lab_readlink(l, "srv/site.crt"))
			assert_true(lab_pair_fits(l));
		else
			assert_string_equal(now, before);
		lab_recover(l, 2);
		assert_string_equal(lab_read(l, "srv/web/v0/cert.pem"), before);
		assert_string_equal(lab_readlink(l, "srv/site.key"), lab_path(l, "srv/web/current/key.pem"));
	}
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_store_keeps_nothing_of_before), CASE(old_directories_go_one_generation_later),
		CASE(a_symlink_on_the_way_is_not_followed), CASE(a_symlink_in_place_of_a_version_is_not_followed),
		CASE(a_second_agent_is_refused), CASE(fixed_names_are_adopted), CASE(a_foreign_symlink_is_not_taken_over),
		CASE(a_crash_between_any_two_calls_of_an_adoption),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
