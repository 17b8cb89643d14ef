/* Authorities whose renewal is due (rule D): a rotation starts by itself, early enough that what it
 * signs and who is slow fit before its end.  When that is was reckoned by the service (renew_at); here
 * is only whether it may be now: one rotation of an authority at a time, unless waiting for the one
 * that runs would take the room that was left (renew_latest). */
#include "engine/step.h"

static bool is_newest_wanted(const struct ca *ca)
{
	for (size_t i = 0; i < ca->authority->ca_count; i++) {
		if (ca->authority->cas[i]->wanted)
			return ca->authority->cas[i] == ca; /* newest first */
	}
	return false;
}

/* An old version of it is still on its way out. */
static bool is_rotating(const struct authority *a)
{
	for (size_t i = 0; i < a->ca_count; i++) {
		if (!a->cas[i]->wanted && !a->cas[i]->retired)
			return true;
	}
	return false;
}

static void step_due(struct step *s, const struct ca *ca)
{
	const struct authority *a = ca->authority;

	if (ca->by_hand) {
		wait_authority(s, WAIT_RENEW_BY_HAND, a->id, ca->id, 0);
	} else if (a->paused) {
		wait_authority(s, WAIT_PAUSED, a->id, ca->id, 0);
	} else if (a->awaited) {
		return; /* it has begun: said of the authority */
	} else if (ca->renewing) {
		wait_authority(s, WAIT_RENEW_ORDERED, a->id, ca->id, 0);
	} else if (is_rotating(a) && ca->renew_latest > s->now) {
		wait_authority(s, WAIT_RENEW_LATER, a->id, ca->id, ca->renew_latest);
	} else {
		struct act *act = act_add(s, ACT_ROTATE, 0);

		act->authority = a->id;
		act->ca = ca->id;
	}
}

void step_renewals(struct step *s)
{
	for (size_t i = 0; i < s->v->authority_count; i++) {
		if (s->v->authorities[i]->awaited)
			wait_authority(s, WAIT_CERTIFICATE, s->v->authorities[i]->id, 0, 0);
	}
	for (size_t i = 0; i < s->v->ca_count; i++) {
		const struct ca *ca = s->v->ca_list[i];

		if (ca->renew_at && ca->renew_at <= s->now && is_newest_wanted(ca))
			step_due(s, ca);
	}
}
