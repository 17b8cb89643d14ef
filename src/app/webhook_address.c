/* Addresses that a webhook may lead to.  See webhooks.h; why: docs/threat-model.md. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "app/webhooks.h"

static bool in4(uint32_t address, uint32_t network, int bits) { return (address ^ network) >> (32 - bits) == 0; }

static bool good4(uint32_t a)
{
	return !in4(a, 0x00000000, 8) &&  /* "this network": Linux takes 0.0.0.0 for this machine */
	       !in4(a, 0xa9fe0000, 16) && /* 169.254/16, link-local: 169.254.169.254 */
	       !in4(a, 0xe0000000, 4) &&  /* 224/4, multicast */
	       !in4(a, 0xf0000000, 4);    /* 240/4, reserved, and broadcast */
}

static uint32_t four(const uint8_t *p) { return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]; }

/* Addresses that a gateway makes an IPv4 address of: NAT64 (RFC 6052 2.1) and 6to4 (RFC 3056). */
static bool good_inside(const struct in6_addr *a)
{
	static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b }, six_to_4[2] = { 0x20, 0x02 };
	if (memcmp(a->s6_addr, nat64, sizeof nat64) == 0)
		return good4(four(a->s6_addr + 12));
	return memcmp(a->s6_addr, six_to_4, sizeof six_to_4) != 0 || good4(four(a->s6_addr + 2));
}

/* Clouds have their metadata there, too, among addresses that are otherwise private. */
static bool is_metadata6(const struct in6_addr *a)
{
	static const char *const known[] = { "fd00:ec2::254", "fd20:ce::254" }; /* AWS, Google Cloud */
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		struct in6_addr is;
		if (inet_pton(AF_INET6, known[i], &is) == 1 && IN6_ARE_ADDR_EQUAL(a, &is))
			return true;
	}
	return false;
}

static bool good6(const struct in6_addr *a)
{
	if (IN6_IS_ADDR_V4MAPPED(a))
		return good4(four(a->s6_addr + 12));
	if (!good_inside(a) || is_metadata6(a))
		return false;
	return !IN6_IS_ADDR_UNSPECIFIED(a) && !IN6_IS_ADDR_LINKLOCAL(a) && !IN6_IS_ADDR_MULTICAST(a) &&
	       (!IN6_IS_ADDR_V4COMPAT(a) || IN6_IS_ADDR_LOOPBACK(a));
}

bool webhook_may_dial(const struct sockaddr *to)
{
	if (to->sa_family == AF_INET)
		return good4(ntohl(((const struct sockaddr_in *)to)->sin_addr.s_addr));
	return to->sa_family == AF_INET6 && good6(&((const struct sockaddr_in6 *)to)->sin6_addr);
}

bool webhook_may_dial_plain(const struct sockaddr *to)
{
	if (to->sa_family == AF_INET)
		return in4(ntohl(((const struct sockaddr_in *)to)->sin_addr.s_addr), 0x7f000000, 8);
	return to->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)to)->sin6_addr);
}
