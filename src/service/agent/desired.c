/* What an instance shall hold, as its agent asks for it.
 *
 * The poll is a READ of committed rows.  Its version is a hash of what it says, so there is no counter
 * to forget: the same state is the same version, also after a restart or a restore.  Before a document
 * that was never handed out leaves, VERB_AGENT_TAKE writes that it is handed out: from then on the node
 * may hold it, and it stays in Seq (engine-rules section 4). */
#include "service/agent/agent.h"
#include "service/agent/contents.h"
#include "service/rotation/distrust.h"
#include "service/ca/issue.h"
#include "service/fleet/member.h"
#include "service/ca/own.h"

enum { HEARTBEAT_S = LIMIT_FRESHNESS_S / 6 }; /* a poll older than this writes that the agent lives */

struct look {                    /* one reading of the state */
	struct instance_row instance;
	struct msg_desired desired;
	bool unhanded;           /* some document was never handed out, and may be */
	bool frozen;             /* nothing new is handed out or asked for */
};

/* -- one target ---------------------------------------------------------------------------------- */

/* The document to show: the newest on its way, else the one it runs.  Frozen: only what was handed out before. */
static troth_rc shown_document(struct verb_ctx *ctx, const struct target_row *t, bool frozen, struct document_row *ret,
			       bool *ret_found, struct troth_err *e)
{
	struct document_row *pending;
	size_t n;
	TRY(document_row_list_pending(ctx->tx, ctx->a, t->id, &pending, &n, e));
	while (frozen && n > 0 && !pending[n - 1].handed_at)
		n--;
	*ret_found = true;
	while (n-- > 0) {
		bool held = false; /* decided before what it contains was distrusted: it is not given from then on, nor once more */
		TRY(distrust_content(ctx->tx, ctx->a, pending[n].content_id, &held, e));
		*ret = pending[n];
		if (!held)
			return RC_OK;
	}
	*ret_found = t->base_known && t->base_generation > 0;
	if (!*ret_found)
		return RC_OK;
	return document_row_by_generation(ctx->tx, ctx->a, t->id, t->base_generation, ret, e);
}

/* The leaf's key: sealed to this agent, or the agent's own, named by the request that it answered (a
 * version that answers a CSR has the request's uuid). */
static troth_rc show_key(struct verb_ctx *ctx, const struct document_row *d, struct msg_target *m, struct troth_err *e)
{
	struct version_row version;
	struct sealed_row uploaded;
	TRY(version_row_get(ctx->tx, ctx->a, d->version_id, &version, e));
	if (rc_ok(sealed_row_by_pair(ctx->tx, ctx->a, d->target_id, d->content_id, &uploaded, NULL)))
		m->sealed_key = uploaded.sealed;
	else if (version.sealed_key.len > 0)
		m->sealed_key = version.sealed_key;
	else
		m->key_request = version.uuid;
	return RC_OK;
}

static troth_rc show_document(struct verb_ctx *ctx, const struct target_row *t, struct look *look,
			      struct msg_target *m, struct troth_err *e)
{
	struct document_row d;
	bool found;
	TRY(shown_document(ctx, t, look->frozen, &d, &found, e));
	if (!found)
		return RC_OK;
	m->generation = d.generation;
	if (d.state == DOCUMENT_PENDING && !d.handed_at)
		look->unhanded = true;
	TRY(contents_pem(ctx->tx, ctx->a, d.content_id, &m->certificates, e));
	if (d.state == DOCUMENT_PENDING)
		TRY(distrust_fingerprints(ctx->tx, ctx->a, t, &m->distrusted, e));
	return m->kind == MSG_SLOT ? show_key(ctx, &d, m, e) : RC_OK;
}

static troth_rc show_csr(struct verb_ctx *ctx, const struct target_row *t, struct msg_target *m, struct troth_err *e)
{
	struct credential_row credential;
	struct credential_spec spec;
	TRY(credential_row_get(ctx->tx, ctx->a, t->credential_id, &credential, e));
	TRY(credential_spec_read(ctx->a, credential.spec, &spec, e));
	struct msg_csr_wanted *csr = ARENA_NEW(ctx->a, struct msg_csr_wanted);
	csr->request = t->csr_request;
	csr->key_type = credential.key_type;
	csr->common_name = spec.common_name ? spec.common_name : "";
	m->csr = csr;
	return RC_OK;
}

