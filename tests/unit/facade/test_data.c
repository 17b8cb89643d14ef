/* /api/v1/data of CredHub's API: what the words become. */
#include "foreign.h"

#include "facade/credhub/credhub.h"
#include "service/handout/delete.h"
#include "service/handout/generate.h"

#define POST foreign_make(&CREDHUB_DATA_ROUTES, HTTP_POST, "/api/v1/data")
#define GET foreign_make(&CREDHUB_DATA_ROUTES, HTTP_GET, "/api/v1/data")

static void a_leaf(void **state)
{
	struct foreign f = POST;
	struct generate_cmd *c = foreign_parse(&f, "{\"name\":\"x/leaf\",\"type\":\"certificate\",\"mode\":\"overwrite\",\"parameters\":{\"common_name\":\"a.example\","
						   "\"organization\":\"o\",\"ca\":\"ca\",\"alternative_names\":[\"b.example\",\"::1\"],\"duration\":7,\"country\":\"\"}}");
	assert_non_null(c);
	assert_string_equal(c->name, "/x/leaf");
	assert_string_equal(c->issuer, "/ca");
	assert_true(!c->authority && !c->exportable && !c->again && c->mode == GENERATE_OVERWRITE && c->ttl == 7 * MSEC_DAY && !c->key_type);
	assert_string_equal(c->role, "both");
	assert_int_equal(c->sans.count, 2);
	assert_string_equal(c->sans.items[1], "ip:::1");
	arena_free(f.a);
}

static void the_common_name_is_a_name(void **state)
{
	struct foreign f = POST;
	struct generate_cmd *c = foreign_parse(&f, "{\"name\":\"/l\",\"type\":\"certificate\",\"parameters\":{\"common_name\":\"a.example\",\"ca\":\"/ca\","
						   "\"extended_key_usage\":[\"client_auth\"],\"key_length\":3072}}");
	assert_non_null(c);
	assert_true(c->mode == GENERATE_CONVERGE && c->sans.count == 1);
	assert_string_equal(c->sans.items[0], "dns:a.example");
	assert_string_equal(c->role, "client");
	assert_string_equal(c->key_type, "rsa-3072");
	foreign_refuses(&f, "{\"name\":\"/l\",\"type\":\"certificate\",\"parameters\":{\"common_name\":\"no name\",\"ca\":\"/ca\"}}", 400, "alternative_names");
	foreign_refuses(&f, "{\"name\":\"/l\",\"type\":\"certificate\",\"parameters\":{\"common_name\":\"a\",\"ca\":\"/ca\",\"key_type\":\"ec-p256\",\"key_length\":2048}}",
			400, "'key_type'");
	arena_free(f.a);
}

static void a_root(void **state)
{
	struct foreign f = POST;
	struct generate_cmd *c = foreign_parse(&f, "{\"name\":\"/ca\",\"type\":\"certificate\",\"overwrite\":false,\"parameters\":{\"organization\":\"o\",\"is_ca\":true,"
						   "\"key_usage\":[\"key_cert_sign\"]}}");
	assert_non_null(c);
	assert_true(c->authority && c->exportable && !c->issuer && c->mode == GENERATE_KEEP && c->sans.count == 0);
	foreign_refuses(&f, "{\"name\":\"/ca\",\"type\":\"certificate\",\"parameters\":{\"common_name\":\"x\",\"self_sign\":true}}", 400, "self-signed leaves");
	foreign_refuses(&f, "{\"name\":\"/ca\",\"type\":\"certificate\",\"overwrite\":1,\"parameters\":{}}", 400, "true or false");
	foreign_refuses(&f, "{\"name\":\"/ca\",\"type\":\"certificate\",\"mode\":\"so\",\"parameters\":{}}", 400, "mode is one of");
	arena_free(f.a);
}

/* What the certificate shall say besides: a place, usages of the key; and what is kept with it. */
static void the_rest_of_the_parameters(void **state)
{
	struct foreign f = POST;
	struct generate_cmd *c = foreign_parse(&f, "{\"name\":\"/l\",\"type\":\"certificate\",\"metadata\":{ \"a\": [1, 2.50] },\"parameters\":{\"locality\":\"l\","
						   "\"state\":\"s\",\"country\":\"de\",\"alternative_names\":[\"a.example\"],\"ca\":\"/ca\","
						   "\"key_usage\":[\"data_encipherment\",\"non_repudiation\"]}}");
	assert_non_null(c);
	assert_string_equal(c->place.locality, "l");
	assert_string_equal(c->place.state, "s");
	assert_string_equal(c->place.country, "de");
	assert_string_equal(c->metadata, "{\"a\":[1,2.5]}");
	assert_int_equal(c->key_usage, USAGE_DATA_ENCIPHERMENT | USAGE_NON_REPUDIATION);
	c = foreign_parse(&f, "{\"name\":\"/l\",\"type\":\"certificate\",\"metadata\":null,\"parameters\":{\"common_name\":\"a.example\",\"ca\":\"/ca\"}}");
	assert_true(c && !c->metadata && !c->key_usage && !c->place.country);
	arena_free(f.a);
}

