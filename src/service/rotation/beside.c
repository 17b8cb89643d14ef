/* A rotation led by hand.  See beside.h. */
#include "service/rotation/beside.h"

#include "service/ca/hierarchy.h"
#include "service/inside.h"
#include "service/outside/holder.h"
#include "service/record.h"
#include "service/rotation/explain.h"

enum { NAMED = 3 }; /* who is in the way: a sentence each */

/* -- who is not ready ------------------------------------------------------------------------------------ */

struct late {
	const char *who[NAMED];
	size_t count;
};

static void late_add(struct late *l, const char *text)
{
	if (l->count < NAMED)
		l->who[l->count] = text;
	l->count++;
}

static troth_rc refuse_late(struct verb_ctx *ctx, const struct credential_row *c, const struct late *l, const char *what, struct troth_err *e)
{
	const char *all = "";
	for (size_t i = 0; i < l->count && i < NAMED; i++)
		all = arena_printf(ctx->a, "%s%s%.150s", all, i ? "; " : "", l->who[i]);
	if (l->count > NAMED)
		all = arena_printf(ctx->a, "%s; and %zu more", all, l->count - NAMED);
	troth_rc rc = err_set(e, TROTH_UNSAFE, "%s: %s", c->name, what);
	err_detail(e, "%s", all);
	err_hint(e, "wait for them (troth explain %s); an administrator may insist", c->name);
	err_object(e, "%s", c->name);
	return rc;
}

/* A wait that says that somebody cannot take the new CA yet.  Holders are asked for their next certificate after the switch;
 * what holds the old one up is no matter before it. */
static bool is_ahead_of_switch(const struct explained *x)
{
	static const char *const LATER[] = { "chain-held", "still-served", "signed-below", "leaving", "grace", "deadline", "outside-holder" };
	for (size_t i = 0; i < ARRAY_LEN(LATER); i++)
		if (text_equal(x->reason, LATER[i]))
			return false;
	return x->party != PARTY_HOLDER && !text_starts(x->reason, "approve-") && !text_starts(x->reason, "renew-");
}

