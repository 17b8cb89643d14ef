/* A report of an agent: what runs at one target.
 *
 * Only a settled report at the counting level changes what the engine knows; the rest is progress for
 * people.  It is matched by generation, never by contents: "the process runs generation l, and will
 * never again load any generation <= h other than l" (engine-rules section 4).  The contents must then
 * be those of generation l; if they are not, somebody else was there, and the contents are unknown.
 *
 *     another's target        refused        an older session       refused: open a new one
 *     said before (seq)       accepted, nothing changes
 *     l older than counted    refused (A3: reported is not taken back)
 *     failed                  counted, remembered per contents, the engine stops after a few */
#include "service/agent.h"
#include "service/binding.h"
#include "service/contents.h"
#include "service/epoch.h"
#include "service/leave.h"
#include "service/member.h"
#include "service/own.h"
#include "service/policy.h"
#include "service/record.h"

enum { DOCUMENTS_KEPT = 16 }; /* older generations remembered: a node may come back from a snapshot */

struct observed {
	struct instance_row instance;
	struct target_row target;
	struct template_row template;
	const struct msg_report *m;
};

/* -- what a profile can prove ----------------------------------------------------------------------- */

/* How this kind of target shows what it has loaded: the template's parameter "proof" (its profile's
 * word), or what is usual: a server is probed at its port, a client has none, a store is loaded. */
static const char *proof_of(struct verb_ctx *ctx, const struct template_row *t)
{
	const struct json *j;
	const char *usual = t->kind == TARGET_SLOT && t->role != TARGET_CLIENT ? "probe" : "reload";
	if (!t->parameters || rc_failed(json_parse(ctx->a, bytes_of_text(t->parameters), &j, NULL)))
		return usual;
	return json_get_text(j, "proof", usual);
}

/* Counting level (section 4). */
static enum msg_level counting_level(struct verb_ctx *ctx, const struct template_row *t)
{
	const char *proof = proof_of(ctx, t);
	if (text_equal(proof, "probe"))
		return MSG_LEVEL_PROBED;
	return text_equal(proof, "read") ? MSG_LEVEL_WRITTEN : MSG_LEVEL_LOADED; /* read: at each use */
}

static bool counts(struct verb_ctx *ctx, const struct observed *o)
{
	return o->m->settled && o->m->level >= counting_level(ctx, &o->template);
}

/* -- checks -------------------------------------------------------------------------------------------- */

static troth_rc refuse_older(const struct observed *o, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_CONFLICT, "generation %lld was reported before; %lld is older",
			      (long long)o->target.base_generation, (long long)o->m->generation);
	err_detail(e, "what was reported as settled is not taken back in the same session");
	err_hint(e, "open a new session and say what the node holds");
	err_clause(e, "type:stale-session");
	return rc;
}

static troth_rc check(const struct observed *o, struct troth_err *e)
{
	const struct msg_report *m = o->m;
	ENSURE(m->high_water >= m->generation, e, TROTH_INVALID, "high_water %lld is below generation %lld",
	       (long long)m->high_water, (long long)m->generation);
	ENSURE(m->failed_generation == 0 || m->failed_generation <= m->high_water, e, TROTH_INVALID,
	       "generation %lld failed but high_water is %lld: it could still be applied",
	       (long long)m->failed_generation, (long long)m->high_water);
	if (o->target.base_known &&
	    (m->generation < o->target.base_generation || m->high_water < o->target.high_water))
		return refuse_older(o, e);
	return RC_OK;
}

/* -- what is remembered for people ----------------------------------------------------------------------- */

static const char *texts_json(struct arena *a, struct json_texts lines)
{
	struct record r;
	record_begin(&r);
	jw_key(&r.w, "lines");
	jw_array(&r.w);
	for (size_t i = 0; i < lines.count; i++)
		jw_text(&r.w, lines.items[i]);
	jw_array_end(&r.w);
	return record_end(&r, a);
}

static troth_rc note_drift(struct verb_ctx *ctx, struct observed *o, struct troth_err *e)
{
	if (o->m->drift.count == 0) {
		o->target.drift = NULL;
		return RC_OK;
	}
	o->target.drift = texts_json(ctx->a, o->m->drift);
	return member_event(ctx, &o->instance, "target.drift", o->template.name, o->m->drift.items[0], e);
}

