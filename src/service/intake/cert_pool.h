/* What somebody brought as PEM: certificates in any order, once or twice, with the root or without; read and sorted.
 * Each thing that is wrong is a finding. */
#ifndef TROTH_SERVICE_CERT_POOL_H
#define TROTH_SERVICE_CERT_POOL_H

#include "pki/pki.h"
#include "service/check.h"

struct cert_pool { const struct cert **items; size_t count; };

/* A chain as it will be served, judged by itself. */
struct upload_chain {
	const struct cert *leaf;     /* or the CA that somebody else certified */
	const struct cert **served;  /* leaf first, without the root */
	size_t count;
	const struct cert **roots;   /* self-signed ones that came with it */
	size_t root_count;
};

/* Adds what the PEM has; `path` is its place in the request. */
void cert_pool_read(const struct checker *c, const char *path, const char *pem, struct cert_pool *pool);
/* From chain->leaf upward: served and roots.  What has no part in it is a finding. */
void cert_pool_sort(const struct checker *c, const char *path, const struct cert_pool *pool, struct upload_chain *chain);

#endif