static troth_rc show_parameters(struct verb_ctx *ctx, const struct template_row *template, struct msg_target *m,
				struct troth_err *e)
{
	const struct json *j;
	if (!template->parameters)
		return RC_OK;
	TRY(json_parse(ctx->a, bytes_of_text(template->parameters), &j, e));
	if (j->type != JSON_OBJECT)
		return RC_OK;
	m->parameters = ARENA_ARRAY(ctx->a, struct msg_parameter, j->map.count + 1);
	for (size_t i = 0; i < j->map.count; i++)
		if (j->map.values[i].type == JSON_STRING)
			m->parameters[m->parameter_count++] =
				(struct msg_parameter){ j->map.keys[i], j->map.values[i].str.s };
	return RC_OK;
}

/* Its identity is not among what it is told to hold: it comes for one when it shall (renew_identity). */
static troth_rc show_target(struct verb_ctx *ctx, const struct target_row *t, struct look *look, struct troth_err *e)
{
	struct template_row template;
	struct msg_target *m = &look->desired.targets[look->desired.target_count];
	TRY(template_row_get(ctx->tx, ctx->a, t->template_id, &template, e));
	if (own_presents(&template))
		return RC_OK;
	look->desired.target_count++;
	*m = (struct msg_target){ .id = t->uuid, .name = template.name, .profile = template.profile,
				  .kind = template.kind == TARGET_SLOT ? MSG_SLOT : MSG_STORE,
				  .role = template.role == TARGET_CLIENT ? MSG_CLIENT : MSG_SERVER };
	m->leaving = t->state == TARGET_LEAVING;
	TRY(show_parameters(ctx, &template, m, e));
	TRY(show_document(ctx, t, look, m, e));
	bool ask = m->kind == MSG_SLOT && t->csr_request && !look->frozen && template.key_source == KEY_SOURCE_AGENT;
	return ask ? show_csr(ctx, t, m, e) : RC_OK;
}

/* -- all of them ----------------------------------------------------------------------------------- */

static void hash_text(uint64_t *h, const char *s)
{
	for (; s && *s; s++)
		*h = (*h ^ (uint8_t)*s) * UINT64_C(1099511628211);
	*h = (*h ^ 0xff) * UINT64_C(1099511628211);
}

static void hash_int(uint64_t *h, int64_t n)
{
	for (int i = 0; i < 8; i++, n >>= 8)
		*h = (*h ^ (uint8_t)n) * UINT64_C(1099511628211);
}

/* FNV-1a over all that the agent acts upon.  53 bits: exact in every JSON reader. */
static int64_t version_of(const struct msg_desired *d)
{
	uint64_t h = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < d->target_count; i++) {
		const struct msg_target *t = &d->targets[i];
		hash_text(&h, t->id);
		hash_text(&h, t->profile);
		hash_int(&h, t->generation);
		for (size_t k = 0; k < t->distrusted.count; k++)
			hash_text(&h, t->distrusted.items[k]);
		hash_text(&h, t->csr ? t->csr->request : "");
		hash_int(&h, t->leaving);
		for (size_t k = 0; k < t->parameter_count; k++) {
			hash_text(&h, t->parameters[k].name);
			hash_text(&h, t->parameters[k].value);
		}
	}
	hash_int(&h, d->session);
	hash_int(&h, d->renew_identity);
	for (size_t i = 0; i < d->gone.count; i++)
		hash_text(&h, d->gone.items[i]);
	return (int64_t)(h >> 11) | 1;
}

static troth_rc look_at(struct verb_ctx *ctx, struct look *look, struct troth_err *e)
{
	struct target_row *targets;
	size_t n;
	int64_t epoch;
	struct msg_desired *d = &look->desired;
	struct freeze_row freeze;
	TRY(freeze_row_on(ctx->tx, ctx->a, &freeze, &look->frozen, e));
	TRY(target_row_list_instance(ctx->tx, ctx->a, look->instance.id, &targets, &n, e));
	TRY(store_epoch(ctx->tx, &epoch, e));
	d->session = look->instance.session;
	d->epoch = arena_printf(ctx->a, "%lld", (long long)epoch);
	d->targets = ARENA_ARRAY(ctx->a, struct msg_target, n + 1);
	d->gone.items = ARENA_ARRAY(ctx->a, const char *, n + 1);
	for (size_t i = 0; i < n; i++) {
		if (targets[i].state == TARGET_LEFT)
			d->gone.items[d->gone.count++] = targets[i].uuid;
		else
			TRY(show_target(ctx, &targets[i], look, e));
	}
	if (!look->frozen)
		TRY(own_identity_stale(ctx->tx, ctx->a, look->instance.id, &d->renew_identity, e));
	d->version = version_of(d);
	return RC_OK;
}

