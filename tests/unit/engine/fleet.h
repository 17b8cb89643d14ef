/* A fleet in memory for the engine's tests: the service's rows and the agents' nodes, both honest
 * and slow.  It answers acts with facts as the runner does, keeps its own copy of the rows (so a
 * view can be rebuilt from them and compared), and knows what each process really runs.
 *
 * Nothing happens by itself: a test issues, hands, loads and reports, in the order it wants to try.
 * Defaults: CA n has certificate 100 + n, is accepted by that alone, and is as new as n is large;
 * target t lives on instance 1000 + t, whose session is alive. */
#ifndef TROTH_TESTS_FLEET_H
#define TROTH_TESTS_FLEET_H

#include "engine/engine.h"

enum { FLEET_MAX = 64, FLEET_DOCS = 16, FLEET_CONTENTS = 20000, FLEET_IDS = 16 };
#define FLEET_NOW ((msec_t)1700000000000)
#define FLEET_LIFE (90 * MSEC_DAY)

struct fleet_ids { int64_t items[FLEET_IDS]; size_t count; };

struct fleet_group { int64_t id; enum group_kind kind; bool atomic; int64_t limit, deployment; struct fleet_ids authorities, certs; bool outside; };
/* A deployment's policy and an authority's rollout, as told. */
struct fleet_policy { int64_t id; struct fact rolling; };
struct fleet_rollout { int64_t authority; struct fact rollout; };
struct fleet_meet { int64_t presenter, verifier; };
struct fleet_ca {
	int64_t id, authority, cert, order;
	struct fleet_ids anchors;
	bool wanted, signing, can_sign, distrusted, retired, paused, holds, external, awaited;
	msec_t not_before, not_after, renew_at, renew_latest, issued;
	msec_t grace_until; /* of its authority; on each of its versions alike */
	int64_t grace_target;
	bool renewing, by_hand;
	int64_t issuer, bridge_by;
	struct fleet_ids bridge_anchors;
	msec_t bridge_from, bridge_until;
};
struct fleet_content {
	int64_t id;
	bool is_chain;
	struct fleet_ids ids;
	int64_t signed_by, bridged_by;
	msec_t not_before, not_after, renew_at, issued;
	bool distrusted; /* its leaf */
};
struct fleet_doc { int64_t generation, content; bool handed; };

struct fleet_target {
	/* the service's rows */
	int64_t id, group, authority, instance;
	enum target_state state;
	msec_t lease_until; /* 0: no lease */
	bool known, strange;
	int64_t base, base_generation, high, next_generation;
	struct fleet_doc docs[FLEET_DOCS];
	size_t doc_count;
	int64_t staged, asked, failed, failures;
	msec_t pace;
	msec_t alive_until;
	/* the node: what the process runs, and what the agent was handed and has not applied */
	int64_t real, real_generation, real_high, inbox, inbox_generation;
	int64_t drains[FLEET_IDS]; /* what old workers and processes still use, until it reports */
	size_t drain_count;
};

struct fleet {
	struct view *view;
	struct arena *a;
	msec_t now;
	struct engine_policy policy;
	struct fleet_group groups[FLEET_MAX];
	struct fleet_meet meets[FLEET_MAX];
	struct fleet_ca cas[FLEET_MAX];
	struct fleet_policy policies[4];
	struct fleet_rollout rollouts[4];
	size_t policy_count, rollout_count;
	struct fleet_target targets[FLEET_MAX];
	size_t group_count, meet_count, ca_count, target_count;
	struct fleet_content *contents; /* id - 1 is the index */
	size_t content_count;
	bool hold;
	struct plan plan;       /* the last one */
	size_t acts_done;
	bool keep_asked;        /* asks are answered by fleet_issue only (default: too) */
};

struct fleet *fleet_new(void);
void fleet_free(struct fleet *f);

