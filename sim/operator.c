/* Those who change things: operators with their changes of mind, and misfortune. */
#include <stdio.h>
#include <string.h>
#include <sqlite3.h>

#include "application.h"
#include "lease.h"
#include "link.h"
#include "policy.h"
#include "side_server.h"

enum { SKEW_MS = 100000 }; /* two such clocks, one each way, are within LIMIT_SKEW_S of each other */

static troth_rc order(struct sim *s, const struct verb *verb, const void *cmd, void *ret)
{
	struct troth_err e = { 0 };
	struct verb_ctx ctx = { 0 };
	arena_reset(s->ask_a);
	troth_rc rc = server_do(s, s->ask_a, &s->server->admin, verb, cmd, ret, &ctx, &e);
	if (rc_failed(rc) && e.kind == TROTH_INTERNAL)
		violation(s, "%s: %s", verb->name, e.primary);
	if (rc_failed(rc))
		tell(s, "%s: %s: %s", verb->name, err_kind_name(e.kind), e.primary);
	return rc;
}

static const char *any_authority(struct sim *s) { return AUTHORITIES[dice_in(&s->act_dice, 0, SIM_AUTHORITIES - 1)]; }

static struct node *any_node(struct sim *s)
{
	struct node *n = s->nodes[dice_in(&s->act_dice, 0, s->node_count - 1)];
	return n->there && !n->leaving && !n->holder ? n : NULL;
}

static struct node *any_holder(struct sim *s)
{
	int from = (int)dice_in(&s->act_dice, 0, s->node_count - 1);
	for (int i = 0; i < s->node_count; i++) {
		struct node *n = s->nodes[(from + i) % s->node_count];
		if (n->there && n->holder && !n->app)
			return n;
	}
	return NULL;
}

/* -- changes of mind -------------------------------------------------------------------------------- */
static void rotate_as(struct sim *s, const struct rotate_cmd *cmd)
{
	struct rotate_ret ret;
	const char *name = cmd->name;
	tell(s, "rotate %s%s%s", name, cmd->again ? " again" : "", cmd->cross_sign ? ", cross-signed" : "");
	bool done = rc_ok(order(s, &VERB_ROTATE, cmd, &ret));
	s->count.rotations += done;
	policy_rotated(s, name, done);
}

static void rotate(struct sim *s, const char *name, bool again) { rotate_as(s, &(struct rotate_cmd){ .name = name, .again = again }); }

/* The old root certifies the new one: slots need not wait for those who are late. */
static void rotate_crossed(struct sim *s)
{
	int root = (int)dice_in(&s->act_dice, 0, 1);
	rotate_as(s, &(struct rotate_cmd){ .name = AUTHORITIES[root], .cross_sign = true, .again = dice_chance(&s->act_dice, 400) });
}

static void rotate_authority(struct sim *s) { rotate(s, any_authority(s), dice_chance(&s->act_dice, 300)); }

static void compromise(struct sim *s)
{
	int i = (int)dice_in(&s->act_dice, 0, SIM_AUTHORITIES - 1);
	policy_turned(s, AUTHORITIES[i]);
	emergency(s, AUTHORITIES[i], ROOT_OF[i]);
}

static void rotate_leaf(struct sim *s)
{
	char name[80];
	struct node *n = any_node(s);
	for (size_t i = 0; n && i < n->place_count; i++)
		if (n->places[i].t->kind == MSG_SLOT) {
			snprintf(name, sizeof name, "/sim/%s/%s", n->name, n->places[i].t->name);
			rotate(s, name, true);
		}
}

static void steer(struct sim *s, const struct verb *verb, const char *name)
{
	struct rotation_ret ret;
	tell(s, "%s %s", verb->name, name);
	if (verb == &VERB_ROTATION_ABORT)
		policy_turned(s, name);
	if (verb == &VERB_ROTATION_RESUME)
		policy_goes_on(s);
	(void)order(s, verb, &(struct rotation_cmd){ name }, &ret); /* often there is nothing to steer */
}

