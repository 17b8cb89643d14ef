/* `troth agent enroll`: what it refuses, and that nothing is an identity until the answer is on disk.
 * The way through needs a server: tests/e2e. */
#include "lab.h"

#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent.h"

static int enroll(struct lab *l, const char *fingerprint, const char *dir)
{
	const char *argv[] = { "enroll", "--server", "https://127.0.0.1:1", "--ca-fingerprint", fingerprint, "--token", "t", "--dir",
			       lab_path(l, dir), NULL };
	return agent_enroll(9, (char **)(uintptr_t)argv);
}

#define FINGERPRINT "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void what_is_wrong_is_told(void **state)
{
	struct lab *l = *state;
	char *none[] = { (char *)"enroll", NULL };
	assert_int_equal(agent_enroll(1, none), 2);
	assert_int_equal(enroll(l, "0011", "fresh"), err_exit_code(TROTH_INVALID));
	assert_int_equal(enroll(l, FINGERPRINT "00", "fresh"), err_exit_code(TROTH_INVALID));
	assert_int_equal(enroll(l, FINGERPRINT, "agent"), err_exit_code(TROTH_CONFLICT)); /* enrolled already */
	assert_true(strstr(AGENT_ENROLL_USAGE, "--ca-fingerprint") != NULL);
}

/* By its own name a directory may enrol again; it keeps its identity until the new one is there. */
static void again_is_by_name(void **state)
{
	struct lab *l = *state;
	const char *argv[] = { "enroll", "--server", "https://127.0.0.1:1", "--ca-fingerprint", FINGERPRINT, "--token", "t", "--dir",
			       lab_path(l, "agent"), "--again", "somebody", NULL };
	char *before = lab_read(l, "agent/agent.json");
	assert_int_equal(agent_enroll(11, (char **)(uintptr_t)argv), err_exit_code(TROTH_CONFLICT));
	struct store_dir d = { &PORT_FS_REAL, AT_FDCWD };
	struct agent_identity id;
	struct troth_err e = { 0 };
	d.fd = open(lab_path(l, "agent"), O_RDONLY | O_DIRECTORY);
	assert_true(rc_ok(identity_read(&d, l->a, &id, &e)));
	close(d.fd);
	argv[10] = id.instance;
	assert_int_equal(agent_enroll(11, (char **)(uintptr_t)argv), err_exit_code(TROTH_UNAVAILABLE)); /* so far, without a server */
	assert_string_equal(lab_read(l, "agent/agent.json"), before);
	argv[8] = lab_path(l, "fresh");
	assert_int_equal(agent_enroll(11, (char **)(uintptr_t)argv), err_exit_code(TROTH_NOT_FOUND));
}

static void without_a_server_there_is_no_identity_but_the_key_stays(void **state)
{
	struct lab *l = *state;
	struct stat st;
	assert_int_not_equal(enroll(l, FINGERPRINT, "fresh"), 0);
	assert_false(lab_exists(l, "fresh/agent.json"));
	const char *key = lab_read(l, "fresh/identity-next.key");
	assert_non_null(key);
	assert_int_equal(stat(lab_path(l, "fresh"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(lab_path(l, "fresh/identity-next.key"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_not_equal(enroll(l, "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff", "fresh"), 0);
	assert_string_equal(lab_read(l, "fresh/identity-next.key"), key); /* the same again */
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { CASE(what_is_wrong_is_told), CASE(again_is_by_name), CASE(without_a_server_there_is_no_identity_but_the_key_stays) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
