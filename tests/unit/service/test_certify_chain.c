/* A CA certificate that somebody else signed, judged: what openssl, or a careless CA, makes of a request. */
#include <openssl/x509v3.h>

#include "elsewhere.h"

#include "pki/key_internal.h"
#include "service/intake/certify_chain.h"

#define NOW INT64_C(1795000000000)
#define PATH "$.certificate"

struct bench {
	struct arena *a;
	struct key *key;             /* of the request */
	struct elsewhere root;
	struct certify_need need;
	struct upload_chain chain;
	struct troth_err e;
};

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof *b);
	b->a = arena_new(16 << 20);
	b->root = elsewhere_root(b->a, NOW, "Corporate Root");
	assert_true(rc_ok(key_generate(KEY_EC_P256, &b->key, NULL)));
	b->need = (struct certify_need){ .name = "/corp/issuing", .life = 90 * MSEC_DAY, .now = NOW };
	assert_true(rc_ok(key_spki(b->key, b->a, &b->need.spki, NULL)));
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;
	key_release(b->root.key);
	key_release(b->key);
	arena_free(b->a);
	free(b);
	return 0;
}

struct ext { int nid; const char *value; };

static void add(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(ext);
	X509_add_ext(x, ext, -1);
	X509_EXTENSION_free(ext);
}

/* By openssl: a certificate of the request's key with these extensions and no others. */
static const char *by_openssl(struct bench *b, const char *cn, const struct ext *exts)
{
	const uint8_t *p = b->root.cert->der.data;
	uint8_t *der = NULL;
	X509 *x = X509_new(), *root = d2i_X509(NULL, &p, (long)b->root.cert->der.len);
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 77);
	ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(NOW / 1000) - 3600);
	ASN1_TIME_set(X509_getm_notAfter(x), (time_t)(NOW / 1000) + 700 * 86400);
	if (cn)
		X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(root));
	X509_set_pubkey(x, b->key->pkey);
	for (; exts->nid; exts++)
		add(x, root, exts->nid, exts->value);
	assert_true(X509_sign(x, b->root.key->pkey, EVP_sha256()) > 0);
	int n = i2d_X509(x, &der);
	const char *pem = cert_pem(b->a, bytes_of(der, (size_t)n));
	OPENSSL_free(der);
	X509_free(x);
	X509_free(root);
	return pem;
}

#define CA { NID_basic_constraints, "critical,CA:TRUE,pathlen:0" }
#define SIGNS { NID_key_usage, "critical,keyCertSign,cRLSign" }
#define SKI { NID_subject_key_identifier, "hash" }
#define AKI { NID_authority_key_identifier, "keyid" }

static size_t judge(struct bench *b, const char *pem)
{
	size_t n = 0;
	err_clear(&b->e);
	certify_chain_read(b->a, PATH, pem, &b->need, &b->chain, &b->e);
	for (const struct finding *f = b->e.findings; f; f = f->next)
		n++;
	return n;
}

static bool says(const struct bench *b, const char *rule, const char *part)
{
	for (const struct finding *f = b->e.findings; f; f = f->next)
		if (strcmp(f->rule, rule) == 0 && strcmp(f->path, PATH) == 0 && (strstr(f->text, part) || (f->hint && strstr(f->hint, part))))
			return true;
	return false;
}

static void as_it_should_be(void **state)
{
	struct bench *b = *state;
	const char *pem = by_openssl(b, "Issuing", (const struct ext[]){ CA, SIGNS, SKI, AKI, { 0, NULL } });
	assert_int_equal(judge(b, pem), 0);
	assert_int_equal(b->chain.count, 1);
	assert_true(rc_ok(certify_chain_anchored(b->a, &b->chain, b->root.cert, &b->need, &b->e)));
	b->need.eku = EKU_SERVER | EKU_CLIENT;
	assert_int_equal(judge(b, pem), 0); /* no extended key usage is any */
}

