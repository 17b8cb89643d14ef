/* Single values, counters and the epoch. */
#include "store/table.h"

struct meta_row {
	const char *key;
	struct bytes value;
};
static const struct column COLUMNS[] = {
	C(meta_row, key, COL_TEXT),
	C(meta_row, value, COL_BLOB),
};
static const struct table META = { "meta", COLUMNS, ARRAY_LEN(COLUMNS), sizeof(struct meta_row), 0 };
static const struct query GET = { &META, .rows = "WHERE key = ?1" };
static const struct query PUT = { &META,
	.sql = "INSERT INTO meta(key, value) VALUES (?1, ?2) ON CONFLICT(key) DO UPDATE SET value = excluded.value" };
static const struct query SEQUENCE_NEXT = { &META,
	.sql = "INSERT INTO sequence(name, value) VALUES (?1, 1) ON CONFLICT(name) DO UPDATE SET value = value + 1" };
static const struct query SEQUENCE_RAISE = { &META,
	.sql = "INSERT INTO sequence(name, value) VALUES (?1, ?2) ON CONFLICT(name) DO UPDATE SET value = max(value, excluded.value)" };
static const struct query SEQUENCE_READ = { &META, .sql = "SELECT value FROM sequence WHERE name = ?1" };
static const struct query EPOCH = { &META, .sql = "SELECT CAST(value AS TEXT) FROM meta WHERE key = 'epoch'" };

troth_rc meta_get(struct tx *tx, struct arena *a, const char *key, struct bytes *ret_value,
	struct troth_err *e)
{
	struct meta_row row;
	TRY(rows_find(tx, a, &GET, ARGS(arg_text(key)), &row, e));
	*ret_value = row.value;
	return RC_OK;
}

troth_rc meta_put(struct tx *tx, const char *key, struct bytes value, struct troth_err *e)
{
	ENSURE(value.len > 0, e, TROTH_INTERNAL, "meta \"%s\" without a value", key);
	return rows_exec(tx, &PUT, ARGS(arg_text(key), arg_blob(value)), NULL, e);
}

troth_rc meta_get_text(struct tx *tx, struct arena *a, const char *key, const char **ret_text,
	struct troth_err *e)
{
	struct bytes value;
	TRY(meta_get(tx, a, key, &value, e));
	*ret_text = arena_text_n(a, (const char *)value.data, value.len);
	return RC_OK;
}

troth_rc meta_put_text(struct tx *tx, const char *key, const char *text, struct troth_err *e)
{
	return meta_put(tx, key, bytes_of_text(text), e);
}

troth_rc store_epoch(struct tx *tx, int64_t *ret_epoch, struct troth_err *e)
{
	return rows_int(tx, &EPOCH, NO_ARGS, ret_epoch, e);
}

troth_rc store_epoch_set(struct tx *tx, int64_t epoch, struct troth_err *e)
{
	char text[24];
	snprintf(text, sizeof text, "%lld", (long long)epoch);
	return meta_put_text(tx, "epoch", text, e);
}

troth_rc store_sequence_next(struct tx *tx, const char *name, int64_t *ret_number, struct troth_err *e)
{
	TRY(rows_exec(tx, &SEQUENCE_NEXT, ARGS(arg_text(name)), NULL, e));
	return rows_int(tx, &SEQUENCE_READ, ARGS(arg_text(name)), ret_number, e);
}

troth_rc store_sequence_raise(struct tx *tx, const char *name, int64_t number, struct troth_err *e)
{
	return rows_exec(tx, &SEQUENCE_RAISE, ARGS(arg_text(name), arg_int(number)), NULL, e);
}
