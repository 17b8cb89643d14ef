/* The view written out in one canonical order, so that two views can be compared and a person can
 * read what the engine believes; and the recount of everything that is counted. */
#include <inttypes.h>
#include <stdlib.h>

#include "engine/view.h"

/* -- writing ------------------------------------------------------------------------------- */

static void put_ids(struct buf *out, const char *name, struct id_list list)
{
	buf_printf(out, " %s=[", name);
	for (size_t i = 0; i < list.count; i++)
		buf_printf(out, "%s%" PRId64, i ? "," : "", list.items[i]);
	buf_add_text(out, "]");
}

static int compare_by_id(const void *x, const void *y)
{
	/* every noun of the view begins with its id */
	int64_t a = **(int64_t *const *)x, b = **(int64_t *const *)y;

	return (a > b) - (a < b);
}

/* Sorted copies of the pointers; the caller frees. */
static void **sorted_list(void *const *items, size_t count)
{
	void **list = mem_new(count, sizeof(void *));

	if (count)
		memcpy(list, items, count * sizeof(void *));
	if (count > 1)
		qsort(list, count, sizeof(void *), compare_by_id);
	return list;
}

static void **sorted_table(const struct table *t)
{
	void **list = mem_new(t->count, sizeof(void *)), *item;
	size_t at = 0, n = 0;

	while ((item = table_next(t, &at)))
		list[n++] = item;
	if (n > 1)
		qsort(list, n, sizeof(void *), compare_by_id);
	return list;
}

static void put_group(struct buf *out, const struct group *g)
{
	void **meets = sorted_list((void *const *)g->meets, g->meet_count);

	buf_printf(out, "group %" PRId64 " %s%s role=%d atomic=%d limit=%" PRId64, g->id,
		   g->kind == GROUP_SLOT ? "slot" : "store", g->outside ? " outside" : "", g->role, g->atomic,
		   g->store_limit);
	for (size_t i = 0; i < g->meet_count; i++)
		buf_printf(out, "%s%" PRId64, i ? "," : " meets=", ((struct group *)meets[i])->id);
	if (g->deployment)
		buf_printf(out, " deployment=%" PRId64, g->deployment->id);
	put_ids(out, "authorities", g->authorities);
	put_ids(out, "certs", g->certs);
	buf_add_text(out, "\n");
	free(meets);
}

static void put_ca(struct buf *out, const struct ca *c)
{
	buf_printf(out, "ca %" PRId64 " of %" PRId64 " cert=%" PRId64 " order=%" PRId64 "%s%s%s%s%s", c->id,
		   c->authority->id, c->cert, c->order, c->wanted ? " wanted" : "",
		   c->signing ? " signing" : "", c->can_sign ? " can-sign" : "",
		   c->distrusted ? " distrusted" : "", c->retired ? " retired" : "");
	put_ids(out, "leaf-anchors", c->leaf_anchors);
	if (c->issuer_id)
		buf_printf(out, " issuer=%" PRId64, c->issuer_id);
	if (c->bridge_by) {
		buf_printf(out, " bridge-by=%" PRId64 " %" PRId64 "..%" PRId64, c->bridge_by, c->bridge_from, c->bridge_until);
		put_ids(out, "bridge-anchors", c->bridge_anchors);
	}
	buf_printf(out, " %" PRId64 "..%" PRId64 " skew=%" PRId64 " renew=%" PRId64 "/%" PRId64 "%s%s\n", c->not_before,
		   c->not_after, c->skew, c->renew_at, c->renew_latest, c->renewing ? " renewing" : "",
		   c->by_hand ? " by-hand" : "");
}

static void put_content(struct buf *out, const struct content *c)
{
	if (!c->refs)
		return;
	buf_printf(out, "%s %" PRId64 " by=%" PRId64, c->is_chain ? "chain" : "set", c->id, c->signed_by);
	put_ids(out, c->is_chain ? "anchors" : "certs", c->members);
	if (c->bridged_by)
		buf_printf(out, " bridged-by=%" PRId64, c->bridged_by);
	buf_printf(out, " %" PRId64 "..%" PRId64 " issued=%" PRId64 " renew=%" PRId64 "%s\n", c->not_before,
		   c->not_after, c->issued, c->renew_at, c->distrusted ? " distrusted" : "");
}

static int64_t id_or(const struct content *c, int64_t otherwise)
{
	return c ? c->id : otherwise;
}

static const char *state_word(enum target_state state)
{
	static const char *const words[] = { "", "joining", "counted", "left", "leaving", "ignored" };

	return words[state];
}

