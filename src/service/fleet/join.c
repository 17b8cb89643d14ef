/* Joining: one target from one template, with the slot's own credential. */
#include "service/fleet/join.h"

#include "service/intake/upload.h"

#include "model/name.h"

static troth_rc bad_name(const struct instance_row *instance, const struct template_row *t, const char *made,
			 const char *fault, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_INVALID, "the instance name %s makes \"%.200s\" of a pattern of %s, which %s",
			      instance->name, made, t->name, fault);
	err_object(e, "%s", instance->name);
	err_hint(e, "enrol it under a name that fits, or correct the deployment's template");
	return rc;
}

static troth_rc expand_sans(struct arena *a, const struct instance_row *instance, const struct template_row *t,
			    struct json_texts *ret, struct troth_err *e)
{
	const struct json *list;
	TRY(json_parse(a, bytes_of_text(t->sans), &list, e));
	ret->items = ARENA_ARRAY(a, const char *, list->list.count);
	ret->count = list->list.count;
	for (size_t i = 0; i < ret->count; i++) {
		ret->items[i] = name_pattern_expand(a, list->list.items[i].str.s, instance->name);
		const char *fault = name_san_fault(ret->items[i]);
		if (fault)
			return bad_name(instance, t, ret->items[i], fault, e);
	}
	return RC_OK;
}

static unsigned eku_of(const struct template_row *t)
{
	return t->role == TARGET_CLIENT ? EKU_CLIENT : t->role == TARGET_BOTH ? EKU_SERVER | EKU_CLIENT : EKU_SERVER;
}

static troth_rc credential_make(struct verb_ctx *ctx, const struct instance_row *instance, const struct template_row *t,
				const char *name, struct credential_row *ret, struct troth_err *e)
{
	struct credential_spec spec = { .eku = eku_of(t), .path_len = -1, .clamp = true };
	TRY(expand_sans(ctx->a, instance, t, &spec.sans, e));
	if (t->common_name)
		spec.common_name = name_pattern_expand(ctx->a, t->common_name, instance->name);
	if (spec.common_name && strlen(spec.common_name) > CERT_COMMON_NAME_MAX)
		return bad_name(instance, t, spec.common_name, "is longer than 64 bytes", e);
	*ret = (struct credential_row){
		.uuid = verb_uuid_text(ctx), .name = name, .kind = CREDENTIAL_LEAF, .issuer_id = t->authority_id,
		.key_type = t->key_type, .spec = credential_spec_write(ctx->a, &spec), .leaf_ttl = t->leaf_ttl, .rev = 1,
		.created = ctx->now,
	};
	return credential_row_insert(ctx->tx, ret, e);
}

/* A credential of that name is there already: it must be a definition for this slot and nobody's. */
static troth_rc credential_adopt(struct verb_ctx *ctx, const struct template_row *t, const struct credential_row *row,
				 struct troth_err *e)
{
	struct target_row *targets;
	size_t n;
	const char *why = row->kind != CREDENTIAL_LEAF ? "is an authority" :
			  row->issuer_id != t->authority_id ? "is issued by another authority" : NULL;
	TRY(target_row_list_credential(ctx->tx, ctx->a, row->id, &targets, &n, e));
	for (size_t i = 0; i < n && !why; i++)
		if (targets[i].state != TARGET_LEFT)
			why = "is presented by another instance";
	if (!why)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_CONFLICT, "the slot %s needs the credential %s, but that %s", t->name, row->name, why);
	err_object(e, "%s", row->name);
	err_hint(e, "put {instance} into the template's credential pattern, or enrol under another name");
	return rc;
}

static troth_rc slot_credential(struct verb_ctx *ctx, const struct instance_row *instance, const struct template_row *t,
				int64_t *ret_id, struct troth_err *e)
{
	struct credential_row row;
	const char *name = name_pattern_expand(ctx->a, t->credential_pattern, instance->name);
	const char *fault = name_path_fault(name);
	if (fault)
		return bad_name(instance, t, name, fault, e);
	if (rc_ok(credential_row_by_name(ctx->tx, ctx->a, name, &row, NULL)))
		TRY(credential_adopt(ctx, t, &row, e));
	else
		TRY(credential_make(ctx, instance, t, name, &row, e));
	verb_changed(ctx, CHANGED_CREDENTIAL, row.id);
	*ret_id = row.id;
	return RC_OK;
}

troth_rc join_target(struct verb_ctx *ctx, const struct instance_row *instance, const struct template_row *t, struct troth_err *e)
{
	struct target_row row = { .uuid = verb_uuid_text(ctx), .instance_id = instance->id, .template_id = t->id, .state = TARGET_JOINING,
				  .next_generation = 1, .base_known = true, .created = ctx->now };
	if (t->kind == TARGET_SLOT)
		TRY(slot_credential(ctx, instance, t, &row.credential_id, e));
	TRY(target_row_insert(ctx->tx, &row, e));
	verb_changed(ctx, CHANGED_TARGET, row.id);
	return t->kind == TARGET_SLOT ? upload_slot_joined(ctx, &row, e) : RC_OK;
}
