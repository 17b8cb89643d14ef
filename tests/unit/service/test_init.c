/* The beginning: an empty store becomes a server with two authorities, an audit key and an admin. */
#include "room.h"

static void test_all_steps(void **state)
{
	struct room *r = room_new_empty();
	struct init_ret ret;
	const struct cert *leaf, *ca;
	struct init_cmd cmd = { room_csr(r, KEY_EC_P256), room_texts(r, "dns:troth.example", "ip:10.0.0.1") };
	assert_true(rc_ok(init_run(r->svc, r->a, &r->port, r->now, &r->line, &cmd, &ret, &r->e)));
	assert_true(rc_ok(cert_parse_any(r->a, bytes_of_text(ret.certificate), &leaf, &r->e)));
	assert_true(rc_ok(cert_parse_any(r->a, bytes_of_text(ret.server_ca), &ca, &r->e)));
	assert_true(cert_issued_by(leaf, ca));
	assert_true(cert_host_matches(leaf, "troth.example"));
	assert_true(cert_host_matches(leaf, "10.0.0.1"));
	assert_int_equal(leaf->eku, EKU_SERVER);
	assert_int_equal(ca->path_len, 1); /* it may certify the root after it */
	assert_string_equal(ret.chain, "");
	struct principal_ret who;
	room_do(r, &VERB_PRINCIPAL_RESOLVE, &(struct principal_resolve_cmd){ .bearer = ret.admin_token }, &who);
	assert_string_equal(who.principal.name, "admin");
	assert_int_equal(who.principal.roles, ROLE_ADMIN);
	room_free(r);
}

static void test_twice_is_refused(void **state)
{
	struct room *r = room_new();
	struct init_ret ret;
	struct init_cmd cmd = { room_csr(r, KEY_EC_P256), room_texts(r, "dns:localhost", NULL) };
	assert_false(rc_ok(init_run(r->svc, r->a, &r->port, r->now, &r->line, &cmd, &ret, &r->e)));
	assert_int_equal(r->e.kind, TROTH_CONFLICT);
	room_free(r);
}

/* The keeper dies at its k-th request, for each k there is; the second run goes on where the first stopped. */
static void test_interrupted_goes_on(void **state)
{
	size_t k = 1;
	for (;; k++) {
		struct room *r = room_new_empty();
		struct init_ret ret;
		struct init_cmd cmd = { room_csr(r, KEY_EC_P256), room_texts(r, "dns:localhost", NULL) };
		r->keeper_dies_at = k;
		troth_rc rc = init_run(r->svc, r->a, &r->port, r->now, &r->line, &cmd, &ret, &r->e);
		bool all = rc_ok(rc);
		if (!all) {
			assert_int_equal(r->e.kind, TROTH_UNAVAILABLE);
			r->keeper_dies_at = 0;
			err_clear(&r->e);
			rc = init_run(r->svc, r->a, &r->port, r->now, &r->line, &cmd, &ret, &r->e);
			assert_true(rc_ok(rc) || r->e.kind == TROTH_CONFLICT);
		}
		room_free(r);
		if (all)
			break;
	}
	assert_int_equal(k, 6); /* audit key, two authorities, a certificate, a signed head */
}

static void test_names_are_needed(void **state)
{
	struct room *r = room_new_empty();
	struct init_ret ret;
	struct init_cmd cmd = { room_csr(r, KEY_EC_P256), { NULL, 0 } };
	assert_false(rc_ok(init_run(r->svc, r->a, &r->port, r->now, &r->line, &cmd, &ret, &r->e)));
	assert_non_null(strstr(r->e.primary, "name"));
	cmd.sans = room_texts(r, "not a name", NULL);
	err_clear(&r->e);
	assert_false(rc_ok(init_run(r->svc, r->a, &r->port, r->now, &r->line, &cmd, &ret, &r->e)));
	room_finding(r, "$.sans[0]", "character");
	cmd.sans = room_texts(r, "dns:localhost", NULL); /* and goes on where it stopped */
	err_clear(&r->e);
	assert_true(rc_ok(init_run(r->svc, r->a, &r->port, r->now, &r->line, &cmd, &ret, &r->e)));
	room_free(r);
}

static void test_server_certificate_is_renewed(void **state)
{
	struct room *r = room_new();
	struct server_certificate_ret first, second;
	const struct cert *cert;
	struct server_certificate_cmd cmd = { .csr = room_csr(r, KEY_EC_P384) };
	room_do(r, &VERB_SERVER_CERTIFICATE, &cmd, &first);
	assert_true(rc_ok(cert_parse_any(r->a, bytes_of_text(first.certificate), &cert, &r->e)));
	assert_true(cert_host_matches(cert, "localhost")); /* the names of the last one */
	assert_true(first.renew_at > r->now && first.renew_at < first.not_after);
	r->now += 30 * MSEC_DAY;
	cmd.sans = room_texts(r, "dns:other.example", NULL);
	room_do(r, &VERB_SERVER_CERTIFICATE, &cmd, &second);
	assert_true(rc_ok(cert_parse_any(r->a, bytes_of_text(second.certificate), &cert, &r->e)));
	assert_true(cert_host_matches(cert, "other.example"));
	assert_false(cert_host_matches(cert, "localhost"));
	room_refused(r, &r->narrow, &VERB_SERVER_CERTIFICATE, &cmd, TROTH_FORBIDDEN, "may not");
	cmd.csr = "no";
	room_refused(r, &r->admin, &VERB_SERVER_CERTIFICATE, &cmd, TROTH_INVALID, "");
	room_finding(r, "$.csr", "");
	room_free(r);
}

static void test_server_trust(void **state)
{
	struct room *r = room_new();
	struct server_trust_ret ret;
	room_do(r, &VERB_SERVER_TRUST, &(struct no_cmd){ 0 }, &ret);
	assert_non_null(strstr(ret.agents_ca, "BEGIN CERTIFICATE"));
	assert_non_null(strstr(ret.server_ca, "BEGIN CERTIFICATE"));
	assert_string_not_equal(ret.agents_ca, ret.server_ca);
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_steps),
		cmocka_unit_test(test_twice_is_refused),
		cmocka_unit_test(test_interrupted_goes_on),
		cmocka_unit_test(test_names_are_needed),
		cmocka_unit_test(test_server_certificate_is_renewed),
		cmocka_unit_test(test_server_trust),
	};
	return cmocka_run_group_tests_name("init", tests, NULL, NULL);
}
