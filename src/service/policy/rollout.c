/* Whose yes the steps of an authority wait for.  See rollout.h. */
#include "service/policy/rollout.h"

#include "base/limits.h"
#include "service/intake/external_ca.h"

#define REASON "approve-"

/* The authority and the CAs above it; manual[i]: the i-th or one below it on this line is. */
struct line {
	int64_t ids[LIMIT_CHAIN_CERTS + 1];
	bool manual[LIMIT_CHAIN_CERTS + 1];
	size_t count;
};

static troth_rc line_load(struct tx *tx, struct arena *a, int64_t authority_id, struct line *ret, struct troth_err *e)
{
	bool manual = false;
	*ret = (struct line){ 0 };
	while (authority_id && ret->count < ARRAY_LEN(ret->ids)) {
		struct rollout_row rollout;
		struct credential_row c;
		TRY(rollout_row_of(tx, a, authority_id, &rollout, e));
		TRY(credential_row_get(tx, a, authority_id, &c, e));
		manual = manual || rollout.manual;
		ret->ids[ret->count] = authority_id;
		ret->manual[ret->count++] = manual;
		authority_id = c.issuer_id;
	}
	return RC_OK;
}

static troth_rc steps_left(struct tx *tx, struct arena *a, int64_t rotation_id, unsigned *ret, struct troth_err *e)
{
	struct approval_row *approvals;
	size_t n;
	TRY(approval_row_list_rotation(tx, a, rotation_id, &approvals, &n, e));
	*ret = (1u << APPROVAL_INTRODUCE) | (1u << APPROVAL_SWITCH) | (1u << APPROVAL_WITHDRAW);
	for (size_t i = 0; i < n; i++)
		*ret &= ~(1u << approvals[i].step);
	return RC_OK;
}

/* One that waits for its certificate has no steps yet. */
static troth_rc hold_add(struct tx *tx, struct arena *a, const struct rotation_row *r, bool manual, struct rollout_hold *items, size_t *count,
			 struct troth_err *e)
{
	bool waits;
	TRY(external_waits(tx, a, r, &waits, e));
	if (waits)
		return RC_OK;
	struct rollout_hold *hold = &items[(*count)++];
	*hold = (struct rollout_hold){ .rotation = *r, .everywhere = manual || r->by_steps };
	return steps_left(tx, a, r->id, &hold->left, e);
}

troth_rc rollout_holds(struct tx *tx, struct arena *a, int64_t authority_id, struct rollout_hold **ret, size_t *ret_count, struct troth_err *e)
{
	struct rotation_row *rotations;
	struct line line;
	size_t n;
	*ret_count = 0;
	TRY(rotation_row_list_open(tx, a, &rotations, &n, e));
	if (!n)
		return RC_OK;
	*ret = ARENA_ARRAY(a, struct rollout_hold, n);
	TRY(line_load(tx, a, authority_id, &line, e));
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < line.count; k++)
			if (rotations[i].credential_id == line.ids[k])
				TRY(hold_add(tx, a, &rotations[i], line.manual[k], *ret, ret_count, e));
	return RC_OK;
}

bool rollout_step_of(const char *reason, enum approval_step *ret)
{
	for (int i = APPROVAL_INTRODUCE; i <= APPROVAL_WITHDRAW; i++) {
		if (!text_starts(reason, REASON) || !text_equal(reason + sizeof REASON - 1, APPROVAL_STEP_NAMES[i]))
			continue;
		*ret = (enum approval_step)i;
		return true;
	}
	return false;
}
