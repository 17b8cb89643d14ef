/* Classes: targets that get the same answer, counted.  An event moves one target from one class
 * to another: two counters, two lists, nothing per pair (engine-rules section 11). */
#include <stdlib.h>

#include "engine/view.h"

struct content *target_newest(const struct target *t)
{
	return t->doc_count ? t->docs[t->doc_count - 1].content : t->base;
}

/* A chain that failed is tried again (its key is there, and a new one for each try would never
 * fail "the same contents" often enough to stop), unless something newer took its place. */
static bool worth_retrying(const struct target *t)
{
	const struct content *newest = target_newest(t);

	if (!t->failed || t->failed == newest)
		return false;
	return !newest || newest->signed_by != t->failed->signed_by ||
	       newest->not_before < t->failed->not_before;
}

struct content *target_ready(const struct target *t)
{
	if (t->staged && t->staged != target_newest(t) && !t->staged->distrusted)
		return t->staged;
	return worth_retrying(t) && !t->failed->distrusted ? t->failed : NULL;
}

static size_t handed_count(const struct target *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->doc_count; i++)
		n += t->docs[i].handed;
	return n;
}

/* What goes if something is sent: the last document, if it was never handed out (replaced_generation). */
static size_t unhanded_at_end(const struct target *t)
{
	return t->doc_count && !t->docs[t->doc_count - 1].handed;
}

/* A chain that failed and is the one that would be sent again; for a store the set is compared
 * when something is about to be sent, so here it only keeps such stores apart. */
static bool failing(const struct target *t)
{
	return t->failed && t->failures >= LIMIT_APPLY_FAILURES &&
	       (t->group->kind == GROUP_STORE || target_ready(t) == t->failed);
}

static bool tainted(const struct target *t)
{
	bool found = t->base && t->base->distrusted;

	for (size_t i = 0; i < t->doc_count; i++)
		found = found || t->docs[i].content->distrusted;
	return found;
}

/* A chain that it may serve ends soon; outside the fleet its newest, which it shows while that is valid. */
static bool ending(const struct target *t)
{
	const struct content *newest = target_newest(t);

	if (t->group->outside)
		return newest && newest->ending;
	if (t->base && t->base->ending)
		return true;
	for (size_t i = 0; i < t->doc_count; i++) {
		if (t->docs[i].content->ending)
			return true;
	}
	return false;
}

static uint32_t flags_of(const struct target *t)
{
	const struct content *newest = target_newest(t);
	uint32_t flags = 0;

	flags |= t->state == TARGET_COUNTED || t->state == TARGET_LEAVING ? CLASS_COUNTED : 0;
	flags |= t->state == TARGET_LEAVING ? CLASS_LEAVING : 0;
	flags |= t->state == TARGET_IGNORED ? CLASS_IGNORED : 0;
	flags |= t->lease_until ? CLASS_LEASED : 0;
	flags |= t->over ? CLASS_OVER : 0;
	flags |= t->known ? CLASS_KNOWN : 0;
	flags |= t->strange ? CLASS_STRANGE : 0;
	flags |= t->instance && t->instance->alive ? CLASS_ALIVE : 0;
	flags |= handed_count(t) >= LIMIT_PENDING_DOCUMENTS ? CLASS_FULL : 0;
	flags |= newest && (newest->due || newest->distrusted) ? CLASS_DUE : 0;
	flags |= tainted(t) ? CLASS_TAINTED : 0;
	flags |= ending(t) ? CLASS_ENDING : 0;
	flags |= failing(t) ? CLASS_FAILING : 0;
	return flags;
}

struct class_key class_key_of(const struct target *t)
{
	struct class_key k;

