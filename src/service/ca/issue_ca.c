/* A new version of an authority.  See issue_ca.h. */
#include "service/ca/issue_ca.h"

#include "model/name.h"

static struct cert_spec spec_of(const struct verb_ctx *ctx, const struct credential_row *c, const struct credential_spec *s,
				bool root)
{
	struct cert_spec spec = { .kind = root ? CERT_ROOT : CERT_INTERMEDIATE, .common_name = s->common_name,
				  .organization = s->organization, .organizational_unit = s->organizational_unit, .place = s->place,
				  .path_len = (int)s->path_len,
				  .permitted_dns = s->permitted_dns.items, .permitted_dns_count = s->permitted_dns.count,
				  .not_before = ctx->now - CERT_BACKDATE, .not_after = ctx->now + c->ca_ttl };
	verb_random(ctx, spec.serial, sizeof spec.serial);
	return spec;
}

msec_t issue_ca_latest(const char *authority, const struct cert_spec *spec)
{
	msec_t longest = spec->not_before + LIMIT_KEEPER_LIFE_DAYS * MSEC_DAY;
	return name_is_reserved(authority) && longest > spec->not_after ? longest : spec->not_after;
}

static struct keeper_policy policy_of(const struct credential_row *c, const struct cert_spec *spec, const char *key_id)
{
	struct keeper_policy p = { .kind = KEEPER_KEY_AUTHORITY, .authority = c->name, .may_sign_ca = spec->path_len != 0,
				   .path_len = spec->path_len, .latest_not_after = issue_ca_latest(c->name, spec),
				   .exportable = c->exportable };
	(void)text_copy(p.key_id, sizeof p.key_id, key_id); /* a uuid fits a uuid */
	return p;
}

troth_rc issue_ca_need(struct verb_ctx *ctx, const struct credential_row *authority, const struct keeper_issuer *issuer,
		       const char *key_id, struct troth_err *e)
{
	struct keeper_request *need = ARENA_NEW(ctx->a, struct keeper_request);
	struct credential_spec s;
	enum key_type type;
	const struct cert *above;
	TRY(credential_spec_read(ctx->a, authority->spec, &s, e));
	TRY(key_type_parse(authority->key_type, &type, e));
	struct cert_spec spec = spec_of(ctx, authority, &s, !issuer);
	if (!issuer) {
		need->kind = KEEPER_AUTHORITY_CREATE;
		need->authority_create.policy = policy_of(authority, &spec, key_id);
		need->authority_create.key_type = type;
		need->authority_create.spec = spec;
		return verb_need(ctx, need, e);
	}
	TRY(cert_parse(ctx->a, issuer->cert, &above, e));
	cert_spec_clamp(&spec, above);
	need->kind = KEEPER_AUTHORITY_SIGN;
	need->authority_sign.issuer = *issuer;
	need->authority_sign.policy = policy_of(authority, &spec, key_id);
	need->authority_sign.key_type = type;
	need->authority_sign.spec = spec;
	return verb_need(ctx, need, e);
}

troth_rc issue_ca_renew_need(struct verb_ctx *ctx, const struct credential_row *authority, const struct keeper_issuer *now,
			     msec_t not_after, struct troth_err *e)
{
	struct keeper_request *need = ARENA_NEW(ctx->a, struct keeper_request);
	struct credential_spec s;
	TRY(credential_spec_read(ctx->a, authority->spec, &s, e));
	need->kind = KEEPER_AUTHORITY_RENEW;
	need->authority_renew.root = *now;
	need->authority_renew.spec = spec_of(ctx, authority, &s, true);
	need->authority_renew.spec.not_after = not_after;
	return verb_need(ctx, need, e);
}

troth_rc issue_ca_cross_need(struct verb_ctx *ctx, const struct credential_row *authority, const struct keeper_issuer *old,
			     const struct keeper_issuer *made, struct troth_err *e)
{
	struct keeper_request *need = ARENA_NEW(ctx->a, struct keeper_request);
	struct credential_spec s;
	const struct cert *above, *below;
	TRY(credential_spec_read(ctx->a, authority->spec, &s, e));
	TRY(cert_parse(ctx->a, old->cert, &above, e));
	TRY(cert_parse(ctx->a, made->cert, &below, e));
	struct cert_spec spec = spec_of(ctx, authority, &s, false);
	spec.not_after = below->not_after;
	cert_spec_clamp(&spec, above);
	if (above->path_len >= 0 && (spec.path_len < 0 || spec.path_len >= above->path_len))
		spec.path_len = above->path_len - 1;
	need->kind = KEEPER_AUTHORITY_CROSS;
	need->authority_cross.issuer = *old;
	need->authority_cross.subject = *made;
	need->authority_cross.spec = spec;
	return verb_need(ctx, need, e);
}
