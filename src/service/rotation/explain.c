/* Waits in names.  See explain.h; the runner writes the rows (runner.c, write_waits). */
#include "service/rotation/explain.h"

#include <string.h>

#include "base/json.h"
#include "service/ca/hierarchy.h"
#include "service/ca/own.h"
#include "service/fleet/recovery.h"
#include "service/intake/external_ca.h"
#include "service/policy/rollout.h"
#include "service/record.h"

/* -- one row ------------------------------------------------------------------------------------- */

/* What a command printed ends with line ends. */
static const char *trimmed(struct arena *a, const char *s)
{
	size_t n = s ? strlen(s) : 0;
	while (n && (unsigned char)s[n - 1] <= ' ')
		n--;
	return s ? arena_text_n(a, s, n) : NULL;
}

/* What went wrong, or else what is not as it should be: the newest line of it. */
static const char *agent_words(struct arena *a, const struct target_row *t)
{
	const struct json *drift, *lines;
	if (t->last_error || !t->drift || rc_failed(json_parse(a, bytes_of_text(t->drift), &drift, NULL)))
		return trimmed(a, t->last_error);
	lines = json_get(drift, "lines");
	return lines && lines->list.count ? trimmed(a, lines->list.items[lines->list.count - 1].str.s) : NULL;
}

static troth_rc name_target(struct tx *tx, struct arena *a, int64_t id, enum party *ret_party, const char **ret_instance,
			    const char **ret_target, struct troth_err *e)
{
	struct target_row t;
	struct instance_row i;
	struct template_row template;
	if (!id)
		return RC_OK;
	TRY(target_row_get(tx, a, id, &t, e));
	TRY(instance_row_get(tx, a, t.instance_id, &i, e));
	TRY(template_row_get(tx, a, t.template_id, &template, e));
	*ret_instance = i.name;
	*ret_target = template.name;
	*ret_party = template.party;
	return RC_OK;
}

static troth_rc read_words(struct tx *tx, struct arena *a, int64_t target, struct explained *x, struct troth_err *e)
{
	struct target_row t;
	if (!target)
		return RC_OK;
	TRY(target_row_get(tx, a, target, &t, e));
	x->last_error = agent_words(a, &t);
	x->failing = t.last_error != NULL;
	return RC_OK;
}

/* Until when a binding has time, and whether that is over. */
static troth_rc read_deadline(struct tx *tx, struct arena *a, int64_t target, struct explained *x, struct troth_err *e)
{
	struct binding_row row;
	struct document_row *pending;
	size_t n;
	bool waits = text_equal(x->speaker, "node"); /* not for its grace */
	if (x->party != PARTY_BINDING || !waits || rc_failed(binding_row_by_target(tx, a, target, &row, NULL)) || !row.renew_by)
		return RC_OK;
	TRY(document_row_list_pending(tx, a, target, &pending, &n, e));
	x->overdue = row.overdue_since != 0;
	x->deadline = n ? pending[0].created + row.renew_by : 0;
	return RC_OK;
}

/* When was the agent of the one who waits heard of, and may it come in? */
static troth_rc read_agent(struct tx *tx, struct arena *a, int64_t target, struct explained *x, struct troth_err *e)
{
	struct target_row t;
	struct instance_row i;
	if (!target)
		return RC_OK;
	TRY(target_row_get(tx, a, target, &t, e));
	TRY(instance_row_get(tx, a, t.instance_id, &i, e));
	x->last_seen = i.last_seen;
	x->recovering = recovery_waits(tx, a, i.id, NULL);
	return RC_OK;
}

/* Of the one who waits; the other side may be another's business. */
static troth_rc name_deployment(struct tx *tx, struct arena *a, int64_t target, struct explained *x, struct troth_err *e)
{
	struct target_row t;
	struct instance_row i;
	struct deployment_row d;
	if (!target)
		return RC_OK;
	TRY(target_row_get(tx, a, target, &t, e));
	TRY(instance_row_get(tx, a, t.instance_id, &i, e));
	TRY(deployment_row_get(tx, a, i.deployment_id, &d, e));
	x->deployment = d.name;
	return RC_OK;
}

