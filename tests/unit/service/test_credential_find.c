/* Looking for credentials and authorities: each condition, their words, the order, pages. */
#include "room.h"

static void make(struct room *r, const char *name, const char *authority, const char *san, msec_t ttl)
{
	struct credential_ret ret;
	struct credential_create_cmd cmd = { .name = name, .authority = authority, .sans = room_texts(r, san, NULL), .ttl = ttl,
					     .csr = room_csr(r, KEY_EC_P256) };
	room_do(r, &VERB_CREDENTIAL_CREATE, &cmd, &ret);
}

static struct room *some(void)
{
	struct room *r = room_new();
	room_authority(r, "/prod/pg/ca", NULL);
	room_authority(r, "/prod/web/ca", NULL);
	make(r, "/prod/pg/b", "/prod/pg/ca", "dns:b.example", 20 * MSEC_DAY);
	make(r, "/prod/pg/a", "/prod/pg/ca", "uri:spiffe://x/a", 40 * MSEC_DAY);
	make(r, "/prod/web/c", "/prod/web/ca", "c.example", 30 * MSEC_DAY);
	return r;
}

/* The last parts of the names, in order; troth's own leaf is left out. */
static const char *found(struct room *r, const struct verb *verb, struct list_filter filter)
{
	struct credential_list_ret list;
	const char *all = "";
	struct list_cmd cmd = { .filter = &filter };
	room_do(r, verb, &cmd, &list);
	for (size_t i = 0; i < list.count; i++)
		if (!text_starts(list.items[i].row.name, "/troth/"))
			all = arena_printf(r->a, "%s%s", all, strrchr(list.items[i].row.name, '/') + 1);
	return all;
}

static void test_conditions(void **state)
{
	struct room *r = some();
	const struct verb *v = &VERB_CREDENTIAL_LIST;
	assert_string_equal(found(r, v, (struct list_filter){ .name_prefix = "/prod/pg/" }), "ba");
	assert_string_equal(found(r, v, (struct list_filter){ .issuer = "/prod/web/ca" }), "c");
	assert_string_equal(found(r, v, (struct list_filter){ .san = "B.example" }), "b");
	assert_string_equal(found(r, v, (struct list_filter){ .san = "dns:c.example" }), "c");
	assert_string_equal(found(r, v, (struct list_filter){ .san = "spiffe://x/a" }), "a");
	assert_string_equal(found(r, v, (struct list_filter){ .expires_before = r->now + 35 * MSEC_DAY, .sort = "-expires" }), "cb");
	assert_string_equal(found(r, v, (struct list_filter){ .sort = "name", .name_prefix = "/prod/" }), "abc");
	assert_string_equal(found(r, &VERB_AUTHORITY_LIST, (struct list_filter){ .name_prefix = "/prod/" }), "caca");
	room_free(r);
}

static void test_fingerprints(void **state)
{
	struct room *r = some();
	struct credential_list_ret list;
	char hex[2 * SHA256_LEN + 1], colons[3 * SHA256_LEN + 1] = "";
	room_do(r, &VERB_CREDENTIAL_LIST, &(struct list_cmd){ .name = "/prod/pg/a" }, &list);
	hex_encode(list.items[0].versions[0].cert.fingerprint.data, SHA256_LEN, hex);
	for (size_t i = 0; i < SHA256_LEN; i++)
		snprintf(colons + 3 * i, 4, "%.2s%s", hex + 2 * i, i + 1 < SHA256_LEN ? ":" : "");
	assert_string_equal(found(r, &VERB_CREDENTIAL_LIST, (struct list_filter){ .fingerprint = hex }), "a");
	assert_string_equal(found(r, &VERB_CREDENTIAL_LIST, (struct list_filter){ .fingerprint = colons }), "a");
	assert_string_equal(found(r, &VERB_AUTHORITY_LIST, (struct list_filter){ .fingerprint = hex }), "");
	room_free(r);
}

static void refused(struct room *r, struct list_cmd cmd, const char *path, const char *part)
{
	room_refused(r, &r->admin, &VERB_CREDENTIAL_LIST, &cmd, TROTH_INVALID, "");
	room_finding(r, path, part);
}

static void test_words(void **state)
{
	struct room *r = some();
	refused(r, (struct list_cmd){ .filter = &(struct list_filter){ .sort = "age" } }, "?sort", "order");
	refused(r, (struct list_cmd){ .filter = &(struct list_filter){ .sort = "" } }, "?sort", "order");
	refused(r, (struct list_cmd){ .filter = &(struct list_filter){ .fingerprint = "3f" } }, "?fingerprint", "SHA-256");
	refused(r, (struct list_cmd){ .filter = &(struct list_filter){ .fingerprint = "zz" } }, "?fingerprint", "SHA-256");
	refused(r, (struct list_cmd){ .filter = &(struct list_filter){ .san = "a b" } }, "?san", "");
	refused(r, (struct list_cmd){ .filter = &(struct list_filter){ .name_prefix = "/prod/\xc3\xa9" } }, "?name_prefix", "character");
	refused(r, (struct list_cmd){ .name = "/x", .filter = &(struct list_filter){ .sort = "name" } }, "?name", "one");
	room_refused(r, &r->admin, &VERB_CREDENTIAL_LIST, &(struct list_cmd){ .filter = &(struct list_filter){ .issuer = "/no" } }, TROTH_NOT_FOUND,
		     "/no");
	room_free(r);
}

/* What is outside the scope is not found, by no word. */
static void test_scope(void **state)
{
	struct room *r = some();
	struct credential_list_ret list;
	struct list_cmd cmd = { .filter = &(struct list_filter){ .name_prefix = "/prod/", .sort = "expires" } };
	assert_true(rc_ok(room_try(r, &r->narrow, &VERB_CREDENTIAL_LIST, &cmd, &list)));
	assert_int_equal(list.count, 2); /* /prod/pg */
	cmd.filter = &(struct list_filter){ .issuer = "/prod/web/ca" };
	room_refused(r, &r->narrow, &VERB_CREDENTIAL_LIST, &cmd, TROTH_NOT_FOUND, "no authority");
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conditions), cmocka_unit_test(test_fingerprints), cmocka_unit_test(test_words), cmocka_unit_test(test_scope),
	};
	return cmocka_run_group_tests_name("credential_find", tests, NULL, NULL);
}
