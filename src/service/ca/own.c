/* troth's own PKI as rows.  See own.h. */
#include "service/ca/own.h"

#include "service/agent/contents.h"
#include "service/fleet/identity.h"
#include "service/inside.h"
#include "service/fleet/meet.h"
#include "service/record.h"

#include "model/message.h"

#define OWN_CERTIFICATE "certificate"
#define OWN_CLIENTS "clients"
#define OWN_TRUST "server-ca"
#define IDENTITIES "/troth/identities" /* the credential whose versions are the identities */

enum { OWN_ARENA_BYTES = 64 << 20, OWN_PAGE = 500, OWN_DOCUMENTS_KEPT = 4 /* of those that are shown no more, for people */ };

enum own_group { CERTIFICATE, CLIENTS, IDENTITY, PRINCIPAL, TRUST, OWN_GROUPS };

static const struct own_row {
	const char *name;
	enum target_kind kind;
	enum target_role role;
	const char *authority; /* slot: that signs; store: that it trusts, through the bundle of its name */
	const char *profile;
} GROUPS[OWN_GROUPS] = {
	[CERTIFICATE] = { OWN_CERTIFICATE, TARGET_SLOT, TARGET_SERVER, SERVER_AUTHORITY, "own" },
	[CLIENTS] = { OWN_CLIENTS, TARGET_STORE, TARGET_BOTH, IDENTITY_AUTHORITY, "own" },
	[IDENTITY] = { OWN_IDENTITY, TARGET_SLOT, TARGET_CLIENT, IDENTITY_AUTHORITY, "own" },
	[PRINCIPAL] = { OWN_PRINCIPAL, TARGET_SLOT, TARGET_CLIENT, IDENTITY_AUTHORITY, "own" },
	[TRUST] = { OWN_TRUST, TARGET_STORE, TARGET_BOTH, SERVER_AUTHORITY, MSG_OWN_TRUST },
};

bool own_is_authority(const char *name)
{
	return text_equal(name, SERVER_AUTHORITY) || text_equal(name, IDENTITY_AUTHORITY);
}

troth_rc own_target(struct tx *tx, struct arena *a, const struct target_row *t, bool *ret, struct troth_err *e)
{
	struct template_row template;
	TRY(template_row_get(tx, a, t->template_id, &template, e));
	*ret = template.party == PARTY_OWN;
	return RC_OK;
}

/* -- finding ------------------------------------------------------------------------------------------ */

/* The group's template; id 0: nothing of this is there yet. */
static troth_rc group_find(struct tx *tx, struct arena *a, enum own_group group, struct template_row *ret, struct troth_err *e)
{
	struct deployment_row own;
	*ret = (struct template_row){ 0 };
	if (rc_failed(deployment_row_by_name(tx, a, OWN_DEPLOYMENT, &own, NULL)))
		return RC_OK;
	return template_row_by_name(tx, a, own.id, GROUPS[group].name, ret, e);
}

/* The instance's target in the group; id 0: it has none. */
static troth_rc target_of(struct tx *tx, struct arena *a, int64_t instance_id, int64_t template_id, struct target_row *ret,
			  struct troth_err *e)
{
	struct target_row *rows;
	size_t n;
	*ret = (struct target_row){ 0 };
	TRY(target_row_list_instance(tx, a, instance_id, &rows, &n, e));
	for (size_t i = 0; i < n; i++)
		if (rows[i].template_id == template_id)
			*ret = rows[i];
	return RC_OK;
}

static troth_rc server_instance(struct tx *tx, struct arena *a, const struct template_row *group, struct instance_row *ret,
				struct troth_err *e)
{
	return instance_row_by_name(tx, a, group->deployment_id, OWN_SERVER_INSTANCE, ret, e);
}

static troth_rc server_target(struct tx *tx, struct arena *a, enum own_group group, struct target_row *ret, struct troth_err *e)
{
	struct template_row t;
	struct instance_row server;
	*ret = (struct target_row){ 0 };
	TRY(group_find(tx, a, group, &t, e));
	if (!t.id)
		return RC_OK;
	TRY(server_instance(tx, a, &t, &server, e));
	return target_of(tx, a, server.id, t.id, ret, e);
}

/* -- making --------------------------------------------------------------------------------------------- */

