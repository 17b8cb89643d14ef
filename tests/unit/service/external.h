/* What the tests about external instances share: a deployment "cdn" with a store and perhaps a slot, and a party that does what
 * it is told. */
#ifndef TEST_SERVICE_EXTERNAL_H
#define TEST_SERVICE_EXTERNAL_H

#include "outside.h"

#include "service/outside/external.h"

struct outsider { struct instance_view v; struct fleet_node *node; int64_t seq; };

static struct store_template EXTERNAL_STORE = { .path = "$.stores[0]", .name = "trust", .bundle = "/demo/trust" };

/* "cdn", external, with the demo's bundle; cmd says the rest. */
static inline void external_deploy(struct fleet *f, struct deployment_create_cmd cmd)
{
	struct deployment_ret r;
	cmd.name = "cdn";
	cmd.external = true;
	cmd.stores = &EXTERNAL_STORE;
	cmd.store_count = 1;
	fleet_must(f, &VERB_DEPLOYMENT_CREATE, &cmd, &r);
}

static inline struct instance_view external_add(struct fleet *f, const char *name)
{
	struct instance_ret r;
	fleet_must(f, &VERB_INSTANCE_ADD, &(struct instance_add_cmd){ .deployment = "cdn", .name = name }, &r);
	return r.instance;
}

static inline struct instance_view external_show(struct fleet *f, const struct outsider *p)
{
	struct instance_ret r;
	fleet_must(f, &VERB_INSTANCE_SHOW, &(struct id_cmd){ p->v.row.uuid }, &r);
	return r.instance;
}

/* One whose store is tried with every slot's chain. */
static inline struct outsider external_party(struct fleet *f, const char *name)
{
	struct outsider p = { .v = external_add(f, name), .node = fleet_stranger(f, name, MSG_STORE) };
	return p;
}

static inline struct instance_wanted_ret external_wanted(struct fleet *f, const struct outsider *p)
{
	struct instance_wanted_ret r;
	fleet_must(f, &VERB_INSTANCE_WANTED, &(struct instance_wanted_cmd){ p->v.row.uuid, 0 }, &r);
	return r;
}

/* What is wanted of one target. */
static inline struct wanted_target external_want(struct fleet *f, const struct outsider *p, const char *target)
{
	struct instance_wanted_ret r = external_wanted(f, p);
	for (size_t i = 0; i < r.target_count; i++)
		if (text_equal(r.targets[i].m->name, target))
			return r.targets[i];
	FLEET_CHECK(f, !"there is such a target");
	return r.targets[0];
}

static inline struct report_result external_said(struct fleet *f, struct outsider *p, struct target_report t)
{
	struct instance_report_ret r;
	t.path = "$.targets[0]";
	t.has_fingerprints = true;
	fleet_must(f, &VERB_INSTANCE_REPORT, &(struct instance_report_cmd){ p->v.row.uuid, ++p->seq, &t, 1 }, &r);
	FLEET_CHECK(f, r.result_count == 1 && r.seq >= p->seq);
	return r.results[0];
}

static inline struct report_result external_says(struct fleet *f, struct outsider *p, const char *target, int64_t generation,
						 struct json_texts fingerprints)
{
	return external_said(f, p, (struct target_report){ .target = target, .generation = generation, .fingerprints = fingerprints });
}

static inline const char *external_pem(struct fleet *f, const struct wanted_target *w)
{
	const char *pem = "";
	for (size_t i = 0; i < w->m->certificates.count; i++)
		pem = arena_printf(f->a, "%s%s", pem, w->m->certificates.items[i]);
	return pem;
}

/* Fetches, loads, reports its store. */
static inline struct wanted_target external_loads(struct fleet *f, struct outsider *p)
{
	struct wanted_target w = external_want(f, p, "trust");
	fleet_loads(f, p->node, external_pem(f, &w));
	(void)external_says(f, p, "trust", w.m->generation, w.fingerprints);
	return w;
}

static inline struct json_texts external_list(struct fleet *f, const char *one, const char *two)
{
	struct json_texts t = { ARENA_ARRAY(f->a, const char *, 2), 0 };
	if (one)
		t.items[t.count++] = one;
	if (two)
		t.items[t.count++] = two;
	return t;
}

/* The state of its first target. */
static inline struct target_row external_row(struct fleet *f, const struct outsider *p)
{
	return external_show(f, p).targets[0].row;
}

#endif
