/* People's policies, and whether they are held.
 *
 * The world remembers what was said (and that it was heard: a verb without an answer leaves nothing to hold anybody to), sees
 * documents leave the server and processes change, and knows of each document only when it was decided.  A policy binds what was decided
 * after it; a newcomer is under none but the freeze; who is in trouble may always get something further.
 *
 *     max_unavailable   whoever was handed something and has not settled it, was in contact since before: so many at most
 *     windows           minutes 0 and 1 of every five; worked out here by hand
 *     pause, stop       nobody new for a while after one settled; nobody new after one failed, until somebody says so
 *     freeze            nothing leaves the server that did not before (or may have: it died over the answer, which it had
 *                       written down as handed out, and cannot know whether it arrived)
 *     rollout manual    no store trusts, no slot presents, no store drops what nobody approved */
#include <stdio.h>
#include <string.h>

#include "pki/pki.h"
#include "policy.h"
#include "side_server.h"
#include "service/policy/policy.h"

enum { WINDOW_EVERY_MIN = 5, WINDOW_OPEN_MIN = 2, QUIET_MS = 120 * 1000, CLOCK_SURE_MS = 300 * 1000, SMALL_WORLD = 12 };
#define WINDOW_TEXT "*/5 * * * * 2m Etc/UTC"

const char *const DEPLOYMENTS[SIM_DEPLOYMENTS] = { "web", "app", "batch", "db", "peer" };

static troth_rc ask(struct sim *s, const struct verb *verb, const void *cmd, void *ret)
{
	struct troth_err e = { 0 };
	struct verb_ctx ctx = { 0 };
	troth_rc rc = server_do(s, s->ask_a, &s->server->admin, verb, cmd, ret, &ctx, &e);
	if (rc_failed(rc) && e.kind == TROTH_INTERNAL)
		violation(s, "%s: %s", verb->name, e.primary);
	if (rc_failed(rc))
		tell(s, "%s: %s: %s", verb->name, err_kind_name(e.kind), e.primary);
	return rc;
}

/* -- deployments ------------------------------------------------------------------------------------ */

static const char *id_of(struct sim *s, const char *name)
{
	struct deployment_row row;
	struct troth_err e = { 0 };
	struct tx *tx = server_read(s);
	bool found = tx && rc_ok(deployment_row_by_name(tx, s->ask_a, name, &row, &e));
	if (tx)
		server_read_end(tx);
	return found ? row.uuid : NULL;
}

static bool say(struct sim *s, int i, const struct policy *p, int64_t canary)
{
	const char *window = WINDOW_TEXT;
	struct deployment_ret ret;
	arena_reset(s->ask_a);
	struct deployment_policy_cmd cmd = { .id = id_of(s, DEPLOYMENTS[i]), .max_unavailable = p->max_unavailable, .canary = canary, .pause = p->pause,
					     .stop_on_failure = p->stops, .set_windows = true, .windows = { &window, p->windowed } };
	s->policies[i].known = false; /* until the answer is heard */
	if (!cmd.id || rc_failed(ask(s, &VERB_DEPLOYMENT_POLICY, &cmd, &ret)))
		return false;
	s->policies[i] = *p;
	s->policies[i].known = true;
	s->policies[i].since = s->now;
	tell(s, "policy of %s: max_unavailable %lld, canary %lld, pause %lld s%s%s", DEPLOYMENTS[i], (long long)p->max_unavailable,
	     (long long)canary, (long long)(p->pause / MSEC_S), p->stops ? ", stop on failure" : "", p->windowed ? ", windows" : "");
	return true;
}

/* In a world of short lives nobody decides that certificates are not renewed. */
static void choose(struct sim *s, struct dice *d)
{
	int i = (int)dice_in(d, 0, SIM_DEPLOYMENTS - 1);
	struct policy p = { .max_unavailable = dice_in(d, 0, 2) };
	int64_t canary = dice_chance(d, 250);
	p.pause = dice_chance(d, 250) ? dice_in(d, 1, 20) * MSEC_S : 0;
	p.stops = dice_chance(d, 250) && !s->short_lives;
	p.windowed = dice_chance(d, 250) && !s->short_lives;
	(void)say(s, i, &p, canary);
}

