/* The agent's side of the world.  (Its headers and the store's use the same words, so no file includes both.) */
#ifndef TROTH_SIM_SIDE_AGENT_H
#define TROTH_SIM_SIDE_AGENT_H

#include "agent/core.h"
#include "agent/hand.h"
#include "sim.h"

struct agents { /* what all of them share */
	const struct profile *profiles[PROFILE_KIND_COUNT];
	struct settings settings;
	struct agent_effects effects;
};

struct agent_half { /* a running agent */
	struct sim *s;
	struct node *n;
	struct hand hand;
	struct agent_core *core;
	uint32_t timer;       /* serial of the timer that counts */
	msec_t hand_at;       /* when the hand has done what it was told so far */
};

#endif