static troth_rc desired_run(struct verb_ctx *ctx, const void *cmd, void *ret, struct troth_err *e)
{
	const struct desired_cmd *c = cmd;
	struct desired_ret *r = ret;
	struct look look = { 0 };
	TRY(member_load(ctx, &look.instance, e));
	if (c->session == 0 || look.instance.session == 0)
		return agent_stale(e);
	struct instance_row seen = look.instance;
	bool proves = member_drop_former(ctx, &seen); /* the first word with its new identity is worth writing down */
	bool heartbeat = proves || ctx->now - look.instance.last_seen >= HEARTBEAT_S * MSEC_S;
	if (c->session == look.instance.session)
		TRY(look_at(ctx, &look, e));
	if (c->session != look.instance.session || look.unhanded || heartbeat)
		ctx->then = &VERB_AGENT_TAKE;
	else if (look.desired.version == c->after && !ctx->last_chance) {
		ctx->hold.wanted = true;
		(void)snprintf(ctx->hold.topic, sizeof ctx->hold.topic, "instance/%s", look.instance.uuid);
	}
	r->desired = look.desired;
	return RC_OK;
}

const struct verb VERB_AGENT_DESIRED = {
	.name = "agent.desired", .kind = VERB_READ, .roles = ROLE_AGENT,
	.cmd_size = sizeof(struct desired_cmd), .ret_size = sizeof(struct desired_ret), .run = desired_run,
};

/* -- handing out -------------------------------------------------------------------------------------- */

static troth_rc hand_target(struct verb_ctx *ctx, struct target_row *t, int64_t session, struct troth_err *e)
{
	struct document_row d;
	bool found;
	struct template_row template;
	TRY(template_row_get(ctx->tx, ctx->a, t->template_id, &template, e));
	if (own_presents(&template))
		return RC_OK;
	TRY(shown_document(ctx, t, false, &d, &found, e));
	if (!found || d.state != DOCUMENT_PENDING || d.handed_at)
		return RC_OK;
	TRY(document_row_hand(ctx->tx, t->id, d.generation, session, ctx->now, e));
	t->level = LEVEL_SENT;
	t->level_generation = d.generation;
	TRY(target_row_update(ctx->tx, t, e));
	verb_changed(ctx, CHANGED_TARGET, t->id);
	return RC_OK;
}

static troth_rc take_run(struct verb_ctx *ctx, const void *cmd, void *ret, struct troth_err *e)
{
	const struct desired_cmd *c = cmd;
	struct desired_ret *r = ret;
	struct look look = { 0 };
	struct target_row *targets;
	struct freeze_row freeze;
	bool frozen;
	size_t n;
	TRY(member_load(ctx, &look.instance, e));
	if (c->session != look.instance.session) {
		r->stale = true;
		return member_clone_stale(ctx, &look.instance, c->session, e);
	}
	TRY(member_clone_quiet(ctx, &look.instance, &r->stale, e));
	if (r->stale)
		return RC_OK;
	TRY(freeze_row_on(ctx->tx, ctx->a, &freeze, &frozen, e));
	TRY(target_row_list_instance(ctx->tx, ctx->a, look.instance.id, &targets, &n, e));
	for (size_t i = 0; i < n && !frozen; i++)
		if (targets[i].state != TARGET_LEFT)
			TRY(hand_target(ctx, &targets[i], c->session, e));
	TRY(member_touch(ctx, &look.instance, e));
	TRY(look_at(ctx, &look, e));
	r->desired = look.desired;
	return RC_OK;
}

const struct verb VERB_AGENT_TAKE = {
	.name = "agent.take", .kind = VERB_WRITE, .roles = ROLE_AGENT,
	.cmd_size = sizeof(struct desired_cmd), .ret_size = sizeof(struct desired_ret), .run = take_run,
};