static troth_rc late_to_trust(struct verb_ctx *ctx, const struct credential_row *c, struct late *l, struct troth_err *e)
{
	struct wait_row *rows;
	size_t n;
	TRY(wait_row_list_authority(ctx->tx, ctx->a, c->id, LIMIT_PAGE, &rows, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct explained x;
		TRY(explain_row(ctx->tx, ctx->a, &rows[i], &x, e));
		if (is_ahead_of_switch(&x))
			late_add(l, explain_plain(ctx->a, &x));
	}
	return RC_OK;
}

/* Does the chain of this version lead through that CA? */
static troth_rc is_under(struct verb_ctx *ctx, int64_t version, int64_t ca, bool *ret, struct troth_err *e)
{
	*ret = false;
	for (int depth = 0; version && !*ret && depth <= LIMIT_CHAIN_CERTS; depth++) {
		struct version_row v;
		*ret = version == ca;
		TRY(version_row_get(ctx->tx, ctx->a, version, &v, e));
		version = v.signed_by;
	}
	return RC_OK;
}

static troth_rc content_under(struct verb_ctx *ctx, int64_t content, int64_t ca, bool *ret, struct troth_err *e)
{
	struct content_row row;
	*ret = false;
	if (!content)
		return RC_OK;
	TRY(content_row_get(ctx->tx, ctx->a, content, &row, e));
	return is_under(ctx, row.version_id, ca, ret, e);
}

static troth_rc slot_under(struct verb_ctx *ctx, const struct target_row *t, int64_t ca, bool *ret, struct troth_err *e)
{
	struct document_row *pending;
	size_t n;
	TRY(content_under(ctx, t->base_content, ca, ret, e));
	TRY(document_row_list_pending(ctx->tx, ctx->a, t->id, &pending, &n, e));
	for (size_t i = 0; i < n && !*ret; i++)
		TRY(content_under(ctx, pending[i].content_id, ca, ret, e));
	return RC_OK;
}

static troth_rc late_slots(struct verb_ctx *ctx, const struct credential_row *leaf, int64_t old, struct late *l, struct troth_err *e)
{
	struct target_row *slots;
	size_t n;
	TRY(target_row_list_credential(ctx->tx, ctx->a, leaf->id, &slots, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct instance_row instance;
		bool under;
		if (slots[i].state != TARGET_COUNTED && slots[i].state != TARGET_LEAVING)
			continue;
		TRY(slot_under(ctx, &slots[i], old, &under, e));
		TRY(instance_row_get(ctx->tx, ctx->a, slots[i].instance_id, &instance, e));
		if (under)
			late_add(l, arena_printf(ctx->a, "%s serves %s by the old CA still", instance.name, leaf->name));
	}
	return RC_OK;
}

/* Who took a newer one is taken at his word: nobody asks for the old CA to go before the new certificates are in use. */
static troth_rc late_holder(struct verb_ctx *ctx, const struct credential_row *leaf, int64_t old, bool force, struct late *l,
			    struct troth_err *e)
{
	size_t vouched;
	bool holds, under;
	TRY(holder_holds(ctx, leaf, leaf->signing_version, &holds, e));
	if (!holds)
		return RC_OK;
	TRY(is_under(ctx, leaf->signing_version, old, &under, e));
	if (!under)
		return holder_vouch(ctx, leaf, &vouched, e);
	late_add(l, arena_printf(ctx->a, "%s has no certificate by the new CA yet", leaf->name));
	return force ? holder_waive(ctx, leaf->name, e) : RC_OK;
}

static troth_rc late_to_switch(struct verb_ctx *ctx, const struct credential_row *c, int64_t old, bool force, struct late *l,
			       struct troth_err *e)
{
	struct id_list below;
	TRY(hierarchy_below(ctx->tx, ctx->a, c->id, &below, e));
	for (size_t i = 0; i < below.count; i++) {
		struct credential_row *leaves;
		size_t n;
		TRY(credential_row_list_issuer(ctx->tx, ctx->a, below.items[i], PAGE_ALL, &leaves, &n, e));
		for (size_t k = 0; k < n; k++) {
			if (leaves[k].kind != CREDENTIAL_LEAF || !leaves[k].signing_version)
				continue;
			TRY(late_slots(ctx, &leaves[k], old, l, e));
			TRY(late_holder(ctx, &leaves[k], old, force, l, e));
		}
	}
	return RC_OK;
}

/* -- saying yes ---------------------------------------------------------------------------------------------- */

static troth_rc approve_one(struct verb_ctx *ctx, const struct rotation_row *rotation, enum approval_step step, struct troth_err *e)
{
	struct approval_row *there;
	size_t n;
	TRY(approval_row_list_rotation(ctx->tx, ctx->a, rotation->id, &there, &n, e));
	for (size_t i = 0; i < n; i++)
		if (there[i].step == step)
			return RC_OK;
	struct approval_row row = { .rotation_id = rotation->id, .step = step, .approved_by = ctx->who->name, .approved_at = ctx->now };
	return approval_row_insert(ctx->tx, &row, e);
}

troth_rc beside_approve(struct verb_ctx *ctx, const char *rotation, unsigned steps, struct troth_err *e)
{
	struct rotation_row row;
	TRY(rotation_row_by_uuid(ctx->tx, ctx->a, rotation, &row, e));
	for (int step = APPROVAL_INTRODUCE; step <= APPROVAL_WITHDRAW; step++)
		if (steps & 1u << step)
			TRY(approve_one(ctx, &row, (enum approval_step)step, e));
	verb_changed(ctx, CHANGED_ROTATION, row.id);
	verb_publish(ctx, "rotation/%s", row.uuid);
	return RC_OK;
}

troth_rc beside_engine(struct verb_ctx *ctx, struct troth_err *e)
{
	msec_t wake; /* the writer asks again at the end of its transaction, and keeps that one */
	TRY(verb_apply_changes(ctx, e));
	ctx->svc->touched = true; /* by what the engine does now, too */
	return runner_run(ctx->svc, ctx->tx, ctx->now, &wake, e);
}

/* -- the verb ----------------------------------------------------------------------------------------------------- */

struct steering {
	const struct beside_cmd *cmd;
	struct credential_row c;
	struct lookup_ret seen;
	const struct version_row *signs, *beside, *wish; /* NULL: none */
	struct rotation_row rotation;                     /* of its own; id 0: none is open */
	bool follows;                                     /* the steps of one above it, which brought it a version */
};

static troth_rc find_wish(struct steering *s, struct troth_err *e)
{
	const char *uuid = s->cmd->version;
	if (!uuid)
		return RC_OK;
	for (size_t i = 0; i < s->seen.count && !s->wish; i++)
		if (text_equal(uuid, "latest") || text_equal(uuid, s->seen.items[i].version->row.uuid))
			s->wish = &s->seen.items[i].version->row;
	if (s->wish)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_INVALID, "%s has no version %.40s", s->c.name, uuid);
	err_clause(e, CLAUSE_FOREIGN_VERSION);
	return rc;
}

static troth_rc look(struct verb_ctx *ctx, struct steering *s, struct troth_err *e)
{
	struct rotation_row leading;
	TRY(lookup_find(ctx, NULL, s->cmd->id, &s->c, e));
	ENSURE(s->c.kind == CREDENTIAL_AUTHORITY, e, TROTH_INVALID, "%s is no authority: no version of it signs", s->c.name);
	TRY(lookup_load(ctx, &s->c, &s->seen, e));
	for (size_t i = s->seen.count; i > 0; i--) {
		const struct lookup_version *x = &s->seen.items[i - 1];
		s->signs = x->active ? &x->version->row : s->signs;
		s->beside = x->beside ? &x->version->row : s->beside;
	}
	TRY(lookup_leading(ctx, s->c.id, &leading, e));
	s->follows = leading.id && leading.credential_id != s->c.id;
	if (!s->follows)
		s->rotation = leading;
	return find_wish(s, e);
}

troth_rc beside_is_free(struct verb_ctx *ctx, const struct credential_row *authority, struct troth_err *e)
{
	struct lookup_ret seen = { 0 };
	TRY(lookup_load(ctx, authority, &seen, e));
	for (size_t i = 0; i < seen.count; i++) {
		if (!seen.items[i].beside)
			continue;
		troth_rc rc = err_set(e, TROTH_CONFLICT, "%s has a version that is trusted beside the one that signs already", authority->name);
		err_clause(e, CLAUSE_ONE_BESIDE);
		return rc;
	}
	return RC_OK;
}

static troth_rc refuse_way(const struct steering *s, const char *why, const char *command, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "%s: %s", s->c.name, why);
	err_hint(e, "%s %s", command, s->c.name);
	err_object(e, "%s", s->c.name);
	return rc;
}

