/* Hex, base64, UUIDs, globs. */
#include <stdlib.h>
#include <string.h>

#include "../unit.h"
#include "base/text.h"

static void hex_round_trips(void **state)
{
	char text[9];
	uint8_t back[4] = { 9, 9, 9, 9 };
	assert_string_equal(hex_encode("\x00\xff\x10\xab", 4, text), "00ff10ab");
	assert_true(hex_decode("00FF10ab", 8, back, 4));
	assert_memory_equal(back, "\x00\xff\x10\xab", 4);
	assert_false(hex_decode("00ff10a", 7, back, 4));
	assert_false(hex_decode("00ff10ag", 8, back, 4));
	assert_memory_equal(back, "\x00\xff\x10\xab", 4);
}

/* RFC 4648 section 10 */
static void base64_matches_the_rfc(void **state)
{
	static const char *const rows[][2] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
					       { "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" } };
	struct arena *a = arena_new(1 << 16);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes back;
		assert_string_equal(base64_encode(a, bytes_of_text(rows[i][0])), rows[i][1]);
		assert_ok(base64_decode(a, rows[i][1], strlen(rows[i][1]), &back, &unit_err));
		assert_true(bytes_equal(back, bytes_of_text(rows[i][0])));
	}
	struct bytes out;
	assert_fails(base64_decode(a, "Zg=", 3, &out, &unit_err), TROTH_INVALID);
	assert_fails(base64_decode(a, "Z===", 4, &out, &unit_err), TROTH_INVALID);
	assert_fails(base64_decode(a, "Zm9\n", 4, &out, &unit_err), TROTH_INVALID);
	arena_free(a);
}

static void uuids_are_version_4(void **state)
{
	uint8_t ones[16];
	char text[UUID_LEN];
	memset(ones, 0xff, sizeof ones);
	assert_string_equal(uuid_format(ones, text), "ffffffff-ffff-4fff-bfff-ffffffffffff");
	assert_true(uuid_valid(text));
	assert_false(uuid_valid("ffffffff-ffff-4fff-bfff-fffffffffff"));
	assert_false(uuid_valid("FFFFFFFF-ffff-4fff-bfff-ffffffffffff"));
	assert_false(uuid_valid("ffffffffxffff-4fff-bfff-ffffffffffff"));
}

static void globs_match_scopes(void **state)
{
	assert_true(text_glob("*", ""));
	assert_true(text_glob("/prod/pg/*", "/prod/pg/0/server"));
	assert_false(text_glob("/prod/pg/*", "/prod/pgx/server"));
	assert_true(text_glob("/a/*/server", "/a/b/c/server"));
	assert_false(text_glob("/a/*/server", "/a/b/c/serverx"));
	assert_true(text_glob("a**b*", "aab"));
	assert_false(text_glob("", "a"));
}

static void small_helpers(void **state)
{
	char out[4];
	assert_true(text_copy(out, sizeof out, "abc"));
	assert_false(text_copy(out, sizeof out, "abcd"));
	assert_string_equal(out, "abc");
	assert_true(text_starts("/prod/x", "/prod/"));
	assert_true(text_is_address("192.0.2.7") && text_is_address("2001:db8::7") && text_is_address("::ffff:192.0.2.7"));
	assert_false(text_is_address("") || text_is_address("192.0.2") || text_is_address("[::1]") || text_is_address("192.0.2.7:443") ||
		     text_is_address("fe80::1%eth0") || text_is_address("example.com"));
	char address[TEXT_ADDRESS_LEN];
	assert_true(text_address("2001:DB8:0::0:1", address));
	assert_string_equal(address, "2001:db8::1");
	assert_true(text_address("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", address));
	assert_string_equal(address, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
	assert_true(text_address("192.0.2.7", address));
	assert_string_equal(address, "192.0.2.7");
	const char *texts[] = { "b", "", "ab", "a" };
	qsort(texts, ARRAY_LEN(texts), sizeof *texts, text_order);
	assert_true(text_equal(texts[0], "") && text_equal(texts[1], "a") && text_equal(texts[2], "ab") && text_equal(texts[3], "b"));
	assert_true(text_ends("a.pem", ".pem"));
	assert_false(text_ends("m", ".pem"));
	assert_true(text_equal(NULL, NULL));
	assert_false(text_equal("", NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hex_round_trips),    cmocka_unit_test(base64_matches_the_rfc),
		cmocka_unit_test(uuids_are_version_4), cmocka_unit_test(globs_match_scopes),
		cmocka_unit_test(small_helpers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
