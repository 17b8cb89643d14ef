/* Sealed bytes: opened by the right key and by the openssl program, refused otherwise. */
#include <stdlib.h>
#include <unistd.h>

#include "pki_fixture.h"
#include "pki/der.h"
#include "port/port.h"

static void every_recipient_that_can_opens_it(void **state)
{
	struct arena *a = arena_new(8 << 20);
	for (int t = 0; t < KEY_ED25519; t++) {
		CLEANUP(key_releasep) struct key *k = fixture_key((enum key_type)t);
		const struct cert *c = fixture_root(a, "agent", k);
		CLEANUP(buf_release) struct buf sealed = buf_make(1 << 16);
		CLEANUP(buf_release) struct buf opened = buf_make_secret(1 << 16);
		assert_rc_ok(cms_seal(c->der, bytes_of_text("the leaf key"), &sealed, e));
		assert_rc_ok(cms_open(k, c->der, buf_bytes(&sealed), &opened, e));
		assert_true(bytes_equal(buf_bytes(&opened), bytes_of_text("the leaf key")));
	}
	arena_free(a);
}

static void each_of_several_recipients_opens_it_and_nobody_else(void **state)
{
	static const enum key_type types[] = { KEY_EC_P256, KEY_RSA_2048, KEY_EC_P384 };
	struct arena *a = arena_new(8 << 20);
	struct key *keys[3];
	struct bytes certs[3];
	CLEANUP(key_releasep) struct key *other = fixture_key(KEY_EC_P256);
	CLEANUP(buf_release) struct buf contents = buf_make(8 << 20);
	CLEANUP(buf_release) struct buf sealed = buf_make(16 << 20);
	CLEANUP(buf_release) struct buf none = buf_make_secret(8 << 20);
	for (int i = 0; i < 3 << 20; i++)
		buf_add_byte(&contents, (uint8_t)(i * 7 + i / 1000)); /* far more than a key */
	for (int i = 0; i < 3; i++) {
		keys[i] = fixture_key(types[i]);
		certs[i] = fixture_root(a, "operator", keys[i])->der;
	}
	assert_rc_ok(cms_seal_for(certs, 3, buf_bytes(&contents), &sealed, e));
	for (int i = 0; i < 3; i++) {
		CLEANUP(buf_release) struct buf opened = buf_make_secret(8 << 20);
		assert_rc_ok(cms_open_large(keys[i], buf_bytes(&sealed), &opened, e));
		assert_true(bytes_equal(buf_bytes(&opened), buf_bytes(&contents)));
	}
	assert_refused(cms_open_large(other, buf_bytes(&sealed), &none, e), TROTH_INVALID, "could not be opened");
	sealed.data[sealed.len / 2] ^= 1;
	for (int i = 0; i < 3; i++) {
		assert_refused(cms_open_large(keys[i], buf_bytes(&sealed), &none, e), TROTH_INVALID, "could not be opened");
		key_release(keys[i]);
	}
	assert_refused(cms_open_large(other, bytes_of_text("junk"), &none, e), TROTH_INVALID, "not AuthEnvelopedData");
	assert_int_equal(none.len, 0);
	arena_free(a);
}

static void a_recipient_that_cannot_be_is_named_by_its_place(void **state)
{
	struct arena *a = arena_new(1 << 20);
	CLEANUP(key_releasep) struct key *good = fixture_key(KEY_EC_P256);
	CLEANUP(key_releasep) struct key *bad = fixture_key(KEY_ED25519);
	CLEANUP(buf_release) struct buf sealed = buf_make(1 << 16);
	const struct bytes certs[] = { fixture_root(a, "one", good)->der, fixture_root(a, "two", bad)->der };
	assert_refused(cms_seal_for(certs, 2, bytes_of_text("x"), &sealed, e), TROTH_INVALID, "recipient 2");
	assert_refused(cms_seal_for(certs, 0, bytes_of_text("x"), &sealed, e), TROTH_INVALID, "0 recipients");
	assert_refused(cms_seal_for(certs, 1, bytes_of_text(""), &sealed, e), TROTH_TOO_LARGE, "0 bytes");
	assert_int_equal(sealed.len, 0);
	arena_free(a);
}

