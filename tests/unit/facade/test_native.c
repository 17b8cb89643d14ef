/* The native API, whole: tables that fit together, verbs that fit their routes, and every route written
 * down in docs/api. */
#include "call.h"

#include "edge/router.h"
#include "facade/facade.h"
#include "port/port.h"

static void each_route(void (*look)(struct arena *a, const struct route *row, const char *docs), const char *docs)
{
	struct arena *a = arena_new(8 << 20);
	for (size_t t = 0; t < NATIVE_TABLE_COUNT; t++)
		for (size_t i = 0; i < NATIVE_TABLES[t]->count; i++)
			look(a, &NATIVE_TABLES[t]->rows[i], docs);
	arena_free(a);
}

/* Of the compatible APIs too. */
static void every_route(void (*look)(struct arena *a, const struct route *row, const char *docs), const char *docs)
{
	struct arena *a = arena_new(8 << 20);
	struct route_table tables[FACADE_TABLES_MAX];
	for (size_t t = 0, n = facade_tables(tables); t < n; t++)
		for (size_t i = 0; i < tables[t].count; i++)
			look(a, &tables[t].rows[i], docs);
	arena_free(a);
}

static void is_sound(struct arena *a, const struct route *row, const char *docs)
{
	assert_true(text_starts(row->pattern, "/v1/") || text_equal(row->pattern, "/metrics")); /* where Prometheus looks */
	assert_non_null(row->verb);
	assert_non_null(row->parse);
	bool anybody = row->verb->roles & ROLE_ANONYMOUS;
	if (anybody != !!(row->flags & ROUTE_NO_AUTH))
		fail_msg("%s: who may is not what the route says", row->pattern);
	if (row->method == HTTP_GET && row->verb->kind != VERB_READ)
		fail_msg("%s: a GET that writes", row->pattern);
}

static void test_rows_are_sound(void **state) { each_route(is_sound, NULL); }

static void test_no_two_rows_match_the_same(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct route_table tables[NATIVE_TABLE_COUNT];
	const struct router *router;
	struct troth_err e = { 0 };
	for (size_t i = 0; i < NATIVE_TABLE_COUNT; i++)
		tables[i] = *NATIVE_TABLES[i];
	assert_true(rc_ok(router_new(a, tables, NATIVE_TABLE_COUNT, &router, &e)));
	arena_free(a);
}

static void is_written_down(struct arena *a, const struct route *row, const char *docs)
{
	if (!strstr(docs, row->pattern))
		fail_msg("docs/api does not speak of %s %s", http_method_name(row->method), row->pattern);
}

static void test_every_route_is_documented(void **state)
{
	static const char *const pages[] = { "native.md", "native-rotation.md", "native-outside.md" };
	struct arena *a = arena_new(8 << 20);
	struct troth_err e = { 0 };
	const char *docs = "";
	for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
		struct bytes page;
		if (rc_failed(file_read(a, arena_printf(a, "%s/docs/api/%s", TROTH_SOURCE_DIR, pages[i]), 1 << 20, &page, &e)))
			fail_msg("%s", e.primary);
		docs = arena_printf(a, "%s%.*s", docs, (int)page.len, (const char *)page.data);
	}
	each_route(is_written_down, docs);
	arena_free(a);
}

/* -- who may what ------------------------------------------------------------------------------ */
static const struct { unsigned bit; const char *name; } ROLES[] = {
	{ ROLE_ADMIN, "admin" }, { ROLE_OPERATOR, "operator" }, { ROLE_DEVELOPER, "developer" }, { ROLE_AUDITOR, "auditor" },
	{ ROLE_AGENT, "agent" }, { ROLE_ANONYMOUS, "anybody" },
};

/* A route without a verb is a document: for everybody who is known, or for anybody. */
static unsigned roles_of(const struct route *row)
{
	if (row->verb)
		return row->verb->roles;
	return row->flags & ROUTE_NO_AUTH ? ROLES_ANY : ROLES_ANY & ~(unsigned)ROLE_ANONYMOUS;
}

static const char *role_line(struct arena *a, const struct route *row)
{
	const char *line = arena_printf(a, "| `%s %s` | `%s` |", http_method_name(row->method), row->pattern, row->verb ? row->verb->name : "-");
	for (size_t i = 0; i < ARRAY_LEN(ROLES); i++)
		line = arena_printf(a, "%s %s |", line, roles_of(row) & ROLES[i].bit ? "yes" : "-");
	return arena_printf(a, "%s\n", line);
}

static size_t rows_in(const char *docs)
{
	size_t n = 0;
	for (const char *p = docs; (p = strstr(p, "\n| `")); p++)
		n++;
	return n;
}

static void has_its_row(struct arena *a, const struct route *row, const char *docs)
{
	const char *line = role_line(a, row);
	if (!strstr(docs, line))
		fail_msg("docs/api/roles.md lacks this row, or says something else of it:\n%s", line);
}

/* Each route has its row, and there is no row without its route. */
static void test_roles_are_as_written(void **state)
{
	struct arena *a = arena_new(8 << 20);
	struct bytes roles;
	struct troth_err e = { 0 };
	size_t routes = 0;
	if (rc_failed(file_read(a, TROTH_SOURCE_DIR "/docs/api/roles.md", 1 << 20, &roles, &e)))
		fail_msg("%s", e.primary);
	const char *docs = arena_text_n(a, (const char *)roles.data, roles.len);
	struct route_table tables[FACADE_TABLES_MAX];
	every_route(has_its_row, docs);
	for (size_t t = 0, n = facade_tables(tables); t < n; t++)
		routes += tables[t].count;
	assert_int_equal(rows_in(docs), routes);
	arena_free(a);
}

/* What the table says is what is asked: every route, every single role. */
static void is_kept(struct arena *a, const struct route *row, const char *docs)
{
	if (!row->verb)
		return;
	assert_int_equal(!!(row->verb->roles & ROLE_ANONYMOUS), !!(row->flags & ROUTE_NO_AUTH));
	for (size_t i = 0; i < ARRAY_LEN(ROLES); i++) {
		struct principal who = { .name = "x", .roles = ROLES[i].bit };
		bool may = rc_ok(verb_allowed(row->verb, &who, NULL));
		assert_int_equal(may, !!(row->verb->roles & ROLES[i].bit));
	}
	struct principal nobody = { .name = "x" };
	assert_false(rc_ok(verb_allowed(row->verb, &nobody, NULL))); /* default deny */
}

static void test_roles_are_kept(void **state) { every_route(is_kept, NULL); }

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_are_sound), cmocka_unit_test(test_no_two_rows_match_the_same),
		cmocka_unit_test(test_every_route_is_documented), cmocka_unit_test(test_roles_are_as_written),
		cmocka_unit_test(test_roles_are_kept),
	};
	return cmocka_run_group_tests_name("native", tests, NULL, NULL);
}
