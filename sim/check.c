/* What must always be true of the parties, asked of the world as it is, never of the engine's own books.
 *
 * A pair is a slot and a store that the world's deployments let meet; it counts when the server has
 * said that both are admitted.  From that commit on every worker of the one must be able to shake hands
 * with every worker of the other, at every moment, by the clock of the one who verifies, until one of
 * them leaves.  A member with an excuse (sim.h) may fail while it lasts, and is asked all the same: the
 * excuse ends as soon as it is not needed any more. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "application.h"
#include "link.h"
#include "policy.h"
#include "side_server.h"

struct seen { char id[UUID_LEN]; int64_t generation; uint64_t hash; bool used; }; /* open addressing */

/* -- handshakes ---------------------------------------------------------------------------------- */
/* Of a leaver the slots count until they are stopped; of one that may be waived nobody knows until the rows are read. */
static bool in_promise(const struct node *n, const struct place_state *p)
{
	return n->there && !n->waiving && p->counted && (!n->leaving || p->t->kind == MSG_SLOT);
}

/* -- excuses ---------------------------------------------------------------------------------------- */
enum { CALM_MS = 5 * 60 * 1000, SILENT_MS = 60 * 1000 };

void calm_ends(struct calm *c, msec_t now, msec_t until)
{
	if (now - c->trouble_until >= CALM_MS) {
		c->from = c->trouble_until;
		c->until = now;
	}
	c->trouble_until = until > c->trouble_until ? until : c->trouble_until;
}

static bool long_enough(msec_t a, msec_t b, msec_t from, msec_t until)
{
	return (b < until ? b : until) - (a > from ? a : from) >= CALM_MS;
}

bool calm_was(const struct calm *c, msec_t from, msec_t until)
{
	return long_enough(c->trouble_until, until, from, until) || long_enough(c->from, c->until, from, until);
}

/* What it presents is over.  Was there a quiet time, in the last fifth of its life, in which it could have got another?
 * (It is renewed at two thirds, at most a tenth later.)  Whoever has it through the API renews it as he likes. */
static bool expired_in_trouble(struct sim *s, struct node *n, struct place_state *slot, int content, msec_t now)
{
	msec_t until = oracle_until(s->oracle, content);
	if (until >= now)
		return false;
	msec_t last = (until - oracle_from(s->oracle, content)) / 5;
	if (!n->holder && calm_was(&n->calm, until - last, until) && calm_was(&s->calm, until - last, until))
		return false;
	slot->excuse = EXCUSE_EXPIRED;
	tell(s, "%s/%s: what it presents has expired in times of trouble", n->name, slot->t->name);
	return true;
}

static bool excused(const struct place_state *p) { return p->excuse != EXCUSE_NONE; }

/* False: no handshake, and there is an excuse. */
static bool shake(struct sim *s, struct node *server, struct place_state *slot, const struct worker *presents,
		  const struct node *client, const struct place_state *store, const struct worker *trusts)
{
	char host[64];
	snprintf(host, sizeof host, "%s.sim", server->name);
	s->count.handshakes++;
	if (oracle_shake(s->oracle, presents->content, trusts->content, slot->t->client ? NULL : host, node_now(s, client)))
		return true;
	if (!excused(slot) && !excused(store) && !expired_in_trouble(s, server, slot, presents->content, node_now(s, client)))
		violation(s, "no handshake: %s/%s presents %s, %s/%s trusts %s", server->name, slot->t->name,
			  oracle_name(s->oracle, presents->content), client->name, store->t->name, oracle_name(s->oracle, trusts->content));
	return false;
}

static bool shake_workers(struct sim *s, struct node *server, struct place_state *slot, const struct node *client,
			  struct place_state *store)
{
	process_sweep(s, slot);
	process_sweep(s, store);
	bool good = slot->worker_count && store->worker_count; /* who does not run has shown nothing */
	/* Nobody met it when it was admitted with nothing (or only who presents what is distrusted); now somebody does. */
	if (slot->worker_count && !store->worker_count && !client->off && !excused(store) && !excused(slot))
		violation(s, "%s/%s trusts nothing and meets %s/%s", client->name, store->t->name, server->name, slot->t->name);
	for (size_t i = 0; i < slot->worker_count; i++)
		for (size_t k = 0; k < store->worker_count; k++)
			good = shake(s, server, slot, &slot->workers[i], client, store, &store->workers[k]) && good;
	return good;
}