static troth_rc note_found(struct verb_ctx *ctx, struct observed *o, struct troth_err *e)
{
	if (!o->m->has_found)
		return RC_OK;
	struct record r;
	record_begin(&r);
	jw_key(&r.w, "fingerprints");
	jw_array(&r.w);
	for (size_t i = 0; i < o->m->found_fingerprints.count; i++)
		jw_text(&r.w, o->m->found_fingerprints.items[i]);
	jw_array_end(&r.w);
	jw_kv_text(&r.w, "text", o->m->found_text);
	jw_kv_time(&r.w, "at", ctx->now);
	o->target.found = record_end(&r, ctx->a);
	return member_event(ctx, &o->instance, "target.found", o->template.name, o->m->found_text, e);
}

static void note_level(struct observed *o)
{
	static const enum target_level levels[] = { LEVEL_WRITTEN, LEVEL_LOADED, LEVEL_PROBED };
	o->target.level = levels[o->m->level];
	o->target.level_generation = o->m->generation;
}

/* For people, also when the report does not count: a node that is stuck says why. */
static void note_reason(struct observed *o)
{
	if (o->m->failed_generation)
		o->target.last_error = o->m->failed_reason ? o->m->failed_reason : "no reason given";
	else if (!o->m->settled && o->m->drift.count) /* stuck: its last line is why */
		o->target.last_error = o->m->drift.items[o->m->drift.count - 1];
}

/* Failures of the same contents in a row; success of them, or other contents, begin at zero.  An agent
 * repeats what failed last in later reports: only what is above the high-water mark is news. */
static troth_rc count_failure(struct verb_ctx *ctx, struct observed *o, struct troth_err *e)
{
	struct document_row d;
	struct target_row *t = &o->target;
	if (o->m->failed_generation == 0 || o->m->failed_generation <= t->high_water)
		return RC_OK;
	if (rc_ok(document_row_by_generation(ctx->tx, ctx->a, t->id, o->m->failed_generation, &d, NULL))) {
		t->failures = t->failed_content == d.content_id ? t->failures + 1 : 1;
		t->failed_content = d.content_id;
	}
	if (t->state == TARGET_COUNTED && o->template.party != PARTY_OWN)
		TRY(rolling_failed(ctx, &o->instance, o->template.name, t->last_error, e));
	return member_event(ctx, &o->instance, "target.failed", o->template.name, t->last_error, e);
}

/* -- counting ------------------------------------------------------------------------------------------------- */

/* A chain of ours by its fingerprints. */
static troth_rc find_chain(struct verb_ctx *ctx, const struct observed *o, int64_t cert_id, bool *ret_known,
			   int64_t *ret_content, struct troth_err *e)
{
	struct version_row *versions;
	struct content_row *contents;
	size_t version_count, n;
	TRY(version_row_list_cert(ctx->tx, ctx->a, cert_id, &versions, &version_count, e));
	for (size_t i = 0; i < version_count; i++) {
		TRY(content_row_list_version(ctx->tx, ctx->a, versions[i].id, &contents, &n, e));
		for (size_t k = 0; k < n && !*ret_known; k++) {
			TRY(contents_match(ctx->tx, ctx->a, contents[k].id, o->m->fingerprints, ret_known, e));
			*ret_content = *ret_known ? contents[k].id : 0;
		}
	}
	return RC_OK;
}

/* From now on we remember it, as if we had sent it. */
static troth_rc remember(struct verb_ctx *ctx, const struct observed *o, int64_t content_id, struct troth_err *e)
{
	struct content_row content;
	TRY(content_row_get(ctx->tx, ctx->a, content_id, &content, e));
	struct document_row d = { .target_id = o->target.id, .generation = o->m->generation, .content_id = content.id,
				  .version_id = content.version_id, .state = DOCUMENT_SETTLED, .created = ctx->now,
				  .handed_at = ctx->now, .session = o->m->session };
	return document_row_insert(ctx->tx, &d, e);
}

/* The certificates that it names, if we know them all; count 0 otherwise. */
static struct id_list known_certs(struct verb_ctx *ctx, struct json_texts said)
{
	struct id_list certs = { ARENA_ARRAY(ctx->a, int64_t, said.count + 1), 0 };
	for (size_t i = 0; i < said.count; i++) {
		uint8_t fingerprint[SHA256_LEN];
		struct cert_row cert;
		if (!hex_decode(said.items[i], strlen(said.items[i]), fingerprint, sizeof fingerprint) ||
		    rc_failed(cert_row_by_fingerprint(ctx->tx, ctx->a, bytes_of(fingerprint, sizeof fingerprint), &cert, NULL)))
			return (struct id_list){ 0 };
		certs.items[certs.count++] = cert.id;
	}
	return certs;
}

