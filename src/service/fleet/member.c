/* The instance that speaks, and whether it speaks with one voice.  See member.h. */
#include "service/fleet/member.h"

#include "service/agent/agent.h"
#include "service/inside.h"
#include "service/ca/own.h"
#include "service/record.h"

troth_rc member_load(struct verb_ctx *ctx, struct instance_row *ret, struct troth_err *e)
{
	ENSURE(ctx->who->instance_id, e, TROTH_FORBIDDEN, "only an instance's agent may do this");
	TRY(instance_row_get(ctx->tx, ctx->a, ctx->who->instance_id, ret, e));
	if (ret->state != INSTANCE_LEFT)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_FORBIDDEN, "instance %s has left", ret->name);
	err_hint(e, "enrol it again with a new token");
	return rc;
}

troth_rc member_target(struct verb_ctx *ctx, const struct instance_row *instance, const char *uuid,
		       struct target_row *ret, struct troth_err *e)
{
	TRY(record_uuid("target", uuid, e));
	TRY(target_row_by_uuid(ctx->tx, ctx->a, uuid, ret, e));
	if (ret->instance_id != instance->id) {
		troth_rc rc = err_set(e, TROTH_FORBIDDEN, "target %s belongs to another instance", uuid);
		err_hint(e, "an agent may speak only of the targets in its own desired state");
		err_object(e, "%s", uuid);
		return rc;
	}
	ENSURE(ret->state != TARGET_LEFT, e, TROTH_NOT_FOUND, "target %s is gone", uuid);
	return RC_OK;
}

troth_rc agent_stale(struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "this session is not the open one");
	err_hint(e, "open a new session (POST /v1/agent/session) and say what you hold");
	err_clause(e, "type:stale-session");
	return rc;
}

troth_rc member_session(const struct instance_row *instance, int64_t session, struct troth_err *e)
{
	return instance->session != 0 && instance->session == session ? RC_OK : agent_stale(e);
}

/* Who speaks with the newest identity holds it: the one before has done its service, and a copy of it shall be worth
 * nothing. */
bool member_drop_former(const struct verb_ctx *ctx, struct instance_row *instance)
{
	bool newest = bytes_equal(instance->identity_fingerprint, bytes_of(ctx->who->fingerprint, SHA256_LEN));
	if (!newest || instance->identity_previous.len == 0)
		return false;
	instance->identity_previous = bytes_of(NULL, 0);
	return true;
}

troth_rc member_touch(struct verb_ctx *ctx, struct instance_row *instance, struct troth_err *e)
{
	if (member_drop_former(ctx, instance)) {
		TRY(instance_row_update(ctx->tx, instance, e));
		TRY(own_identity_proved(ctx, instance, e));
	}
	instance->last_seen = ctx->now;
	if (instance->alive_until != ALIVE_ALWAYS) /* an external one has no session that could end */
		instance->alive_until = ctx->now + LIMIT_FRESHNESS_S * MSEC_S;
	TRY(instance_row_touch(ctx->tx, instance->id, instance->last_seen, instance->alive_until, e));
	verb_changed(ctx, CHANGED_INSTANCE, instance->id);
	return RC_OK;
}

troth_rc member_event(struct verb_ctx *ctx, const struct instance_row *instance, const char *kind,
		      const char *target, const char *text, struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "instance", instance->name);
	if (target)
		jw_kv_text(&r.w, "target", target);
	if (text)
		jw_kv_text(&r.w, "text", text);
	const char *body = record_end(&r, ctx->a);
	struct deployment_row deployment;
	TRY(deployment_row_get(ctx->tx, ctx->a, instance->deployment_id, &deployment, e));
	struct event_row event = { .at = ctx->now, .kind = kind, .object = instance->name, .within = deployment.name, .body = body,
				   .topic = arena_printf(ctx->a, "instance/%s", instance->uuid) };
	verb_publish(ctx, "events");
	return event_append(ctx->tx, &event, e);
}

/* -- clones --------------------------------------------------------------------------------------- */
struct clone_watch {           /* meta "clone/<uuid>", only for instances that gave a sign */
	int64_t stale;         /* the older session that was used after a newer was opened; 0 none */
	int64_t swaps;         /* how often that happened in the window */
	msec_t since;          /* of the window */
	bool alarm;
	const char *boot_before;
};