static troth_rc instance_make(struct verb_ctx *ctx, const struct template_row *group, const char *name, int64_t *ret_id,
			      struct troth_err *e)
{
	struct instance_row row = { .uuid = verb_uuid_text(ctx), .deployment_id = group->deployment_id, .name = name,
				    .state = INSTANCE_ACTIVE, .session = 1, .session_opened = ctx->now, .last_seen = ctx->now,
				    .alive_until = ALIVE_ALWAYS, .created = ctx->now };
	TRY(instance_row_insert(ctx->tx, &row, e));
	verb_changed(ctx, CHANGED_INSTANCE, row.id);
	*ret_id = row.id;
	return RC_OK;
}

static troth_rc target_make(struct verb_ctx *ctx, int64_t instance_id, const struct template_row *group, struct target_row *ret,
			    struct troth_err *e)
{
	*ret = (struct target_row){ .uuid = verb_uuid_text(ctx), .instance_id = instance_id, .template_id = group->id,
				    .state = TARGET_LEFT, .next_generation = 1, .base_known = true, .created = ctx->now };
	return target_row_insert(ctx->tx, ret, e);
}

/* What the answer to an enrolment holds: all that is trusted of the authority (issue_anchors_pem). */
static troth_rc trusted_set(struct verb_ctx *ctx, const char *authority, int64_t *ret_content, struct troth_err *e)
{
	struct credential_row row;
	struct version_row *versions;
	size_t n;
	TRY(credential_row_by_name(ctx->tx, ctx->a, authority, &row, e));
	TRY(version_row_list_credential(ctx->tx, ctx->a, row.id, PAGE_ALL, &versions, &n, e));
	struct content_row set = { .kind = CONTENT_SET, .certs = { ARENA_ARRAY(ctx->a, int64_t, n + 1), 0 } };
	for (size_t i = 0; i < n; i++)
		if (!versions[i].retired_at && !versions[i].distrusted)
			set.certs.items[set.certs.count++] = versions[i].cert_id;
	TRY(content_row_put(ctx->tx, &set, e));
	verb_changed(ctx, CHANGED_CONTENT, set.id);
	*ret_content = set.id;
	return RC_OK;
}

/* It holds this, and nothing is on its way. */
static troth_rc store_begins(struct verb_ctx *ctx, struct target_row *t, const char *authority, enum target_state state,
			     struct troth_err *e)
{
	TRY(document_row_void(ctx->tx, t->id, e));
	TRY(trusted_set(ctx, authority, &t->base_content, e));
	t->base_known = true;
	t->base_generation = t->high_water = 0;
	t->state = state;
	t->left_at = 0;
	t->seen_at = ctx->now;
	t->report_seq = 0;
	TRY(target_row_update(ctx->tx, t, e));
	verb_changed(ctx, CHANGED_TARGET, t->id);
	return RC_OK;
}

/* -- what was handed out ------------------------------------------------------------------------------------ */

/* An identity's certificate as a version, so that the engine knows who signed it. */
static troth_rc version_make(struct verb_ctx *ctx, struct bytes der, int64_t signed_by, struct version_row *ret, struct troth_err *e)
{
	struct credential_row identities;
	struct cert_row row;
	const struct cert *cert;
	TRY(credential_row_by_name(ctx->tx, ctx->a, IDENTITIES, &identities, e));
	TRY(cert_parse(ctx->a, der, &cert, e));
	TRY(issue_cert_put(ctx->tx, ctx->a, cert, &row, e));
	*ret = (struct version_row){ .uuid = verb_uuid_text(ctx), .credential_id = identities.id, .cert_id = row.id, .signed_by = signed_by,
				     .source = VERSION_CSR, .created = ctx->now };
	return version_row_insert(ctx->tx, ret, e);
}

/* Of those that the same version signed only the newest counts: to rule S they are the same. */
static troth_rc drop_equal(struct verb_ctx *ctx, int64_t target_id, int64_t signed_by, struct troth_err *e)
{
	struct document_row *pending;
	struct version_row v;
	size_t n;
	TRY(document_row_list_pending(ctx->tx, ctx->a, target_id, &pending, &n, e));
	for (size_t i = 0; i < n; i++) {
		TRY(version_row_get(ctx->tx, ctx->a, pending[i].version_id, &v, e));
		if (v.signed_by != signed_by)
			continue;
		pending[i].state = DOCUMENT_SETTLED;
		TRY(document_row_update(ctx->tx, &pending[i], e));
	}
	return RC_OK;
}

