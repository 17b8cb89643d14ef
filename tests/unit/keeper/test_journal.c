/* The keeper's log: what a line says, and that no name can forge one. */
#include "fixture.h"

#include "keeper/journal.h"

static void a_grant_names_key_subject_and_names(void **state)
{
	struct fixture *f = *state;
	struct keeper_ports ports = { &f->clock, fixture_log, f };
	struct journal j = { .ports = &ports };
	struct keeper_policy p = policy_of("/demo/ca", T0);
	struct cert_spec spec = spec_of(CERT_LEAF, T0);
	struct keeper_request req = { .id = 77, .kind = KEEPER_LEAF_SIGN };
	assert_true(rc_ok(journal_grant(&j, &(struct journal_use){ .req = &req, .key = &p, .spec = &spec }, NULL)));
	assert_non_null(strstr(f->log, "n=1 request=77 act=leaf-sign result=granted key=" UUID_1 " authority=\"/demo/ca\""));
	assert_non_null(strstr(f->log, "subject=\"db\" serial=1122330000"));
	assert_non_null(strstr(f->log, "dns=\"db.example.org\" ip=\"10.0.0.1\"\n"));
	assert_int_equal(j.count, 1);
}

static void a_name_cannot_write_a_line_of_its_own(void **state)
{
	struct fixture *f = *state;
	struct keeper_ports ports = { &f->clock, fixture_log, f };
	struct journal j = { .ports = &ports };
	struct cert_spec spec = spec_of(CERT_LEAF, T0);
	struct keeper_request req = { .id = 1, .kind = KEEPER_LEAF_SIGN };
	spec.common_name = "x\"\ntime=forged\\";
	assert_true(rc_ok(journal_grant(&j, &(struct journal_use){ .req = &req, .spec = &spec }, NULL)));
	assert_non_null(strstr(f->log, "subject=\"x\\x22\\x0atime=forged\\x5c\""));
	assert_ptr_equal(strchr(f->log, '\n'), f->log + f->log_len - 1);
}

static void a_line_that_cannot_be_written_is_unavailable(void **state)
{
	struct fixture *f = *state;
	struct keeper_ports ports = { &f->clock, fixture_log, f };
	struct journal j = { .ports = &ports };
	struct keeper_request req = { .id = 1, .kind = KEEPER_LEAF_SIGN };
	struct troth_err e = { 0 };
	f->log_broken = true;
	assert_true(rc_failed(journal_grant(&j, &(struct journal_use){ .req = &req }, &e)));
	assert_int_equal(e.kind, TROTH_UNAVAILABLE);
	journal_refuse(&j, &req, &e); /* says nothing when it fails */
}

static void a_line_above_its_maximum_is_unavailable(void **state)
{
	struct fixture *f = *state;
	struct keeper_ports ports = { &f->clock, fixture_log, f };
	struct journal j = { .ports = &ports };
	struct keeper_request req = { .id = 1, .kind = KEEPER_LEAF_SIGN };
	struct cert_spec spec = spec_of(CERT_LEAF, T0);
	char *name = arena_alloc(f->a, LIMIT_KEEPER_LOG_LINE_BYTES + 1);
	memset(name, 'x', LIMIT_KEEPER_LOG_LINE_BYTES);
	spec.common_name = name;
	assert_true(rc_failed(journal_grant(&j, &(struct journal_use){ .req = &req, .spec = &spec }, NULL)));
	assert_int_equal(f->log_len, 0);
}

static void the_first_line_names_the_process(void **state)
{
	struct fixture *f = *state;
	struct keeper_ports ports = { &f->clock, fixture_log, f };
	struct journal j = { .ports = &ports };
	assert_true(rc_ok(journal_start(&j, 321, NULL)));
	assert_non_null(strstr(f->log, "n=1 act=start result=ready pid=321 version="));
	f->log_broken = true;
	assert_true(rc_failed(journal_start(&j, 321, NULL)));
}

static void a_refusal_says_why(void **state)
{
	struct fixture *f = *state;
	struct keeper_ports ports = { &f->clock, fixture_log, f };
	struct journal j = { .ports = &ports };
	struct keeper_request req = { .id = 5, .kind = KEEPER_AUTHORITY_SIGN };
	struct troth_err e = { 0 };
	assert_true(rc_failed(err_set(&e, TROTH_FORBIDDEN, "not so \"%s\"", "x")));
	journal_refuse(&j, &req, &e);
	assert_non_null(strstr(f->log, "act=authority-sign result=refused kind=forbidden why=\"not so \\x22x\\x22\"\n"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_grant_names_key_subject_and_names),
		T(a_name_cannot_write_a_line_of_its_own),
		T(a_line_that_cannot_be_written_is_unavailable),
		T(a_line_above_its_maximum_is_unavailable),
		T(the_first_line_names_the_process),
		T(a_refusal_says_why),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
