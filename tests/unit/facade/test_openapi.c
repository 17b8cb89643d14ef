/* The API's description: each row of the route table is in it, with all that it says of itself.  (That it is OpenAPI, and that
 * real answers keep to it: tests/e2e/test_openapi.py.) */
#include "../unit.h"

#include "call.h"

#include "facade/native/describe.h"

static void each_row(void (*look)(struct call *c, const struct route *row))
{
	struct call *c = call_new();
	call_expect(c, 200, HTTP_GET, "/v1/openapi.json", NULL);
	for (size_t t = 0; t < NATIVE_TABLE_COUNT; t++)
		for (size_t i = 0; i < NATIVE_TABLES[t]->count; i++)
			look(c, &NATIVE_TABLES[t]->rows[i]);
	call_free(c);
}

static void says_all(struct call *c, const struct route *row)
{
	struct api_answer x;
	if (!row->summary || !row->gives)
		fail_msg("%s %s says nothing of itself: see src/edge/route.h", http_method_name(row->method), row->pattern);
	for (const char *at = row->gives; api_answer_next(&at, &x);)
		for (const char *p = x.words; p < x.words + x.len;) {
			size_t n = strcspn(p, "|,");
			if (!memchr(p, '/', n) && !api_noun_known(p + (*p == '['), n - (*p == '[' ? 2 : 0)))
				fail_msg("%s gives %.*s, which is no noun of nouns.c", row->pattern, (int)n, p);
			p += n + 1;
		}
	for (const char *p = row->query ? row->query : ""; *p;) {
		size_t n = strcspn(p, " ");
		if (!api_query_of(p, n))
			fail_msg("%s takes ?%.*s, which describe.c does not know", row->pattern, (int)n, p);
		p += n + strspn(p + n, " ");
	}
}

static void test_rows_say_all(void **state) { each_row(says_all); }

static const struct json *operation(struct call *c, const struct route *row)
{
	char method[8] = "";
	for (size_t i = 0; http_method_name(row->method)[i]; i++)
		method[i] = (char)(http_method_name(row->method)[i] + 'a' - 'A');
	const struct json *j = json_get(json_get(json_get(c->json, "paths"), row->pattern), method);
	if (!j)
		fail_msg("%s %s is not described", method, row->pattern);
	return j;
}

static bool has_parameter(const struct json *op, const char *ref)
{
	const struct json *list = json_get(op, "parameters");
	for (size_t i = 0; i < list->list.count; i++)
		if (text_ends(json_get_text(&list->list.items[i], "$ref", ""), ref))
			return true;
	return false;
}

static void is_described(struct call *c, const struct route *row)
{
	const struct json *op = operation(c, row), *schema;
	assert_string_equal(json_get_text(op, "summary", ""), row->summary);
	assert_string_equal(json_get_text(op, "x-verb", ""), row->verb->name);
	assert_int_equal(has_parameter(op, "/dry_run"), row->verb->kind == VERB_WRITE && !(row->flags & ROUTE_SIGNS));
	assert_int_equal(has_parameter(op, "/idempotency_key"), row->verb->kind == VERB_WRITE);
	assert_int_equal(has_parameter(op, "/if_match"), !!(row->flags & ROUTE_IF_MATCH));
	assert_int_equal(has_parameter(op, "/wait"), !!(row->flags & ROUTE_HOLD));
	schema = json_get(json_get(json_get(json_get(op, "requestBody"), "content"), "application/json"), "schema");
	assert_int_equal(!!schema, row->body.count || row->takes);
	for (size_t i = 0; i < row->body.count; i++)
		assert_non_null(json_get(json_get(schema, "properties"), row->body.rows[i].name));
}

static void test_each_row_is_described(void **state) { each_row(is_described); }

static const struct json *body_member(struct call *c, const char *path, const char *name)
{
	const struct json *op = json_get(json_get(json_get(c->json, "paths"), path), "post");
	const struct json *schema = json_get(json_get(json_get(json_get(op, "requestBody"), "content"), "application/json"), "schema");
	return json_get(json_get(schema, "properties"), name);
}

static void test_bodies_are_what_parse_reads(void **state)
{
	struct call *c = call_new();
	call_expect(c, 200, HTTP_GET, "/v1/openapi.json", NULL);
	call_is(c, "openapi", "3.1.0");
	const struct json *certificates = body_member(c, "/v1/bundles", "certificates");
	assert_non_null(json_get(json_get(json_get(certificates, "items"), "properties"), "pem"));
	const struct json *role = json_get(body_member(c, "/v1/credentials", "role"), "enum");
	assert_string_equal(role->list.items[1].str.s, "client");
	assert_string_equal(json_get_text(body_member(c, "/v1/tokens", "deployment"), "type", ""), "string"); /* needed: never null */
	call_free(c);
}

/* Who may read may see it; an agent and a stranger may not. */
static void test_who_may(void **state)
{
	struct call *c = call_new();
	const char *admin = c->bearer;
	call_expect(c, 201, HTTP_POST, "/v1/principals", "{\"name\":\"dev\",\"role\":\"developer\",\"scope\":\"/prod/*\"}");
	c->bearer = call_at(c, "token");
	call_expect(c, 200, HTTP_GET, "/v1/openapi.json", NULL);
	c->bearer = NULL;
	call_expect(c, 401, HTTP_GET, "/v1/openapi.json", NULL);
	c->bearer = admin;
	call_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_say_all), cmocka_unit_test(test_each_row_is_described),
		cmocka_unit_test(test_bodies_are_what_parse_reads), cmocka_unit_test(test_who_may),
	};
	return cmocka_run_group_tests_name("openapi", tests, NULL, NULL);
}