static void pause(struct sim *s) { steer(s, &VERB_ROTATION_PAUSE, any_authority(s)); }
static void resume(struct sim *s) { steer(s, &VERB_ROTATION_RESUME, any_authority(s)); }
static void abort_rotation(struct sim *s) { steer(s, &VERB_ROTATION_ABORT, any_authority(s)); }

static void join(struct sim *s)
{
	static const char *const kinds[] = { "web", "app", "db", "batch", "peer" };
	if (s->server->up)
		(void)node_new(s, kinds[dice_in(&s->act_dice, 0, 4)]); /* NULL: the server died meanwhile */
}

static void leave(struct sim *s)
{
	struct no_ret ret;
	struct node *n = any_node(s);
	if (!n || !s->server->up || s->node_count < 4)
		return;
	tell(s, "%s shall leave", n->name);
	n->leaving = true; /* check_admissions says what became of it */
	(void)order(s, &VERB_INSTANCE_DELETE, &(struct instance_delete_cmd){ n->uuid, true }, &ret);
	check_admissions(s);
}

/* A leaver's services are stopped; after a while an operator says so, if its agent did not. */
static void on_say_stopped(struct sim *s, struct event *x)
{
	struct no_ret ret;
	struct node *n = x->node;
	if (!n->there)
		return;
	event_add(s, s->now + 30000, on_say_stopped, n); /* until it is heard */
	(void)order(s, &VERB_INSTANCE_DELETE, &(struct instance_delete_cmd){ .id = n->uuid, .now = true }, &ret);
	check_admissions(s);
}

static void on_stop(struct sim *s, struct event *x)
{
	struct node *n = x->node;
	if (!n->there)
		return;
	tell(s, "%s: its services are stopped", n->name);
	n->stopped = true;
	for (size_t i = 0; i < n->place_count; i++)
		process_stop(s, n, &n->places[i]);
	event_add(s, s->now + dice_in(&n->dice, 1, 60) * 1000, on_say_stopped, n);
}

void operator_stops(struct sim *s, struct node *n)
{
	if (n->stopping)
		return;
	n->stopping = true;
	tell(s, "%s is leaving", n->name);
	event_add(s, s->now + dice_in(&n->dice, 1, 60) * 1000, on_stop, n);
}

/* Away or not: nobody waits for it any more; its agent brings it back as a joiner. */
static void waive(struct sim *s)
{
	struct waive_ret ret;
	struct node *n = any_node(s);
	for (int i = 0; i < s->node_count && (!n || !n->off); i++) /* rather one that is away */
		if (s->nodes[i]->there && s->nodes[i]->off && !s->nodes[i]->leaving)
			n = s->nodes[i];
	if (!n || !s->server->up)
		return;
	tell(s, "%s shall be waived", n->name);
	n->waiving = true; /* check_admissions says what became of it */
	(void)order(s, &VERB_WAIVE, &(struct waive_cmd){ n->uuid, "simulated" }, &ret);
	check_admissions(s);
}

static struct node *node_named(struct sim *s, const char *name)
{
	for (int i = 0; name && i < s->node_count; i++)
		if (s->nodes[i]->there && !s->nodes[i]->leaving && text_equal(s->nodes[i]->name, name))
			return s->nodes[i];
	return NULL;
}

/* A server that went back in time does not know what it had made since: whoever holds that stays unknown.  An
 * operator takes such members out, and their agents bring them back as joiners. */