static troth_rc put_set(struct verb_ctx *ctx, struct id_list certs, bool *ret_known, int64_t *ret_content, struct troth_err *e)
{
	struct content_row set = { .kind = CONTENT_SET, .certs = certs };
	TRY(content_row_put(ctx->tx, &set, e));
	verb_changed(ctx, CHANGED_CONTENT, set.id);
	*ret_content = set.id;
	*ret_known = true;
	return RC_OK;
}

/* An agent's own trust, as its enrolment left it: no document, but known certificates. */
static troth_rc match_enrolled(struct verb_ctx *ctx, const struct observed *o, bool *ret_known, int64_t *ret_content, struct troth_err *e)
{
	struct id_list certs = known_certs(ctx, o->m->fingerprints);
	return certs.count ? put_set(ctx, certs, ret_known, ret_content, e) : RC_OK;
}

/* A generation that we do not remember (the server or the node was restored).  It says which
 * certificates run, and that nothing older ever will: if we know them all, we know what it holds. */
static troth_rc match_stranger(struct verb_ctx *ctx, const struct observed *o, bool *ret_known, int64_t *ret_content,
			       struct troth_err *e)
{
	struct id_list certs = known_certs(ctx, o->m->fingerprints);
	if (certs.count == 0)
		return RC_OK;
	if (o->template.kind == TARGET_SLOT)
		TRY(find_chain(ctx, o, certs.items[0], ret_known, ret_content, e));
	else
		TRY(put_set(ctx, certs, ret_known, ret_content, e));
	return *ret_known ? remember(ctx, o, *ret_content, e) : RC_OK;
}

/* The content of generation l if the fingerprints are its own; 0 otherwise. */
static troth_rc match(struct verb_ctx *ctx, const struct observed *o, bool *ret_known, int64_t *ret_content,
		      struct troth_err *e)
{
	struct document_row d;
	*ret_known = false;
	*ret_content = 0;
	if (o->m->generation == 0 && own_verifies(&o->template))
		return match_enrolled(ctx, o, ret_known, ret_content, e);
	if (o->m->generation == 0) { /* nothing of ours */
		*ret_known = o->m->fingerprints.count == 0;
		return RC_OK;
	}
	if (rc_failed(document_row_by_generation(ctx->tx, ctx->a, o->target.id, o->m->generation, &d, NULL)))
		return match_stranger(ctx, o, ret_known, ret_content, e);
	TRY(contents_match(ctx->tx, ctx->a, d.content_id, o->m->fingerprints, ret_known, e));
	if (*ret_known)
		*ret_content = d.content_id;
	return RC_OK;
}

/* The number stands for other contents than we sent under it: it was used twice (we were restored in between), or
 * somebody else was there.  It is forgotten, and the agent is asked to begin anew: then it is matched as a stranger's. */
static troth_rc forget_number(struct verb_ctx *ctx, struct observed *o, struct troth_err *e)
{
	struct document_row d;
	if (o->m->generation == 0 ||
	    rc_failed(document_row_by_generation(ctx->tx, ctx->a, o->target.id, o->m->generation, &d, NULL)))
		return RC_OK; /* nothing was sent under it */
	TRY(document_row_delete(ctx->tx, o->target.id, o->m->generation, e));
	o->instance.session = 0;
	TRY(instance_row_update(ctx->tx, &o->instance, e));
	verb_publish(ctx, "instance/%s", o->instance.uuid);
	return RC_OK;
}

static troth_rc count_unknown(struct verb_ctx *ctx, struct observed *o, bool known, struct troth_err *e)
{
	struct target_row *t = &o->target;
	t->base_known = false;
	t->strange = !known;
	t->base_content = 0;
	if (o->m->high_water >= t->next_generation)
		t->next_generation = o->m->high_water + 1;
	TRY(document_row_void(ctx->tx, t->id, e));
	if (!known)
		TRY(forget_number(ctx, o, e));
	return member_event(ctx, &o->instance, "target.unknown", o->template.name,
			    "it runs something that was not sent under this generation", e);
}

static void clear_failure(struct target_row *t)
{
	t->failed_content = 0;
	t->failures = 0;
	t->last_error = NULL;
}

/* How long it took from being handed out: what a deadline reckons with.  The slowest of late; who was away in
 * between was not slow, so there is a limit. */
static void note_pace(struct verb_ctx *ctx, struct observed *o)
{
	struct document_row d;
	msec_t most = (LIMIT_RELOAD_S + LIMIT_DRAIN_S) * MSEC_S, faded = o->target.pace / 4 * 3;
	if (rc_failed(document_row_by_generation(ctx->tx, ctx->a, o->target.id, o->m->generation, &d, NULL)) ||
	    d.state != DOCUMENT_PENDING || !d.handed_at || d.handed_at > ctx->now)
		return;
	msec_t took = ctx->now - d.handed_at + 1; /* never 0: that is "not measured" */
	took = took > most ? most : took;
	o->target.pace = took > faded ? took : faded;
}

