/* The codec of agent messages: what is written is what is read, and bad input is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/message.h"

#define ID "6f1c3a52-0b7e-4d0a-9a52-3f1b2c4d5e6f"
#define ID2 "6f1c3a52-0b7e-4d0a-9a52-3f1b2c4d5e70"
#define FP "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct fixture {
	struct arena *a;
	struct buf out;
	struct troth_err e;
};

static int setup(void **state)
{
	static struct fixture f;
	f = (struct fixture){ arena_new(8 << 20), buf_make(MSG_BYTES), { 0 } };
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	arena_free(f->a);
	buf_release(&f->out);
	return 0;
}

static struct msg_target slot_target(void)
{
	static struct msg_parameter parameters[] = { { "port", "8443" }, { "directory", "/srv/\"x\"" } };
	static const char *certs[] = { "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n", "B" };
	static const struct msg_csr_wanted csr = { ID2, "ec-p256", "pg-0" };
	return (struct msg_target){ .id = ID, .name = "server", .kind = MSG_SLOT, .profile = "nginx", .role = MSG_CLIENT,
				    .parameters = parameters, .parameter_count = 2, .generation = 7,
				    .certificates = { certs, 2 }, .key_request = ID2, .csr = &csr };
}

static void desired_survives_the_wire(void **state)
{
	struct fixture *f = *state;
	struct msg_target targets[2] = { slot_target(), slot_target() };
	static const char *gone[] = { ID2 };
	static const char *bad[] = { "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" };
	targets[1].key_request = NULL;
	targets[1].csr = NULL;
	targets[1].distrusted = (struct json_texts){ bad, 1 };
	targets[1].sealed_key = bytes_of("\0\1\2\3", 4);
	struct msg_desired in = { 3, "epoch-1", 99, targets, 2, { gone, 1 }, true }, out;
	msg_desired_encode(&f->out, &in);
	assert_true(buf_ok(&f->out));
	assert_true(rc_ok(msg_desired_decode(f->a, buf_bytes(&f->out), &out, &f->e)));
	assert_int_equal(out.session, 3);
	assert_string_equal(out.epoch, "epoch-1");
	assert_int_equal(out.version, 99);
	assert_int_equal(out.target_count, 2);
	assert_string_equal(out.gone.items[0], ID2);
	assert_true(out.renew_identity);
	assert_int_equal(out.targets[0].role, MSG_CLIENT);
	assert_string_equal(out.targets[0].parameters[1].value, "/srv/\"x\"");
	assert_string_equal(out.targets[0].certificates.items[0], targets[0].certificates.items[0]);
	assert_string_equal(out.targets[0].csr->key_type, "ec-p256");
	assert_null(out.targets[1].key_request);
	assert_int_equal(out.targets[0].distrusted.count, 0);
	assert_string_equal(out.targets[1].distrusted.items[0], bad[0]);
	assert_true(bytes_equal(out.targets[1].sealed_key, bytes_of("\0\1\2\3", 4)));
}

static void report_survives_the_wire(void **state)
{
	struct fixture *f = *state;
	static const char *fps[] = { FP };
	static const char *drift[] = { "cert.pem was changed; put right" };
	struct msg_report in = { .session = 4, .seq = 9, .target = ID, .generation = 3, .high_water = 5,
				 .level = MSG_LEVEL_PROBED, .settled = true, .fingerprints = { fps, 1 },
				 .failed_generation = 5, .failed_reason = "reload said \"no\"\n", .has_found = true,
				 .found_fingerprints = { fps, 1 }, .found_text = "served before",
				 .drift = { drift, 1 } }, out;
	msg_report_encode(&f->out, &in);
	assert_true(rc_ok(msg_report_decode(f->a, buf_bytes(&f->out), &out, &f->e)));
	assert_int_equal(out.session, 4);
	assert_int_equal(out.seq, 9);
	assert_int_equal(out.level, MSG_LEVEL_PROBED);
	assert_true(out.settled);
	assert_int_equal(out.failed_generation, 5);
	assert_string_equal(out.failed_reason, in.failed_reason);
	assert_true(out.has_found);
	assert_string_equal(out.found_text, "served before");
	assert_string_equal(out.drift.items[0], drift[0]);
	assert_string_equal(out.fingerprints.items[0], FP);
}

static void session_survives_the_wire(void **state)
{
	struct fixture *f = *state;
	static const char *fps[] = { FP, FP };
	struct msg_loaded loaded[] = { { ID, 2, 3, { fps, 2 } }, { ID2, 0, 0, { NULL, 0 } } };
	struct msg_session in = { "boot", NULL, "0.1.0", loaded, 2 }, out;
	msg_session_encode(&f->out, &in);
	assert_true(rc_ok(msg_session_decode(f->a, buf_bytes(&f->out), &out, &f->e)));
	assert_null(out.epoch);
	assert_int_equal(out.target_count, 2);
	assert_int_equal(out.targets[0].fingerprints.count, 2);
	assert_int_equal(out.targets[0].high_water, 3);
	buf_clear(&f->out);
	msg_opened_encode(&f->out, &(struct msg_opened){ 12, "e" });
	struct msg_opened opened;
	assert_true(rc_ok(msg_opened_decode(f->a, buf_bytes(&f->out), &opened, &f->e)));
	assert_int_equal(opened.session, 12);
}

static void enrolment_survives_the_wire(void **state)
{
	struct fixture *f = *state;
	struct msg_enroll enroll;
	msg_enroll_encode(&f->out, &(struct msg_enroll){ "tok", "CSR", "boot", "0.1.0", NULL });
	assert_true(rc_ok(msg_enroll_decode(f->a, buf_bytes(&f->out), &enroll, &f->e)));
	assert_string_equal(enroll.token, "tok");
	assert_null(enroll.instance);
	buf_clear(&f->out);
	struct msg_enrolled in = { ID, "pg-0", "pg", "C", "", "S", "A", "e" }, enrolled;
	msg_enrolled_encode(&f->out, &in);
	assert_true(rc_ok(msg_enrolled_decode(f->a, buf_bytes(&f->out), &enrolled, &f->e)));
	assert_string_equal(enrolled.chain, "");
	assert_string_equal(enrolled.agents_ca, "A");
	buf_clear(&f->out);
	struct msg_identity identity;
	msg_identity_encode(&f->out, &(struct msg_identity){ "CSR" });
	assert_true(rc_ok(msg_identity_decode(f->a, buf_bytes(&f->out), &identity, &f->e)));
	buf_clear(&f->out);
	struct msg_renewed renewed;
	msg_renewed_encode(&f->out, &(struct msg_renewed){ "C", "", "S" });
	assert_true(rc_ok(msg_renewed_decode(f->a, buf_bytes(&f->out), &renewed, &f->e)));
	buf_clear(&f->out);
	struct msg_csr csr;
	msg_csr_encode(&f->out, &(struct msg_csr){ 1, ID, ID2, "CSR" });
	assert_true(rc_ok(msg_csr_decode(f->a, buf_bytes(&f->out), &csr, &f->e)));
	assert_string_equal(csr.request, ID2);
}

static bool refused(struct fixture *f, const char *json, const char *path)
{
	struct msg_report r;
	err_clear(&f->e);
	if (rc_ok(msg_report_decode(f->a, bytes_of_text(json), &r, &f->e)))
		return false;
	for (struct finding *x = f->e.findings; x; x = x->next)
		if (text_equal(x->path, path))
			return true;
	print_error("findings do not name %s: %s\n", path, f->e.primary);
	return false;
}

#define REPORT_HEAD "{\"session\":1,\"seq\":1,\"target\":\"" ID "\","

static void bad_reports_are_named(void **state)
{
	struct fixture *f = *state;
	assert_true(refused(f, REPORT_HEAD "\"generation\":2,\"high_water\":1,\"level\":\"probed\",\"settled\":true,"
				"\"fingerprints\":[]}", "$.high_water"));
	assert_true(refused(f, REPORT_HEAD "\"generation\":1,\"high_water\":1,\"level\":\"loud\",\"settled\":true,"
				"\"fingerprints\":[]}", "$.level"));
	assert_true(refused(f, REPORT_HEAD "\"generation\":1,\"high_water\":1,\"level\":\"probed\",\"settled\":true,"
				"\"fingerprints\":[\"AB\"]}", "$.fingerprints[0]"));
	assert_true(refused(f, REPORT_HEAD "\"generation\":-1,\"high_water\":1,\"level\":\"probed\",\"settled\":true,"
				"\"fingerprints\":[],\"colour\":1}", "$.colour"));
	assert_true(refused(f, REPORT_HEAD "\"generation\":1,\"high_water\":1,\"level\":\"probed\",\"settled\":true,"
				"\"fingerprints\":[],\"failed\":{\"generation\":2,\"reason\":\"x\"}}", "$.failed.generation"));
	assert_true(refused(f, "{\"session\":1,\"seq\":1,\"target\":\"x\",\"generation\":1,\"high_water\":1,"
				"\"level\":\"probed\",\"settled\":true,\"fingerprints\":[]}", "$.target"));
}

/* The server counts on from what an agent says; above INT64_MAX there is nothing to count on to. */
static void a_generation_that_nobody_could_count_to(void **state)
{
	struct fixture *f = *state;
	struct msg_session s;
	const char *json = arena_printf(f->a, "{\"boot_id\":\"b\",\"targets\":[{\"id\":\"%s\",\"loaded_generation\":0,"
					"\"high_water\":%lld,\"fingerprints\":[]}]}", ID, (long long)INT64_MAX);
	assert_true(rc_failed(msg_session_decode(f->a, bytes_of_text(json), &s, &f->e)));
	assert_string_equal(f->e.findings->path, "$.targets[0].high_water");
	json = arena_printf(f->a, "{\"session\":1,\"seq\":1,\"target\":\"%s\",\"generation\":0,\"high_water\":%lld,\"level\":\"loaded\","
			    "\"settled\":true,\"fingerprints\":[]}", ID, (long long)MSG_GENERATION_MAX + 1);
	assert_true(refused(f, json, "$.high_water"));
}

