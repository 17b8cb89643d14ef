/* Rows into facts: the only place that tells the engine what the archive says.
 *
 * The same functions serve the rebuild (all rows, in an order in which each thing comes before what
 * names it) and a single change (one row read again).  So the incremental view and the rebuilt one can
 * only differ where a row left without a word; service_check_view finds that. */
#include "service/ca/issue.h"
#include "service/ca/own.h"
#include "service/inside.h"
#include "service/intake/external_ca.h"
#include "service/intake/upload.h"
#include "service/policy/rollout.h"

enum {
	REBUILD_PAGE = 500,              /* rows read at once */
	REBUILD_ARENA_BYTES = 64 << 20,  /* a page of 500 targets with everything they hold */
};

static void tell(struct view *view, const struct fact *f)
{
	(void)view_apply(view, f); /* false: older than known; the rows are what counts, and they agree */
}

static int role_bits(const struct template_row *t)
{
	switch (t->role) {
	case TARGET_SERVER: return ROLE_IS_SERVER;
	case TARGET_CLIENT: return ROLE_IS_CLIENT;
	case TARGET_BOTH:   break;
	}
	return ROLE_IS_SERVER | ROLE_IS_CLIENT;
}

/* -- authorities --------------------------------------------------------------------------------- */

/* The certificates that, each alone in a store, accept a leaf signed by this version: of a root itself
 * and those with its subject and key, of an intermediate those of its issuer. */
static troth_rc leaf_anchors(struct tx *tx, struct arena *a, const struct version_row *version, int depth,
			     struct engine_ids *ret, struct troth_err *e)
{
	struct version_row issuer;
	if (version->signed_by && depth < LIMIT_CHAIN_CERTS) {
		TRY(version_row_get(tx, a, version->signed_by, &issuer, e));
		return leaf_anchors(tx, a, &issuer, depth + 1, ret, e);
	}
	struct cert_row cert, *same;
	size_t n;
	TRY(cert_row_get(tx, a, version->cert_id, &cert, e));
	TRY(cert_row_list_subject_key(tx, a, cert.subject_key, &same, &n, e));
	int64_t *ids = ARENA_ARRAY(a, int64_t, n + 1);
	size_t kept = 0;
	for (size_t i = 0; i < n; i++)
		if (same[i].is_ca && same[i].self_signed) /* a cross certificate is no anchor */
			ids[kept++] = same[i].id;
	*ret = (struct engine_ids){ ids, kept };
	return RC_OK;
}

/* What accepts a chain that has the bridge: what accepts it plain, and the older root. */
static troth_rc bridge_anchors(struct tx *tx, struct arena *a, const struct issue_bridge *bridge, struct engine_ids plain,
			       struct engine_ids *ret, struct troth_err *e)
{
	struct version_row by;
	struct engine_ids old;
	TRY(version_row_get(tx, a, bridge->by, &by, e));
	TRY(leaf_anchors(tx, a, &by, 0, &old, e));
	int64_t *ids = ARENA_ARRAY(a, int64_t, plain.count + old.count + 1);
	for (size_t i = 0; i < plain.count; i++)
		ids[i] = plain.items[i];
	for (size_t i = 0; i < old.count; i++)
		ids[plain.count + i] = old.items[i];
	*ret = (struct engine_ids){ ids, plain.count + old.count };
	return RC_OK;
}

/* Served with it are the CAs between it and its root: what it signs lives no longer than each of them. */
static troth_rc narrow(struct tx *tx, struct arena *a, const struct version_row *v, struct fact *f, struct troth_err *e)
{
	for (size_t i = 0; i < v->above.count; i++) {
		struct cert_row cert;
		TRY(cert_row_get(tx, a, v->above.items[i], &cert, e));
		if (cert.not_before > f->ca.not_before)
			f->ca.not_before = cert.not_before;
		if (cert.not_after < f->ca.not_after)
			f->ca.not_after = cert.not_after;
	}
	return RC_OK;
}

