/* Why nothing more is done: every refusal says who speaks, by which rule, about whom and until
 * when.  One table holds the words; the functions fill in the names. */
#include "engine/step.h"

#include <stdlib.h>

enum {
	NAMED_BY_DEFAULT = 16,
	WAITS_MANY = 128, /* more than this nobody reads: of further classes one member is named, and all are counted */
};

static const struct {
	const char *name;
	enum wait_speaker speaker;
	const char *rule, *text;
} table[WAIT_REASON_MAX] = {
	[WAIT_HELD] = { "held", SPEAKER_POLICY, "freeze", "everything is frozen" },
	[WAIT_PAUSED] = { "paused", SPEAKER_POLICY, "pause", "the rotation of this authority is paused" },
	[WAIT_SWITCH_ALL] = { "switch-all", SPEAKER_POLICY, "1c",
			      "the new CA is used only when every slot can take it" },
	[WAIT_NOT_TRUSTED] = { "not-trusted", SPEAKER_SAFETY, "S",
			       "a chain of the new CA may not be trusted by a store that meets the slot" },
	[WAIT_STILL_SERVED] = { "still-served", SPEAKER_SAFETY, "S",
				"a slot that meets the store may still serve a chain that needs this CA" },
	[WAIT_CHAIN_HELD] = { "chain-held", SPEAKER_SAFETY, "V",
			      "the CA cannot be retired while a target may still hold it or a chain it signed" },
	[WAIT_NO_SIGNER] = { "no-signer", SPEAKER_OPERATOR, "1b",
			     "no version of the authority can sign; upload a chain or rotate the authority" },
	[WAIT_STORE_FULL] = { "store-full", SPEAKER_OPERATOR, "N",
			      "the set is larger than the store can hold" },
	[WAIT_NOT_VALID_YET] = { "not-valid-yet", SPEAKER_TIME, "acc", "its validity has not begun" },
	[WAIT_NOT_LOADED] = { "not-loaded", SPEAKER_NODE, "A2",
			      "the document was handed out; a settled report that it is in use has not come" },
	[WAIT_NOT_FETCHED] = { "not-fetched", SPEAKER_NODE, "A1", "the document waits to be fetched" },
	[WAIT_CSR] = { "csr", SPEAKER_NODE, "1b", "a certificate request was asked for" },
	[WAIT_OFFLINE] = { "offline", SPEAKER_NODE, "freshness", "its session is not alive" },
	[WAIT_UNKNOWN] = { "unknown", SPEAKER_NODE, "4", "what it holds is unknown until it reports" },
	[WAIT_STRANGE] = { "strange", SPEAKER_SAFETY, "4",
			   "it holds what nobody here knows, and is sent what all that it meets accept" },
	[WAIT_PENDING_FULL] = { "pending-full", SPEAKER_NODE, "4",
				"too many documents were handed out and not seen in use" },
	[WAIT_FAILING] = { "failing", SPEAKER_NODE, "A3",
			   "the same contents failed there too often; it is tried again after a change" },
	[WAIT_ADMISSION] = { "admission", SPEAKER_SAFETY, "9",
			     "the newcomer would not match a member that it meets" },
	[WAIT_BUDGET] = { "budget", SPEAKER_POLICY, "max-unavailable",
			  "as many instances of its deployment as may be are changing or unhealthy" },
	[WAIT_CANARY] = { "canary", SPEAKER_POLICY, "canary",
			  "the first instances have not settled on these contents yet" },
	[WAIT_BETWEEN] = { "pause-between", SPEAKER_TIME, "pause", "the pause between two batches is not over" },
	[WAIT_STOPPED] = { "stopped", SPEAKER_OPERATOR, "stop-on-failure",
			   "an instance of its deployment failed, and the policy is to stop then" },
	[WAIT_WINDOW] = { "window", SPEAKER_POLICY, "window", "no maintenance window is open" },
	[WAIT_APPROVE_INTRODUCE] = { "approve-introduce", SPEAKER_OPERATOR, "rollout",
				     "nobody has approved that the new CA is trusted" },
	[WAIT_APPROVE_SWITCH] = { "approve-switch", SPEAKER_OPERATOR, "rollout",
				  "nobody has approved that the new CA signs" },
	[WAIT_APPROVE_WITHDRAW] = { "approve-withdraw", SPEAKER_OPERATOR, "rollout",
				    "nobody has approved that the old CA leaves the stores" },
	[WAIT_LEASE] = { "lease", SPEAKER_TIME, "9",
			 "it is ephemeral: it leaves by itself when its lease ends" },
	[WAIT_LEAVING] = { "leaving", SPEAKER_OPERATOR, "9",
			   "it leaves, and counts until its service is stopped" },
	[WAIT_GRACE] = { "grace", SPEAKER_POLICY, "9",
			 "the switch rests on what a binding was vouched to trust; until then it can be undone at once" },
	[WAIT_RENEW_BY_HAND] = { "renew-by-hand", SPEAKER_OPERATOR, "D",
				 "the CA is due for renewal, and only its owner can make the next version" },
	[WAIT_CERTIFICATE] = { "certificate", SPEAKER_OPERATOR, "D",
			       "the certificate of its next version is signed elsewhere and has not been brought in" },
	[WAIT_RENEW_ORDERED] = { "renew-ordered", SPEAKER_TIME, "D",
				 "the CA is due for renewal; its rotation was ordered and has not begun" },
	[WAIT_DEADLINE] = { "deadline", SPEAKER_TIME, "D",
			    "the chain that it serves ends soon, and the next one is not in use" },
	[WAIT_RENEW_LATER] = { "renew-later", SPEAKER_POLICY, "D",
			       "the CA is due for renewal; it waits for the rotation that runs" },
	[WAIT_SIGNED_BELOW] = { "signed-below", SPEAKER_SAFETY, "V",
				"the CA cannot be retired before the intermediates that it signed" },
	[WAIT_OUTSIDE] = { "outside-holder", SPEAKER_OPERATOR, "2",
			   "its certificate was taken through the API, and one of this CA may be in use there still" },
};