static void ed25519_recipients_are_refused(void **state)
{
	struct arena *a = arena_new(1 << 20);
	CLEANUP(key_releasep) struct key *k = fixture_key(KEY_ED25519);
	CLEANUP(buf_release) struct buf sealed = buf_make(1 << 16);
	const struct cert *c = fixture_root(a, "agent", k);
	assert_refused(cms_seal(c->der, bytes_of_text("x"), &sealed, e), TROTH_INVALID, "Ed25519");
	assert_refused(cms_seal(c->der, bytes_of_text(""), &sealed, e), TROTH_TOO_LARGE, "0 bytes");
	arena_free(a);
}

static void another_key_does_not_open_it(void **state)
{
	struct arena *a = arena_new(1 << 20);
	CLEANUP(key_releasep) struct key *k = fixture_key(KEY_EC_P256);
	CLEANUP(key_releasep) struct key *other = fixture_key(KEY_EC_P256);
	const struct cert *c = fixture_root(a, "agent", k), *o = fixture_root(a, "other", other);
	CLEANUP(buf_release) struct buf sealed = buf_make(1 << 16);
	CLEANUP(buf_release) struct buf opened = buf_make_secret(1 << 16);
	assert_rc_ok(cms_seal(c->der, bytes_of_text("secret"), &sealed, e));
	assert_refused(cms_open(other, o->der, buf_bytes(&sealed), &opened, e), TROTH_INVALID, "could not be opened");
	assert_refused(cms_open(other, c->der, buf_bytes(&sealed), &opened, e), TROTH_INVALID, "could not be opened");
	assert_int_equal(opened.len, 0);
	arena_free(a);
}

/* A changed byte is refused, or was one that says nothing (a version number): never other contents. */
static void changed_bytes_never_give_other_contents(void **state)
{
	struct arena *a = arena_new(1 << 20);
	CLEANUP(key_releasep) struct key *k = fixture_key(KEY_EC_P256);
	const struct cert *c = fixture_root(a, "agent", k);
	CLEANUP(buf_release) struct buf sealed = buf_make(1 << 16);
	assert_rc_ok(cms_seal(c->der, bytes_of_text("secret"), &sealed, e));
	size_t refused = 0;
	for (size_t i = 0; i < sealed.len; i++) {
		CLEANUP(buf_release) struct buf opened = buf_make_secret(1 << 16);
		sealed.data[i] ^= 1;
		if (rc_ok(cms_open(k, c->der, buf_bytes(&sealed), &opened, NULL)))
			assert_true(bytes_equal(buf_bytes(&opened), bytes_of_text("secret")));
		else
			refused++;
		sealed.data[i] ^= 1;
		assert_true(rc_failed(cms_open(k, c->der, bytes_of(sealed.data, i), &opened, NULL)));
	}
	assert_true(refused + 40 > sealed.len);
	arena_free(a);
}

/* The message with only so much of its tag, which ends it; all lengths around it fit. */
static struct bytes with_tag_of(struct arena *a, struct bytes sealed, size_t len)
{
	CLEANUP(buf_release) struct buf out = buf_make(1 << 16);
	struct bytes outer, tagged, body, recipients, content, version, oid, tag;
	assert_true(der_read(&sealed, DER_SEQUENCE, &outer) && der_read_whole(&outer, DER_OID, &oid) &&
		    der_read(&outer, DER_CONTEXT_CONSTRUCTED | 0, &tagged) && der_read(&tagged, DER_SEQUENCE, &body) &&
		    der_read_whole(&body, DER_INTEGER, &version) && der_read_whole(&body, DER_SET, &recipients) &&
		    der_read_whole(&body, DER_SEQUENCE, &content) && der_read(&body, DER_OCTET_STRING, &tag));
	assert_int_equal(tag.len, 16);
	size_t info = der_open(&out, DER_SEQUENCE);
	buf_add_bytes(&out, oid);
	size_t explicit = der_open(&out, DER_CONTEXT_CONSTRUCTED | 0), data = der_open(&out, DER_SEQUENCE);
	buf_add_bytes(&out, version);
	buf_add_bytes(&out, recipients);
	buf_add_bytes(&out, content);
	der_add(&out, DER_OCTET_STRING, bytes_of(tag.data, len));
	der_close(&out, data);
	der_close(&out, explicit);
	der_close(&out, info);
	return arena_bytes(a, buf_bytes(&out));
}