static void put_target(struct buf *out, const struct target *t)
{
	buf_printf(out, "target %" PRId64 " group=%" PRId64 " instance=%" PRId64 " authority=%" PRId64 " %s",
		   t->id, t->group->id, t->instance ? t->instance->id : 0,
		   t->authority ? t->authority->id : 0,
		   state_word(t->state));
	if (t->lease_until)
		buf_printf(out, " lease=%" PRId64, t->lease_until);
	if (t->known)
		buf_printf(out, " base=%" PRId64 "@%" PRId64, id_or(t->base, CONTENT_NONE), t->base_generation);
	if (t->strange)
		buf_printf(out, " strange");
	buf_printf(out, " high=%" PRId64, t->high_water);
	for (size_t i = 0; i < t->doc_count; i++)
		buf_printf(out, " %" PRId64 "@%" PRId64 "%s", t->docs[i].content->id, t->docs[i].generation,
			   t->docs[i].handed ? "" : "?");
	buf_printf(out, " staged=%" PRId64 " asked=%" PRId64 " failed=%" PRId64 "x%" PRId64 " pace=%" PRId64 "\n",
		   id_or(t->staged, 0), t->asked, id_or(t->failed, 0), t->failures, t->pace);
}

static void put_instance(struct buf *out, const struct instance *i)
{
	if (i->targets)
		buf_printf(out, "instance %" PRId64 " alive-until=%" PRId64 "\n", i->id, i->alive_until);
}

static void put_all(struct buf *out, const struct table *t, void (*put)(struct buf *, const void *))
{
	void **list = sorted_table(t);

	for (size_t i = 0; i < t->count; i++)
		put(out, list[i]);
	free(list);
}

static void put_group_(struct buf *out, const void *p) { put_group(out, p); }
static void put_ca_(struct buf *out, const void *p) { put_ca(out, p); }
static void put_content_(struct buf *out, const void *p) { put_content(out, p); }
static void put_instance_(struct buf *out, const void *p) { put_instance(out, p); }
static void put_target_(struct buf *out, const void *p) { put_target(out, p); }

static void put_paused(struct buf *out, const void *p)
{
	const struct authority *a = p;

	if (a->paused || a->hold_at_deadline)
		buf_printf(out, "authority %" PRId64 "%s%s\n", a->id, a->paused ? " paused" : "",
			   a->hold_at_deadline ? " holds-at-deadline" : "");
	if (a->grace_until)
		buf_printf(out, "grace %" PRId64 " until=%" PRId64 " for=%" PRId64 "\n", a->id, a->grace_until,
			   a->grace_target);
	if (a->external)
		buf_printf(out, "external %" PRId64 "%s\n", a->id, a->awaited ? " awaited" : "");
	if (a->switch_all || a->unapproved)
		buf_printf(out, "rollout %" PRId64 "%s unapproved=%u everywhere=%u\n", a->id, a->switch_all ? " switch-all" : "",
			   a->unapproved, a->everywhere);
}

static void put_deployment(struct buf *out, const void *p)
{
	const struct deployment *d = p;

	if (!d->max_unavailable && !d->canary && !d->pause && !d->settled_at && !d->stopped && !d->manual && !d->windowed)
		return; /* no policy: as if it had never been told */
	buf_printf(out, "deployment %" PRId64 " max=%" PRId64 " canary=%" PRId64 " pause=%" PRId64 "+%" PRId64, d->id,
		   d->max_unavailable, d->canary, d->settled_at, d->pause);
	buf_printf(out, "%s%s", d->stopped ? " stopped" : "", d->manual ? " manual" : "");
	if (d->windowed)
		buf_printf(out, " %s-until=%" PRId64, d->open ? "open" : "closed", d->until);
	buf_add_text(out, "\n");
}

void view_dump(const struct view *v, struct buf *out)
{
	if (v->hold)
		buf_add_text(out, "hold\n");
	put_all(out, &v->groups, put_group_);
	put_all(out, &v->cas, put_ca_);
	put_all(out, &v->authorities_by_id, put_paused);
	put_all(out, &v->deployments, put_deployment);
	put_all(out, &v->chains, put_content_);
	put_all(out, &v->sets, put_content_);
	put_all(out, &v->instances, put_instance_);
	put_all(out, &v->targets_by_id, put_target_);
}

/* -- comparing ----------------------------------------------------------------------------- */

static void line_of(const char *text, size_t at, char *out, size_t size)
{
	size_t from = at, n = 0;

	while (from > 0 && text[from - 1] != '\n')
		from--;
	while (n + 1 < size && text[from + n] && text[from + n] != '\n') {
		out[n] = text[from + n];
		n++;
	}
	out[n] = 0;
}

static void tell_difference(const char *x, const char *y, char *why, size_t why_size)
{
	char left[400], right[400];
	size_t at = 0;

	while (x[at] && x[at] == y[at])
		at++;
	line_of(x, at, left, sizeof(left));
	line_of(y, at, right, sizeof(right));
	(void)snprintf(why, why_size, "\"%s\" against \"%s\"", left, right); /* cut if it does not fit */
}

