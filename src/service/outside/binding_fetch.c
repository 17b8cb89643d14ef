/* What a binding fetches, what that says, and what follows when it says nothing.  See binding.h. */
#include "service/outside/binding_parts.h"

#include <stdlib.h>

#include "pki/key.h"
#include "service/agent/contents.h"
#include "service/rotation/distrust.h"
#include "service/record.h"

#define OVERDUE_AGAIN MSEC_DAY /* who is overdue is named once a day */

/* -- tags ------------------------------------------------------------------------------------------------ */

/* "g12-0a1b2c3d": the generation, and a digest of the certificates themselves: after a restore that nobody found out yet, the
 * number comes again, and so do the row ids that a content's own hash is made of. */
static troth_rc tag_make(struct verb_ctx *ctx, const struct document_row *d, char out[BINDING_TAG_LEN], struct troth_err *e)
{
	struct json_texts prints;
	uint8_t hash[SHA256_LEN];
	char hex[9];
	TRY(contents_fingerprints(ctx->tx, ctx->a, d->content_id, &prints, e));
	size_t each = SHA256_HEX_LEN - 1;
	char *all = arena_alloc(ctx->a, prints.count * each + 1);
	for (size_t i = 0; i < prints.count; i++)
		memcpy(all + i * each, prints.items[i], each);
	pki_sha256(bytes_of(all, prints.count * each), hash);
	(void)snprintf(out, BINDING_TAG_LEN, "g%lld-%s", (long long)d->generation, hex_encode(hash, 4, hex));
	return RC_OK;
}

/* The document that a tag was given out for; generation 0: none, or not one of ours. */
static troth_rc tag_find(struct verb_ctx *ctx, const struct target_row *t, const char *tag, struct document_row *ret,
			 struct troth_err *e)
{
	char again[BINDING_TAG_LEN], *end;
	*ret = (struct document_row){ 0 };
	if (!tag || tag[0] != 'g' || tag[1] < '0' || tag[1] > '9')
		return RC_OK;
	struct document_row d;
	if (rc_failed(document_row_by_generation(ctx->tx, ctx->a, t->id, strtoll(tag + 1, &end, 10), &d, NULL)))
		return RC_OK;
	TRY(tag_make(ctx, &d, again, e));
	if (text_equal(tag, again) && d.handed_at)
		*ret = d;
	return RC_OK;
}

/* -- acknowledging ----------------------------------------------------------------------------------------- */

troth_rc binding_counts(const struct binding_row *row, const struct target_row *t, struct troth_err *e)
{
	if (t->state != TARGET_WAIVED)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_CONFLICT, "%s was waived: nothing it says counts any more", row->name);
	err_hint(e, "to have it counted again: troth binding delete %s, and create it anew", row->name);
	err_object(e, "%s", row->name);
	return rc;
}

troth_rc binding_acknowledge(struct verb_ctx *ctx, struct binding_row *row, struct target_row *t, int64_t generation,
			     const struct binding_ack_said *said, struct troth_err *e)
{
	struct document_row d;
	TRY(document_row_by_generation(ctx->tx, ctx->a, t->id, generation, &d, e));
	t->base_known = true;
	t->base_content = d.content_id;
	t->base_generation = t->high_water = generation;
	t->seen_at = ctx->now;
	TRY(document_row_settle(ctx->tx, t->id, generation, e));
	TRY(target_row_update(ctx->tx, t, e));
	verb_changed(ctx, CHANGED_TARGET, t->id);
	row->acked_at = ctx->now;
	row->acked_generation = generation;
	row->acked_how = said->how;
	row->acked_by = ctx->who->name;
	row->acked_reason = said->reason;
	row->overdue_since = 0;
	TRY(binding_row_update(ctx->tx, row, e));
	return binding_record(ctx, arena_printf(ctx->a, "binding.%s", BINDING_ACK_NAMES[said->how]), row, generation, said->reason, e);
}

/* It was handed out, was passed over since, and counts again. */
static troth_rc count_again(struct verb_ctx *ctx, int64_t target_id, int64_t above, struct troth_err *e)
{
	struct document_row *all;
	size_t n;
	TRY(document_row_list_target(ctx->tx, ctx->a, target_id, PAGE_ALL, &all, &n, e));
	for (size_t i = 0; i < n; i++) {
		if (all[i].generation <= above || all[i].state != DOCUMENT_SETTLED || !all[i].handed_at)
			continue;
		all[i].state = DOCUMENT_PENDING;
		TRY(document_row_update(ctx->tx, &all[i], e));
	}
	return RC_OK;
}

