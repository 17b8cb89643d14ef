/* Who the agent is, its keys, what it forgets. */
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

static void a_csr_has_one_key_however_often_it_is_asked(void **state)
{
	struct lab *l = *state;
	struct csr first, second;
	struct hand_request q = { .op = HAND_CSR, .id = LAB_SLOT, .request = LAB_REQUEST, .key_type = "ec-p256", .common_name = "x" };
	struct hand_reply r = lab_do(l, q);
	ok(r);
	assert_true(rc_ok(csr_parse(l->a, bytes_of_text(r.csr), &first, NULL)));
	lab_open(l);
	r = lab_do(l, q);
	assert_true(rc_ok(csr_parse(l->a, bytes_of_text(r.csr), &second, NULL)));
	assert_true(bytes_equal(first.spki, second.spki));
	for (int i = 0; i < 9; i++)
		(void)lab_leaf(l, arena_printf(l->a, "6f1c3a52-0b7e-4d0a-9a52-3f1b2c4d%04d", i));
	assert_false(lab_exists(l, "agent/keys/" LAB_REQUEST ".key")); /* only the last few are kept */
	q.request = "../x";
	refused(lab_do(l, q), "request id");
	q.request = LAB_REQUEST;
	q.key_type = "dsa";
	assert_false(lab_do(l, q).ok);
}

static void hello_says_who_we_are(void **state)
{
	struct lab *l = *state;
	ok(lab_look(l, LAB_SLOT));
	struct hand_reply r = lab_op(l, HAND_HELLO, NULL, 0);
	ok(r);
	assert_string_equal(r.server, "https://127.0.0.1:1");
	assert_string_equal(r.epoch, "e1");
	assert_int_equal(r.ids.count, 1);
	assert_true(text_starts((const char *)r.key.data, "-----BEGIN PRIVATE KEY"));
	assert_null(strstr(r.certificate, "PRIVATE"));
	assert_true(text_ends(r.boot_id, "-6f1c3a52"));
}

static void an_identity_is_renewed_in_one_rename(void **state)
{
	struct lab *l = *state;
	struct csr csr;
	struct hand_reply r = lab_op(l, HAND_IDENTITY_CSR, NULL, 0);
	ok(r);
	assert_true(rc_ok(csr_parse(l->a, bytes_of_text(r.csr), &csr, NULL)));
	const char *before = lab_read(l, "agent/identity.pem"), *ca = cert_pem(l->a, l->ca->der);
	struct hand_request q = { .op = HAND_IDENTITY_SAVE, .certificate = ca, .chain = "", .server_ca = ca };
	refused(lab_do(l, q), "not for this agent's key");
	assert_string_equal(lab_read(l, "agent/identity.pem"), before);
	q.certificate = lab_leaf_for(l, csr.spki);
	ok(lab_do(l, q));
	assert_string_not_equal(lab_read(l, "agent/identity.pem"), before);
	ok(lab_op(l, HAND_HELLO, NULL, 0));
}

static void another_epoch_takes_back_what_is_begun(void **state)
{
	struct lab *l = *state;
	ok(lab_look(l, LAB_SLOT));
	lab_settled(l, LAB_SLOT, 1);
	ok(lab_stage(l, LAB_SLOT, 2));
	ok(lab_op(l, HAND_SWAP, LAB_SLOT, 2));
	ok(lab_do(l, (struct hand_request){ .op = HAND_EPOCH, .text = "e2" }));
	struct hand_reply r = lab_op(l, HAND_LOOK, LAB_SLOT, 0);
	assert_int_equal(r.view.phase, PHASE_BACKING);
	assert_int_equal(r.view.loaded, 1);
	assert_string_equal(lab_op(l, HAND_HELLO, NULL, 0).epoch, "e2");
}

static void a_forgotten_target_leaves_its_files(void **state)
{
	struct lab *l = *state;
	ok(lab_look(l, LAB_SLOT));
	lab_settled(l, LAB_SLOT, 1);
	ok(lab_op(l, HAND_FORGET, LAB_SLOT, 0));
	ok(lab_op(l, HAND_FORGET, LAB_SLOT, 0));
	assert_true(lab_pair_fits(l));
	assert_false(lab_exists(l, "agent/targets/" LAB_SLOT ".json"));
	assert_int_equal(lab_op(l, HAND_HELLO, NULL, 0).ids.count, 0);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_csr_has_one_key_however_often_it_is_asked), CASE(hello_says_who_we_are),
		CASE(an_identity_is_renewed_in_one_rename), CASE(another_epoch_takes_back_what_is_begun),
		CASE(a_forgotten_target_leaves_its_files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