/* Are all its handshakes good? */
static bool shake_place(struct sim *s, struct node *n, struct place_state *p)
{
	bool good = true;
	for (int i = 0; i < s->node_count; i++)
		for (size_t k = 0; k < s->nodes[i]->place_count; k++) {
			struct node *other = s->nodes[i];
			struct place_state *q = &other->places[k];
			if (q->t->kind == p->t->kind || !in_promise(other, q))
				continue;
			const struct template *slot = p->t->kind == MSG_SLOT ? p->t : q->t, *store = slot == p->t ? q->t : p->t;
			if (!link_is_there(s, slot, store))
				continue;
			bool fine = slot == p->t ? shake_workers(s, n, p, other, q) : shake_workers(s, other, q, n, p);
			good = good && fine;
		}
	return good;
}

/* I7: also where nobody looks. */
static void check_valid(struct sim *s, struct node *n, struct place_state *p)
{
	process_sweep(s, p);
	for (size_t i = 0; p->t->kind == MSG_SLOT && i < p->worker_count; i++)
		if (!oracle_valid(s->oracle, p->workers[i].content, s->now) && !excused(p) &&
		    !expired_in_trouble(s, n, p, p->workers[i].content, s->now))
			violation(s, "no valid chain: %s/%s presents %s", n->name, p->t->name, oracle_name(s->oracle, p->workers[i].content));
}

/* Is nothing on its way to it or to anybody it meets?  What was sent before the engine knew may still arrive. */
static bool is_quiet(struct sim *s, struct node *n, struct place_state *p)
{
	if (!check_nothing_pending(s, p))
		return false;
	for (int i = 0; i < s->node_count; i++)
		for (size_t k = 0; k < s->nodes[i]->place_count; k++) {
			struct place_state *q = &s->nodes[i]->places[k];
			if (q->t->kind == p->t->kind || !in_promise(s->nodes[i], q))
				continue;
			const struct template *slot = p->t->kind == MSG_SLOT ? p->t : q->t, *store = slot == p->t ? q->t : p->t;
			if (link_is_there(s, slot, store) && !check_nothing_pending(s, q))
				return false;
		}
	return true;
}

/* Does it still present what was there when its CA was distrusted?  Newcomers will not trust that, either. */
static bool presents_old(const struct place_state *p)
{
	bool old = false;
	for (size_t i = 0; p->t->kind == MSG_SLOT && i < p->worker_count; i++)
		old = old || p->workers[i].content < p->excuse_content;
	return old;
}

/* The engine has seen it, every pair of it was tried and is good, and S holds for it: nothing old is on its way. */
static bool excuse_is_over(struct sim *s, struct node *n, struct place_state *p)
{
	if (p->excuse == EXCUSE_RESTORED && !p->excuse_seen)
		return false;
	return (p->excuse != EXCUSE_EMERGENCY || (emergency_is_over(s) && !presents_old(p))) && is_quiet(s, n, p);
}

static void check_place(struct sim *s, struct node *n, struct place_state *p)
{
	check_valid(s, n, p);
	bool good = shake_place(s, n, p);
	if (p->excuse != EXCUSE_NONE && good && excuse_is_over(s, n, p)) {
		p->excuse = EXCUSE_NONE;
		tell(s, "%s/%s is whole again", n->name, p->t->name);
	}
}

void check_counted(struct sim *s, struct node *n, const char *target)
{
	for (size_t i = 0; i < n->place_count; i++)
		if (text_equal(n->places[i].id, target)) {
			n->places[i].excuse_seen = true;
			check_cover(s, n, &n->places[i]);
		}
	check_node(s, n);
}

void check_node(struct sim *s, struct node *n)
{
	for (size_t i = 0; i < n->place_count; i++)
		if (in_promise(n, &n->places[i]))
			check_place(s, n, &n->places[i]);
}

void check_everybody(struct sim *s)
{
	for (int i = 0; i < s->node_count; i++)
		check_node(s, s->nodes[i]);
}