/* From this commit on it may be shown.  What one that was waived or gone had before does not come back. */
static troth_rc take(struct verb_ctx *ctx, struct target_row *t, const struct version_row *v, struct troth_err *e)
{
	struct content_row content = { .kind = CONTENT_CHAIN, .version_id = v->id };
	if (t->state != TARGET_COUNTED)
		TRY(document_row_void(ctx->tx, t->id, e));
	TRY(drop_equal(ctx, t->id, v->signed_by, e));
	TRY(issue_chain(ctx->tx, ctx->a, v, &content.certs, e));
	TRY(content_row_put(ctx->tx, &content, e));
	verb_changed(ctx, CHANGED_CONTENT, content.id);
	struct document_row d = { .target_id = t->id, .generation = t->next_generation++, .content_id = content.id, .version_id = v->id,
				  .state = DOCUMENT_PENDING, .session = 1, .created = ctx->now, .handed_at = ctx->now };
	TRY(document_row_insert(ctx->tx, &d, e));
	t->state = TARGET_COUNTED;
	t->left_at = 0;
	t->level = LEVEL_SENT;
	t->level_generation = d.generation;
	t->seen_at = ctx->now;
	TRY(target_row_update(ctx->tx, t, e));
	verb_changed(ctx, CHANGED_TARGET, t->id);
	return RC_OK;
}

/* All before this generation are shown no more; `after`: and none after it either. */
static troth_rc only(struct verb_ctx *ctx, int64_t target_id, int64_t generation, bool after, struct troth_err *e)
{
	struct document_row *pending;
	size_t n;
	TRY(document_row_list_pending(ctx->tx, ctx->a, target_id, &pending, &n, e));
	for (size_t i = 0; i < n; i++) {
		if (pending[i].generation == generation || (pending[i].generation > generation && !after))
			continue;
		pending[i].state = DOCUMENT_SETTLED;
		TRY(document_row_update(ctx->tx, &pending[i], e));
		verb_changed(ctx, CHANGED_TARGET, target_id);
	}
	return document_row_forget(ctx->tx, target_id, generation - OWN_DOCUMENTS_KEPT, e);
}

static troth_rc leave(struct verb_ctx *ctx, struct target_row *t, struct troth_err *e)
{
	TRY(document_row_void(ctx->tx, t->id, e));
	t->state = TARGET_LEFT;
	t->left_at = ctx->now;
	TRY(target_row_update(ctx->tx, t, e));
	verb_changed(ctx, CHANGED_TARGET, t->id);
	return RC_OK;
}

/* -- agents --------------------------------------------------------------------------------------------------- */

/* Nobody waits for the ephemeral that the promise leaves out; it is told all the same. */
static troth_rc is_ignored(struct verb_ctx *ctx, const struct instance_row *instance, bool *ret, struct troth_err *e)
{
	struct deployment_row d;
	TRY(deployment_row_get(ctx->tx, ctx->a, instance->deployment_id, &d, e));
	*ret = d.ignored;
	return RC_OK;
}

static troth_rc agent_target(struct verb_ctx *ctx, const struct instance_row *instance, const struct template_row *group,
			     struct target_row *ret, struct troth_err *e)
{
	TRY(target_of(ctx->tx, ctx->a, instance->id, group->id, ret, e));
	return ret->id ? RC_OK : target_make(ctx, instance->id, group, ret, e);
}

troth_rc own_agent_joined(struct verb_ctx *ctx, const struct instance_row *instance, struct bytes identity, int64_t signed_by,
			  struct troth_err *e)
{
	struct template_row trust;
	struct target_row t;
	bool ignored;
	TRY(group_find(ctx->tx, ctx->a, TRUST, &trust, e));
	if (!trust.id)
		return RC_OK;
	TRY(is_ignored(ctx, instance, &ignored, e));
	TRY(agent_target(ctx, instance, &trust, &t, e));
	TRY(store_begins(ctx, &t, SERVER_AUTHORITY, ignored ? TARGET_JOINING : TARGET_COUNTED, e));
	return own_identity_renewed(ctx, instance, identity, signed_by, e);
}

