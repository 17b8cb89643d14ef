/* YAML to the tree of JSON: the part that is accepted, and what is refused with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/limits.h"
#include "base/yaml_tree.h"

static int setup(void **state)
{
	*state = arena_new(32 << 20);
	return 0;
}

static int teardown(void **state)
{
	arena_free(*state);
	return 0;
}

static const struct json *parse(struct arena *a, const char *text)
{
	const struct json *j;
	struct troth_err e = { 0 };
	if (rc_failed(yaml_parse(a, bytes_of_text(text), &j, &e)))
		fail_msg("%s", e.primary);
	return j;
}

static void scalars_have_the_types_people_mean(void **state)
{
	const struct json *j = parse(*state, "a: 443\nb: 0640\nc: true\nd: ~\ne: '443'\nf: 1s\ng: -7\nh: no\ni:\nj: 99999999999999999999\n");
	assert_int_equal(json_get_int(j, "a", 0), 443);
	assert_string_equal(json_get_text(j, "b", ""), "0640");
	assert_true(json_get_bool(j, "c", false));
	assert_int_equal(json_get(j, "d")->type, JSON_NULL);
	assert_string_equal(json_get_text(j, "e", ""), "443");
	assert_string_equal(json_get_text(j, "f", ""), "1s");
	assert_int_equal(json_get_int(j, "g", 0), -7);
	assert_string_equal(json_get_text(j, "h", ""), "no");
	assert_int_equal(json_get(j, "i")->type, JSON_NULL);
	assert_string_equal(json_get_text(j, "j", ""), "99999999999999999999");
}

static void block_and_flow_are_the_same(void **state)
{
	const struct json *a = parse(*state, "files:\n  - name: x\n    list: [1, 2]\n  - {name: y}\n");
	const struct json *list = json_get(a, "files");
	assert_int_equal(list->list.count, 2);
	assert_string_equal(list->list.items[0].path, "$.files[0]");
	assert_string_equal(json_get_text(&list->list.items[1], "name", ""), "y");
	assert_int_equal(json_get(&list->list.items[0], "list")->list.items[1].i, 2);
	const struct json *many = parse(*state, "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19]");
	assert_int_equal(many->list.count, 20);
	for (int i = 0; i < 20; i++)
		assert_int_equal(many->list.items[i].i, i);
}

static void values_know_their_line(void **state)
{
	const struct json *j = parse(*state, "# a remark\na: 1\n\nb:\n  - x\n  - y\nc: {d: 2}\n");
	assert_int_equal(json_get(j, "a")->line, 2);
	assert_int_equal(json_get(j, "b")->line, 4); /* of its key */
	assert_int_equal(json_get(j, "b")->list.items[1].line, 6);
	assert_int_equal(json_get(json_get(j, "c"), "d")->line, 7);
}

static void refused(struct arena *a, const char *text, const char *words)
{
	const struct json *j;
	struct troth_err e = { 0 };
	assert_true(rc_failed(yaml_parse(a, bytes_of_text(text), &j, &e)));
	if (!strstr(e.primary, words))
		fail_msg("\"%s\" does not say \"%s\"", e.primary, words);
}

static void what_is_not_accepted_is_named_with_its_line(void **state)
{
	refused(*state, "a: 1\na: 2\n", "line 2");
	refused(*state, "a: &x 1\nb: *x\n", "anchors");
	refused(*state, "a: !!int 1\n", "tags");
	refused(*state, "b: *x\n", "aliases");
	refused(*state, "a: 1\n---\nb: 2\n", "second document");
	refused(*state, "a: [1\n", "broken YAML");
	refused(*state, "", "empty");
	refused(*state, "? [a]\n: b\n", "key");
	refused(*state, "[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]", "nested deeper");
	char *big = arena_alloc(*state, LIMIT_YAML_BYTES + 2);
	memset(big, ' ', LIMIT_YAML_BYTES + 1);
	refused(*state, big, "at most");
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { CASE(scalars_have_the_types_people_mean), CASE(block_and_flow_are_the_same), CASE(values_know_their_line),
					    CASE(what_is_not_accepted_is_named_with_its_line) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
