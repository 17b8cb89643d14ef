/* What a document must be, and the files it makes. */
#include "lab.h"

#include <string.h>

#include "agent/document.h"

struct slot { const char *leaf; struct buf key; };

static struct slot slot(struct lab *l)
{
	struct slot s = { .key = buf_make_secret(8192) };
	struct key *k;
	struct bytes spki;
	assert_true(rc_ok(key_generate(KEY_EC_P256, &k, NULL)));
	assert_true(rc_ok(key_spki(k, l->a, &spki, NULL)));
	assert_true(rc_ok(key_write(k, KEY_PKCS8_PEM, &s.key, NULL)));
	key_release(k);
	s.leaf = lab_leaf_for(l, spki);
	return s;
}

static void refused(struct lab *l, enum msg_target_kind kind, const char **pems, size_t n, struct bytes key, msec_t now, const char *words)
{
	struct document d;
	struct troth_err e = { 0 };
	assert_true(rc_failed(document_make(l->a, kind, &(struct json_texts){ pems, n }, key, now, &d, &e)));
	if (!strstr(e.primary, words))
		fail_msg("\"%s\" does not say \"%s\"", e.primary, words);
}

static void a_slots_files(void **state)
{
	struct lab *l = *state;
	struct slot s = slot(l);
	const char *pems[] = { s.leaf, cert_pem(l->a, l->ca->der) };
	CLEANUP(document_release) struct document d;
	struct place p = { .kind = MSG_SLOT, .file_count = 5,
			   .files = { { .name = "leaf", .content = CONTENT_LEAF }, { .name = "chain", .content = CONTENT_CHAIN },
				      { .name = "full", .content = CONTENT_FULLCHAIN }, { .name = "key", .content = CONTENT_KEY },
				      { .name = "all", .content = CONTENT_COMBINED } } };
	struct document_file *files;
	size_t n;
	assert_true(rc_ok(document_make(l->a, MSG_SLOT, &(struct json_texts){ pems, 2 }, buf_bytes(&s.key), 0, &d, NULL)));
	assert_true(rc_ok(document_files(l->a, &p, &d, &files, &n, NULL)));
	assert_int_equal(n, 5);
	assert_true(bytes_equal(files[0].data, bytes_of_text(pems[0])));
	assert_true(bytes_equal(files[1].data, bytes_of_text(pems[1])));
	assert_int_equal(files[2].data.len, files[0].data.len + files[1].data.len);
	assert_int_equal(files[4].data.len, files[2].data.len + files[3].data.len);
	assert_true(bytes_equal(files[2].data, document_pem(l->a, &d)));
	assert_int_equal(d.fingerprints.count, 2);
	buf_release(&s.key);
}

static void what_is_wrong_is_named(void **state)
{
	struct lab *l = *state;
	struct slot a = slot(l), b = slot(l);
	const char *ca = cert_pem(l->a, l->ca->der);
	refused(l, MSG_SLOT, &a.leaf, 1, buf_bytes(&b.key), 0, "does not fit");
	refused(l, MSG_SLOT, &a.leaf, 0, buf_bytes(&a.key), 0, "1 to");
	refused(l, MSG_SLOT, &a.leaf, 1, buf_bytes(&a.key), port_now(&PORT_CLOCK_REAL) + 2 * MSEC_DAY, "expired");
	const char *order[] = { ca, a.leaf }, *twice[] = { ca, ca };
	refused(l, MSG_SLOT, order, 2, buf_bytes(&a.key), 0, "out of order");
	refused(l, MSG_STORE, twice, 2, bytes_of(NULL, 0), 0, "twice");
	refused(l, MSG_STORE, &a.leaf, 1, bytes_of(NULL, 0), 0, "no CA");
	const char *junk = "not PEM";
	refused(l, MSG_STORE, &junk, 1, bytes_of(NULL, 0), 0, "");
	buf_release(&a.key);
	buf_release(&b.key);
}

static void an_empty_set_is_a_set(void **state)
{
	struct lab *l = *state;
	CLEANUP(document_release) struct document d;
	assert_true(rc_ok(document_make(l->a, MSG_STORE, &(struct json_texts){ NULL, 0 }, bytes_of(NULL, 0), 0, &d, NULL)));
	assert_int_equal(d.fingerprints.count, 0);
	assert_int_equal(document_pem(l->a, &d).len, 0);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, lab_setup, lab_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { CASE(a_slots_files), CASE(what_is_wrong_is_named), CASE(an_empty_set_is_a_set) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