/* -- admissions ------------------------------------------------------------------------------------- */
/* Somebody of those it meets is not heard of: that pair may be broken from the beginning (docs/decisions/0002-admission.md). */
static bool meets_silent(struct sim *s, const struct place_state *p)
{
	for (int i = 0; i < s->node_count; i++)
		for (size_t k = 0; k < s->nodes[i]->place_count; k++) {
			struct node *other = s->nodes[i];
			const struct place_state *q = &other->places[k];
			const struct template *slot = p->t->kind == MSG_SLOT ? p->t : q->t, *store = slot == p->t ? q->t : p->t;
			if (q->t->kind != p->t->kind && in_promise(other, q) && !other->holder && link_is_there(s, slot, store) &&
			    s->now - other->heard_at > SILENT_MS)
				return true;
		}
	return false;
}

static void admit(struct sim *s, struct node *n, struct place_state *p)
{
	p->counted = true;
	p->excuse = meets_silent(s, p) ? EXCUSE_NEW : EXCUSE_NONE;
	process_sweep(s, p);
	tell(s, "%s/%s is admitted", n->name, p->t->name);
	check_valid(s, n, p);
	(void)shake_place(s, n, p); /* an excuse ends the next time: rows are being read */
}

/* True: it has left. */
static bool look_at_instance(struct sim *s, struct tx *tx, struct arena *a, struct node *n)
{
	struct instance_row instance;
	struct troth_err e = { 0 };
	bool read = rc_ok(instance_row_by_uuid(tx, a, n->uuid, &instance, &e));
	if (!read && e.kind != TROTH_NOT_FOUND)
		return false; /* a server that dies while it is asked says nothing of a waiver */
	n->waiving = false;
	if (!n->leaving || !read)
		return false;
	if (instance.state == INSTANCE_LEFT) {
		tell(s, "%s has left", n->name);
		node_stop(s, n);
		return true;
	}
	n->leaving = instance.state == INSTANCE_LEAVING;
	if (n->leaving)
		operator_stops(s, n);
	return false;
}

static void look_at_target(struct sim *s, struct tx *tx, struct arena *a, struct node *n, struct place_state *p)
{
	struct target_row t;
	struct troth_err e = { 0 };
	if (rc_failed(target_row_by_uuid(tx, a, p->id, &t, &e)))
		return;
	if (!p->counted && t.state == TARGET_COUNTED)
		admit(s, n, p);
	else if (p->counted && (t.state == TARGET_JOINING || t.state == TARGET_WAIVED)) {
		p->counted = false;
		tell(s, "%s/%s is waived", n->name, p->t->name);
	}
}

static void look_at_rows(struct sim *s, struct tx *tx, struct arena *a, struct node *n)
{
	if (look_at_instance(s, tx, a, n))
		return;
	for (size_t i = 0; i < n->place_count; i++)
		look_at_target(s, tx, a, n, &n->places[i]);
}

/* The server went back in time.  Who came since is not known to it; what it has forgotten of the others it must
 * find out before it acts. */
static void look_again(struct sim *s, struct tx *tx, struct arena *a, struct node *n)
{
	struct instance_row instance;
	struct credential_row credential;
	struct binding_row binding;
	struct troth_err e = { 0 };
	bool known = n->app ? rc_ok(binding_row_by_uuid(tx, a, n->uuid, &binding, &e)) && !binding.left_at :
		     n->holder ? rc_ok(credential_row_by_uuid(tx, a, n->uuid, &credential, &e)) :
				 rc_ok(instance_row_by_uuid(tx, a, n->uuid, &instance, &e)) && instance.state != INSTANCE_LEFT;
	if (!known) {
		tell(s, "%s is not known to the server any more", n->name);
		node_stop(s, n);
		return;
	}
	if (n->app)
		application_restored(n);
	n->places[0].excuse = n->holder ? EXCUSE_RESTORED : n->places[0].excuse; /* nobody asks it what it holds */
	for (size_t i = 0; (!n->holder || n->app) && i < n->place_count; i++) {
		struct target_row t;
		bool counts = rc_ok(target_row_by_uuid(tx, a, n->places[i].id, &t, &e)) &&
			      (t.state == TARGET_COUNTED || t.state == TARGET_LEAVING);
		n->places[i].counted = n->places[i].counted && counts;
	}
}

