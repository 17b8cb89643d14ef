/* The real engine as a function: rows in, changed rows out.
 *
 * The engine sees less than a state holds: not what nodes really run, not what may still go wrong.
 * So a state is cut down to its *faces*, brought into canonical form, and the answer to each
 * different question is kept: a view is built from facts and asked once for each.  With the answer
 * the invariants of the engine itself are checked: no plan that plan_check refuses, no act that adds
 * a violated implication (counted again here, in another way), the same answer when asked twice,
 * a reason when nothing is done, newcomers decide nothing, counters as recounted. */
#include <stdlib.h>
#include <string.h>

#include "engine/engine.h"
#include "model.h"

#define NOW ((msec_t)1700000000000)
enum { STORE_GROUP = 1, SLOT_GROUP = 2, DEPLOYMENT = 7, RUNS_MAX = 40, BASE = 5 /* a base's generation; documents follow */, FIRST_CHAIN = 100,
       REBUILD_EACH = 16 }; /* comparing texts is slow, and the unit tests do it after every event */

/* What the engine knows of a node, as bytes.  A document's generation is its place. */
struct face {
	uint8_t state, alive, known, base, doc_count, docs[DOCS], staged, asked, failed, failures;
};
enum { HANDED = 0x80 };

struct question { uint8_t cas[VERSIONS], pad; struct face faces[NODES]; };

struct change { uint8_t state, replaced, sent, staged, asked; };
struct answer {
	uint8_t cas[VERSIONS], cut, acts;
	struct change changes[NODES];
};

struct memory { struct question question; struct answer answer; };

struct engine {
	const struct world *w;
	struct memory *items;
	uint32_t *slots; /* index + 1 */
	size_t count, room, slot_count;
	struct arena *a;
	char why[400];
};

struct engine *engine_open(const struct world *w)
{
	struct engine *e = calloc(1, sizeof(*e));

	e->w = w;
	e->slot_count = 1 << 12;
	e->slots = calloc(e->slot_count, sizeof(*e->slots));
	e->a = arena_new((size_t)1 << 28);
	return e;
}

void engine_close(struct engine *e)
{
	free(e->items);
	free(e->slots);
	arena_free(e->a);
	free(e);
}

uint64_t engine_questions(const struct engine *e) { return e->count; }

/* -- the question ----------------------------------------------------------------------------- */

static struct face face_of(const struct node *n)
{
	struct face f = { .state = n->state == WAIVED ? ABSENT : n->state };

	if (f.state == ABSENT)
		return f;
	f.alive = n->alive;
	f.known = n->known;
	f.base = n->base;
	f.doc_count = n->doc_count;
	for (size_t i = 0; i < n->doc_count; i++)
		f.docs[i] = n->docs[i].content | (n->docs[i].handed ? HANDED : 0);
	f.staged = n->staged;
	f.asked = n->asked;
	f.failed = n->failed;
	f.failures = n->failures;
	return f;
}

static void sort_faces(struct face *faces, uint8_t *from, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		for (size_t k = i; k > 0 && memcmp(&faces[k], &faces[k - 1], sizeof(*faces)) > 0; k--) {
			struct face kept = faces[k];
			uint8_t kept_from = from[k];

			faces[k] = faces[k - 1];
			faces[k - 1] = kept;
			from[k] = from[k - 1];
			from[k - 1] = kept_from;
		}
	}
}

static struct question question_of(const struct world *w, const struct state *s, uint8_t ret_from[NODES])
{
	struct question q;

	memset(&q, 0, sizeof(q));
	memcpy(q.cas, s->cas, sizeof(q.cas));
	for (uint8_t i = 0; i < NODES; i++) {
		ret_from[i] = i;
		q.faces[i] = face_of(&s->nodes[i]);
	}
	sort_faces(q.faces, ret_from, w->stores);
	sort_faces(q.faces + w->stores, ret_from + w->stores, w->slots);
	return q;
}

/* -- facts ------------------------------------------------------------------------------------ */