static troth_rc count_known(struct verb_ctx *ctx, struct observed *o, int64_t content, struct troth_err *e)
{
	struct target_row *t = &o->target;
	note_pace(ctx, o);
	bool news = !t->base_known || t->base_content != content || t->base_generation != o->m->generation;
	if (o->template.kind == TARGET_SLOT && t->base_known && content && t->base_content != content)
		TRY(binding_rested_on(ctx, t, t->base_content, content, e));
	t->base_known = true;
	t->strange = false;
	t->base_content = content;
	t->base_generation = o->m->generation;
	if (o->m->high_water > t->high_water)
		t->high_water = o->m->high_water;
	t->seen_at = ctx->now;
	if (t->high_water >= t->next_generation)
		t->next_generation = t->high_water + 1;
	if (news && o->m->failed_generation == 0 && o->m->generation > 0) /* what it ran before proves nothing */
		clear_failure(t);
	TRY(document_row_settle(ctx->tx, t->id, t->high_water, e));
	TRY(document_row_forget(ctx->tx, t->id, t->base_generation - DOCUMENTS_KEPT, e));
	if (!news)
		return RC_OK;
	if (t->state == TARGET_COUNTED && o->template.party != PARTY_OWN)
		TRY(rolling_settled(ctx, &o->instance, e));
	return member_event(ctx, &o->instance, "target.settled", o->template.name, msg_level_name(o->m->level), e);
}

static troth_rc count(struct verb_ctx *ctx, struct observed *o, struct troth_err *e)
{
	bool one_voice, known;
	int64_t content;
	TRY(member_clone_free(ctx, &o->instance, &one_voice, e));
	TRY(match(ctx, o, &known, &content, e));
	TRY(count_failure(ctx, o, e));
	if (!one_voice || !known)
		return count_unknown(ctx, o, known, e);
	return count_known(ctx, o, content, e);
}

/* A leaver's service is stopped: what it served is met by nobody any more. */
static troth_rc stopped(struct verb_ctx *ctx, struct observed *o, struct troth_err *e)
{
	TRY(member_event(ctx, &o->instance, "target.stopped", o->template.name, "its service is stopped", e));
	TRY(leave_target(ctx, &o->target, e));
	return leave_if_empty(ctx, o->instance.id, e);
}

/* It has a number that we never gave out.  True: a new epoch began, and the report is void with all sessions. */
static troth_rc ahead(struct verb_ctx *ctx, const struct observed *o, bool *ret_raised, struct troth_err *e)
{
	*ret_raised = false;
	if (o->m->high_water < o->target.next_generation)
		return RC_OK;
	return epoch_word(ctx, &o->instance, o->m->high_water, ret_raised, e);
}

static troth_rc report_run(struct verb_ctx *ctx, const void *cmd, void *ret, struct troth_err *e)
{
	struct report_ret *r = ret;
	struct observed o = { .m = cmd };
	bool raised;
	TRY(member_load(ctx, &o.instance, e));
	TRY(member_target(ctx, &o.instance, o.m->target, &o.target, e));
	TRY(template_row_get(ctx->tx, ctx->a, o.target.template_id, &o.template, e));
	TRY(member_session(&o.instance, o.m->session, e));
	if (o.m->seq <= o.target.report_seq)
		return RC_OK; /* said before */
	if (o.m->stopped && o.target.state == TARGET_LEAVING)
		return stopped(ctx, &o, e);
	TRY(check(&o, e));
	TRY(ahead(ctx, &o, &raised, e));
	if (raised)
		return RC_OK;
	o.target.report_seq = o.m->seq;
	note_level(&o);
	note_reason(&o);
	TRY(note_found(ctx, &o, e));
	TRY(note_drift(ctx, &o, e));
	r->counted = counts(ctx, &o);
	if (r->counted)
		TRY(count(ctx, &o, e));
	TRY(target_row_update(ctx->tx, &o.target, e));
	verb_changed(ctx, CHANGED_TARGET, o.target.id);
	return member_touch(ctx, &o.instance, e);
}

const struct verb VERB_AGENT_REPORT = {
	.name = "agent.report", .kind = VERB_WRITE, .roles = ROLE_AGENT,
	.cmd_size = sizeof(struct msg_report), .ret_size = sizeof(struct report_ret), .run = report_run,
};
