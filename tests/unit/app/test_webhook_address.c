/* Which addresses a webhook may lead to. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "app/webhooks.h"

static bool may(const char *text, bool plain)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	bool is4 = inet_pton(AF_INET, text, &v4.sin_addr) == 1;
	assert_true(is4 || inet_pton(AF_INET6, text, &v6.sin6_addr) == 1);
	const struct sockaddr *to = is4 ? (const struct sockaddr *)&v4 : (const struct sockaddr *)&v6;
	return plain ? webhook_may_dial_plain(to) : webhook_may_dial(to);
}

static void receivers_live_here(void **state)
{
	static const char *const good[] = { "203.0.113.9", "10.0.0.1", "192.168.1.1", "172.16.0.1", "127.0.0.1", "169.253.0.1", "169.255.0.1", "1.1.1.1",
					    "223.255.255.255", "::1", "2001:db8::1", "fd00::1", "::ffff:10.0.0.1",
					    "64:ff9b::10.0.0.1", "2002:a00:1::1", "fd00:ec2::253" };
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		if (!may(good[i], false))
			fail_msg("%s", good[i]);
}

static void no_receiver_lives_here(void **state)
{
	static const char *const bad[] = { "0.0.0.0", "0.1.2.3", "169.254.169.254", "169.254.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
					   "::", "fe80::1", "febf::1", "ff02::1", "::ffff:169.254.169.254", "::ffff:0.0.0.0", "::169.254.169.254",
					   "64:ff9b::169.254.169.254", "2002:a9fe:a9fe::1", "fd00:ec2::254", "fd20:ce::254" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (may(bad[i], false))
			fail_msg("%s", bad[i]);
	struct sockaddr unix_socket = { .sa_family = AF_UNIX };
	assert_false(webhook_may_dial(&unix_socket) || webhook_may_dial_plain(&unix_socket));
}

/* Without TLS, nowhere but here: also when "localhost" leads elsewhere. */
static void plain_stays_on_this_machine(void **state)
{
	assert_true(may("127.0.0.1", true) && may("127.9.9.9", true) && may("::1", true));
	assert_false(may("10.0.0.1", true) || may("128.0.0.1", true) || may("::2", true) || may("203.0.113.9", true));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(receivers_live_here), cmocka_unit_test(no_receiver_lives_here), cmocka_unit_test(plain_stays_on_this_machine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
