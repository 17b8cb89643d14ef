/* The agent's contract A1 to A5 and the state machine, against a hand, services and a server that are
 * only this file: every effect is looked at, every event is made here, and time is a number. */
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

static const char PROFILES[2][900] = {
	"name: web\ndescription: d\nkinds: [slot]\nroots: [/srv/web]\ndirectory: '/srv/web/{target}'\n"
	"files:\n - {name: cert.pem, content: fullchain}\n - {name: key.pem, content: key}\n"
	"reload: {signal: HUP, pid_file: /run/web.pid}\n"
	"probe: {addresses: ['127.0.0.1,::1'], port: 8443, sightings: 3, deadline: 5s}\ndrain: 1s\nproof: probe\n",
	"name: trust\ndescription: d\nkinds: [store]\nroots: [/srv/app]\ndirectory: '/srv/app/{target}'\n"
	"files:\n - {name: ca.pem, content: bundle}\nreload: {signal: HUP, pid_file: /run/app.pid}\n"
	"attest: {file: /run/app.loaded}\nprobe: {addresses: [], port: 1, deadline: 5s}\ndrain: 1s\nproof: attest\n",
};

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

/* -- driving ------------------------------------------------------------------------------------------- */

static void collect(struct world *w)
{
	for (size_t i = 0; i < w->effects.count; i++) {
		const struct agent_effect *x = &w->effects.items[i];
		if (x->kind == EFFECT_TIMER) {
			w->timer = x->at;
		} else if (x->kind != EFFECT_NOTE) {
			assert_true(w->count < PENDING);
			w->pending[w->count++] = *x;
		}
	}
}

static void feed(struct world *w, struct agent_event event)
{
	agent_step(w->core, &event, w->now, w->a, &w->effects);
	collect(w);
}

/* Lets time pass: the timer fires whenever it is due. */
static void pass(struct world *w, msec_t ms)
{
	msec_t end = w->now + ms;
	while (w->timer && w->timer <= end) {
		w->now = w->timer > w->now ? w->timer : w->now;
		w->timer = 0;
		feed(w, (struct agent_event){ .kind = EVENT_TIMER });
	}
	w->now = end;
	feed(w, (struct agent_event){ .kind = EVENT_TIMER });
}

static int find(const struct world *w, enum agent_effect_kind kind, int which, const char *id)
{
	for (size_t i = 0; i < w->count; i++) {
		const struct agent_effect *x = &w->pending[i];
		bool fits = x->kind == kind && (kind != EFFECT_HAND || ((int)x->hand.op == which && (!id || text_equal(x->hand.id, id)))) &&
			    (kind != EFFECT_ASK || (int)x->ask.ask == which) && (kind != EFFECT_PROBE || !id || text_equal(x->probe.target, id));
		if (fits)
			return (int)i;
	}
	return -1;
}

static struct agent_effect take(struct world *w, enum agent_effect_kind kind, int which, const char *id)
{
	int i = find(w, kind, which, id);
	if (i < 0)
		fail_msg("no pending effect of kind %d, %d", (int)kind, which);
	struct agent_effect x = w->pending[i];
	w->pending[i] = w->pending[--w->count];
	return x;
}

static bool asked(const struct world *w, enum hand_op op) { return find(w, EFFECT_HAND, (int)op, NULL) >= 0; }
static bool probing(const struct world *w) { return find(w, EFFECT_PROBE, 0, NULL) >= 0; }

static void hand_says(struct world *w, enum hand_op op, const char *id, struct hand_reply r)
{
	struct agent_effect x = take(w, EFFECT_HAND, (int)op, id);
	r.op = op;
	r.ticket = x.ticket;
	r.id = x.hand.id;
	r.generation = x.hand.generation;
	feed(w, (struct agent_event){ .kind = EVENT_HAND, .hand = &r });
}

static void hand_ok(struct world *w, enum hand_op op) { hand_says(w, op, NULL, (struct hand_reply){ .ok = true }); }

static void hand_fails(struct world *w, enum hand_op op, const char *why)
{
	hand_says(w, op, NULL, (struct hand_reply){ .kind = TROTH_IO, .text = why });
}