troth_rc own_identity_renewed(struct verb_ctx *ctx, const struct instance_row *instance, struct bytes identity, int64_t signed_by,
			      struct troth_err *e)
{
	struct template_row group;
	struct target_row t;
	struct version_row v;
	bool ignored;
	TRY(group_find(ctx->tx, ctx->a, IDENTITY, &group, e));
	if (!group.id)
		return RC_OK;
	TRY(is_ignored(ctx, instance, &ignored, e));
	if (ignored)
		return RC_OK;
	TRY(agent_target(ctx, instance, &group, &t, e));
	TRY(version_make(ctx, identity, signed_by, &v, e));
	return take(ctx, &t, &v, e);
}

troth_rc own_identity_proved(struct verb_ctx *ctx, const struct instance_row *instance, struct troth_err *e)
{
	struct template_row group;
	struct target_row t;
	TRY(group_find(ctx->tx, ctx->a, IDENTITY, &group, e));
	if (!group.id)
		return RC_OK;
	TRY(target_of(ctx->tx, ctx->a, instance->id, group.id, &t, e));
	if (!t.id || t.state != TARGET_COUNTED)
		return RC_OK;
	return only(ctx, t.id, t.next_generation - 1, true, e);
}

/* Its newest was signed by the version that has the label; one that is waived comes in any case. */
static troth_rc is_current(struct tx *tx, struct arena *a, const struct template_row *group, const struct target_row *t, bool *ret,
			   struct troth_err *e)
{
	struct document_row d;
	struct version_row v;
	struct credential_row authority;
	*ret = false;
	if (t->state != TARGET_COUNTED || rc_failed(document_row_newest(tx, a, t->id, &d, NULL)))
		return RC_OK;
	TRY(version_row_get(tx, a, d.version_id, &v, e));
	TRY(credential_row_get(tx, a, group->authority_id, &authority, e));
	*ret = v.signed_by == authority.signing_version;
	return RC_OK;
}

troth_rc own_identity_stale(struct tx *tx, struct arena *a, int64_t instance_id, bool *ret, struct troth_err *e)
{
	struct template_row group;
	struct target_row t;
	bool current;
	*ret = false;
	TRY(group_find(tx, a, IDENTITY, &group, e));
	if (!group.id)
		return RC_OK;
	TRY(target_of(tx, a, instance_id, group.id, &t, e));
	if (!t.id || t.state == TARGET_LEFT)
		return RC_OK;
	TRY(is_current(tx, a, &group, &t, &current, e));
	*ret = !current;
	return RC_OK;
}

troth_rc own_wake(struct verb_ctx *ctx, int64_t authority_id, struct troth_err *e)
{
	struct template_row group;
	TRY(group_find(ctx->tx, ctx->a, IDENTITY, &group, e));
	if (!group.id || group.authority_id != authority_id)
		return RC_OK;
	struct page page = { 0, OWN_PAGE };
	for (size_t n = OWN_PAGE; n == OWN_PAGE;) {
		struct target_row *rows;
		TRY(target_row_list_template(ctx->tx, ctx->a, group.id, page, &rows, &n, e));
		for (size_t i = 0; i < n; i++) {
			struct instance_row instance;
			page.after = rows[i].id;
			if (rows[i].state == TARGET_LEFT)
				continue;
			TRY(instance_row_get(ctx->tx, ctx->a, rows[i].instance_id, &instance, e));
			verb_publish(ctx, "instance/%s", instance.uuid);
		}
	}
	return RC_OK;
}

/* -- principals ------------------------------------------------------------------------------------------------- */

static troth_rc principal_target(struct verb_ctx *ctx, const struct template_row *group, const char *name, bool make,
				 struct instance_row *ret_instance, struct target_row *ret, struct troth_err *e)
{
	*ret = (struct target_row){ 0 };
	if (rc_ok(instance_row_by_name(ctx->tx, ctx->a, group->deployment_id, name, ret_instance, NULL)))
		return target_of(ctx->tx, ctx->a, ret_instance->id, group->id, ret, e);
	if (!make)
		return RC_OK;
	TRY(instance_make(ctx, group, name, &ret_instance->id, e));
	return target_make(ctx, ret_instance->id, group, ret, e);
}

troth_rc own_principal_has(struct verb_ctx *ctx, const struct principal_row *row, struct bytes certificate, int64_t signed_by,
			   struct troth_err *e)
{
	struct template_row group;
	struct instance_row instance;
	struct target_row t;
	struct version_row v;
	TRY(group_find(ctx->tx, ctx->a, PRINCIPAL, &group, e));
	if (!group.id)
		return RC_OK;
	TRY(principal_target(ctx, &group, row->name, certificate.len > 0, &instance, &t, e));
	if (!certificate.len)
		return t.id && t.state != TARGET_LEFT ? leave(ctx, &t, e) : RC_OK;
	TRY(version_make(ctx, certificate, signed_by, &v, e));
	TRY(take(ctx, &t, &v, e));
	return only(ctx, t.id, t.next_generation - 1, true, e); /* the one before is refused at once */
}

