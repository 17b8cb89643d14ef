/* DER: the reader itself, then everything that is read with it: certificates, keys, SPKIs, sealed
 * messages.  The first byte chooses. */
#include "base/limits.h"
#include "pki/der.h"
#include "pki/pki.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_cert(struct bytes in)
{
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	const struct cert *c;
	if (rc_ok(cert_parse(a, in, &c, NULL))) {
		CHECK(c->subject && c->spki.len && c->der.len == in.len);
		(void)cert_self_signed(c); /* must not crash, whatever it says */
		(void)cert_host_matches(c, "db.example.org");
	}
	arena_free(a);
}

static void read_key(struct bytes in)
{
	struct key *k = NULL;
	if (rc_ok(key_parse_own(in, &k, NULL)))
		key_release(k);
}

/* What is read, written again, is the same: DER has one spelling. */
static void read_values(struct bytes in)
{
	struct bytes rest = in, content;
	int tag;
	struct buf w = buf_make(in.len + 16);
	while (der_next(&rest, &tag, &content))
		der_add(&w, tag, content);
	CHECK(buf_ok(&w) && bytes_equal(buf_bytes(&w), bytes_of(in.data, in.len - rest.len)));
	(void)der_well_formed(in);
	buf_release(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum key_type type;
	if (size == 0)
		return 0;
	struct bytes in = bytes_of(data + 1, size - 1);
	switch (data[0] % 4) {
	case 0: read_values(in); break;
	case 1: read_cert(in); break;
	case 2: read_key(in); break;
	case 3: (void)rc_ok(spki_check(in, &type, NULL)); break;
	}
	return 0;
}
