/* An agent opens a session and says what its node holds.
 *
 * If that is what we last counted, nothing happens: documents on their way stay valid.  Anything else
 * (another boot id, another hash, a lower high-water mark, a foreign epoch) means that something
 * happened which nobody told us: the contents are unknown, what was on its way is void, and nothing
 * relies on the target until a settled report comes (engine-rules section 4, Session).
 *
 * A waived instance that opens a session is a joiner from then on (waive.c).  A node that has numbers which we never gave
 * out shows that we were restored from a backup: then nothing that we believe of anybody holds (epoch.c). */
#include "service/agent.h"
#include "service/contents.h"
#include "service/epoch.h"
#include "service/member.h"
#include "service/own.h"
#include "service/recovery.h"
#include "service/waive.h"

/* What the agent says about target `uuid`; a target it does not name it holds nothing of. */
static struct msg_loaded said_about(const struct msg_session *m, const char *uuid)
{
	for (size_t i = 0; i < m->target_count; i++)
		if (text_equal(m->targets[i].id, uuid))
			return m->targets[i];
	return (struct msg_loaded){ .id = uuid };
}

/* Is it what was last counted? */
static troth_rc unchanged(struct verb_ctx *ctx, const struct target_row *t, const struct msg_loaded *said, bool *ret,
			  struct troth_err *e)
{
	*ret = said->loaded_generation == t->base_generation && said->high_water >= t->high_water &&
	       said->high_water < t->next_generation;
	if (!*ret || !t->base_known || !t->base_content)
		return RC_OK;
	return contents_match(ctx->tx, ctx->a, t->base_content, said->fingerprints, ret, e);
}

static troth_rc forget_target(struct verb_ctx *ctx, struct target_row *t, const struct msg_loaded *said,
			      struct troth_err *e)
{
	t->base_known = false;
	t->base_content = 0;
	if (said->high_water >= t->next_generation) /* it is ahead of us: a restored server */
		t->next_generation = said->high_water + 1;
	return document_row_void(ctx->tx, t->id, e);
}

/* A number that we never gave out: we have forgotten, the node has not (engine-rules: server_restored). */
static bool ahead(const struct target_row *t, const struct msg_loaded *said)
{
	return said->high_water >= t->next_generation || said->loaded_generation >= t->next_generation;
}

static troth_rc look_ahead(struct verb_ctx *ctx, const struct instance_row *i, const struct target_row *targets, size_t n,
			   const struct msg_session *m, bool *ret_raised, struct troth_err *e)
{
	*ret_raised = false;
	for (size_t k = 0; k < n && !*ret_raised; k++) {
		struct msg_loaded said = said_about(m, targets[k].uuid);
		if (targets[k].state != TARGET_LEFT && ahead(&targets[k], &said))
			TRY(epoch_word(ctx, i, said.high_water, ret_raised, e));
	}
	return RC_OK;
}

/* What its enrolment told it to trust has no number: it knows the target by its first document only. */
static bool is_as_enrolled(const struct template_row *template, const struct target_row *t, const struct msg_loaded *said)
{
	return own_verifies(template) && t->base_known && !t->base_generation && !said->loaded_generation && !said->high_water;
}

static troth_rc open_target(struct verb_ctx *ctx, struct target_row *t, const struct msg_session *m, bool foreign,
			    struct troth_err *e)
{
	struct msg_loaded said = said_about(m, t->uuid);
	struct template_row template;
	bool same;
	TRY(template_row_get(ctx->tx, ctx->a, t->template_id, &template, e));
	if (own_presents(&template))
		return RC_OK; /* it shows its identity with every connection: there is nothing to say */
	TRY(unchanged(ctx, t, &said, &same, e));
	same = same || is_as_enrolled(&template, t, &said);
	if (foreign || !same)
		TRY(forget_target(ctx, t, &said, e));
	t->strange = false; /* look first */
	t->report_seq = 0;
	t->failures = 0; /* a new beginning on the node: what failed may be tried again */
	t->failed_content = 0;
	TRY(target_row_update(ctx->tx, t, e));
	verb_changed(ctx, CHANGED_TARGET, t->id);
	return RC_OK;
}