static void tell(struct view *v, struct fact f) { (void)view_apply(v, &f); }

static size_t ids_of_bits(unsigned bits, int64_t *ret_ids)
{
	size_t n = 0;

	for (unsigned i = 0; i < 8; i++) {
		if (bits >> i & 1)
			ret_ids[n++] = 101 + i;
	}
	return n;
}

/* Certificates: 101.. are the roots', by bit; an intermediate has one that is in no store. */
static int64_t cert_id(const struct world *w, size_t version)
{
	return w->version[version].cert ? 100 + w->version[version].cert : 200 + (int64_t)version;
}

static void tell_ca(const struct world *w, struct view *v, const uint8_t *cas, size_t i)
{
	int64_t anchors[8];
	size_t n = ids_of_bits(w->version[i].anchors, anchors);

	if (cas[i] & CA_EXISTS)
		tell(v, (struct fact){ .kind = FACT_CA, .ca = { .ca = 1 + (int64_t)i,
			.authority = w->version[i].authority, .cert = cert_id(w, i), .leaf_anchors = { anchors, n },
			.order = 1 + (int64_t)i, .wanted = cas[i] & CA_WANTED, .signing = cas[i] & CA_SIGNING,
			.can_sign = true, .retired = cas[i] & CA_RETIRED, .issuer = w->version[i].issuer, .not_before = NOW - MSEC_DAY,
			.not_after = NOW + 900 * MSEC_DAY } });
}

/* A chain's id names its slot too: two slots never share one. */
static int64_t content_id(const struct world *w, size_t node, uint8_t content)
{
	if (!content)
		return CONTENT_NONE;
	return is_store(w, node) ? content : FIRST_CHAIN * (int64_t)(1 + node) + content;
}

static int64_t tell_content(const struct world *w, struct view *v, size_t node, uint8_t content)
{
	int64_t ids[8], id = content_id(w, node, content);

	if (!content)
		return id;
	if (is_store(w, node)) {
		size_t n = ids_of_bits(set_bits(content), ids);

		tell(v, (struct fact){ .kind = FACT_SET, .set = { id, { ids, n } } });
	} else {
		unsigned version = chain_version(content);
		size_t n = ids_of_bits(w->version[version].anchors, ids);

		tell(v, (struct fact){ .kind = FACT_CHAIN, .chain = { id, 1 + (int64_t)version, { ids, n },
			NOW - MSEC_DAY, NOW + 90 * MSEC_DAY, 0 } });
	}
	return id;
}

static int64_t target_id(size_t node) { return 11 + (int64_t)node; }

static void tell_documents(const struct world *w, struct view *v, size_t i, const struct face *f)
{
	for (size_t k = 0; k < f->doc_count; k++) {
		int64_t content = tell_content(w, v, i, f->docs[k] & (HANDED - 1)), gen = BASE + 1 + (int64_t)k;

		tell(v, (struct fact){ .kind = FACT_SENT, .sent = { target_id(i), gen, content } });
		if (f->docs[k] & HANDED)
			tell(v, (struct fact){ .kind = FACT_HANDED, .handed = { target_id(i), gen } });
	}
}

static void tell_face(const struct world *w, struct view *v, size_t i, const struct face *f)
{
	int64_t id = target_id(i), instance = 1000 + id;

	if (f->state == ABSENT)
		return;
	tell(v, (struct fact){ .kind = FACT_ALIVE, .alive = { instance, f->alive ? NOW + MSEC_DAY : 0 } });
	tell(v, (struct fact){ .kind = FACT_TARGET, .target = { id, is_store(w, i) ? STORE_GROUP : SLOT_GROUP,
		instance, is_store(w, i) ? 0 : w->slot_authority,
		f->state == COUNTED ? TARGET_COUNTED : TARGET_JOINING } });
	if (f->known)
		tell(v, (struct fact){ .kind = FACT_SEEN, .seen = { id, tell_content(w, v, i, f->base), BASE, BASE } });
	tell_documents(w, v, i, f);
	if (f->staged)
		tell(v, (struct fact){ .kind = FACT_STAGED, .staged = { id, tell_content(w, v, i, f->staged), true } });
	tell(v, (struct fact){ .kind = FACT_ASKED, .asked = { id, f->asked } });
	if (f->failed)
		tell(v, (struct fact){ .kind = FACT_FAILED, .failed = { id, tell_content(w, v, i, f->failed), f->failures } });
}

