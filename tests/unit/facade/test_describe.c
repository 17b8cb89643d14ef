/* Type words, answers and statuses as rows write them. */
#include "../unit.h"

#include "facade/native/describe.h"

#include <string.h>

#include "service/nouns.h"

static void test_types(void **state)
{
	struct api_type t = api_type_read("~[uuid]?");
	assert_true(t.optional && t.nullable && t.list && !t.map && api_type_is(&t, "uuid"));
	t = api_type_read("{text}");
	assert_true(!t.optional && !t.nullable && t.map && api_type_is(&t, "text"));
	t = api_type_read("=a|b");
	assert_true(!t.list && api_type_is(&t, "=a|b"));
	assert_false(api_type_is(&t, "=a"));
}

static void test_nouns_and_members(void **state)
{
	size_t n;
	const struct api_field *f = api_fields_of("Authority", strlen("Authority"), &n);
	assert_string_equal(f->name, "id");
	assert_true(n > 20);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(f[i].noun, "Authority");
	assert_string_equal(api_field_of("Bundle", "members")->type, "[BundleMember]");
	assert_null(api_field_of("Bundle", "nothing"));
	assert_null(api_fields_of("Auth", 4, &n));
	assert_true(api_noun_known("Empty", 5) && !api_noun_known("Emp", 3));
	assert_string_equal(api_query_of("limit", 5)->type, "int");
	assert_null(api_query_of("lim", 3));
}

static void test_answers(void **state)
{
	const char *at = "200 application/x-pem-file|BindingBundle, 304";
	struct api_answer x;
	assert_true(api_answer_next(&at, &x));
	assert_int_equal(x.status, 200);
	assert_int_equal(x.len, strlen("application/x-pem-file|BindingBundle"));
	assert_true(api_answer_next(&at, &x));
	assert_int_equal(x.status, 304);
	assert_int_equal(x.len, 0);
	assert_false(api_answer_next(&at, &x));
}

/* A status is described because of what the row is, not because somebody thought of it. */
static void test_statuses(void **state)
{
	struct api_answer x;
	struct route read = { HTTP_GET, "/v1/x", &VERB_AUTHORITY_LIST, .gives = "200 [Authority]" };
	struct route make = { HTTP_POST, "/v1/x/{id}", &VERB_AUTHORITY_CREATE, .gives = "201 Authority", .takes = "Enroll" };
	assert_true(api_gives(&read, 200, &x) && !api_gives(&read, 201, &x));
	assert_true(api_gives(&make, 201, &x) && api_gives(&make, 200, &x)); /* a dry run */
	assert_true(api_fails(&read, 400) && api_fails(&read, 401) && api_fails(&read, 403) && api_fails(&read, 503));
	assert_false(api_fails(&read, 404) || api_fails(&read, 409) || api_fails(&read, 412) || api_fails(&read, 415));
	assert_true(api_fails(&make, 404) && api_fails(&make, 409) && api_fails(&make, 412) && api_fails(&make, 413) && api_fails(&make, 415));
	read.flags = ROUTE_NO_AUTH;
	read.fails = "404 409";
	assert_false(api_fails(&read, 401) || api_fails(&read, 403));
	assert_true(api_fails(&read, 404) && api_fails(&read, 409));
	assert_false(api_fails(&read, 40) || api_fails(&make, 500));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types), cmocka_unit_test(test_nouns_and_members), cmocka_unit_test(test_answers),
		cmocka_unit_test(test_statuses),
	};
	return cmocka_run_group_tests_name("describe", tests, NULL, NULL);
}
