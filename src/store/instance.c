/* Instances: nodes with an agent.  One that left keeps its row and frees its name. */
#include "store/table.h"

const char *const INSTANCE_STATE_NAMES[] = { "active", "waived", "leaving", "left" };

static const struct column COLUMNS[] = {
	C(instance_row, id, COL_ID),
	C(instance_row, uuid, COL_TEXT),
	C(instance_row, deployment_id, COL_REF),
	C(instance_row, name, COL_TEXT),
	C_ENUM(instance_row, state, INSTANCE_STATE_NAMES, ARRAY_LEN(INSTANCE_STATE_NAMES)),
	C(instance_row, identity_fingerprint, COL_BLOB),
	C(instance_row, identity_previous, COL_BLOB),
	C(instance_row, identity_not_after, COL_INT),
	C(instance_row, identity_der, COL_BLOB),
	C(instance_row, boot_id, COL_TEXT),
	C(instance_row, session, COL_INT),
	C(instance_row, session_opened, COL_INT),
	C(instance_row, last_seen, COL_INT),
	C(instance_row, alive_until, COL_INT),
	C(instance_row, desired_version, COL_INT),
	C(instance_row, agent_version, COL_TEXT),
	C(instance_row, alarm, COL_TEXT),
	C(instance_row, lease_until, COL_INT),
	C(instance_row, created, COL_INT),
	C(instance_row, left_at, COL_INT),
};
static const struct table INSTANCE = TABLE(instance, COLUMNS, instance_row, name);
static const struct query BY_NAME = { &INSTANCE, .rows = "WHERE name = ?1 AND deployment_id = ?2 AND state <> 'left'" };
static const struct query BY_FINGERPRINT = { &INSTANCE, .rows = "WHERE (identity_fingerprint = ?1 OR identity_previous = ?1) AND state <> 'left'" };
static const struct query LIST_DEPLOYMENT = { &INSTANCE, .rows = "WHERE deployment_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3" };
static const struct query LIST_ABANDONED = { &INSTANCE, .rows = "WHERE id IN (SELECT instance_id FROM target WHERE state = 'joining')"
	" AND state = 'active' AND last_seen < ?1 AND created < ?1 AND NOT EXISTS (SELECT 1 FROM target t"
	" WHERE t.instance_id = instance.id AND t.state NOT IN ('joining', 'left')"
	" AND (SELECT party FROM template p WHERE p.id = t.template_id) <> 'own') ORDER BY id LIMIT ?2" };
static const struct query LIST_OVER = { &INSTANCE,
	.rows = "WHERE state = 'left' AND lease_until > 0 AND left_at < ?1 ORDER BY left_at LIMIT ?2" };
static const struct query HAS_LEFT = { &INSTANCE, .sql = "SELECT count(*) FROM instance WHERE id = ?1 AND state = 'left'" };
static const struct query FORGET_TOKENS = { &INSTANCE, .sql = "DELETE FROM token WHERE used_by = ?1" };
static const struct query TOUCH = { &INSTANCE, .sql = "UPDATE instance SET last_seen = ?2, alive_until = ?3 WHERE id = ?1" };

troth_rc instance_row_insert(struct tx *tx, struct instance_row *row, struct troth_err *e)
{
	return table_insert(tx, &INSTANCE, row, e);
}

troth_rc instance_row_update(struct tx *tx, const struct instance_row *row, struct troth_err *e)
{
	return table_update(tx, &INSTANCE, row, e);
}

troth_rc instance_row_touch(struct tx *tx, int64_t id, msec_t last_seen, msec_t alive_until,
	struct troth_err *e)
{
	int changes;
	TRY(rows_exec(tx, &TOUCH, ARGS(arg_int(id), arg_int(last_seen), arg_int(alive_until)), &changes, e));
	ENSURE(changes == 1, e, TROTH_NOT_FOUND, "no instance with id %lld", (long long)id);
	return RC_OK;
}

troth_rc instance_row_get(struct tx *tx, struct arena *a, int64_t id, struct instance_row *ret,
	struct troth_err *e)
{
	return table_get(tx, a, &INSTANCE, id, ret, e);
}

troth_rc instance_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid,
	struct instance_row *ret, struct troth_err *e)
{
	return table_by_uuid(tx, a, &INSTANCE, uuid, ret, e);
}

troth_rc instance_row_by_name(struct tx *tx, struct arena *a, int64_t deployment_id,
	const char *name, struct instance_row *ret, struct troth_err *e)
{
	return rows_find(tx, a, &BY_NAME, ARGS(arg_text(name), arg_int(deployment_id)), ret, e);
}

troth_rc instance_row_by_fingerprint(struct tx *tx, struct arena *a, struct bytes fingerprint,
	struct instance_row *ret, struct troth_err *e)
{
	return rows_find(tx, a, &BY_FINGERPRINT, ARGS(arg_blob(fingerprint)), ret, e);
}

troth_rc instance_row_list(struct tx *tx, struct arena *a, struct page page,
	struct instance_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return table_list(tx, a, &INSTANCE, page, ret_rows, ret_count, e);
}

troth_rc instance_row_list_abandoned(struct tx *tx, struct arena *a, msec_t before, int limit,
	struct instance_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &LIST_ABANDONED, ARGS(arg_int(before), arg_int(limit)), ret_rows, ret_count, e);
}

troth_rc instance_row_list_over(struct tx *tx, struct arena *a, msec_t before, int limit,
	struct instance_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_list(tx, a, &LIST_OVER, ARGS(arg_int(before), arg_int(limit)), ret_rows, ret_count, e);
}

troth_rc instance_row_forget(struct tx *tx, int64_t id, struct troth_err *e)
{
	int64_t left;
	TRY(rows_int(tx, &HAS_LEFT, ARGS(arg_int(id)), &left, e));
	ENSURE(left, e, TROTH_CONFLICT, "instance %lld has not left", (long long)id);
	TRY(rows_exec(tx, &FORGET_TOKENS, ARGS(arg_int(id)), NULL, e));
	return table_delete(tx, &INSTANCE, id, e); /* its targets, and what hangs below them, go with it */
}

troth_rc instance_row_list_deployment(struct tx *tx, struct arena *a, int64_t deployment_id,
	struct page page, struct instance_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return rows_page(tx, a, &LIST_DEPLOYMENT, arg_int(deployment_id), page, ret_rows, ret_count, e);
}
