/* Acceptance: which chain a store lets through, and which CA may sign (engine-rules section 3).
 *
 * Rule S compares worlds, so there acceptance is about anchors only: a chain that has expired is
 * never a premise (nobody accepts it now), and a chain is sent only while it is valid at both ends
 * of the skew (docs/decisions/0001-time-in-rule-s.md). */
#include "engine/step.h"

bool accept_pair(const struct shape *chain, struct id_list certs)
{
	return chain && ids_meet(chain->members, certs);
}

bool accept_chain_now(const struct content *chain, msec_t now)
{
	return chain->not_before <= now - chain->skew && now + chain->skew < chain->not_after;
}

/* What it signs would stand in a chain with every CA above it. */
static bool chain_holds(const struct view *v, const struct ca *ca, msec_t now, msec_t *ret_from)
{
	if (ca_distrusted(v, ca))
		return false;
	for (int depth = 0; ca && depth <= LIMIT_CHAIN_CERTS; depth++, ca = ca->issuer) {
		if (now + ca->skew >= ca->not_after)
			return false;
		if (ca->not_before > now - ca->skew && ca->not_before + ca->skew > *ret_from)
			*ret_from = ca->not_before + ca->skew;
	}
	return true;
}

bool accept_signer(const struct view *v, const struct ca *ca, msec_t now, msec_t *ret_from)
{
	msec_t from = 0;

	*ret_from = 0;
	if (!ca->can_sign || (ca->retired && !ca->wanted) || !chain_holds(v, ca, now, &from))
		return false;
	*ret_from = from;
	return from == 0;
}

bool accept_bridge(const struct view *v, const struct ca *ca, msec_t now)
{
	const struct ca *by = ca_find(v, ca->bridge_by);

	return by && !by->distrusted && !by->retired && ca->bridge_from <= now - SKEW && now + SKEW < ca->bridge_until;
}

bool group_could_trust(const struct view *v, const struct group *store_group, int64_t cert)
{
	const struct cert *c = cert_find(v, cert);

	if (cert_distrusted(v, cert))
		return false;
	if (ids_has(store_group->certs, cert))
		return true;
	for (size_t i = 0; c && i < c->ca_count; i++) {
		if (ids_has(store_group->authorities, c->cas[i]->authority->id))
			return true;
	}
	return false;
}

bool group_could_accept(const struct view *v, const struct group *store_group, struct id_list anchors)
{
	for (size_t i = 0; i < anchors.count; i++) {
		if (group_could_trust(v, store_group, anchors.items[i]))
			return true;
	}
	return false;
}
