/* Versions: one signer per credential, whatever a caller tries. */
#include "box.h"

static void every_column_comes_back(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	int64_t ca = add_credential(b, tx, 1, CREDENTIAL_AUTHORITY), parent = add_version(b, tx, 50, ca);
	struct version_row in = { .uuid = uuid_of(b, 2), .credential_id = ca, .cert_id = add_cert(b, tx, 5), .signed_by = parent,
		.source = VERSION_CSR, .key_blob = bytes_of("key", 3), .sealed_key = bytes_of("sealed", 6), .wanted = true,
		.signing = true, .can_sign = true, .distrusted = true, .created = 7, .retired_at = 8, .renew_at = 9, .renew_latest = 10,
		.renewing = 11, .forgotten = 12 }, out;
	OK(version_row_insert(tx, &in, &b->e));
	OK(version_row_by_uuid(tx, b->a, in.uuid, &out, &b->e));
	assert_int_equal(out.id, in.id);
	assert_int_equal(out.credential_id, ca);
	assert_int_equal(out.cert_id, in.cert_id);
	assert_int_equal(out.signed_by, parent);
	assert_int_equal(out.source, VERSION_CSR);
	assert_true(bytes_equal(out.key_blob, in.key_blob) && bytes_equal(out.sealed_key, in.sealed_key));
	assert_true(out.wanted && out.signing && out.can_sign && out.distrusted);
	assert_int_equal(out.created + out.retired_at + out.renew_at + out.renew_latest + out.renewing + out.forgotten, 57);
	in.wanted = in.signing = in.can_sign = in.distrusted = false;
	in.key_blob = bytes_of(NULL, 0);
	OK(version_row_update(tx, &in, &b->e));
	OK(version_row_get(tx, b->a, in.id, &out, &b->e));
	assert_false(out.wanted || out.signing || out.can_sign || out.distrusted);
	assert_int_equal(out.key_blob.len, 0);
	box_commit(b, tx);
}

static void one_signer_per_credential(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	int64_t ca = add_credential(b, tx, 1, CREDENTIAL_AUTHORITY);
	struct version_row row;
	OK(version_row_get(tx, b->a, add_version(b, tx, 1, ca), &row, &b->e));
	row.signing = true;
	OK(version_row_update(tx, &row, &b->e));
	OK(version_row_get(tx, b->a, add_version(b, tx, 2, ca), &row, &b->e));
	row.signing = true;
	FAILS(TROTH_CONFLICT, version_row_update(tx, &row, &b->e));
	assert_string_equal(b->e.object, row.uuid);
	box_commit(b, tx);
}

static void the_label_moves(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	int64_t ca = add_credential(b, tx, 1, CREDENTIAL_AUTHORITY), other = add_credential(b, tx, 2, CREDENTIAL_AUTHORITY);
	int64_t first = add_version(b, tx, 1, ca), second = add_version(b, tx, 2, ca);
	struct version_row row;
	struct credential_row credential;
	OK(version_row_set_signing(tx, ca, first, &b->e));
	OK(version_row_set_signing(tx, ca, second, &b->e));
	OK(version_row_get(tx, b->a, first, &row, &b->e));
	assert_false(row.signing);
	OK(version_row_get(tx, b->a, second, &row, &b->e));
	assert_true(row.signing);
	OK(credential_row_get(tx, b->a, ca, &credential, &b->e));
	assert_int_equal(credential.signing_version, second);
	FAILS(TROTH_NOT_FOUND, version_row_set_signing(tx, other, second, &b->e));
	box_commit(b, tx);
}

static void lists_find_their_versions(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct version_row *rows;
	size_t count;
	int64_t ca = add_credential(b, tx, 1, CREDENTIAL_AUTHORITY), leaf = add_credential(b, tx, 2, CREDENTIAL_LEAF);
	int64_t signer = add_version(b, tx, 1, ca);
	for (int i = 2; i < 6; i++) {
		struct version_row row;
		OK(version_row_get(tx, b->a, add_version(b, tx, i, leaf), &row, &b->e));
		row.signed_by = signer;
		OK(version_row_update(tx, &row, &b->e));
	}
	OK(version_row_list(tx, b->a, PAGE_ALL, &rows, &count, &b->e));
	assert_int_equal(count, 5);
	OK(version_row_list_credential(tx, b->a, leaf, (struct page){ 0, 3 }, &rows, &count, &b->e));
	assert_int_equal(count, 3);
	OK(version_row_list_credential(tx, b->a, leaf, (struct page){ rows[2].id, 3 }, &rows, &count, &b->e));
	assert_int_equal(count, 1);
	OK(version_row_list_cert(tx, b->a, rows[0].cert_id, &rows, &count, &b->e));
	assert_int_equal(count, 1);
	OK(version_row_list_signed_by(tx, b->a, signer, PAGE_ALL, &rows, &count, &b->e));
	assert_int_equal(count, 4);
	OK(version_row_list_authorities(tx, b->a, PAGE_ALL, &rows, &count, &b->e));
	assert_int_equal(count, 1);
	assert_int_equal(rows[0].id, signer);
	box_commit(b, tx);
}

