/* Reloading a service and asking what it loaded. */
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

static void an_attest_is_compared_with_the_file_itself(void **state)
{
	struct lab *l = *state;
	uint8_t hash[SHA256_LEN];
	char hex[SHA256_HEX_LEN];
	ok(lab_look(l, LAB_STORE));
	ok(lab_stage(l, LAB_STORE, 1));
	ok(lab_op(l, HAND_SWAP, LAB_STORE, 1));
	struct hand_reply r = lab_op(l, HAND_ATTEST, LAB_STORE, 1);
	ok(r);
	assert_false(r.present);
	assert_false(r.matched);
	lab_write(l, "srv/loaded", "abc\n");
	r = lab_op(l, HAND_ATTEST, LAB_STORE, 1);
	assert_true(r.present);
	assert_false(r.matched);
	assert_non_null(strstr(r.text, "abc"));
	pki_sha256(bytes_of_text(lab_read(l, "srv/trust/current/ca.pem")), hash);
	hex_encode(hash, sizeof hash, hex);
	lab_write(l, "srv/loaded", arena_printf(l->a, "%s worker 1\n%s worker 2\n", hex, hex));
	assert_true(lab_op(l, HAND_ATTEST, LAB_STORE, 1).matched);
	lab_write(l, "srv/loaded", arena_printf(l->a, "%s worker 1\nold worker 2\n", hex)); /* A4: all processes */
	assert_false(lab_op(l, HAND_ATTEST, LAB_STORE, 1).matched);
}

/* The service writes it, and could keep the hand reading for days. */
static void an_attest_file_without_an_end_is_not_read_on(void **state)
{
	struct lab *l = *state;
	ok(lab_look(l, LAB_STORE));
	ok(lab_stage(l, LAB_STORE, 1));
	ok(lab_op(l, HAND_SWAP, LAB_STORE, 1));
	lab_write(l, "srv/loaded", "x");
	assert_int_equal(truncate(lab_path(l, "srv/loaded"), (off_t)1 << 40), 0);
	long before = l->calls;
	struct hand_reply r = lab_op(l, HAND_ATTEST, LAB_STORE, 1);
	assert_false(r.matched);
	assert_true(l->calls - before < 1000);
}

static void nobody_to_signal_is_down_not_broken(void **state)
{
	struct lab *l = *state;
	ok(lab_look(l, LAB_SLOT));
	unlink(lab_path(l, "srv/web.pid"));
	struct hand_reply r = lab_op(l, HAND_RELOAD, LAB_SLOT, 0);
	ok(r);
	assert_true(r.down);
	assert_non_null(strstr(r.text, "could not open pid file")); /* the place, for it may be the place that is wrong */
	lab_write(l, "srv/web.pid", "4242\n");
	l->process_gone = true;
	r = lab_op(l, HAND_RELOAD, LAB_SLOT, 0);
	assert_true(r.down);
	assert_non_null(strstr(r.text, "process 4242 of pid file"));
	assert_int_equal(l->signals, 0);
}

static void a_pid_file_cannot_choose_anybodys_process(void **state)
{
	struct lab *l = *state;
	ok(lab_look(l, LAB_SLOT));
	lab_write(l, "srv/web.pid", "not a number\n");
	refused(lab_op(l, HAND_RELOAD, LAB_SLOT, 0), "no process number");
	lab_write(l, "srv/web.pid", "1\n");
	refused(lab_op(l, HAND_RELOAD, LAB_SLOT, 0), "no process number");
	if (getuid() == 0) /* root's pid file may name any: give it to another */
		assert_int_equal(chown(lab_path(l, "srv/web.pid"), 7, 7), 0);
	lab_write(l, "srv/web.pid", "666\n");
	refused(lab_op(l, HAND_RELOAD, LAB_SLOT, 0), "is not signalled");
	assert_int_equal(l->signals, 0);
}

static void a_command_keeps_its_words(void **state)
{
	struct lab *l = *state;
	lab_set(l, "\"pid_file\":\"\",\"command\":\"/bin/reload\",\"argument\":\"a b; c $(d)\"");
	ok(lab_look(l, LAB_SLOT));
	ok(lab_op(l, HAND_RELOAD, LAB_SLOT, 0));
	assert_string_equal(l->ran[0], "/bin/reload");
	assert_string_equal(l->ran[1], "a b; c $(d)");
	assert_null(l->ran[2]);
	l->run_result = (struct process_result){ .exit_code = 3, .output = "no such\nthing" };
	refused(lab_op(l, HAND_RELOAD, LAB_SLOT, 0), "exited with 3: no such thing");
	l->run_result = (struct process_result){ .exit_code = -1, .timed_out = true };
	refused(lab_op(l, HAND_RELOAD, LAB_SLOT, 0), "killed");
}

/* Only while what is replaced is distrusted, and only if the profile says how. */
static void an_emergency_restarts(void **state)
{
	struct lab *l = *state;
	lab_set(l, "\"restart\":\"/bin/restart\"");
	ok(lab_look(l, LAB_SLOT));
	struct hand_reply first = lab_stage(l, LAB_SLOT, 1);
	ok(lab_op(l, HAND_SWAP, LAB_SLOT, 1));
	ok(lab_op(l, HAND_RELOAD, LAB_SLOT, 1));
	assert_int_equal(l->signals, 1);
	ok(lab_op(l, HAND_SETTLE, LAB_SLOT, 1));
	l->distrusted = (struct json_texts){ &first.fingerprints.items[0], 1 };
	ok(lab_stage(l, LAB_SLOT, 2));
	ok(lab_op(l, HAND_RELOAD, LAB_SLOT, 1)); /* nothing is begun: what runs is reloaded */
	assert_int_equal(l->signals, 2);
	ok(lab_op(l, HAND_SWAP, LAB_SLOT, 2));
	ok(lab_op(l, HAND_RELOAD, LAB_SLOT, 2));
	assert_int_equal(l->signals, 2);
	assert_string_equal(l->ran[0], "/bin/restart");
	assert_string_equal(l->ran[1], "again");
	l->run_result = (struct process_result){ .exit_code = 3, .output = "no" };
	refused(lab_op(l, HAND_RELOAD, LAB_SLOT, 2), "restart command /bin/restart exited with 3: no");
	lab_set(l, "\"restart\":\"\"");
	ok(lab_look(l, LAB_SLOT));
	ok(lab_op(l, HAND_RELOAD, LAB_SLOT, 2));
	assert_int_equal(l->signals, 3);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_attest_is_compared_with_the_file_itself), CASE(an_attest_file_without_an_end_is_not_read_on),
		 CASE(nobody_to_signal_is_down_not_broken),
		CASE(a_pid_file_cannot_choose_anybodys_process), CASE(a_command_keeps_its_words),
		CASE(an_emergency_restarts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