static troth_rc tell_ca(struct tx *tx, struct arena *a, struct view *view, const struct version_row *v,
			struct troth_err *e)
{
	struct cert_row cert;
	struct fact f = { .kind = FACT_CA };
	struct issue_bridge bridge;
	TRY(cert_row_get(tx, a, v->cert_id, &cert, e));
	TRY(leaf_anchors(tx, a, v, 0, &f.ca.leaf_anchors, e));
	f.ca.ca = v->id;
	f.ca.authority = v->credential_id;
	f.ca.cert = v->cert_id;
	f.ca.order = v->id;
	f.ca.wanted = v->wanted;
	f.ca.signing = v->signing;
	f.ca.can_sign = v->can_sign;
	f.ca.distrusted = v->distrusted;
	f.ca.retired = v->retired_at != 0;
	f.ca.not_before = cert.not_before;
	f.ca.not_after = cert.not_after;
	TRY(narrow(tx, a, v, &f, e));
	f.ca.issued = v->created;
	f.ca.renew_at = v->renew_at;
	f.ca.renew_latest = v->renew_latest;
	f.ca.renewing = v->renewing != 0;
	f.ca.by_hand = !v->can_sign;
	f.ca.issuer = v->signed_by;
	TRY(issue_bridge(tx, a, v, &bridge, e));
	if (bridge.cert)
		TRY(bridge_anchors(tx, a, &bridge, f.ca.leaf_anchors, &f.ca.bridge_anchors, e));
	f.ca.bridge_by = bridge.by;
	f.ca.bridge_from = bridge.from;
	f.ca.bridge_until = bridge.until;
	tell(view, &f);
	return RC_OK;
}

static void tell_steering(struct view *view, const struct credential_row *c)
{
	struct fact f = { .kind = FACT_PAUSED, .paused = { c->id, c->paused } };
	struct fact deadline = { .kind = FACT_ON_DEADLINE, .on_deadline = { c->id, c->hold_at_deadline } };
	struct fact grace = { .kind = FACT_GRACE, .grace = { c->id, c->grace_target, c->grace_until } };
	tell(view, &f);
	tell(view, &deadline);
	tell(view, &grace);
}

/* Somebody else signs it: is a certificate out? */
static troth_rc tell_external(struct tx *tx, struct arena *a, struct view *view, const struct credential_row *c, struct troth_err *e)
{
	struct ca_request_row request;
	struct fact f = { .kind = FACT_EXTERNAL, .external = { .authority = c->id } };
	if (c->origin != ORIGIN_EXTERNAL)
		return RC_OK;
	TRY(ca_request_row_of(tx, a, c->id, &request, &f.external.awaited, e));
	tell(view, &f);
	return RC_OK;
}

/* The steps that nobody approved, of its own rotation and of those of the CAs above it. */
static troth_rc tell_rollout(struct tx *tx, struct arena *a, struct view *view, int64_t credential_id, struct troth_err *e)
{
	_Static_assert(STEP_INTRODUCE == 1 << APPROVAL_INTRODUCE && STEP_SWITCH == 1 << APPROVAL_SWITCH &&
		       STEP_WITHDRAW == 1 << APPROVAL_WITHDRAW, "the engine's bits are the store's steps");
	struct rollout_row row;
	struct rollout_hold *holds;
	size_t n;
	struct fact f = { .kind = FACT_ROLLOUT, .rollout = { .authority = credential_id } };
	TRY(rollout_row_of(tx, a, credential_id, &row, e));
	TRY(rollout_holds(tx, a, credential_id, &holds, &n, e));
	f.rollout.switch_all = row.switch_all;
	for (size_t i = 0; i < n; i++) {
		f.rollout.unapproved |= holds[i].left;
		f.rollout.everywhere |= holds[i].everywhere ? holds[i].left : 0;
	}
	tell(view, &f);
	return RC_OK;
}

static troth_rc tell_chains_of(struct tx *tx, struct arena *a, struct view *view, int64_t version_id,
			       struct troth_err *e)
{
	struct content_row *contents;
	size_t n;
	TRY(content_row_list_version(tx, a, version_id, &contents, &n, e));
	for (size_t i = 0; i < n; i++)
		TRY(facts_content(tx, a, view, contents[i].id, e));
	return RC_OK;
}

