/* /oauth/token as clients of UAA use it: the bytes that they send, and what else could come. */
#include "call.h"

#include "facade/uaa/uaa.h"

static const struct http_pair FORM[] = { { "Content-Type", "application/x-www-form-urlencoded" } };

static struct call *begin(const char *facade)
{
	struct call *c = call_new();
	struct principal_view_ret made;
	struct principal_add_cmd add = { "ada", "operator", .password = "correct horse", .facade = facade };
	room_do(c->room, &VERB_PRINCIPAL_ADD, &add, &made);
	c->request_headers = (struct http_pairs){ FORM, 1 };
	c->bearer = NULL;
	return c;
}

static void refused(struct call *c, int status, const char *error, const char *text, const char *form)
{
	call_expect(c, status, HTTP_POST, "/oauth/token", form);
	call_is(c, "error", error);
	call_has(c, "error_description", text);
	call_is(c, "access_token", NULL);
}

/* As seen on the wire: the credhub CLI, a person. */
static void the_credhub_cli_logs_a_person_in(void **state)
{
	struct call *c = begin("credhub");
	call_expect(c, 200, HTTP_POST, "/oauth/token",
		    "client_id=credhub_cli&client_secret=&grant_type=password&password=correct+horse&response_type=token&username=ada");
	call_is(c, "token_type", "bearer");
	call_is(c, "expires_in", "600");
	call_is(c, "scope", "credhub.read credhub.write");
	assert_true(uuid_valid(call_at(c, "jti")));
	const char *refresh = call_at(c, "refresh_token");
	assert_non_null(refresh);
	call_expect(c, 200, HTTP_POST, "/oauth/token",
		    arena_printf(c->room->a, "client_id=credhub_cli&client_secret=&grant_type=refresh_token&refresh_token=%s&response_type=token", refresh));
	call_is(c, "refresh_token", refresh);
	assert_non_null(call_at(c, "access_token"));
	call_free(c);
}

/* As seen on the wire: the credhub CLI, a program; and om's, by Basic, with a password that needs encoding. */
static void programs_log_in(void **state)
{
	struct call *c = begin("credhub");
	call_expect(c, 200, HTTP_POST, "/oauth/token", "client_id=ada&client_secret=correct+horse&grant_type=client_credentials&response_type=token");
	call_is(c, "refresh_token", NULL);
	c->basic_user = "ada";
	c->basic_password = "correct+horse";
	call_expect(c, 200, HTTP_POST, "/uaa/oauth/token", "grant_type=client_credentials&token_format=jwt");
	c->basic_password = "correct%20horse";
	call_expect(c, 200, HTTP_POST, "/uaa/oauth/token", "grant_type=client_credentials");
	c->basic_password = "correct horse";
	call_expect(c, 200, HTTP_POST, "/uaa/oauth/token", "grant_type=client_credentials");
	c->basic_password = "100%";
	refused(c, 401, "invalid_client", "Bad credentials", "grant_type=client_credentials");
	refused(c, 400, "invalid_request", "another client", "grant_type=client_credentials&client_id=bob");
	call_free(c);
}

/* As om does: Basic "opsman:" and the id in the form too. */
static void om_logs_a_person_in(void **state)
{
	struct call *c = begin("opsmanager");
	c->basic_user = "opsman";
	c->basic_password = "";
	call_expect(c, 200, HTTP_POST, "/uaa/oauth/token", "client_id=opsman&grant_type=password&username=ada&password=correct%20horse&token_format=jwt");
	call_is(c, "scope", "opsman.admin");
	call_free(c);
}

static void wrong_ones_hear_the_same(void **state)
{
	struct call *c = begin("credhub");
	static const char *const forms[] = {
		"client_id=credhub_cli&grant_type=password&username=ada&password=wrong",
		"client_id=credhub_cli&grant_type=password&username=nobody&password=correct+horse",
		"client_id=opsman&grant_type=password&username=ada&password=correct+horse",
		"client_id=strange&grant_type=password&username=ada&password=correct+horse",
		"client_id=credhub_cli&client_secret=x&grant_type=password&username=ada&password=correct+horse",
	};
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		refused(c, 401, "unauthorized", "Bad credentials", forms[i]);
		assert_string_equal(c->text, "{\"error\":\"unauthorized\",\"error_description\":\"Bad credentials\"}");
	}
	refused(c, 401, "invalid_token", "refresh token expired, was revoked", "client_id=credhub_cli&grant_type=refresh_token&refresh_token=x");
	call_free(c);
}