/* It comes with something older than it acknowledged: some process of it still runs that. */
static troth_rc fall_back(struct verb_ctx *ctx, struct binding_row *row, struct target_row *t, const struct document_row *d,
			  struct troth_err *e)
{
	TRY(count_again(ctx, t->id, d->generation, e));
	t->base_known = true;
	t->base_content = d->content_id;
	t->base_generation = t->high_water = d->generation;
	t->seen_at = ctx->now;
	TRY(target_row_update(ctx->tx, t, e));
	verb_changed(ctx, CHANGED_TARGET, t->id);
	return binding_record(ctx, "binding.behind", row, d->generation, "a process of it runs something older than it acknowledged", e);
}

/* -- fetching ------------------------------------------------------------------------------------------------- */

struct fetch {
	struct binding_row row;
	struct target_row target;
	struct document_row has;   /* what its tag names; generation 0: nothing */
	struct document_row shown; /* what it is given */
};

static troth_rc nothing_yet(const struct binding_row *row, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_UNAVAILABLE, "there is nothing for %s yet", row->name);
	err_hint(e, "troth explain %s says what is waited for", row->name);
	return rc;
}

/* It was decided before what it contains was distrusted; or it would leave the house for the first time while everything
 * is frozen. */
static troth_rc is_held_back(struct verb_ctx *ctx, const struct document_row *d, bool *ret, struct troth_err *e)
{
	struct freeze_row freeze;
	*ret = false;
	if (!d->handed_at)
		TRY(freeze_row_on(ctx->tx, ctx->a, &freeze, ret, e));
	return *ret ? RC_OK : distrust_content(ctx->tx, ctx->a, d->content_id, ret, e);
}

static troth_rc fetch_load(struct verb_ctx *ctx, const struct binding_fetch_cmd *cmd, struct fetch *f, struct troth_err *e)
{
	struct document_row *pending;
	size_t n;
	TRY(binding_find(ctx, cmd->id, &f->row, &f->target, e));
	TRY(tag_find(ctx, &f->target, cmd->tag, &f->has, e));
	TRY(document_row_list_pending(ctx->tx, ctx->a, f->target.id, &pending, &n, e));
	while (n-- > 0) {
		bool held;
		TRY(is_held_back(ctx, &pending[n], &held, e));
		f->shown = pending[n];
		if (!held)
			return RC_OK;
	}
	if (!f->target.base_generation)
		return nothing_yet(&f->row, e);
	return document_row_by_generation(ctx->tx, ctx->a, f->target.id, f->target.base_generation, &f->shown, e);
}

static bool confirms(const struct fetch *f)
{
	return f->row.ack == ACK_CONFIRM && f->target.state != TARGET_WAIVED && f->has.generation > f->target.base_generation;
}

static bool is_behind(const struct fetch *f)
{
	return f->row.ack == ACK_CONFIRM && f->target.state != TARGET_WAIVED && f->has.generation &&
	       f->has.generation < f->target.base_generation;
}

static bool is_new(const struct fetch *f)
{
	return f->has.generation != f->shown.generation && f->row.fetched_generation != f->shown.generation;
}

static troth_rc answer(struct verb_ctx *ctx, const struct fetch *f, struct binding_fetch_ret *ret, struct troth_err *e)
{
	struct json_texts pems;
	TRY(tag_make(ctx, &f->shown, ret->tag, e));
	ret->not_modified = f->has.generation == f->shown.generation;
	if (ret->not_modified)
		return RC_OK;
	TRY(contents_pem(ctx->tx, ctx->a, f->shown.content_id, &pems, e));
	ret->pem = arena_join(ctx->a, pems.items, pems.count);
	return RC_OK;
}

static troth_rc fetch_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	struct fetch f = { 0 };
	TRY(fetch_load(ctx, arg, &f, e));
	if (is_new(&f) || confirms(&f) || is_behind(&f))
		ctx->then = &VERB_BINDING_TAKE;
	return answer(ctx, &f, out, e);
}

/* Something to look at after a while. */
static troth_rc promise(struct verb_ctx *ctx, const char *kind, int64_t target, int64_t generation, msec_t after, struct troth_err *e)
{
	struct outbox_row row = { .kind = kind, .created = ctx->now, .due = ctx->now + after };
	row.body = arena_printf(ctx->a, "{\"target\":%lld,\"generation\":%lld}", (long long)target, (long long)generation);
	return outbox_put(ctx->tx, &row, e);
}