/* Each settled report comes a second time, and an older one of the session comes late: neither may change anything. */
static const char *repeat_reports(const struct world *w, struct view *v, const struct question *q)
{
	for (size_t i = 0; i < world_nodes(w); i++) {
		const struct face *f = &q->faces[i];
		int64_t content = f->state == ABSENT || !f->known ? 0 : tell_content(w, v, i, f->base);

		if (!content)
			continue;
		tell(v, (struct fact){ .kind = FACT_SEEN, .seen = { target_id(i), content, BASE, BASE } });
		if (view_apply(v, &(struct fact){ .kind = FACT_SEEN, .seen = { target_id(i), content, BASE - 1, BASE - 1 } }) ||
		    view_apply(v, &(struct fact){ .kind = FACT_SEEN, .seen = { target_id(i), content, BASE + 1, BASE } }))
			return "I8: a report that came too late was taken";
	}
	return NULL;
}

static struct view *view_of(const struct world *w, const struct question *q)
{
	struct view *v = view_new();
	int64_t roots = 5;

	tell(v, (struct fact){ .kind = FACT_GROUP, .group = { .group = STORE_GROUP, .kind = GROUP_STORE, .role = ROLE_IS_SERVER,
		.atomic = w->atomic, .deployment = DEPLOYMENT } });
	tell(v, (struct fact){ .kind = FACT_GROUP, .group = { .group = SLOT_GROUP, .kind = GROUP_SLOT, .role = ROLE_IS_SERVER,
		.atomic = true, .deployment = DEPLOYMENT } });
	tell(v, (struct fact){ .kind = FACT_ROLLING, .rolling = { .deployment = DEPLOYMENT, .max_unavailable = w->places } });
	tell(v, (struct fact){ .kind = FACT_MEET, .meet = { SLOT_GROUP, STORE_GROUP, true } });
	for (size_t i = 0; i < w->versions; i++)
		tell_ca(w, v, q->cas, i);
	tell(v, (struct fact){ .kind = FACT_GOAL, .goal = { STORE_GROUP, { &roots, 1 }, { 0 } } });
	for (size_t i = 0; i < world_nodes(w); i++)
		tell_face(w, v, i, &q->faces[i]);
	return v;
}

/* -- carrying out ------------------------------------------------------------------------------- */

struct run {
	struct engine *e;
	struct view *v;
	struct question q; /* as it stands now */
	struct plan plan;
	uint8_t replaced[NODES], sent[NODES];
	bool cut;
};

static const char *say(struct engine *e, const char *what, const char *more)
{
	(void)snprintf(e->why, sizeof(e->why), "%s%s", what, more); /* cut if too long */
	return e->why;
}

static bool unhanded_last(const struct face *f)
{
	return f->doc_count && !(f->docs[f->doc_count - 1] & HANDED);
}

static uint8_t content_of_act(const struct act *act)
{
	unsigned bits = 0;

	if (act->kind == ACT_SEND_CHAIN)
		return (uint8_t)(act->chain % FIRST_CHAIN);
	for (size_t i = 0; i < act->certs.count; i++)
		bits |= 1u << (act->certs.items[i] - 101);
	return set_of(bits);
}

