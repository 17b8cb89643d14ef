/* The label *signing* (rules 1a, 1c): exactly one version of an authority carries it, and it moves
 * when the first slot can take a chain of the newest wanted version.  Without slots, nobody but an
 * outside holder and the CAs below use it, so it moves when every store that can be brought to
 * accept its chains does: of a root those that hold it, of an intermediate those that hold its root. */
#include "engine/step.h"

static bool class_accepts(const struct class *c, struct id_list anchors)
{
	for (size_t i = 0; i < c->key.length; i++) {
		if (!c->key.seq[i] || !ids_meet(c->key.seq[i]->members, anchors))
			return false;
	}
	return class_known(c);
}

static bool stores_have(const struct step *s, const struct ca *ca)
{
	for (size_t i = 0; i < s->v->group_count; i++) {
		const struct group *g = s->v->group_list[i];

		if (g->kind != GROUP_STORE || !group_could_accept(s->v, g, ca->leaf_anchors))
			continue;
		for (const struct class *c = g->classes; c; c = c->group_next) {
			if (class_counted(c) && !class_accepts(c, ca->leaf_anchors))
				return false;
		}
	}
	return true;
}

/* Nobody signs by a distrusted one any more: the label does not wait for those who cannot take the new. */
static bool label_stranded(const struct step *s, const struct authority *a)
{
	for (size_t i = 0; i < a->ca_count; i++) {
		if (a->cas[i]->signing)
			return ca_distrusted(s->v, a->cas[i]);
	}
	return false;
}

void step_labels(struct step *s)
{
	for (size_t i = 0; i < s->v->authority_count; i++) {
		const struct authority *a = s->v->authorities[i];
		const struct ca *ca = newest_signer(s, a);
		const struct label *label = &s->labels[a->index];

		if (!ca || ca->signing || ca_paused_by(ca))
			continue;
		if (!label_stranded(s, a) && (label->slots ? !label->taken : !stores_have(s, ca)))
			continue;
		if (!label->slots && step_gated(a, NULL, STEP_SWITCH)) {
			wait_authority(s, WAIT_APPROVE_SWITCH, a->id, ca->id, 0);
			continue;
		}
		struct act *act = act_add(s, ACT_SIGNING, 0);

		act->authority = a->id;
		act->ca = ca->id;
	}
}
