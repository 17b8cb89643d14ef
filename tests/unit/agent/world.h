/* A world for the core: every effect is looked at, every event is made here, and time is a number. */
#ifndef TROTH_TEST_AGENT_WORLD_H
#define TROTH_TEST_AGENT_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "agent/core.h"

#define SLOT "6f1c3a52-0b7e-4d0a-9a52-3f1b2c4d5e01"
#define SLOT2 "6f1c3a52-0b7e-4d0a-9a52-3f1b2c4d5e02"
#define STORE "6f1c3a52-0b7e-4d0a-9a52-3f1b2c4d5e03"
#define REQUEST "6f1c3a52-0b7e-4d0a-9a52-3f1b2c4d5eff"
#define OLD "0000000000000000000000000000000000000000000000000000000000000001"
#define NEW "0000000000000000000000000000000000000000000000000000000000000002"

enum { PENDING = 64 };

struct world {
	struct arena *a;
	const struct profile *profiles[2];
	struct agent_core *core;
	struct agent_effects effects;
	struct agent_effect pending[PENDING]; /* asked, not answered */
	size_t count;
	msec_t now, timer;
	int64_t version;
	struct msg_report last;
	size_t reports;
};

void feed(struct world *w, struct agent_event event);
void pass(struct world *w, msec_t ms);
int find(const struct world *w, enum agent_effect_kind kind, int which, const char *id);
struct agent_effect take(struct world *w, enum agent_effect_kind kind, int which, const char *id);
bool asked(const struct world *w, enum hand_op op);
bool probing(const struct world *w);
void hand_says(struct world *w, enum hand_op op, const char *id, struct hand_reply r);
void hand_ok(struct world *w, enum hand_op op);
void hand_fails(struct world *w, enum hand_op op, const char *why);
void service_shows(struct world *w, const char *fingerprint);
void answer(struct world *w, struct agent_answer m);
void take_reports(struct world *w);
void open_session(struct world *w, int64_t session, const char *epoch);
struct msg_target slot(const char *id, int64_t generation);
struct msg_target store(int64_t generation);
void desire_in(struct world *w, int64_t session, struct msg_target *targets, size_t count);
void desire(struct world *w, struct msg_target t);
const char *state(struct world *w, const char *id);
struct json_texts fp(struct world *w, const char *fingerprint);
struct hand_view view(struct world *w, const char *id, enum hand_phase phase, int64_t l, int64_t h, int64_t doing);
void start(struct world *w, const char *id);
void start_settled(struct world *w, const char *id);
void staged(struct world *w);
void see_new(struct world *w, const char *fingerprint, int times);
int world_setup(void **out);
int world_teardown(void **out);

#endif
