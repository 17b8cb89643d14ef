/* Logging in: who gets what, for how long, and who is locked out, with a clock that the test moves. */
#include "room.h"

#include "service/server/login.h"

static void person(struct room *r, const char *name, const char *facade)
{
	struct principal_view_ret made;
	struct principal_add_cmd add = { name, "operator", .password = "correct horse", .facade = facade };
	room_do(r, &VERB_PRINCIPAL_ADD, &add, &made);
}

static struct login_ret try(struct room *r, const struct login_cmd *cmd)
{
	struct login_ret ret;
	troth_rc rc = room_try(r, &PRINCIPAL_ANONYMOUS, &VERB_LOGIN, cmd, &ret);
	if (rc_failed(rc))
		fail_msg("%s", r->e.primary);
	assert_true(ret.refused == !ret.access_token);
	return ret;
}

static struct login_ret as(struct room *r, const char *name, const char *password)
{
	struct login_cmd cmd = { LOGIN_PASSWORD, "credhub_cli", "", name, password, .peer = "192.0.2.7:5" };
	return try(r, &cmd);
}

static struct login_ret again(struct room *r, const char *refresh, const char *client)
{
	struct login_cmd cmd = { LOGIN_REFRESH, client, "", .refresh_token = refresh };
	return try(r, &cmd);
}

/* And nothing is written: who has no token costs the writer nothing. */
static void no_more(struct room *r, const char *refresh, const char *client)
{
	struct login_cmd cmd = { LOGIN_REFRESH, client, "", .refresh_token = refresh };
	room_refused(r, &PRINCIPAL_ANONYMOUS, &VERB_LOGIN, &cmd, TROTH_UNAUTHENTICATED, "refresh token expired, was revoked");
	assert_string_equal(r->e.clause, REFRESH_TOKEN_INVALID);
}

static troth_rc resolve(struct room *r, const char *token, const char *facade)
{
	struct principal_ret ret;
	struct principal_resolve_cmd cmd = { .bearer = token, .facade = facade };
	return room_try(r, &PRINCIPAL_ANONYMOUS, &VERB_PRINCIPAL_RESOLVE, &cmd, &ret);
}

static void good(struct room *r, const char *token) { assert_true(rc_ok(resolve(r, token, "credhub"))); }

static void bad(struct room *r, const char *token, const char *part)
{
	assert_int_equal(resolve(r, token, "credhub").code, TROTH_UNAUTHENTICATED);
	assert_non_null(strstr(r->e.primary, part));
}

static struct principal_view_ret show(struct room *r, const char *name)
{
	struct principal_view_ret ret;
	room_do(r, &VERB_PRINCIPAL_SHOW, &(struct id_cmd){ name }, &ret);
	return ret;
}

static void an_access_token_ends_and_is_refreshed(void **state)
{
	struct room *r = room_new();
	person(r, "ada", "credhub");
	struct login_ret in = as(r, "ada", "correct horse");
	good(r, in.access_token);
	assert_int_equal(in.expires_in, LIMIT_ACCESS_TOKEN_S);
	assert_true(show(r, "ada").principal.row.last_used == r->now);
	assert_int_equal(resolve(r, in.access_token, NULL).code, TROTH_UNAUTHENTICATED); /* another API's */
	bad(r, in.refresh_token, "not known here"); /* is for refreshing, not for calling */
	r->now += LIMIT_ACCESS_TOKEN_S * MSEC_S - 1;
	good(r, in.access_token);
	r->now += 1;
	bad(r, in.access_token, "access token expired");
	assert_string_equal(r->e.clause, ACCESS_TOKEN_EXPIRED);
	struct login_ret more = again(r, in.refresh_token, "credhub_cli");
	good(r, more.access_token);
	assert_string_equal(more.refresh_token, in.refresh_token);
	no_more(r, in.refresh_token, "opsman"); /* another client's */
	no_more(r, more.access_token, "credhub_cli");
	no_more(r, "nonsense", "credhub_cli");
	r->now += LIMIT_REFRESH_TOKEN_S * MSEC_S;
	no_more(r, in.refresh_token, "credhub_cli");
	room_free(r);
}