void policy_choose(struct sim *s) { choose(s, &s->act_dice); }

static struct policy *policy_of(struct sim *s, const struct place_state *p)
{
	for (int i = 0; i < SIM_DEPLOYMENTS; i++)
		if (text_equal(DEPLOYMENTS[i], p->t->deployment))
			return &s->policies[i];
	return NULL;
}

/* -- freeze ----------------------------------------------------------------------------------------- */

static void on_thaw(struct sim *s, struct event *x)
{
	struct freeze_ret ret;
	s->frozen = false; /* also if nobody hears it: it is said again */
	arena_reset(s->ask_a);
	if (rc_failed(ask(s, &VERB_THAW, &(struct no_cmd){ 0 }, &ret)))
		event_add(s, s->now + 2000, on_thaw, NULL);
	else
		tell(s, "thawed");
}

void policy_freeze(struct sim *s)
{
	struct freeze_ret ret;
	msec_t time = dice_in(&s->act_dice, 5, 60) * MSEC_S;
	if (s->frozen || !s->server->up)
		return;
	arena_reset(s->ask_a);
	s->frozen = rc_ok(ask(s, &VERB_FREEZE, &(struct freeze_cmd){ "simulated" }, &ret));
	tell(s, "everything is frozen for %.0f s%s", (double)time / MSEC_S, s->frozen ? "" : ", perhaps");
	trouble(s, NULL, time + 30000);
	event_add(s, s->now + time, on_thaw, NULL);
}

/* -- approvals ---------------------------------------------------------------------------------------- */

static struct rollout *rollout_of(struct sim *s, const char *name)
{
	for (int i = 0; i < SIM_AUTHORITIES; i++)
		if (text_equal(AUTHORITIES[i], name))
			return &s->rollouts[i];
	return NULL;
}

static bool say_rollout(struct sim *s, int i, bool manual)
{
	struct credential_row c;
	struct credential_ret ret;
	struct troth_err e = { 0 };
	struct tx *tx;
	arena_reset(s->ask_a);
	s->rollouts[i] = (struct rollout){ 0 };
	if (!(tx = server_read(s)))
		return false;
	bool found = rc_ok(credential_row_by_name(tx, s->ask_a, AUTHORITIES[i], &c, &e));
	server_read_end(tx);
	struct authority_rollout_cmd cmd = { .id = c.uuid, .rollout = manual ? "manual" : "automatic" };
	if (!found || rc_failed(ask(s, &VERB_AUTHORITY_ROLLOUT, &cmd, &ret)))
		return false;
	s->rollouts[i].manual = manual;
	tell(s, "rollout of %s is %s", AUTHORITIES[i], cmd.rollout);
	return true;
}

void policy_rollout(struct sim *s)
{
	int i = (int)dice_in(&s->act_dice, 0, SIM_AUTHORITIES - 1);
	bool manual = dice_chance(&s->act_dice, 800);
	if (!s->short_lives)
		(void)say_rollout(s, i, manual);
}

/* The certificates of the version that signs and of the newest one. */
static bool read_versions(struct sim *s, const char *name, struct rollout *r)
{
	struct credential_row c;
	struct version_row *v, *newest = NULL;
	struct cert_row old, fresh;
	struct troth_err e = { 0 };
	size_t n;
	struct tx *tx = server_read(s);
	if (!tx)
		return false;
	arena_reset(s->look_a);
	bool good = rc_ok(credential_row_by_name(tx, s->look_a, name, &c, &e)) &&
		    rc_ok(version_row_list_credential(tx, s->look_a, c.id, PAGE_ALL, &v, &n, &e));
	struct version_row *signer = NULL;
	for (size_t i = 0; good && i < n; i++) {
		newest = !newest || v[i].id > newest->id ? &v[i] : newest;
		signer = v[i].signing ? &v[i] : signer;
	}
	good = good && signer && newest != signer && rc_ok(cert_row_get(tx, s->look_a, signer->cert_id, &old, &e)) &&
	       rc_ok(cert_row_get(tx, s->look_a, newest->cert_id, &fresh, &e));
	server_read_end(tx);
	if (!good)
		return false;
	r->old_pem = cert_pem(s->life_a, old.der);
	r->new_pem = cert_pem(s->life_a, fresh.der);
	r->old_set = oracle_set(s->oracle, r->old_pem, strlen(r->old_pem));
	r->new_set = oracle_set(s->oracle, r->new_pem, strlen(r->new_pem));
	return true;
}