static const char *watch_key(struct verb_ctx *ctx, const struct instance_row *i)
{
	return arena_printf(ctx->a, "clone/%s", i->uuid);
}

static troth_rc watch_load(struct verb_ctx *ctx, const struct instance_row *i, struct clone_watch *ret,
			   struct troth_err *e)
{
	struct bytes text;
	const struct json *j;
	*ret = (struct clone_watch){ .boot_before = "" };
	if (rc_failed(meta_get(ctx->tx, ctx->a, watch_key(ctx, i), &text, NULL)))
		return RC_OK; /* no sign so far */
	TRY(json_parse(ctx->a, text, &j, e));
	ret->stale = json_get_int(j, "stale", 0);
	ret->swaps = json_get_int(j, "swaps", 0);
	ret->since = json_get_int(j, "since", 0);
	ret->alarm = json_get_bool(j, "alarm", false);
	ret->boot_before = json_get_text(j, "boot_before", "");
	return RC_OK;
}

static troth_rc watch_save(struct verb_ctx *ctx, const struct instance_row *i, const struct clone_watch *w,
			   struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_kv_int(&r.w, "stale", w->stale);
	jw_kv_int(&r.w, "swaps", w->swaps);
	jw_kv_int(&r.w, "since", w->since);
	jw_kv_bool(&r.w, "alarm", w->alarm);
	jw_kv_text(&r.w, "boot_before", w->boot_before);
	return meta_put_text(ctx->tx, watch_key(ctx, i), record_end(&r, ctx->a), e);
}

troth_rc member_clone_stale(struct verb_ctx *ctx, const struct instance_row *instance, int64_t session,
			    struct troth_err *e)
{
	struct clone_watch w;
	TRY(watch_load(ctx, instance, &w, e));
	if (w.stale == session)
		return RC_OK;
	w.stale = session;
	return watch_save(ctx, instance, &w, e);
}

static void watch_swap(struct clone_watch *w, msec_t now)
{
	if (now - w->since > MEMBER_CLONE_WINDOW) {
		w->since = now;
		w->swaps = 0;
	}
	w->swaps++;
	w->stale = 0;
}

troth_rc member_clone_open(struct verb_ctx *ctx, const struct instance_row *instance, const char *boot_id,
			   bool *ret_alarm, struct troth_err *e)
{
	struct clone_watch w;
	TRY(watch_load(ctx, instance, &w, e));
	bool booted = instance->boot_id && !text_equal(instance->boot_id, boot_id);
	if (w.stale)
		watch_swap(&w, ctx->now);
	if (w.swaps >= 3 || (booted && text_equal(w.boot_before, boot_id)))
		w.alarm = true;
	if (booted)
		w.boot_before = instance->boot_id;
	*ret_alarm = w.alarm;
	return booted || w.swaps ? watch_save(ctx, instance, &w, e) : RC_OK;
}

troth_rc member_clone_free(struct verb_ctx *ctx, struct instance_row *instance, bool *ret_free, struct troth_err *e)
{
	struct clone_watch w;
	*ret_free = true;
	if (!instance->alarm)
		return RC_OK;
	TRY(watch_load(ctx, instance, &w, e));
	if (!w.alarm)
		return RC_OK;
	if (w.stale || ctx->now - instance->session_opened < MEMBER_CLONE_QUIET) {
		*ret_free = false;
		return RC_OK;
	}
	w = (struct clone_watch){ .boot_before = "" };
	TRY(watch_save(ctx, instance, &w, e));
	instance->alarm = NULL;
	return instance_row_update(ctx->tx, instance, e);
}

troth_rc member_clone_quiet(struct verb_ctx *ctx, struct instance_row *instance, bool *ret_again, struct troth_err *e)
{
	bool one_voice, agent = instance->alive_until != ALIVE_ALWAYS; /* the alarm of who has none is not about clones */
	*ret_again = agent && instance->alarm && ctx->now - instance->session_opened >= MEMBER_CLONE_QUIET;
	return *ret_again ? member_clone_free(ctx, instance, &one_voice, e) : RC_OK;
}