/* -- the server ---------------------------------------------------------------------------------------------------- */

troth_rc own_certificate_made(struct verb_ctx *ctx, const struct version_row *version, struct troth_err *e)
{
	struct target_row t;
	TRY(server_target(ctx->tx, ctx->a, CERTIFICATE, &t, e));
	return t.id ? take(ctx, &t, version, e) : RC_OK;
}

troth_rc own_clients(struct tx *tx, struct arena *a, bool *ret_there, int64_t *ret_generation, const char **ret_pem,
		     struct troth_err *e)
{
	struct target_row t;
	struct document_row *pending;
	struct json_texts certs;
	size_t n;
	TRY(server_target(tx, a, CLIENTS, &t, e));
	*ret_there = t.id != 0;
	if (!t.id)
		return RC_OK;
	TRY(document_row_list_pending(tx, a, t.id, &pending, &n, e));
	*ret_generation = n ? pending[n - 1].generation : t.base_generation;
	TRY(contents_pem(tx, a, n ? pending[n - 1].content_id : t.base_content, &certs, e));
	*ret_pem = arena_join(a, certs.items, certs.count);
	return RC_OK;
}

troth_rc own_offered(struct verb_ctx *ctx, int64_t target_id, int64_t generation, struct troth_err *e)
{
	struct target_row clients;
	TRY(server_target(ctx->tx, ctx->a, CLIENTS, &clients, e));
	if (!clients.id || clients.id != target_id)
		return RC_OK;
	TRY(document_row_hand(ctx->tx, target_id, generation, 1, ctx->now, e));
	return facts_target(ctx->tx, ctx->a, ctx->svc->view, target_id, e);
}

/* The listener believes those of this generation. */
static troth_rc clients_seen(struct verb_ctx *ctx, int64_t generation, struct troth_err *e)
{
	struct target_row t;
	struct document_row d;
	TRY(server_target(ctx->tx, ctx->a, CLIENTS, &t, e));
	if (!t.id || generation <= t.base_generation)
		return RC_OK;
	TRY(document_row_by_generation(ctx->tx, ctx->a, t.id, generation, &d, e));
	t.base_content = d.content_id;
	t.base_generation = t.high_water = generation;
	t.level = LEVEL_LOADED;
	t.level_generation = generation;
	t.seen_at = ctx->now;
	TRY(document_row_settle(ctx->tx, t.id, generation, e));
	TRY(target_row_update(ctx->tx, &t, e));
	verb_changed(ctx, CHANGED_TARGET, t.id);
	return RC_OK;
}