void policy_rotated(struct sim *s, const char *name, bool done)
{
	struct rollout *r = rollout_of(s, name);
	if (!r || (!done && s->server->up)) /* refused: what runs is what ran */
		return;
	bool manual = r->manual;
	*r = (struct rollout){ .manual = manual };
	r->on = done && manual && s->distrusted_count == 0 && read_versions(s, name, r); /* an emergency asks nobody */
}

/* Also of what is above and below it: their rotations drag each other along. */
void policy_turned(struct sim *s, const char *name)
{
	for (int i = 0; i < SIM_AUTHORITIES; i++)
		if (text_equal(AUTHORITIES[i], name))
			for (int k = 0; k < SIM_AUTHORITIES; k++)
				if (ROOT_OF[k] == ROOT_OF[i])
					s->rollouts[k].on = false;
}

static void approve(struct sim *s, int i)
{
	struct approve_ret ret;
	struct rollout *r = &s->rollouts[i];
	struct rollout before = *r;
	r->on = false; /* perhaps it was, and nobody hears it */
	arena_reset(s->ask_a);
	if (!s->server->up || rc_failed(ask(s, &VERB_ROTATION_APPROVE, &(struct approve_cmd){ .id = AUTHORITIES[i] }, &ret))) {
		r->on = before.on && s->server->up;
		return;
	}
	*r = before;
	r->introduce = r->introduce || text_equal(ret.step, "introduce");
	r->change = r->change || text_equal(ret.step, "switch");
	r->withdraw = r->withdraw || text_equal(ret.step, "withdraw");
	tell(s, "%s of %s is approved", ret.step, AUTHORITIES[i]);
}

/* Of itself, of one above or below it: the steps of a root's rotation wait there, too. */
static bool family_is_manual(const struct sim *s, int i)
{
	for (int k = 0; k < SIM_AUTHORITIES; k++)
		if (ROOT_OF[k] == ROOT_OF[i] && s->rollouts[k].manual)
			return true;
	return false;
}

void policy_approve(struct sim *s)
{
	for (int i = 0; i < SIM_AUTHORITIES; i++)
		if (family_is_manual(s, i))
			approve(s, i);
}

/* -- begin and end ------------------------------------------------------------------------------------- */

void policy_begin(struct sim *s)
{
	for (uint32_t k = 0; k < SIM_FIRST_ACTS; k++) {
		struct dice d = { fault_seed(s, fault_name(FAULT_ACT, -1, FIRST_ACT + k)) };
		if (dice_chance(&d, 150) && fault_named(s, FAULT_ACT, FIRST_ACT + k))
			choose(s, &d);
	}
}

void policy_lift(struct sim *s)
{
	struct freeze_ret thawed;
	if (s->lifted || !s->server->up)
		return;
	s->frozen = false;
	arena_reset(s->ask_a);
	bool good = rc_ok(ask(s, &VERB_THAW, &(struct no_cmd){ 0 }, &thawed));
	for (int i = 0; good && i < SIM_DEPLOYMENTS; i++) {
		struct policy p = { .max_unavailable = s->o.nodes <= SMALL_WORLD ? s->policies[i].max_unavailable : 0 };
		good = say(s, i, &p, 0);
	}
	for (int i = 0; good && i < SIM_AUTHORITIES; i++)
		good = say_rollout(s, i, false);
	s->lifted = good;
}

void policy_goes_on(struct sim *s)
{
	for (int i = 0; i < SIM_DEPLOYMENTS; i++)
		s->policies[i].stopped_at = 0;
}

void policy_forget(struct sim *s)
{
	s->frozen = false;
	for (int i = 0; i < SIM_DEPLOYMENTS; i++)
		s->policies[i].known = false;
	for (int i = 0; i < SIM_AUTHORITIES; i++)
		s->rollouts[i] = (struct rollout){ 0 };
	for (int i = 0; i < s->node_count; i++)
		for (size_t k = 0; k < s->nodes[i]->place_count; k++)
			s->nodes[i]->places[k].handed = 0;
}

