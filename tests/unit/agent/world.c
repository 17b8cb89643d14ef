/* The world; see world.h. */
#include "world.h"

#include <stdlib.h>

static const char PROFILES[2][900] = {
	"name: web\ndescription: d\nkinds: [slot]\nroots: [/srv/web]\ndirectory: '/srv/web/{target}'\n"
	"files:\n - {name: cert.pem, content: fullchain}\n - {name: key.pem, content: key}\n"
	"reload: {signal: HUP, pid_file: /run/web.pid}\n"
	"probe: {addresses: ['127.0.0.1,::1'], port: 8443, sightings: 3, deadline: 5s}\ndrain: 1s\nproof: probe\n",
	"name: trust\ndescription: d\nkinds: [store]\nroots: [/srv/app]\ndirectory: '/srv/app/{target}'\n"
	"files:\n - {name: ca.pem, content: bundle}\nreload: {signal: HUP, pid_file: /run/app.pid}\n"
	"attest: {file: /run/app.loaded}\nprobe: {addresses: [], port: 1, deadline: 5s}\ndrain: 1s\nproof: attest\n",
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

void feed(struct world *w, struct agent_event event)
{
	agent_step(w->core, &event, w->now, w->a, &w->effects);
	collect(w);
}

/* Lets time pass: the timer fires whenever it is due. */
void pass(struct world *w, msec_t ms)
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

int find(const struct world *w, enum agent_effect_kind kind, int which, const char *id)
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

struct agent_effect take(struct world *w, enum agent_effect_kind kind, int which, const char *id)
{
	int i = find(w, kind, which, id);
	if (i < 0)
		fail_msg("no pending effect of kind %d, %d", (int)kind, which);
	struct agent_effect x = w->pending[i];
	w->pending[i] = w->pending[--w->count];
	return x;
}

bool asked(const struct world *w, enum hand_op op) { return find(w, EFFECT_HAND, (int)op, NULL) >= 0; }
bool probing(const struct world *w) { return find(w, EFFECT_PROBE, 0, NULL) >= 0; }

void hand_says(struct world *w, enum hand_op op, const char *id, struct hand_reply r)
{
	struct agent_effect x = take(w, EFFECT_HAND, (int)op, id);
	r.op = op;
	r.ticket = x.ticket;
	r.id = x.hand.id;
	r.generation = x.hand.generation;
	feed(w, (struct agent_event){ .kind = EVENT_HAND, .hand = &r });
}

void hand_ok(struct world *w, enum hand_op op) { hand_says(w, op, NULL, (struct hand_reply){ .ok = true }); }

void hand_fails(struct world *w, enum hand_op op, const char *why)
{
	hand_says(w, op, NULL, (struct hand_reply){ .kind = TROTH_IO, .text = why });
}

/* The service shows `fingerprint` at both addresses; NULL: nobody listens. */
void service_shows(struct world *w, const char *fingerprint)
{
	struct agent_effect x = take(w, EFFECT_PROBE, 0, NULL);
	struct agent_probed p = { .ticket = x.ticket };
	struct json_texts shown = { &fingerprint, fingerprint ? 1 : 0 };
	for (int i = 0; i < 2; i++)
		p.at[i] = (struct agent_sight){ shown, !fingerprint, fingerprint ? NULL : "connection refused" };
	feed(w, (struct agent_event){ .kind = EVENT_PROBED, .probed = &p });
}

void answer(struct world *w, struct agent_answer m)
{
	struct agent_effect x = take(w, EFFECT_ASK, (int)m.ask, NULL);
	m.ticket = x.ticket;
	if (m.ask == ASK_REPORT && m.ok) {
		w->last = x.ask.report;
		w->reports++;
	}
	feed(w, (struct agent_event){ .kind = EVENT_ANSWER, .answer = &m });
}

void take_reports(struct world *w)
{
	while (find(w, EFFECT_ASK, ASK_REPORT, NULL) >= 0)
		answer(w, (struct agent_answer){ .ask = ASK_REPORT, .ok = true });
}

void open_session(struct world *w, int64_t session, const char *epoch)
{
	struct msg_opened opened = { session, epoch };
	answer(w, (struct agent_answer){ .ask = ASK_OPEN, .ok = true, .opened = &opened });
}

struct msg_target slot(const char *id, int64_t generation)
{
	static const char *pem[] = { "PEM" };
	return (struct msg_target){ .id = id, .name = text_equal(id, SLOT) ? "one" : "two", .kind = MSG_SLOT, .profile = "web",
				    .generation = generation, .certificates = { pem, 1 }, .key_request = REQUEST };
}

struct msg_target store(int64_t generation)
{
	static const char *pem[] = { "PEM" };
	return (struct msg_target){ .id = STORE, .name = "cas", .kind = MSG_STORE, .profile = "trust", .generation = generation,
				    .certificates = { pem, 1 } };
}

void desire_in(struct world *w, int64_t session, struct msg_target *targets, size_t count)
{
	struct msg_desired d = { .session = session, .epoch = "e1", .version = ++w->version, .targets = targets, .target_count = count };
	answer(w, (struct agent_answer){ .ask = ASK_POLL, .ok = true, .desired = &d });
}

void desire(struct world *w, struct msg_target t) { desire_in(w, 1, &t, 1); }

const char *state(struct world *w, const char *id)
{
	const char *s = agent_core_state(w->core, id);
	return s ? s : "(none)";
}

/* -- worlds to begin with ------------------------------------------------------------------------------------ */

struct json_texts fp(struct world *w, const char *fingerprint)
{
	const char **items = ARENA_ARRAY(w->a, const char *, 1);
	items[0] = fingerprint;
	return (struct json_texts){ items, 1 };
}

struct hand_view view(struct world *w, const char *id, enum hand_phase phase, int64_t l, int64_t h, int64_t doing)
{
	bool is_store = text_equal(id, STORE);
	return (struct hand_view){ .phase = phase, .loaded = l, .high_water = h, .doing = doing, .has_files = l > 0,
				   .loaded_fingerprints = l ? fp(w, OLD) : (struct json_texts){ 0 },
				   .doing_fingerprints = doing ? fp(w, NEW) : (struct json_texts){ 0 }, .reason = "before",
				   .name = is_store ? "cas" : text_equal(id, SLOT) ? "one" : "two", .profile = is_store ? "trust" : "web",
				   .kind = is_store ? MSG_STORE : MSG_SLOT };
}

void start(struct world *w, const char *id)
{
	const char *ids[] = { id };
	w->core = agent_core_new(&(struct agent_config){ w->profiles, 2, NULL, 7 });
	feed(w, (struct agent_event){ .kind = EVENT_START });
	hand_says(w, HAND_HELLO, NULL, (struct hand_reply){ .ok = true, .boot_id = "boot", .epoch = "e1", .ids = { ids, id ? 1 : 0 } });
}

/* A target settled at generation 3 (h = 4), checked, reported, polling. */
void start_settled(struct world *w, const char *id)
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

void staged(struct world *w) { hand_says(w, HAND_STAGE, NULL, (struct hand_reply){ .ok = true, .fingerprints = fp(w, NEW) }); }

void see_new(struct world *w, const char *fingerprint, int times)
{
	for (int i = 0; i < times; i++) {
		service_shows(w, fingerprint);
		pass(w, 30);
	}
}

int world_setup(void **out)
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

int world_teardown(void **out)
{
	struct world *w = *out;
	agent_core_free(w->core);
	arena_free(w->a);
	free(w);
	return 0;
}
