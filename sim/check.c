/* What must always be true, asked of the world as it is, never of the engine's own books.
 *
 * A pair is a slot and a store that the world's deployments let meet; it counts when the server has
 * said that both are admitted.  From that commit on every worker of the one must be able to shake hands
 * with every worker of the other, at every moment, until one of them leaves. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "side_server.h"

struct seen { char id[UUID_LEN]; int64_t generation; uint64_t hash; };

/* -- handshakes ---------------------------------------------------------------------------------- */
static bool in_promise(const struct node *n, const struct place_state *p) { return n->there && !n->leaving && p->counted; }

static void shake(struct sim *s, const struct node *server, const struct place_state *slot, const struct worker *presents,
		  const struct node *client, const struct place_state *store, const struct worker *trusts)
{
	char host[64];
	snprintf(host, sizeof host, "%s.sim", server->name);
	s->count.handshakes++;
	if (!oracle_shake(s->oracle, presents->content, trusts->content, slot->t->client ? NULL : host, s->now))
		violation(s, "no handshake: %s/%s presents %s, %s/%s trusts %s", server->name, slot->t->name,
			  oracle_name(s->oracle, presents->content), client->name, store->t->name, oracle_name(s->oracle, trusts->content));
}

static void shake_workers(struct sim *s, const struct node *server, struct place_state *slot, const struct node *client,
			  struct place_state *store)
{
	process_sweep(s, slot);
	process_sweep(s, store);
	if (slot->worker_count && !store->worker_count) /* nobody met it when it was admitted with nothing; now somebody does */
		violation(s, "%s/%s trusts nothing and meets %s/%s", client->name, store->t->name, server->name, slot->t->name);
	for (size_t i = 0; i < slot->worker_count; i++)
		for (size_t k = 0; k < store->worker_count; k++)
			shake(s, server, slot, &slot->workers[i], client, store, &store->workers[k]);
}

static void shake_place(struct sim *s, struct node *n, struct place_state *p)
{
	for (int i = 0; i < s->node_count; i++)
		for (size_t k = 0; k < s->nodes[i]->place_count; k++) {
			struct node *other = s->nodes[i];
			struct place_state *q = &other->places[k];
			if (q->t->kind == p->t->kind || !in_promise(other, q))
				continue;
			const struct template *slot = p->t->kind == MSG_SLOT ? p->t : q->t, *store = slot == p->t ? q->t : p->t;
			if (!(store->bundle & 1u << slot->authority))
				continue;
			if (slot == p->t)
				shake_workers(s, n, p, other, q);
			else
				shake_workers(s, other, q, n, p);
		}
}

void check_node(struct sim *s, struct node *n)
{
	for (size_t i = 0; i < n->place_count; i++)
		if (in_promise(n, &n->places[i]))
			shake_place(s, n, &n->places[i]);
}

/* -- admissions ------------------------------------------------------------------------------------- */
static void admit(struct sim *s, struct node *n, struct place_state *p)
{
	p->counted = true;
	process_sweep(s, p);
	tell(s, "%s/%s is admitted", n->name, p->t->name);
	shake_place(s, n, p);
}

static void look_at_rows(struct sim *s, struct tx *tx, struct arena *a, struct node *n)
{
	struct instance_row instance;
	struct troth_err e = { 0 };
	if (n->leaving && rc_ok(instance_row_by_uuid(tx, a, n->uuid, &instance, &e))) {
		if (instance.state == INSTANCE_LEFT) {
			tell(s, "%s has left", n->name);
			node_stop(s, n);
			return;
		}
		n->leaving = false;
	}
	for (size_t i = 0; i < n->place_count; i++) {
		struct target_row t;
		if (!n->places[i].counted && rc_ok(target_row_by_uuid(tx, a, n->places[i].id, &t, &e)) && t.state == TARGET_COUNTED)
			admit(s, n, &n->places[i]);
	}
}

static bool open_question(const struct node *n)
{
	bool out = n->leaving;
	for (size_t i = 0; i < n->place_count; i++)
		out = out || !n->places[i].counted;
	return out && n->there;
}