/* -- what happens ---------------------------------------------------------------------------------------- */

void policy_heard(struct sim *s, struct node *n)
{
	if (s->now - n->heard_at > QUIET_MS)
		n->contact_since = s->now;
	n->heard_at = s->now;
}

static struct place_state *place_of(struct node *n, const char *id)
{
	for (size_t i = 0; i < n->place_count; i++)
		if (text_equal(n->places[i].id, id))
			return &n->places[i];
	return NULL;
}

void policy_unheard(struct sim *s, struct node *n)
{
	if (!s->frozen && server_now(s) > n->unheard_at)
		n->unheard_at = server_now(s);
}

/* It holds a place since before `at`. */
static bool is_changing(struct sim *s, const struct node *n, msec_t at)
{
	if (!n->there || n->leaving || n->waiving || n->contact_since > at || s->now - n->heard_at > QUIET_MS)
		return false;
	for (size_t i = 0; i < n->place_count; i++) {
		const struct place_state *p = &n->places[i];
		if (p->counted && p->handed && p->handed_decided <= at && !check_nothing_pending(s, p))
			return true;
	}
	return false;
}

static bool in_trouble_or_changing(const struct node *n)
{
	bool yes = false;
	for (size_t i = 0; i < n->place_count; i++)
		yes = yes || n->places[i].handed || n->places[i].failed;
	return yes;
}

static bool window_is_open(msec_t at) { return at / MSEC_MIN % WINDOW_EVERY_MIN < WINDOW_OPEN_MIN; }

/* What holds new instances only. */
static void check_time(struct sim *s, const struct node *n, const struct policy *q, msec_t decided, msec_t held)
{
	if (s->distrusted_count)
		return; /* what is distrusted leaves without regard to these */
	if (q->windowed && !window_is_open(decided))
		violation(s, "%s begins to change outside its window", n->name);
	if (q->pause && q->settled_at && q->settled_at <= held && held < q->settled_at + q->pause)
		violation(s, "%s begins to change %.1f s after another settled; the pause is %.0f s", n->name,
			  (double)(held - q->settled_at) / MSEC_S, (double)q->pause / MSEC_S);
	if (q->stopped_at && q->stopped_at < decided)
		violation(s, "%s begins to change though its deployment has stopped", n->name);
}

static void check_rolling(struct sim *s, const struct node *n, const struct place_state *p, msec_t decided, msec_t held)
{
	const struct policy *q = policy_of(s, p);
	bool sure = !s->skew && s->now - s->skew_at > CLOCK_SURE_MS && s->now - decided < CLOCK_SURE_MS;
	int64_t others = 0;
	if (!q || !q->known || decided <= q->since || !sure || in_trouble_or_changing(n))
		return;
	for (int i = 0; q->max_unavailable && i < s->node_count; i++)
		if (s->nodes[i] != n && s->nodes[i]->place_count && text_equal(s->nodes[i]->places[0].t->deployment, p->t->deployment))
			others += is_changing(s, s->nodes[i], decided);
	if (q->max_unavailable && others >= q->max_unavailable)
		violation(s, "%s changes beside %lld others; at most %lld may", n->name, (long long)others, (long long)q->max_unavailable);
	check_time(s, n, q, decided, held);
}

static bool has(const struct msg_target *t, const char *pem)
{
	for (size_t i = 0; i < t->certificates.count; i++)
		if (strcmp(t->certificates.items[i], pem) == 0)
			return true;
	return false;
}

static bool trusts(struct sim *s, const struct place_state *p, int set)
{
	const char *one = oracle_fingerprint(s->oracle, set, 0), *hex;
	for (size_t w = 0; w < p->worker_count; w++)
		for (size_t i = 0; (hex = oracle_fingerprint(s->oracle, p->workers[w].content, i)); i++)
			if (strcmp(hex, one) == 0)
				return true;
	return false;
}

