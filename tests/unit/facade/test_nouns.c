/* The table of nouns fits together: types that exist, an example for each text, no member twice, no noun that nobody uses. */
#include "../unit.h"

#include "facade/native/describe.h"
#include "facade/native/native.h"

#include <string.h>

#include "base/arena.h"
#include "base/text.h"

static bool is_plain(const struct api_type *t)
{
	static const char *const PLAIN[] = { "text", "uuid", "time", "duration", "int", "bool", "hash", "pem", "any" };
	for (size_t i = 0; i < ARRAY_LEN(PLAIN); i++)
		if (api_type_is(t, PLAIN[i]))
			return true;
	return false;
}

static void test_types_exist(void **state)
{
	for (size_t i = 0; i < API_FIELD_COUNT; i++) {
		const struct api_field *f = &API_FIELDS[i];
		struct api_type t = api_type_read(f->type);
		if (!is_plain(&t) && *t.word != '=' && !api_noun_known(t.word, t.len))
			fail_msg("%s.%s is of no type: %s", f->noun, f->name, f->type);
		if (!api_noun_known(f->noun, strlen(f->noun)))
			fail_msg("%s has members and is no noun", f->noun);
		if ((api_type_is(&t, "text") || api_type_is(&t, "int") || api_type_is(&t, "bool")) && !t.map && !f->example)
			fail_msg("%s.%s has no example", f->noun, f->name);
		if (api_field_of(f->noun, f->name) != f)
			fail_msg("%s.%s is there twice, or apart from the others", f->noun, f->name);
	}
}

static bool row_says(const struct route *row, const char *noun)
{
	size_t n = strlen(noun);
	struct api_answer x;
	if (text_equal(row->takes, noun))
		return true;
	for (const char *at = row->gives; api_answer_next(&at, &x);)
		for (const char *p = x.words; p < x.words + x.len; p++)
			if (strncmp(p, noun, n) == 0 && (p == x.words || strchr("[|", p[-1])) && (p + n == x.words + x.len || strchr("]|", p[n])))
				return true;
	return false;
}

static bool is_used(const char *noun)
{
	for (size_t i = 0; i < API_FIELD_COUNT; i++) {
		struct api_type t = api_type_read(API_FIELDS[i].type);
		if (api_type_is(&t, noun))
			return true;
	}
	for (size_t t = 0; t < NATIVE_TABLE_COUNT; t++)
		for (size_t i = 0; i < NATIVE_TABLES[t]->count; i++)
			if (row_says(&NATIVE_TABLES[t]->rows[i], noun))
				return true;
	return text_equal(noun, "Problem") || text_equal(noun, "Word");
}

static void test_each_is_used_and_one(void **state)
{
	for (size_t i = 0; i < API_NOUN_COUNT; i++) {
		if (!is_used(API_NOUNS[i].name))
			fail_msg("nobody gives or takes %s", API_NOUNS[i].name);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(API_NOUNS[i].name, API_NOUNS[k].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_types_exist), cmocka_unit_test(test_each_is_used_and_one) };
	return cmocka_run_group_tests_name("nouns", tests, NULL, NULL);
}