/* The service shows `fingerprint` at both addresses; NULL: nobody listens. */
static void service_shows(struct world *w, const char *fingerprint)
{
	struct agent_effect x = take(w, EFFECT_PROBE, 0, NULL);
	struct agent_probed p = { .ticket = x.ticket };
	for (int i = 0; i < 2; i++)
		p.at[i] = (struct agent_sight){ fingerprint, !fingerprint, fingerprint ? NULL : "connection refused" };
	static const char *chain[1];
	chain[0] = fingerprint;
	p.chain = (struct json_texts){ chain, fingerprint ? 1 : 0 };
	feed(w, (struct agent_event){ .kind = EVENT_PROBED, .probed = &p });
}

static void answer(struct world *w, struct agent_answer m)
{
	struct agent_effect x = take(w, EFFECT_ASK, (int)m.ask, NULL);
	m.ticket = x.ticket;
	if (m.ask == ASK_REPORT && m.ok) {
		w->last = x.ask.report;
		w->reports++;
	}
	feed(w, (struct agent_event){ .kind = EVENT_ANSWER, .answer = &m });
}

static void take_reports(struct world *w)
{
	while (find(w, EFFECT_ASK, ASK_REPORT, NULL) >= 0)
		answer(w, (struct agent_answer){ .ask = ASK_REPORT, .ok = true });
}

static void open_session(struct world *w, int64_t session, const char *epoch)
{
	struct msg_opened opened = { session, epoch };
	answer(w, (struct agent_answer){ .ask = ASK_OPEN, .ok = true, .opened = &opened });
}

static struct msg_target slot(const char *id, int64_t generation)
{
	static const char *pem[] = { "PEM" };
	return (struct msg_target){ .id = id, .name = text_equal(id, SLOT) ? "one" : "two", .kind = MSG_SLOT, .profile = "web",
				    .generation = generation, .certificates = { pem, 1 }, .key_request = REQUEST };
}

static struct msg_target store(int64_t generation)
{
	static const char *pem[] = { "PEM" };
	return (struct msg_target){ .id = STORE, .name = "cas", .kind = MSG_STORE, .profile = "trust", .generation = generation,
				    .certificates = { pem, 1 } };
}

static void desire_in(struct world *w, int64_t session, struct msg_target *targets, size_t count)
{
	struct msg_desired d = { .session = session, .epoch = "e1", .version = ++w->version, .targets = targets, .target_count = count };
	answer(w, (struct agent_answer){ .ask = ASK_POLL, .ok = true, .desired = &d });
}

static void desire(struct world *w, struct msg_target t) { desire_in(w, 1, &t, 1); }

static const char *state(struct world *w, const char *id)
{
	const char *s = agent_core_state(w->core, id);
	return s ? s : "(none)";
}

/* -- worlds to begin with ------------------------------------------------------------------------------------ */

static struct json_texts fp(struct world *w, const char *fingerprint)
{
	const char **items = ARENA_ARRAY(w->a, const char *, 1);
	items[0] = fingerprint;
	return (struct json_texts){ items, 1 };
}

static struct hand_view view(struct world *w, const char *id, enum hand_phase phase, int64_t l, int64_t h, int64_t doing)
{
	bool is_store = text_equal(id, STORE);
	return (struct hand_view){ .phase = phase, .loaded = l, .high_water = h, .doing = doing, .has_files = l > 0,
				   .loaded_fingerprints = l ? fp(w, OLD) : (struct json_texts){ 0 },
				   .doing_fingerprints = doing ? fp(w, NEW) : (struct json_texts){ 0 }, .reason = "before",
				   .name = is_store ? "cas" : text_equal(id, SLOT) ? "one" : "two", .profile = is_store ? "trust" : "web",
				   .kind = is_store ? MSG_STORE : MSG_SLOT };
}

static void start(struct world *w, const char *id)
{
	const char *ids[] = { id };
	w->core = agent_core_new(&(struct agent_config){ w->profiles, 2, NULL, 7 });
	feed(w, (struct agent_event){ .kind = EVENT_START });
	hand_says(w, HAND_HELLO, NULL, (struct hand_reply){ .ok = true, .boot_id = "boot", .epoch = "e1", .ids = { ids, id ? 1 : 0 } });
}