troth_rc facts_credential(struct tx *tx, struct arena *a, struct view *view, int64_t credential_id, struct troth_err *e)
{
	struct credential_row credential;
	struct version_row *versions;
	size_t n;
	TRY(credential_row_get(tx, a, credential_id, &credential, e));
	TRY(credential.kind == CREDENTIAL_AUTHORITY ? version_row_list_credential(tx, a, credential_id, PAGE_ALL, &versions, &n, e)
						    : version_row_list_recent(tx, a, credential_id, LIMIT_VERSIONS_LIVE, &versions, &n, e));
	for (size_t i = 0; i < n; i++) {
		if (credential.kind == CREDENTIAL_AUTHORITY)
			TRY(tell_ca(tx, a, view, &versions[i], e));
		else
			TRY(tell_chains_of(tx, a, view, versions[i].id, e));
	}
	if (credential.kind != CREDENTIAL_AUTHORITY)
		return RC_OK;
	tell_steering(view, &credential);
	TRY(tell_external(tx, a, view, &credential, e));
	return tell_rollout(tx, a, view, credential_id, e);
}

/* -- groups, goals, meets --------------------------------------------------------------------------- */

static bool has_id(const struct engine_ids *list, int64_t id)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i] == id)
			return true;
	return false;
}

/* Trusting an external authority is trusting the root that it stands below; before its first certificate, nothing. */
static troth_rc goal_authority(struct tx *tx, struct arena *a, int64_t id, struct engine_ids *list, int64_t *items, struct troth_err *e)
{
	struct credential_row c;
	TRY(credential_row_get(tx, a, id, &c, e));
	int64_t trusted = c.origin == ORIGIN_EXTERNAL ? c.issuer_id : c.id;
	if (trusted && !has_id(list, trusted))
		items[list->count++] = trusted;
	return RC_OK;
}

static troth_rc tell_goal(struct tx *tx, struct arena *a, struct view *view, const struct template_row *t,
			  struct troth_err *e)
{
	struct bundle_member_row *members;
	size_t n, certs = 0;
	TRY(bundle_member_row_list_bundle(tx, a, t->bundle_id, PAGE_ALL, &members, &n, e));
	int64_t *authority_ids = ARENA_ARRAY(a, int64_t, n + 1), *cert_ids = ARENA_ARRAY(a, int64_t, n + 1);
	struct fact f = { .kind = FACT_GOAL, .goal = { .group = t->id, .authorities = { authority_ids, 0 } } };
	for (size_t i = 0; i < n; i++) {
		if (members[i].authority_id)
			TRY(goal_authority(tx, a, members[i].authority_id, &f.goal.authorities, authority_ids, e));
		else
			cert_ids[certs++] = members[i].cert_id;
	}
	f.goal.certs = (struct engine_ids){ cert_ids, certs };
	tell(view, &f);
	return RC_OK;
}

static troth_rc tell_template(struct tx *tx, struct arena *a, struct view *view, const struct template_row *t,
			      struct troth_err *e)
{
	struct fact f = { .kind = FACT_GROUP };
	f.group.group = t->id;
	f.group.kind = t->kind == TARGET_SLOT ? GROUP_SLOT : GROUP_STORE;
	f.group.role = role_bits(t);
	f.group.atomic = t->atomic;
	f.group.store_limit = t->store_limit;
	f.group.outside = t->party == PARTY_HOLDER || own_presents(t);
	f.group.deployment = party_has_instances(t->party) ? t->deployment_id : 0;
	tell(view, &f);
	if (t->kind == TARGET_STORE && t->bundle_id)
		return tell_goal(tx, a, view, t, e);
	return RC_OK;
}

static void tell_rolling(struct view *view, const struct rolling_row *row)
{
	struct fact f = { .kind = FACT_ROLLING };
	f.rolling.deployment = row->deployment_id;
	f.rolling.max_unavailable = row->max_unavailable;
	f.rolling.canary = row->canary;
	f.rolling.pause = row->pause;
	f.rolling.settled_at = row->pause ? row->settled_at : 0;
	f.rolling.stopped = row->stopped_at != 0;
	f.rolling.manual = row->manual;
	f.rolling.windowed = row->windows != NULL;
	f.rolling.open = row->windows && row->window_open;
	f.rolling.until = row->windows ? row->window_until : 0;
	tell(view, &f);
}

