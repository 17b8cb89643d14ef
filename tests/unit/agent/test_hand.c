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

/* -- the way through ---------------------------------------------------------------------------------- */

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

/* -- A1 and the other bounds, in the hand itself ------------------------------------------------------------ */

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
	sealed.data[sealed.len - 3] ^= 1;
	r.generation = 2;
	assert_false(lab_do(l, r).ok);
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

/* -- reloading ---------------------------------------------------------------------------------------------------- */

static void set(struct lab *l, const char *settings)
{
	const struct json *all;
	assert_true(rc_ok(json_parse(l->a, bytes_of_text(arena_printf(l->a, "{\"root\":\"%s/srv\",%s}", l->dir, settings)), &all, NULL)));
	l->settings.all = all;
	lab_open(l);
}

static void nobody_to_signal_is_down_not_broken(void **state)
{
	struct lab *l = *state;
	ok(lab_look(l, LAB_SLOT));
	unlink(lab_path(l, "srv/web.pid"));
	struct hand_reply r = lab_op(l, HAND_RELOAD, LAB_SLOT, 0);
	ok(r);
	assert_true(r.down);
	lab_write(l, "srv/web.pid", "4242\n");
	l->process_gone = true;
	assert_true(lab_op(l, HAND_RELOAD, LAB_SLOT, 0).down);
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
	set(l, "\"pid_file\":\"\",\"command\":\"/bin/reload\",\"argument\":\"a b; c $(d)\"");
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

/* -- found, adopted, drifted -------------------------------------------------------------------------------------------- */

static const char *own_pair(struct lab *l)
{
	lab_write(l, "srv/site.crt", lab_leaf(l, "6f1c3a52-0b7e-4d0a-9a52-3f1b2c4d0777"));
	lab_write(l, "srv/site.key", lab_read(l, "agent/keys/6f1c3a52-0b7e-4d0a-9a52-3f1b2c4d0777.key"));
	set(l, arena_printf(l->a, "\"cert_file\":\"%s/srv/site.crt\",\"key_file\":\"%s/srv/site.key\"", l->dir, l->dir));
	return lab_read(l, "srv/site.crt");
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

/* -- the rest ----------------------------------------------------------------------------------------------------------------- */

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

/* -- crashes --------------------------------------------------------------------------------------------------------------------- */

/* As the core would go on after a restart: whatever was begun is seen through. */
static void recover(struct lab *l, int64_t next)
{
	lab_open(l);
	struct hand_reply r = lab_look(l, LAB_SLOT);
	ok(r);
	assert_null(r.text);
	int64_t doing = r.view.doing;
	if (r.view.phase == PHASE_APPLYING) {
		ok(lab_op(l, HAND_SWAP, LAB_SLOT, doing));
		assert_true(lab_pair_fits(l));
		ok(lab_op(l, HAND_SETTLE, LAB_SLOT, doing));
	} else if (r.view.phase == PHASE_BACKING) {
		ok(lab_op(l, HAND_PUT_BACK, LAB_SLOT, doing));
		ok(lab_op(l, HAND_BACK_DONE, LAB_SLOT, doing));
	}
	if (r.view.loaded)
		assert_int_equal(lab_op(l, HAND_CHECK, LAB_SLOT, lab_op(l, HAND_LOOK, LAB_SLOT, 0).view.loaded).drift.count, 0);
	lab_settled(l, LAB_SLOT, next);
	assert_true(lab_pair_fits(l));
	assert_int_equal(lab_op(l, HAND_CHECK, LAB_SLOT, next).drift.count, 0);
}

static bool change(struct lab *l, int64_t g, bool back)
{
	return lab_op(l, HAND_SWAP, LAB_SLOT, g).ok &&
	       (back ? lab_op(l, HAND_PUT_BACK, LAB_SLOT, g).ok && lab_op(l, HAND_BACK_DONE, LAB_SLOT, g).ok :
		       lab_op(l, HAND_SETTLE, LAB_SLOT, g).ok);
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
		through = change(l, g, back);
		lab_crash_after(l, -1);
		assert_true(lab_pair_fits(l)); /* at every moment */
		recover(l, g + 1);
		g += 2;
	}
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
		through = change(l, 1, false);
		lab_crash_after(l, -1);
		const char *now = lab_read(l, "srv/site.crt");
		assert_non_null(now); /* the service can always read a pair that fits */
		assert_non_null(lab_read(l, "srv/site.key"));
		if (lab_readlink(l, "srv/site.crt"))
			assert_true(lab_pair_fits(l));
		else
			assert_string_equal(now, before);
		recover(l, 2);
		assert_string_equal(lab_read(l, "srv/web/v0/cert.pem"), before);
		assert_string_equal(lab_readlink(l, "srv/site.key"), lab_path(l, "srv/web/current/key.pem"));
	}
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_slot_is_staged_swapped_and_settled), CASE(a_new_directory_survives_a_power_cut),
		CASE(a_store_has_a_bundle_and_each_ca),
		CASE(an_attest_is_compared_with_the_file_itself), CASE(put_back_is_the_files_before),
		CASE(old_directories_go_one_generation_later), CASE(what_is_out_of_order_is_refused),
		CASE(a_key_that_does_not_fit_is_refused), CASE(a_sealed_key_is_opened_with_the_identity),
		CASE(a_symlink_on_the_way_is_not_followed), CASE(a_symlink_in_place_of_a_version_is_not_followed),
		CASE(a_second_agent_is_refused), CASE(nobody_to_signal_is_down_not_broken),
		CASE(a_pid_file_cannot_choose_anybodys_process), CASE(a_command_keeps_its_words), CASE(fixed_names_are_adopted),
		CASE(a_foreign_symlink_is_not_taken_over), CASE(drift_is_named_and_put_right), CASE(a_removed_directory_comes_back),
		CASE(a_csr_has_one_key_however_often_it_is_asked), CASE(hello_says_who_we_are), CASE(an_identity_is_renewed_in_one_rename),
		CASE(another_epoch_takes_back_what_is_begun), CASE(a_forgotten_target_leaves_its_files),
		CASE(a_crash_between_any_two_calls_of_a_change), CASE(a_crash_between_any_two_calls_of_putting_back),
		CASE(a_crash_between_any_two_calls_of_staging), CASE(a_crash_between_any_two_calls_of_an_adoption),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
