/* Every API of this server, for app to hand to edge: the native one, and those that speak as other products do. */
#ifndef TROTH_FACADE_FACADE_H
#define TROTH_FACADE_FACADE_H

#include "edge/route.h"

/* A compatible API that exists.  Its routes are on the same listener, without a prefix. */
struct facade {
	const char *name;   /* as credentials say it (service: FACADES) */
	const char *client; /* the OAuth client that its own programs log in as */
};
extern const struct facade FACADES_SERVED[]; /* the last has no name */

enum { FACADE_TABLES_MAX = 40 };
/* All tables, with the native ones first. */
size_t facade_tables(struct route_table out[FACADE_TABLES_MAX]);

#endif