troth_rc facts_rolling(struct tx *tx, struct arena *a, struct view *view, int64_t deployment_id, struct troth_err *e)
{
	struct rolling_row row;
	bool found;
	TRY(rolling_row_of(tx, a, deployment_id, &row, &found, e));
	tell_rolling(view, &row);
	return RC_OK;
}

static troth_rc tell_hold(struct tx *tx, struct arena *a, struct view *view, struct troth_err *e)
{
	struct freeze_row row;
	struct fact f = { .kind = FACT_HOLD };
	TRY(freeze_row_on(tx, a, &row, &f.hold.on, e));
	tell(view, &f);
	return RC_OK;
}

static void tell_meet(struct view *view, const struct meet_row *m)
{
	struct fact f = { .kind = FACT_MEET, .meet = { m->presenter_id, m->verifier_id, m->on } };
	tell(view, &f);
}

/* -- contents ------------------------------------------------------------------------------------------- */

/* Of an uploaded chain: what anchored it when it came, and every CA with that one's subject and key. */
static troth_rc uploaded_anchors(struct tx *tx, struct arena *a, const struct version_row *leaf, struct engine_ids *ret,
				 struct troth_err *e)
{
	struct version_row anchor = { .cert_id = leaf->anchor_cert };
	return leaf_anchors(tx, a, &anchor, 0, ret, e);
}

/* Does the chain end with the cross certificate of its root? */
static troth_rc tell_bridge(struct tx *tx, struct arena *a, const struct content_row *content, const struct version_row *signer,
			    struct fact *f, struct troth_err *e)
{
	struct issue_bridge bridge;
	TRY(issue_bridge(tx, a, signer, &bridge, e));
	if (!bridge.cert || content->certs.items[content->certs.count - 1] != bridge.cert)
		return RC_OK;
	f->chain.bridged_by = bridge.by;
	return bridge_anchors(tx, a, &bridge, f->chain.anchors, &f->chain.anchors, e);
}

static troth_rc tell_chain(struct tx *tx, struct arena *a, struct view *view, const struct content_row *content,
			   struct troth_err *e)
{
	struct version_row leaf, signer;
	struct fact f = { .kind = FACT_CHAIN };
	TRY(version_row_get(tx, a, content->version_id, &leaf, e));
	if (leaf.anchor_cert) {
		TRY(uploaded_anchors(tx, a, &leaf, &f.chain.anchors, e));
	} else if (leaf.signed_by) {
		TRY(version_row_get(tx, a, leaf.signed_by, &signer, e));
		TRY(leaf_anchors(tx, a, &signer, 0, &f.chain.anchors, e));
		TRY(tell_bridge(tx, a, content, &signer, &f, e));
	}
	f.chain.chain = content->id;
	f.chain.signed_by = leaf.signed_by;
	f.chain.renew_at = leaf.renew_at;
	f.chain.distrusted = leaf.distrusted;
	f.chain.issued = leaf.created;
	for (size_t i = 0; i < content->certs.count; i++) {
		struct cert_row cert;
		TRY(cert_row_get(tx, a, content->certs.items[i], &cert, e));
		if (i == 0 || cert.not_before > f.chain.not_before)
			f.chain.not_before = cert.not_before;
		if (i == 0 || cert.not_after < f.chain.not_after)
			f.chain.not_after = cert.not_after;
	}
	tell(view, &f);
	return RC_OK;
}

static troth_rc tell_content(struct tx *tx, struct arena *a, struct view *view, const struct content_row *content,
			     struct troth_err *e)
{
	if (content->kind == CONTENT_CHAIN)
		return tell_chain(tx, a, view, content, e);
	struct fact f = { .kind = FACT_SET };
	f.set.set = content->id;
	f.set.certs = (struct engine_ids){ content->certs.items, content->certs.count };
	tell(view, &f);
	return RC_OK;
}

troth_rc facts_content(struct tx *tx, struct arena *a, struct view *view, int64_t content_id, struct troth_err *e)
{
	struct content_row content;
	TRY(content_row_get(tx, a, content_id, &content, e));
	return tell_content(tx, a, view, &content, e);
}

/* -- instances and targets --------------------------------------------------------------------------------- */

/* What is troth's own on an agent's instance stands on a twin of it: an instance of the engine is of one deployment, and
 * a new trust file of the agent is no change of a service that a rollout would count. */