/* What clients read in it: three parts, claims in the middle; and no two are equal. */
static void a_token_looks_like_a_jwt(void **state)
{
	struct room *r = room_new();
	struct bytes claims;
	const struct json *j;
	person(r, "ada", "credhub");
	struct login_ret in = as(r, "ada", "correct horse");
	const char *first = strchr(in.access_token, '.'), *second = first ? strchr(first + 1, '.') : NULL;
	assert_non_null(second);
	assert_int_equal(strlen(second + 1), 43); /* 256 bits */
	char *middle = arena_text_n(r->a, first + 1, (size_t)(second - first - 1));
	for (char *p = middle; *p; p++)
		*p = *p == '-' ? '+' : *p == '_' ? '/' : *p;
	while (strlen(middle) % 4)
		middle = arena_printf(r->a, "%s=", middle);
	assert_true(rc_ok(base64_decode(r->a, middle, strlen(middle), &claims, &r->e)) && rc_ok(json_parse(r->a, claims, &j, &r->e)));
	assert_string_equal(json_get_text(j, "jti", ""), in.jti);
	assert_string_equal(json_get_text(j, "user_name", ""), "ada");
	assert_string_equal(json_get_text(j, "grant_type", ""), "password");
	assert_int_equal(json_get_int(j, "exp", 0), r->now / MSEC_S + LIMIT_ACCESS_TOKEN_S);
	assert_string_not_equal(as(r, "ada", "correct horse").access_token, in.access_token);
	char *forged = arena_text(r->a, in.access_token);
	forged[strlen(forged) - 1] ^= 1;
	bad(r, forged, "is over");
	room_free(r);
}

static void a_program_gets_no_refresh_token(void **state)
{
	struct room *r = room_new();
	person(r, "robot", "credhub");
	struct login_cmd cmd = { LOGIN_CLIENT, "robot", "correct horse" };
	struct login_ret in = try(r, &cmd);
	good(r, in.access_token);
	assert_null(in.refresh_token);
	cmd.client_secret = "";
	assert_true(try(r, &cmd).refused);
	room_free(r);
}

static void the_client_must_be_of_the_same_api(void **state)
{
	struct room *r = room_new();
	person(r, "ada", "opsmanager");
	person(r, "bob", NULL);
	struct login_cmd cmd = { LOGIN_PASSWORD, "credhub_cli", "", "ada", "correct horse" };
	assert_true(try(r, &cmd).refused);
	cmd.client = "opsman";
	assert_false(try(r, &cmd).refused);
	cmd.client_secret = "guessed";
	assert_true(try(r, &cmd).refused);
	assert_int_equal(show(r, "ada").principal.row.failures, 0); /* no password was wrong */
	cmd = (struct login_cmd){ LOGIN_PASSWORD, "troth", "", "bob", "correct horse" };
	assert_true(rc_ok(resolve(r, try(r, &cmd).access_token, NULL)));
	cmd.name = "admin"; /* has a token, and no password that "" could be */
	cmd.password = "";
	assert_true(try(r, &cmd).refused);
	room_free(r);
}

static void many_wrong_ones_lock_it_out_for_a_while(void **state)
{
	struct room *r = room_new();
	person(r, "ada", "credhub");
	struct login_ret before = as(r, "ada", "correct horse");
	for (int i = 1; i < LIMIT_LOGIN_FAILURES; i++)
		assert_true(as(r, "ada", "wrong").refused);
	assert_int_equal(show(r, "ada").principal.row.failures, LIMIT_LOGIN_FAILURES - 1);
	assert_false(as(r, "ada", "correct horse").refused); /* begins anew */
	for (int i = 1; i < LIMIT_LOGIN_FAILURES; i++)
		assert_true(as(r, "ada", "wrong").refused);
	size_t rows = room_audit_count(r);
	assert_true(as(r, "ada", "wrong").refused);
	assert_string_equal(room_last_audit(r), "principal.locked");
	assert_true(as(r, "ada", "correct horse").refused);
	assert_true(as(r, "ada", "wrong").refused);
	assert_int_equal(room_audit_count(r), rows + 1); /* and says no more meanwhile */
	assert_string_equal(show(r, "ada").principal.state, "locked");
	assert_true(show(r, "ada").principal.row.locked_until == r->now + LIMIT_LOCKOUT_S * MSEC_S);
	good(r, before.access_token); /* who is in stays in */
	assert_false(again(r, before.refresh_token, "credhub_cli").refused);
	r->now += LIMIT_LOCKOUT_S * MSEC_S - 1;
	assert_true(as(r, "ada", "correct horse").refused);
	r->now += 1;
	assert_string_equal(show(r, "ada").principal.state, "active");
	assert_true(as(r, "ada", "wrong").refused); /* counted from one again */
	assert_int_equal(show(r, "ada").principal.row.failures, 1);
	assert_false(as(r, "ada", "correct horse").refused);
	assert_int_equal(show(r, "ada").principal.row.failures, 0);
	room_free(r);
}