static troth_rc name_group(struct tx *tx, struct arena *a, int64_t id, struct explained *x, struct troth_err *e)
{
	struct template_row template;
	struct deployment_row deployment;
	if (!id || x->other_target)
		return RC_OK;
	TRY(template_row_get(tx, a, id, &template, e));
	TRY(deployment_row_get(tx, a, template.deployment_id, &deployment, e));
	x->other_deployment = deployment.name;
	x->other_target = template.name;
	return RC_OK;
}

static troth_rc name_authority(struct tx *tx, struct arena *a, int64_t authority, int64_t ca, struct explained *x,
			       struct troth_err *e)
{
	struct credential_row c;
	struct version_row v;
	if (authority) {
		TRY(credential_row_get(tx, a, authority, &c, e));
		x->authority = c.name;
	}
	if (ca) {
		TRY(version_row_get(tx, a, ca, &v, e));
		x->version = v.uuid;
	}
	return RC_OK;
}

/* Who froze everything, since when, and why. */
static troth_rc name_freeze(struct tx *tx, struct arena *a, struct explained *x, struct troth_err *e)
{
	struct freeze_row row;
	bool on;
	char since[RFC3339_LEN];
	if (!text_equal(x->reason, "held"))
		return RC_OK;
	TRY(freeze_row_on(tx, a, &row, &on, e));
	if (on)
		x->frozen = arena_printf(a, " since %s by %s: %s", time_format(row.frozen_at, since), row.frozen_by, row.reason);
	return RC_OK;
}

/* Is there somebody to be heard of? */
static bool has_agent(const struct explained *x)
{
	bool own = x->party == PARTY_OWN && !text_equal(x->target, OWN_PRINCIPAL) && !text_equal(x->instance, OWN_SERVER_INSTANCE);
	return party_has_instances(x->party) || own;
}

/* An authority whose key is elsewhere: how its next version comes. */
static troth_rc note_imported(struct tx *tx, struct arena *a, int64_t authority, struct explained *x, struct troth_err *e)
{
	struct credential_row c;
	if (!authority || !text_equal(x->reason, "renew-by-hand"))
		return RC_OK;
	TRY(credential_row_get(tx, a, authority, &c, e));
	x->imported = c.origin == ORIGIN_IMPORTED;
	return RC_OK;
}

/* Which version it is, and since when it was asked for. */
static troth_rc name_certificate(struct tx *tx, struct arena *a, int64_t authority, struct explained *x, struct troth_err *e)
{
	struct ca_request_row request;
	bool waits;
	int64_t ordinal;
	char since[RFC3339_LEN];
	if (!authority || (!text_equal(x->reason, "certificate") && !text_equal(x->reason, "no-signer")))
		return RC_OK;
	TRY(ca_request_row_of(tx, a, authority, &request, &waits, e));
	if (!waits)
		return RC_OK;
	TRY(external_ordinal(tx, a, authority, &ordinal, e));
	x->certificate = arena_printf(a, "the certificate of version %lld, which is signed elsewhere, asked for since %s", (long long)ordinal,
				      time_format(request.created / MSEC_S * MSEC_S, since));
	return RC_OK;
}

/* Whose rotation holds it up: its own, or that of a CA above it. */
static troth_rc name_approval(struct tx *tx, struct arena *a, int64_t authority, struct explained *x, struct troth_err *e)
{
	struct rollout_hold *holds;
	struct credential_row c;
	enum approval_step step;
	size_t n, held = 0;
	if (!authority || !rollout_step_of(x->reason, &step))
		return RC_OK;
	TRY(rollout_holds(tx, a, authority, &holds, &n, e));
	for (size_t i = n; i-- > 0;) /* what waits everywhere before what waits in some deployments; the oldest of them */
		if (holds[i].left & 1u << step && (!held || holds[i].everywhere || !holds[held - 1].everywhere))
			held = i + 1;
	if (!held)
		return RC_OK;
	TRY(credential_row_get(tx, a, holds[held - 1].rotation.credential_id, &c, e));
	x->approve = c.name;
	return RC_OK;
}