	memset(&k, 0, sizeof(k)); /* padding too: keys are compared as bytes */
	k.group = t->group;
	k.flags = flags_of(t);
	if (t->known)
		k.seq[k.length++] = t->base ? t->base->shape : NULL;
	for (size_t i = 0; i < t->doc_count; i++)
		k.seq[k.length++] = t->docs[i].content->shape;
	k.unhanded = (uint16_t)unhanded_at_end(t);
	if (t->group->kind == GROUP_STORE)
		return k;
	k.authority = t->authority;
	k.ready = target_ready(t) ? target_ready(t)->shape : NULL;
	k.asked = t->asked;
	return k;
}

static uint64_t key_hash(const struct class_key *k)
{
	const unsigned char *p = (const unsigned char *)k;
	uint64_t h = UINT64_C(0xcbf29ce484222325), word;

	_Static_assert(sizeof(*k) % sizeof(word) == 0, "hashed in words");
	for (size_t i = 0; i < sizeof(*k); i += sizeof(word)) {
		memcpy(&word, p + i, sizeof(word));
		h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 32;
	}
	return h;
}

static void link_to_group(struct class *c)
{
	struct group *g = c->key.group;

	c->group_next = g->classes;
	if (g->classes)
		g->classes->group_prev = c;
	g->classes = c;
}

static void unlink_from_group(struct class *c)
{
	if (c->group_prev)
		c->group_prev->group_next = c->group_next;
	else
		c->key.group->classes = c->group_next;
	if (c->group_next)
		c->group_next->group_prev = c->group_prev;
}

static struct class *class_intern(struct view *v, const struct class_key *k)
{
	uint64_t hash = key_hash(k) & v->hash_mask;
	struct class *first = table_get(&v->classes, (int64_t)hash), *c;

	for (c = first; c; c = c->same_hash) {
		v->operations++;
		if (memcmp(&c->key, k, sizeof(*k)) == 0)
			return c;
	}
	c = mem_new(1, sizeof(*c));
	c->key = *k;
	c->hash = hash;
	c->same_hash = first;
	table_put(&v->classes, (int64_t)hash, c);
	link_to_group(c);
	return c;
}

static void class_free(struct view *v, struct class *c)
{
	struct class *first = table_get(&v->classes, (int64_t)c->hash), *before = first;

	while (first != c && before->same_hash != c)
		before = before->same_hash;
	if (first != c)
		before->same_hash = c->same_hash;
	else if (c->same_hash)
		table_put(&v->classes, (int64_t)c->hash, c->same_hash);
	else
		(void)table_take(&v->classes, (int64_t)c->hash); /* the value is c */
	unlink_from_group(c);
	free(c);
}

void class_remove(struct view *v, struct target *t)
{
	struct class *c = t->class;

	if (!c)
		return;
	v->operations++;
	if (t->class_prev)
		t->class_prev->class_next = t->class_next;
	else
		c->members = t->class_next;
	if (t->class_next)
		t->class_next->class_prev = t->class_prev;
	t->class = NULL;
	t->class_prev = t->class_next = NULL;
	if (--c->count == 0)
		class_free(v, c);
}

static void class_add(struct view *v, struct class *c, struct target *t)
{
	v->operations++;
	t->class = c;
	t->class_next = c->members;
	if (c->members)
		c->members->class_prev = t;
	c->members = t;
	c->count++;
}

void class_place(struct view *v, struct target *t)
{
	struct class_key k = class_key_of(t);

	v->operations++;
	rolling_place(v, t);
	if (t->class && memcmp(&t->class->key, &k, sizeof(k)) == 0)
		return;
	class_remove(v, t);
	class_add(v, class_intern(v, &k), t);
}

static int compare_ids(const void *x, const void *y)
{
	int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;

	return (a > b) - (a < b);
}

size_t class_sample(const struct class *c, size_t max, int64_t *ret_ids)
{
	size_t n = 0;

	for (const struct target *t = c->members; t && n < max; t = t->class_next)
		ret_ids[n++] = t->id;
	qsort(ret_ids, n, sizeof(*ret_ids), compare_ids);
	return n;
}
