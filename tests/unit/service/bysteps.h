/* What the tests about rotations by steps share: the orders, and somebody without an agent who took the newest. */
#ifndef TEST_SERVICE_BYSTEPS_H
#define TEST_SERVICE_BYSTEPS_H

#include "external.h"

#include "service/rotation/apply.h"
#include "service/rotation/steps.h"

static inline struct order_ret steps_order(struct fleet *f, const struct verb *verb, struct order_cmd cmd)
{
	struct order_ret r;
	fleet_must(f, verb, &cmd, &r);
	return r;
}

static inline struct order_ret steps_generate(struct fleet *f)
{
	struct order_ret r = steps_order(f, &VERB_ROOT_GENERATE, (struct order_cmd){ 0 });
	FLEET_CHECK(f, !r.violation_count && r.root.version.row.uuid && !r.root.active);
	return r;
}

static inline struct operation_row steps_apply(struct fleet *f)
{
	struct operation_ret r;
	fleet_must(f, &VERB_APPLY, &(struct apply_start_cmd){ 0 }, &r);
	return r.operation;
}

static inline struct operation_row steps_installation(struct fleet *f, int64_t id)
{
	struct operation_ret r;
	fleet_must(f, &VERB_APPLY_SHOW, &(struct apply_cmd){ id }, &r);
	return r.operation;
}

/* Applied, and everything moved. */
static inline struct operation_row steps_applied(struct fleet *f)
{
	struct operation_row op = steps_apply(f);
	fleet_settle(f, 60);
	return steps_installation(f, op.id);
}

static inline void steps_apply_all(struct fleet *f)
{
	struct operation_row op = steps_applied(f);
	FLEET_CHECK(f, op.state == OPERATION_SUCCEEDED && !op.waits_for);
}

/* The versions of /demo/ca, oldest first. */
static inline struct root_list_ret steps_roots(struct fleet *f)
{
	struct root_list_ret r;
	fleet_must(f, &VERB_ROOT_LIST, &(struct no_cmd){ 0 }, &r);
	return r;
}

static inline const char *steps_version(struct fleet *f, size_t i)
{
	struct root_list_ret r = steps_roots(f);
	FLEET_CHECK(f, i < r.count);
	return r.items[i].version.row.uuid;
}

static inline void steps_activate(struct fleet *f, size_t i)
{
	struct order_ret r = steps_order(f, &VERB_ROOT_ACTIVATE, (struct order_cmd){ .version = steps_version(f, i) });
	FLEET_CHECK(f, !r.violation_count && r.root.active);
}

static inline struct order_ret steps_regenerate(struct fleet *f) { return steps_order(f, &VERB_ROOT_REGENERATE, (struct order_cmd){ 0 }); }

static inline struct order_ret steps_remove(struct fleet *f, size_t i, bool force)
{
	return steps_order(f, &VERB_ROOT_REMOVE, (struct order_cmd){ .version = steps_version(f, i), .force = force });
}

/* One without an agent, in a deployment of its own, that trusts one version of /demo/ca alone and says so. */
static inline struct outsider steps_outsider(struct fleet *f, const char *deployment, msec_t ttl, const char *version)
{
	struct deployment_ret d;
	struct instance_ret i;
	struct instance_report_ret r;
	fleet_must(f, &VERB_DEPLOYMENT_CREATE, &(struct deployment_create_cmd){ .name = deployment, .stores = &EXTERNAL_STORE, .store_count = 1,
		   .external = true, .no_grace = true, .ephemeral = ttl > 0, .ttl = ttl }, &d);
	fleet_must(f, &VERB_INSTANCE_ADD, &(struct instance_add_cmd){ .deployment = deployment, .name = "edge-1" }, &i);
	struct outsider p = { .v = i.instance };
	(void)external_want(f, &p, "trust"); /* it is sent both, and takes one */
	struct target_report said = { .path = "$.targets[0]", .target = "trust", .has_versions = true, .versions = external_list(f, version, NULL) };
	fleet_must(f, &VERB_INSTANCE_REPORT, &(struct instance_report_cmd){ p.v.row.uuid, ++p.seq, &said, 1 }, &r);
	FLEET_CHECK(f, r.results[0].outcome == REPORT_COUNTED);
	return p;
}

/* An agent that comes with a lease; it has joined and serves what it was given. */
static inline struct fleet_node *steps_ephemeral(struct fleet *f, bool first, const char *name)
{
	struct deployment_ret ret;
	const char *san = "dns:{instance}.example";
	struct slot_template slot = { .path = "$", .name = "tls", .profile = "nginx", .role = "server", .authority = "/demo/ca",
				      .credential = "/check/{instance}/server", .sans = { &san, 1 } };
	struct deployment_create_cmd cmd = { .name = "check", .slots = &slot, .slot_count = 1, .ephemeral = true, .ttl = 60 * MSEC_S };
	if (first)
		fleet_must(f, &VERB_DEPLOYMENT_CREATE, &cmd, &ret);
	struct fleet_node *n = fleet_join(f, "check", name);
	n->until = f->now + 60 * MSEC_S;
	fleet_settle(f, 10);
	return n;
}

#endif
