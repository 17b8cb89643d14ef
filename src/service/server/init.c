/* The beginning: what an empty store gets before the first caller, and the server's own certificate.
 *
 * init_run is a short list of steps, each a verb of its own and each skipped when its result is there; so
 * an interrupted init is run again and goes on.  The last step, the admin principal, is what makes it
 * complete: its token is shown once. */
#include "model/name.h"
#include "service/ca/credential.h"
#include "service/ca/own.h"
#include "service/fleet/identity.h"
#include "service/fleet/recovery.h"
#include "service/intake/brought.h"
#include "service/record.h"
#include "service/server/audit.h"

#define OWN_CA_TTL (3650 * MSEC_DAY)
#define OWN_LEAF_TTL (90 * MSEC_DAY)

/* -- the server's certificate ---------------------------------------------------------------------- */
struct tls_plan {
	struct signer signer;
	struct credential_row credential; /* id 0: not there yet */
};

static void certificate_check(struct arena *a, const struct server_certificate_cmd *cmd, struct troth_err *e)
{
	struct checker c = { a, e };
	struct csr csr;
	struct troth_err why = { 0 };
	if (cmd->sans.count)
		check_sans(&c, "$.sans", cmd->sans, false);
	if (cmd->more.count)
		check_sans(&c, "$.more", cmd->more, false);
	if (check_present(&c, "$.csr", cmd->csr) && rc_failed(csr_parse(a, bytes_of_text(cmd->csr), &csr, &why)))
		check_fail(&c, "$.csr", "csr", why.primary, why.hint[0] ? why.hint : NULL);
}

static void add_name(struct json_texts *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (text_equal(names->items[i], name))
			return;
	names->items[names->count++] = name;
}

static struct json_texts names_with(struct arena *a, struct json_texts names, struct json_texts more)
{
	struct json_texts all = { ARENA_ARRAY(a, const char *, names.count + more.count), 0 };
	for (size_t i = 0; i < names.count; i++)
		add_name(&all, names.items[i]);
	for (size_t i = 0; i < more.count; i++)
		add_name(&all, more.items[i]);
	return all;
}

/* The row as it is, or as it will be; new names replace the old ones, more names come to them. */
static troth_rc tls_credential(struct verb_ctx *ctx, const struct server_certificate_cmd *cmd, int64_t authority_id,
			       struct credential_row *ret, struct troth_err *e)
{
	struct credential_spec spec = { .sans = cmd->sans, .eku = EKU_SERVER, .path_len = -1, .clamp = true };
	bool there = rc_ok(credential_row_by_name(ctx->tx, ctx->a, SERVER_CREDENTIAL, ret, NULL));
	ENSURE(there || cmd->sans.count, e, TROTH_INVALID, "the server's certificate needs at least one name");
	if (there && !cmd->sans.count && !cmd->more.count)
		return RC_OK;
	if (there && !cmd->sans.count)
		TRY(credential_spec_read(ctx->a, ret->spec, &spec, e));
	spec.sans = names_with(ctx->a, spec.sans, cmd->more);
	ENSURE(spec.sans.count <= LIMIT_SAN_COUNT, e, TROTH_TOO_LARGE, "the server's certificate has more than %d names", LIMIT_SAN_COUNT);
	const char *json = credential_spec_write(ctx->a, &spec);
	if (there) {
		ret->spec = json;
		return RC_OK;
	}
	*ret = (struct credential_row){ .uuid = verb_uuid_text(ctx), .name = SERVER_CREDENTIAL, .kind = CREDENTIAL_LEAF,
					.issuer_id = authority_id, .key_type = "ec-p256", .spec = json, .rev = 1, .created = ctx->now };
	return RC_OK;
}

static troth_rc server_authority(struct verb_ctx *ctx, struct signer *ret, struct troth_err *e)
{
	struct credential_row row;
	TRY(credential_row_by_name(ctx->tx, ctx->a, SERVER_AUTHORITY, &row, e));
	return signer_load(ctx->tx, ctx->a, row.id, ret, e);
}

static troth_rc certificate_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	const struct server_certificate_cmd *cmd = arg;
	struct tls_plan *plan = ARENA_NEW(ctx->a, struct tls_plan);
	struct csr csr;
	certificate_check(ctx->a, cmd, e);
	TRY(check_done(e));
	TRY(csr_parse(ctx->a, bytes_of_text(cmd->csr), &csr, e));
	TRY(server_authority(ctx, &plan->signer, e));
	TRY(tls_credential(ctx, cmd, plan->signer.authority.id, &plan->credential, e));
	ctx->plan = plan;
	return ctx->options.dry_run ? RC_OK : issue_leaf_need(ctx, &plan->credential, &plan->signer, csr.spki, e);
}