static void waive_unknown(struct sim *s)
{
	struct explain_ret x;
	struct waive_ret ret;
	struct node *found[16];
	size_t n = 0;
	if (!s->server->was_restored || rc_failed(order(s, &VERB_EXPLAIN, &(struct explain_cmd){ 0 }, &x)))
		return;
	for (size_t i = 0; i < x.count && n < ARRAY_LEN(found); i++)
		if (text_equal(x.items[i].reason, "unknown") && server_now(s) - x.items[i].since > MSEC_MIN &&
		    (found[n] = node_named(s, x.items[i].instance)) && found[n]->agent)
			n++;
	for (size_t i = 0; i < n; i++) {
		tell(s, "%s shall be waived: nobody knows what it holds", found[i]->name);
		found[i]->waiving = true;
		(void)order(s, &VERB_WAIVE, &(struct waive_cmd){ found[i]->uuid, "the server was restored" }, &ret);
		check_admissions(s);
	}
}

static void on_look_for_unknown(struct sim *s, struct event *x)
{
	if (!s->over)
		event_add(s, s->now + MSEC_MIN, on_look_for_unknown, NULL);
	waive_unknown(s);
}

/* Somebody outside takes a certificate, another one, or says that he shows only the newest. */
static void outside(struct sim *s)
{
	struct node *n = any_holder(s);
	if (!n || dice_chance(&s->act_dice, 250))
		holder_new(s);
	else
		holder_act(s, n, &s->act_dice);
}

/* -- mending ---------------------------------------------------------------------------------------------- */
static void retry_failed(struct sim *s)
{
	struct troth_err e = { 0 };
	struct target_list_ret list;
	struct retry_ret ret;
	struct verb_ctx ctx = { 0 };
	arena_reset(s->ask_a);
	if (rc_failed(server_do(s, s->ask_a, &s->server->admin, &VERB_TARGET_LIST, &(struct target_list_cmd){ 0 }, &list, &ctx, &e)))
		return;
	for (size_t i = 0; i < list.count; i++)
		if (list.items[i].row.failures >= LIMIT_APPLY_FAILURES) {
			struct verb_ctx again = { 0 };
			policy_goes_on(s);
			tell(s, "retry %s of %s", list.items[i].template.name, list.items[i].instance);
			(void)server_do(s, s->ask_a, &s->server->admin, &VERB_TARGET_RETRY, &(struct retry_cmd){ list.items[i].row.uuid }, &ret, &again, &e);
		}
}

/* -- misfortune ------------------------------------------------------------------------------------------ */
static void kill_agent(struct sim *s)
{
	struct node *n = any_node(s);
	if (n && n->agent)
		node_crash(s, n, false);
}

static void power_cut(struct sim *s)
{
	struct node *n = any_node(s);
	if (n && !n->off)
		node_crash(s, n, true);
}

static void crash_in_hand(struct sim *s)
{
	struct node *n = any_node(s);
	if (n && n->agent)
		nodefs_crash_after(n->fs, dice_in(&s->act_dice, 0, 120));
}

static void restart_service(struct sim *s)
{
	struct node *n = any_node(s);
	if (!n || n->off || n->place_count == 0)
		return;
	struct place_state *p = &n->places[dice_in(&s->act_dice, 0, (int64_t)n->place_count - 1)];
	tell(s, "%s/%s starts again by itself", n->name, p->t->name);
	process_restart(s, n, p);
}

static void cut_off(struct sim *s)
{
	struct node *n = any_node(s);
	if (!n)
		return;
	n->cut_off_until = s->now + dice_in(&s->act_dice, 5, 240) * 1000;
	trouble(s, n, n->cut_off_until - s->now + 30000);
	tell(s, "%s is cut off until %.0f", n->name, (double)(n->cut_off_until - s->began) / 1000);
}

/* Who mends it also says so: what failed too often is tried again. */
static void on_mended(struct sim *s, struct event *x)
{
	if (x->node->broken && !s->server->up) {
		event_add(s, s->now + 5000, on_mended, x->node);
		return;
	}
	x->node->broken = false;
	retry_failed(s);
}

static void break_reloads(struct sim *s)
{
	struct node *n = any_node(s);
	if (!n)
		return;
	msec_t time = dice_in(&s->act_dice, 5, 120) * 1000;
	n->broken = true;
	trouble(s, n, time + 120000);
	tell(s, "%s: reloads fail from now on", n->name);
	event_add(s, s->now + time, on_mended, n);
}