/* The row of a document, as the runner writes it; then its facts. */
static const char *carry_send(struct run *r, const struct act *act)
{
	size_t i = (size_t)(act->target - 11);
	struct face *f = &r->q.faces[i];
	uint8_t content = content_of_act(act);
	int64_t id;

	if (act->replaces) {
		if (!unhanded_last(f))
			return "the plan takes back what is not there, or was handed out";
		tell(r->v, (struct fact){ .kind = FACT_DROPPED, .dropped = { act->target, act->replaces } });
		f->docs[--f->doc_count] = 0;
		r->replaced[i] |= !r->sent[i];
	}
	if (f->doc_count == DOCS) {
		r->cut = true;
		return NULL;
	}
	id = tell_content(r->e->w, r->v, i, content);
	f->docs[f->doc_count++] = content;
	r->sent[i] = content;
	tell(r->v, (struct fact){ .kind = FACT_SENT, .sent = { act->target, BASE + f->doc_count, id } });
	if (act->kind == ACT_SEND_CHAIN && f->staged == content) {
		f->staged = 0;
		tell(r->v, (struct fact){ .kind = FACT_STAGED, .staged = { act->target, id, false } });
	}
	return NULL;
}

/* It lay on the table of somebody who fell silent; a chain is ready to be sent again. */
static const char *carry_take_back(struct run *r, const struct act *act)
{
	size_t i = (size_t)(act->target - 11);
	struct face *f = &r->q.faces[i];

	if (!unhanded_last(f))
		return "the plan takes back what is not there, or was handed out";
	uint8_t content = f->docs[--f->doc_count];

	f->docs[f->doc_count] = 0;
	tell(r->v, (struct fact){ .kind = FACT_DROPPED, .dropped = { act->target, act->replaces } });
	r->replaced[i] |= !r->sent[i];
	r->sent[i] = 0;
	if (is_store(r->e->w, i))
		return NULL;
	f->staged = content;
	tell(r->v, (struct fact){ .kind = FACT_STAGED, .staged = { act->target, content_id(r->e->w, i, content), true } });
	return NULL;
}

static void carry_label(struct run *r, const struct act *act)
{
	for (size_t i = 0; i < r->e->w->versions; i++) {
		if (r->e->w->version[i].authority != act->authority || !(r->q.cas[i] & CA_EXISTS))
			continue;
		r->q.cas[i] &= (uint8_t)~CA_SIGNING;
		if (1 + (int64_t)i == act->ca)
			r->q.cas[i] |= CA_SIGNING;
		tell_ca(r->e->w, r->v, r->q.cas, i);
	}
}

static const char *carry_out(struct run *r, const struct act *act)
{
	struct face *f = act->target ? &r->q.faces[act->target - 11] : NULL;

	switch (act->kind) {
	case ACT_SEND_SET:
	case ACT_SEND_CHAIN: return carry_send(r, act);
	case ACT_TAKE_BACK: return carry_take_back(r, act);
	case ACT_SIGNING: carry_label(r, act); return NULL;
	case ACT_ASK:
		f->asked = (uint8_t)act->ca;
		tell(r->v, (struct fact){ .kind = FACT_ASKED, .asked = { act->target, act->ca } });
		return NULL;
	case ACT_ADMIT:
		f->state = COUNTED;
		tell(r->v, (struct fact){ .kind = FACT_TARGET, .target = { act->target,
			is_store(r->e->w, (size_t)act->target - 11) ? STORE_GROUP : SLOT_GROUP, 1000 + act->target,
			is_store(r->e->w, (size_t)act->target - 11) ? 0 : r->e->w->slot_authority, TARGET_COUNTED } });
		return NULL;
	case ACT_RETIRE_DONE:
		r->q.cas[act->ca - 1] |= CA_RETIRED;
		tell_ca(r->e->w, r->v, r->q.cas, (size_t)act->ca - 1);
		return NULL;
	default: return "an act that this checker does not know";
	}
}

/* -- rule S once more, over bits ------------------------------------------------------------------ */

struct worlds { uint8_t items[2 * DOCS + 4]; size_t count, fresh; bool sure; };

static void worlds_add(const struct world *w, struct worlds *x, uint8_t content, bool store)
{
	unsigned common = set_bits(content);

	for (size_t i = 0; i < x->count && store; i++)
		common &= set_bits(x->items[i]);
	if (store && !w->atomic && x->count)
		x->items[x->count++] = set_of(common);
	x->items[x->count++] = content;
}

