/* The hand, on a real directory: what it does, what it refuses, and that a crash between any two calls
 * of the file system leaves the old or the new, never a mixture, and is recovered from. */
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

static void crash_everywhere(struct lab *l, bool back)
{
	bool through = false;
	int64_t g = 10;
	ok(lab_look(l, LAB_SLOT));
	lab_settled(l, LAB_SLOT, g++);
	lab_settled(l, LAB_SLOT, g++);
	for (long n = 0; !through; n++) {
		assert_true(n < 1000);
		ok(lab_stage(l, LAB_SLOT, g));
		lab_crash_after(l, n);
		through = lab_change(l, g, back);
		lab_crash_after(l, -1);
		assert_true(lab_pair_fits(l)); /* at every moment */
		lab_recover(l, g + 1);
		g += 2;
	}
}

static void a_slot_is_staged_swapped_and_settled(void **state)
{
	struct lab *l = *state;
	struct stat st;
	struct hand_reply r = lab_look(l, LAB_SLOT);
	ok(r);
	assert_null(r.text);
	assert_int_equal(r.view.loaded, 0);
	r = lab_stage(l, LAB_SLOT, 1);
	ok(r);
	assert_int_equal(r.fingerprints.count, 1);
	assert_false(lab_exists(l, "srv/web/current")); /* nothing changed for anybody */
	ok(lab_op(l, HAND_SWAP, LAB_SLOT, 1));
	assert_string_equal(lab_readlink(l, "srv/web/current"), "v1");
	assert_true(lab_pair_fits(l));
	ok(lab_op(l, HAND_RELOAD, LAB_SLOT, 1));
	assert_int_equal(l->signalled, 4242);
	ok(lab_op(l, HAND_SETTLE, LAB_SLOT, 1));
	assert_int_equal(stat(lab_path(l, "srv/web/current/key.pem"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat(lab_path(l, "srv/web/current/cert.pem"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	lab_open(l);
	r = lab_op(l, HAND_LOOK, LAB_SLOT, 0); /* as remembered */
	ok(r);
	assert_int_equal(r.view.loaded, 1);
	assert_int_equal(r.view.high_water, 1);
	assert_int_equal(r.view.phase, PHASE_SETTLED);
	assert_string_equal(r.view.name, "tls");
	assert_int_equal(r.view.loaded_fingerprints.count, 1);
}

/* A name is kept when the directory it stands in was synced; those of the way down, too. */
static void a_new_directory_survives_a_power_cut(void **state)
{
	struct lab *l = *state;
	static const char *const kept[] = { "srv", "srv/web", "srv/web/v1" };
	ok(lab_look(l, LAB_SLOT));
	l->synced_count = 0;
	ok(lab_stage(l, LAB_SLOT, 1));
	for (size_t i = 0; i < ARRAY_LEN(kept); i++) {
		struct stat st;
		bool found = false;
		assert_int_equal(stat(lab_path(l, kept[i]), &st), 0);
		for (size_t k = 0; k < l->synced_count; k++)
			found = found || l->synced[k] == st.st_ino;
		if (!found)
			fail_msg("%s was not synced", kept[i]);
	}
}

static void a_store_has_a_bundle_and_each_ca(void **state)
{
	struct lab *l = *state;
	ok(lab_look(l, LAB_STORE));
	struct hand_reply r = lab_stage(l, LAB_STORE, 1);
	ok(r);
	assert_int_equal(r.fingerprints.count, 2);
	assert_true(strcmp(r.fingerprints.items[0], r.fingerprints.items[1]) < 0); /* sorted */
	ok(lab_op(l, HAND_SWAP, LAB_STORE, 1));
	const char *bundle = lab_read(l, "srv/trust/current/ca.pem");
	assert_non_null(bundle);
	assert_true(lab_exists(l, arena_printf(l->a, "srv/trust/current/ca-%.16s.pem", r.fingerprints.items[0])));
	assert_true(lab_exists(l, arena_printf(l->a, "srv/trust/current/ca-%.16s.pem", r.fingerprints.items[1])));
}

static void put_back_is_the_files_before(void **state)
{
	struct lab *l = *state;
	ok(lab_look(l, LAB_SLOT));
	lab_settled(l, LAB_SLOT, 1);
	const char *before = lab_read(l, "srv/web/current/cert.pem");
	ok(lab_stage(l, LAB_SLOT, 2));
	ok(lab_op(l, HAND_SWAP, LAB_SLOT, 2));
	assert_string_not_equal(lab_read(l, "srv/web/current/cert.pem"), before);
	ok(lab_op(l, HAND_PUT_BACK, LAB_SLOT, 2));
	assert_string_equal(lab_read(l, "srv/web/current/cert.pem"), before);
	lab_open(l);
	struct hand_reply r = lab_op(l, HAND_LOOK, LAB_SLOT, 0);
	assert_int_equal(r.view.phase, PHASE_BACKING);
	assert_string_equal(r.view.reason, "the reason");
	ok(lab_op(l, HAND_BACK_DONE, LAB_SLOT, 2));
	r = lab_op(l, HAND_LOOK, LAB_SLOT, 0);
	assert_int_equal(r.view.loaded, 1);
	assert_int_equal(r.view.high_water, 2);
}

/* Section 10: what was there before is distrusted.  Not put back, whatever the link asks, also after a restart. */
static void what_is_distrusted_is_not_put_back(void **state)
{
	struct lab *l = *state;
	ok(lab_look(l, LAB_SLOT));
	struct hand_reply first = lab_stage(l, LAB_SLOT, 1);
	assert_false(first.no_way_back);
	ok(lab_op(l, HAND_SWAP, LAB_SLOT, 1));
	ok(lab_op(l, HAND_SETTLE, LAB_SLOT, 1));
	l->distrusted = (struct json_texts){ &first.fingerprints.items[0], 1 };
	assert_true(lab_stage(l, LAB_SLOT, 2).no_way_back);
	refused(lab_op(l, HAND_PUT_BACK, LAB_SLOT, 2), "distrusted");
	ok(lab_op(l, HAND_SWAP, LAB_SLOT, 2));
	const char *after = lab_read(l, "srv/web/current/cert.pem");
	struct hand_reply no = lab_op(l, HAND_PUT_BACK, LAB_SLOT, 2);
	assert_true(no.no_way_back);
	refused(no, "what generation 2 replaced is distrusted");
	lab_open(l);
	struct hand_reply r = lab_op(l, HAND_LOOK, LAB_SLOT, 0);
	assert_int_equal(r.view.phase, PHASE_APPLYING);
	assert_true(r.view.no_way_back);
	refused(lab_op(l, HAND_PUT_BACK, LAB_SLOT, 2), "distrusted");
	assert_string_equal(lab_read(l, "srv/web/current/cert.pem"), after);
	l->distrusted.count = 0; /* a newer document that does not say it again: it is said still */
	assert_true(lab_stage(l, LAB_SLOT, 3).no_way_back);
	ok(lab_op(l, HAND_SWAP, LAB_SLOT, 3));
	ok(lab_op(l, HAND_SETTLE, LAB_SLOT, 3));
	assert_false(lab_stage(l, LAB_SLOT, 4).no_way_back);
	ok(lab_op(l, HAND_SWAP, LAB_SLOT, 4));
	ok(lab_op(l, HAND_PUT_BACK, LAB_SLOT, 4));
}

/* Its swap failed for want of disk before it began, and a newer one was refused since: there is nothing to put back, and
 * that is an answer.  Also where what it was to replace is distrusted: that was never replaced. */
static void what_never_began_is_put_back_by_nothing(void **state)
{
	struct lab *l = *state;
	ok(lab_look(l, LAB_SLOT));
	struct hand_reply first = lab_stage(l, LAB_SLOT, 1);
	ok(lab_op(l, HAND_SWAP, LAB_SLOT, 1));
	ok(lab_op(l, HAND_SETTLE, LAB_SLOT, 1));
	const char *before = lab_read(l, "srv/web/current/cert.pem");
	l->distrusted = (struct json_texts){ &first.fingerprints.items[0], 1 };
	assert_true(lab_stage(l, LAB_SLOT, 4).no_way_back);
	ok(lab_op(l, HAND_REFUSE, LAB_SLOT, 5));
	refused(lab_op(l, HAND_SWAP, LAB_SLOT, 4), "not above");
	ok(lab_op(l, HAND_PUT_BACK, LAB_SLOT, 4));
	ok(lab_op(l, HAND_PUT_BACK, LAB_SLOT, 4));
	ok(lab_op(l, HAND_BACK_DONE, LAB_SLOT, 4));
	refused(lab_op(l, HAND_PUT_BACK, LAB_SLOT, 1), "distrusted"); /* what is in use is not put back */
	l->distrusted.count = 0;
	lab_open(l);
	struct hand_reply r = lab_op(l, HAND_LOOK, LAB_SLOT, 0);
	assert_int_equal(r.view.phase, PHASE_SETTLED);
	assert_int_equal(r.view.loaded, 1);
	assert_int_equal(r.view.high_water, 5);
	assert_string_equal(lab_read(l, "srv/web/current/cert.pem"), before);
	lab_settled(l, LAB_SLOT, 6);
	refused(lab_op(l, HAND_PUT_BACK, LAB_SLOT, 6), "not above");
}

/* What is begun is seen through also after a newer one was refused: h stays at that one. */
static void settling_does_not_lower_high_water(void **state)
{
	struct lab *l = *state;
	ok(lab_look(l, LAB_SLOT));
	lab_settled(l, LAB_SLOT, 1);
	ok(lab_stage(l, LAB_SLOT, 4));
	ok(lab_op(l, HAND_SWAP, LAB_SLOT, 4));
	ok(lab_op(l, HAND_REFUSE, LAB_SLOT, 5));
	ok(lab_op(l, HAND_SETTLE, LAB_SLOT, 4));
	struct hand_reply r = lab_op(l, HAND_LOOK, LAB_SLOT, 0);
	assert_int_equal(r.view.loaded, 4);
	assert_int_equal(r.view.high_water, 5);
	refused(lab_stage(l, LAB_SLOT, 5), "not above");
}

static void what_is_out_of_order_is_refused(void **state)
{
	struct lab *l = *state;
	ok(lab_look(l, LAB_SLOT));
	lab_settled(l, LAB_SLOT, 5);
	refused(lab_stage(l, LAB_SLOT, 5), "not above");
	refused(lab_stage(l, LAB_SLOT, 4), "not above");
	refused(lab_op(l, HAND_SWAP, LAB_SLOT, 4), "not above");
	refused(lab_op(l, HAND_SWAP, LAB_SLOT, 7), "v7"); /* never staged */
	refused(lab_op(l, HAND_SETTLE, LAB_SLOT, 6), "not the one in place");
	ok(lab_stage(l, LAB_SLOT, 6));
	refused(lab_op(l, HAND_SETTLE, LAB_SLOT, 6), "not the one in place");
	refused(lab_op(l, HAND_BACK_DONE, LAB_SLOT, 6), "not put back");
	ok(lab_op(l, HAND_SWAP, LAB_SLOT, 6));
	refused(lab_op(l, HAND_PUT_BACK, LAB_SLOT, 5), "not the one begun");
	refused(lab_op(l, HAND_CHECK, LAB_SLOT, 5), "not what is settled");
	ok(lab_op(l, HAND_SETTLE, LAB_SLOT, 6));
	ok(lab_op(l, HAND_SETTLE, LAB_SLOT, 6)); /* said twice is said once */
	ok(lab_op(l, HAND_REFUSE, LAB_SLOT, 8));
	refused(lab_stage(l, LAB_SLOT, 8), "not above");
	refused(lab_op(l, HAND_STAGE, "6f1c3a52-0b7e-4d0a-9a52-3f1b2c4d9999", 1), "open");
	refused(lab_op(l, HAND_LOOK, "../../etc", 1), "target");
}

static void a_key_that_does_not_fit_is_refused(void **state)
{
	struct lab *l = *state;
	ok(lab_look(l, LAB_SLOT));
	const char *request = "6f1c3a52-0b7e-4d0a-9a52-3f1b2c4d0001", *other = "6f1c3a52-0b7e-4d0a-9a52-3f1b2c4d0002";
	const char *pem = lab_leaf(l, request);
	(void)lab_leaf(l, other); /* makes its key */
	refused(lab_do(l, (struct hand_request){ .op = HAND_STAGE, .id = LAB_SLOT, .generation = 1, .key_request = other,
						  .certificates = { &pem, 1 } }), "does not fit");
	refused(lab_do(l, (struct hand_request){ .op = HAND_STAGE, .id = LAB_SLOT, .generation = 1,
						  .key_request = "6f1c3a52-0b7e-4d0a-9a52-3f1b2c4d0003", .certificates = { &pem, 1 } }), "no key");
	refused(lab_do(l, (struct hand_request){ .op = HAND_STAGE, .id = LAB_SLOT, .generation = 1, .certificates = { &pem, 1 } }),
		"without a key");
	const char *two[2] = { pem, lab_ca_pem(l, "stranger") };
	refused(lab_do(l, (struct hand_request){ .op = HAND_STAGE, .id = LAB_SLOT, .generation = 1, .key_request = request,
						  .certificates = { two, 2 } }), "out of order");
	assert_false(lab_exists(l, "srv/web/v1"));
}

static void a_sealed_key_is_opened_with_the_identity(void **state)
{
	struct lab *l = *state;
	struct key *k;
	struct bytes spki;
	const struct cert *identity;
	CLEANUP(buf_release) struct buf pem = buf_make_secret(8192), sealed = buf_make(8192);
	ok(lab_look(l, LAB_SLOT));
	assert_true(rc_ok(key_generate(KEY_EC_P256, &k, NULL)));
	assert_true(rc_ok(key_spki(k, l->a, &spki, NULL)));
	assert_true(rc_ok(key_write(k, KEY_PKCS8_DER, &pem, NULL)));
	key_release(k);
	char *text = lab_read(l, "agent/identity.pem");
	strstr(text, "-----BEGIN PRIVATE KEY")[0] = 0;
	assert_true(rc_ok(cert_parse_any(l->a, bytes_of_text(text), &identity, NULL)));
	assert_true(rc_ok(cms_seal(identity->der, buf_bytes(&pem), &sealed, NULL)));
	const char *leaf = lab_leaf_for(l, spki);
	struct hand_request r = { .op = HAND_STAGE, .id = LAB_SLOT, .generation = 1, .sealed_key = buf_bytes(&sealed), .certificates = { &leaf, 1 } };
	ok(lab_do(l, r));
	ok(lab_op(l, HAND_SWAP, LAB_SLOT, 1));
	assert_true(lab_pair_fits(l));
	lab_write(l, "agent/identity-former.pem", lab_read(l, "agent/identity.pem"));
	lab_op(l, HAND_IDENTITY_CSR, NULL, 0);
	const char *key = lab_read(l, "agent/identity-next.key"), *other = lab_leaf_for(l, identity->spki);
	lab_write(l, "agent/identity.pem", arena_printf(l->a, "%s%s", other, key)); /* renewed while it was on its way */
	r.generation = 2;
	ok(lab_do(l, r));
	sealed.data[sealed.len - 3] ^= 1;
	r.generation = 3;
	assert_false(lab_do(l, r).ok);
}

static void a_crash_between_any_two_calls_of_a_change(void **state) { crash_everywhere(*state, false); }

static void a_crash_between_any_two_calls_of_putting_back(void **state) { crash_everywhere(*state, true); }

static void a_crash_between_any_two_calls_of_staging(void **state)
{
	struct lab *l = *state;
	bool through = false;
	int64_t g = 10;
	ok(lab_look(l, LAB_SLOT));
	lab_settled(l, LAB_SLOT, g++);
	const char *pem = lab_leaf(l, LAB_REQUEST);
	for (long n = 0; !through; n++) {
		assert_true(n < 1000);
		struct hand_request r = { .op = HAND_STAGE, .id = LAB_SLOT, .generation = g, .key_request = LAB_REQUEST, .certificates = { &pem, 1 } };
		const char *before = lab_read(l, "srv/web/current/cert.pem");
		lab_crash_after(l, n);
		through = lab_do(l, r).ok;
		lab_open(l);
		assert_string_equal(lab_read(l, "srv/web/current/cert.pem"), before);
		ok(lab_do(l, r)); /* the same document comes again */
		ok(lab_op(l, HAND_SWAP, LAB_SLOT, g));
		ok(lab_op(l, HAND_SETTLE, LAB_SLOT, g));
		assert_true(lab_pair_fits(l));
		g++;
	}
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_slot_is_staged_swapped_and_settled), CASE(a_new_directory_survives_a_power_cut),
		CASE(a_store_has_a_bundle_and_each_ca),
		CASE(put_back_is_the_files_before), CASE(what_is_distrusted_is_not_put_back),
		CASE(what_never_began_is_put_back_by_nothing), CASE(settling_does_not_lower_high_water),
		CASE(what_is_out_of_order_is_refused), CASE(a_key_that_does_not_fit_is_refused),
		CASE(a_sealed_key_is_opened_with_the_identity), CASE(a_crash_between_any_two_calls_of_a_change),
		CASE(a_crash_between_any_two_calls_of_putting_back), CASE(a_crash_between_any_two_calls_of_staging),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
