/* Alternative names: guessed, checked, refused. */
#include "pki_fixture.h"

static void kinds_are_told_or_guessed(void **state)
{
	static const struct { const char *text; enum san_kind kind; const char *value; } rows[] = {
		{ "db.example.org", SAN_DNS, "db.example.org" },
		{ "dns:db_1.example.org", SAN_DNS, "db_1.example.org" },
		{ "*.example.org", SAN_DNS, "*.example.org" },
		{ "localhost", SAN_DNS, "localhost" },
		{ "10.0.0.1", SAN_IP, "10.0.0.1" },
		{ "ip:2001:db8::1", SAN_IP, "2001:db8::1" },
		{ "2001:db8::1", SAN_IP, "2001:db8::1" },
		{ "troth://instance/7", SAN_URI, "troth://instance/7" },
		{ "uri:urn:x:y", SAN_URI, "urn:x:y" },
	};
	struct arena *a = arena_new(1 << 16);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct san san;
		assert_rc_ok(san_parse(a, rows[i].text, &san, e));
		assert_int_equal(san.kind, rows[i].kind);
		assert_string_equal(san.value, rows[i].value);
	}
	arena_free(a);
}

static void wrong_names_are_refused(void **state)
{
	static const char *const rows[] = {
		"", "dns:", "a..b", ".a", "a.", "-a.b", "a-.b", "a b", "*", "*.org", "a.*.org", "**.a.org", "ip:10.0.0", "ip:db",
		"uri:x", "uri:://x", "uri:a b://x", "dns:ü.example", "dns:10.0.0.1/8",
		"a234567890123456789012345678901234567890123456789012345678901234.org",
	};
	struct arena *a = arena_new(1 << 16);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct san san;
		assert_refused(san_parse(a, rows[i], &san, e), TROTH_INVALID, "is not a");
	}
	arena_free(a);
}

static void long_names_are_refused(void **state)
{
	char name[300];
	struct san san = { SAN_DNS, name };
	memset(name, 'a', sizeof name);
	for (size_t i = 9; i < sizeof name; i += 10)
		name[i] = '.';
	name[253] = 0;
	assert_rc_ok(san_check(&san, e));
	name[253] = 'a';
	name[254] = 0;
	assert_refused(san_check(&san, e), TROTH_INVALID, "is not a DNS name");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_are_told_or_guessed),
		cmocka_unit_test(wrong_names_are_refused),
		cmocka_unit_test(long_names_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