/* A tag of one byte is guessed in 256 attempts. */
static void a_shortened_tag_is_none(void **state)
{
	struct arena *a = arena_new(1 << 20);
	CLEANUP(key_releasep) struct key *k = fixture_key(KEY_EC_P256);
	const struct cert *c = fixture_root(a, "agent", k);
	CLEANUP(buf_release) struct buf sealed = buf_make(1 << 16);
	assert_rc_ok(cms_seal(c->der, bytes_of_text("secret"), &sealed, e));
	for (size_t len = 0; len <= 16; len++) {
		CLEANUP(buf_release) struct buf opened = buf_make_secret(1 << 16);
		struct bytes message = with_tag_of(a, buf_bytes(&sealed), len);
		assert_int_equal(rc_ok(cms_open(k, c->der, message, &opened, NULL)), len == 16);
		assert_int_equal(rc_ok(cms_open_large(k, message, &opened, NULL)), len == 16);
	}
	arena_free(a);
}

static void the_openssl_program_opens_it(void **state)
{
	char dir[] = "/tmp/troth-cms-XXXXXX";
	struct arena *a = arena_new(1 << 20);
	CLEANUP(key_releasep) struct key *k = fixture_key(KEY_EC_P256);
	CLEANUP(buf_release) struct buf sealed = buf_make(1 << 16);
	CLEANUP(buf_release) struct buf key_pem = buf_make_secret(1 << 16);
	const struct cert *c = fixture_root(a, "agent", k);
	assert_non_null(mkdtemp(dir));
	const char *in = arena_printf(a, "%s/in", dir), *key = arena_printf(a, "%s/key", dir), *crt = arena_printf(a, "%s/crt", dir);
	assert_rc_ok(cms_seal(c->der, bytes_of_text("the leaf key"), &sealed, e));
	assert_rc_ok(key_write(k, KEY_PKCS8_PEM, &key_pem, e));
	assert_rc_ok(file_write(in, buf_bytes(&sealed), 0600, e));
	assert_rc_ok(file_write(key, buf_bytes(&key_pem), 0600, e));
	assert_rc_ok(file_write(crt, bytes_of_text(cert_pem(a, c->der)), 0600, e));
	const char *const open[] = { "/usr/bin/openssl", "cms", "-decrypt", "-inform", "DER", "-in", in, "-inkey", key,
				     "-recip", crt, NULL };
	const char *const print[] = { "/usr/bin/openssl", "asn1parse", "-inform", "DER", "-in", in, NULL };
	struct process_result r;
	assert_rc_ok(process_run(open, getuid(), getgid(), 30 * MSEC_S, &r, e));
	assert_string_equal(r.output, "the leaf key");
	assert_rc_ok(process_run(print, getuid(), getgid(), 30 * MSEC_S, &r, e));
	assert_non_null(strstr(r.output, "authEnvelopedData"));
	assert_non_null(strstr(r.output, "dhSinglePass-stdDH-sha256kdf-scheme"));
	assert_non_null(strstr(r.output, "aes-256-gcm"));
	unlink(in);
	unlink(key);
	unlink(crt);
	rmdir(dir);
	arena_free(a);
}

static void other_messages_are_refused_before_openssl_sees_them(void **state)
{
	struct arena *a = arena_new(1 << 20);
	CLEANUP(key_releasep) struct key *k = fixture_key(KEY_EC_P256);
	CLEANUP(buf_release) struct buf opened = buf_make_secret(1 << 16);
	const struct cert *c = fixture_root(a, "agent", k);
	static uint8_t huge[1 << 20];
	assert_refused(cms_open(k, c->der, bytes_of_text("junk"), &opened, e), TROTH_INVALID, "not AuthEnvelopedData");
	assert_refused(cms_open(k, c->der, c->der, &opened, e), TROTH_INVALID, "not AuthEnvelopedData");
	assert_refused(cms_open(k, c->der, bytes_of(huge, sizeof huge), &opened, e), TROTH_TOO_LARGE, "larger than");
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_recipient_that_can_opens_it),
		cmocka_unit_test(each_of_several_recipients_opens_it_and_nobody_else),
		cmocka_unit_test(a_recipient_that_cannot_be_is_named_by_its_place),
		cmocka_unit_test(ed25519_recipients_are_refused),
		cmocka_unit_test(another_key_does_not_open_it),
		cmocka_unit_test(changed_bytes_never_give_other_contents),
		cmocka_unit_test(a_shortened_tag_is_none),
		cmocka_unit_test(the_openssl_program_opens_it),
		cmocka_unit_test(other_messages_are_refused_before_openssl_sees_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