static void what_is_not_written_is_refused_by_name(void **state)
{
	static const struct { const char *said, *why; } ALL[] = {
		{ "\"key_usage\":[\"key_cert_sign\"]", "'key_cert_sign' into a leaf: only a CA" },
		{ "\"key_usage\":[\"crl_sign\"]", "'crl_sign' into a leaf: only a CA" },
		{ "\"key_usage\":[\"encipher_only\"]", "TLS does not use" },
		{ "\"key_usage\":[\"decipher_only\"]", "TLS does not use" },
		{ "\"key_usage\":[\"sign\"]", "can be asked for" },
		{ "\"key_usage\":[\"key_agreement\"]", "which no key of type rsa-2048 does" },
		{ "\"key_usage\":[\"digital_signature\"],\"is_ca\":true", "a CA: key_cert_sign and crl_sign are there always" },
		{ "\"extended_key_usage\":[\"server_auth\",\"code_signing\"]", "'code_signing'" },
		{ "\"country\":\"D\"", "$.country is not a country's two letters" },
	};
	struct foreign f = POST;
	for (size_t i = 0; i < ARRAY_LEN(ALL); i++)
		foreign_refuses(&f, arena_printf(f.a, "{\"name\":\"/l\",\"type\":\"certificate\",\"parameters\":{\"common_name\":\"a.example\",\"ca\":\"/ca\",%s}}",
						 ALL[i].said), 400, ALL[i].why);
	foreign_refuses(&f, "{\"name\":\"/l\",\"regenerate\":true,\"metadata\":[]}", 400, "metadata is a JSON object");
	foreign_refuses(&f, "{\"name\":\"/l\",\"regenerate\":true,\"metadata\":{\"a\":1e999}}", 400, "too large");
	foreign_refuses(&f, "{\"name\":\"/l\",\"regenerate\":true,\"metadata\":{\"a\":18446744073709551615}}", 400, "did not meet expectation");
	arena_free(f.a);
}

static void once_more(void **state)
{
	struct foreign f = POST;
	struct generate_cmd *c = foreign_parse(&f, "{\"name\":\"/l\",\"regenerate\":true,\"metadata\":{}}");
	assert_true(c && c->again && !c->beside && !c->ttl);
	assert_string_equal(c->metadata, "{}");
	struct foreign g = foreign_make(&CREDHUB_DATA_ROUTES, HTTP_POST, "/api/v1/regenerate");
	c = foreign_parse(&g, "{\"name\":\"l\"}");
	assert_true(c && c->again);
	assert_string_equal(c->name, "/l");
	foreign_refuses(&g, "{\"type\":\"x\"}", 422, "'type'");
	arena_free(f.a);
	arena_free(g.a);
}

static void looking(void **state)
{
	struct foreign f = GET;
	foreign_query(&f, "name", "l");
	foreign_query(&f, "versions", "3");
	struct lookup_cmd *c = foreign_parse(&f, NULL);
	assert_true(c && c->newest == 3 && c->keys && !c->current);
	assert_string_equal(c->name, "/l");
	struct foreign g = GET;
	foreign_query(&g, "path", "x/");
	foreign_query(&g, "expires-within-days", "36500"); /* more than any certificate made here lives */
	c = foreign_parse(&g, "null");
	assert_true(c && c->list && c->list->ends_before == g.q.now + 36500 * MSEC_DAY);
	assert_string_equal(c->list->path, "/x/");
	struct foreign h = GET;
	foreign_query(&h, "name", "l");
	foreign_query(&h, "versions", "-1");
	assert_null(foreign_parse(&h, NULL));
	struct foreign d = foreign_make(&CREDHUB_DATA_ROUTES, HTTP_DELETE, "/api/v1/data");
	foreign_refuses(&d, NULL, 400, "name is required");
	foreign_query(&d, "name", "l");
	assert_string_equal(((struct delete_cmd *)foreign_parse(&d, NULL))->name, "/l");
	arena_free(f.a);
	arena_free(g.a);
	arena_free(h.a);
	arena_free(d.a);
}

/* What was sent in another shape than it should is refused, and no part of it is believed. */
static void hostile_bodies(void **state)
{
	static const char *const BODIES[] = { "{", "[]", "\"x\"", "1", "{\"name\":1}", "{\"name\":{}}", "{\"name\":\"/a\",\"type\":null}", "{\"parameters\":[]}",
					      "{\"name\":\"/a\",\"type\":\"certificate\",\"parameters\":[1]}",
					      "{\"name\":\"/a\",\"type\":\"certificate\",\"parameters\":{\"alternative_names\":\"x\"}}",
					      "{\"name\":\"/a\",\"type\":\"certificate\",\"parameters\":{\"is_ca\":\"yes\"}}",
					      "{\"name\":\"/a\",\"type\":\"certificate\",\"parameters\":{\"common_name\":\"x\",\"is_ca\":true,\"duration\":1e99}}" };
	struct foreign f = POST;
	const char *text;
	for (size_t i = 0; i < ARRAY_LEN(BODIES); i++) {
		assert_null(foreign_parse(&f, BODIES[i]));
		assert_int_equal(foreign_problem(&f, &text), 400);
		assert_true(text_starts(text, "{\"error\":\""));
	}
	foreign_header(&f, "Content-Type", "text/plain");
	foreign_refuses(&f, "{\"name\":\"/a\"}", 400, "did not meet expectation");
	arena_free(f.a);
}