static troth_rc record_certificate(struct verb_ctx *ctx, const struct version_row *version, msec_t not_after, struct troth_err *e)
{
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "version", version->uuid);
	jw_kv_time(&r.w, "not_after", not_after);
	return record_change(ctx, &(struct change){ .action = "server.certificate", .object = SERVER_CREDENTIAL,
						    .after = record_end(&r, ctx->a) }, e);
}

/* For as long as the certificate lives, and as nobody distrusts the older one. */
static troth_rc show_bridge(struct verb_ctx *ctx, const struct version_row *root, msec_t not_after, const char **ret, struct troth_err *e)
{
	struct issue_bridge bridge;
	struct version_row by;
	struct cert_row cross, older;
	*ret = "";
	TRY(issue_bridge(ctx->tx, ctx->a, root, &bridge, e));
	if (!bridge.cert || bridge.until < not_after)
		return RC_OK;
	TRY(version_row_get(ctx->tx, ctx->a, bridge.by, &by, e));
	if (by.distrusted)
		return RC_OK;
	TRY(cert_row_get(ctx->tx, ctx->a, bridge.cert, &cross, e));
	TRY(cert_row_get(ctx->tx, ctx->a, by.cert_id, &older, e));
	*ret = arena_printf(ctx->a, "%s%s", cert_pem(ctx->a, cross.der), cert_pem(ctx->a, older.der));
	return RC_OK;
}

static troth_rc certificate_store(struct verb_ctx *ctx, struct tls_plan *plan, struct server_certificate_ret *ret, struct troth_err *e)
{
	struct version_row version = { .source = VERSION_CSR, .wanted = true };
	struct cert_row cert;
	TRY(plan->credential.id ? credential_row_update(ctx->tx, &plan->credential, e) :
				  credential_row_insert(ctx->tx, &plan->credential, e));
	TRY(issue_store(ctx, &plan->credential, &plan->signer, ctx->replies[0]->der, &version, e));
	TRY(own_certificate_made(ctx, &version, e));
	TRY(cert_row_get(ctx->tx, ctx->a, version.cert_id, &cert, e));
	TRY(issue_chain_pem(ctx->tx, ctx->a, &version, &ret->certificate, &ret->chain, e));
	TRY(show_bridge(ctx, &plan->signer.version, cert.not_after, &ret->bridge, e));
	ret->not_after = cert.not_after;
	ret->renew_at = version.renew_at;
	return record_certificate(ctx, &version, cert.not_after, e);
}

static troth_rc certificate_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct server_certificate_cmd *cmd = arg;
	struct tls_plan *plan = ctx->plan;
	struct server_certificate_ret *ret = out;
	struct signer now;
	TRY(server_authority(ctx, &now, e));
	ctx->retry = now.version.id != plan->signer.version.id;
	if (ctx->retry)
		return RC_OK;
	TRY(tls_credential(ctx, cmd, now.authority.id, &plan->credential, e)); /* as the writer sees it */
	if (!ctx->options.dry_run)
		TRY(certificate_store(ctx, plan, ret, e));
	return identity_own_ca(ctx, SERVER_AUTHORITY, &ret->server_ca, e);
}

const struct verb VERB_SERVER_CERTIFICATE = { "server.certificate", VERB_WRITE, ROLES_ADMIN, sizeof(struct server_certificate_cmd),
					      sizeof(struct server_certificate_ret), certificate_prepare, certificate_run };

static troth_rc trust_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	struct server_trust_ret *ret = out;
	struct signer signer;
	TRY(server_authority(ctx, &signer, e));
	ret->signer = cert_pem(ctx->a, signer.cert->der);
	TRY(brought_now(ctx, &ret->brought, e));
	TRY(identity_own_ca(ctx, SERVER_AUTHORITY, &ret->server_ca, e));
	TRY(own_clients(ctx->tx, ctx->a, &ret->observed, &ret->generation, &ret->agents_ca, e));
	return ret->observed ? RC_OK : identity_own_ca(ctx, IDENTITY_AUTHORITY, &ret->agents_ca, e);
}

const struct verb VERB_SERVER_TRUST = { "server.trust", VERB_READ, ROLES_ADMIN, sizeof(struct no_cmd),
					sizeof(struct server_trust_ret), NULL, trust_run };

/* -- the audit key ------------------------------------------------------------------------------------ */
static troth_rc audit_key_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	struct bytes there;
	struct keeper_request *need = ARENA_NEW(ctx->a, struct keeper_request);
	if (rc_ok(meta_get(ctx->tx, ctx->a, META_AUDIT_BLOB, &there, NULL)))
		return RC_OK;
	need->kind = KEEPER_AUDIT_CREATE;
	verb_uuid(ctx, need->audit_create.key_id);
	return verb_need(ctx, need, e);
}

static troth_rc audit_key_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	if (!ctx->reply_count)
		return RC_OK;
	TRY(meta_put(ctx->tx, META_AUDIT_BLOB, ctx->replies[0]->blob, e));
	TRY(meta_put(ctx->tx, META_AUDIT_SPKI, ctx->replies[0]->spki, e));
	return record_change(ctx, &(struct change){ .action = "audit.key" }, e);
}