static bool desired_refused(struct fixture *f, struct msg_target target, const char *path)
{
	struct msg_desired in = { 3, "e", 1, &target, 1, { NULL, 0 } }, out;
	buf_clear(&f->out);
	err_clear(&f->e);
	msg_desired_encode(&f->out, &in);
	if (rc_ok(msg_desired_decode(f->a, buf_bytes(&f->out), &out, &f->e)))
		return false;
	return f->e.findings && text_equal(f->e.findings->path, path);
}

static void bad_targets_are_named(void **state)
{
	struct fixture *f = *state;
	struct msg_target t = slot_target();
	t.key_request = NULL;
	assert_true(desired_refused(f, t, "$.targets[0].key_request"));
	static const char *bad[] = { "not a fingerprint" };
	t = slot_target();
	t.distrusted = (struct json_texts){ bad, 1 };
	assert_true(desired_refused(f, t, "$.targets[0].distrusted[0]"));
	t = slot_target();
	t.sealed_key = bytes_of("x", 1);
	assert_true(desired_refused(f, t, "$.targets[0].sealed_key"));
	t = slot_target();
	t.certificates.count = 0;
	assert_true(desired_refused(f, t, "$.targets[0].certificates"));
	t = slot_target();
	t.kind = MSG_STORE;
	assert_true(desired_refused(f, t, "$.targets[0].key_request"));
	t = slot_target();
	t.id = "no";
	assert_true(desired_refused(f, t, "$.targets[0].id"));
}

