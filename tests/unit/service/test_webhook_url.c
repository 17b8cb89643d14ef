/* URLs of webhooks. */
#include "room.h"

#include "service/webhook/webhook.h"

static void good_ones_are_taken_apart(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 16);
	static const struct { const char *text, *server, *target; } good[] = {
		{ "https://hooks.example.org", "https://hooks.example.org:443", "/" },
		{ "https://hooks.example.org/", "https://hooks.example.org:443", "/" },
		{ "https://hooks.example.org:8443/services/T0/B1?x=1&y=%20", "https://hooks.example.org:8443", "/services/T0/B1?x=1&y=%20" },
		{ "https://10.0.0.7:65535/a", "https://10.0.0.7:65535", "/a" },
		{ "https://[2001:db8::1]:8443/a", "https://[2001:db8::1]:8443", "/a" },
		{ "http://127.0.0.1:9000/a", "http://127.0.0.1:9000", "/a" },
		{ "http://localhost/a", "http://localhost:80", "/a" },
		{ "http://[::1]/a", "http://[::1]:80", "/a" },
	};
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct webhook_url u;
		const char *fault = webhook_url_parse(good[i].text, &u);
		if (fault)
			fail_msg("%s %s", good[i].text, fault);
		assert_string_equal(webhook_url_server(a, &u), good[i].server);
		assert_string_equal(u.target, good[i].target);
	}
}

static void bad_ones_are_refused_with_words(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 16);
	static const struct { const char *text, *words; } bad[] = {
		{ "", "must begin with https://" },
		{ "hooks.example.org", "must begin with https://" },
		{ "ftp://hooks.example.org", "must begin with https://" },
		{ "HTTPS://hooks.example.org", "must begin with https://" },
		{ "http://hooks.example.org/a", "http is for 127.0.0.1" },
		{ "http://127.0.0.1.example.org/", "http is for 127.0.0.1" },
		{ "http://128.0.0.1/", "http is for 127.0.0.1" },
		{ "http://[::2]/", "http is for 127.0.0.1" },
		{ "https://", "has no host" },
		{ "https:///path", "has no host" },
		{ "https://:443/", "has no host" },
		{ "https://me:secret@hooks.example.org/", "user name" },
		{ "http://127.0.0.1@evil.example/", "user name" },
		{ "https://hooks.example.org/#top", "fragment" },
		{ "https://hooks.example.org/a b", "characters" },
		{ "https://hooks.example.org/a\r\nX: y", "characters" },
		{ "https://h\xc3\xb6st/", "characters" },
		{ "https://hooks.example.org\\@evil/", "characters" },
		{ "https://hooks.example.org:0/", "between 1 and 65535" },
		{ "https://hooks.example.org:65536/", "between 1 and 65535" },
		{ "https://hooks.example.org:/", "no number" },
		{ "https://hooks.example.org:44x/", "no number" },
		{ "https://hooks.example.org:123456/", "no number" },
		{ "https://a:b:c/", "no number" },
		{ "https://[::1", "not closed" },
		{ "https://[fe80::1%eth0]/", "neither a name nor an address" },
		{ "https://[1.2.3.4]/", "neither a name nor an address" },
		{ "https://[::1]x/", "no port" },
		{ "https://.example.org/", "neither a name nor an address" },
		{ "https://-x/", "neither a name nor an address" },
		{ "https://ho!st/", "neither a name nor an address" },
		{ "https://hooks.example.org?x=1", "no path before its query" },
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct webhook_url u;
		const char *fault = webhook_url_parse(bad[i].text, &u);
		if (!fault || !strstr(fault, bad[i].words))
			fail_msg("%s: %s", bad[i].text, fault ? fault : "taken");
	}
	char *longest = arena_alloc(a, LIMIT_URL_BYTES);
	memset(longest, 'x', LIMIT_URL_BYTES / 2 + 1);
	memcpy(longest, "https://h/", 10);
	struct webhook_url u;
	assert_non_null(strstr(webhook_url_parse(longest, &u), "too long"));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(good_ones_are_taken_apart), cmocka_unit_test(bad_ones_are_refused_with_words) };
	return cmocka_run_group_tests_name("webhook_url", tests, NULL, NULL);
}