void check_restored(struct sim *s)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(64 << 20);
	struct tx *tx = server_read(s);
	policy_forget(s);
	link_restored(s);
	s->distrusting = NULL;
	s->distrusted_count = 0; /* a backup from before knows nothing of it: an operator would have to say it again */
	for (int i = 0; tx && i < s->node_count; i++) {
		if (s->nodes[i]->there)
			look_again(s, tx, a, s->nodes[i]);
		else
			s->nodes[i]->unsure = s->nodes[i]->unsure || s->nodes[i]->app; /* perhaps it is still expected */
	}
	if (tx)
		server_read_end(tx);
}

bool check_pending(const struct node *n)
{
	bool out = n->leaving || n->waiving;
	for (size_t i = 0; i < n->place_count; i++)
		out = out || !n->places[i].counted;
	return out && n->there;
}

void check_admissions(struct sim *s)
{
	struct tx *tx = NULL;
	struct arena *a = NULL;
	for (int i = 0; i < s->node_count; i++) {
		if (!check_pending(s->nodes[i]))
			continue;
		if (!tx && !(tx = server_read(s)))
			return;
		if (!a)
			a = arena_new(16 << 20);
		look_at_rows(s, tx, a, s->nodes[i]);
	}
	if (tx)
		server_read_end(tx);
	arena_free(a);
}

/* -- generations ---------------------------------------------------------------------------------------- */
static uint64_t hash_texts(const struct json_texts *texts)
{
	uint64_t h = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < texts->count; i++)
		for (const char *c = texts->items[i]; *c; c++)
			h = (h ^ (uint8_t)*c) * UINT64_C(1099511628211);
	return h;
}

static struct seen *seen_slot(struct seen *table, size_t room, const char *id, int64_t generation)
{
	uint64_t h = (uint64_t)generation * UINT64_C(0x9e3779b97f4a7c15);
	for (const char *c = id; *c; c++)
		h = (h ^ (uint8_t)*c) * UINT64_C(1099511628211);
	for (size_t i = (size_t)h & (room - 1);; i = (i + 1) & (room - 1))
		if (!table[i].used || (table[i].generation == generation && strcmp(table[i].id, id) == 0))
			return &table[i];
}

static void seen_grow(struct sim *s)
{
	size_t room = s->seen_room ? s->seen_room * 2 : 1024;
	struct seen *table = calloc(room, sizeof *table);
	CHECK(table);
	for (size_t i = 0; i < s->seen_room; i++)
		if (s->seen[i].used)
			*seen_slot(table, room, s->seen[i].id, s->seen[i].generation) = s->seen[i];
	free(s->seen);
	s->seen = table;
	s->seen_room = room;
}

static void see(struct sim *s, struct node *n, const struct msg_target *t)
{
	uint64_t h = hash_texts(&t->certificates);
	if (s->seen_count * 2 >= s->seen_room)
		seen_grow(s);
	struct seen *x = seen_slot(s->seen, s->seen_room, t->id, t->generation);
	if (x->used && x->hash != h)
		violation(s, "%s/%s: generation %lld has two contents", n->name, t->name, (long long)t->generation);
	bool fresh = !x->used;
	s->seen_count += fresh;
	x->used = true;
	x->generation = t->generation;
	x->hash = h;
	(void)text_copy(x->id, sizeof x->id, t->id); /* a UUID */
	if (!fresh)
		return;
	emergency_sent(s, n, t);
	policy_sent(s, n, t);
}

/* A document that leaves the server: its generation never meant anything else. */
void check_desired(struct sim *s, struct node *n, const struct msg_desired *m)
{
	for (size_t i = 0; i < m->target_count; i++)
		if (m->targets[i].generation)
			see(s, n, &m->targets[i]);
}

void check_report(struct sim *s, struct node *n, const struct msg_report *m)
{
	for (size_t i = 0; i < n->place_count; i++) {
		struct place_state *p = &n->places[i];
		if (strcmp(p->id, m->target) != 0)
			continue;
		if (m->high_water < p->generation || m->generation > m->high_water)
			violation(s, "%s/%s says l %lld, h %lld after h %lld", n->name, p->t->name, (long long)m->generation,
				  (long long)m->high_water, (long long)p->generation);
		p->generation = m->high_water;
	}
}