static int64_t twin_of(int64_t instance_id)
{
	return instance_id | INT64_C(1) << 52;
}

static void tell_instance(struct view *view, const struct instance_row *i)
{
	bool lives = i->state == INSTANCE_ACTIVE && i->session != 0;
	struct fact f = { .kind = FACT_ALIVE, .alive = { i->id, lives ? i->alive_until : 0 } };
	tell(view, &f);
	f.alive.instance = twin_of(i->id);
	tell(view, &f);
}

/* What the target runs, as far as we know.  Unknown contents void what was on its way before. */
static void tell_base(struct view *view, const struct target_row *t)
{
	struct fact gone = { .kind = FACT_VOID, .voided = { t->id } };
	struct fact seen = { .kind = FACT_SEEN,
			     .seen = { t->id, t->base_content ? t->base_content : CONTENT_NONE, t->base_generation,
				       t->high_water } };
	if (!t->base_known) {
		tell(view, &gone);
		seen.seen.content = t->strange ? CONTENT_STRANGE : 0;
	}
	if (t->seen_at || t->strange)
		tell(view, &seen);
}

static troth_rc tell_documents(struct tx *tx, struct arena *a, struct view *view, int64_t target_id,
			       struct troth_err *e)
{
	struct document_row *documents;
	size_t n;
	TRY(document_row_list_pending(tx, a, target_id, &documents, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct fact sent = { .kind = FACT_SENT,
				     .sent = { target_id, documents[i].generation, documents[i].content_id } };
		struct fact handed = { .kind = FACT_HANDED, .handed = { target_id, documents[i].generation } };
		tell(view, &sent);
		if (documents[i].handed_at)
			tell(view, &handed);
	}
	return RC_OK;
}

static void tell_handed(struct view *view, const struct document_row *d)
{
	struct fact sent = { .kind = FACT_SENT, .sent = { d->target_id, d->generation, d->content_id } };
	struct fact handed = { .kind = FACT_HANDED, .handed = { d->target_id, d->generation } };
	tell(view, &sent);
	tell(view, &handed);
}

static void tell_unknown(struct view *view, int64_t target_id)
{
	struct fact f = { .kind = FACT_VOID, .voided = { target_id } };
	tell(view, &f);
}

/* A holder outside the fleet may show all that it was handed.  They leave without a word of its own, so they are told
 * from the beginning each time; the oldest stands for what was seen last. */
static troth_rc tell_held(struct tx *tx, struct arena *a, struct view *view, int64_t target_id, struct troth_err *e)
{
	struct document_row *held;
	size_t n;
	TRY(document_row_list_pending(tx, a, target_id, &held, &n, e));
	tell_unknown(view, target_id);
	for (size_t i = 0; i < n; i++) {
		struct fact seen = { .kind = FACT_SEEN, .seen = { target_id, held[i].content_id, held[i].generation, held[i].generation } };
		if (i == 0)
			tell(view, &seen);
		else
			tell_handed(view, &held[i]);
	}
	return RC_OK;
}

static troth_rc tell_staged(struct tx *tx, struct arena *a, struct view *view, int64_t target_id, struct troth_err *e)
{
	struct staged_row *staged;
	size_t n;
	TRY(staged_row_list_target(tx, a, target_id, &staged, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct fact f = { .kind = FACT_STAGED, .staged = { target_id, staged[i].content_id, true } };
		tell(view, &f);
	}
	return RC_OK;
}

static enum engine_target_state engine_state(enum target_state state, bool ignored)
{
	switch (state) {
	case TARGET_JOINING: return ignored ? ENGINE_TARGET_IGNORED : ENGINE_TARGET_JOINING;
	case TARGET_COUNTED: return ENGINE_TARGET_COUNTED;
	case TARGET_LEAVING: return ENGINE_TARGET_LEAVING;
	case TARGET_WAIVED: case TARGET_LEFT: break; /* out of Meet */
	}
	return ENGINE_TARGET_LEFT;
}

/* Who signs for it by itself: nobody, where its certificate is somebody's upload. */
static troth_rc signing_authority(struct tx *tx, struct arena *a, const struct target_row *t, const struct template_row *template,
				  int64_t *ret, struct troth_err *e)
{
	struct credential_row credential;
	bool owned;
	*ret = template->authority_id;
	if (!t->credential_id)
		return RC_OK;
	TRY(credential_row_get(tx, a, t->credential_id, &credential, e));
	TRY(upload_is_owned(tx, a, &credential, &owned, e));
	if (owned)
		*ret = 0;
	return RC_OK;
}

/* Of an ephemeral: when it leaves, and whether the promise leaves it out. */
static troth_rc read_lease(struct tx *tx, struct arena *a, const struct target_row *t, msec_t *ret_until,
			   bool *ret_ignored, struct troth_err *e)
{
	struct instance_row instance;
	struct deployment_row deployment;
	TRY(instance_row_get(tx, a, t->instance_id, &instance, e));
	*ret_until = instance.lease_until;
	if (!instance.lease_until)
		return RC_OK;
	TRY(deployment_row_get(tx, a, instance.deployment_id, &deployment, e));
	*ret_ignored = deployment.ignored;
	return RC_OK;
}

static troth_rc tell_target(struct tx *tx, struct arena *a, struct view *view, const struct target_row *t,
			    struct troth_err *e)
{
	struct template_row template;
	msec_t lease;
	bool ignored = false;
	TRY(template_row_get(tx, a, t->template_id, &template, e));
	TRY(read_lease(tx, a, t, &lease, &ignored, e));
	struct fact f = { .kind = FACT_TARGET };
	f.target.target = t->id;
	f.target.group = t->template_id;
	f.target.instance = template.party == PARTY_OWN ? twin_of(t->instance_id) : t->instance_id;
	TRY(signing_authority(tx, a, t, &template, &f.target.authority, e));
	f.target.state = engine_state(t->state, ignored);
	f.target.lease_until = lease;
	tell(view, &f);
	if (f.target.state == ENGINE_TARGET_LEFT)
		return RC_OK;
	if (template.party == PARTY_HOLDER || own_presents(&template))
		return tell_held(tx, a, view, t->id, e);
	if (template.party == PARTY_BINDING || template.party == PARTY_EXTERNAL || own_verifies(&template))
		tell_unknown(view, t->id); /* what it said may be taken back, or begin anew: from the beginning each time */
	tell_base(view, t);
	TRY(tell_documents(tx, a, view, t->id, e));
	TRY(tell_staged(tx, a, view, t->id, e));
	struct fact asked = { .kind = FACT_ASKED, .asked = { t->id, t->csr_request ? t->csr_ca : 0 } };
	struct fact failed = { .kind = FACT_FAILED, .failed = { t->id, t->failed_content, t->failures } };
	tell(view, &asked);
	struct fact pace = { .kind = FACT_PACE, .pace = { t->id, t->pace } };
	tell(view, &failed);
	tell(view, &pace);
	return RC_OK;
}

troth_rc facts_target(struct tx *tx, struct arena *a, struct view *view, int64_t target_id, struct troth_err *e)
{
	struct target_row t;
	TRY(target_row_get(tx, a, target_id, &t, e));
	return tell_target(tx, a, view, &t, e);
}

/* -- the rebuild --------------------------------------------------------------------------------------------- */

/* One noun's rows, page by page, through one function each. */
#define EACH_ROW(type, list_call, tell_call)                                                       \
	for (int64_t after = 0;;) {                                                                \
		struct type *rows;                                                                 \
		size_t n;                                                                          \
		struct page page = { after, REBUILD_PAGE };                                        \
		arena_reset(a);                                                                    \
		TRY(list_call);                                                                    \
		for (size_t i = 0; i < n; i++) {                                                   \
			struct type *row = &rows[i];                                               \
			tell_call;                                                                 \
			after = row->id;                                                           \
		}                                                                                  \
		if (n == 0)                                                                        \
			break;                                                                     \
	}                                                                                          \
	return RC_OK

static troth_rc rebuild_versions(struct tx *tx, struct arena *a, struct view *view, struct troth_err *e)
{
	EACH_ROW(version_row, version_row_list_authorities(tx, a, page, &rows, &n, e), TRY(tell_ca(tx, a, view, row, e)));
}

static troth_rc tell_authority(struct tx *tx, struct arena *a, struct view *view, const struct credential_row *c,
			       struct troth_err *e)
{
	tell_steering(view, c);
	TRY(tell_external(tx, a, view, c, e));
	return tell_rollout(tx, a, view, c->id, e);
}

static troth_rc rebuild_steering(struct tx *tx, struct arena *a, struct view *view, struct troth_err *e)
{
	EACH_ROW(credential_row, credential_row_list_kind(tx, a, CREDENTIAL_AUTHORITY, page, &rows, &n, e),
		 TRY(tell_authority(tx, a, view, row, e)));
}

static troth_rc rebuild_rolling(struct tx *tx, struct arena *a, struct view *view, struct troth_err *e)
{
	EACH_ROW(rolling_row, rolling_row_list(tx, a, page, &rows, &n, e), tell_rolling(view, row));
}

static troth_rc rebuild_templates(struct tx *tx, struct arena *a, struct view *view, struct troth_err *e)
{
	EACH_ROW(template_row, template_row_list(tx, a, page, &rows, &n, e), TRY(tell_template(tx, a, view, row, e)));
}

static troth_rc rebuild_meets(struct tx *tx, struct arena *a, struct view *view, struct troth_err *e)
{
	EACH_ROW(meet_row, meet_row_list(tx, a, page, &rows, &n, e), tell_meet(view, row));
}

static troth_rc rebuild_contents(struct tx *tx, struct arena *a, struct view *view, struct troth_err *e)
{
	EACH_ROW(content_row, content_row_list(tx, a, page, &rows, &n, e), TRY(tell_content(tx, a, view, row, e)));
}

static troth_rc rebuild_instances(struct tx *tx, struct arena *a, struct view *view, struct troth_err *e)
{
	EACH_ROW(instance_row, instance_row_list(tx, a, page, &rows, &n, e), tell_instance(view, row));
}

static troth_rc rebuild_targets(struct tx *tx, struct arena *a, struct view *view, struct troth_err *e)
{
	EACH_ROW(target_row, target_row_list(tx, a, page, &rows, &n, e), TRY(tell_target(tx, a, view, row, e)));
}

troth_rc facts_rebuild(struct tx *tx, struct view *view, struct troth_err *e)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(REBUILD_ARENA_BYTES);
	TRY(rebuild_versions(tx, a, view, e));
	TRY(rebuild_steering(tx, a, view, e));
	TRY(rebuild_rolling(tx, a, view, e));
	TRY(tell_hold(tx, a, view, e));
	TRY(rebuild_templates(tx, a, view, e));
	TRY(rebuild_meets(tx, a, view, e));
	TRY(rebuild_contents(tx, a, view, e));
	TRY(rebuild_instances(tx, a, view, e));
	return rebuild_targets(tx, a, view, e);
}

/* -- single changes -------------------------------------------------------------------------------------------- */

static troth_rc change_bundle(struct tx *tx, struct arena *a, struct view *view, int64_t id, struct troth_err *e)
{
	struct template_row *templates;
	size_t n;
	TRY(template_row_list_bundle(tx, a, id, &templates, &n, e));
	for (size_t i = 0; i < n; i++)
		TRY(tell_template(tx, a, view, &templates[i], e));
	return RC_OK;
}

static troth_rc change_template(struct tx *tx, struct arena *a, struct view *view, int64_t id, struct troth_err *e)
{
	struct template_row t;
	struct meet_row *meets;
	size_t n;
	if (rc_failed(template_row_get(tx, a, id, &t, NULL)))
		return RC_OK; /* deleted: it had no targets, so nothing of it matters */
	TRY(tell_template(tx, a, view, &t, e));
	TRY(meet_row_list_template(tx, a, id, &meets, &n, e));
	for (size_t i = 0; i < n; i++)
		tell_meet(view, &meets[i]);
	return RC_OK;
}

static troth_rc change_instance(struct tx *tx, struct arena *a, struct view *view, int64_t id, struct troth_err *e)
{
	struct instance_row instance;
	TRY(instance_row_get(tx, a, id, &instance, e));
	tell_instance(view, &instance);
	return RC_OK;
}

/* A deployment that is gone took its groups, pairs and former members with it.  The engine has no word
 * for that, and it is rare: the view is made anew. */
static troth_rc forget_deployment(struct service *svc, struct tx *tx, struct troth_err *e)
{
	service_drop_view(svc);
	return service_begin(svc, tx, e);
}

static troth_rc change_deployment(struct service *svc, struct tx *tx, struct arena *a, int64_t id, struct troth_err *e)
{
	struct view *view = svc->view;
	struct deployment_row deployment;
	struct template_row *templates;
	struct instance_row *instances;
	size_t template_count, instance_count;
	if (rc_failed(deployment_row_get(tx, a, id, &deployment, NULL)))
		return forget_deployment(svc, tx, e);
	TRY(template_row_list_deployment(tx, a, id, PAGE_ALL, &templates, &template_count, e));
	for (size_t i = 0; i < template_count; i++)
		TRY(change_template(tx, a, view, templates[i].id, e));
	TRY(instance_row_list_deployment(tx, a, id, PAGE_ALL, &instances, &instance_count, e));
	for (size_t i = 0; i < instance_count; i++) {
		struct target_row *targets;
		size_t n;
		tell_instance(view, &instances[i]);
		TRY(target_row_list_instance(tx, a, instances[i].id, &targets, &n, e));
		for (size_t k = 0; k < n; k++)
			TRY(tell_target(tx, a, view, &targets[k], e));
	}
	return RC_OK;
}

static troth_rc change_meet(struct tx *tx, struct arena *a, struct view *view, const struct verb_change *c,
			    struct troth_err *e)
{
	struct meet_row meet;
	if (rc_ok(meet_row_by_pair(tx, a, c->id, c->id2, &meet, NULL))) {
		tell_meet(view, &meet);
		return RC_OK;
	}
	struct fact off = { .kind = FACT_MEET, .meet = { c->id, c->id2, false } };
	tell(view, &off);
	return RC_OK;
}

static troth_rc tell_below(struct tx *tx, struct arena *a, struct view *view, int64_t authority_id, int depth, struct troth_err *e)
{
	struct credential_row *below;
	size_t n;
	TRY(credential_row_list_below(tx, a, authority_id, &below, &n, e));
	for (size_t i = 0; i < n && depth < LIMIT_CHAIN_CERTS; i++) {
		TRY(facts_credential(tx, a, view, below[i].id, e));
		TRY(tell_below(tx, a, view, below[i].id, depth + 1, e));
	}
	return RC_OK;
}

/* Its steps are those of the CAs below it as well. */
troth_rc facts_rotation(struct tx *tx, struct arena *a, struct view *view, const struct rotation_row *rotation, struct troth_err *e)
{
	TRY(facts_credential(tx, a, view, rotation->credential_id, e));
	return tell_below(tx, a, view, rotation->credential_id, 0, e);
}

static troth_rc change_rotation(struct tx *tx, struct arena *a, struct view *view, int64_t id, struct troth_err *e)
{
	struct rotation_row rotation;
	TRY(rotation_row_get(tx, a, id, &rotation, e));
	return facts_rotation(tx, a, view, &rotation, e);
}

troth_rc facts_apply_change(struct service *svc, struct tx *tx, struct arena *a, const struct verb_change *c,
			    struct troth_err *e)
{
	struct view *view = svc->view;
	switch (c->noun) {
	case CHANGED_CREDENTIAL: return facts_credential(tx, a, view, c->id, e);
	case CHANGED_BUNDLE:     return change_bundle(tx, a, view, c->id, e);
	case CHANGED_TEMPLATE:   return change_template(tx, a, view, c->id, e);
	case CHANGED_DEPLOYMENT: return change_deployment(svc, tx, a, c->id, e);
	case CHANGED_INSTANCE:   return change_instance(tx, a, view, c->id, e);
	case CHANGED_TARGET:     return facts_target(tx, a, view, c->id, e);
	case CHANGED_MEET:       return change_meet(tx, a, view, c, e);
	case CHANGED_CONTENT:    return facts_content(tx, a, view, c->id, e);
	case CHANGED_ROTATION:   return change_rotation(tx, a, view, c->id, e);
	case CHANGED_ROLLING:    return facts_rolling(tx, a, view, c->id, e);
	case CHANGED_FREEZE:     return tell_hold(tx, a, view, e);
	}
	return err_set(e, TROTH_INTERNAL, "an unknown noun changed: %d", (int)c->noun);
}
