/* `troth agent status`, as a person and as a script read it. */
#include "lab.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "agent/agent.h"

/* Runs it with standard output in a file. */
static int status(struct lab *l, const char *dir, const char *output, const char **ret_text)
{
	const char *argv[] = { "status", "--dir", lab_path(l, dir), "--output", output, NULL };
	fflush(stdout);
	int keep = dup(1), out = open(lab_path(l, "out"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dup2(out, 1);
	int code = agent_status(5, (char **)(uintptr_t)argv);
	fflush(stdout);
	dup2(keep, 1);
	close(keep);
	close(out);
	*ret_text = lab_read(l, "out");
	return code;
}

static void a_table_for_people(void **state)
{
	struct lab *l = *state;
	const char *text;
	assert_true(lab_look(l, LAB_SLOT).ok);
	lab_settled(l, LAB_SLOT, 3);
	assert_int_equal(status(l, "agent", "table", &text), 0);
	assert_non_null(strstr(text, "lab-0"));
	assert_non_null(strstr(text, "not running"));
	assert_non_null(strstr(text, "tls"));
	assert_non_null(strstr(text, "settled"));
	lab_write(l, "agent/lock", "");
	int fd = open(lab_path(l, "agent/lock"), O_RDWR);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(status(l, "agent", "table", &text), 0);
	assert_null(strstr(text, "not running"));
	close(fd);
}

static void json_for_scripts(void **state)
{
	struct lab *l = *state;
	const char *text;
	const struct json *j;
	assert_true(lab_look(l, LAB_SLOT).ok);
	lab_settled(l, LAB_SLOT, 3);
	assert_true(lab_stage(l, LAB_SLOT, 4).ok);
	assert_true(lab_op(l, HAND_SWAP, LAB_SLOT, 4).ok);
	assert_int_equal(status(l, "agent", "json", &text), 0);
	assert_true(rc_ok(json_parse(l->a, bytes_of_text(text), &j, NULL)));
	const struct json *t = &json_get(j, "targets")->list.items[0];
	assert_int_equal(json_get_int(t, "loaded_generation", 0), 3);
	assert_int_equal(json_get_int(t, "doing", 0), 4);
	assert_string_equal(json_get_text(t, "state", ""), "applying");
}

static void an_expired_identity_says_what_to_type(void **state)
{
	struct lab *l = *state;
	const char *text;
	struct key *k;
	struct bytes spki, der;
	CLEANUP(buf_release) struct buf pem = buf_make_secret(8192);
	msec_t now = port_now(&PORT_CLOCK_REAL);
	assert_true(rc_ok(key_generate(KEY_EC_P256, &k, NULL)) && rc_ok(key_spki(k, l->a, &spki, NULL)));
	assert_true(rc_ok(key_write(k, KEY_PKCS8_PEM, &pem, NULL)));
	key_release(k);
	struct cert_spec spec = { .kind = CERT_LEAF, .common_name = "old", .not_before = now - MSEC_DAY, .not_after = now - MSEC_MIN, .serial = { 1, 9 }, .spki = spki, .eku = EKU_CLIENT };
	assert_true(rc_ok(cert_build(&spec, l->ca, l->ca_key, l->a, &der, NULL)));
	assert_int_equal(status(l, "agent", "table", &text), 0);
	assert_null(strstr(text, "EXPIRED"));
	assert_true(rc_ok(identity_install(&l->hand.store, l->a, buf_bytes(&pem), cert_pem(l->a, der), "", cert_pem(l->a, l->ca->der), NULL)));
	assert_int_equal(status(l, "agent", "table", &text), 0);
	assert_non_null(strstr(text, "EXPIRED on "));
	assert_non_null(strstr(text, "start the agent"));
	assert_non_null(strstr(text, "troth recover approve lab-0\n"));
	assert_int_equal(status(l, "agent", "json", &text), 0);
	assert_non_null(strstr(text, "\"identity_expired\":true"));
}

static void what_is_not_there_is_told(void **state)
{
	struct lab *l = *state;
	const char *text;
	char *none[] = { (char *)"status", NULL };
	assert_int_equal(agent_status(1, none), 2);
	assert_int_equal(status(l, "srv", "table", &text), err_exit_code(TROTH_NOT_FOUND));
	assert_int_equal(status(l, "nowhere", "table", &text), err_exit_code(TROTH_NOT_FOUND));
	assert_int_equal(status(l, "agent", "xml", &text), 2);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { CASE(a_table_for_people), CASE(json_for_scripts), CASE(an_expired_identity_says_what_to_type), CASE(what_is_not_there_is_told) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
