/* Targets: a slot or a store on an instance, and what the engine knows of it. */
#include "store/table.h"

const char *const TARGET_STATE_NAMES[] = { "joining", "counted", "waived", "leaving", "left" };
const char *const TARGET_LEVEL_NAMES[] = { "none", "sent", "written", "loaded", "probed" };

static const struct column COLUMNS[] = {
	C(target_row, id, COL_ID),
	C(target_row, uuid, COL_TEXT),
	C(target_row, instance_id, COL_REF),
	C(target_row, template_id, COL_REF),
	C(target_row, credential_id, COL_REF),
	C_ENUM(target_row, state, TARGET_STATE_NAMES, ARRAY_LEN(TARGET_STATE_NAMES)),
	C(target_row, next_generation, COL_INT),
	C(target_row, base_known, COL_BOOL),
	C(target_row, strange, COL_BOOL),
	C(target_row, base_content, COL_REF),
	C(target_row, base_generation, COL_INT),
	C(target_row, high_water, COL_INT),
	C_ENUM(target_row, level, TARGET_LEVEL_NAMES, ARRAY_LEN(TARGET_LEVEL_NAMES)),
	C(target_row, level_generation, COL_INT),
	C(target_row, seen_at, COL_INT),
	C(target_row, last_error, COL_TEXT),
	C(target_row, failed_content, COL_REF),
	C(target_row, failures, COL_INT),
	C(target_row, report_seq, COL_INT),
	C(target_row, csr_request, COL_TEXT),
	C(target_row, csr_ca, COL_REF),
	C(target_row, pace, COL_INT),
	C(target_row, found, COL_TEXT),
	C(target_row, drift, COL_TEXT),
	C(target_row, created, COL_INT),
	C(target_row, left_at, COL_INT),
};
static const struct table TARGET = TABLE(target, COLUMNS, target_row, uuid);
static const struct query LIST_INSTANCE = { &TARGET, .rows = "WHERE instance_id = ?1 ORDER BY id" };
static const struct query LIST_TEMPLATE = { &TARGET, .rows = "WHERE template_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3" };
static const struct query LIST_CREDENTIAL = { &TARGET, .rows = "WHERE credential_id = ?1 ORDER BY id" };
static const struct query LIST_CSR = { &TARGET, .rows = "WHERE csr_request IS NOT NULL AND state <> 'left' AND id > ?1 ORDER BY id LIMIT ?2" };
static const struct column HOLDING_COLUMNS[] = { C(holding_row, content_id, COL_REF), C(holding_row, members, COL_INT) };
static const struct table HOLDING = { "holding", HOLDING_COLUMNS, ARRAY_LEN(HOLDING_COLUMNS), sizeof(struct holding_row), 0 };
static const struct query LIST_HOLDINGS = { &HOLDING,
	.sql = "SELECT CASE WHEN base_known THEN base_content END AS held, count(*) FROM target WHERE template_id = ?1 AND state <> 'left' "
	       "GROUP BY held ORDER BY held" };

troth_rc target_row_insert(struct tx *tx, struct target_row *row, struct troth_err *e)
{
	return table_insert(tx, &TARGET, row, e);
}

troth_rc target_row_update(struct tx *tx, const struct target_row *row, struct troth_err *e)
{
	return table_update(tx, &TARGET, row, e);
}

troth_rc target_row_get(struct tx *tx, struct arena *a, int64_t id, struct target_row *ret,
	struct troth_err *e)
{
	return table_get(tx, a, &TARGET, id, ret, e);
}

troth_rc target_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid,
	struct target_row *ret, struct troth_err *e)
{
	return table_by_uuid(tx, a, &TARGET, uuid, ret, e);
}

troth_rc target_row_list(struct tx *tx, struct arena *a, struct page page,
	struct target_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return table_list(tx, a, &TARGET, page, ret_rows, ret_count, e);
}

troth_rc target_row_list_instance(struct tx *tx, struct arena *a, int64_t instance_id,
	struct target_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &LIST_INSTANCE, ARGS(arg_int(instance_id)), ret_rows, ret_count, e);
}

troth_rc target_row_list_template(struct tx *tx, struct arena *a, int64_t template_id,
	struct page page, struct target_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_page(tx, a, &LIST_TEMPLATE, arg_int(template_id), page, ret_rows, ret_count, e);
}

troth_rc target_row_list_credential(struct tx *tx, struct arena *a, int64_t credential_id,
	struct target_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &LIST_CREDENTIAL, ARGS(arg_int(credential_id)), ret_rows, ret_count, e);
}

troth_rc target_row_list_csr(struct tx *tx, struct arena *a, struct page page,
	struct target_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &LIST_CSR, ARGS(arg_int(page.after), arg_int(page_limit(page))), ret_rows, ret_count, e);
}

troth_rc target_row_list_holdings(struct tx *tx, struct arena *a, int64_t template_id,
	struct holding_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &LIST_HOLDINGS, ARGS(arg_int(template_id)), ret_rows, ret_count, e);
}