static void replies_may_say_more(void **state)
{
	struct fixture *f = *state;
	struct msg_opened m;
	const char *json = "{\"session\":1,\"epoch\":\"e\",\"motto\":\"x\"}";
	assert_true(rc_ok(msg_opened_decode(f->a, bytes_of_text(json), &m, &f->e)));
	const char *short_of = "{\"epoch\":\"e\"}";
	assert_true(rc_failed(msg_opened_decode(f->a, bytes_of_text(short_of), &m, &f->e)));
}

static void recovery_survives_the_wire(void **state)
{
	struct fixture *f = *state;
	struct msg_recovery in = { .certificate = "CERT", .csr = "CSR", .nonce = "00ff", .signature = "abcd" }, out;
	struct msg_nonce nonce;
	struct msg_recovering pending = { .state = "pending", .instance = "pg-1", .retry_s = 2 }, got;
	msg_recovery_encode(&f->out, &in);
	assert_true(rc_ok(msg_recovery_decode(f->a, buf_bytes(&f->out), &out, &f->e)));
	assert_string_equal(out.certificate, "CERT");
	assert_string_equal(out.signature, "abcd");
	buf_clear(&f->out);
	msg_nonce_encode(&f->out, &(struct msg_nonce){ "00ff" });
	assert_true(rc_ok(msg_nonce_decode(f->a, buf_bytes(&f->out), &nonce, &f->e)));
	assert_string_equal(nonce.nonce, "00ff");
	buf_clear(&f->out);
	msg_recovering_encode(&f->out, &pending);
	assert_true(rc_ok(msg_recovering_decode(f->a, buf_bytes(&f->out), &got, &f->e)));
	assert_true(got.retry_s == 2 && !got.certificate);
	assert_true(rc_failed(msg_recovering_decode(f->a, bytes_of_text("{\"state\":\"approved\",\"instance\":\"x\",\"certificate\":\"C\"}"), &got, &f->e)));
	assert_true(rc_failed(msg_recovery_decode(f->a, bytes_of_text("{\"certificate\":\"C\",\"csr\":\"R\",\"nonce\":\"N\",\"signature\":\"S\",\"peer\":\"me\"}"), &out, &f->e)));
}

