/* Names: what is accepted, and the sentence for what is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/name.h"

#include <string.h>

#include "base/limits.h"

static void good(const char *fault) { assert_null(fault); }

static void bad(const char *fault, const char *part)
{
	assert_non_null(fault);
	if (!strstr(fault, part))
		fail_msg("\"%s\" does not speak of \"%s\"", fault, part);
}

static const char *run_of(char *out, size_t len)
{
	memset(out, 'a', len);
	out[0] = '/';
	out[len] = 0;
	return out;
}

static void test_path(void **state)
{
	char text[LIMIT_NAME_BYTES + 2];
	good(name_path_fault("/a"));
	good(name_path_fault("/prod/pg/instance-1/server_2.x"));
	good(name_path_fault(run_of(text, LIMIT_NAME_BYTES)));
	bad(name_path_fault(run_of(text, LIMIT_NAME_BYTES + 1)), "longer");
	bad(name_path_fault(NULL), "start");
	bad(name_path_fault(""), "start");
	bad(name_path_fault("a/b"), "start");
	bad(name_path_fault("/"), "empty segment");
	bad(name_path_fault("/a//b"), "empty segment");
	bad(name_path_fault("/a/"), "empty segment");
	bad(name_path_fault("/a/../b"), "starts with '.'");
	bad(name_path_fault("/a b"), "character");
	bad(name_path_fault("/a*"), "character");
	bad(name_path_fault("/\xc3\xa4"), "character");
}

static void test_label(void **state)
{
	good(name_label_fault("pg-1"));
	good(name_label_fault("1.example_x"));
	bad(name_label_fault(NULL), "empty");
	bad(name_label_fault(""), "empty");
	bad(name_label_fault("-a"), "start");
	bad(name_label_fault("a/b"), "character");
	char text[80];
	memset(text, 'a', 64);
	text[64] = 0;
	bad(name_label_fault(text), "longer");
	text[63] = 0;
	good(name_label_fault(text));
}

static void test_deployment_and_scope(void **state)
{
	good(name_deployment_fault("pg"));
	good(name_deployment_fault("/prod/pg"));
	bad(name_deployment_fault("/prod/"), "empty");
	bad(name_deployment_fault("prod/pg"), "character");
	good(name_scope_fault("*"));
	good(name_scope_fault("/prod/*"));
	bad(name_scope_fault(""), "empty");
	bad(name_scope_fault(NULL), "empty");
	bad(name_scope_fault("/prod/?"), "character");
	char text[LIMIT_NAME_BYTES + 2];
	bad(name_scope_fault(run_of(text, LIMIT_NAME_BYTES + 1)), "longer");
}

static void test_reserved(void **state)
{
	assert_true(name_is_reserved("/troth/server"));
	assert_true(name_is_reserved("/troth"));
	assert_false(name_is_reserved("/trothx/server"));
	assert_false(name_is_reserved("/prod/troth/"));
}

static void test_pattern(void **state)
{
	good(name_pattern_fault("/prod/pg/{instance}/server"));
	good(name_pattern_fault("/prod/pg/server"));
	bad(name_pattern_fault("/prod/{node}/server"), "placeholder");
	bad(name_pattern_fault("/prod/{instance/server"), "placeholder");
	bad(name_pattern_fault("prod"), "start");
	bad(name_pattern_fault(""), "empty");
	bad(name_pattern_fault(NULL), "empty");
	bad(name_pattern_fault("/{instance}/{instance}/{instance}/{instance}"), "longer");
	char text[NAME_URI_BYTES * 3];
	bad(name_pattern_fault(run_of(text, sizeof text - 1)), "too long");
	assert_true(name_pattern_has_instance("/a/{instance}"));
	assert_false(name_pattern_has_instance("/a/instance"));
}

static void test_pattern_expand(void **state)
{
	struct arena *a = arena_new(1 << 20);
	assert_string_equal(name_pattern_expand(a, "/a/{instance}/b/{instance}", "x-1"), "/a/x-1/b/x-1");
	assert_string_equal(name_pattern_expand(a, "{instance}", "x"), "x");
	assert_string_equal(name_pattern_expand(a, "/a", "x"), "/a");
	assert_string_equal(name_pattern_expand(a, "", "x"), "");
	arena_free(a);
}

static void kind_of(const char *san, enum name_san_kind kind, const char *value)
{
	enum name_san_kind got;
	assert_string_equal(name_san_value(san, &got), value);
	assert_int_equal(got, kind);
}

static void test_san_value(void **state)
{
	kind_of("dns:a.example", NAME_SAN_DNS, "a.example");
	kind_of("a.example", NAME_SAN_DNS, "a.example");
	kind_of("10.0.0.1", NAME_SAN_IP, "10.0.0.1");
	kind_of("ip:::1", NAME_SAN_IP, "::1");
	kind_of("::1", NAME_SAN_IP, "::1");
	kind_of("uri:spiffe://x", NAME_SAN_URI, "spiffe://x");
	kind_of("troth://instance/1", NAME_SAN_URI, "troth://instance/1");
}

static void test_san(void **state)
{
	good(name_san_fault("localhost"));
	good(name_san_fault("*.pg.example"));
	good(name_san_fault("2001:db8::1"));
	good(name_san_fault("spiffe://example/pg?x=1"));
	good(name_san_fault("uri:a+b.c-1://host"));
	bad(name_san_fault(NULL), "empty");
	bad(name_san_fault(""), "empty");
	bad(name_san_fault("dns:"), "prefix");
	bad(name_san_fault("ip:10.0.0"), "address");
	bad(name_san_fault("*.example"), "top-level");
	bad(name_san_fault("a.*.example"), "character");
	bad(name_san_fault("a..example"), "empty DNS label");
	bad(name_san_fault("-a.example"), "'-'");
	bad(name_san_fault("a-.example"), "'-'");
	bad(name_san_fault("a_b.example"), "character");
	bad(name_san_fault("uri:x"), "scheme");
	bad(name_san_fault("://x"), "scheme");
	bad(name_san_fault("1a://x"), "digit");
	bad(name_san_fault("a b://x"), "scheme");
	bad(name_san_fault("a://"), "host");
	bad(name_san_fault("a:///x"), "host");
	bad(name_san_fault("a://x y"), "%XX");
	char text[700];
	memset(text, 'a', sizeof text);
	memcpy(text, "dns:", 4);
	text[4 + 64] = 0;
	bad(name_san_fault(text), "63");
	text[4 + 64] = 'a';
	text[4 + 254] = 0;
	bad(name_san_fault(text), "253");
	text[4 + 254] = 'a';
	memcpy(text, "a://", 4);
	text[600] = 0;
	bad(name_san_fault(text), "512");
}

static void test_san_pattern(void **state)
{
	good(name_san_pattern_fault("{instance}.pg.example"));
	good(name_san_pattern_fault("localhost"));
	good(name_san_pattern_fault("spiffe://example/{instance}"));
	bad(name_san_pattern_fault("{host}.example"), "placeholder");
	bad(name_san_pattern_fault("a{instance}.example"), "63");
	bad(name_san_pattern_fault("ip:{instance}"), "address");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_label),
		cmocka_unit_test(test_deployment_and_scope),
		cmocka_unit_test(test_reserved),
		cmocka_unit_test(test_pattern),
		cmocka_unit_test(test_pattern_expand),
		cmocka_unit_test(test_san_value),
		cmocka_unit_test(test_san),
		cmocka_unit_test(test_san_pattern),
	};
	return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}
