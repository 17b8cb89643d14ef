/* Applications: they fetch a bundle, load it some time later, and keep what their owner has declared.
 *
 *     confirm   each fetch says under which tag that was given out what it runs
 *     fetch     within DELAY_MS of a fetch all of it is in use, by any clock of this world; an answer that was lost is
 *               asked for again at once
 *     attest    its owner vouches, some time after it has loaded, and not while he does not know what he was given
 *
 * Nobody else ever sees what they run.  What they fetch is a document that leaves the server, like any other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "application.h"
#include "service/binding.h"
#include "side_server.h"

enum { DELAY_MS = 260000, LOAD_MS = 50000, APPLICATIONS_MOST = 4, PIECES = 64 };

static const struct template KINDS[] = {
	{ "binding", "a", MSG_STORE, PROFILE_WEB, 0, 1, false, false },
	{ "binding", "b", MSG_STORE, PROFILE_WEB, 0, 2, false, false },
	{ "binding", "ab", MSG_STORE, PROFILE_WEB, 0, 3, false, false },
};
static const char *const KIND_BUNDLES[] = { "/sim/trust-a", "/sim/trust-b", "/sim/trust-ab" };

struct held_set { const char *pem; char tag[BINDING_TAG_LEN]; };

struct application {
	int ack;                 /* of ACKS */
	struct held_set disk, runs, before; /* fetched last; loaded; loaded before that */
	bool unsure;             /* perhaps it was given something that never arrived */
	bool behind;             /* it does not know what the server knows of it: until it has fetched again */
	bool loading;
	char vouched[BINDING_TAG_LEN]; /* of what its owner has said so */
};
static const char *const ACKS[] = { "confirm", "fetch", "attest" };
enum { CONFIRMS, FETCHES, ATTESTS };

static troth_rc ask(struct sim *s, const struct verb *verb, const void *cmd, void *ret, struct troth_err *e)
{
	struct verb_ctx ctx = { 0 };
	arena_reset(s->ask_a);
	troth_rc rc = server_do(s, s->ask_a, &s->server->admin, verb, cmd, ret, &ctx, e);
	if (rc_failed(rc) && e->kind == TROTH_INTERNAL)
		violation(s, "%s: %s", verb->name, e->primary);
	return rc;
}

/* -- loading ------------------------------------------------------------------------------------------ */

static void on_attest(struct sim *s, struct event *x)
{
	struct node *n = x->node;
	struct application *app = n->app;
	struct troth_err e = { 0 };
	struct binding_ret ret;
	if (!n->there || app->unsure || !text_equal(app->disk.tag, app->runs.tag) || text_equal(app->vouched, app->runs.tag))
		return; /* he will vouch for what it loads next */
	struct binding_attest_cmd cmd = { n->uuid, "renewed" };
	troth_rc rc = ask(s, &VERB_BINDING_ATTEST, &cmd, &ret, &e);
	tell(s, "%s is vouched for%s%s", n->name, rc_ok(rc) ? "" : ": ", rc_ok(rc) ? "" : e.primary);
	if (rc_ok(rc))
		(void)text_copy(app->vouched, sizeof app->vouched, app->runs.tag); /* of the same size */
}

static void load(struct sim *s, struct node *n, struct held_set what)
{
	struct application *app = n->app;
	struct place_state *p = &n->places[0];
	struct worker w = { .until = SIM_FOREVER, .content = oracle_set(s->oracle, what.pem, strlen(what.pem)) };
	if (!w.content)
		violation(s, "%s was given a bundle with nothing in it", n->name);
	app->before = app->runs.pem ? app->runs : what;
	app->runs = what;
	p->worker_count = 0; /* all its processes load together */
	process_add(s, n, p, &w);
}

static void on_load(struct sim *s, struct event *x)
{
	struct node *n = x->node;
	struct application *app = n->app;
	if (!n->there || !app->loading)
		return;
	app->loading = false;
	load(s, n, app->disk);
	if (!app->behind)
		n->places[0].excuse_seen = true;
}

/* -- fetching ----------------------------------------------------------------------------------------- */

/* PEM, one certificate each. */
static struct json_texts pieces_of(struct arena *a, const char *pem)
{
	static const char END[] = "-----END CERTIFICATE-----\n";
	struct json_texts out = { ARENA_ARRAY(a, const char *, PIECES), 0 };
	for (const char *end; out.count < PIECES && (end = strstr(pem, END)); pem = end + sizeof END - 1)
		out.items[out.count++] = arena_text_n(a, pem, (size_t)(end - pem) + sizeof END - 1);
	return out;
}

static void take(struct sim *s, struct node *n, const struct binding_fetch_ret *ret)
{
	struct application *app = n->app;
	struct msg_target t = { .id = n->places[0].id, .name = "bundle", .kind = MSG_STORE, .generation = strtoll(ret->tag + 1, NULL, 10),
				.certificates = pieces_of(s->ask_a, ret->pem) };
	bool late = app->unsure;
	tell(s, "%s fetches %s", n->name, ret->tag);
	(void)text_copy(app->disk.tag, sizeof app->disk.tag, ret->tag); /* of the same size */
	app->disk.pem = arena_text(s->life_a, ret->pem);
	if (!app->loading || late)
		event_add(s, s->now + (late ? 1 : dice_in(&n->dice, 1, app->ack == FETCHES ? LOAD_MS : 20000)), on_load, n);
	app->loading = true;
	check_desired(s, n, &(struct msg_desired){ .targets = &t, .target_count = 1 });
}