static void on_emptied(struct sim *s, struct event *x) { nodefs_capacity(x->node->fs, -1); }

static void fill_node(struct sim *s)
{
	struct node *n = any_node(s);
	if (!n)
		return;
	msec_t time = dice_in(&s->act_dice, 5, 120) * 1000;
	nodefs_capacity(n->fs, dice_in(&s->act_dice, 0, 20000));
	trouble(s, n, time + 120000);
	tell(s, "%s: the disk is filling up", n->name);
	event_add(s, s->now + time, on_emptied, n);
}

static void back_up(struct sim *s)
{
	struct node *n = any_node(s);
	if (!n)
		return;
	tell(s, "%s: a backup is taken", n->name);
	nodefs_free(n->backup);
	n->backup = nodefs_copy(n->fs);
}

static void restore(struct sim *s)
{
	struct node *n = any_node(s);
	for (int i = 0; i < s->node_count && (!n || !n->backup); i++)
		n = s->nodes[i]->there && !s->nodes[i]->leaving && !s->nodes[i]->holder ? s->nodes[i] : NULL;
	if (n && n->backup)
		node_restore(s, n);
}

static void switch_off(struct sim *s)
{
	struct node *n = any_node(s);
	if (n && !n->off)
		node_off(s, n, dice_in(&s->act_dice, 10, dice_chance(&s->act_dice, 300) ? 1800 : 200) * 1000);
}

static void step_node_clock(struct sim *s)
{
	struct node *n = any_node(s);
	if (!n)
		return;
	n->skew = dice_in(&s->act_dice, -SKEW_MS, SKEW_MS);
	tell(s, "%s: the clock is off by %.0f s", n->name, (double)n->skew / 1000);
}

static void on_clock_right(struct sim *s, struct event *x)
{
	s->skew = 0;
	s->skew_at = s->now;
	tell(s, "the server's clock is right again");
	lease_sweep(s);
}

static void step_server_clock(struct sim *s)
{
	s->skew = dice_in(&s->act_dice, -SKEW_MS, SKEW_MS);
	s->skew_at = s->now;
	tell(s, "the server's clock is off by %.0f s", (double)s->skew / 1000);
	lease_sweep(s);
	event_add(s, s->now + dice_in(&s->act_dice, 5, 200) * 1000, on_clock_right, NULL);
}

static void crash_server(struct sim *s)
{
	if (s->server->up)
		sim_vfs_crash_at(s->server->disk, SIM_ANY, dice_in(&s->act_dice, 1, 400));
}

static void fail_disk(struct sim *s)
{
	static const enum sim_op ops[] = { SIM_WRITE, SIM_SYNC, SIM_READ };
	static const int codes[] = { SQLITE_FULL, SQLITE_IOERR_FSYNC, SQLITE_IOERR_READ };
	int which = (int)dice_in(&s->act_dice, 0, 1);
	if (!s->server->up)
		return;
	tell(s, "the server's disk will fail once");
	sim_vfs_fail_at(s->server->disk, ops[which], dice_in(&s->act_dice, 1, 40), codes[which], false);
}

static void on_room(struct sim *s, struct event *x)
{
	sim_vfs_capacity(s->server->disk, 0);
	tell(s, "the server's disk has room again");
}

static void fill_server(struct sim *s)
{
	tell(s, "the server's disk is filling up");
	sim_vfs_capacity(s->server->disk, sim_vfs_used(s->server->disk) + dice_in(&s->act_dice, 0, 200000));
	trouble(s, NULL, 90000);
	event_add(s, s->now + dice_in(&s->act_dice, 2, 60) * 1000, on_room, NULL);
}

static void save_server(struct sim *s)
{
	if (!s->server->up)
		return;
	tell(s, "a backup of the server is taken");
	sim_vfs_save(s->server->disk);
}

