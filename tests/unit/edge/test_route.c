/* A request is held to what its row says of itself. */
#include "edge/route.h"

#include "../unit.h"

#include <string.h>

#include "service/verb.h"

static const struct verb LOOK = { "look", VERB_READ }, CHANGE = { "change", VERB_WRITE };
static const struct route LIST = { HTTP_GET, "/v1/x", &LOOK, .summary = "List", .query = "name after limit" };
static const struct route HELD = { HTTP_GET, "/v1/x/{id}", &LOOK, .flags = ROUTE_HOLD, .summary = "Show" };
static const struct route MAKE = { HTTP_POST, "/v1/x", &CHANGE, .summary = "Make" };
static const struct route EDIT = { HTTP_PATCH, "/v1/x/{id}", &CHANGE, .flags = ROUTE_IF_MATCH, .summary = "Edit" };
static const struct route SIGN = { HTTP_POST, "/v1/z", &CHANGE, .flags = ROUTE_SIGNS, .summary = "Sign" };
static const struct route TAKE = { HTTP_POST, "/v1/t", &CHANGE, .summary = "Take", .takes = "Thing" };
static const struct route SILENT = { HTTP_GET, "/v1/y", &LOOK };

static troth_rc check(struct arena *a, const struct route *route, const char *first, const char *second, const char *if_match)
{
	struct http_pair pairs[] = { { first, "1" }, { second, "2" } };
	struct http_request r = { .query = { pairs, first ? second ? 2 : 1 : 0 }, .if_match = if_match };
	return route_check(a, route, &r, &unit_err);
}

static void test_words(void **state)
{
	assert_true(route_word_in("name after limit", "after", 5) && route_word_in("name", "name", 4));
	assert_false(route_word_in("name after", "aft", 3) || route_word_in("name after", "e a", 3) || route_word_in(NULL, "x", 1));
}

static void test_query_parameters(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	assert_ok(check(a, &LIST, "name", "limit", NULL));
	assert_fails(check(a, &LIST, "nmae", NULL, NULL), TROTH_INVALID);
	assert_string_equal(unit_err.findings->path, "?nmae");
	assert_string_equal(unit_err.findings->hint, "known here: name after limit");
	assert_fails(check(a, &LIST, "name", "name", NULL), TROTH_INVALID);
	assert_string_equal(unit_err.findings->rule, "duplicate");
	assert_fails(check(a, &MAKE, "name", NULL, NULL), TROTH_INVALID);
	assert_string_equal(unit_err.findings->hint, "known here: dry_run");
	assert_ok(check(a, &SILENT, "anything", "anything", NULL));
}

/* dry_run means something where something is written, wait where something can be waited for. */
static void test_common_parameters(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	assert_ok(check(a, &MAKE, "dry_run", NULL, NULL));
	assert_fails(check(a, &LIST, "dry_run", NULL, NULL), TROTH_INVALID);
	assert_fails(check(a, &SIGN, "dry_run", NULL, NULL), TROTH_INVALID);
	assert_string_equal(unit_err.findings->hint, "this route has none");
	assert_ok(check(a, &HELD, "wait", NULL, NULL));
	assert_fails(check(a, &LIST, "wait", NULL, NULL), TROTH_INVALID);
}

static void test_bodies(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	struct http_request r = { .body = bytes_of_text("{\"reason\":\"x\"}") };
	assert_fails(route_check(a, &MAKE, &r, &unit_err), TROTH_INVALID);
	assert_string_equal(unit_err.findings->rule, "no-body");
	assert_ok(route_check(a, &TAKE, &r, &unit_err));
	assert_ok(route_check(a, &SILENT, &r, &unit_err));
	r.body = bytes_of_text("{}");
	assert_ok(route_check(a, &MAKE, &r, &unit_err));
}

/* A precondition is asked for, or refused; never passed over. */
static void test_if_match(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	assert_ok(check(a, &EDIT, NULL, NULL, "3"));
	assert_fails(check(a, &MAKE, NULL, NULL, "3"), TROTH_PRECONDITION);
	assert_ok(check(a, &LIST, NULL, NULL, "3")); /* what is only read cannot be overwritten */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words), cmocka_unit_test(test_query_parameters), cmocka_unit_test(test_common_parameters),
		cmocka_unit_test(test_if_match), cmocka_unit_test(test_bodies),
	};
	return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
