/* Findings: each fault has its path, and all of them are there. */
#include "room.h"

#include "service/check.h"

struct look { struct arena *a; struct troth_err e; struct checker c; };

static void begin(struct look *l)
{
	l->a = arena_new(1 << 20);
	l->e = (struct troth_err){ 0 };
	l->c = (struct checker){ l->a, &l->e };
}

static void test_good(void **state)
{
	struct look l;
	const char *san = "a.example";
	begin(&l);
	assert_true(check_new_name(&l.c, "$.name", "/a/b", false));
	assert_true(check_new_name(&l.c, "$.name", "/troth/b", true));
	assert_true(check_label(&l.c, "$.l", "x-1"));
	assert_true(check_key_type(&l.c, "$.k", NULL));
	assert_true(check_key_type(&l.c, "$.k", "rsa-2048"));
	assert_true(check_role(&l.c, "$.r", NULL));
	assert_true(check_role(&l.c, "$.r", "both"));
	assert_true(check_common_name(&l.c, "$.c", NULL));
	assert_true(check_common_name(&l.c, "$.c", "x"));
	assert_true(check_subject_place(&l.c, &(struct cert_place){ 0 }));
	assert_true(check_subject_place(&l.c, &(struct cert_place){ "ch", "BE", "Bern" }));
	assert_true(check_ttl(&l.c, "$.t", 0));
	assert_true(check_ttl(&l.c, "$.t", MSEC_DAY));
	assert_true(check_sans(&l.c, "$.s", (struct json_texts){ &san, 1 }, false));
	assert_true(rc_ok(check_done(&l.e)));
	arena_free(l.a);
}

static void test_every_fault_is_found(void **state)
{
	struct look l;
	const char *sans[] = { "a.example", "b_c", "{instance}.x" };
	char longer[80];
	memset(longer, 'x', sizeof longer);
	longer[79] = 0;
	begin(&l);
	assert_false(check_new_name(&l.c, "$.a", NULL, false));
	assert_false(check_new_name(&l.c, "$.b", "b", false));
	assert_false(check_new_name(&l.c, "$.c", "/troth/x", false));
	assert_false(check_label(&l.c, "$.d", "a/b"));
	assert_false(check_key_type(&l.c, "$.e", "dsa"));
	assert_false(check_role(&l.c, "$.f", "peer"));
	assert_false(check_common_name(&l.c, "$.g", longer));
	assert_false(check_common_name(&l.c, "$.h", ""));
	assert_false(check_subject_place(&l.c, &(struct cert_place){ "CHE", "", "a\nb" }));
	assert_false(check_ttl(&l.c, "$.i", 1));
	assert_false(check_ttl(&l.c, "$.j", INT64_C(60000) * MSEC_DAY));
	assert_false(check_sans(&l.c, "$.k", (struct json_texts){ NULL, 0 }, false));
	assert_false(check_sans(&l.c, "$.l", (struct json_texts){ sans, 3 }, false));
	assert_false(check_sans(&l.c, "$.m", (struct json_texts){ sans, 101 }, false));
	assert_false(rc_ok(check_done(&l.e)));
	static const char *const paths[] = { "$.a", "$.b", "$.c", "$.d", "$.e", "$.f", "$.g", "$.h", "$.country", "$.state", "$.locality", "$.i", "$.j", "$.k",
					     "$.l[1]", "$.l[2]", "$.m" };
	size_t n = 0;
	for (const struct finding *f = l.e.findings; f; f = f->next, n++)
		assert_string_equal(f->path, paths[n]);
	assert_int_equal(n, ARRAY_LEN(paths));
	arena_free(l.a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_every_fault_is_found),
	};
	return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