static void check_rollout(struct sim *s, const struct node *n, const struct place_state *p, const struct msg_target *t)
{
	for (int i = 0; i < SIM_AUTHORITIES && p->t->kind == MSG_STORE && p->worker_count; i++) {
		const struct rollout *r = &s->rollouts[i];
		if (!r->on)
			continue;
		if (!r->introduce && has(t, r->new_pem) && !trusts(s, p, r->new_set))
			violation(s, "%s/%s is told to trust the new %s, which nobody approved", n->name, t->name, AUTHORITIES[i]);
		if (!r->withdraw && !has(t, r->old_pem) && trusts(s, p, r->old_set) && !s->distrusted_count)
			violation(s, "%s/%s is told to drop the old %s, which nobody approved", n->name, t->name, AUTHORITIES[i]);
	}
}

/* Since when it holds its place: one that was never handed out and replaced held it before. */
static msec_t held_since(struct sim *s, struct tx *tx, const struct document_row *d)
{
	struct document_row before;
	struct troth_err e = { 0 };
	msec_t held = d->created;
	for (int64_t g = d->generation - 1; g > 0; g--) {
		if (rc_failed(document_row_by_generation(tx, s->look_a, d->target_id, g, &before, &e)) ||
		    before.state != DOCUMENT_REPLACED || before.handed_at)
			break;
		held = before.created;
	}
	return held;
}

static bool read_document(struct sim *s, const struct msg_target *m, struct document_row *ret, msec_t *ret_held)
{
	struct target_row t;
	struct troth_err e = { 0 };
	struct tx *tx = server_read(s);
	if (!tx)
		return false;
	arena_reset(s->look_a);
	bool good = rc_ok(target_row_by_uuid(tx, s->look_a, m->id, &t, &e)) &&
		    rc_ok(document_row_by_generation(tx, s->look_a, t.id, m->generation, ret, &e));
	*ret_held = good ? held_since(s, tx, ret) : 0;
	server_read_end(tx);
	return good;
}

void policy_sent(struct sim *s, struct node *n, const struct msg_target *t)
{
	struct place_state *p = place_of(n, t->id);
	struct document_row d = { 0 };
	msec_t held;
	bool known = read_document(s, t, &d, &held), left = d.handed_at && d.handed_at <= n->unheard_at;
	if (s->frozen && known && !left)
		violation(s, "%s/%s is handed generation %lld while everything is frozen", n->name, t->name, (long long)t->generation);
	if (!p || !known)
		return;
	if (p->counted) {
		check_rolling(s, n, p, d.created, held);
		check_rollout(s, n, p, t);
	}
	p->handed = t->generation;
	p->handed_decided = p->counted ? d.created : SIM_FOREVER; /* what a newcomer was handed takes nobody's place */
}

void policy_unsure(struct node *n, const char *target)
{
	struct place_state *p = place_of(n, target);
	if (p) {
		p->was_decided = p->handed_decided;
		p->handed_decided = SIM_FOREVER;
	}
}

void policy_reported(struct sim *s, struct node *n, const struct msg_report *m, bool counted)
{
	struct place_state *p = place_of(n, m->target);
	struct policy *q = p ? policy_of(s, p) : NULL;
	if (!p)
		return;
	p->handed_decided = p->was_decided; /* heard */
	if (m->failed_generation && m->failed_generation == p->handed) {
		if (q && q->stops && !q->stopped_at && p->counted && !p->failed)
			q->stopped_at = server_now(s);
		p->failed = true;
	}
	if (!counted)
		return;
	if (p->handed && m->generation == p->handed && q && p->handed_decided != SIM_FOREVER)
		q->settled_at = server_now(s);
	if (p->handed && m->high_water >= p->handed)
		p->handed = 0;
	if (!m->failed_generation)
		p->failed = false;
}

void policy_presents(struct sim *s, struct node *n, struct place_state *p, int content)
{
	const struct rollout *r = &s->rollouts[0]; /* of the root that signs leaves itself */
	char host[64];
	snprintf(host, sizeof host, "%s.sim", n->name);
	const char *name = p->t->client ? NULL : host;
	bool fresh = p->t->kind == MSG_SLOT && p->t->authority == 0 && r->on && !r->change && p->counted && p->last_content &&
		     oracle_shake(s->oracle, content, r->new_set, name, s->now) &&
		     !oracle_shake(s->oracle, p->last_content, r->new_set, name, s->now);
	p->last_content = content;
	if (fresh)
		violation(s, "%s/%s presents a chain of the new %s, which nobody approved", n->name, p->t->name, AUTHORITIES[0]);
}