/* Each kind of error, as CredHub says it. */
static void errors(void **state)
{
	static const struct { enum troth_kind kind; const char *clause; int status; const char *words; } ALL[] = {
		{ TROTH_NOT_FOUND, "", 404, "credential does not exist" }, { TROTH_FORBIDDEN, "", 403, "credential does not exist" },
		{ TROTH_UNSAFE, "", 400, "the words" },			  { TROTH_CONFLICT, "", 400, "the words" },
		{ TROTH_UNAVAILABLE, "", 503, "the words" },		  { TROTH_INTERNAL, "", 500, "An application error occurred" },
		{ TROTH_UNAUTHENTICATED, "", 401, "\"error\":\"access_denied\",\"error_description\":\"the words\"" },
		{ TROTH_UNAUTHENTICATED, ACCESS_TOKEN_EXPIRED, 401, "\"error\":\"access_token_expired\",\"error_description\":\"the words\"" },
		{ TROTH_NOT_FOUND, CLAUSE_NO_ISSUER, 404, "the CA does not exist" }, { TROTH_CONFLICT, CLAUSE_STATIC, 400, "statically set" },
		{ TROTH_INVALID, "type:method-not-allowed", 404, "" },
	};
	struct foreign f = POST;
	for (size_t i = 0; i < ARRAY_LEN(ALL); i++) {
		const char *text;
		assert_true(rc_failed(err_set(&f.e, ALL[i].kind, "the words")));
		err_clause(&f.e, ALL[i].clause);
		assert_int_equal(foreign_problem(&f, &text), ALL[i].status);
		assert_non_null(strstr(text, ALL[i].words));
		assert_true(ALL[i].words[0] || !text[0]);
	}
	arena_free(f.a);
}

/* Who may not delete hears what he hears of what is not there. */
static void deletes_hide(void **state)
{
	struct foreign f = foreign_make(&CREDHUB_DATA_ROUTES, HTTP_DELETE, "/api/v1/data");
	const char *text;
	assert_true(rc_failed(err_set(&f.e, TROTH_FORBIDDEN, "the words")));
	assert_int_equal(foreign_problem(&f, &text), 404);
	assert_non_null(strstr(text, "credential does not exist"));
	arena_free(f.a);
}

/* By a certificate that is no application's, and by a token beside it. */
static void no_identity(void **state)
{
	struct foreign f = POST;
	const char *text;
	f.q.peer_cert = bytes_of_text("DER");
	assert_true(rc_failed(err_set(&f.e, TROTH_UNAUTHENTICATED, "the words")));
	assert_int_equal(foreign_problem(&f, &text), 401);
	assert_true(text_starts(text, "{\"error\":\"The provided authentication mechanism does not provide a valid identity."));
	assert_null(strstr(text, "error_description"));
	f.q.bearer = "x";
	assert_int_equal(foreign_problem(&f, &text), 401);
	assert_true(text_starts(text, "{\"error\":\"invalid_token\",\"error_description\":"));
	arena_free(f.a);
}

/* The auth-server is this server, by the name and in the way that the caller came; a host that is none is not repeated. */
static void info(void **state)
{
	static const struct { const char *host; bool plain; const char *url; } ALL[] = {
		{ "troth.example:8443", false, "https://troth.example:8443\"" }, { "127.0.0.1:1", true, "http://127.0.0.1:1\"" },
		{ "[::1]:8443", false, "https://[::1]:8443\"" },		   { "a/../b\"", false, "https://localhost\"" },
		{ NULL, false, "https://localhost\"" },
	};
	for (size_t i = 0; i < ARRAY_LEN(ALL); i++) {
		struct foreign f = foreign_make(&CREDHUB_SERVER_ROUTES, HTTP_GET, "/info");
		CLEANUP(http_reply_release) struct http_reply reply = http_reply_make();
		f.q.plain = ALL[i].plain;
		if (ALL[i].host)
			foreign_header(&f, "Host", ALL[i].host);
		f.row->render(f.a, &f.q, NULL, NULL, &reply);
		assert_non_null(strstr(buf_text(&reply.body), ALL[i].url));
		arena_free(f.a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leaf),  cmocka_unit_test(the_common_name_is_a_name), cmocka_unit_test(a_root), cmocka_unit_test(once_more),
		cmocka_unit_test(the_rest_of_the_parameters), cmocka_unit_test(what_is_not_written_is_refused_by_name),
		cmocka_unit_test(looking), cmocka_unit_test(hostile_bodies),	       cmocka_unit_test(errors), cmocka_unit_test(info),
		cmocka_unit_test(deletes_hide), cmocka_unit_test(no_identity),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