static void forms_that_are_none(void **state)
{
	struct call *c = begin("credhub");
	struct arena *a = c->room->a;
	char *many = arena_text(a, "a=1"), *value = arena_alloc(a, LIMIT_TEXT_BYTES + 2);
	for (int i = 0; i < 64; i++)
		many = arena_printf(a, "%s&p%d=1", many, i);
	memset(value, 'x', LIMIT_TEXT_BYTES + 1);
	refused(c, 400, "invalid_request", "Missing grant type", NULL);
	refused(c, 400, "invalid_request", "Missing grant type", "&&&=x");
	refused(c, 400, "unsupported_grant_type", "authorization_code", "grant_type=authorization_code&client_id=credhub_cli");
	refused(c, 400, "invalid_request", "Missing username", "grant_type=password&client_id=credhub_cli&password=x");
	refused(c, 400, "invalid_request", "Missing password", "grant_type=password&client_id=credhub_cli&username=x");
	refused(c, 400, "invalid_request", "Missing refresh_token", "grant_type=refresh_token&client_id=credhub_cli");
	refused(c, 400, "invalid_request", "Missing client_id", "grant_type=client_credentials");
	refused(c, 400, "invalid_request", "grant_type is said twice", "grant_type=password&client_id=c&grant_type=password");
	refused(c, 400, "invalid_request", "", "grant_type=password%00&client_id=c");
	refused(c, 400, "invalid_request", "", "grant_type=%zz");
	refused(c, 413, "invalid_request", "more than 64", many);
	refused(c, 413, "invalid_request", "username has more than", arena_printf(a, "grant_type=password&client_id=credhub_cli&password=x&username=%s", value));
	c->dry_run = true;
	refused(c, 400, "invalid_request", "dry_run", "client_id=credhub_cli&grant_type=password&username=ada&password=correct+horse");
	c->dry_run = false;
	c->idempotency_key = "k";
	refused(c, 400, "invalid_request", "Idempotency-Key", "client_id=credhub_cli&grant_type=password&username=ada&password=correct+horse");
	c->idempotency_key = NULL;
	static const struct http_pair json[] = { { "Content-Type", "application/json" } };
	c->request_headers = (struct http_pairs){ json, 1 };
	refused(c, 415, "invalid_request", "form", "{}");
	call_free(c);
}

static void logout_is_one_s_own(void **state)
{
	struct call *c = begin("credhub");
	const char *login = "client_id=credhub_cli&client_secret=&grant_type=password&password=correct+horse&username=ada";
	call_expect(c, 200, HTTP_POST, "/oauth/token", login);
	const char *path = arena_printf(c->room->a, "/oauth/token/revoke/%s", call_at(c, "jti")), *token = call_at(c, "access_token");
	call_expect(c, 401, HTTP_DELETE, path, NULL);
	call_is(c, "error", "access_denied");
	c->bearer = "wrong";
	call_expect(c, 401, HTTP_DELETE, path, NULL);
	call_is(c, "error", "invalid_token");
	c->bearer = token;
	call_expect(c, 404, HTTP_DELETE, "/oauth/token/revoke/x", NULL);
	call_expect(c, 200, HTTP_DELETE, path, NULL);
	assert_string_equal(c->text, "");
	call_expect(c, 401, HTTP_DELETE, path, NULL);
	call_is(c, "error", "access_token_expired"); /* who has a refresh token comes with that; it is over too */
	c->bearer = NULL;
	call_expect(c, 200, HTTP_POST, "/oauth/token", login);
	c->bearer = call_at(c, "access_token");
	path = arena_printf(c->room->a, "/oauth/token/revoke/%s", call_at(c, "jti"));
	c->room->now += LIMIT_ACCESS_TOKEN_S * MSEC_S;
	call_expect(c, 401, HTTP_DELETE, path, NULL);
	call_is(c, "error", "access_token_expired");
	call_expect(c, 401, HTTP_GET, "/api/v1/data?path=/", NULL); /* and so CredHub's own routes say it */
	call_is(c, "error", "access_token_expired");
	call_free(c);
}

static void errors_have_words(void **state)
{
	static const struct { enum troth_kind kind; int status; const char *word; } kinds[] = {
		{ TROTH_FORBIDDEN, 403, "access_denied" }, { TROTH_BUSY, 429, "temporarily_unavailable" },
		{ TROTH_UNAVAILABLE, 503, "temporarily_unavailable" }, { TROTH_INTERNAL, 500, "server_error" }, { TROTH_CONFLICT, 409, "invalid_request" },
	};
	struct arena *a = arena_new(1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		CLEANUP(http_reply_release) struct http_reply reply = http_reply_make();
		struct http_request r = { 0 };
		struct troth_err e = { 0 };
		(void)err_set(&e, kinds[i].kind, "because \"so\"").code;
		err_hint(&e, "wait");
		uaa_problem(a, &r, &e, &reply);
		assert_int_equal(reply.status, kinds[i].status);
		assert_string_equal(buf_text(&reply.body), arena_printf(a, "{\"error\":\"%s\",\"error_description\":\"because \\\"so\\\"; wait\"}", kinds[i].word));
	}
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_credhub_cli_logs_a_person_in), cmocka_unit_test(programs_log_in), cmocka_unit_test(om_logs_a_person_in),
		cmocka_unit_test(wrong_ones_hear_the_same), cmocka_unit_test(forms_that_are_none), cmocka_unit_test(logout_is_one_s_own),
		cmocka_unit_test(errors_have_words),
	};
	return cmocka_run_group_tests_name("oauth", tests, NULL, NULL);
}
