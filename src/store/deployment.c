/* Deployments.  Deleting one takes everything that hangs below it along, and is refused while an
 * instance of it has not left. */
#include "store/table.h"

const char *const PARTY_NAMES[] = { "agent", "external", "holder", "binding", "own" };

static const struct column COLUMNS[] = {
	C(deployment_row, id, COL_ID),
	C(deployment_row, uuid, COL_TEXT),
	C(deployment_row, name, COL_TEXT),
	C(deployment_row, ephemeral, COL_BOOL),
	C(deployment_row, ignored, COL_BOOL),
	C(deployment_row, lease, COL_INT),
	C_ENUM(deployment_row, party, PARTY_NAMES, 5),
	C(deployment_row, grace, COL_INT),
	C(deployment_row, rev, COL_INT),
	C(deployment_row, created, COL_INT),
};
static const struct table DEPLOYMENT = TABLE(deployment, COLUMNS, deployment_row, name);
static const struct query BY_NAME = { &DEPLOYMENT, .rows = "WHERE name = ?1" };
static const struct query INSTANCES = { &DEPLOYMENT, .sql = "SELECT count(*) FROM instance WHERE deployment_id = ?1 AND state <> 'left'" };

troth_rc deployment_row_insert(struct tx *tx, struct deployment_row *row, struct troth_err *e)
{
	return table_insert(tx, &DEPLOYMENT, row, e);
}

troth_rc deployment_row_update(struct tx *tx, const struct deployment_row *row, struct troth_err *e)
{
	return table_update(tx, &DEPLOYMENT, row, e);
}

troth_rc deployment_row_delete(struct tx *tx, int64_t id, struct troth_err *e)
{
	int64_t instances;
	TRY(rows_int(tx, &INSTANCES, ARGS(arg_int(id)), &instances, e));
	ENSURE(instances == 0, e, TROTH_CONFLICT, "the deployment still has %lld instances", (long long)instances);
	return table_delete(tx, &DEPLOYMENT, id, e);
}

troth_rc deployment_row_get(struct tx *tx, struct arena *a, int64_t id, struct deployment_row *ret,
	struct troth_err *e)
{
	return table_get(tx, a, &DEPLOYMENT, id, ret, e);
}

troth_rc deployment_row_by_uuid(struct tx *tx, struct arena *a, const char *uuid,
	struct deployment_row *ret, struct troth_err *e)
{
	return table_by_uuid(tx, a, &DEPLOYMENT, uuid, ret, e);
}

troth_rc deployment_row_by_name(struct tx *tx, struct arena *a, const char *name,
	struct deployment_row *ret, struct troth_err *e)
{
	return rows_find(tx, a, &BY_NAME, ARGS(arg_text(name)), ret, e);
}

troth_rc deployment_row_list(struct tx *tx, struct arena *a, struct page page,
	struct deployment_row **ret_rows, size_t *ret_count, struct troth_err *e)
{
	return table_list(tx, a, &DEPLOYMENT, page, ret_rows, ret_count, e);
}