/* The document whose leaf this is; generation 0: none. */
static troth_rc document_of_leaf(struct verb_ctx *ctx, int64_t target_id, const struct cert *leaf, int64_t *ret, struct troth_err *e)
{
	struct document_row *pending;
	struct cert_row row;
	size_t n;
	*ret = 0;
	if (rc_failed(cert_row_by_fingerprint(ctx->tx, ctx->a, bytes_of(leaf->fingerprint, SHA256_LEN), &row, NULL)))
		return RC_OK;
	TRY(document_row_list_pending(ctx->tx, ctx->a, target_id, &pending, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct version_row v;
		TRY(version_row_get(ctx->tx, ctx->a, pending[i].version_id, &v, e));
		if (v.cert_id == row.id)
			*ret = pending[i].generation;
	}
	return RC_OK;
}

/* The certificate of the files, which this store has forgotten (it was restored): who of ours signed it? */
static troth_rc adopt_certificate(struct verb_ctx *ctx, struct target_row *t, const struct cert *leaf, int64_t *ret, struct troth_err *e)
{
	struct credential_row authority;
	struct version_row *versions, made;
	size_t n;
	TRY(credential_row_by_name(ctx->tx, ctx->a, SERVER_AUTHORITY, &authority, e));
	TRY(version_row_list_credential(ctx->tx, ctx->a, authority.id, PAGE_ALL, &versions, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct cert_row row;
		const struct cert *ca;
		TRY(cert_row_get(ctx->tx, ctx->a, versions[i].cert_id, &row, e));
		TRY(cert_parse(ctx->a, row.der, &ca, e));
		if (!cert_issued_by(leaf, ca))
			continue;
		TRY(version_make(ctx, leaf->der, versions[i].id, &made, e));
		TRY(take(ctx, t, &made, e));
		*ret = t->next_generation - 1;
		return RC_OK;
	}
	return RC_OK; /* of a CA that nobody here knows: nothing can be said of it */
}

static troth_rc certificate_seen(struct verb_ctx *ctx, const struct server_seen_cmd *cmd, struct troth_err *e)
{
	struct target_row t;
	const struct cert *leaf;
	int64_t generation;
	TRY(server_target(ctx->tx, ctx->a, CERTIFICATE, &t, e));
	if (!t.id)
		return RC_OK;
	TRY(cert_parse_any(ctx->a, bytes_of_text(cmd->certificate), &leaf, e));
	TRY(document_of_leaf(ctx, t.id, leaf, &generation, e));
	if (!generation)
		TRY(adopt_certificate(ctx, &t, leaf, &generation, e));
	return generation ? only(ctx, t.id, generation, cmd->started, e) : RC_OK;
}

static troth_rc seen_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct server_seen_cmd *cmd = arg;
	TRY(clients_seen(ctx, cmd->generation, e));
	return certificate_seen(ctx, cmd, e);
}

const struct verb VERB_SERVER_SEEN = { "server.seen", VERB_WRITE, ROLE_SYSTEM, sizeof(struct server_seen_cmd), sizeof(struct no_ret),
				       NULL, seen_run };

/* -- all of it, for the first time ----------------------------------------------------------------------------------- */

static troth_rc bundle_make(struct verb_ctx *ctx, const char *authority, int64_t *ret_id, struct troth_err *e)
{
	struct credential_row row;
	struct bundle_row bundle = { .uuid = verb_uuid_text(ctx), .name = authority, .rev = 1, .created = ctx->now };
	TRY(credential_row_by_name(ctx->tx, ctx->a, authority, &row, e));
	TRY(bundle_row_insert(ctx->tx, &bundle, e));
	struct bundle_member_row member = { .bundle_id = bundle.id, .authority_id = row.id, .source = "troth", .created = ctx->now };
	TRY(bundle_member_row_insert(ctx->tx, &member, e));
	*ret_id = bundle.id;
	return meet_member_added(ctx, &member, e);
}

static troth_rc group_make(struct verb_ctx *ctx, int64_t deployment_id, const struct own_row *g, struct template_row *ret,
			   struct troth_err *e)
{
	struct credential_row authority;
	*ret = (struct template_row){ .uuid = verb_uuid_text(ctx), .deployment_id = deployment_id, .kind = g->kind, .party = PARTY_OWN,
				      .name = g->name, .profile = g->profile, .role = g->role, .atomic = true, .created = ctx->now };
	TRY(credential_row_by_name(ctx->tx, ctx->a, g->authority, &authority, e));
	if (g->kind == TARGET_SLOT)
		ret->authority_id = authority.id;
	else
		TRY(bundle_make(ctx, g->authority, &ret->bundle_id, e));
	TRY(template_row_insert(ctx->tx, ret, e));
	return meet_template_added(ctx, ret, e);
}

static troth_rc identities_make(struct verb_ctx *ctx, int64_t authority_id, struct troth_err *e)
{
	struct credential_spec spec = { .eku = EKU_CLIENT, .path_len = -1, .clamp = true };
	struct credential_row row = { .uuid = verb_uuid_text(ctx), .name = IDENTITIES, .kind = CREDENTIAL_LEAF, .issuer_id = authority_id,
				      .key_type = "ec-p256", .spec = credential_spec_write(ctx->a, &spec), .rev = 1,
				      .created = ctx->now };
	return credential_row_insert(ctx->tx, &row, e);
}

static troth_rc server_make(struct verb_ctx *ctx, const struct template_row groups[OWN_GROUPS], struct troth_err *e)
{
	struct credential_row tls;
	struct version_row now;
	struct target_row t;
	int64_t instance;
	TRY(instance_make(ctx, &groups[CLIENTS], OWN_SERVER_INSTANCE, &instance, e));
	TRY(target_make(ctx, instance, &groups[CLIENTS], &t, e));
	TRY(store_begins(ctx, &t, IDENTITY_AUTHORITY, TARGET_COUNTED, e));
	TRY(target_make(ctx, instance, &groups[CERTIFICATE], &t, e));
	TRY(credential_row_by_name(ctx->tx, ctx->a, SERVER_CREDENTIAL, &tls, e));
	TRY(version_row_get(ctx->tx, ctx->a, tls.signing_version, &now, e));
	return take(ctx, &t, &now, e);
}

/* Those that are waived stay so. */
static troth_rc agent_make(struct verb_ctx *ctx, const struct instance_row *instance, int64_t signed_by,
			   const struct template_row groups[OWN_GROUPS], struct troth_err *e)
{
	struct target_row *rows;
	size_t n;
	if (!instance->identity_der.len || instance->state == INSTANCE_LEFT)
		return RC_OK;
	TRY(own_agent_joined(ctx, instance, instance->identity_der, signed_by, e));
	if (instance->state != INSTANCE_WAIVED)
		return RC_OK;
	TRY(target_row_list_instance(ctx->tx, ctx->a, instance->id, &rows, &n, e));
	for (size_t i = 0; i < n; i++) {
		if (rows[i].template_id != groups[TRUST].id && rows[i].template_id != groups[IDENTITY].id)
			continue;
		rows[i].state = TARGET_WAIVED;
		TRY(target_row_update(ctx->tx, &rows[i], e));
	}
	return RC_OK;
}

/* Page by page: what a page needs is forgotten after it. */
static troth_rc agents_make(struct verb_ctx *ctx, int64_t signed_by, const struct template_row groups[OWN_GROUPS], struct troth_err *e)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(OWN_ARENA_BYTES);
	struct page page = { 0, OWN_PAGE };
	for (size_t n = OWN_PAGE; n == OWN_PAGE;) {
		struct instance_row *rows;
		struct verb_ctx bulk = *ctx;
		arena_reset(a);
		bulk.a = a;
		bulk.changes = NULL;
		TRY(instance_row_list(ctx->tx, a, page, &rows, &n, e));
		for (size_t i = 0; i < n; i++) {
			TRY(agent_make(&bulk, &rows[i], signed_by, groups, e));
			page.after = rows[i].id;
		}
	}
	return RC_OK;
}