troth_rc explain_row(struct tx *tx, struct arena *a, const struct wait_row *row, struct explained *ret,
		     struct troth_err *e)
{
	const struct json *j;
	TRY(json_parse(a, bytes_of_text(row->body), &j, e));
	struct explained x = { .since = row->since, .earliest = row->earliest };
	x.speaker = json_get_text(j, "speaker", "");
	x.rule = json_get_text(j, "rule", "");
	x.reason = json_get_text(j, "reason", "");
	x.text = json_get_text(j, "text", "");
	x.count = json_get_int(j, "count", 1);
	TRY(name_freeze(tx, a, &x, e));
	TRY(name_certificate(tx, a, row->authority_id, &x, e));
	TRY(note_imported(tx, a, row->authority_id, &x, e));
	TRY(name_approval(tx, a, row->authority_id, &x, e));
	x.cause = json_get_text(j, "cause", NULL);
	x.breaks = json_get_int(j, "breaks", 0);
	x.blocks = json_get_int(j, "blocks", 0);
	TRY(name_authority(tx, a, row->authority_id, json_get_int(j, "ca", 0), &x, e));
	TRY(name_target(tx, a, row->target_id, &x.party, &x.instance, &x.target, e));
	TRY(read_words(tx, a, row->target_id, &x, e));
	TRY(name_deployment(tx, a, row->target_id, &x, e));
	TRY(name_target(tx, a, json_get_int(j, "other_target", 0), &x.other_party, &x.other_instance, &x.other_target, e));
	TRY(name_group(tx, a, json_get_int(j, "other_group", 0), &x, e));
	if (has_agent(&x))
		TRY(read_agent(tx, a, row->target_id, &x, e));
	TRY(read_deadline(tx, a, row->target_id, &x, e));
	*ret = x;
	return RC_OK;
}

/* -- in words ------------------------------------------------------------------------------------ */

/* For somebody who never read the engine's rules.  The subject (a target or an authority) stands before `plain`;
 * @ is the other side in `plain`, the subject in `hint`; % is the subject's instance, & the authority. */
#define CERTIFICATE_HINT "troth authority csr & prints the request; have it signed, then: troth authority certify & --certificate-file PEM"

