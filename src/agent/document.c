/* Checking a document and spelling out its files. */
#include "agent/document.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"

void document_release(struct document *d)
{
	buf_release(&d->key);
	buf_release(&d->combined);
}

static troth_rc parse_certs(struct arena *a, const struct json_texts *pems, struct document *d, struct troth_err *e)
{
	d->certs = ARENA_ARRAY(a, const struct cert *, LIMIT_BUNDLE_CERTS);
	for (size_t i = 0; i < pems->count; i++) {
		const struct cert *const *some;
		size_t n;
		TRY(certs_parse_pem(a, bytes_of_text(pems->items[i]), &some, &n, e));
		ENSURE(d->cert_count + n <= LIMIT_BUNDLE_CERTS, e, TROTH_TOO_LARGE, "more than %d certificates", LIMIT_BUNDLE_CERTS);
		memcpy(d->certs + d->cert_count, some, n * sizeof *some);
		d->cert_count += n;
	}
	return RC_OK;
}

static void take_fingerprints(struct arena *a, struct document *d)
{
	const char **items = ARENA_ARRAY(a, const char *, d->cert_count);
	for (size_t i = 0; i < d->cert_count; i++) {
		char hex[SHA256_HEX_LEN];
		items[i] = arena_text(a, cert_fingerprint_hex(d->certs[i], hex));
	}
	if (d->kind == MSG_STORE)
		qsort(items, d->cert_count, sizeof *items, text_order);
	d->fingerprints = (struct json_texts){ items, d->cert_count };
}

static troth_rc check_chain(const struct document *d, msec_t now, struct troth_err *e)
{
	char when[RFC3339_LEN];
	ENSURE(d->cert_count >= 1 && d->cert_count <= LIMIT_CHAIN_CERTS, e, TROTH_INVALID, "a chain has 1 to %d certificates, not %zu",
	       LIMIT_CHAIN_CERTS, d->cert_count);
	for (size_t i = 0; i + 1 < d->cert_count; i++)
		ENSURE(cert_issued_by(d->certs[i], d->certs[i + 1]), e, TROTH_INVALID,
		       "the chain is out of order: \"%.100s\" is not issued by \"%.100s\"", d->certs[i]->subject, d->certs[i + 1]->subject);
	ENSURE(now == 0 || d->certs[0]->not_after > now, e, TROTH_INVALID, "the leaf \"%.100s\" expired at %s", d->certs[0]->subject,
	       time_format(d->certs[0]->not_after, when));
	return RC_OK;
}

static troth_rc take_key(struct document *d, struct bytes pem, struct troth_err *e)
{
	CLEANUP(key_releasep) struct key *k = NULL;
	TRY(key_parse(pem, &k, e));
	ENSURE(key_public_matches(k, d->certs[0]->spki), e, TROTH_INVALID, "the key does not fit the certificate \"%.150s\"",
	       d->certs[0]->subject);
	return key_write(k, KEY_PKCS8_PEM, &d->key, e);
}

static troth_rc check_set(const struct document *d, struct troth_err *e)
{
	for (size_t i = 0; i < d->cert_count; i++)
		ENSURE(d->certs[i]->is_ca || cert_self_signed(d->certs[i]), e, TROTH_INVALID,
		       "\"%.150s\" is no CA and cannot be trusted as one", d->certs[i]->subject);
	for (size_t i = 0; i + 1 < d->fingerprints.count; i++)
		ENSURE(!text_equal(d->fingerprints.items[i], d->fingerprints.items[i + 1]), e, TROTH_INVALID,
		       "certificate %s stands twice in the set", d->fingerprints.items[i]);
	return RC_OK;
}

troth_rc document_make(struct arena *a, enum msg_target_kind kind, const struct json_texts *pems, struct bytes key_pem,
		       msec_t now, struct document *ret, struct troth_err *e)
{
	struct document d = { .kind = kind, .key = buf_make_secret(2 * LIMIT_KEY_DER_BYTES),
			      .combined = buf_make_secret(LIMIT_PEM_BYTES) };
	troth_rc rc = parse_certs(a, pems, &d, e);
	if (rc_ok(rc))
		take_fingerprints(a, &d);
	if (rc_ok(rc))
		rc = kind == MSG_SLOT ? check_chain(&d, now, e) : check_set(&d, e);
	if (rc_ok(rc) && kind == MSG_SLOT)
		rc = take_key(&d, key_pem, e);
	if (rc_failed(rc)) {
		document_release(&d);
		return rc;
	}
	*ret = d;
	return RC_OK;
}

static struct bytes pem_of(struct arena *a, const struct document *d, size_t from, size_t to)
{
	size_t len = 0, at = 0;
	const char **texts = ARENA_ARRAY(a, const char *, d->cert_count);
	for (size_t i = from; i < to; i++) {
		texts[i] = cert_pem(a, d->certs[i]->der);
		len += strlen(texts[i]);
	}
	char *out = arena_alloc(a, len + 1);
	for (size_t i = from; i < to; i++) {
		memcpy(out + at, texts[i], strlen(texts[i]));
		at += strlen(texts[i]);
	}
	return bytes_of(out, len);
}

struct bytes document_pem(struct arena *a, const struct document *d) { return pem_of(a, d, 0, d->cert_count); }

static struct bytes content_of(struct arena *a, struct document *d, enum profile_content c)
{
	switch (c) {
	case CONTENT_LEAF: return pem_of(a, d, 0, 1);
	case CONTENT_CHAIN: return pem_of(a, d, 1, d->cert_count);
	case CONTENT_KEY: return buf_bytes(&d->key);
	case CONTENT_COMBINED:
		if (d->combined.len == 0) {
			buf_add_bytes(&d->combined, document_pem(a, d));
			buf_add_bytes(&d->combined, buf_bytes(&d->key));
		}
		return buf_bytes(&d->combined);
	default: return document_pem(a, d);
	}
}

troth_rc document_files(struct arena *a, const struct place *p, struct document *d, struct document_file **ret,
			size_t *ret_count, struct troth_err *e)
{
	struct document_file *files = ARENA_ARRAY(a, struct document_file, PROFILE_FILES * (d->cert_count + 1));
	size_t n = 0;
	ENSURE(p->kind == d->kind, e, TROTH_INTERNAL, "a document of another kind than its place");
	for (size_t i = 0; i < p->file_count; i++) {
		const struct place_file *f = &p->files[i];
		if (f->content != CONTENT_EACH) {
			files[n++] = (struct document_file){ f->name, content_of(a, d, f->content), f };
			continue;
		}
		for (size_t k = 0; k < d->cert_count; k++)
			files[n++] = (struct document_file){ arena_printf(a, "%s%.16s.pem", f->name, d->fingerprints.items[k]),
							     bytes_of_text(cert_pem(a, d->certs[k]->der)), f };
	}
	ENSURE(buf_ok(&d->combined), e, TROTH_TOO_LARGE, "the combined file is larger than %d bytes", LIMIT_PEM_BYTES);
	*ret = files;
	*ret_count = n;
	return RC_OK;
}