static const char *const speakers[] = { "", "policy", "safety", "time", "operator", "node" };
static const char *const acts[] = { "", "send-set", "send-chain", "ask", "signing", "retire-done", "admit", "leave", "rotate", "take-back" };

const char *wait_reason_name(enum wait_reason reason) { return table[reason].name; }
const char *wait_reason_text(enum wait_reason reason) { return table[reason].text; }
const char *wait_speaker_name(enum wait_speaker speaker) { return speakers[speaker]; }
const char *act_kind_name(enum act_kind kind) { return acts[kind]; }

struct wait wait_make(enum wait_reason reason, int64_t authority, int64_t ca)
{
	return (struct wait){ .speaker = table[reason].speaker, .rule = table[reason].rule,
			      .reason = reason, .authority = authority, .ca = ca, .count = 1,
			      .text = table[reason].text };
}

void wait_add(struct step *s, struct wait w)
{
	if (s->wait_count == s->wait_room) {
		struct wait *old = s->waits;

		s->wait_room = s->wait_room ? s->wait_room * 2 : 32;
		s->waits = ARENA_ARRAY(s->a, struct wait, s->wait_room);
		if (s->wait_count)
			memcpy(s->waits, old, s->wait_count * sizeof(*old));
	}
	s->waits[s->wait_count++] = w;
}

size_t wait_named(const struct step *s)
{
	if (s->wait_count >= WAITS_MANY)
		return 1;
	return s->policy && s->policy->waits_each ? s->policy->waits_each : NAMED_BY_DEFAULT;
}

static int64_t *sample(struct step *s, const struct class *c, size_t *ret_count)
{
	int64_t *ids = ARENA_ARRAY(s->a, int64_t, wait_named(s));

	*ret_count = class_sample(c, wait_named(s), ids);
	return ids;
}

void wait_some(struct step *s, struct wait_group who, enum wait_reason reason, int64_t authority, int64_t ca,
	       msec_t earliest)
{
	struct wait w = wait_make(reason, authority, ca);

	w.count = who.count;
	w.earliest = earliest;
	for (size_t i = 0; i < who.named; i++) {
		w.target = who.targets[i];
		wait_add(s, w);
	}
}

/* When the last member of a leased class leaves. */
static msec_t lease_end(const struct class *c)
{
	msec_t end = 0;

	for (const struct target *t = c->members; t; t = t->class_next)
		end = t->lease_until > end ? t->lease_until : end;
	return end;
}

/* Whatever an ephemeral does or fails to do, it is only waited for until its lease ends: so that is what is
 * said of it, and it is never named as the one who breaks a rule (section 9). */
void wait_class(struct step *s, const struct class *c, enum wait_reason reason, int64_t authority,
		int64_t ca, msec_t earliest)
{
	size_t n;
	int64_t *ids = sample(s, c, &n);

	wait_some(s, (struct wait_group){ ids, n, c->count }, class_leased(c) ? WAIT_LEASE : reason, authority, ca,
		  class_leased(c) ? lease_end(c) : earliest);
}

void wait_pair(struct step *s, const struct class *c, const struct class *other,
	       enum wait_reason reason, int64_t authority, int64_t ca)
{
	struct wait w = wait_make(reason, authority, ca);
	size_t n, mine;

	if (class_leased(other) || class_leased(c)) {
		wait_class(s, class_leased(other) ? other : c, WAIT_LEASE, authority, ca, 0);
		return;
	}
	int64_t *ids = sample(s, other, &n), *first = sample(s, c, &mine);

	w.target = first[0];
	w.count = c->count;
	w.other_group = other->key.group->id;
	for (size_t i = 0; i < n; i++) {
		w.other_target = ids[i];
		wait_add(s, w);
	}
}

void wait_authority(struct step *s, enum wait_reason reason, int64_t authority, int64_t ca,
		    msec_t earliest)
{
	struct wait w = wait_make(reason, authority, ca);

	w.earliest = earliest;
	wait_add(s, w);
}

void wait_grace(struct step *s, const struct authority *a, int64_t ca)
{
	struct wait w = wait_make(WAIT_GRACE, a->id, ca);

	w.target = a->grace_target;
	w.earliest = a->grace_until;
	wait_add(s, w);
}

static int compare_numbers(int64_t x, int64_t y)
{
	return (x > y) - (x < y);
}

/* Most-blocking first; then by ids, so that equal knowledge gives an equal list. */
static int compare_waits(const void *x, const void *y)
{
	const struct wait *a = x, *b = y;
	const int64_t keys[][2] = {
		{ (int64_t)b->count, (int64_t)a->count }, { a->authority, b->authority },
		{ a->ca, b->ca }, { a->reason, b->reason }, { a->target, b->target },
		{ a->other_target, b->other_target },
	};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		int order = compare_numbers(keys[i][0], keys[i][1]);

		if (order)
			return order;
	}
	return 0;
}

void wait_sort(struct step *s)
{
	size_t kept = 0;

	if (s->wait_count > 1)
		qsort(s->waits, s->wait_count, sizeof(*s->waits), compare_waits);
	for (size_t i = 0; i < s->wait_count; i++) {
		if (kept == 0 || compare_waits(&s->waits[kept - 1], &s->waits[i]) != 0)
			s->waits[kept++] = s->waits[i];
	}
	s->wait_count = kept;
}