static const struct words { const char *reason, *plain, *hint; } WORDS[] = {
	{ "held", "is held: everything is frozen", "it goes on after: troth thaw" },
	{ "paused", "is not moved: the rotation is paused", "go on with: troth rotation resume &" },
	{ "switch-all", "gets no certificate of the new CA before every slot can take one", NULL },
	{ "not-trusted", "keeps its old certificate until @ is seen to trust the new CA", NULL },
	{ "still-served", "keeps a CA until @ is seen to serve nothing that needs it", NULL },
	{ "chain-held", "keeps a CA until nobody holds it or a certificate that it signed", NULL },
	{ "no-signer", "has no version that can sign", "troth rotate @ makes one" },
	{ "store-full", "cannot hold that many CAs", "take members out of its bundle" },
	{ "not-valid-yet", "waits until its certificate is valid, where clocks are slow too", NULL },
	{ "not-loaded", "was sent new contents and has not reported them in use", NULL },
	{ "not-fetched", "has not fetched its new contents", NULL },
	{ "csr", "was asked for a certificate request and has not sent it", NULL },
	{ "offline", "is on a node whose agent is not heard of",
	  "does the agent on % run? there: troth agent status; if it will not come back: troth waive % --reason TEXT (first with "
	  "--dry-run: it says what that frees)" },
	{ "recovery", "has lost its identity, which expired, and asks for a new one", "troth recover list, and then: troth recover approve %" },
	{ "unknown", "has not reported what it holds",
	  "does the agent on % run? there: troth agent status; if it holds what this server never sent, or has forgotten: "
	  "troth waive % --reason TEXT makes it begin anew" },
	{ "strange", "holds what this server never made, or has forgotten; it is replaced as soon as whatever it meets accepts that",
	  "what it holds: troth target show @; if this does not end: troth waive % --reason TEXT makes it begin anew" },
	{ "pending-full", "was sent too much that it has not reported in use", NULL },
	{ "failing", "failed too often with the same contents and is left alone", "mend the cause, then: troth target retry @" },
	{ "signed-below", "keeps a CA until the CAs that it signed are gone", NULL },
	{ "admission", "joins as soon as it fits @", NULL },
	{ "budget", "waits its turn: as many instances of its deployment as may be are changing or unhealthy", NULL },
	{ "canary", "waits until the first instances have settled on the new contents", NULL },
	{ "pause-between", "waits for the end of the pause between two batches", NULL },
	{ "stopped", "is held: another instance of its deployment failed, and it shall stop then",
	  "mend the cause, then: troth rotation resume &" },
	{ "window", "waits for its maintenance window", NULL },
	{ "approve-introduce", "gets the new CA when somebody approves that step", "troth rotation approve &" },
	{ "approve-switch", "gets a certificate of the new CA when somebody approves that step", "troth rotation approve &" },
	{ "approve-withdraw", "keeps the old CA until somebody approves that it goes", "troth rotation approve &" },
	{ "lease", "is ephemeral: it leaves by itself when its lease ends", NULL },
	{ "leaving", "leaves: what it serves stays trusted until its service is stopped",
	  "stop its service; if it is stopped already: troth instance delete % --now" },
	{ "deadline", "serves a chain that ends soon, and the next one is not in use", NULL },
	{ "grace", "is vouched to trust the new CA, not seen to: the old one stays in the stores for a grace",
	  "if @ fails now, undo it: troth rotation abort" },
	{ "renew-imported", NULL, "bring the next version in before this one ends: troth authority import & --certificate-file PEM" },
	{ "renew-by-hand", "is due for renewal, and only its owner can make the next version", "bring the next version in before this one ends" },
	{ "certificate", "waits for a certificate that is signed elsewhere", CERTIFICATE_HINT },
	{ "renew-ordered", "is due for renewal; its rotation was ordered and has not begun", "troth audit list --object @ says whether it was refused, and why" },
	{ "renew-later", "is due for renewal; that waits for the rotation that runs", NULL },
	{ "outside-holder", "may still show a certificate of the old CA",
	  "take a new one (troth credential renew @ --csr-file FILE), or bring the next if it was brought; put it in use, then: troth credential "
	  "attest @ --replaced renewed" },
};

/* Its agent runs and may not come in. */
static const struct words RECOVERING = { "offline", "is on a node whose identity has expired, and which asks for a new one",
					 "troth recover list, and then: troth recover approve %" };

/* A binding is no node: nobody there runs an agent. */
static const struct words BINDING_WORDS[] = {
	{ "not-fetched", "has not fetched the bundle it is offered", NULL },
	{ "not-loaded", "fetched its bundle and has not acknowledged to run it",
	  "its next conditional fetch may say so, or somebody vouches: troth binding attest @ --reason renewed" },
	{ "unknown", "has acknowledged nothing yet",
	  "its next conditional fetch may say so, or somebody vouches: troth binding attest @ --reason renewed" },
	{ "overdue", "has not acknowledged its bundle, and its renew_by has passed",
	  "ask its owner; or go on without it: troth binding waive @" },
};