/* ACK_FETCH: in use so long after now. */
static troth_rc promise_ack(struct verb_ctx *ctx, const struct fetch *f, struct troth_err *e)
{
	if (f->row.ack != ACK_FETCH || f->shown.generation <= f->target.base_generation)
		return RC_OK;
	return promise(ctx, EFFECT_BINDING_FETCHED, f->target.id, f->shown.generation, f->row.delay, e);
}

/* It leaves the house: from the commit on it may run there. */
static troth_rc hand(struct verb_ctx *ctx, struct fetch *f, struct troth_err *e)
{
	if (f->shown.state == DOCUMENT_PENDING && !f->shown.handed_at) {
		TRY(document_row_hand(ctx->tx, f->target.id, f->shown.generation, 1, ctx->now, e));
		TRY(promise_ack(ctx, f, e));
		f->target.level = LEVEL_SENT;
		f->target.level_generation = f->shown.generation;
		TRY(target_row_update(ctx->tx, &f->target, e));
		verb_changed(ctx, CHANGED_TARGET, f->target.id);
	}
	f->row.fetched_at = ctx->now;
	f->row.fetched_generation = f->shown.generation;
	return binding_row_update(ctx->tx, &f->row, e);
}

static troth_rc take_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	struct fetch f = { 0 };
	TRY(fetch_load(ctx, arg, &f, e));
	struct binding_ack_said said = { ACK_CONFIRM, NULL };
	if (confirms(&f))
		TRY(binding_acknowledge(ctx, &f.row, &f.target, f.has.generation, &said, e));
	else if (is_behind(&f))
		TRY(fall_back(ctx, &f.row, &f.target, &f.has, e));
	if (is_new(&f))
		TRY(hand(ctx, &f, e));
	return answer(ctx, &f, out, e);
}

#define ROLES_FETCH (ROLE_ADMIN | ROLE_OPERATOR | ROLE_DEVELOPER)
const struct verb VERB_BINDING_FETCH = { "binding.fetch", VERB_READ, ROLES_FETCH, sizeof(struct binding_fetch_cmd),
					 sizeof(struct binding_fetch_ret), NULL, fetch_run };
const struct verb VERB_BINDING_TAKE = { "binding.take", VERB_WRITE, ROLES_FETCH, sizeof(struct binding_fetch_cmd),
					sizeof(struct binding_fetch_ret), NULL, take_run };

/* -- time --------------------------------------------------------------------------------------------------------- */

troth_rc binding_offered(struct verb_ctx *ctx, int64_t target_id, int64_t generation, struct troth_err *e)
{
	struct binding_row row;
	if (rc_failed(binding_row_by_target(ctx->tx, ctx->a, target_id, &row, NULL)) || !row.renew_by)
		return RC_OK;
	return promise(ctx, EFFECT_BINDING_OVERDUE, target_id, generation, row.renew_by, e);
}

/* What an effect is about; false: it is over (acknowledged meanwhile, replaced, waived, deleted). */
static bool effect_load(struct verb_ctx *ctx, const struct json *body, struct binding_row *ret, struct target_row *ret_target,
			int64_t *ret_generation)
{
	struct document_row d;
	int64_t target = json_get_int(body, "target", 0);
	*ret_generation = json_get_int(body, "generation", 0);
	return rc_ok(binding_row_by_target(ctx->tx, ctx->a, target, ret, NULL)) && !ret->left_at &&
	       rc_ok(target_row_get(ctx->tx, ctx->a, target, ret_target, NULL)) && ret_target->state != TARGET_WAIVED &&
	       rc_ok(document_row_by_generation(ctx->tx, ctx->a, target, *ret_generation, &d, NULL)) && d.state == DOCUMENT_PENDING;
}

troth_rc binding_fetch_is_due(struct verb_ctx *ctx, const struct json *body, struct troth_err *e)
{
	struct binding_row row;
	struct target_row t;
	struct binding_ack_said said = { ACK_FETCH, NULL };
	int64_t generation;
	if (!effect_load(ctx, body, &row, &t, &generation))
		return RC_OK;
	return binding_acknowledge(ctx, &row, &t, generation, &said, e);
}

troth_rc binding_is_overdue(struct verb_ctx *ctx, const struct json *body, struct troth_err *e)
{
	struct binding_row row;
	struct target_row t;
	int64_t generation;
	if (!effect_load(ctx, body, &row, &t, &generation))
		return RC_OK;
	if (!row.overdue_since)
		row.overdue_since = ctx->now;
	TRY(binding_row_update(ctx->tx, &row, e));
	TRY(promise(ctx, EFFECT_BINDING_OVERDUE, t.id, generation, OVERDUE_AGAIN, e));
	return binding_record(ctx, "binding.overdue", &row, generation, "its renew_by has passed; it may be waived", e);
}
