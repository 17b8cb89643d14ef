/* Metadata of versions: put, replaced, taken away. */
#include "box.h"

static const char *of(struct box *b, struct tx *tx, int64_t version)
{
	const char *body;
	OK(metadata_row_of(tx, b->a, version, &body, &b->e));
	return body;
}

static const char *newest(struct box *b, struct tx *tx, int64_t credential)
{
	const char *body;
	OK(metadata_row_newest(tx, b->a, credential, &body, &b->e));
	return body;
}

static void each_version_has_its_own(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	int64_t leaf = add_credential(b, tx, 1, CREDENTIAL_LEAF), other = add_credential(b, tx, 2, CREDENTIAL_LEAF);
	assert_null(newest(b, tx, leaf));
	int64_t first = add_version(b, tx, 1, leaf), second = add_version(b, tx, 2, leaf), foreign = add_version(b, tx, 3, other);
	OK(metadata_row_put(tx, first, "{\"a\":1}", &b->e));
	OK(metadata_row_put(tx, foreign, "{\"b\":1}", &b->e));
	assert_string_equal(of(b, tx, first), "{\"a\":1}");
	assert_null(of(b, tx, second));
	assert_null(newest(b, tx, leaf)); /* the newest has none, whatever those before it have */
	OK(metadata_row_put(tx, second, "{}", &b->e));
	OK(metadata_row_put(tx, second, "{\"c\":2}", &b->e));
	assert_string_equal(newest(b, tx, leaf), "{\"c\":2}");
	OK(metadata_row_put(tx, second, NULL, &b->e));
	OK(metadata_row_put(tx, second, NULL, &b->e));
	assert_null(of(b, tx, second));
	assert_string_equal(of(b, tx, first), "{\"a\":1}");
	assert_string_equal(newest(b, tx, other), "{\"b\":1}");
	FAILS(TROTH_CONFLICT, metadata_row_put(tx, 999, "{}", &b->e)); /* no such version */
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(each_version_has_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
