/* PUT /api/v1/data of CredHub's API: what the words become. */
#include "foreign.h"

#include "facade/credhub/credhub.h"
#include "service/ca/adopt.h"

static void a_ca_with_its_key(void **state)
{
	struct foreign f = foreign_make(&CREDHUB_SET_ROUTES, HTTP_PUT, "/api/v1/data");
	struct authority_adopt_cmd *c = foreign_parse(&f, "{\"name\":\"ca\",\"type\":\"certificate\",\"value\":{\"ca\":\"\",\"ca_name\":\"\",\"certificate\":\"C\","
							  "\"private_key\":\"K\"}}");
	assert_non_null(c);
	assert_string_equal(c->name, "/ca");
	assert_string_equal(c->certificate, "C");
	assert_string_equal(c->private_key, "K");
	assert_true(c->exportable);
	assert_null(c->metadata);
	c = foreign_parse(&f, "{\"name\":\"ca\",\"type\":\"certificate\",\"metadata\":{\"a\":{}},\"value\":{\"certificate\":\"C\",\"private_key\":\"K\"}}");
	assert_string_equal(c->metadata, "{\"a\":{}}");
	assert_non_null(foreign_parse(&f, "{\"name\":\"ca\",\"type\":\"certificate\",\"value\":{\"ca\":\"C\",\"certificate\":\"C\",\"private_key\":\"K\"}}"));
	assert_non_null(foreign_parse(&f, "{\"name\":\"ca\",\"type\":\"certificate\",\"value\":{\"ca_name\":\"ca\",\"certificate\":\"C\",\"private_key\":\"K\"}}"));
	arena_free(f.a);
}

static void a_next_version(void **state)
{
	struct foreign f = foreign_make(&CREDHUB_SET_ROUTES, HTTP_POST, "/api/v1/certificates/{id}/versions");
	struct authority_adopt_next_cmd *c = foreign_parse(&f, "{\"value\":{\"ca\":\"\",\"ca_name\":\"ca\",\"certificate\":\"C\",\"private_key\":\"K\"}}");
	assert_non_null(c);
	assert_string_equal(c->id, "11111111-1111-4111-8111-111111111111");
	assert_string_equal(c->signer, "/ca");
	assert_string_equal(c->certificate, "C");
	assert_string_equal(c->private_key, "K");
	assert_false(c->beside);
	c = foreign_parse(&f, "{\"transitional\":true,\"value\":{\"ca\":\"C\",\"certificate\":\"C\",\"private_key\":\"K\"}}");
	assert_true(c && c->beside && !c->signer);
	foreign_refuses(&f, "{\"value\":{\"ca\":\"D\",\"certificate\":\"C\",\"private_key\":\"K\"}}", 400, "self-signed CA");
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
		{ "{\"name\":\"ca\",\"type\":\"certificate\",\"value\":{\"more\":1}}", 422, "'more'" },
		{ "{\"name\":\"ca\",\"type\":\"certificate\",\"more\":1}", 422, "'more'" },
		{ "{\"name\":\"ca\",\"type\":\"certificate\",\"value\":7}", 400, "did not meet expectation" },
		{ "{\"name\":\"ca\",\"type\":\"certificate\",\"value\":{\"ca\":\"C\",\"ca_name\":\"ca\",\"certificate\":\"C\"}}", 400, "Only one of" },
		{ "{\"name\":\"ca\",\"type\":\"certificate\",\"value\":{\"certificate\":\"C\"}}", 400, "with its private key" },
		{ "{\"name\":\"l\",\"type\":\"certificate\",\"value\":{\"ca_name\":\"ca\",\"certificate\":\"C\",\"private_key\":\"K\"}}", 400, "credential upload" },
		{ "{\"name\":\"ca\",\"type\":\"certificate\",\"value\":{\"certificate\":[],\"private_key\":\"K\"}}", 400, "certificate" },
	};
	struct foreign f = foreign_make(&CREDHUB_SET_ROUTES, HTTP_PUT, "/api/v1/data");
	for (size_t i = 0; i < ARRAY_LEN(ALL); i++)
		foreign_refuses(&f, ALL[i].body, ALL[i].status, ALL[i].words);
	arena_free(f.a);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_ca_with_its_key), cmocka_unit_test(a_next_version), cmocka_unit_test(what_is_refused) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