static troth_rc record_steer(struct verb_ctx *ctx, const struct steering *s, const char *step, const struct late *l, struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "rotation", s->rotation.uuid);
	jw_kv_text(&r.w, "step", step);
	jw_kv_text(&r.w, "beside", s->wish ? s->wish->uuid : NULL);
	jw_kv_bool(&r.w, "forced", s->cmd->force);
	jw_kv_int(&r.w, "not_ready", (int64_t)l->count);
	return record_change(ctx, &(struct change){ .action = "authority.beside", .object = s->c.name, .after = record_end(&r, ctx->a),
						    .topic = arena_printf(ctx->a, "rotation/%s", s->rotation.uuid) }, e);
}

static troth_rc steer(struct verb_ctx *ctx, struct steering *s, unsigned steps, const char *step, const struct late *l, struct troth_err *e)
{
	TRY(beside_approve(ctx, s->rotation.uuid, steps, e));
	TRY(record_steer(ctx, s, step, l, e));
	return beside_engine(ctx, e);
}

/* The new one signs, the old one is trusted beside it. */
static troth_rc let_new_sign(struct verb_ctx *ctx, struct steering *s, struct troth_err *e)
{
	struct late late = { 0 };
	struct version_row now;
	TRY(late_to_trust(ctx, &s->c, &late, e));
	if (late.count && !s->cmd->force)
		return refuse_late(ctx, &s->c, &late, "the new version may not sign yet", e);
	TRY(steer(ctx, s, BESIDE_INTRODUCE | 1 << APPROVAL_SWITCH, "switch", &late, e));
	TRY(version_row_get(ctx->tx, ctx->a, s->beside->id, &now, e));
	if (now.signing || s->cmd->force)
		return RC_OK;
	TRY(late_to_trust(ctx, &s->c, &late, e));
	return refuse_late(ctx, &s->c, &late, "the new version may not sign yet", e);
}