/* Nor does one there, but somebody reports for it. */
static const struct words EXTERNAL_WORDS[] = {
	{ "not-fetched", "reports through the API, and what it is offered was not fetched", "fetch it: troth instance wanted %" },
	{ "not-loaded", "reports through the API, and has not reported what it was given as loaded",
	  "when it runs there: troth instance report % --file FILE; if that will not happen: troth waive % --reason TEXT (first with "
	  "--dry-run: it says what that frees)" },
	{ "csr", "reports through the API, and was asked for a certificate request that did not come",
	  "look: troth instance wanted %; then: troth instance csr % --target TARGET --csr-file PEM" },
	{ "unknown", "reports through the API, and has not reported anything that is known here",
	  "report what it holds: troth instance report % --file FILE; or make it begin anew: troth waive % --reason TEXT" },
	{ "pending-full", "was given too much that it has not reported as loaded", "troth instance report % --file FILE" },
	{ "leaving", "leaves: what it presents stays trusted until somebody reports that it presents nothing",
	  "report \"fingerprints\": [] for it; or: troth instance delete % --now" },
	{ "grace", "reported to use the new CA and was not seen to: the old one stays in the stores for a grace",
	  "if it fails now, undo it: troth rotation abort" },
};

/* Who is no node with an agent has words of his own. */
static const struct { enum party party; const struct words *words; size_t count; } PARTY_WORDS[] = {
	{ PARTY_BINDING, BINDING_WORDS, ARRAY_LEN(BINDING_WORDS) },
	{ PARTY_EXTERNAL, EXTERNAL_WORDS, ARRAY_LEN(EXTERNAL_WORDS) },
};

/* Of troth's own: an identity is renewed by its agent, a principal's certificate by whoever has it. */
static const struct words OWN_IDENTITY_WORDS = {
	"outside-holder", "may still be a certificate of the old CA: its agent comes for a new one when it is heard of",
	"does the agent on % run? there: troth agent status; if it will not come back: troth waive % --reason TEXT (it returns with "
	"a token made by troth token create --reinstall)"
};
static const struct words OWN_PRINCIPAL_WORDS = {
	"outside-holder", "may still be one of the old CA",
	"give it a new one: troth principal rotate % --csr-file FILE (without, a token); or: troth principal revoke %"
};
static const struct words OWN_SERVER_WORDS = { "outside-holder", "is still one of the old CA: the server is about to replace it", NULL };

static const struct words *own_words(const struct explained *x, const char *reason)
{
	if (x->party != PARTY_OWN || !text_equal(reason, "outside-holder"))
		return NULL;
	return text_equal(x->target, OWN_PRINCIPAL) ? &OWN_PRINCIPAL_WORDS :
	       text_equal(x->target, OWN_IDENTITY) ? &OWN_IDENTITY_WORDS : &OWN_SERVER_WORDS;
}

/* Of an authority: the version that shall sign cannot yet. */
static const struct words SIGNS_BY_OLD = { "not-valid-yet", "signs by its old version until the new one is valid, where clocks are slow too", NULL };

/* What is said otherwise of this one than of others. */
static const struct words *special_words(const struct explained *x, const char *said)
{
	const char *reason = x->overdue ? "overdue" : said;
	if (x->recovering && (text_equal(said, "offline") || text_equal(said, "unknown")))
		return &RECOVERING;
	if (!x->instance && text_equal(said, "not-valid-yet"))
		return &SIGNS_BY_OLD;
	for (size_t i = 0; i < ARRAY_LEN(PARTY_WORDS); i++)
		for (size_t k = 0; k < PARTY_WORDS[i].count && x->instance && x->party == PARTY_WORDS[i].party; k++)
			if (text_equal(PARTY_WORDS[i].words[k].reason, reason))
				return &PARTY_WORDS[i].words[k];
	return own_words(x, reason);
}

static const struct words *words_of(const char *reason)
{
	for (size_t i = 0; i < ARRAY_LEN(WORDS); i++)
		if (text_equal(WORDS[i].reason, reason))
			return &WORDS[i];
	return NULL;
}

/* `text` with `name` for each @ (or &) in it. */
static const char *fill(struct arena *a, const char *text, const char *name)
{
	const char *out = "", *at;
	for (; (at = strpbrk(text, "@&")); text = at + 1)
		out = arena_printf(a, "%s%.*s%s", out, (int)(at - text), text, name);
	return arena_printf(a, "%s%s", out, text);
}

