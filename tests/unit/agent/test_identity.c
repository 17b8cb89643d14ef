/* Who the agent is: agent.json and identity.pem. */
#include "lab.h"

#include <string.h>

static void it_is_written_and_read(void **state)
{
	struct lab *l = *state;
	struct agent_identity id;
	assert_true(rc_ok(identity_read(&l->hand.store, l->a, &id, NULL)));
	assert_string_equal(id.instance, "lab-0");
	id.epoch = "e9";
	assert_true(rc_ok(identity_write(&l->hand.store, &id, NULL)));
	assert_true(rc_ok(identity_read(&l->hand.store, l->a, &id, NULL)));
	assert_string_equal(id.epoch, "e9");
}

static void without_one_the_hint_says_how(void **state)
{
	struct lab *l = *state;
	struct agent_identity id;
	struct troth_err e = { 0 };
	assert_true(rc_ok(store_remove(&l->hand.store, "agent.json", NULL)));
	assert_true(rc_failed(identity_read(&l->hand.store, l->a, &id, &e)));
	assert_int_equal(e.kind, TROTH_NOT_FOUND);
	assert_non_null(strstr(e.hint, "agent enroll"));
	lab_write(l, "agent/agent.json", "{}");
	assert_true(rc_failed(identity_read(&l->hand.store, l->a, &id, &e)));
	assert_int_equal(e.kind, TROTH_CORRUPT);
}

static void only_a_certificate_of_its_own_key_is_installed(void **state)
{
	struct lab *l = *state;
	struct troth_err e = { 0 };
	const char *text = lab_read(l, "agent/identity.pem"), *key = strstr(text, "-----BEGIN PRIVATE KEY"), *ca = cert_pem(l->a, l->ca->der);
	assert_true(rc_failed(identity_install(&l->hand.store, l->a, bytes_of_text(key), ca, "", ca, &e)));
	const char *own = arena_text_n(l->a, text, (size_t)(key - text));
	assert_true(rc_failed(identity_install(&l->hand.store, l->a, bytes_of_text(key), own, "", "junk", &e)));
	assert_true(rc_ok(identity_install(&l->hand.store, l->a, bytes_of_text(key), own, ca, ca, &e)));
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { CASE(it_is_written_and_read), CASE(without_one_the_hint_says_how),
					    CASE(only_a_certificate_of_its_own_key_is_installed) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