static void restore_server(struct sim *s)
{
	if (!s->server->up || !sim_vfs_has_saved(s->server->disk))
		return;
	tell(s, "the server's machine is lost; its backup will be restored");
	s->server->restoring = true;
	server_crash(s, true);
	if (!s->server->was_restored)
		event_add(s, s->now + MSEC_MIN, on_look_for_unknown, NULL);
	s->server->was_restored = true;
}

/* Everything loses power, for longer than any leaf lives; perhaps longer than the CAs do. */
static void black_out(struct sim *s)
{
	if (!s->short_lives || !s->server->up)
		return;
	msec_t time = dice_in(&s->act_dice, 20, 200) * MSEC_MIN;
	tell(s, "everything is dark for %.0f min", (double)time / MSEC_MIN);
	for (int i = 0; i < s->node_count; i++)
		if (s->nodes[i]->there && !s->nodes[i]->off && !s->nodes[i]->holder)
			node_off(s, s->nodes[i], time + dice_in(&s->act_dice, 0, 60000));
	server_down(s, true, time);
}

static void restart_server(struct sim *s)
{
	if (s->server->up)
		server_crash(s, false);
}

/* -- when ---------------------------------------------------------------------------------------------------- */
/* New rows go to the end: a roll beyond all of them is an act that does not happen, so kept seeds keep their meaning. */
enum { ROLLS = 120 };

static const struct { int weight; bool fault; void (*act)(struct sim *s); } ACTS[] = {
	{ 10, false, rotate_authority }, { 3, false, rotate_leaf }, { 3, false, pause }, { 6, false, resume },
	{ 3, false, abort_rotation }, { 4, false, join }, { 2, false, leave },
	{ 6, true, kill_agent }, { 4, true, power_cut }, { 8, true, crash_in_hand }, { 6, true, restart_service },
	{ 5, true, cut_off }, { 4, true, break_reloads }, { 3, true, fill_node }, { 3, false, back_up }, { 3, true, restore },
	{ 3, true, switch_off }, { 3, true, step_node_clock }, { 2, true, step_server_clock },
	{ 4, true, crash_server }, { 3, true, fail_disk }, { 1, true, fill_server }, { 1, true, restart_server },
	{ 4, false, outside }, { 2, false, waive }, { 1, true, black_out }, { 1, false, save_server }, { 1, true, restore_server },
	{ 2, false, compromise },
	{ 3, false, policy_choose }, { 1, false, policy_freeze }, { 1, false, policy_rollout }, { 3, false, policy_approve },
	{ 4, false, application_act }, { 3, false, lease_new }, { 2, false, rotate_crossed }, { 2, false, link_act },
};

static void nothing(struct sim *s) { (void)s; }

static void choose(struct sim *s, void (**ret_act)(struct sim *s), bool *ret_fault)
{
	int roll = (int)dice_in(&s->act_dice, 0, ROLLS - 1);
	*ret_act = nothing;
	*ret_fault = false;
	for (size_t i = 0; i < ARRAY_LEN(ACTS); roll -= ACTS[i++].weight)
		if (roll < ACTS[i].weight) {
			*ret_act = ACTS[i].act;
			*ret_fault = ACTS[i].fault;
			return;
		}
}

/* The schedule is the seed's: leaving out one act moves no other. */
static void on_act(struct sim *s, struct event *x)
{
	if (!s->faults)
		return;
	s->act_dice.state = fault_seed(s, fault_name(FAULT_ACT, -1, x->ticket));
	event_add(s, s->now + dice_in(&s->act_dice, 100, 12000) * (s->short_lives ? SHORT_PACE : 1), on_act, NULL)->ticket = x->ticket + 1;
	void (*act)(struct sim *s);
	bool fault;
	choose(s, &act, &fault);
	if (act == nothing || !fault_named(s, FAULT_ACT, x->ticket))
		return;
	s->count.faults += fault;
	act(s);
}