static int64_t add_labelled(struct box *b, struct tx *tx, int n, int64_t of, struct version_row labels)
{
	struct version_row row;
	OK(version_row_get(tx, b->a, add_version(b, tx, n, of), &row, &b->e));
	row.wanted = labels.wanted;
	row.distrusted = labels.distrusted;
	row.can_sign = labels.can_sign;
	row.retired_at = labels.retired_at;
	OK(version_row_update(tx, &row, &b->e));
	return row.id;
}

/* The newest, and what is older and still says something. */
static void the_recent_ones(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct version_row *rows;
	size_t count;
	int64_t leaf = add_credential(b, tx, 1, CREDENTIAL_LEAF), ca = add_credential(b, tx, 2, CREDENTIAL_AUTHORITY);
	int64_t wanted = add_labelled(b, tx, 1, leaf, (struct version_row){ .wanted = true });
	int64_t distrusted = add_labelled(b, tx, 2, leaf, (struct version_row){ .distrusted = true });
	for (int i = 0; i <= LIMIT_VERSIONS_SHOWN; i++)
		add_labelled(b, tx, 3 + i, leaf, (struct version_row){ 0 });
	OK(version_row_list_recent(tx, b->a, leaf, LIMIT_VERSIONS_SHOWN, &rows, &count, &b->e));
	assert_int_equal(count, LIMIT_VERSIONS_SHOWN + 2);
	assert_true(rows[0].id > rows[1].id && rows[count - 2].id == distrusted && rows[count - 1].id == wanted);
	int64_t trusted = add_labelled(b, tx, 1000, ca, (struct version_row){ 0 });
	for (int i = 0; i <= LIMIT_VERSIONS_SHOWN; i++)
		add_labelled(b, tx, 1001 + i, ca, (struct version_row){ .retired_at = 5 });
	OK(version_row_list_recent(tx, b->a, ca, LIMIT_VERSIONS_SHOWN, &rows, &count, &b->e));
	assert_true(count == LIMIT_VERSIONS_SHOWN + 1 && rows[count - 1].id == trusted);
	box_commit(b, tx);
}

static void who_could_sign(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct version_row *rows;
	size_t count;
	int64_t ca = add_credential(b, tx, 1, CREDENTIAL_AUTHORITY);
	int64_t before = add_labelled(b, tx, 1, ca, (struct version_row){ .can_sign = true });
	int64_t label = add_labelled(b, tx, 2, ca, (struct version_row){ .can_sign = true });
	int64_t next = add_labelled(b, tx, 3, ca, (struct version_row){ .can_sign = true, .wanted = true });
	add_labelled(b, tx, 4, ca, (struct version_row){ .can_sign = true });
	add_labelled(b, tx, 5, ca, (struct version_row){ .wanted = true });
	OK(version_row_set_signing(tx, ca, label, &b->e));
	OK(version_row_list_signers(tx, b->a, ca, before, &rows, &count, &b->e));
	assert_true(count == 3 && rows[0].id == before && rows[1].id == label && rows[2].id == next);
	OK(version_row_list_signers(tx, b->a, ca, 0, &rows, &count, &b->e));
	assert_int_equal(count, 2);
	box_commit(b, tx);
}

static void renewals_come_earliest_first(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct version_row *rows, row;
	size_t count;
	msec_t at;
	int64_t leaf = add_credential(b, tx, 2, CREDENTIAL_LEAF);
	OK(version_row_next_due(tx, &at, &b->e));
	assert_int_equal(at, 0);
	for (int i = 1; i <= 4; i++) {
		OK(version_row_get(tx, b->a, add_version(b, tx, i, leaf), &row, &b->e));
		row.renew_at = 100 - 10 * i;
		row.wanted = i != 4;
		OK(version_row_update(tx, &row, &b->e));
	}
	OK(version_row_next_due(tx, &at, &b->e));
	assert_int_equal(at, 70);
	OK(version_row_list_due(tx, b->a, 80, 10, &rows, &count, &b->e));
	assert_int_equal(count, 2);
	assert_int_equal(rows[0].renew_at, 70);
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(every_column_comes_back),
		BOX_TEST(one_signer_per_credential),
		BOX_TEST(the_label_moves),
		BOX_TEST(lists_find_their_versions),
		BOX_TEST(the_recent_ones),
		BOX_TEST(who_could_sign),
		BOX_TEST(renewals_come_earliest_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
