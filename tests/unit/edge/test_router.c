/* Which row answers which path. */
#include "edge/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const struct route ROWS[] = {
	{ HTTP_GET, "/v1/things" },
	{ HTTP_POST, "/v1/things" },
	{ HTTP_GET, "/v1/things/{id}" },
	{ HTTP_DELETE, "/v1/things/{id}" },
	{ HTTP_GET, "/v1/things/new" },
	{ HTTP_GET, "/v1/things/{id}/parts/{part}" },
	{ HTTP_GET, "/files/{path*}" },
	{ HTTP_GET, "/" },
};
static const struct route_table TABLE = { ROWS, ARRAY_LEN(ROWS) };

static const struct router *make(struct arena *a)
{
	const struct router *r = NULL;
	assert_true(rc_ok(router_new(a, &TABLE, 1, &r, NULL)));
	return r;
}

static const char *pattern_of(const struct router *r, struct arena *a, enum http_method m, const char *path)
{
	struct router_match match = router_find(r, a, m, path);
	return match.route ? match.route->pattern : "none";
}

static void finds(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	const struct router *r = make(a);
	assert_string_equal(pattern_of(r, a, HTTP_GET, "/v1/things"), "/v1/things");
	assert_string_equal(pattern_of(r, a, HTTP_GET, "/v1/things/new"), "/v1/things/new");
	assert_string_equal(pattern_of(r, a, HTTP_GET, "/v1/things/7"), "/v1/things/{id}");
	assert_string_equal(pattern_of(r, a, HTTP_DELETE, "/v1/things/new"), "/v1/things/{id}");
	assert_string_equal(pattern_of(r, a, HTTP_GET, "/"), "/");
	struct router_match m = router_find(r, a, HTTP_GET, "/v1/things/7/parts/left wheel");
	assert_string_equal(http_pairs_get(&m.params, "id"), "7");
	assert_string_equal(http_pairs_get(&m.params, "part"), "left wheel");
	m = router_find(r, a, HTTP_GET, "/files/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p");
	assert_string_equal(http_pairs_get(&m.params, "path"), "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p");
}

static void finds_not(void **state)
{
	static const char *const none[] = { "/v1", "/v1/things/", "/v1/things/7/", "/v1//things", "/files", "/files/", "//", "", "x",
					    "/v1/things/7/parts/1/2/3/4/5/6/7/8/9/10/11/12/13/14" };
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	const struct router *r = make(a);
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		assert_int_equal(router_find(r, a, HTTP_GET, none[i]).verdict, ROUTER_NO_PATH);
}

/* Each row knows whose API it is. */
static void facades(void **state)
{
	static const struct route other[] = { { HTTP_GET, "/other" } };
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	const struct route_table tables[] = { TABLE, { other, 1, "theirs" } };
	const struct router *r;
	assert_true(rc_ok(router_new(a, tables, 2, &r, NULL)));
	assert_string_equal(router_find(r, a, HTTP_GET, "/other").facade, "theirs");
	assert_null(router_find(r, a, HTTP_GET, "/v1/things").facade);
}

static void methods(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	const struct router *r = make(a);
	assert_string_equal(pattern_of(r, a, HTTP_HEAD, "/v1/things"), "/v1/things");
	struct router_match m = router_find(r, a, HTTP_PUT, "/v1/things");
	assert_int_equal(m.verdict, ROUTER_NO_METHOD);
	assert_string_equal(m.allow, "GET, HEAD, POST, OPTIONS");
	assert_string_equal(router_find(r, a, HTTP_OPTIONS, "/v1/things/new").allow, "GET, HEAD, DELETE, OPTIONS");
}

/* A / at the end is nothing for rows that say so; the row nearest to a path has its API's shape for errors. */
static void slashes(void **state)
{
	static const struct route theirs[] = { { HTTP_GET, "/api/list", .flags = ROUTE_SLASH }, { HTTP_GET, "/api/{rest*}", .flags = ROUTE_SLASH } };
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	const struct route_table tables[] = { TABLE, { theirs, 2 } };
	const struct router *r;
	assert_true(rc_ok(router_new(a, tables, 2, &r, NULL)));
	assert_string_equal(router_find(r, a, HTTP_GET, "/api/list/").route->pattern, "/api/list");
	assert_string_equal(router_find(r, a, HTTP_GET, "/api/list//").route->pattern, "/api/{rest*}");
	assert_string_equal(router_find(r, a, HTTP_GET, "/api/other/").route->pattern, "/api/{rest*}");
	assert_int_equal(router_find(r, a, HTTP_GET, "/v1/things/").verdict, ROUTER_NO_PATH);
	struct router_match m = router_find(r, a, HTTP_POST, "/api/list/");
	assert_int_equal(m.verdict, ROUTER_NO_METHOD);
	assert_string_equal(m.nearest->pattern, "/api/list");
	assert_null(router_find(r, a, HTTP_GET, "/nothing").nearest);
}

static void refuses_bad_tables(void **state)
{
	static const struct route twice[] = { { HTTP_GET, "/a/{x}" }, { HTTP_GET, "/a/{y}" } };
	static const struct route malformed[] = { { HTTP_GET, "/a/{x" }, { HTTP_GET, "a" }, { HTTP_GET, "/a//b" },
						  { HTTP_GET, "/{x*}/b" }, { HTTP_GET, "/{}" }, { HTTP_GET, "/a/" } };
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	const struct router *r;
	struct troth_err e;
	assert_int_equal(router_new(a, &(struct route_table){ twice, 2 }, 1, &r, &e).code, TROTH_INTERNAL);
	for (size_t i = 0; i < ARRAY_LEN(malformed); i++)
		assert_int_equal(router_new(a, &(struct route_table){ &malformed[i], 1 }, 1, &r, &e).code, TROTH_INTERNAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(finds), cmocka_unit_test(finds_not), cmocka_unit_test(facades), cmocka_unit_test(methods),  cmocka_unit_test(slashes),
					    cmocka_unit_test(refuses_bad_tables) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