void check_admissions(struct sim *s)
{
	struct tx *tx = NULL;
	struct arena *a = NULL;
	for (int i = 0; i < s->node_count; i++) {
		if (!open_question(s->nodes[i]))
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

static void see(struct sim *s, const struct node *n, const struct msg_target *t)
{
	uint64_t h = hash_texts(&t->certificates);
	for (size_t i = 0; i < s->seen_count; i++) {
		const struct seen *x = &s->seen[i];
		if (x->generation != t->generation || strcmp(x->id, t->id) != 0)
			continue;
		if (x->hash != h)
			violation(s, "%s/%s: generation %lld has two contents", n->name, t->name, (long long)t->generation);
		return;
	}
	if (s->seen_count == s->seen_room) {
		s->seen_room = s->seen_room ? s->seen_room * 2 : 256;
		s->seen = realloc(s->seen, s->seen_room * sizeof *s->seen);
		CHECK(s->seen);
	}
	struct seen *x = &s->seen[s->seen_count++];
	*x = (struct seen){ .generation = t->generation, .hash = h };
	(void)text_copy(x->id, sizeof x->id, t->id); /* a UUID */
}

/* A document that leaves the server: its generation never meant anything else. */
void check_desired(struct sim *s, const struct node *n, const struct msg_desired *m)
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

/* -- the view, the rows ------------------------------------------------------------------------------------ */
/* A disk that fails proves nothing: only a difference is a violation. */
void check_view(struct sim *s)
{
	struct tx *tx;
	struct troth_err e = { 0 };
	if (!s->server->up || rc_failed(store_write_begin(s->server->store, &tx, &e)))
		return;
	troth_rc rc = service_check_view(s->server->svc, tx, &e);
	store_write_rollback(tx);
	if (rc_failed(rc) && e.kind == TROTH_INTERNAL)
		violation(s, "%s", e.primary);
	s->count.views++;
	if (sim_vfs_crashed(s->server->disk))
		server_crash(s, true);
}

static troth_rc ask(struct sim *s, const struct verb *verb, const void *cmd, void *ret)
{
	struct troth_err e = { 0 };
	struct verb_ctx ctx = { 0 };
	return server_do(s, s->ask_a, &s->server->admin, verb, cmd, ret, &ctx, &e);
}

/* Just one signs, it is alive. */
static void check_signer(struct sim *s, struct tx *tx, const char *name)
{
	struct credential_row c;
	struct version_row *versions;
	size_t n, signers = 0;
	struct troth_err e = { 0 };
	if (rc_failed(credential_row_by_name(tx, s->ask_a, name, &c, &e)) ||
	    rc_failed(version_row_list_credential(tx, s->ask_a, c.id, PAGE_ALL, &versions, &n, &e)))
		return;
	for (size_t i = 0; i < n; i++)
		signers += versions[i].signing && !versions[i].retired_at;
	if (signers != 1)
		violation(s, "%s has %zu versions that sign", name, signers);
}

static void check_waits(struct sim *s)
{
	struct rotation_list_ret rotations;
	struct explain_ret x;
	if (rc_failed(ask(s, &VERB_ROTATION_LIST, &(struct rotation_list_cmd){ 0 }, &rotations)) ||
	    rc_failed(ask(s, &VERB_EXPLAIN, &(struct explain_cmd){ 0 }, &x)))
		return;
	for (size_t i = 0; i < x.count; i++)
		if (!x.items[i].speaker[0] || !x.items[i].reason[0] || !x.items[i].since)
			violation(s, "a wait without a reason");
	for (size_t i = 0; i < rotations.count; i++)
		if (text_equal(rotations.items[i].state, "running") && x.count == 0)
			violation(s, "the rotation of %s runs and waits for nothing", rotations.items[i].name);
}

void check_rows(struct sim *s)
{
	struct audit_verify_ret audit;
	struct tx *tx;
	check_view(s);
	arena_reset(s->ask_a);
	if (rc_ok(ask(s, &VERB_AUDIT_VERIFY, &(struct no_cmd){ 0 }, &audit)) && !audit.check.holds)
		violation(s, "the audit chain does not hold");
	if ((tx = server_read(s))) {
		check_signer(s, tx, AUTHORITIES[0]);
		check_signer(s, tx, AUTHORITIES[1]);
		server_read_end(tx);
	}
	check_waits(s);
}

/* -- the end ------------------------------------------------------------------------------------------------ */
bool check_settled(struct sim *s, char *why, size_t size)
{
	struct rotation_list_ret rotations;
	struct explain_ret x;
	arena_reset(s->ask_a);
	snprintf(why, size, "the server does not answer");
	if (rc_failed(ask(s, &VERB_ROTATION_LIST, &(struct rotation_list_cmd){ 0 }, &rotations)) ||
	    rc_failed(ask(s, &VERB_EXPLAIN, &(struct explain_cmd){ 0 }, &x)))
		return false;
	if (x.count) {
		struct instance_row row = { 0 };
		struct troth_err e = { 0 };
		struct tx *tx = server_read(s);
		for (int i = 0; tx && i < s->node_count; i++)
			if (text_equal(s->nodes[i]->name, x.items[0].instance))
				(void)instance_row_by_uuid(tx, s->ask_a, s->nodes[i]->uuid, &row, &e); /* only for its words */
		if (tx)
			server_read_end(tx);
		snprintf(why, size, "%s%s%s", explain_sentence(s->ask_a, &x.items[0]), row.alarm ? "; " : "", row.alarm ? row.alarm : "");
		return false;
	}
	for (size_t i = 0; i < rotations.count; i++) {
		const struct rotation_view *r = &rotations.items[i];
		if (text_equal(r->state, "running") || text_equal(r->state, "paused") || r->going_back) {
			snprintf(why, size, "the rotation of %s is %s%s", r->name, r->state, r->going_back ? ", going back" : "");
			return false;
		}
	}
	for (int i = 0; i < s->node_count; i++)
		if (open_question(s->nodes[i])) {
			snprintf(why, size, "%s is not admitted", s->nodes[i]->name);
			return false;
		}
	return true;
}

/* The service logs what it thinks is a bug of its own: a plan that was refused. */
void check_log(struct sim *s)
{
	char line[512];
	ssize_t n = pread(s->log_fd, line, sizeof line - 1, 0);
	if (n <= 0)
		return;
	line[n] = 0;
	line[strcspn(line, "\n")] = 0;
	violation(s, "the server logged: %s", line);
}