static void what_a_ca_must_have(void **state)
{
	struct bench *b = *state;
	static const struct { struct ext exts[6]; const char *rule, *part; } CASES[] = {
		{ { SIGNS, SKI, AKI }, "ca", "does not say CA:TRUE" },
		{ { { NID_basic_constraints, "CA:FALSE" }, SIGNS, SKI }, "ca", "copy_extensions" },
		{ { CA, SKI, AKI }, "use", "no keyCertSign" },
		{ { CA, { NID_key_usage, "digitalSignature" }, SKI }, "use", "no keyCertSign" },
		{ { CA, SIGNS, AKI }, "key-identifier", "no subject key identifier" },
		{ { CA, SIGNS, SKI, { NID_ext_key_usage, "codeSigning" } }, "eku", "allows neither servers nor clients" },
	};
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		assert_int_equal(judge(b, by_openssl(b, "Issuing", CASES[i].exts)), 1);
		if (!says(b, CASES[i].rule, CASES[i].part))
			fail_msg("%zu: %s", i, b->e.findings->text);
	}
	/* openssl x509 -req without extensions: all that is wrong, at once */
	assert_int_equal(judge(b, by_openssl(b, "Issuing", (const struct ext[]){ { 0, NULL } })), 3);
	assert_int_equal(judge(b, by_openssl(b, NULL, (const struct ext[]){ CA, SIGNS, SKI, { 0, NULL } })), 1);
	assert_true(says(b, "subject", "empty subject"));
}

static void its_use_is_that_of_its_leaves(void **state)
{
	struct bench *b = *state;
	const char *servers = by_openssl(b, "Issuing", (const struct ext[]){ CA, SIGNS, SKI, { NID_ext_key_usage, "serverAuth" }, { 0, NULL } });
	const char *clients = by_openssl(b, "Issuing", (const struct ext[]){ CA, SIGNS, SKI, { NID_ext_key_usage, "clientAuth" }, { 0, NULL } });
	assert_int_equal(judge(b, servers), 0);
	assert_int_equal(judge(b, clients), 0);
	b->need.eku = EKU_SERVER;
	assert_int_equal(judge(b, servers), 0);
	assert_int_equal(judge(b, clients), 1);
	assert_true(says(b, "eku", "leaves servers out"));
	b->need.eku = EKU_CLIENT;
	assert_int_equal(judge(b, servers), 1);
	assert_true(says(b, "eku", "leaves clients out"));
}

static void path_lengths(void **state)
{
	struct bench *b = *state;
	const char *pem = by_openssl(b, "Issuing", (const struct ext[]){ CA, SIGNS, SKI, AKI, { 0, NULL } });
	b->need.path_len = b->need.levels = 1;
	assert_int_equal(judge(b, pem), 1);
	assert_true(says(b, "path-length", "has path length 0, and the CAs below /corp/issuing need 1"));
	b->need.path_len = 0;
	assert_int_equal(judge(b, pem), 0);
	struct cert wide = *b->root.cert; /* its signature is looked at in its bytes, its length is not */
	wide.path_len = 1;
	err_clear(&b->e);
	assert_false(rc_ok(certify_chain_anchored(b->a, &b->chain, &wide, &b->need, &b->e)));
	assert_non_null(strstr(b->e.primary, "has path length 1, and 2 levels of CAs stand below it"));
	b->need.levels = 0;
	assert_true(rc_ok(certify_chain_anchored(b->a, &b->chain, &wide, &b->need, &b->e)));
}

static void dates(void **state)
{
	struct bench *b = *state;
	const char *pem = by_openssl(b, "Issuing", (const struct ext[]){ CA, SIGNS, SKI, AKI, { 0, NULL } });
	b->need.now = NOW - MSEC_DAY;
	assert_int_equal(judge(b, pem), 1);
	assert_true(says(b, "not-yet", "is valid from"));
	b->need.now = NOW + 650 * MSEC_DAY;
	assert_int_equal(judge(b, pem), 1);
	assert_true(says(b, "short", "before a leaf of 90d"));
	b->need.now = NOW + 701 * MSEC_DAY;
	assert_int_equal(judge(b, pem), 1);
	assert_true(says(b, "expired", "expired"));
	b->need.now = NOW;
	assert_int_equal(judge(b, pem), 0);
	struct cert root = *b->root.cert;
	root.not_after = NOW + 600 * MSEC_DAY;
	err_clear(&b->e);
	assert_false(rc_ok(certify_chain_anchored(b->a, &b->chain, &root, &b->need, &b->e)));
	assert_non_null(strstr(b->e.primary, "that signed it"));
	assert_non_null(strstr(b->e.hint, "shorter time"));
}