/* True: perhaps the server has noted that it fetched, and it has nothing. */
static bool fetch(struct sim *s, struct node *n)
{
	struct application *app = n->app;
	struct troth_err e = { 0 };
	struct binding_fetch_ret ret;
	struct binding_fetch_cmd cmd = { n->uuid, app->runs.pem ? app->runs.tag : NULL };
	if (rc_failed(ask(s, &VERB_BINDING_FETCH, &cmd, &ret, &e))) {
		if (e.kind != TROTH_UNAVAILABLE)
			violation(s, "%s fetches: %s", n->name, e.primary);
		app->unsure = app->unsure || strstr(e.primary, "there is nothing for") == NULL;
		return app->unsure;
	}
	if (!ret.not_modified && (!app->disk.pem || !text_equal(ret.tag, app->disk.tag)))
		take(s, n, &ret);
	n->places[0].excuse_seen = n->places[0].excuse_seen || ret.not_modified;
	app->unsure = app->behind = false;
	check_admissions(s);
	check_node(s, n);
	return false;
}

static void on_visit(struct sim *s, struct event *x)
{
	struct node *n = x->node;
	if (!n->there || s->over)
		return;
	bool again = fetch(s, n);
	if (n->app->ack == ATTESTS && !again)
		event_add(s, s->now + dice_in(&n->dice, 1, 3000), on_attest, n);
	event_add(s, s->now + (again ? 500 : dice_in(&n->dice, 3000, 30000)), on_visit, n);
}

/* -- coming and going ----------------------------------------------------------------------------------- */

static void come(struct sim *s)
{
	struct troth_err e = { 0 };
	struct binding_ret ret;
	if (!s->server->up || s->node_count == SIM_NODES_MAX)
		return;
	struct node *n = node_none(s);
	int kind = (int)dice_in(&s->act_dice, 0, (int64_t)ARRAY_LEN(KINDS) - 1), ack = (int)dice_in(&s->act_dice, CONFIRMS, ATTESTS);
	snprintf(n->name, sizeof n->name, "binding-%d", n->index);
	n->dice.state = dice_roll(&s->act_dice);
	n->app = ARENA_NEW(s->life_a, struct application);
	*n->app = (struct application){ .ack = ack };
	n->holder = true;
	struct binding_create_cmd cmd = { .name = arena_printf(s->life_a, "/sim/%s", n->name), .bundle = KIND_BUNDLES[kind], .ack = ACKS[ack],
					  .delay = ack == FETCHES ? DELAY_MS : 0, .grace = dice_in(&s->act_dice, 1, 60) * MSEC_S,
					  .renew_by = dice_chance(&s->act_dice, 300) ? 30 * MSEC_S : 0 };
	if (rc_failed(ask(s, &VERB_BINDING_CREATE, &cmd, &ret, &e))) {
		tell(s, "%s is not made: %s", n->name, e.primary);
		n->unsure = e.kind == TROTH_UNAVAILABLE;
		return;
	}
	n->there = true;
	n->places[n->place_count++] = (struct place_state){ .t = &KINDS[kind] };
	(void)text_copy(n->uuid, sizeof n->uuid, ret.binding.row.uuid); /* UUIDs */
	(void)text_copy(n->places[0].id, sizeof n->places[0].id, ret.binding.target.row.uuid);
	tell(s, "%s is handed bundle %s, %s", n->name, KIND_BUNDLES[kind], ACKS[ack]);
	event_add(s, s->now + dice_in(&n->dice, 1, 5000), on_visit, n);
}

/* Also one that was never there: its binding is deleted by name. */
static void drop(struct sim *s, struct node *n)
{
	struct troth_err e = { 0 };
	struct binding_list_ret list;
	struct no_ret ret;
	char name[64];
	snprintf(name, sizeof name, "/sim/%s", n->name);
	n->unsure = true;
	if (rc_failed(ask(s, &VERB_BINDING_LIST, &(struct list_cmd){ .name = name }, &list, &e)))
		return;
	char id[UUID_LEN] = "";
	if (list.count)
		(void)text_copy(id, sizeof id, list.items[0].row.uuid); /* a UUID */
	n->unsure = list.count && rc_failed(ask(s, &VERB_BINDING_DELETE, &(struct id_cmd){ id }, &ret, &e));
}

void application_finish(struct sim *s, struct node *n)
{
	if (n->unsure)
		drop(s, n);
}

static void go(struct sim *s, struct node *n)
{
	tell(s, "%s is no more", n->name);
	node_stop(s, n);
	drop(s, n);
}

/* Only who says what it runs can be believed again. */
static void fall_back(struct sim *s, struct node *n)
{
	struct application *app = n->app;
	if (app->ack != CONFIRMS || !app->before.pem)
		return;
	tell(s, "%s is restored from a backup: %s", n->name, app->before.tag);
	n->places[0].excuse = EXCUSE_RESTORED;
	n->places[0].excuse_seen = false;
	app->loading = false;
	app->disk = app->before;
	load(s, n, app->before);
}

void application_restored(struct node *n)
{
	n->app->vouched[0] = 0;
	n->app->unsure = n->app->behind = true;
	n->places[0].excuse = EXCUSE_RESTORED;
	n->places[0].excuse_seen = false;
}

void application_act(struct sim *s)
{
	struct node *found[APPLICATIONS_MOST];
	int64_t n = 0;
	for (int i = 0; i < s->node_count && n < APPLICATIONS_MOST; i++)
		if (s->nodes[i]->there && s->nodes[i]->app)
			found[n++] = s->nodes[i];
	if (n == 0 || (n < APPLICATIONS_MOST && dice_chance(&s->act_dice, 600))) {
		come(s);
		return;
	}
	struct node *one = found[dice_in(&s->act_dice, 0, n - 1)];
	if (dice_chance(&s->act_dice, 400))
		go(s, one);
	else
		fall_back(s, one);
}