/* A target settled at generation 3 (h = 4), checked, reported, polling. */
static void start_settled(struct world *w, const char *id)
{
	start(w, id);
	hand_says(w, HAND_LOOK, NULL, (struct hand_reply){ .ok = true, .view = view(w, id, PHASE_SETTLED, 3, 4, 0) });
	hand_ok(w, HAND_CHECK);
	if (text_equal(id, STORE))
		hand_says(w, HAND_ATTEST, NULL, (struct hand_reply){ .ok = true, .matched = true, .present = true });
	else
		service_shows(w, OLD);
	open_session(w, 1, "e1");
	take_reports(w);
	assert_string_equal(state(w, id), "idle");
}

static void staged(struct world *w) { hand_says(w, HAND_STAGE, NULL, (struct hand_reply){ .ok = true, .fingerprints = fp(w, NEW) }); }

static void see_new(struct world *w, const char *fingerprint, int times)
{
	for (int i = 0; i < times; i++) {
		service_shows(w, fingerprint);
		pass(w, 30);
	}
}

static int setup(void **out)
{
	struct world *w = calloc(1, sizeof *w);
	w->a = arena_new(64 << 20);
	w->now = 1000000;
	for (int i = 0; i < 2; i++) {
		struct troth_err e = { 0 };
		if (rc_failed(profile_parse(w->a, bytes_of_text(PROFILES[i]), "test", &w->profiles[i], &e)))
			fail_msg("%s", e.primary);
	}
	*out = w;
	return 0;
}

static int teardown(void **out)
{
	struct world *w = *out;
	agent_core_free(w->core);
	arena_free(w->a);
	free(w);
	return 0;
}

/* -- the way through ------------------------------------------------------------------------------------------- */

static void a_slot_goes_all_the_way(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	size_t before = w->reports;
	desire(w, slot(SLOT, 5));
	staged(w);
	assert_string_equal(state(w, SLOT), "swap");
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	see_new(w, OLD, 2);  /* nginx takes its time */
	see_new(w, NEW, 2);
	see_new(w, OLD, 1);  /* an old worker again: the row begins anew */
	see_new(w, NEW, 3);
	assert_string_equal(state(w, SLOT), "drain");
	assert_int_equal(w->reports, before);
	pass(w, 900);
	assert_false(asked(w, HAND_SETTLE));
	pass(w, 200);
	hand_ok(w, HAND_SETTLE);
	take_reports(w);
	assert_int_equal(w->reports, before + 1);
	assert_int_equal(w->last.generation, 5);
	assert_int_equal(w->last.high_water, 5);
	assert_true(w->last.settled);
	assert_int_equal(w->last.level, MSG_LEVEL_PROBED);
	assert_string_equal(w->last.fingerprints.items[0], NEW);
}

