/* From a method and a path to a row of the tables.
 *
 * The tables are few and short (some hundred rows), so a router is a list sorted by how literal the
 * patterns are; the first that matches is the best.  Made once at start, read by all loops. */
#ifndef TROTH_EDGE_ROUTER_H
#define TROTH_EDGE_ROUTER_H

#include "edge/route.h"

struct router;

/* Checks every pattern and refuses two rows that match the same (a bug in a table, told at start).  Lives in a. */
troth_rc router_new(struct arena *a, const struct route_table *tables, size_t table_count, const struct router **ret,
		    struct troth_err *e);

enum router_verdict { ROUTER_FOUND, ROUTER_NO_PATH, ROUTER_NO_METHOD };
struct router_match {
	enum router_verdict verdict;
	const struct route *route;   /* FOUND */
	const struct route *nearest; /* FOUND, NO_METHOD: the most literal row of this path: whose API it is */
	const char *facade;          /* FOUND: of its table */
	struct http_pairs params;    /* FOUND; in the request's arena */
	const char *allow;           /* FOUND, NO_METHOD: "GET, HEAD, OPTIONS" */
};
/* HEAD finds the GET row when there is no row of its own. */
struct router_match router_find(const struct router *router, struct arena *a, enum http_method method, const char *path);

#endif
