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
	assert_non_null(r.text);
	if (!strstr(r.text, words))
		fail_msg("the refusal does not say \"%s\"", words);
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

/* The power failed after the new identity was written and before the file of its key was removed. */
static void a_key_is_for_one_identity_only(void **state)
{
	struct lab *l = *state;
	struct csr first, second;
	struct hand_reply r = lab_op(l, HAND_IDENTITY_CSR, NULL, 0);
	ok(r);
	assert_true(rc_ok(csr_parse(l->a, bytes_of_text(r.csr), &first, NULL)));
	const char *key = lab_read(l, "agent/identity-next.key");
	ok(lab_do(l, (struct hand_request){ .op = HAND_IDENTITY_SAVE, .certificate = lab_leaf_for(l, first.spki), .chain = "" }));
	lab_write(l, "agent/identity-next.key", key);
	r = lab_op(l, HAND_IDENTITY_CSR, NULL, 0);
	ok(r);
	assert_true(rc_ok(csr_parse(l->a, bytes_of_text(r.csr), &second, NULL)));
	assert_false(bytes_equal(first.spki, second.spki));
	ok(lab_do(l, (struct hand_request){ .op = HAND_IDENTITY_SAVE, .certificate = lab_leaf_for(l, second.spki), .chain = "" }));
}

static struct hand_request trust(struct lab *l, int64_t generation, const char *pem)
{
	const char **items = ARENA_ARRAY(l->a, const char *, 1);
	items[0] = pem;
	return (struct hand_request){ .op = HAND_TRUST_SAVE, .id = LAB_STORE, .generation = generation, .certificates = { items, 1 } };
}

/* They come as documents, in order; those in the answer to a renewal are as old as the answer. */
static void a_renewal_leaves_the_servers_cas_alone(void **state)
{
	struct lab *l = *state;
	struct csr csr;
	const char *before, *former = lab_read(l, "agent/identity.pem");
	struct hand_reply r = lab_op(l, HAND_IDENTITY_CSR, NULL, 0);
	assert_true(rc_ok(csr_parse(l->a, bytes_of_text(r.csr), &csr, NULL)));
	ok(lab_do(l, trust(l, 7, cert_pem(l->a, l->ca->der))));
	before = lab_read(l, "agent/server-ca.pem");
	struct hand_request q = { .op = HAND_IDENTITY_SAVE, .certificate = lab_leaf_for(l, csr.spki), .chain = "" };
	ok(lab_do(l, q));
	assert_string_equal(lab_read(l, "agent/server-ca.pem"), before);
	assert_string_equal(lab_read(l, "agent/identity-former.pem"), former);
	ok(lab_op(l, HAND_IDENTITY_CSR, NULL, 0));
	q.certificate = lab_leaf(l, LAB_REQUEST);
	q.server_ca = lab_ca_pem(l, "other"); /* who is recovered begins anew with what it is given */
	refused(lab_do(l, q), "not for this agent's key");
	r = lab_op(l, HAND_IDENTITY_CSR, NULL, 0);
	assert_true(rc_ok(csr_parse(l->a, bytes_of_text(r.csr), &csr, NULL)));
	q.certificate = lab_leaf_for(l, csr.spki);
	ok(lab_do(l, q));
	assert_string_equal(lab_read(l, "agent/server-ca.pem"), q.server_ca);
	assert_int_equal(lab_op(l, HAND_HELLO, NULL, 0).trust_generation, 0);
}

static void the_servers_cas_are_saved_with_their_generation(void **state)
{
	struct lab *l = *state;
	const char *next = lab_ca_pem(l, "next"), *other = lab_ca_pem(l, "other");
	struct hand_reply r = lab_op(l, HAND_HELLO, NULL, 0);
	assert_string_equal(r.trust_id, "");
	assert_int_equal(r.trust_generation, 0);
	r = lab_do(l, trust(l, 7, next));
	ok(r);
	assert_string_equal(r.trust_id, LAB_STORE);
	assert_int_equal(r.trust_generation, 7);
	assert_int_equal(r.trust_fingerprints.count, 1);
	assert_true(text_ends(r.server_ca, next));
	assert_true(r.key.len > 0); /* the link speaks by it at once */
	const char *saved = lab_read(l, "agent/server-ca.pem");
	refused(lab_do(l, trust(l, 6, other)), "older than 7");
	ok(lab_do(l, trust(l, 7, other))); /* the same number is the same document */
	refused(lab_do(l, trust(l, 8, "junk")), "");
	refused(lab_do(l, trust(l, 8, lab_leaf(l, LAB_REQUEST))), "is no CA");
	struct hand_request none = { .op = HAND_TRUST_SAVE, .id = LAB_STORE, .generation = 8 };
	refused(lab_do(l, none), "no CA");
	none.id = "../x";
	refused(lab_do(l, none), "which store");
	assert_string_equal(lab_read(l, "agent/server-ca.pem"), saved);
	lab_open(l);
	assert_int_equal(lab_op(l, HAND_HELLO, NULL, 0).trust_generation, 7);
	ok(lab_do(l, trust(l, 8, other)));
	assert_true(text_ends(lab_op(l, HAND_HELLO, NULL, 0).server_ca, other));
}

/* At any instruction: the one or the other, whole, with its number. */
static void a_crash_leaves_the_one_or_the_other(void **state)
{
	struct lab *l = *state;
	const char *one = lab_ca_pem(l, "one"), *two = lab_ca_pem(l, "two");
	int64_t generation = 1;
	ok(lab_do(l, trust(l, generation, one)));
	for (long n = 0;; n++) {
		const char *before = lab_op(l, HAND_HELLO, NULL, 0).server_ca, *next = generation % 2 ? two : one;
		lab_crash_after(l, n);
		bool done = lab_do(l, trust(l, generation + 1, next)).ok;
		lab_open(l);
		struct hand_reply r = lab_op(l, HAND_HELLO, NULL, 0);
		ok(r);
		bool moved = r.trust_generation == generation + 1;
		assert_true(moved ? text_ends(r.server_ca, next) : strcmp(r.server_ca, before) == 0);
		assert_true(moved || !done);
		generation = r.trust_generation;
		if (done)
			break;
	}
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
		CASE(an_identity_is_renewed_in_one_rename), CASE(a_key_is_for_one_identity_only),
		CASE(another_epoch_takes_back_what_is_begun),
		CASE(a_forgotten_target_leaves_its_files), CASE(a_renewal_leaves_the_servers_cas_alone),
		CASE(the_servers_cas_are_saved_with_their_generation), CASE(a_crash_leaves_the_one_or_the_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