static void a_store_waits_for_its_attest(void **out)
{
	struct world *w = *out;
	start_settled(w, STORE);
	desire(w, store(5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	hand_says(w, HAND_ATTEST, NULL, (struct hand_reply){ .ok = true, .present = true, .text = "old" });
	assert_string_equal(state(w, STORE), "verify");
	pass(w, 200);
	hand_says(w, HAND_ATTEST, NULL, (struct hand_reply){ .ok = true, .present = true, .matched = true });
	pass(w, 1100);
	hand_ok(w, HAND_SETTLE);
	take_reports(w);
	assert_int_equal(w->last.generation, 5);
	assert_int_equal(w->last.level, MSG_LEVEL_LOADED);
}

/* -- A1: only this session's documents, only above h ------------------------------------------------------------- */

static void a1_late_repeated_and_reordered_documents_are_refused(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	desire(w, slot(SLOT, 4)); /* h is 4 */
	assert_string_equal(state(w, SLOT), "idle");
	desire(w, slot(SLOT, 3)); /* what runs */
	assert_string_equal(state(w, SLOT), "idle");
	desire(w, slot(SLOT, 6));
	staged(w);
	hand_ok(w, HAND_SWAP);
	desire(w, slot(SLOT, 5)); /* late: 6 is begun */
	desire(w, slot(SLOT, 6)); /* again */
	hand_ok(w, HAND_RELOAD);
	see_new(w, NEW, 3);
	pass(w, 1100);
	hand_ok(w, HAND_SETTLE);
	take_reports(w);
	assert_int_equal(w->last.generation, 6);
	desire(w, slot(SLOT, 6));
	assert_string_equal(state(w, SLOT), "idle");
}

static void a1_documents_of_another_session_are_not_applied(void **out)
{
	struct world *w = *out;
	struct msg_target t = slot(SLOT, 9);
	start_settled(w, SLOT);
	desire_in(w, 2, &t, 1);
	assert_string_equal(state(w, SLOT), "idle");
	assert_true(find(w, EFFECT_ASK, ASK_OPEN, NULL) >= 0); /* something is wrong: a new session */
	assert_int_equal(agent_core_session(w->core), 0);
}

static void a1_what_is_only_staged_ends_with_its_session(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	desire(w, slot(SLOT, 5));
	assert_string_equal(state(w, SLOT), "stage");
	answer(w, (struct agent_answer){ .ask = ASK_POLL, .stale = true, .kind = TROTH_CONFLICT });
	open_session(w, 2, "e1");
	assert_string_equal(state(w, SLOT), "idle");
	staged(w); /* the hand's late word changes nothing */
	assert_string_equal(state(w, SLOT), "idle");
	assert_false(asked(w, HAND_SWAP));
}

/* What is begun is seen through; but h, as said when the session opens, does not hold it yet. */
static void a1_what_is_begun_is_not_yet_high_water(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	desire(w, slot(SLOT, 5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	answer(w, (struct agent_answer){ .ask = ASK_POLL, .stale = true, .kind = TROTH_CONFLICT });
	int i = find(w, EFFECT_ASK, ASK_OPEN, NULL);
	assert_true(i >= 0);
	assert_int_equal(w->pending[i].ask.open.targets[0].loaded_generation, 3);
	assert_int_equal(w->pending[i].ask.open.targets[0].high_water, 4);
	open_session(w, 2, "e1");
	assert_string_equal(state(w, SLOT), "reload");
}

/* -- A2: nothing counts while something is unproven ------------------------------------------------------------------ */

static void a2_staged_on_restart_is_reloaded_before_it_is_reported(void **out)
{
	struct world *w = *out;
	start(w, SLOT);
	hand_says(w, HAND_LOOK, NULL, (struct hand_reply){ .ok = true, .view = view(w, SLOT, PHASE_APPLYING, 3, 4, 5) });
	open_session(w, 1, "e1");
	while (find(w, EFFECT_ASK, ASK_REPORT, NULL) >= 0) {
		answer(w, (struct agent_answer){ .ask = ASK_REPORT, .ok = true });
		assert_false(w->last.settled);
	}
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	see_new(w, NEW, 3);
	pass(w, 1100);
	hand_ok(w, HAND_SETTLE);
	take_reports(w);
	assert_true(w->last.settled);
	assert_int_equal(w->last.generation, 5);
}

static void a2_putting_back_goes_on_after_a_restart(void **out)
{
	struct world *w = *out;
	start(w, SLOT);
	hand_says(w, HAND_LOOK, NULL, (struct hand_reply){ .ok = true, .view = view(w, SLOT, PHASE_BACKING, 3, 4, 5) });
	hand_ok(w, HAND_PUT_BACK);
	hand_ok(w, HAND_RELOAD);
	see_new(w, OLD, 3);
	pass(w, 1100);
	hand_ok(w, HAND_BACK_DONE);
	open_session(w, 1, "e1");
	take_reports(w);
	assert_int_equal(w->last.generation, 3);
	assert_int_equal(w->last.high_water, 5);
	assert_int_equal(w->last.failed_generation, 5);
	assert_true(w->last.settled);
}

/* -- A3: put back first, then report ------------------------------------------------------------------------------------ */

static void a3_a_failure_is_put_back_before_any_counting_report(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	size_t before = w->reports;
	desire(w, slot(SLOT, 5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	for (int i = 0; i < 400 && probing(w); i++)
		see_new(w, OLD, 1); /* until the deadline */
	assert_string_equal(state(w, SLOT), "put-back");
	assert_int_equal(w->reports, before);
	hand_ok(w, HAND_PUT_BACK);
	hand_ok(w, HAND_RELOAD);
	see_new(w, OLD, 3);
	assert_string_equal(state(w, SLOT), "back-drain");
	take_reports(w);
	assert_int_equal(w->reports, before);
	pass(w, 1100);
	hand_ok(w, HAND_BACK_DONE);
	take_reports(w);
	assert_int_equal(w->reports, before + 1);
	assert_int_equal(w->last.generation, 3);
	assert_int_equal(w->last.high_water, 5);
	assert_int_equal(w->last.failed_generation, 5);
	assert_non_null(strstr(w->last.failed_reason, OLD)); /* what it serves, what was asked */
	assert_non_null(strstr(w->last.failed_reason, NEW));
	assert_true(w->last.settled);
}

static void a3_a_settling_that_cannot_be_written_is_not_reported(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	size_t before = w->reports;
	desire(w, slot(SLOT, 5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	see_new(w, NEW, 3);
	pass(w, 1100);
	hand_fails(w, HAND_SETTLE, "disk full");
	take_reports(w);
	assert_int_equal(w->reports, before);
	pass(w, 1100);
	hand_ok(w, HAND_SETTLE);
	take_reports(w);
	assert_int_equal(w->last.generation, 5);
}

/* -- A4: loaded is all processes ------------------------------------------------------------------------------------------- */

static void a4_one_address_that_serves_the_old_is_not_loaded(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	desire(w, slot(SLOT, 5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	for (int i = 0; i < 10; i++) {
		struct agent_effect x = take(w, EFFECT_PROBE, 0, NULL);
		struct agent_probed p = { .ticket = x.ticket, .at = { { NEW, false, NULL }, { OLD, false, NULL } } };
		feed(w, (struct agent_event){ .kind = EVENT_PROBED, .probed = &p });
		pass(w, 40);
	}
	assert_string_equal(state(w, SLOT), "verify");
}

static void a4_a_store_that_does_not_attest_is_put_back(void **out)
{
	struct world *w = *out;
	start_settled(w, STORE);
	desire(w, store(5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	for (int i = 0; i < 400 && asked(w, HAND_ATTEST); i++) {
		hand_says(w, HAND_ATTEST, NULL, (struct hand_reply){ .ok = true, .text = "the service attests nothing" });
		pass(w, 200);
	}
	assert_string_equal(state(w, STORE), "put-back");
}

static void a4_no_process_has_nothing_old(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	desire(w, slot(SLOT, 5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_says(w, HAND_RELOAD, NULL, (struct hand_reply){ .ok = true, .down = true });
	service_shows(w, NULL); /* nobody listens */
	hand_ok(w, HAND_SETTLE); /* nothing to drain */
	take_reports(w);
	assert_int_equal(w->last.generation, 5);
	assert_true(w->last.settled);
}

static void a_failed_reload_of_a_service_that_listens_is_a_failure(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	desire(w, slot(SLOT, 5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_fails(w, HAND_RELOAD, "exited with 1");
	service_shows(w, OLD);
	assert_string_equal(state(w, SLOT), "put-back");
	hand_ok(w, HAND_PUT_BACK);
	hand_fails(w, HAND_RELOAD, "exited with 1"); /* broken for good; but what it serves is l */
	see_new(w, OLD, 3);
	pass(w, 1100);
	hand_ok(w, HAND_BACK_DONE);
	take_reports(w);
	assert_int_equal(w->last.failed_generation, 5);
	assert_string_equal(w->last.failed_reason, "exited with 1");
	assert_true(w->last.settled);
}

/* -- A5: drained -------------------------------------------------------------------------------------------------------------- */

static void a5_settled_only_after_drain(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	desire(w, slot(SLOT, 5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	see_new(w, NEW, 3);
	msec_t seen = w->now;
	while (!asked(w, HAND_SETTLE))
		pass(w, 10);
	assert_true(w->now - seen >= 1000 - 40);
	assert_true(w->now - seen <= 1100);
}

/* -- the first document, what is found ------------------------------------------------------------------------------------------ */

static void a_new_target_is_looked_at_and_found_things_are_told(void **out)
{
	struct world *w = *out;
	start(w, NULL);
	open_session(w, 1, "e1");
	desire(w, slot(SLOT, 0));
	hand_says(w, HAND_LOOK, NULL, (struct hand_reply){ .ok = true, .view = view(w, SLOT, PHASE_SETTLED, 0, 0, 0) });
	service_shows(w, OLD);
	take_reports(w);
	assert_true(w->last.has_found);
	assert_string_equal(w->last.found_fingerprints.items[0], OLD);
	assert_int_equal(w->last.generation, 0);
	desire(w, slot(SLOT, 1));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	see_new(w, NEW, 3);
	pass(w, 1100);
	hand_ok(w, HAND_SETTLE);
	take_reports(w);
	assert_int_equal(w->last.generation, 1);
	assert_false(w->last.has_found);
}

static void a_first_document_that_fails_is_taken_back_to_what_was_there(void **out)
{
	struct world *w = *out;
	start(w, NULL);
	open_session(w, 1, "e1");
	desire(w, slot(SLOT, 1));
	hand_says(w, HAND_LOOK, NULL, (struct hand_reply){ .ok = true, .view = view(w, SLOT, PHASE_SETTLED, 0, 0, 0) });
	service_shows(w, NULL);
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	for (int i = 0; i < 400 && probing(w); i++)
		see_new(w, OLD, 1);
	hand_ok(w, HAND_PUT_BACK);
	hand_ok(w, HAND_RELOAD);
	pass(w, 1100);
	hand_ok(w, HAND_BACK_DONE);
	take_reports(w);
	assert_int_equal(w->last.generation, 0);
	assert_int_equal(w->last.high_water, 1);
	assert_int_equal(w->last.failed_generation, 1);
	assert_int_equal(w->last.fingerprints.count, 0);
	assert_true(w->last.settled);
}

static void what_cannot_be_staged_is_refused_and_nothing_changes(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	desire(w, slot(SLOT, 5));
	hand_fails(w, HAND_STAGE, "the key does not fit the certificate");
	hand_ok(w, HAND_REFUSE);
	take_reports(w);
	assert_int_equal(w->last.generation, 3);
	assert_int_equal(w->last.high_water, 5);
	assert_int_equal(w->last.failed_generation, 5);
	assert_string_equal(w->last.failed_reason, "the key does not fit the certificate");
	desire(w, slot(SLOT, 5));
	assert_string_equal(state(w, SLOT), "idle");
}

static void a_profile_that_is_not_installed_is_a_reason(void **out)
{
	struct world *w = *out;
	struct msg_target t = slot(SLOT, 1);
	t.profile = "apache";
	start(w, NULL);
	open_session(w, 1, "e1");
	desire(w, t);
	struct hand_view v = view(w, SLOT, PHASE_SETTLED, 0, 0, 0);
	v.profile = "apache";
	hand_says(w, HAND_LOOK, NULL, (struct hand_reply){ .ok = true, .view = v, .text = "not installed" });
	hand_ok(w, HAND_REFUSE);
	take_reports(w);
	assert_int_equal(w->last.failed_generation, 1);
	assert_non_null(strstr(w->last.failed_reason, "apache"));
}

/* -- drift, stuck ------------------------------------------------------------------------------------------------------------------ */

static void a_changed_file_is_put_right_proven_and_told(void **out)
{
	struct world *w = *out;
	static const char *lines[] = { "/srv/web/one/current/cert.pem was changed; put right" };
	start_settled(w, SLOT);
	pass(w, AGENT_CHECK_MS + 10);
	hand_says(w, HAND_CHECK, NULL, (struct hand_reply){ .ok = true, .drift = { lines, 1 } });
	take_reports(w);
	assert_false(w->last.settled);
	assert_string_equal(w->last.drift.items[0], lines[0]);
	hand_ok(w, HAND_RELOAD);
	see_new(w, OLD, 3);
	pass(w, 1100);
	take_reports(w);
	assert_true(w->last.settled);
	assert_int_equal(w->last.generation, 3);
	assert_int_equal(w->last.drift.count, 1);
	pass(w, AGENT_CHECK_MS + 10);
	hand_ok(w, HAND_CHECK);
	service_shows(w, OLD);
	assert_string_equal(state(w, SLOT), "idle");
}

static void a_service_that_serves_something_else_is_told_with_both_fingerprints(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	pass(w, AGENT_CHECK_MS + 10);
	hand_ok(w, HAND_CHECK);
	service_shows(w, NEW);
	take_reports(w);
	assert_false(w->last.settled);
	assert_non_null(strstr(w->last.drift.items[0], OLD));
	assert_non_null(strstr(w->last.drift.items[0], NEW));
	hand_ok(w, HAND_RELOAD); /* perhaps that helps */
	see_new(w, OLD, 3);
	pass(w, 1100);
	take_reports(w);
	assert_true(w->last.settled);
}

static void a_silent_service_is_not_drift(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	size_t before = w->reports;
	pass(w, AGENT_CHECK_MS + 10);
	hand_ok(w, HAND_CHECK);
	service_shows(w, NULL);
	take_reports(w);
	assert_int_equal(w->reports, before);
	assert_string_equal(state(w, SLOT), "idle");
}

static void what_is_stuck_is_tried_again_and_a_newer_document_may_come_in(void **out)
{
	struct world *w = *out;
	start_settled(w, STORE);
	desire(w, store(5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_fails(w, HAND_RELOAD, "exited with 1");
	hand_ok(w, HAND_PUT_BACK);
	hand_fails(w, HAND_RELOAD, "exited with 1");
	assert_string_equal(state(w, STORE), "stuck");
	take_reports(w);
	assert_false(w->last.settled);
	pass(w, 1100);
	hand_ok(w, HAND_PUT_BACK);
	hand_fails(w, HAND_RELOAD, "exited with 1");
	desire(w, store(6));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	hand_says(w, HAND_ATTEST, NULL, (struct hand_reply){ .ok = true, .present = true, .matched = true });
	pass(w, 1100);
	hand_ok(w, HAND_SETTLE);
	take_reports(w);
	assert_int_equal(w->last.generation, 6);
	assert_true(w->last.settled);
}

static void a_refusal_does_not_settle_what_is_stuck(void **out)
{
	struct world *w = *out;
	start_settled(w, STORE);
	desire(w, store(5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	hand_fails(w, HAND_RELOAD, "no");
	hand_ok(w, HAND_PUT_BACK);
	hand_fails(w, HAND_RELOAD, "no");
	desire(w, store(6));
	hand_fails(w, HAND_STAGE, "bad");
	hand_ok(w, HAND_REFUSE);
	take_reports(w);
	assert_string_equal(state(w, STORE), "stuck");
	assert_false(w->last.settled);
	assert_int_equal(w->last.failed_generation, 6);
	pass(w, 10000);
	assert_int_equal(take(w, EFFECT_HAND, HAND_PUT_BACK, NULL).hand.generation, 5);
}

/* -- one service, one reload at a time ------------------------------------------------------------------------------------------------ */

static void reloads_of_one_service_do_not_overlap(void **out)
{
	struct world *w = *out;
	struct msg_target both[2] = { slot(SLOT, 1), slot(SLOT2, 1) };
	start(w, NULL);
	open_session(w, 1, "e1");
	desire_in(w, 1, both, 2);
	hand_says(w, HAND_LOOK, SLOT, (struct hand_reply){ .ok = true, .view = view(w, SLOT, PHASE_SETTLED, 0, 0, 0) });
	hand_says(w, HAND_LOOK, SLOT2, (struct hand_reply){ .ok = true, .view = view(w, SLOT2, PHASE_SETTLED, 0, 0, 0) });
	service_shows(w, NULL);
	service_shows(w, NULL);
	staged(w);
	staged(w);
	int queued = text_equal(state(w, SLOT), "queue") + text_equal(state(w, SLOT2), "queue");
	assert_int_equal(queued, 1);
	hand_ok(w, HAND_SWAP);
	hand_ok(w, HAND_RELOAD);
	assert_false(asked(w, HAND_SWAP));
	see_new(w, NEW, 3);
	assert_true(asked(w, HAND_SWAP)); /* the other goes while this one drains */
}

/* -- CSRs, sessions, epochs --------------------------------------------------------------------------------------------------------------- */

static void a_csr_is_made_once_and_sent_until_taken(void **out)
{
	struct world *w = *out;
	struct msg_csr_wanted c = { REQUEST, "ec-p256", "one" };
	struct msg_target t = slot(SLOT, 3);
	t.csr = &c;
	start_settled(w, SLOT);
	desire(w, t);
	hand_says(w, HAND_CSR, NULL, (struct hand_reply){ .ok = true, .csr = "CSR" });
	answer(w, (struct agent_answer){ .ask = ASK_CSR, .kind = TROTH_UNAVAILABLE });
	pass(w, 1000);
	desire(w, t);
	assert_false(asked(w, HAND_CSR));
	answer(w, (struct agent_answer){ .ask = ASK_CSR, .ok = true });
	desire(w, t);
	assert_false(asked(w, HAND_CSR));
	assert_int_equal(find(w, EFFECT_ASK, ASK_CSR, NULL), -1);
}

static void a_lost_server_is_asked_again_ever_more_slowly(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	msec_t waits[6];
	for (int i = 0; i < 6; i++) {
		answer(w, (struct agent_answer){ .ask = ASK_POLL, .kind = TROTH_UNAVAILABLE });
		msec_t from = w->now;
		while (find(w, EFFECT_ASK, ASK_POLL, NULL) < 0)
			pass(w, 10);
		waits[i] = w->now - from;
	}
	assert_true(waits[0] <= 200);
	assert_true(waits[5] > waits[0]);
	assert_true(waits[5] <= 15000);
}

static void another_epoch_takes_back_what_is_only_begun(void **out)
{
	struct world *w = *out;
	start_settled(w, SLOT);
	desire(w, slot(SLOT, 5));
	staged(w);
	hand_ok(w, HAND_SWAP);
	answer(w, (struct agent_answer){ .ask = ASK_POLL, .stale = true, .kind = TROTH_CONFLICT });
	open_session(w, 2, "e2");
	hand_ok(w, HAND_EPOCH);
	hand_says(w, HAND_LOOK, NULL, (struct hand_reply){ .ok = true, .view = view(w, SLOT, PHASE_BACKING, 3, 4, 5) });
	hand_ok(w, HAND_PUT_BACK);
	assert_string_equal(state(w, SLOT), "back-reload");
}

static void a_target_that_is_gone_is_forgotten(void **out)
{
	struct world *w = *out;
	static const char *gone[] = { SLOT };
	start_settled(w, SLOT);
	struct msg_desired d = { .session = 1, .epoch = "e1", .version = 99, .gone = { gone, 1 } };
	answer(w, (struct agent_answer){ .ask = ASK_POLL, .ok = true, .desired = &d });
	hand_ok(w, HAND_FORGET);
	assert_null(agent_core_state(w->core, SLOT));
}

static void other_parameters_mean_another_look(void **out)
{
	struct world *w = *out;
	static struct msg_parameter p[] = { { "x", "1" } };
	struct msg_target t = slot(SLOT, 3);
	t.parameters = p;
	t.parameter_count = 1;
	start_settled(w, SLOT);
	desire(w, t);
	struct agent_effect x = take(w, EFFECT_HAND, HAND_LOOK, NULL);
	assert_int_equal(x.hand.parameter_count, 1);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_slot_goes_all_the_way), CASE(a_store_waits_for_its_attest),
		CASE(a1_late_repeated_and_reordered_documents_are_refused), CASE(a1_documents_of_another_session_are_not_applied),
		CASE(a1_what_is_only_staged_ends_with_its_session), CASE(a1_what_is_begun_is_not_yet_high_water),
		CASE(a2_staged_on_restart_is_reloaded_before_it_is_reported), CASE(a2_putting_back_goes_on_after_a_restart),
		CASE(a3_a_failure_is_put_back_before_any_counting_report), CASE(a3_a_settling_that_cannot_be_written_is_not_reported),
		CASE(a4_one_address_that_serves_the_old_is_not_loaded), CASE(a4_a_store_that_does_not_attest_is_put_back),
		CASE(a4_no_process_has_nothing_old), CASE(a_failed_reload_of_a_service_that_listens_is_a_failure),
		CASE(a5_settled_only_after_drain), CASE(a_new_target_is_looked_at_and_found_things_are_told),
		CASE(a_first_document_that_fails_is_taken_back_to_what_was_there),
		CASE(what_cannot_be_staged_is_refused_and_nothing_changes), CASE(a_profile_that_is_not_installed_is_a_reason),
		CASE(a_changed_file_is_put_right_proven_and_told),
		CASE(a_service_that_serves_something_else_is_told_with_both_fingerprints), CASE(a_silent_service_is_not_drift),
		CASE(what_is_stuck_is_tried_again_and_a_newer_document_may_come_in), CASE(a_refusal_does_not_settle_what_is_stuck),
		CASE(reloads_of_one_service_do_not_overlap), CASE(a_csr_is_made_once_and_sent_until_taken),
		CASE(a_lost_server_is_asked_again_ever_more_slowly), CASE(another_epoch_takes_back_what_is_only_begun),
		CASE(a_target_that_is_gone_is_forgotten), CASE(other_parameters_mean_another_look),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
