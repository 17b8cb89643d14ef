/* Ephemerals: they come, serve, and are gone when their lease ends, without a word to anybody.
 *
 * Until then they are members like all others.  Nobody tells the server that they have gone, and nobody cleans up after them:
 * if one of them held anything up for longer than its lease, the run would not settle. */
#include <stdio.h>

#include "lease.h"
#include "side_server.h"

enum { LEASE_MS = 90000, EARLY_MS = 3000 };

static bool make_deployment(struct sim *s)
{
	struct troth_err e = { 0 };
	if (rc_ok(server_deployment(s, s->ask_a, "lease", LEASE_MS, &e)) || e.kind == TROTH_CONFLICT) /* it is there */
		return true;
	tell(s, "no deployment of ephemerals: %s", e.primary);
	return false;
}

static void on_end(struct sim *s, struct event *x) { lease_sweep(s); }

void lease_new(struct sim *s)
{
	arena_reset(s->ask_a);
	if (!s->server->up || !make_deployment(s))
		return;
	msec_t until = server_now(s) + LEASE_MS - EARLY_MS;
	struct node *n = node_new(s, "lease");
	if (!n)
		return;
	n->lease_until = until;
	event_add(s, s->now + LEASE_MS - EARLY_MS, on_end, n);
}

void lease_sweep(struct sim *s)
{
	for (int i = 0; i < s->node_count; i++) {
		struct node *n = s->nodes[i];
		if (!n->there || !n->lease_until || server_now(s) < n->lease_until)
			continue;
		tell(s, "%s is abandoned", n->name);
		node_stop(s, n);
	}
}