static const struct verb AUDIT_KEY = { "audit.key", VERB_WRITE, ROLE_SYSTEM, sizeof(struct no_cmd), sizeof(struct no_ret),
				       audit_key_prepare, audit_key_run };

/* -- the administrator ---------------------------------------------------------------------------------- */
struct admin_ret { const char *token; };

static troth_rc admin_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	struct admin_ret *ret = out;
	uint8_t hash[SHA256_LEN];
	ret->token = token_make(ctx, "troth-admin-");
	token_hash(ret->token, hash);
	struct principal_row row = { .uuid = verb_uuid_text(ctx), .name = "admin", .roles = ROLE_ADMIN, .scope = "*",
				     .token_hash = bytes_of(hash, sizeof hash), .created = ctx->now };
	TRY(principal_row_insert(ctx->tx, &row, e));
	return record_change(ctx, &(struct change){ .action = "principal.create", .object = "admin" }, e);
}

static const struct verb ADMIN_CREATE = { "admin.create", VERB_WRITE, ROLE_SYSTEM, sizeof(struct no_cmd), sizeof(struct admin_ret),
					  NULL, admin_run };

/* -- what is there already ------------------------------------------------------------------------------- */
struct state_ret { bool server, agents, complete; };

static troth_rc state_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	struct state_ret *ret = out;
	struct credential_row c;
	struct principal_row p;
	ret->server = rc_ok(credential_row_by_name(ctx->tx, ctx->a, SERVER_AUTHORITY, &c, NULL));
	ret->agents = rc_ok(credential_row_by_name(ctx->tx, ctx->a, IDENTITY_AUTHORITY, &c, NULL));
	ret->complete = rc_ok(principal_row_by_name(ctx->tx, ctx->a, "admin", &p, NULL));
	return RC_OK;
}

static const struct verb INIT_STATE = { "init.state", VERB_READ, ROLE_SYSTEM, sizeof(struct no_cmd), sizeof(struct state_ret), NULL,
					state_run };

/* -- all steps --------------------------------------------------------------------------------------------- */
struct init {
	struct service *svc;
	struct arena *a;
	const struct server_port *port;
	msec_t now;
	const struct verb_keeper *keeper;
};

static troth_rc step(const struct init *in, const struct verb *verb, const void *cmd, void *ret, struct troth_err *e)
{
	struct verb_ctx ctx;
	verb_ctx_init(&ctx, in->a, &PRINCIPAL_SYSTEM, in->port, in->now);
	return verb_run(in->svc, verb, &ctx, in->keeper, cmd, ret, e);
}

/* path_len 1: it may certify the root after it, for those who know only the older (show_bridge). */
static troth_rc own_authority_step(const struct init *in, const char *name, const char *common_name, int path_len, struct troth_err *e)
{
	struct credential_ret ret = { 0 };
	struct authority_create_cmd cmd = { .name = name, .common_name = common_name, .ttl = OWN_CA_TTL, .leaf_ttl = OWN_LEAF_TTL,
					    .path_len = path_len };
	return step(in, &VERB_AUTHORITY_CREATE, &cmd, &ret, e);
}

troth_rc init_run(struct service *svc, struct arena *a, const struct server_port *port, msec_t now,
		  const struct verb_keeper *keeper, const struct init_cmd *cmd, struct init_ret *ret, struct troth_err *e)
{
	struct init in = { svc, a, port, now, keeper };
	struct no_cmd none = { 0 };
	struct no_ret nothing;
	struct state_ret state = { 0 };
	struct admin_ret admin = { 0 };
	struct server_certificate_cmd tls = { cmd->csr, cmd->sans };
	struct server_certificate_ret made = { 0 };
	TRY(step(&in, &INIT_STATE, &none, &state, e));
	ENSURE(!state.complete, e, TROTH_CONFLICT, "this store is complete already");
	TRY(step(&in, &AUDIT_KEY, &none, &nothing, e));
	TRY(step(&in, &VERB_RECOVERY_KEY, &none, &nothing, e));
	if (!state.server)
		TRY(own_authority_step(&in, SERVER_AUTHORITY, NAME_SERVER_CA, 1, e));
	if (!state.agents)
		TRY(own_authority_step(&in, IDENTITY_AUTHORITY, "troth agents CA", 0, e));
	TRY(step(&in, &VERB_SERVER_CERTIFICATE, &tls, &made, e));
	TRY(step(&in, &ADMIN_CREATE, &none, &admin, e));
	TRY(step(&in, &VERB_AUDIT_SIGN, &none, &nothing, e));
	*ret = (struct init_ret){ admin.token, made.certificate, made.chain, made.server_ca };
	return RC_OK;
}