/* A member as people call it: a target of a node, or who is outside by its name. */
static const char *member_name(struct arena *a, enum party party, const char *instance, const char *target)
{
	if (party == PARTY_HOLDER)
		return arena_printf(a, "the holder of %s", instance);
	if (party == PARTY_BINDING)
		return arena_printf(a, "the binding %s", instance);
	if (party == PARTY_OWN && text_equal(target, OWN_PRINCIPAL))
		return arena_printf(a, "the client certificate of %s", instance);
	return arena_printf(a, "%s/%s", instance, target);
}

/* The same for every % in a hint. */
static const char *fill_instance(struct arena *a, const char *text, const char *name)
{
	const char *at = strchr(text, '%');
	return at ? arena_printf(a, "%.*s%s%s", (int)(at - text), text, name, fill_instance(a, at + 1, name)) : text;
}

static const char *subject_of(struct arena *a, const struct explained *x)
{
	if (x->instance)
		return x->target ? member_name(a, x->party, x->instance, x->target) : x->instance;
	return x->authority ? x->authority : "the fleet";
}

/* What a command calls it. */
static const char *argument_of(struct arena *a, const struct explained *x)
{
	if (x->instance && (x->party == PARTY_HOLDER || x->party == PARTY_BINDING))
		return x->instance;
	return subject_of(a, x);
}

static const char *other_of(struct arena *a, const struct explained *x)
{
	if (x->other_instance)
		return member_name(a, x->other_party, x->other_instance, x->other_target);
	return x->other_deployment ? arena_printf(a, "every %s of %s", x->other_target, x->other_deployment) : "everybody that it meets";
}

/* What ends by itself says when. */
static const char *until_when(struct arena *a, const struct explained *x)
{
	static const struct { const char *reason, *text; } SAID[] = {
		{ "window", ", which opens at " }, { "pause-between", ", at " }, { "not-valid-yet", ", that is from " },
	};
	char at[RFC3339_LEN];
	for (size_t i = 0; i < ARRAY_LEN(SAID) && x->earliest; i++)
		if (text_equal(x->reason, SAID[i].reason))
			return arena_printf(a, "%s%s", SAID[i].text, time_format((x->earliest + MSEC_S - 1) / MSEC_S * MSEC_S, at));
	return "";
}

/* "breaks on 2027-02-16T09:00:00Z, because it is on a node whose agent is not heard of" */
static const char *plain_deadline(struct arena *a, const struct explained *x)
{
	char at[RFC3339_LEN];
	const struct words *own = special_words(x, x->cause), *w = own ? own : words_of(x->cause);
	const char *because = text_equal(x->cause, "no-signer") ? "has nobody who can sign a longer one" :
			      w ? fill(a, w->plain, other_of(a, x)) : x->text;
	return arena_printf(a, "breaks on %s: it %s", time_format(x->breaks / MSEC_S * MSEC_S, at), because);
}

const char *explain_plain(struct arena *a, const struct explained *x)
{
	const struct words *own = special_words(x, x->reason), *w = own ? own : words_of(x->reason);
	const char *more = x->count > 1 ? arena_printf(a, ", and %lld more", (long long)(x->count - 1)) : "";
	const char *said = x->breaks ? plain_deadline(a, x) : x->certificate ? arena_printf(a, "waits for %s", x->certificate) :
			   w ? fill(a, w->plain, other_of(a, x)) : x->text;
	return arena_printf(a, "%s %s%s%s%s", subject_of(a, x), said, x->frozen ? x->frozen : "", until_when(a, x), more);
}

const char *explain_hint(struct arena *a, const struct explained *x)
{
	const char *reason = x->certificate ? "certificate" : x->imported ? "renew-imported" : x->cause ? x->cause : x->reason;
	const struct words *own = special_words(x, reason), *w = own ? own : words_of(reason);
	bool node = text_equal(x->speaker, "node") && x->instance && (x->party == PARTY_AGENT || (x->party == PARTY_OWN && has_agent(x)));
	if (w && w->hint)
		return fill(a, fill_instance(a, w->hint, x->instance ? x->instance : "INSTANCE"),
			    x->approve ? x->approve : strchr(w->hint, '&') && x->authority ? x->authority : argument_of(a, x));
	if (node && x->failing)
		return arena_printf(a, "mend that; it is tried again by itself, or at once with: troth target retry %s", subject_of(a, x));
	return node ? arena_printf(a, "if this lasts: does the agent on %s run? there: troth agent status", x->instance) : NULL;
}