static struct worlds worlds_of(const struct world *w, const struct face *f, bool store, uint8_t replaced, uint8_t next)
{
	struct worlds x = { .sure = f->known && f->alive };

	if (f->known)
		x.items[x.count++] = f->base;
	for (size_t i = 0; i + replaced < f->doc_count; i++)
		worlds_add(w, &x, f->docs[i] & (HANDED - 1), store);
	x.fresh = x.count;
	if (next)
		worlds_add(w, &x, next, store);
	return x;
}

static bool only_gains(const struct world *w, const struct worlds *x, bool store)
{
	for (size_t i = 0; i < x->fresh; i++) {
		for (size_t k = x->fresh; k < x->count; k++) {
			unsigned from = store ? set_bits(x->items[i]) : x->items[i] ? w->version[chain_version(x->items[i])].anchors : 0;
			unsigned to = store ? set_bits(x->items[k]) : w->version[chain_version(x->items[k])].anchors;

			if (from & ~to)
				return false;
		}
	}
	return true;
}

static bool adds_violation(const struct world *w, const struct worlds *p, const struct worlds *v)
{
	for (size_t i = 0; i < p->count; i++)
		for (size_t j = 0; j < v->count; j++)
			for (size_t later = i; later < p->count; later++)
				for (size_t then = j; then < v->count; then++)
					if ((later >= p->fresh || then >= v->fresh) &&
					    accepts(w, v->items[j], p->items[i]) && !accepts(w, v->items[then], p->items[later]))
						return true;
	return false;
}

static const char *send_wrong(struct run *r, const struct act *act)
{
	const struct world *w = r->e->w;
	size_t mine = (size_t)(act->target - 11);
	bool store = is_store(w, mine);
	const struct face *f = &r->q.faces[mine];
	struct worlds m = worlds_of(w, f, store, act->replaces != 0, content_of_act(act));

	if (f->state != COUNTED)
		return NULL;
	if (!m.sure)
		return "S: an act for a node that is not known or not there";
	for (size_t i = 0; i < world_nodes(w); i++) {
		struct worlds x = worlds_of(w, &r->q.faces[i], is_store(w, i), 0, 0);

		if (is_store(w, i) == store || r->q.faces[i].state != COUNTED)
			continue;
		if (!x.sure && !only_gains(w, &m, store))
			return "S: somebody it meets is not known, and it does not only gain";
		if (store ? adds_violation(w, &x, &m) : adds_violation(w, &m, &x))
			return "I3: the act adds a violated implication of rule S";
	}
	return NULL;
}

/* I6, and that what is sent to whom makes sense. */
static const char *act_wrong(struct run *r, const struct act *act)
{
	unsigned known = 0;

	if (act->kind != ACT_SEND_SET && act->kind != ACT_SEND_CHAIN)
		return NULL;
	for (size_t i = 0; i < r->e->w->versions; i++)
		known |= r->q.cas[i] & CA_EXISTS && r->e->w->version[i].cert ? 1u << (r->e->w->version[i].cert - 1) : 0;
	if (act->kind == ACT_SEND_SET && (set_bits(content_of_act(act)) & ~known))
		return "I6: the act adds an anchor that nobody introduced";
	return send_wrong(r, act);
}

/* -- places, counted again ------------------------------------------------------------------------ */

static bool on_its_way(const struct face *f) { return f->state == COUNTED && f->alive && f->doc_count; }

/* Who begins to change, beside those who are changing: no more than there are places. */
static const char *places_wrong(const struct run *r, const struct question *before)
{
	size_t changing = 0, begin = 0;

	for (size_t i = 0; i < NODES; i++) {
		const struct face *was = &before->faces[i], *is = &r->q.faces[i];

		changing += on_its_way(was) && is->doc_count;
		begin += !on_its_way(was) && was->state == COUNTED && !was->failed && on_its_way(is);
	}
	return r->e->w->places && begin && changing + begin > r->e->w->places ? "more nodes change at once than may" : NULL;
}

