/* Randomness from the kernel. */
#include <errno.h>
#include <sys/random.h>

#include "base/text.h"
#include "port/port.h"

static void real_fill(void *self, void *out, size_t len)
{
	uint8_t *p = out;
	while (len) {
		ssize_t n = getrandom(p, len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		CHECK(n > 0);
		p += n;
		len -= (size_t)n;
	}
}

const struct port_random PORT_RANDOM_REAL = { NULL, real_fill };

void port_uuid(const struct port_random *r, char out[37])
{
	uint8_t b[16];
	r->fill(r->self, b, sizeof b);
	uuid_format(b, out);
}
