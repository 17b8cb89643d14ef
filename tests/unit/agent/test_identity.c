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

static void the_head_of_the_trust_is_read_strictly(void **state)
{
	struct lab *l = *state;
	struct agent_trust t;
	const char *ca = cert_pem(l->a, l->ca->der);
	static const char *const heads[] = { "", "troth: generation 0 of " LAB_STORE "\n", "troth: generation 7 of nobody\n",
					     "troth: generation -7 of " LAB_STORE "\n", "Subject: generation 7 of " LAB_STORE "\n" };
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		lab_write(l, "agent/server-ca.pem", arena_printf(l->a, "%s%s", heads[i], ca));
		assert_true(rc_ok(trust_read(&l->hand.store, l->a, &t, NULL)));
		assert_int_equal(t.generation, 0);
		assert_string_equal(t.id, "");
		assert_int_equal(t.fingerprints.count, 1);
	}
	lab_write(l, "agent/server-ca.pem", arena_printf(l->a, "troth: generation 7 of " LAB_STORE "\n%s", ca));
	assert_true(rc_ok(trust_read(&l->hand.store, l->a, &t, NULL)));
	assert_int_equal(t.generation, 7);
	assert_string_equal(t.id, LAB_STORE);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { CASE(it_is_written_and_read), CASE(without_one_the_hint_says_how),
					    CASE(only_a_certificate_of_its_own_key_is_installed),
					    CASE(the_head_of_the_trust_is_read_strictly) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