/* Nobody is beside any more: the old one goes. */
static troth_rc let_old_go(struct verb_ctx *ctx, struct steering *s, struct troth_err *e)
{
	struct late late = { 0 };
	TRY(late_to_switch(ctx, &s->c, s->beside->id, s->cmd->force, &late, e));
	if (late.count && !s->cmd->force)
		return refuse_late(ctx, &s->c, &late, "the old version is still needed", e);
	return steer(ctx, s, BESIDE_ALL, "withdraw", &late, e);
}

/* One call that would make the new one sign and stop trusting the old: all who use what the old one signed would break. */
static troth_rc let_all_go(struct verb_ctx *ctx, struct steering *s, struct troth_err *e)
{
	struct late late = { 0 };
	TRY(late_to_trust(ctx, &s->c, &late, e));
	TRY(late_to_switch(ctx, &s->c, s->signs->id, s->cmd->force, &late, e));
	if (!s->cmd->force && !late.count)
		late_add(&late, "first let the old version be the one that is trusted beside it");
	if (s->cmd->force)
		return steer(ctx, s, BESIDE_ALL, "all", &late, e);
	troth_rc rc = refuse_late(ctx, &s->c, &late, "this would make the new version sign and stop trusting the old one at once", e);
	err_hint(e, "let the old version, %s, be the one beside first, then renew what it signed; an administrator may insist", s->signs->uuid);
	return rc;
}

static troth_rc decide(struct verb_ctx *ctx, struct steering *s, struct troth_err *e)
{
	const struct version_row *w = s->wish, *b = s->beside;
	if ((w ? w->id : 0) == (b ? b->id : 0) || s->follows)
		return RC_OK; /* it is so already, or will be by what is said of the one above */
	if (!b || !s->signs)
		return refuse_way(s, "no rotation of it runs, so no other version is trusted", "begin one: troth rotate", e);
	if (!s->rotation.id)
		return refuse_way(s, "what is beside goes by itself", "what it waits for: troth explain", e);
	if (w && w->id == s->signs->id && b->wanted)
		return let_new_sign(ctx, s, e);
	if (!w && !b->wanted)
		return let_old_go(ctx, s, e);
	if (!w)
		return let_all_go(ctx, s, e);
	return refuse_way(s, "going back is no step of a rotation", "take the rotation back: troth rotation abort", e);
}

static troth_rc beside_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	struct steering s = { .cmd = arg };
	struct lookup_ret *ret = out;
	ENSURE(!s.cmd->force || ctx->who->roles & ROLES_ADMIN, e, TROTH_FORBIDDEN, "only an administrator may insist on a step that was refused");
	TRY(look(ctx, &s, e));
	TRY(decide(ctx, &s, e));
	TRY(lookup_find(ctx, NULL, s.cmd->id, &s.c, e));
	TRY(lookup_load(ctx, &s.c, ret, e));
	return lookup_trust(ctx, ret, e);
}

const struct verb VERB_AUTHORITY_BESIDE = { "authority.beside", VERB_WRITE, ROLES_CHANGE, sizeof(struct beside_cmd),
					    sizeof(struct lookup_ret), NULL, beside_run, RIGHT_WRITE };
