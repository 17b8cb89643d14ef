/* What the tests about bindings share: a binding of the demo's bundle, and an application that behaves. */
#ifndef TEST_SERVICE_OUTSIDE_H
#define TEST_SERVICE_OUTSIDE_H

#include "fleet.h"

#include "service/outside/binding.h"

static inline struct binding_view outside_bind(struct fleet *f, const char *name, struct binding_create_cmd cmd)
{
	struct binding_ret r;
	cmd.name = name;
	cmd.bundle = "/demo/trust";
	fleet_must(f, &VERB_BINDING_CREATE, &cmd, &r);
	return r.binding;
}

static inline struct binding_view outside_show(struct fleet *f, const struct binding_view *b)
{
	struct binding_ret r;
	fleet_must(f, &VERB_BINDING_SHOW, &(struct id_cmd){ b->row.uuid }, &r);
	return r.binding;
}

static inline struct binding_fetch_ret outside_fetch(struct fleet *f, const struct binding_view *b, const char *tag)
{
	struct binding_fetch_ret r;
	fleet_must(f, &VERB_BINDING_FETCH, &(struct binding_fetch_cmd){ b->row.uuid, tag }, &r);
	return r;
}

static inline void outside_attest(struct fleet *f, const struct binding_view *b, const char *reason)
{
	struct binding_ret r;
	fleet_must(f, &VERB_BINDING_ATTEST, &(struct binding_attest_cmd){ b->row.uuid, reason }, &r);
}

/* It fetches, loads at once, and says so. */
static inline void outside_loads(struct fleet *f, const struct binding_view *b, struct fleet_node *app)
{
	struct binding_fetch_ret got = outside_fetch(f, b, NULL);
	fleet_loads(f, app, got.pem);
	assert_true(outside_fetch(f, b, got.tag).not_modified);
}

static inline bool outside_done(struct fleet *f, const struct rotate_ret *r)
{
	return text_equal(fleet_rotation(f, r->rotation).state, "done");
}

/* Did an event of this kind happen? */
static inline size_t outside_events(struct fleet *f, const char *kind)
{
	struct event_list_ret all;
	size_t n = 0;
	for (int64_t after = 0;; after = all.next) {
		fleet_must(f, &VERB_EVENT_LIST, &(struct event_list_cmd){ .page = { after, 0 } }, &all);
		for (size_t i = 0; i < all.count; i++)
			n += text_equal(all.items[i].kind, kind);
		if (!all.count)
			return n;
	}
}

#endif
