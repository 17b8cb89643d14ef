/* Templates of targets: every instance of the deployment gets a target like this.  For the engine a
 * template is a group. */
#include "store/table.h"

const char *const TARGET_KIND_NAMES[] = { "slot", "store" };
const char *const TARGET_ROLE_NAMES[] = { "server", "client", "both" };
const char *const KEY_SOURCE_NAMES[] = { "agent", "keeper" };

static const struct column COLUMNS[] = {
	C(template_row, id, COL_ID),
	C(template_row, uuid, COL_TEXT),
	C(template_row, deployment_id, COL_REF),
	C_ENUM(template_row, kind, TARGET_KIND_NAMES, ARRAY_LEN(TARGET_KIND_NAMES)),
	C_ENUM(template_row, party, PARTY_NAMES, 5),
	C(template_row, name, COL_TEXT),
	C(template_row, profile, COL_TEXT),
	C_ENUM(template_row, role, TARGET_ROLE_NAMES, ARRAY_LEN(TARGET_ROLE_NAMES)),
	C(template_row, parameters, COL_TEXT),
	C(template_row, credential_pattern, COL_TEXT),
	C(template_row, common_name, COL_TEXT),
	C(template_row, sans, COL_TEXT),
	C(template_row, authority_id, COL_REF),
	C(template_row, bundle_id, COL_REF),
	C_ENUM(template_row, key_source, KEY_SOURCE_NAMES, ARRAY_LEN(KEY_SOURCE_NAMES)),
	C(template_row, key_type, COL_TEXT),
	C(template_row, leaf_ttl, COL_INT),
	C(template_row, atomic, COL_BOOL),
	C(template_row, store_limit, COL_INT),
	C(template_row, created, COL_INT),
};
static const struct table TEMPLATE = TABLE(template, COLUMNS, template_row, name);
static const struct query BY_NAME = { &TEMPLATE, .rows = "WHERE name = ?1 AND deployment_id = ?2" };
static const struct query LIST_DEPLOYMENT = { &TEMPLATE, .rows = "WHERE deployment_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3" };
static const struct query LIST_AUTHORITY = { &TEMPLATE, .rows = "WHERE authority_id = ?1 ORDER BY id" };
static const struct query LIST_BUNDLE = { &TEMPLATE, .rows = "WHERE bundle_id = ?1 ORDER BY id" };
static const struct query DELETE_LEFT = { &TEMPLATE, .sql = "DELETE FROM target WHERE template_id = ?1 AND state = 'left'" };

troth_rc template_row_insert(struct tx *tx, struct template_row *row, struct troth_err *e)
{
	return table_insert(tx, &TEMPLATE, row, e);
}

troth_rc template_row_update(struct tx *tx, const struct template_row *row, struct troth_err *e)
{
	return table_update(tx, &TEMPLATE, row, e);
}

troth_rc template_row_delete(struct tx *tx, int64_t id, struct troth_err *e)
{
	TRY(rows_exec(tx, &DELETE_LEFT, ARGS(arg_int(id)), NULL, e));
	return table_delete(tx, &TEMPLATE, id, e);
}

troth_rc template_row_get(struct tx *tx, struct arena *a, int64_t id, struct template_row *ret,
	struct troth_err *e)
{
	return table_get(tx, a, &TEMPLATE, id, ret, e);
}

troth_rc template_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid,
	struct template_row *ret, struct troth_err *e)
{
	return table_by_uuid(tx, a, &TEMPLATE, uuid, ret, e);
}

troth_rc template_row_by_name(struct tx *tx, struct arena *a, int64_t deployment_id,
	const char *name, struct template_row *ret, struct troth_err *e)
{
	return rows_find(tx, a, &BY_NAME, ARGS(arg_text(name), arg_int(deployment_id)), ret, e);
}

troth_rc template_row_list(struct tx *tx, struct arena *a, struct page page,
	struct template_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return table_list(tx, a, &TEMPLATE, page, ret_rows, ret_count, e);
}

troth_rc template_row_list_deployment(struct tx *tx, struct arena *a, int64_t deployment_id,
	struct page page, struct template_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_page(tx, a, &LIST_DEPLOYMENT, arg_int(deployment_id), page, ret_rows, ret_count, e);
}

troth_rc template_row_list_authority(struct tx *tx, struct arena *a, int64_t authority_id,
	struct template_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &LIST_AUTHORITY, ARGS(arg_int(authority_id)), ret_rows, ret_count, e);
}

troth_rc template_row_list_bundle(struct tx *tx, struct arena *a, int64_t bundle_id,
	struct template_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &LIST_BUNDLE, ARGS(arg_int(bundle_id)), ret_rows, ret_count, e);
}