static troth_rc principals_make(struct verb_ctx *ctx, int64_t signed_by, struct troth_err *e)
{
	struct principal_row *rows;
	struct cert_row cert;
	size_t n;
	TRY(principal_row_list(ctx->tx, ctx->a, PAGE_ALL, &rows, &n, e));
	for (size_t i = 0; i < n; i++) {
		if (rows[i].revoked || !rows[i].cert_fingerprint.len)
			continue;
		TRY(cert_row_by_fingerprint(ctx->tx, ctx->a, rows[i].cert_fingerprint, &cert, e));
		TRY(own_principal_has(ctx, &rows[i], cert.der, signed_by, e));
	}
	return RC_OK;
}

static troth_rc make_all(struct verb_ctx *ctx, struct troth_err *e)
{
	struct deployment_row own = { .uuid = verb_uuid_text(ctx), .name = OWN_DEPLOYMENT, .party = PARTY_OWN, .rev = 1, .created = ctx->now };
	struct template_row groups[OWN_GROUPS];
	struct credential_row agents;
	TRY(deployment_row_insert(ctx->tx, &own, e));
	for (int i = 0; i < OWN_GROUPS; i++)
		TRY(group_make(ctx, own.id, &GROUPS[i], &groups[i], e));
	TRY(credential_row_by_name(ctx->tx, ctx->a, IDENTITY_AUTHORITY, &agents, e));
	TRY(identities_make(ctx, agents.id, e));
	TRY(server_make(ctx, groups, e));
	TRY(agents_make(ctx, agents.signing_version, groups, e));
	return principals_make(ctx, agents.signing_version, e);
}

troth_rc own_need(struct verb_ctx *ctx, struct troth_err *e)
{
	struct deployment_row own;
	if (rc_ok(deployment_row_by_name(ctx->tx, ctx->a, OWN_DEPLOYMENT, &own, NULL)))
		return RC_OK;
	struct verb_ctx bulk = *ctx; /* what it notes is in the view that is made anew */
	bulk.changes = NULL;
	ctx->svc->touched = true;
	TRY(make_all(&bulk, e));
	service_drop_view(ctx->svc);
	return service_begin(ctx->svc, ctx->tx, e);
}
