/* Drift: named, and put right. */
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

static void drift_is_named_and_put_right(void **state)
{
	struct lab *l = *state;
	ok(lab_look(l, LAB_SLOT));
	lab_settled(l, LAB_SLOT, 1);
	struct hand_reply r = lab_op(l, HAND_CHECK, LAB_SLOT, 1);
	ok(r);
	assert_int_equal(r.drift.count, 0);
	const char *cert = lab_read(l, "srv/web/current/cert.pem");
	lab_write(l, "srv/web/v1/cert.pem", "changed");
	unlink(lab_path(l, "srv/web/v1/key.pem"));
	unlink(lab_path(l, "srv/web/current"));
	assert_int_equal(symlink("v9", lab_path(l, "srv/web/current")), 0);
	r = lab_op(l, HAND_CHECK, LAB_SLOT, 1);
	ok(r);
	assert_int_equal(r.drift.count, 3);
	assert_string_equal(lab_read(l, "srv/web/current/cert.pem"), cert);
	assert_true(lab_pair_fits(l));
	assert_int_equal(chmod(lab_path(l, "srv/web/v1/key.pem"), 0644), 0);
	r = lab_op(l, HAND_CHECK, LAB_SLOT, 1);
	assert_int_equal(r.drift.count, 1);
	assert_non_null(strstr(r.drift.items[0], "mode"));
	assert_int_equal(lab_op(l, HAND_CHECK, LAB_SLOT, 1).drift.count, 0);
}

static void a_removed_directory_comes_back(void **state)
{
	struct lab *l = *state;
	ok(lab_look(l, LAB_SLOT));
	lab_settled(l, LAB_SLOT, 1);
	unlink(lab_path(l, "srv/web/v1/cert.pem"));
	unlink(lab_path(l, "srv/web/v1/key.pem"));
	rmdir(lab_path(l, "srv/web/v1"));
	unlink(lab_path(l, "srv/web/current"));
	rmdir(lab_path(l, "srv/web"));
	ok(lab_op(l, HAND_CHECK, LAB_SLOT, 1));
	assert_true(lab_pair_fits(l));
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(drift_is_named_and_put_right), CASE(a_removed_directory_comes_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