const char *explain_sentence(struct arena *a, const struct explained *x)
{
	const char *said = x->party == PARTY_EXTERNAL ? "it reported" : "its agent said";
	const char *error = x->last_error ? arena_printf(a, "; %s: %s", said, x->last_error) : "";
	return arena_printf(a, "%s (rule %s)%s", explain_plain(a, x), x->rule, error);
}

/* -- the verb --------------------------------------------------------------------------------------- */

bool explain_is_about(struct arena *a, const struct explained *x, const char *name)
{
	if (!name || text_equal(x->authority, name) || text_equal(x->instance, name) ||
	    text_equal(x->other_instance, name))
		return true;
	return x->instance && text_equal(arena_printf(a, "%s/%s", x->instance, x->target), name);
}

/* A leaf credential is explained by what its targets wait for, an authority also by what waits below it. */
static troth_rc uses_credential(struct verb_ctx *ctx, const struct wait_row *row, int64_t credential, bool *ret,
				struct troth_err *e)
{
	struct target_row t;
	*ret = false;
	if (!credential)
		return RC_OK;
	TRY(hierarchy_has(ctx->tx, ctx->a, credential, row->authority_id, ret, e));
	if (*ret || !row->target_id)
		return RC_OK;
	TRY(target_row_get(ctx->tx, ctx->a, row->target_id, &t, e));
	*ret = t.credential_id == credential;
	return RC_OK;
}

static troth_rc count_running(struct verb_ctx *ctx, int64_t *ret, struct troth_err *e)
{
	struct rotation_row *rows;
	size_t n;
	TRY(rotation_row_list_open(ctx->tx, ctx->a, &rows, &n, e));
	*ret = (int64_t)n;
	return RC_OK;
}

bool explain_visible(const struct principal *who, const struct explained *x)
{
	const char *about = x->authority ? x->authority : x->deployment;
	return !about || record_in_scope(who, about);
}

/* "pg-1" or "pg-1/server"; the name of an instance may stand in several deployments. */
static troth_rc check_instance(struct verb_ctx *ctx, const char *name, struct troth_err *e)
{
	struct deployment_row *rows;
	struct instance_row i;
	size_t n, len = strcspn(name, "/");
	struct page page = { .limit = LIMIT_PAGE };
	do {
		TRY(deployment_row_list(ctx->tx, ctx->a, page, &rows, &n, e));
		for (size_t k = 0; k < n; k++)
			if (record_in_scope(ctx->who, rows[k].name) && rc_ok(instance_row_by_name(ctx->tx, ctx->a, rows[k].id, arena_text_n(ctx->a, name, len), &i, NULL)))
				return RC_OK;
		page.after = n ? rows[n - 1].id : page.after;
	} while (n == LIMIT_PAGE);
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "there is no instance \"%.*s\"", (int)len, name);
	err_hint(e, "names of authorities and credentials begin with /; troth instance list shows the instances");
	return rc;
}

/* Does anything of that name exist? A typing error must not look like "nothing is waited for". */
troth_rc explain_check_name(struct verb_ctx *ctx, const char *name, int64_t *ret_credential, struct troth_err *e)
{
	struct credential_row c;
	struct binding_row binding;
	*ret_credential = 0;
	if (!name)
		return RC_OK;
	if (name[0] != '/')
		return check_instance(ctx, name, e);
	TRY(record_visible(ctx->who, "credential", name, e));
	if (rc_ok(binding_row_by_name(ctx->tx, ctx->a, name, &binding, NULL)))
		return RC_OK;
	troth_rc rc = credential_row_by_name(ctx->tx, ctx->a, name, &c, e);
	if (rc_failed(rc)) {
		err_hint(e, "troth authority list, troth credential list and troth binding list show the names");
		return rc;
	}
	*ret_credential = c.id;
	return RC_OK;
}