static troth_rc open_instance(struct verb_ctx *ctx, struct instance_row *i, const struct msg_session *m, bool alarm,
			      struct troth_err *e)
{
	TRY(store_sequence_next(ctx->tx, "session", &i->session, e));
	if (member_drop_former(ctx, i)) /* written below either way */
		TRY(own_identity_proved(ctx, i, e));
	i->boot_id = m->boot_id;
	i->agent_version = m->agent_version;
	i->session_opened = i->last_seen = ctx->now;
	i->alive_until = ctx->now + LIMIT_FRESHNESS_S * MSEC_S;
	i->alarm = alarm ? "two agents seem to use this identity: a copied node, or a restored one" : NULL;
	TRY(instance_row_update(ctx->tx, i, e));
	verb_changed(ctx, CHANGED_INSTANCE, i->id);
	TRY(recovery_end(ctx, i, true, e));
	verb_publish(ctx, "instance/%s", i->uuid); /* whoever holds the old session learns that it is stale */
	return alarm ? member_event(ctx, i, "instance.alarm", NULL, i->alarm, e) : RC_OK;
}

/* The epoch is compared as text: an agent without one has never spoken to a server before. */
static bool epoch_is_foreign(const struct msg_session *m, const struct instance_row *i, const char *epoch)
{
	return m->epoch ? !text_equal(m->epoch, epoch) : i->boot_id != NULL && m->target_count > 0;
}

/* Before the targets are looked at: does it know more than we do, and is it one that was waived? */
static troth_rc greet(struct verb_ctx *ctx, struct instance_row *i, const struct msg_session *m, const char *epoch, bool *ret_foreign,
		      struct troth_err *e)
{
	struct target_row *targets;
	size_t n;
	bool raised = false;
	*ret_foreign = epoch_is_foreign(m, i, epoch);
	TRY(target_row_list_instance(ctx->tx, ctx->a, i->id, &targets, &n, e));
	if (!*ret_foreign)
		TRY(look_ahead(ctx, i, targets, n, m, &raised, e));
	*ret_foreign = *ret_foreign || raised || (i->boot_id && !text_equal(i->boot_id, m->boot_id));
	return i->state == INSTANCE_WAIVED ? waive_end(ctx, i, "instance.return", e) : RC_OK;
}

static troth_rc epoch_text(struct verb_ctx *ctx, const char **ret, struct troth_err *e)
{
	int64_t epoch;
	TRY(store_epoch(ctx->tx, &epoch, e));
	*ret = arena_printf(ctx->a, "%lld", (long long)epoch);
	return RC_OK;
}

static troth_rc session_run(struct verb_ctx *ctx, const void *cmd, void *ret, struct troth_err *e)
{
	const struct msg_session *m = cmd;
	struct msg_opened *opened = ret;
	struct instance_row instance;
	struct target_row *targets;
	const char *epoch;
	size_t n;
	bool foreign, alarm;
	TRY(member_load(ctx, &instance, e));
	TRY(epoch_text(ctx, &epoch, e));
	TRY(greet(ctx, &instance, m, epoch, &foreign, e));
	TRY(epoch_text(ctx, &epoch, e)); /* its word may have raised it */
	TRY(member_clone_open(ctx, &instance, m->boot_id, &alarm, e));
	TRY(target_row_list_instance(ctx->tx, ctx->a, instance.id, &targets, &n, e));
	for (size_t i = 0; i < n; i++)
		if (targets[i].state != TARGET_LEFT)
			TRY(open_target(ctx, &targets[i], m, foreign || alarm, e));
	TRY(open_instance(ctx, &instance, m, alarm, e));
	*opened = (struct msg_opened){ .session = instance.session, .epoch = epoch };
	return RC_OK;
}

const struct verb VERB_AGENT_SESSION = {
	.name = "agent.session", .kind = VERB_WRITE, .roles = ROLE_AGENT,
	.cmd_size = sizeof(struct msg_session), .ret_size = sizeof(struct msg_opened), .run = session_run,
};