static void which_certificate_it_is(void **state)
{
	struct bench *b = *state;
	const char *pem = by_openssl(b, "Issuing", (const struct ext[]){ CA, SIGNS, SKI, AKI, { 0, NULL } });
	const char *again = by_openssl(b, "Issuing too", (const struct ext[]){ CA, SIGNS, SKI, AKI, { 0, NULL } });
	assert_int_equal(judge(b, NULL), 1);
	assert_int_equal(judge(b, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), 1);
	assert_int_equal(judge(b, arena_printf(b->a, "%s%s", pem, again)), 1);
	assert_true(says(b, "key", "two certificates in it"));
	assert_null(b->chain.leaf);
	assert_int_equal(judge(b, b->root.pem), 1);
	assert_true(says(b, "key", "no certificate in it is for the key"));
	const struct cert *before[] = { b->root.cert };
	b->need.before = before;
	b->need.before_count = 1;
	assert_int_equal(judge(b, b->root.pem), 1);
	assert_true(says(b, "key", "of a version that /corp/issuing has already"));
	struct elsewhere other = elsewhere_root(b->a, NOW, "Other");
	assert_int_equal(judge(b, arena_printf(b->a, "%s%s%s", other.pem, b->root.pem, pem)), 1);
	assert_true(says(b, "stranger", "has no part in the chain"));
	assert_int_equal(b->chain.root_count, 1);
	err_clear(&b->e);
	assert_false(rc_ok(certify_chain_anchored(b->a, &b->chain, other.cert, &b->need, &b->e)));
	assert_int_equal(b->e.hint[0], 0);
	key_release(other.key);
}

/* As `openssl req -x509` and the nineties made them. */
static const struct cert *root_by_openssl(struct bench *b, const struct ext *exts)
{
	const struct cert *cert;
	uint8_t *der = NULL;
	X509 *x = X509_new();
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 78);
	ASN1_TIME_set(X509_getm_notBefore(x), (time_t)(NOW / 1000) - 3600);
	ASN1_TIME_set(X509_getm_notAfter(x), (time_t)(NOW / 1000) + 700 * 86400);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8, (const unsigned char *)"Old Root", -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(x));
	X509_set_pubkey(x, b->root.key->pkey);
	for (; exts->nid; exts++)
		add(x, x, exts->nid, exts->value);
	assert_true(X509_sign(x, b->root.key->pkey, EVP_sha256()) > 0);
	int n = i2d_X509(x, &der);
	assert_true(rc_ok(cert_parse(b->a, bytes_of(der, (size_t)n), &cert, &b->e)));
	OPENSSL_free(der);
	X509_free(x);
	return cert;
}

static void a_root_need_not_have_what_its_cas_must(void **state)
{
	struct bench *b = *state;
	certify_root_judge(b->a, PATH, root_by_openssl(b, (const struct ext[]){ CA, { 0, NULL } }), NOW, &b->e);
	assert_null(b->e.findings);
	certify_root_judge(b->a, PATH, root_by_openssl(b, (const struct ext[]){ CA, { NID_key_usage, "digitalSignature" }, { 0, NULL } }), NOW, &b->e);
	assert_non_null(b->e.findings);
	err_clear(&b->e);
	certify_root_judge(b->a, PATH, root_by_openssl(b, (const struct ext[]){ SKI, { 0, NULL } }), NOW, &b->e);
	assert_non_null(b->e.findings);
}

static void what_can_be_a_root(void **state)
{
	struct bench *b = *state;
	struct elsewhere below = elsewhere_below(b->a, NOW, "Policy", 0, &b->root);
	err_clear(&b->e);
	certify_root_judge(b->a, PATH, b->root.cert, NOW, &b->e);
	assert_null(b->e.findings);
	certify_root_judge(b->a, PATH, below.cert, NOW, &b->e);
	assert_true(says(b, "root", "is not self-signed"));
	err_clear(&b->e);
	certify_root_judge(b->a, PATH, b->root.cert, NOW + 4000 * MSEC_DAY, &b->e);
	assert_true(says(b, "root", "expired"));
	err_clear(&b->e);
	certify_root_judge(b->a, PATH, b->root.cert, NOW - 2 * MSEC_DAY, &b->e);
	assert_true(says(b, "root", "not yet valid"));
	key_release(below.key);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(as_it_should_be), T(what_a_ca_must_have), T(its_use_is_that_of_its_leaves), T(path_lengths), T(dates),
		T(which_certificate_it_is), T(what_can_be_a_root), T(a_root_need_not_have_what_its_cas_must),
	};
	return cmocka_run_group_tests_name("certify_chain", tests, NULL, NULL);
}
