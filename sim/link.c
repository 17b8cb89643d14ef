/* Who meets whom: links that people take away and put back.
 *
 * What is taken away is out of the promise from the commit on; what is put back is in it from when it is good, as the
 * engine promises no more (a pair that never met may not fit, and can only heal).  Nobody remembers who asked: rows say
 * what holds after an answer was lost, or the server was restored. */
#include <stdio.h>

#include "link.h"
#include "side_server.h"

static int index_of(const struct template *t)
{
	for (size_t i = 0; i < TEMPLATE_COUNT; i++)
		if (&TEMPLATES[i] == t)
			return (int)i;
	return -1;
}

static bool by_root(const struct template *slot, const struct template *store)
{
	return store->bundle & 1u << ROOT_OF[slot->authority];
}

bool link_is_there(const struct sim *s, const struct template *slot, const struct template *store)
{
	int i = index_of(slot), k = index_of(store);
	return by_root(slot, store) && (i < 0 || k < 0 || !s->unlinked[i][k]);
}

static troth_rc ask(struct sim *s, const struct verb *verb, const void *cmd, void *ret)
{
	struct troth_err e = { 0 };
	struct verb_ctx ctx = { 0 };
	arena_reset(s->ask_a);
	troth_rc rc = server_do(s, s->ask_a, &s->server->admin, verb, cmd, ret, &ctx, &e);
	if (rc_failed(rc) && e.kind == TROTH_INTERNAL)
		violation(s, "%s: %s", verb->name, e.primary);
	if (rc_failed(rc))
		tell(s, "%s: %s", verb->name, e.primary);
	return rc;
}

/* Its pairs may be broken, until they are good. */
static void excuse(struct sim *s, const struct template *store)
{
	for (int i = 0; i < s->node_count; i++)
		for (size_t k = 0; k < s->nodes[i]->place_count; k++) {
			struct place_state *p = &s->nodes[i]->places[k];
			if (p->t == store && p->excuse == EXCUSE_NONE)
				p->excuse = EXCUSE_NEW;
		}
}

static void set(struct sim *s, int slot, int store, bool unlinked)
{
	bool back = s->unlinked[slot][store] && !unlinked;
	s->unlinked[slot][store] = unlinked;
	if (back)
		excuse(s, &TEMPLATES[store]);
}

static bool is(const struct meet_side *x, const struct template *t)
{
	return text_equal(x->deployment, t->deployment) && text_equal(x->template, t->name);
}

/* As the rows say. */
static bool read(struct sim *s)
{
	struct meet_list_ret all;
	if (rc_failed(ask(s, &VERB_MEET_LIST, &(struct list_cmd){ 0 }, &all)))
		return false;
	for (size_t m = 0; m < all.count; m++)
		for (size_t i = 0; i < TEMPLATE_COUNT; i++)
			for (size_t k = 0; k < TEMPLATE_COUNT; k++)
				if (is(&all.items[m].slot, &TEMPLATES[i]) && is(&all.items[m].store, &TEMPLATES[k]))
					set(s, (int)i, (int)k, !all.items[m].row.on);
	return true;
}

static bool put_back(struct sim *s, const struct meet_cmd *cmd)
{
	struct meet_ret ret;
	return rc_ok(ask(s, &VERB_MEET_ADD, cmd, &ret));
}

static void change(struct sim *s, int slot, int store)
{
	struct meet_removed_ret removed;
	char names[2][64];
	snprintf(names[0], sizeof names[0], "%s/%s", TEMPLATES[slot].deployment, TEMPLATES[slot].name);
	snprintf(names[1], sizeof names[1], "%s/%s", TEMPLATES[store].deployment, TEMPLATES[store].name);
	struct meet_cmd cmd = { names[0], names[1] };
	bool add = s->unlinked[slot][store];
	tell(s, "link of %s and %s is %s", names[0], names[1], add ? "put back" : "taken away");
	s->links_sure = false;
	s->unlinked[slot][store] = true; /* whatever comes of it, just now nothing is promised */
	bool done = add ? put_back(s, &cmd) : rc_ok(ask(s, &VERB_MEET_REMOVE, &cmd, &removed));
	s->links_sure = done || s->server->up;
	if (done || s->server->up)
		set(s, slot, store, !(add ? done : !done));
}

void link_act(struct sim *s)
{
	int slot = (int)dice_in(&s->act_dice, 0, (int64_t)TEMPLATE_COUNT - 1), store = (int)dice_in(&s->act_dice, 0, (int64_t)TEMPLATE_COUNT - 1);
	for (size_t i = 0; i < TEMPLATE_COUNT && TEMPLATES[slot].kind != MSG_SLOT; i++)
		slot = (slot + 1) % (int)TEMPLATE_COUNT;
	for (size_t i = 0; i < TEMPLATE_COUNT && (TEMPLATES[store].kind != MSG_STORE || !by_root(&TEMPLATES[slot], &TEMPLATES[store])); i++)
		store = (store + 1) % (int)TEMPLATE_COUNT;
	if (s->server->up && s->links_sure && !TEMPLATES[slot].lease && !TEMPLATES[store].lease)
		change(s, slot, store);
}

void link_restored(struct sim *s)
{
	for (size_t i = 0; i < TEMPLATE_COUNT; i++)
		for (size_t k = 0; k < TEMPLATE_COUNT; k++)
			s->unlinked[i][k] = true; /* until the rows are read */
	s->links_sure = false;
}

void link_look(struct sim *s)
{
	if (!s->links_sure && s->server->up)
		s->links_sure = read(s);
}