void operator_begin(struct sim *s)
{
	s->act_dice.state = fault_seed(s, fault_name(FAULT_ACT, -1, 0));
	policy_begin(s);
	if (fault_named(s, FAULT_ACT, 0))
		rotate_authority(s); /* so that something is going on at all */
	event_add(s, s->now + 1000, on_act, NULL)->ticket = 1;
}

/* -- the end of all faults --------------------------------------------------------------------------------------- */
static bool has_node(const struct sim *s, const char *uuid)
{
	for (int i = 0; i < s->node_count; i++)
		if (s->nodes[i]->there && text_equal(s->nodes[i]->uuid, uuid))
			return true;
	return false;
}

/* Enrolments whose answer was lost: nobody will ever speak for them; an operator takes them out. */
static void remove_orphans(struct sim *s)
{
	struct instance_list_ret list;
	struct no_ret gone;
	struct troth_err e = { 0 };
	struct verb_ctx ctx = { 0 };
	CLEANUP(arena_freep) struct arena *a = arena_new(32 << 20);
	if (rc_failed(server_do(s, a, &s->server->admin, &VERB_INSTANCE_LIST, &(struct instance_list_cmd){ 0 }, &list, &ctx, &e)))
		return;
	for (size_t i = 0; i < list.count; i++)
		if (list.items[i].row.state != INSTANCE_LEFT && list.items[i].row.name[0] != '/' && !list.items[i].row.lease_until && !has_node(s, list.items[i].row.uuid)) {
			tell(s, "%s has nobody", list.items[i].row.name);
			(void)order(s, &VERB_INSTANCE_DELETE, &(struct instance_delete_cmd){ list.items[i].row.uuid, true }, &gone); /* or the next time */
		}
}

/* Those outside take new certificates and say so; a CA that has expired signs nothing: somebody makes another. */
static void replace_expired(struct sim *s)
{
	struct explain_ret x;
	if (s->now < s->heal_at)
		return;
	s->heal_at = s->now + 2 * MSEC_MIN;
	for (int i = 0; i < s->node_count; i++)
		if (s->nodes[i]->app)
			application_finish(s, s->nodes[i]);
		else if (s->nodes[i]->holder)
			holder_finish(s, s->nodes[i]);
	if ( rc_failed(order(s, &VERB_EXPLAIN, &(struct explain_cmd){ 0 }, &x)))
		return;
	for (size_t i = 0; i < x.count; i++)
		if (text_equal(x.items[i].reason, "no-signer") && x.items[i].authority) {
			char name[80];
			(void)text_copy(name, sizeof name, x.items[i].authority); /* short here */
			rotate(s, name, true);
			return;
		}
}

void operator_heal(struct sim *s)
{
	struct rotation_list_ret list;
	if (s->server->up)
		sim_vfs_heal(s->server->disk);
	for (int i = 0; i < s->node_count; i++) {
		struct node *n = s->nodes[i];
		n->broken = false;
		n->cut_off_until = 0;
		n->skew = 0;
		if (n->there && !n->holder)
			nodefs_capacity(n->fs, -1);
		if (n->there && n->off)
			node_on(s, n);
	}
	s->skew_at = s->skew ? s->now : s->skew_at;
	s->skew = 0;
	lease_sweep(s);
	server_on(s);
	sim_vfs_capacity(s->server->disk, 0);
	for (int i = 0; i < SIM_AUTHORITIES; i++) {
		struct rotation_list_cmd cmd = { .name = AUTHORITIES[i] };
		if (rc_failed(order(s, &VERB_ROTATION_LIST, &cmd, &list)))
			continue;
		bool paused = false;
		for (size_t k = 0; k < list.count; k++)
			paused = paused || text_equal(list.items[k].state, "paused");
		if (paused)
			steer(s, &VERB_ROTATION_RESUME, AUTHORITIES[i]);
	}
	policy_lift(s);
	retry_failed(s);
	remove_orphans(s);
	replace_expired(s);
}
