/* Signing requests, read by our own strict walk: key, signature, subject, and no more. */
#include "pki/csr.h"

#include <openssl/err.h>
#include <string.h>

#include "base/limits.h"
#include "pki/cert_internal.h"
#include "pki/issue.h"
#include "pki/key_internal.h"
#include "pki/pem.h"

static troth_rc not_strict(struct troth_err *e)
{
	return err_set(e, TROTH_INVALID, "certificate request is not strict DER");
}

static troth_rc read_subject(struct arena *a, struct bytes name, const char **ret_text, struct troth_err *e)
{
	const uint8_t *p = name.data;
	X509_NAME *parsed = d2i_X509_NAME(NULL, &p, (long)name.len);
	ERR_clear_error();
	ENSURE(parsed, e, TROTH_INVALID, "certificate request has a subject that cannot be read");
	*ret_text = x509_name_text(a, parsed);
	X509_NAME_free(parsed);
	return RC_OK;
}

/* The algorithm must be the one our own keys sign with: others are refused, not guessed. */
static bool algorithm_fits(struct bytes algorithm, enum key_type type)
{
	CLEANUP(buf_release) struct buf want = buf_make(64);
	key_write_signature_algorithm(&want, type);
	return bytes_equal(algorithm, buf_bytes(&want));
}

/* RFC 2986 section 4: CertificationRequest { info, algorithm, signature } */
static troth_rc parse_der(struct arena *a, struct bytes der, struct csr *ret, struct troth_err *e)
{
	struct bytes in = der, outer, info, body, algorithm, signature, name, attributes;
	struct csr csr = { .der = der };
	int version = -1;
	ENSURE(der.len <= LIMIT_CSR_DER_BYTES, e, TROTH_TOO_LARGE, "certificate request is larger than %d bytes",
	       LIMIT_CSR_DER_BYTES);
	if (!der_read(&in, DER_SEQUENCE, &outer) || in.len || !der_read_whole(&outer, DER_SEQUENCE, &info) ||
	    !der_read_whole(&outer, DER_SEQUENCE, &algorithm) || !der_read_bits(&outer, &signature) || outer.len)
		return not_strict(e);
	in = info;
	if (!der_read(&in, DER_SEQUENCE, &body) || !der_read_small(&body, &version) || version != 0 ||
	    !der_read_whole(&body, DER_SEQUENCE, &name) || !der_read_whole(&body, DER_SEQUENCE, &csr.spki) ||
	    !der_read(&body, DER_CONTEXT_CONSTRUCTED | 0, &attributes) || body.len)
		return not_strict(e);
	TRY(spki_check(csr.spki, &csr.key_type, e));
	if (!algorithm_fits(algorithm, csr.key_type)) {
		troth_rc rc = err_set(e, TROTH_INVALID, "certificate request is not signed with its key's usual algorithm");
		err_hint(e, "sign with SHA-256 (RSA, P-256), SHA-384 (P-384) or Ed25519");
		return rc;
	}
	troth_rc rc = spki_verify(csr.spki, info, signature, e);
	if (rc_failed(rc))
		return err_set(e, TROTH_INVALID, "certificate request is not signed by the key it is for");
	TRY(read_subject(a, name, &csr.subject, e));
	*ret = csr;
	return RC_OK;
}

static bool is_request(const char *label)
{
	return text_equal(label, "CERTIFICATE REQUEST") || text_equal(label, "NEW CERTIFICATE REQUEST");
}

static troth_rc parse_pem(struct arena *a, struct bytes text, struct csr *ret, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf der = buf_make(LIMIT_CSR_DER_BYTES);
	struct pem_reader r = pem_reader_make(text);
	struct pem_block block;
	bool found;
	TRY(pem_next(&r, &block, &found, e));
	ENSURE(found && is_request(block.label), e, TROTH_INVALID, "PEM text is not a certificate request");
	TRY(pem_decode(&block, &der, e));
	return parse_der(a, arena_bytes(a, buf_bytes(&der)), ret, e);
}

troth_rc csr_parse(struct arena *a, struct bytes in, struct csr *ret_csr, struct troth_err *e)
{
	ENSURE(in.len <= 2 * LIMIT_CSR_DER_BYTES, e, TROTH_TOO_LARGE, "certificate request is larger than %d bytes",
	       2 * LIMIT_CSR_DER_BYTES);
	if (pem_looks_like(in))
		return parse_pem(a, in, ret_csr, e);
	return parse_der(a, arena_bytes(a, in), ret_csr, e);
}

static void write_info(struct buf *w, const struct key *k, const char *common_name)
{
	size_t info = der_open(w, DER_SEQUENCE);
	der_add_small(w, 0);
	size_t name = der_open(w, DER_SEQUENCE);
	if (common_name[0]) {
		size_t set = der_open(w, DER_SET), attribute = der_open(w, DER_SEQUENCE);
		der_add(w, DER_OID, bytes_of("\x55\x04\x03", 3));
		der_add_text(w, DER_UTF8_STRING, common_name);
		der_close(w, attribute);
		der_close(w, set);
	}
	der_close(w, name);
	buf_add_bytes(w, bytes_of(k->spki, k->spki_len));
	der_close(w, der_open(w, DER_CONTEXT_CONSTRUCTED | 0)); /* no attributes, but the field is not optional */
	der_close(w, info);
}

const char *csr_pem(struct arena *a, struct bytes der)
{
	CLEANUP(buf_release) struct buf pem = buf_make(2 * LIMIT_CSR_DER_BYTES);
	pem_encode("CERTIFICATE REQUEST", der, &pem);
	CHECK(buf_ok(&pem)); /* base64 of at most LIMIT_CSR_DER_BYTES */
	return arena_text_n(a, buf_text(&pem), pem.len);
}

troth_rc csr_build(struct arena *a, const struct key *k, const char *common_name, const char **ret_pem,
		   struct troth_err *e)
{
	CLEANUP(buf_release) struct buf info = buf_make(LIMIT_CSR_DER_BYTES);
	CLEANUP(buf_release) struct buf signature = buf_make(KEY_SIGNATURE_MAX);
	CLEANUP(buf_release) struct buf der = buf_make(LIMIT_CSR_DER_BYTES);
	write_info(&info, k, common_name);
	TRY(key_sign(k, buf_bytes(&info), &signature, e));
	size_t mark = der_open(&der, DER_SEQUENCE);
	buf_add_bytes(&der, buf_bytes(&info));
	key_write_signature_algorithm(&der, k->type);
	der_add_bits(&der, buf_bytes(&signature));
	der_close(&der, mark);
	ENSURE(buf_ok(&info) && buf_ok(&der), e, TROTH_TOO_LARGE, "certificate request is too large");
	*ret_pem = csr_pem(a, buf_bytes(&der));
	return RC_OK;
}
