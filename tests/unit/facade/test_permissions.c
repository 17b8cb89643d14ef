/* /api/v2/permissions: words to commands, and which right each verb of CredHub's API takes. */
#include "foreign.h"

#include "facade/credhub/credhub.h"
#include "service/server/permission.h"

#define AT "/api/v2/permissions"

static void a_whole_one(void **state)
{
	struct foreign f = foreign_make(&CREDHUB_PERMISSION_ROUTES, HTTP_PUT, AT "/{id}");
	struct permission_cmd *c = foreign_parse(&f, "{\"path\":\"a/*\",\"actor\":\"uaa-client:x\",\"operations\":[\"read\",\"write\"]}");
	assert_non_null(c);
	assert_string_equal(c->id, "11111111-1111-4111-8111-111111111111");
	assert_string_equal(c->path, "/a/*");
	assert_string_equal(c->actor, "uaa-client:x");
	assert_int_equal(c->operations.count, 2);
	arena_free(f.a);
}

static void part_of_one(void **state)
{
	struct foreign f = foreign_make(&CREDHUB_PERMISSION_ROUTES, HTTP_PATCH, AT "/{id}");
	struct permission_cmd *c = foreign_parse(&f, "{\"operations\":[\"read\"]}");
	assert_true(c && c->id && !c->path && !c->actor && c->operations.count == 1);
	foreign_refuses(&f, "{\"operations\":[\"read\"],\"actor\":\"uaa-client:x\"}", 422, "'actor'");
	foreign_refuses(&f, "null", 400, "At least one operation");
	arena_free(f.a);
	f = foreign_make(&CREDHUB_PERMISSION_ROUTES, HTTP_GET, AT);
	foreign_refuses(&f, NULL, 400, "parameter path is required");
	foreign_query(&f, "path", "a");
	foreign_refuses(&f, NULL, 400, "parameter actor is required");
	foreign_query(&f, "actor", "uaa-client:x");
	c = foreign_parse(&f, NULL);
	assert_true(c && !c->id);
	assert_string_equal(c->path, "/a");
	arena_free(f.a);
	f = foreign_make(&CREDHUB_PERMISSION_ROUTES, HTTP_DELETE, AT "/{id}");
	f.q.dry_run = true;
	foreign_refuses(&f, NULL, 400, "dry_run");
	arena_free(f.a);
}

static void what_is_refused(void **state)
{
	static const struct { const char *body; int status; const char *words; } ALL[] = {
		{ "null", 400, "specify a path" },
		{ "{\"path\":\"\"}", 400, "specify a path" },
		{ "{\"path\":\"/\"}", 400, "specify a path" },
		{ "{\"path\":\"/a//b\"}", 400, "contain '//'" },
		{ "{\"path\":\"/a/\"}", 400, "cannot end with" },
		{ "{\"path\":\"/a b\"}", 400, "may only include" },
		{ "{\"path\":\"/a/*/*\"}", 400, "may only include" },
		{ "{\"path\":\"/a/\\u00e4\"}", 400, "may only include" },
		{ "{\"path\":\"/a\\u0000b\"}", 400, "path" },
		{ "{\"path\":[\"/a\"]}", 400, "path" },
		{ "{\"path\":\"/a\"}", 400, "specify an actor" },
		{ "{\"path\":\"/a\",\"actor\":\"x\"}", 400, "At least one operation" },
		{ "{\"path\":\"/a\",\"actor\":\"x\",\"operations\":[7]}", 400, "operations" },
		{ "{\"path\":\"/a\",\"actor\":\"x\",\"operations\":[\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\",\"a\"]}", 400, "operations" },
		{ "{\"path\":\"/a\",\"uuid\":\"x\"}", 422, "'uuid'" },
	};
	struct foreign f = foreign_make(&CREDHUB_PERMISSION_ROUTES, HTTP_POST, AT);
	for (size_t i = 0; i < ARRAY_LEN(ALL); i++)
		foreign_refuses(&f, ALL[i].body, ALL[i].status, ALL[i].words);
	arena_free(f.a);
}

/* A verb that takes none is closed to whoever has no scope. */
static void each_verb_takes_the_right_of_its_method(void **state)
{
	static const struct route_table *const TABLES[] = { &CREDHUB_DATA_ROUTES, &CREDHUB_SET_ROUTES, &CREDHUB_CERTIFICATE_ROUTES };
	for (size_t i = 0; i < ARRAY_LEN(TABLES); i++)
		for (size_t k = 0; k < TABLES[i]->count; k++) {
			const struct route *row = &TABLES[i]->rows[k];
			enum right right = row->method == HTTP_GET ? RIGHT_READ : row->method == HTTP_DELETE ? RIGHT_DELETE : RIGHT_WRITE;
			if (row->verb && row->verb->right != right)
				fail_msg("%s (%s) takes the right %d, and what it does needs %d", row->pattern, row->verb->name, (int)row->verb->right, (int)right);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_whole_one), cmocka_unit_test(part_of_one), cmocka_unit_test(what_is_refused),
					    cmocka_unit_test(each_verb_takes_the_right_of_its_method) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
