/* Emergency (engine-rules section 10): what a distrusted CA means to the other files, and which
 * pairs break when one is distrusted.
 *
 * A distrusted certificate is no trust any more: it is taken off both sides wherever acceptance is
 * asked (safety.c), so that its withdrawal harms nobody by rule S, a slot whose chain lives by it may
 * switch at once, and everything else in the same store stays under rule S. */
#include "engine/step.h"

bool cert_distrusted(const struct view *v, int64_t cert)
{
	return ids_has(v->distrusted, cert);
}

bool ca_distrusted(const struct view *v, const struct ca *ca)
{
	const struct ca *up = ca;

	for (int depth = 0; up && depth <= LIMIT_CHAIN_CERTS; depth++, up = up->issuer) {
		if (up->distrusted)
			return true;
	}
	return ca->leaf_anchors.count && ids_within(ca->leaf_anchors, v->distrusted);
}

bool chain_distrusted(const struct view *v, const struct shape *chain)
{
	const struct ca *ca = ca_find(v, chain->signed_by);

	return (ca && ca_distrusted(v, ca)) ||
	       (chain->members.count && ids_within(chain->members, v->distrusted));
}

bool set_distrusted(const struct view *v, const struct shape *set)
{
	return ids_meet(set->members, v->distrusted);
}

struct id_list trusted_only(const struct view *v, struct arena *a, struct id_list certs)
{
	return v->distrusted.count ? ids_minus(a, certs, v->distrusted) : certs;
}

/* -- which pairs break --------------------------------------------------------------------- */

struct breaking {
	const struct view *v;
	struct arena *a;
	struct id_list before, after; /* distrusted now; then */
	size_t max;
	struct breakage *ret;
};

static bool meets_without(struct arena *a, const struct shape *b, const struct shape *w, struct id_list distrusted)
{
	return ids_meet(ids_minus(a, b->members, distrusted), w->members);
}

/* It works now, and will not. */
static bool entry_breaks(const struct breaking *x, const struct shape *b, const struct shape *w)
{
	return b && w && !b->expired && meets_without(x->a, b, w, x->before) && !meets_without(x->a, b, w, x->after);
}

static bool base_breaks(const struct breaking *x, const struct class *p, const struct class *v)
{
	return class_known(p) && class_known(v) && entry_breaks(x, p->key.seq[0], v->key.seq[0]);
}

static bool any_breaks(const struct breaking *x, const struct class *p, const struct class *v)
{
	for (size_t i = 0; i < p->key.length; i++) {
		for (size_t j = 0; j < v->key.length; j++) {
			if (entry_breaks(x, p->key.seq[i], v->key.seq[j]))
				return true;
		}
	}
	return false;
}

/* A side of which nothing is known may live by what goes. */
static bool unknown_breaks(const struct breaking *x, const struct class *p, const struct class *v)
{
	struct id_list more = ids_minus(x->a, x->after, x->before);

	for (size_t j = 0; !class_known(p) && j < v->key.length; j++) {
		if (v->key.seq[j] && ids_meet(v->key.seq[j]->members, more))
			return true;
	}
	for (size_t i = 0; !class_known(v) && i < p->key.length; i++) {
		if (p->key.seq[i] && ids_meet(p->key.seq[i]->members, more))
			return true;
	}
	return false;
}

static void name_pairs(const struct breaking *x, const struct class *p, const struct class *v,
		       struct broken_pair *pairs, size_t *count)
{
	for (const struct target *s = p->members; s && *count < x->max; s = s->class_next) {
		for (const struct target *t = v->members; t && *count < x->max; t = t->class_next)
			pairs[(*count)++] = (struct broken_pair){ s->id, t->id };
	}
}

static void break_pair(const struct breaking *x, const struct class *p, const struct class *v)
{
	if (!class_counted(p) || !class_counted(v))
		return;
	if (base_breaks(x, p, v)) {
		x->ret->breaks += p->count * v->count;
		name_pairs(x, p, v, x->ret->pairs, &x->ret->pair_count);
	} else if (any_breaks(x, p, v) || unknown_breaks(x, p, v)) {
		x->ret->doubts += p->count * v->count;
		name_pairs(x, p, v, x->ret->doubtful, &x->ret->doubtful_count);
	}
}

static void break_group(const struct breaking *x, const struct group *g)
{
	for (size_t m = 0; m < g->meet_count; m++) {
		for (const struct class *p = g->classes; p; p = p->group_next) {
			for (const struct class *v = g->meets[m]->classes; v; v = v->group_next)
				break_pair(x, p, v);
		}
	}
}

static struct id_list certs_of(const struct view *v, struct arena *a, struct id_list cas)
{
	int64_t *certs = ARENA_ARRAY(a, int64_t, cas.count + 1);
	size_t n = 0;

	for (size_t i = 0; i < cas.count; i++) {
		const struct ca *ca = ca_find(v, cas.items[i]);

		if (ca)
			certs[n++] = ca->cert;
	}
	return ids_sorted(a, (struct id_list){ certs, n });
}

void engine_breakage(const struct view *v, struct id_list cas, size_t max, struct arena *a,
		     struct breakage *ret_breakage)
{
	struct breaking x = { .v = v, .a = a, .before = v->distrusted, .max = max, .ret = ret_breakage };

	*ret_breakage = (struct breakage){ .pairs = ARENA_ARRAY(a, struct broken_pair, max + 1),
					   .doubtful = ARENA_ARRAY(a, struct broken_pair, max + 1) };
	x.after = ids_union(a, x.before, certs_of(v, a, cas));
	for (size_t i = 0; i < v->group_count; i++) {
		if (v->group_list[i]->kind == GROUP_SLOT)
			break_group(&x, v->group_list[i]);
	}
}