/* What one field loses the next cannot gain: two requests never have the same bytes to be signed. */
static void what_is_signed_says_where_fields_end(void **state)
{
	struct fixture *f = *state;
	struct msg_recovery a = { .certificate = "ab", .csr = "c", .nonce = "1" }, b = { .certificate = "a", .csr = "bc", .nonce = "1" };
	struct bytes x = msg_recovery_signed(f->a, &a), y = msg_recovery_signed(f->a, &b);
	assert_false(bytes_equal(x, y));
	assert_true(bytes_equal(x, bytes_of_text("troth agent recovery 1\n1\n2\nabc")));
}

static void an_oversized_sealed_key_is_not_sent(void **state)
{
	struct fixture *f = *state;
	struct msg_target t = slot_target();
	t.key_request = NULL;
	t.sealed_key = bytes_of(arena_alloc(f->a, MSG_SEALED_KEY_BYTES + 1), MSG_SEALED_KEY_BYTES + 1);
	struct msg_desired in = { 3, "e", 1, &t, 1, { NULL, 0 } };
	msg_desired_encode(&f->out, &in);
	assert_false(buf_ok(&f->out));
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(desired_survives_the_wire), CASE(report_survives_the_wire), CASE(session_survives_the_wire),
		CASE(enrolment_survives_the_wire), CASE(bad_reports_are_named),
		CASE(a_generation_that_nobody_could_count_to), CASE(bad_targets_are_named),
		CASE(replies_may_say_more), CASE(recovery_survives_the_wire), CASE(what_is_signed_says_where_fields_end), CASE(an_oversized_sealed_key_is_not_sent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
