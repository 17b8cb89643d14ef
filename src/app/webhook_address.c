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

static uint32_t last4(const struct in6_addr *a)
{
	uint32_t v4;
	memcpy(&v4, a->s6_addr + 12, sizeof v4);
	return ntohl(v4);
}

static bool good6(const struct in6_addr *a)
{
	if (IN6_IS_ADDR_V4MAPPED(a))
		return good4(last4(a));
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
