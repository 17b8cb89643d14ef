/* What people decided about how and when things may change, as the world remembers it; never as the engine does. */
#ifndef TROTH_SIM_POLICY_H
#define TROTH_SIM_POLICY_H

#include "sim.h"

void policy_choose(struct sim *s);   /* a policy for one of the deployments, or none */
void policy_freeze(struct sim *s);   /* for a while */
void policy_rollout(struct sim *s);  /* an authority's rotations wait for approvals, or do not any more */
void policy_approve(struct sim *s);  /* whatever step waits */
void policy_begin(struct sim *s);    /* those that the world has from its beginning */
void policy_lift(struct sim *s);     /* when faults are over */

/* A rotation of `name` was ordered (and begun: done); it goes another way than it was approved for. */
void policy_rotated(struct sim *s, const char *name, bool done);
void policy_turned(struct sim *s, const char *name);
void policy_goes_on(struct sim *s); /* somebody says so, where it had stopped */
/* Nobody knows any more: the server was restored. */
void policy_forget(struct sim *s);

/* The server has heard of a node; a document leaves it for the first time; a report was taken. */
void policy_heard(struct sim *s, struct node *n);
void policy_sent(struct sim *s, struct node *n, const struct msg_target *t);
/* The server died over its poll: what it wrote down as handed out may have left, for all that anybody knows. */
void policy_unheard(struct sim *s, struct node *n);
void policy_unsure(struct node *n, const char *target);
void policy_reported(struct sim *s, struct node *n, const struct msg_report *m, bool counted);
/* A process begins to present something. */
void policy_presents(struct sim *s, struct node *n, struct place_state *p, int content);

#endif
