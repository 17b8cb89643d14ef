/* Where somebody listens, as people write it: "127.0.0.1:8443", "troth.example.org:0", "[2001:db8::1]:8443".
 *
 * Only the form is looked at; whether the host exists is known when it is listened on.  Source: RFC 3986 3.2.2, 3.2.3. */
#ifndef TROTH_BASE_ADDRESS_H
#define TROTH_BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#define ADDRESS_FORM "ADDRESS:PORT, such as 0.0.0.0:8443 or \"[::]:8443\"" /* what people are told to write */

struct address {
	const char *host; /* in the text, without brackets: host_len bytes */
	size_t host_len;  /* 1..ADDRESS_HOST_MAX */
	size_t written;   /* bytes of the host as written, with brackets: what stands before the colon */
	int port;         /* 0..65535; 0: any that is free */
};
enum { ADDRESS_HOST_MAX = 253 }; /* of a DNS name as text: RFC 1035 2.3.4 */

/* False, and *ret is not touched: it is none.  The text is kept by the caller. */
bool address_parse(const char *text, struct address *ret);
/* 0.0.0.0 and [::]: on all of the machine's. */
bool address_is_any(const struct address *a);

#endif