/* -- one question -------------------------------------------------------------------------------- */

static const char *one_batch(struct run *r)
{
	struct troth_err err = { 0 };
	struct question before = r->q;
	struct plan again;
	const char *why = NULL;

	arena_reset(r->e->a);
	engine_step(r->v, NULL, NOW, r->e->a, &r->plan);
	engine_step(r->v, NULL, NOW, r->e->a, &again);
	if (again.act_count != r->plan.act_count || again.wait_count != r->plan.wait_count)
		return "I8: asked twice, it answers differently";
	if (rc_failed(plan_check(r->v, &r->plan, &err)))
		return say(r->e, "plan_check: ", err.primary);
	for (size_t i = 0; i < r->plan.act_count && !why; i++)
		why = act_wrong(r, &r->plan.acts[i]); /* the batch is tested against the state before it */
	for (size_t i = 0; i < r->plan.act_count && !why; i++)
		why = carry_out(r, &r->plan.acts[i]);
	return why ? why : places_wrong(r, &before);
}

static bool pending(const struct run *r)
{
	bool found = false;

	for (size_t i = 0; i < NODES; i++) {
		const struct face *f = &r->q.faces[i];

		found = found || (f->state != ABSENT && (f->doc_count || !f->known || f->asked));
	}
	for (size_t i = 0; i < VERSIONS; i++)
		found = found || (r->q.cas[i] & (CA_EXISTS | CA_WANTED | CA_RETIRED)) == CA_EXISTS;
	return found;
}

/* I11: without the newcomers there would be nothing to do either. */
static const char *newcomers_decide(struct run *r)
{
	struct question q = r->q;
	struct plan plan;
	bool any = false;

	for (size_t i = 0; i < NODES; i++) {
		any = any || q.faces[i].state == JOINING;
		if (q.faces[i].state == JOINING)
			q.faces[i] = (struct face){ 0 };
	}
	if (!any)
		return NULL;
	struct view *v = view_of(r->e->w, &q);

	engine_step(v, NULL, NOW, r->e->a, &plan);
	view_free(v);
	return plan.act_count ? "I11: without newcomers there would be an act" : NULL;
}

static bool same_as_rebuilt(const struct run *r, char *why, size_t why_size)
{
	struct view *v = view_of(r->e->w, &r->q);
	bool same = view_equal(r->v, v, why, why_size);

	view_free(v);
	return same;
}

static const char *at_rest(struct run *r)
{
	char why[300] = "";

	if (r->plan.wait_count == 0 && pending(r))
		return "I10: something is pending and nobody says why";
	for (size_t i = 0; i < r->plan.wait_count; i++) {
		if (!r->plan.waits[i].speaker || !r->plan.waits[i].text)
			return "I10: a reason without a speaker";
	}
	if (!view_check(r->v, why, sizeof(why)))
		return say(r->e, "I12: ", why);
	if (r->e->count % REBUILD_EACH == 0 && !same_as_rebuilt(r, why, sizeof(why)))
		return say(r->e, "I12: the view differs from the rebuilt one: ", why);
	return newcomers_decide(r);
}

static void note_answer(const struct run *r, const struct question *before, struct answer *ret)
{
	memcpy(ret->cas, r->q.cas, sizeof(ret->cas));
	ret->cut = r->cut;
	for (size_t i = 0; i < NODES; i++) {
		const struct face *f = &r->q.faces[i];

		ret->changes[i] = (struct change){ f->state, r->replaced[i], r->sent[i], f->staged, f->asked };
		ret->acts |= memcmp(f, &before->faces[i], sizeof(*f)) != 0;
	}
	ret->acts |= memcmp(r->q.cas, before->cas, sizeof(ret->cas)) != 0;
}

