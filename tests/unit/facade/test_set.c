/* PUT /api/v1/data and POST .../versions of CredHub's API: what the words become. */
#include "foreign.h"

#include "base/limits.h"
#include "facade/credhub/credhub.h"
#include "service/intake/adopt.h"
#include "service/intake/set.h"

static void by_name(void **state)
{
	struct foreign f = foreign_make(&CREDHUB_SET_ROUTES, HTTP_PUT, "/api/v1/data");
	struct set_cmd *c = foreign_parse(&f, "{\"name\":\"ca\",\"type\":\"certificate\",\"value\":{\"ca\":\"\",\"ca_name\":\"by\",\"certificate\":\"C\","
					      "\"private_key\":\"K\"}}");
	assert_true(c && !c->id && !c->ca && !c->beside && c->exportable && !c->metadata);
	assert_string_equal(c->name, "/ca");
	assert_string_equal(c->issuer, "/by");
	assert_string_equal(c->certificate, "C");
	assert_string_equal(c->private_key, "K");
	c = foreign_parse(&f, "{\"name\":\"/l\",\"type\":\"certificate\",\"metadata\":{\"a\":{}},\"value\":{\"ca\":\"D\",\"certificate\":\"C\"}}");
	assert_true(c && !c->issuer && !c->private_key);
	assert_string_equal(c->ca, "D");
	assert_string_equal(c->metadata, "{\"a\":{}}");
	arena_free(f.a);
}

static void by_id(void **state)
{
	struct foreign f = foreign_make(&CREDHUB_SET_ROUTES, HTTP_POST, "/api/v1/certificates/{id}/versions");
	struct set_cmd *c = foreign_parse(&f, "{\"value\":{\"ca\":\"\",\"ca_name\":\"ca\",\"certificate\":\"C\",\"private_key\":\"K\"}}");
	assert_true(c && !c->name && !c->beside);
	assert_string_equal(c->id, "11111111-1111-4111-8111-111111111111");
	assert_string_equal(c->issuer, "/ca");
	c = foreign_parse(&f, "{\"transitional\":true,\"value\":{\"ca\":\"C\",\"certificate\":\"C\",\"private_key\":\"K\"}}");
	assert_true(c && c->beside && !c->issuer && c->ca);
	foreign_refuses(&f, "{\"transitional\":1,\"value\":{\"certificate\":\"C\",\"private_key\":\"K\"}}", 400, "transitional");
	foreign_refuses(&f, "{\"name\":\"/ca\",\"value\":{}}", 422, "'name'");
	foreign_query(&f, "dry_run", "true");
	f.q.dry_run = true;
	foreign_refuses(&f, "{}", 400, "dry_run");
	arena_free(f.a);
}

static void what_is_refused(void **state)
{
	static const struct { const char *body; int status; const char *words; } ALL[] = {
		{ "null", 400, "credential name" },
		{ "{\"name\":\"ca\"}", 422, "valid type" },
		{ "{\"name\":\"ca\",\"type\":\"ssh\"}", 400, "certificates only" },
		{ "{\"name\":\"ca\",\"type\":\"certificate\"}", 400, "At least one certificate attribute" },
		{ "{\"name\":\"ca\",\"type\":\"certificate\",\"value\":{\"ca_name\":\"/x\"}}", 400, "At least one certificate attribute" },
		{ "{\"name\":\"ca\",\"type\":\"certificate\",\"value\":{\"more\":1}}", 422, "'more'" },
		{ "{\"name\":\"ca\",\"type\":\"certificate\",\"more\":1}", 422, "'more'" },
		{ "{\"name\":\"ca\",\"type\":\"certificate\",\"value\":7}", 400, "did not meet expectation" },
		{ "{\"name\":\"ca\",\"type\":\"certificate\",\"value\":{\"ca\":\"C\",\"ca_name\":\"ca\",\"certificate\":\"C\"}}", 400, "Only one of" },
		{ "{\"name\":\"ca\",\"type\":\"certificate\",\"value\":{\"ca\":\"C\"}}", 400, "must provide a certificate" },
		{ "{\"name\":\"ca\",\"type\":\"certificate\",\"value\":{\"private_key\":\"K\"}}", 400, "must provide a certificate" },
		{ "{\"name\":\"ca\",\"type\":\"certificate\",\"value\":{\"certificate\":[],\"private_key\":\"K\"}}", 400, "certificate" },
	};
	struct foreign f = foreign_make(&CREDHUB_SET_ROUTES, HTTP_PUT, "/api/v1/data");
	for (size_t i = 0; i < ARRAY_LEN(ALL); i++)
		foreign_refuses(&f, ALL[i].body, ALL[i].status, ALL[i].words);
	arena_free(f.a);
}

static const char *pems(struct arena *a, const char *certificate, const char *ca)
{
	return arena_printf(a, "{\"name\":\"/l\",\"type\":\"certificate\",\"value\":{\"certificate\":\"%s\",\"ca\":\"%s\"}}", certificate, ca);
}

static void fewer_than_7000_characters(void **state)
{
	struct foreign f = foreign_make(&CREDHUB_SET_ROUTES, HTTP_PUT, "/api/v1/data");
	char *pem = arena_alloc(f.a, 7001);
	memset(pem, 'x', 7000);
	foreign_refuses(&f, pems(f.a, pem, "C"), 400, "must be less than 7000 characters");
	foreign_refuses(&f, pems(f.a, "C", pem), 400, "must be less than 7000 characters");
	pem[6999] = '\0';
	assert_non_null(foreign_parse(&f, pems(f.a, pem, pem)));
	arena_free(f.a);
}

/* Refusals of the verb for which the API has words. */
static void its_words_for_what_does_not_fit(void **state)
{
	static const struct { const char *clause, *words; } ALL[] = {
		{ CLAUSE_OTHER_KEY, "The provided certificate does not match the private key." },
		{ CLAUSE_NO_CERTIFICATE, "The provided certificate value is not a valid X509 certificate." },
		{ CLAUSE_NO_CA, "The provided CA value is not a valid X509 certificate authority." },
		{ CLAUSE_NO_CA_NAME, "is not a certificate authority. A certificate must contain the extension 'Certificate Authority: YES'" },
		{ CLAUSE_NOT_BY, "The provided certificate was not signed by the CA specified in the 'ca' property." },
		{ CLAUSE_NOT_BY_NAME, "The provided certificate was not signed by the CA specified in the 'ca_name' property." },
	};
	struct foreign f = foreign_make(&CREDHUB_SET_ROUTES, HTTP_PUT, "/api/v1/data");
	for (size_t i = 0; i < ARRAY_LEN(ALL); i++) {
		const char *text;
		(void)err_set(&f.e, TROTH_INVALID, "other words");
		err_clause(&f.e, ALL[i].clause);
		assert_int_equal(foreign_problem(&f, &text), 400);
		assert_non_null(strstr(text, ALL[i].words));
	}
	arena_free(f.a);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(by_name), cmocka_unit_test(by_id), cmocka_unit_test(what_is_refused),
					      cmocka_unit_test(fewer_than_7000_characters), cmocka_unit_test(its_words_for_what_does_not_fit) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