static void slow_mistakes_lock_nobody_out(void **state)
{
	struct room *r = room_new();
	person(r, "ada", "credhub");
	for (int i = 0; i < 3 * LIMIT_LOGIN_FAILURES; i++) {
		assert_true(as(r, "ada", "wrong").refused);
		r->now += LIMIT_LOCKOUT_S * MSEC_S;
	}
	assert_false(as(r, "ada", "correct horse").refused);
	room_free(r);
}

static void unlocked_by_hand(void **state)
{
	struct room *r = room_new();
	struct principal_view_ret ret;
	person(r, "ada", "credhub");
	for (int i = 0; i < LIMIT_LOGIN_FAILURES; i++)
		assert_true(as(r, "ada", "wrong").refused);
	assert_true(as(r, "ada", "correct horse").refused);
	room_do(r, &VERB_PRINCIPAL_UNLOCK, &(struct id_cmd){ "ada" }, &ret);
	assert_string_equal(ret.principal.state, "active");
	assert_string_equal(room_last_audit(r), "principal.unlock");
	assert_false(as(r, "ada", "correct horse").refused);
	size_t rows = room_audit_count(r);
	room_do(r, &VERB_PRINCIPAL_UNLOCK, &(struct id_cmd){ "ada" }, &ret); /* nothing to do */
	assert_int_equal(room_audit_count(r), rows);
	room_refused(r, &r->auditor, &VERB_PRINCIPAL_UNLOCK, &(struct id_cmd){ "ada" }, TROTH_FORBIDDEN, "may not");
	room_free(r);
}

/* A new password, a revoked or ended principal: what was given before is nothing at once. */
static void tokens_end_with_their_principal(void **state)
{
	struct room *r = room_new();
	struct principal_view_ret ret;
	struct no_ret none;
	person(r, "ada", "credhub");
	struct login_ret in = as(r, "ada", "correct horse");
	room_do(r, &VERB_PRINCIPAL_ROTATE, &(struct principal_rotate_cmd){ "ada", .password = "another horse" }, &ret);
	bad(r, in.access_token, "is over");
	no_more(r, in.refresh_token, "credhub_cli");
	assert_true(as(r, "ada", "correct horse").refused);
	in = as(r, "ada", "another horse");
	room_do(r, &VERB_PRINCIPAL_REVOKE, &(struct id_cmd){ "ada" }, &none);
	bad(r, in.access_token, "is over");
	no_more(r, in.refresh_token, "credhub_cli");
	assert_true(as(r, "ada", "another horse").refused);
	struct principal_add_cmd add = { "guest", "auditor", .password = "correct horse", .facade = "credhub", .expires = MSEC_MIN };
	room_do(r, &VERB_PRINCIPAL_ADD, &add, &ret);
	in = as(r, "guest", "correct horse");
	r->now += MSEC_MIN;
	bad(r, in.access_token, "guest expired");
	no_more(r, in.refresh_token, "credhub_cli");
	assert_true(as(r, "guest", "correct horse").refused);
	room_free(r);
}

/* Between the look at the password and the writer: another password. */
static void change_password(struct room *r)
{
	struct principal_view_ret ret;
	room_do(r, &VERB_PRINCIPAL_ROTATE, &(struct principal_rotate_cmd){ "ada", .password = "another horse" }, &ret);
}

static troth_rc toil_and_change(struct verb_ctx *ctx, const void *cmd, struct troth_err *e);
static struct room *changing;
static verb_toil_fn *real_toil;