/* A paused or signerless authority is said once, not again for each of its targets; nor anything twice. */
static bool is_repeat(const struct explained *x, const struct explained *before)
{
	bool of_one = text_equal(x->authority, before->authority) || text_equal(x->reason, "lease"); /* a lease is of all of them */
	bool same = text_equal(x->reason, before->reason) && of_one;
	if (same && !before->instance)
		return true;
	return same && text_equal(x->instance, before->instance) && text_equal(x->target, before->target) &&
	       text_equal(x->other_instance, before->other_instance) && text_equal(x->other_target, before->other_target) &&
	       text_equal(x->other_deployment, before->other_deployment);
}

static bool is_said(const struct explain_ret *ret, const struct explained *x)
{
	for (size_t i = 0; i < ret->count; i++)
		if (is_repeat(x, &ret->items[i]))
			return true;
	return false;
}

/* Who asks for a new identity waits for a person, whether anything waits for it or not. */
static troth_rc explain_recovery(struct verb_ctx *ctx, const struct recovery_row *row, const char *name, struct explain_ret *ret,
				 struct troth_err *e)
{
	struct explained *x = &ret->items[ret->count];
	struct instance_row i;
	struct deployment_row d;
	msec_t since;
	TRY(instance_row_get(ctx->tx, ctx->a, row->instance_id, &i, e));
	TRY(deployment_row_get(ctx->tx, ctx->a, i.deployment_id, &d, e));
	size_t len = name ? strcspn(name, "/") : 0;
	bool meant = !name || (strlen(i.name) == len && strncmp(name, i.name, len) == 0);
	if (!meant || !record_in_scope(ctx->who, d.name) || !recovery_waits(ctx->tx, ctx->a, i.id, &since))
		return RC_OK;
	*x = (struct explained){ .speaker = "operator", .rule = "identity", .reason = "recovery", .instance = i.name, .deployment = d.name, .count = 1,
				 .text = "waits for the approval of its recovery", .last_seen = i.last_seen, .since = since, .recovering = true };
	ret->count++;
	return RC_OK;
}

static troth_rc explain_recoveries(struct verb_ctx *ctx, const struct recovery_row *rows, size_t n, const char *name, struct explain_ret *ret,
				   struct troth_err *e)
{
	for (size_t i = 0; i < n; i++)
		TRY(explain_recovery(ctx, &rows[i], name, ret, e));
	return RC_OK;
}

static troth_rc explain_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct explain_cmd *cmd = arg;
	struct explain_ret *ret = out;
	struct wait_row *rows;
	struct recovery_row *asking;
	size_t n, asking_count;
	int64_t credential;
	TRY(explain_check_name(ctx, cmd->name, &credential, e));
	TRY(wait_row_list(ctx->tx, ctx->a, LIMIT_PAGE, &rows, &n, e));
	ret->name = cmd->name;
	TRY(recovery_row_list(ctx->tx, ctx->a, PAGE_FIRST, &asking, &asking_count, e));
	ret->items = ARENA_ARRAY(ctx->a, struct explained, n + asking_count + 1);
	TRY(explain_recoveries(ctx, asking, asking_count, cmd->name, ret, e));
	for (size_t i = 0; i < n; i++) {
		struct explained *x = &ret->items[ret->count];
		bool uses;
		TRY(explain_row(ctx->tx, ctx->a, &rows[i], x, e));
		TRY(uses_credential(ctx, &rows[i], credential, &uses, e));
		if (explain_visible(ctx->who, x) && (uses || explain_is_about(ctx->a, x, cmd->name)) && !is_said(ret, x))
			ret->count++;
	}
	return count_running(ctx, &ret->running, e);
}

const struct verb VERB_EXPLAIN = {
	.name = "explain", .kind = VERB_READ, .roles = ROLES_READ,
	.cmd_size = sizeof(struct explain_cmd), .ret_size = sizeof(struct explain_ret), .run = explain_run,
};