static const char *ask(struct engine *e, const struct question *q, struct answer *ret_answer)
{
	struct run r = { .e = e, .v = view_of(e->w, q), .q = *q };
	const char *why = repeat_reports(e->w, r.v, q);
	size_t runs = 0;

	do {
		why = why ? why : one_batch(&r);
	} while (!why && !r.cut && r.plan.act_count && e->w->eager && ++runs < RUNS_MAX);
	if (!why && runs == RUNS_MAX)
		why = "I9: acts without end";
	if (!why && !r.cut && r.plan.act_count == 0)
		why = at_rest(&r);
	note_answer(&r, q, ret_answer);
	view_free(r.v);
	return why;
}

/* -- memory --------------------------------------------------------------------------------------- */

static uint32_t *slot_of(struct engine *e, const struct question *q)
{
	size_t i = bytes_hash(q, sizeof(*q)) & (e->slot_count - 1);

	while (e->slots[i] && memcmp(&e->items[e->slots[i] - 1].question, q, sizeof(*q)) != 0)
		i = (i + 1) & (e->slot_count - 1);
	return &e->slots[i];
}

static void grow(struct engine *e)
{
	if (e->count == e->room) {
		e->room = e->room ? e->room * 2 : 1024;
		e->items = reallocarray(e->items, e->room, sizeof(*e->items));
	}
	if ((e->count + 1) * 2 < e->slot_count)
		return;
	free(e->slots);
	e->slot_count *= 2;
	e->slots = calloc(e->slot_count, sizeof(*e->slots));
	for (size_t i = 0; i < e->count; i++)
		*slot_of(e, &e->items[i].question) = (uint32_t)(i + 1);
}

static void change_node(struct node *n, const struct change *c)
{
	if (n->state == ABSENT || n->state == WAIVED)
		return;
	n->state = c->state;
	n->staged = c->staged;
	n->asked = c->asked;
	if (c->replaced)
		n->doc_count--;
	if (c->sent)
		n->docs[n->doc_count++] = (struct doc){ node_fresh_generation(n), c->sent, 0 };
}

const char *engine_run(struct engine *e, struct state *s, bool *ret_cut, bool *ret_acts)
{
	uint8_t from[NODES];
	struct question q = question_of(e->w, s, from);
	uint32_t *slot = slot_of(e, &q);
	const char *why = NULL;

	if (!*slot) {
		struct memory m = { .question = q };

		grow(e);
		why = ask(e, &q, &m.answer);
		e->items[e->count++] = m;
		slot = slot_of(e, &q);
		*slot = (uint32_t)e->count;
	}
	const struct answer *a = &e->items[*slot - 1].answer;

	memcpy(s->cas, a->cas, sizeof(s->cas));
	for (size_t i = 0; i < world_nodes(e->w); i++)
		change_node(&s->nodes[from[i]], &a->changes[i]);
	*ret_cut = a->cut;
	*ret_acts = a->acts;
	return why;
}

void engine_explain(struct engine *e, const struct state *s, FILE *out)
{
	uint8_t from[NODES];
	struct question q = question_of(e->w, s, from);
	struct view *v = view_of(e->w, &q);
	struct plan plan;

	arena_reset(e->a);
	engine_step(v, NULL, NOW, e->a, &plan);
	for (size_t i = 0; i < plan.act_count; i++)
		(void)fprintf(out, "    would do: %s target %d ca %d\n", act_kind_name(plan.acts[i].kind),
			      plan.acts[i].target ? 1 + from[plan.acts[i].target - 11] : 0, (int)plan.acts[i].ca);
	for (size_t i = 0; i < plan.wait_count; i++)
		(void)fprintf(out, "    waits: %s (%s), node %d, for node %d, ca %d\n", wait_reason_name(plan.waits[i].reason),
			      wait_speaker_name(plan.waits[i].speaker),
			      plan.waits[i].target ? 1 + from[plan.waits[i].target - 11] : 0,
			      plan.waits[i].other_target ? 1 + from[plan.waits[i].other_target - 11] : 0, (int)plan.waits[i].ca);
	view_free(v);
}