static troth_rc prepare_and_change(struct verb_ctx *ctx, const void *cmd, struct troth_err *e)
{
	TRY(VERB_LOGIN.prepare(ctx, cmd, e));
	real_toil = ctx->toil;
	ctx->toil = toil_and_change;
	return RC_OK;
}

static troth_rc toil_and_change(struct verb_ctx *ctx, const void *cmd, struct troth_err *e)
{
	struct room *r = changing;
	changing = NULL;
	TRY(real_toil(ctx, cmd, e));
	if (r) {
		struct verb_ctx kept = r->ctx; /* room_do uses the same */
		change_password(r);
		r->ctx = kept;
	}
	return RC_OK;
}

static void a_password_that_changes_meanwhile_is_looked_at_again(void **state)
{
	struct room *r = room_new();
	struct login_ret ret;
	struct verb verb = VERB_LOGIN;
	verb.prepare = prepare_and_change;
	person(r, "ada", "credhub");
	changing = r;
	struct login_cmd cmd = { LOGIN_PASSWORD, "credhub_cli", "", "ada", "correct horse" };
	assert_true(rc_ok(room_try(r, &PRINCIPAL_ANONYMOUS, &verb, &cmd, &ret)));
	assert_true(ret.refused); /* it was right when it was looked at, and is not any more */
	room_free(r);
}

static void logout_ends_what_came_of_one_password(void **state)
{
	struct room *r = room_new();
	struct principal_ret who;
	struct no_ret none;
	person(r, "ada", "credhub");
	person(r, "eve", "credhub");
	struct login_ret in = as(r, "ada", "correct horse"), other = as(r, "ada", "correct horse"), eve = as(r, "eve", "correct horse");
	struct login_ret more = again(r, in.refresh_token, "credhub_cli");
	struct principal_resolve_cmd cmd = { .bearer = eve.access_token, .facade = FACADE_ANY };
	room_do(r, &VERB_PRINCIPAL_RESOLVE, &cmd, &who);
	room_refused(r, &who.principal, &VERB_LOGOUT, &(struct id_cmd){ in.jti }, TROTH_NOT_FOUND, "you have no token");
	room_refused(r, &who.principal, &VERB_LOGOUT, &(struct id_cmd){ "x" }, TROTH_NOT_FOUND, "you have no token");
	cmd.bearer = in.access_token;
	room_do(r, &VERB_PRINCIPAL_RESOLVE, &cmd, &who);
	assert_true(rc_ok(room_try(r, &who.principal, &VERB_LOGOUT, &(struct id_cmd){ in.jti }, &none)));
	bad(r, in.access_token, "is over");
	bad(r, more.access_token, "is over");
	no_more(r, in.refresh_token, "credhub_cli");
	good(r, other.access_token);
	room_free(r);
}

static void long_over_is_swept(void **state)
{
	struct room *r = room_new();
	struct sweep_ret swept;
	struct no_cmd none = { 0 };
	person(r, "ada", "credhub");
	struct login_ret in = as(r, "ada", "correct horse");
	r->now += (LIMIT_ACCESS_TOKEN_S + LIMIT_REFRESH_TOKEN_S) * MSEC_S;
	assert_true(rc_ok(room_try(r, &PRINCIPAL_SYSTEM, &VERB_SWEEP, &none, &swept)));
	bad(r, in.access_token, "expired");
	r->now += 1;
	assert_true(rc_ok(room_try(r, &PRINCIPAL_SYSTEM, &VERB_SWEEP, &none, &swept)));
	bad(r, in.access_token, "is over");
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_access_token_ends_and_is_refreshed), cmocka_unit_test(a_token_looks_like_a_jwt),
		cmocka_unit_test(a_program_gets_no_refresh_token), cmocka_unit_test(the_client_must_be_of_the_same_api),
		cmocka_unit_test(many_wrong_ones_lock_it_out_for_a_while), cmocka_unit_test(slow_mistakes_lock_nobody_out),
		cmocka_unit_test(unlocked_by_hand), cmocka_unit_test(tokens_end_with_their_principal),
		cmocka_unit_test(a_password_that_changes_meanwhile_is_looked_at_again), cmocka_unit_test(logout_ends_what_came_of_one_password),
		cmocka_unit_test(long_over_is_swept),
	};
	return cmocka_run_group_tests_name("login", tests, NULL, NULL);
}
