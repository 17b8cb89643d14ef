/* Inside the store only: SHA-256 over a list of fields, each with its length, so that no two lists
 * of fields run into the same bytes. */
#ifndef TROTH_STORE_DIGEST_H
#define TROTH_STORE_DIGEST_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/text.h"

struct digest {
	void *ctx; /* EVP_MD_CTX */
	bool ok;
};

/* After a good start digest_finish must follow: it frees.  An add that fails is told by finish. */
troth_rc digest_start(struct digest *d, struct troth_err *e);
void digest_add_int(struct digest *d, int64_t i);
void digest_add_text(struct digest *d, const char *s); /* NULL differs from "" */
void digest_add_bytes(struct digest *d, struct bytes b);
troth_rc digest_finish(struct digest *d, uint8_t ret_hash[SHA256_LEN], struct troth_err *e);

#endif