/* -- declaring ----------------------------------------------------------------------------- */
void fleet_group(struct fleet *f, int64_t id, enum group_kind kind);
void fleet_tell_group(struct fleet *f, struct fleet_group *g); /* after changing its fields */
void fleet_meet(struct fleet *f, int64_t presenter, int64_t verifier);
void fleet_part(struct fleet *f, int64_t presenter, int64_t verifier);
struct fleet_ca *fleet_ca(struct fleet *f, int64_t id, int64_t authority); /* wanted; the first signs */
struct fleet_ca *fleet_ca_with(struct fleet *f, int64_t id, int64_t authority, int64_t cert);
/* The same as an intermediate: signed by CA `issuer`, accepted by what accepts that. */
struct fleet_ca *fleet_ca_below(struct fleet *f, int64_t id, int64_t authority, int64_t issuer);
void fleet_tell_ca(struct fleet *f, const struct fleet_ca *c);
struct fleet_ca *fleet_find_ca(struct fleet *f, int64_t id);
void fleet_want(struct fleet *f, int64_t ca, bool wanted);
void fleet_distrust(struct fleet *f, int64_t ca); /* and not wanted any more */
void fleet_goal(struct fleet *f, int64_t group, int64_t authority); /* adds it to the bundle */
void fleet_goal_cert(struct fleet *f, int64_t group, int64_t cert);
void fleet_ungoal(struct fleet *f, int64_t group, int64_t authority);
void fleet_pause(struct fleet *f, int64_t authority, bool on);
void fleet_hold(struct fleet *f, bool on);
/* The fact to be changed; then fleet_tell. */
struct fact *fleet_policy(struct fleet *f, int64_t deployment);
struct fact *fleet_rollout(struct fleet *f, int64_t authority);
void fleet_tell(struct fleet *f, const struct fact *fact);
void fleet_deploy(struct fleet *f, int64_t group, int64_t deployment); /* the group is the deployment's */
void fleet_switch_all(struct fleet *f, int64_t authority, bool on);
void fleet_hold_at_deadline(struct fleet *f, int64_t authority, bool on);
void fleet_external(struct fleet *f, int64_t authority, bool awaited); /* its versions are signed elsewhere */
void fleet_grace(struct fleet *f, int64_t authority, int64_t target, msec_t until);
struct fleet_target *fleet_target(struct fleet *f, int64_t id, int64_t group, int64_t authority);
void fleet_tell_target(struct fleet *f, const struct fleet_target *t); /* all that is known of it */
struct fleet_target *fleet_find(struct fleet *f, int64_t id);
struct fleet_group *fleet_find_group(struct fleet *f, int64_t id);
void fleet_leave(struct fleet *f, int64_t target); /* or was waived: out of Meet, and out of the rows */
void fleet_lease(struct fleet *f, int64_t target, msec_t until); /* it is ephemeral */
void fleet_state(struct fleet *f, int64_t target, enum target_state state);
bool fleet_gone(struct fleet *f, int64_t target);
/* A chain or set out of nowhere (found on a node, uploaded). */
int64_t fleet_chain(struct fleet *f, int64_t signed_by, int64_t anchor);
int64_t fleet_set(struct fleet *f, const int64_t *certs, size_t count);
struct fleet_content *fleet_content(struct fleet *f, int64_t id);
void fleet_tell_content(struct fleet *f, const struct fleet_content *c);

/* A holder outside the fleet (its group is made so): counted at once, serving this chain; and one more chain
 * that it takes and serves from now on, without giving up the others. */
struct fleet_target *fleet_holder(struct fleet *f, int64_t id, int64_t group, int64_t authority, int64_t chain);
void fleet_take(struct fleet *f, int64_t target, int64_t chain);

/* -- happening ----------------------------------------------------------------------------- */
size_t fleet_step(struct fleet *f);   /* one engine step, checked and carried out; how many acts */
void fleet_run(struct fleet *f);      /* until there is no act */
void fleet_stage(struct fleet *f, int64_t target, int64_t chain);
bool fleet_issue(struct fleet *f, int64_t target);  /* answers its ask */
bool fleet_hand(struct fleet *f, int64_t target);   /* the newest document goes into the inbox */
bool fleet_lose(struct fleet *f, int64_t target);   /* the same, but the reply is lost on the way */
bool fleet_load(struct fleet *f, int64_t target);   /* the process runs what is in the inbox */
bool fleet_fail(struct fleet *f, int64_t target);   /* the inbox fails, is put back, and is reported */
void fleet_report(struct fleet *f, int64_t target); /* settled: what it really runs */
void fleet_settle(struct fleet *f, int64_t target); /* hand, load, report */
void fleet_settle_all(struct fleet *f);             /* until nothing changes any more */
void fleet_void(struct fleet *f, int64_t target);   /* session opened with something unexpected */
void fleet_foreign(struct fleet *f, int64_t target, int64_t content); /* it runs this and reports so; nobody here knows it */
void fleet_offline(struct fleet *f, int64_t target);
void fleet_online(struct fleet *f, int64_t target);
/* Counted at once, running this content. */
void fleet_count_as(struct fleet *f, int64_t target, int64_t content);
void fleet_later(struct fleet *f, msec_t by);       /* the clock; sessions stay as alive as they were */

/* -- asking -------------------------------------------------------------------------------- */
bool fleet_holds_cert(struct fleet *f, int64_t target, int64_t cert);  /* really, now */
int64_t fleet_newest(struct fleet *f, int64_t target);                 /* content last sent, else base */
int64_t fleet_signer_of(struct fleet *f, int64_t target);              /* of what it really serves */
bool fleet_meets_ok(struct fleet *f, int64_t slot, int64_t store);     /* really, now */
const struct wait *fleet_wait(struct fleet *f, enum wait_reason reason, int64_t target, int64_t other); /* 0: any */
struct view *fleet_rebuild(struct fleet *f);
void fleet_assert_same(struct fleet *f); /* incremental = rebuilt, counters = recount */

/* The usual world: stores 11, 12 in group 1 with authority 5; slots 21, 22 in group 2; CA 1 signs;
 * everything is settled and counted. */
struct fleet *fleet_usual(void);
/* The same with an intermediate between: CA 1 of authority 5 is in the stores, CA 31 of authority 7, which it
 * signed, signs the slots' chains. */
struct fleet *fleet_two_levels(void);
/* The usual, and CA 2 is wanted in place of CA 1. */
struct fleet *fleet_rotating(void);

#endif