bool view_equal(const struct view *x, const struct view *y, char *why, size_t why_size)
{
	CLEANUP(buf_release) struct buf left = buf_make(SIZE_MAX / 4);
	CLEANUP(buf_release) struct buf right = buf_make(SIZE_MAX / 4);

	view_dump(x, &left);
	view_dump(y, &right);
	CHECK(buf_ok(&left) && buf_ok(&right));
	if (bytes_equal(buf_bytes(&left), buf_bytes(&right)))
		return true;
	if (why && why_size)
		tell_difference(buf_text(&left), buf_text(&right), why, why_size);
	return false;
}

/* -- counting again ------------------------------------------------------------------------ */

#define EXPECT(cond, ...)                                                                          \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			(void)snprintf(why, why_size, __VA_ARGS__); /* cut if too long */          \
			return false;                                                              \
		}                                                                                  \
	} while (0)

static bool check_target(const struct view *v, const struct target *t, char *why, size_t why_size)
{
	struct class_key k = class_key_of(t);

	EXPECT(t->class && memcmp(&t->class->key, &k, sizeof(k)) == 0,
	       "target %" PRId64 " is not in its class", t->id);
	EXPECT(t->over == (t->lease_until && t->lease_until <= v->now),
	       "target %" PRId64 ": its lease is not up to date", t->id);
	EXPECT(v->targets[t->index] == t, "target %" PRId64 " is not where its index says", t->id);
	for (size_t i = 1; i < t->doc_count; i++)
		EXPECT(t->docs[i - 1].generation < t->docs[i].generation,
		       "target %" PRId64 " has documents out of order", t->id);
	return true;
}

static size_t member_count(const struct class *c)
{
	size_t n = 0;

	for (const struct target *t = c->members; t; t = t->class_next)
		n++;
	return n;
}

static bool check_paces(const struct view *v, const struct group *g, char *why, size_t why_size)
{
	struct group again = { .id = g->id };

	for (size_t i = 0; i < v->target_count; i++) {
		if (v->targets[i]->group == g)
			pace_move(&again, 0, v->targets[i]->pace);
	}
	EXPECT(memcmp(again.paces, g->paces, sizeof(g->paces)) == 0,
	       "the paces of group %" PRId64 " are not those of its members", g->id);
	return true;
}

static bool check_group(const struct group *g, size_t *total, char *why, size_t why_size)
{
	for (const struct class *c = g->classes; c; c = c->group_next) {
		EXPECT(c->count > 0 && c->count == member_count(c),
		       "a class of group %" PRId64 " says %zu members", g->id, c->count);
		EXPECT(c->key.group == g, "a class of another group in group %" PRId64, g->id);
		*total += c->count;
	}
	return true;
}

static bool check_content(const struct view *v, const struct content *c, char *why, size_t why_size)
{
	EXPECT(!c->is_chain || c->shape->expired == (c->not_after + c->skew <= v->now),
	       "chain %" PRId64 ": expired is not up to date", c->id);
	EXPECT(!c->is_chain || c->due == (c->renew_at && c->renew_at <= v->now),
	       "chain %" PRId64 ": due is not up to date", c->id);
	EXPECT(c->ending == (c->is_chain && c->ending_at && c->ending_at <= v->now),
	       "chain %" PRId64 ": ending is not up to date", c->id);
	EXPECT(ids_same(c->shape->members, c->members), "content %" PRId64 " has another's shape", c->id);
	return true;
}

static bool check_contents(const struct view *v, const struct table *t, size_t *idle, char *why,
			   size_t why_size)
{
	const struct content *c;
	size_t at = 0;

	while ((c = table_next(t, &at))) {
		if (!check_content(v, c, why, why_size))
			return false;
		*idle += c->refs == 0;
	}
	return true;
}

static bool check_instances(const struct view *v, char *why, size_t why_size)
{
	const struct instance *i;
	size_t at = 0;

	while ((i = table_next(&v->instances, &at)))
		EXPECT(i->alive == (i->alive_until > v->now),
		       "instance %" PRId64 ": alive is not up to date", i->id);
	return true;
}

bool view_check(const struct view *v, char *why, size_t why_size)
{
	size_t total = 0, idle = 0;

	for (size_t i = 0; i < v->target_count; i++) {
		if (!check_target(v, v->targets[i], why, why_size))
			return false;
	}
	for (size_t i = 0; i < v->group_count; i++) {
		if (!check_group(v->group_list[i], &total, why, why_size) ||
		    !check_paces(v, v->group_list[i], why, why_size))
			return false;
	}
	if (!check_contents(v, &v->chains, &idle, why, why_size) ||
	    !check_contents(v, &v->sets, &idle, why, why_size) || !check_instances(v, why, why_size))
		return false;
	if (!rolling_check(v, why, why_size))
		return false;
	EXPECT(total == v->target_count, "classes count %zu members of %zu", total, v->target_count);
	EXPECT(idle == v->idle, "%zu contents are idle, %zu are counted as idle", idle, v->idle);
	return true;
}
