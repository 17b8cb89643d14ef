/* Issuing: a credential's spec as JSON, who signs, what a leaf is, and the rows of what was signed. */
#include "service/rotation/distrust.h"
#include "service/ca/issue.h"

#include <string.h>

#include "service/ca/renewal.h"

enum { SPEC_JSON_BYTES = 128 << 10 }; /* LIMIT_SAN_COUNT URIs of 512 bytes, with their quotes */

/* -- the spec column --------------------------------------------------------------------- */
struct spec_json { /* as it stands in the row; eku as words */
	struct credential_spec spec;
	struct json_texts eku, key_usage;
};

#define SPEC_FIELD(name, kind, max) { #name, kind, offsetof(struct spec_json, spec.name), 0, 0, max }
static const struct json_field SPEC_FIELDS[] = {
	SPEC_FIELD(common_name, JF_TEXT, 0),
	SPEC_FIELD(organization, JF_TEXT, 0),
	SPEC_FIELD(organizational_unit, JF_TEXT, 0),
	{ "country", JF_TEXT, offsetof(struct spec_json, spec.place.country), 0, 0, 0 },
	{ "state", JF_TEXT, offsetof(struct spec_json, spec.place.state), 0, 0, 0 },
	{ "locality", JF_TEXT, offsetof(struct spec_json, spec.place.locality), 0, 0, 0 },
	SPEC_FIELD(sans, JF_TEXTS, LIMIT_SAN_COUNT),
	SPEC_FIELD(permitted_dns, JF_TEXTS, CERT_PERMITTED_MAX),
	SPEC_FIELD(clamp, JF_BOOL, 0),
	{ "path_len", JF_INT, offsetof(struct spec_json, spec.path_len), 0, -1, 100 },
	{ "eku", JF_TEXTS, offsetof(struct spec_json, eku), 0, 0, 2 },
	{ "key_usage", JF_TEXTS, offsetof(struct spec_json, key_usage), 0, 0, CREDENTIAL_USAGES },
};

static unsigned eku_of_words(struct json_texts words)
{
	unsigned eku = 0;
	for (size_t i = 0; i < words.count; i++)
		eku |= text_equal(words.items[i], "server") ? EKU_SERVER : EKU_CLIENT;
	return eku;
}

/* Names as RFC 5280 4.2.1.3 has them, in its order: the place in the table is the bit. */
static const char *const USAGE_WORDS[CREDENTIAL_USAGES] = { "digital_signature", "non_repudiation", "key_encipherment", "data_encipherment",
							    "key_agreement" };

const char *credential_usage_word(unsigned i) { return i < CREDENTIAL_USAGES ? USAGE_WORDS[i] : NULL; }

unsigned credential_usage_bit(const char *word)
{
	for (unsigned i = 0; i < CREDENTIAL_USAGES; i++)
		if (text_equal(USAGE_WORDS[i], word))
			return 1u << i;
	return 0;
}

static unsigned usage_of_words(struct json_texts words)
{
	unsigned bits = 0;
	for (size_t i = 0; i < words.count; i++)
		bits |= credential_usage_bit(words.items[i]);
	return bits;
}

troth_rc credential_spec_read(struct arena *a, const char *json, struct credential_spec *ret, struct troth_err *e)
{
	struct spec_json out = { .spec = { .path_len = -1 } };
	const struct json *j;
	if (json) {
		if (rc_failed(json_parse(a, bytes_of_text(json), &j, NULL)) ||
		    rc_failed(json_read(a, j, SPEC_FIELDS, ARRAY_LEN(SPEC_FIELDS), &out, NULL)))
			return err_set(e, TROTH_CORRUPT, "a credential's stored specification cannot be read");
	}
	out.spec.eku = eku_of_words(out.eku);
	out.spec.key_usage = usage_of_words(out.key_usage);
	*ret = out.spec;
	return RC_OK;
}

static void write_texts(struct json_writer *w, const char *key, struct json_texts texts)
{
	if (!texts.count)
		return;
	jw_key(w, key);
	jw_array(w);
	for (size_t i = 0; i < texts.count; i++)
		jw_text(w, texts.items[i]);
	jw_array_end(w);
}

static void write_eku(struct json_writer *w, unsigned eku)
{
	if (!eku)
		return;
	jw_key(w, "eku");
	jw_array(w);
	if (eku & EKU_SERVER)
		jw_text(w, "server");
	if (eku & EKU_CLIENT)
		jw_text(w, "client");
	jw_array_end(w);
}

static void write_key_usage(struct json_writer *w, unsigned bits)
{
	if (!bits)
		return;
	jw_key(w, "key_usage");
	jw_array(w);
	for (unsigned i = 0; i < CREDENTIAL_USAGES; i++)
		if (bits & (1u << i))
			jw_text(w, USAGE_WORDS[i]);
	jw_array_end(w);
}

static void write_subject(struct json_writer *w, const struct credential_spec *spec)
{
	const struct { const char *key, *text; } members[] = {
		{ "common_name", spec->common_name }, { "organization", spec->organization }, { "organizational_unit", spec->organizational_unit },
		{ "country", spec->place.country }, { "state", spec->place.state }, { "locality", spec->place.locality },
	};
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (members[i].text)
			jw_kv_text(w, members[i].key, members[i].text);
}

const char *credential_spec_write(struct arena *a, const struct credential_spec *spec)
{
	CLEANUP(buf_release) struct buf out = buf_make(SPEC_JSON_BYTES);
	struct json_writer w = json_writer_make(&out);
	jw_object(&w);
	write_subject(&w, spec);
	write_texts(&w, "sans", spec->sans);
	write_eku(&w, spec->eku);
	write_key_usage(&w, spec->key_usage);
	if (spec->path_len >= 0)
		jw_kv_int(&w, "path_len", spec->path_len);
	write_texts(&w, "permitted_dns", spec->permitted_dns);
	if (spec->clamp)
		jw_kv_bool(&w, "clamp", true);
	jw_object_end(&w);
	CHECK(buf_ok(&out)); /* entries and their lengths are bounded where they come in */
	return arena_text(a, buf_text(&out));
}

/* -- who signs ----------------------------------------------------------------------------- */
static troth_rc signer_check(const struct signer *s, struct troth_err *e)
{
	const char *why = s->version.distrusted ? "is distrusted" :
			  !s->version.can_sign || !s->version.key_blob.len ? "has no key here" : NULL;
	if (!why)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_CONFLICT, "%s cannot sign: its version %s %s", s->authority.name, s->version.uuid, why);
	err_hint(e, "rotate the authority to a version made here: troth rotate %s", s->authority.name);
	err_object(e, "%s", s->authority.name);
	return rc;
}

troth_rc signer_load_version(struct tx *tx, struct arena *a, int64_t version_id, struct signer *ret, struct troth_err *e)
{
	struct signer s;
	struct cert_row cert;
	TRY(version_row_get(tx, a, version_id, &s.version, e));
	TRY(credential_row_get(tx, a, s.version.credential_id, &s.authority, e));
	TRY(signer_check(&s, e));
	TRY(cert_row_get(tx, a, s.version.cert_id, &cert, e));
	TRY(cert_parse(a, cert.der, &s.cert, e));
	*ret = s;
	return RC_OK;
}

static troth_rc refuse_no_signer(struct tx *tx, struct arena *a, const struct credential_row *c, struct troth_err *e)
{
	struct ca_request_row request;
	bool waits;
	char since[RFC3339_LEN];
	TRY(ca_request_row_of(tx, a, c->id, &request, &waits, e));
	err_object(e, "%s", c->name);
	if (!waits)
		return err_set(e, TROTH_CONFLICT, c->origin == ORIGIN_IMPORTED ? "%s cannot sign: its key is not here" :
			       "%s has no version that signs", c->name);
	troth_rc rc = err_set(e, TROTH_CONFLICT, "%s cannot sign yet: its certificate is signed elsewhere, asked for since %s", c->name,
			      time_format(request.created / MSEC_S * MSEC_S, since));
	err_hint(e, "troth authority csr %s prints the request; bring what is signed in: troth authority certify %s --certificate-file PEM", c->name,
		 c->name);
	return rc;
}

troth_rc signer_load(struct tx *tx, struct arena *a, int64_t authority_id, struct signer *ret, struct troth_err *e)
{
	struct credential_row authority;
	TRY(credential_row_get(tx, a, authority_id, &authority, e));
	ENSURE(authority.kind == CREDENTIAL_AUTHORITY, e, TROTH_INVALID, "%s is not an authority", authority.name);
	if (!authority.signing_version)
		return refuse_no_signer(tx, a, &authority, e);
	return signer_load_version(tx, a, authority.signing_version, ret, e);
}

troth_rc signer_load_newest(struct tx *tx, struct arena *a, int64_t authority_id, struct signer *ret, struct troth_err *e)
{
	struct version_row *versions;
	size_t n;
	TRY(version_row_list_credential(tx, a, authority_id, PAGE_ALL, &versions, &n, e));
	for (size_t i = n; i > 0; i--) {
		const struct version_row *v = &versions[i - 1];
		if (v->wanted && v->can_sign && v->key_blob.len && !v->distrusted && !v->retired_at)
			return signer_load_version(tx, a, v->id, ret, e);
	}
	return signer_load(tx, a, authority_id, ret, e);
}

/* -- what a leaf is -------------------------------------------------------------------------- */
static troth_rc sans_fill(struct arena *a, struct json_texts texts, struct cert_spec *spec, struct troth_err *e)
{
	struct san *sans = ARENA_ARRAY(a, struct san, texts.count);
	for (size_t i = 0; i < texts.count; i++)
		TRY(san_parse(a, texts.items[i], &sans[i], e));
	spec->sans = sans;
	spec->san_count = texts.count;
	return RC_OK;
}

troth_rc issue_leaf_spec(const struct verb_ctx *ctx, const struct credential_row *credential,
			 const struct signer *signer, struct bytes spki, struct cert_spec *ret, struct troth_err *e)
{
	struct credential_spec want;
	TRY(credential_spec_read(ctx->a, credential->spec, &want, e));
	msec_t ttl = credential->leaf_ttl ? credential->leaf_ttl : signer->authority.leaf_ttl;
	struct cert_spec spec = { .kind = CERT_LEAF, .common_name = want.common_name, .organization = want.organization,
				  .organizational_unit = want.organizational_unit, .place = want.place, .key_usage = want.key_usage, .not_before = ctx->now - CERT_BACKDATE, .not_after = ctx->now + ttl,
				  .path_len = -1, .eku = want.eku ? want.eku : EKU_SERVER, .spki = spki };
	TRY(sans_fill(ctx->a, want.sans, &spec, e));
	verb_random(ctx, spec.serial, sizeof spec.serial);
	if (want.clamp)
		cert_spec_clamp(&spec, signer->cert);
	if (spki.len)
		TRY(cert_spec_check(&spec, signer->cert, e));
	*ret = spec;
	return RC_OK;
}

troth_rc issue_leaf_need(struct verb_ctx *ctx, const struct credential_row *credential, const struct signer *signer,
			 struct bytes spki, struct troth_err *e)
{
	struct keeper_request *need = ARENA_NEW(ctx->a, struct keeper_request);
	need->kind = KEEPER_LEAF_SIGN;
	need->leaf_sign.issuer = (struct keeper_issuer){ signer->version.key_blob, signer->cert->der };
	TRY(issue_leaf_spec(ctx, credential, signer, spki, &need->leaf_sign.spec, e));
	return verb_need(ctx, need, e);
}

/* -- rows of what was signed ------------------------------------------------------------------- */
static void subject_key_hash(struct arena *a, const struct cert *cert, uint8_t out[SHA256_LEN])
{
	size_t len = cert->subject_der.len + cert->spki.len;
	uint8_t *both = arena_alloc(a, len);
	memcpy(both, cert->subject_der.data, cert->subject_der.len);
	memcpy(both + cert->subject_der.len, cert->spki.data, cert->spki.len);
	pki_sha256(bytes_of(both, len), out);
}

troth_rc issue_cert_put(struct tx *tx, struct arena *a, const struct cert *cert, struct cert_row *ret, struct troth_err *e)
{
	uint8_t *subject_key = arena_alloc(a, SHA256_LEN);
	subject_key_hash(a, cert, subject_key);
	char *serial = arena_alloc(a, cert->serial.len * 2 + 1);
	*ret = (struct cert_row){
		.fingerprint = bytes_of(cert->fingerprint, SHA256_LEN), .der = cert->der,
		.subject = cert->subject, .issuer = cert->issuer,
		.serial = hex_encode(cert->serial.data, cert->serial.len, serial),
		.subject_key = bytes_of(subject_key, SHA256_LEN), .spki_hash = bytes_of(cert->key_id, SHA256_LEN),
		.not_before = cert->not_before, .not_after = cert->not_after, .is_ca = cert->is_ca,
		.self_signed = cert->is_ca && cert_self_signed(cert),
	};
	return cert_row_put(tx, ret, e);
}

/* The leaf's newest version is this one; the one before is no longer the goal, though it may still serve. */
static troth_rc leaf_becomes_newest(struct verb_ctx *ctx, int64_t credential_id, int64_t version_id, struct troth_err *e)
{
	struct credential_row row;
	TRY(credential_row_get(ctx->tx, ctx->a, credential_id, &row, e));
	if (row.signing_version) {
		struct version_row before;
		TRY(version_row_get(ctx->tx, ctx->a, row.signing_version, &before, e));
		before.wanted = false;
		TRY(version_row_update(ctx->tx, &before, e));
	}
	row.signing_version = version_id;
	return credential_row_update(ctx->tx, &row, e);
}

troth_rc issue_store(struct verb_ctx *ctx, const struct credential_row *credential, const struct signer *signer,
		     struct bytes der, struct version_row *version, struct troth_err *e)
{
	const struct cert *cert;
	struct cert_row row;
	TRY(cert_parse(ctx->a, der, &cert, e));
	TRY(issue_cert_put(ctx->tx, ctx->a, cert, &row, e));
	const char *metadata;
	bool distrusted;
	TRY(distrust_key_has(ctx->tx, ctx->a, &row, &distrusted, e));
	ENSURE(!distrusted, e, TROTH_UNSAFE, "this certificate of %s, or its key, was distrusted as compromised; it cannot be taken in again",
	       credential->name);
	if (!version->uuid)
		version->uuid = verb_uuid_text(ctx);
	version->credential_id = credential->id;
	version->cert_id = row.id;
	version->signed_by = signer ? signer->version.id : 0;
	version->created = ctx->now;
	TRY(renewal_of_version(ctx->tx, ctx->a, credential, &row, version, e));
	TRY(metadata_row_newest(ctx->tx, ctx->a, credential->id, &metadata, e));
	TRY(version_row_insert(ctx->tx, version, e));
	if (metadata)
		TRY(metadata_row_put(ctx->tx, version->id, metadata, e));
	if (credential->kind == CREDENTIAL_LEAF)
		TRY(leaf_becomes_newest(ctx, credential->id, version->id, e));
	verb_changed(ctx, CHANGED_CREDENTIAL, credential->id);
	return RC_OK;
}

/* -- chains ------------------------------------------------------------------------------------- */
troth_rc issue_chain(struct tx *tx, struct arena *a, const struct version_row *version, struct id_list *ret, struct troth_err *e)
{
	struct id_list chain = { ARENA_ARRAY(a, int64_t, LIMIT_CHAIN_CERTS), 0 };
	struct version_row v = *version;
	for (;;) {
		struct cert_row cert;
		TRY(cert_row_get(tx, a, v.cert_id, &cert, e));
		if (chain.count && cert.self_signed)
			break; /* a root is an anchor, nobody sends it */
		ENSURE(chain.count < LIMIT_CHAIN_CERTS, e, TROTH_TOO_LARGE, "the chain of version %s has more than %d certificates",
		       version->uuid, LIMIT_CHAIN_CERTS);
		chain.items[chain.count++] = v.cert_id;
		ENSURE(chain.count + v.above.count <= LIMIT_CHAIN_CERTS, e, TROTH_TOO_LARGE,
		       "the chain of version %s has more than %d certificates", version->uuid, LIMIT_CHAIN_CERTS);
		for (size_t i = 0; i < v.above.count; i++)
			chain.items[chain.count++] = v.above.items[i];
		if (!v.signed_by)
			break;
		TRY(version_row_get(tx, a, v.signed_by, &v, e));
	}
	*ret = chain;
	return RC_OK;
}

/* The version at the top of what signed this one. */
static troth_rc root_of(struct tx *tx, struct arena *a, const struct version_row *version, struct version_row *ret, struct troth_err *e)
{
	*ret = *version;
	for (int depth = 0; ret->signed_by && depth < LIMIT_CHAIN_CERTS; depth++)
		TRY(version_row_get(tx, a, ret->signed_by, ret, e));
	return RC_OK;
}

troth_rc issue_bridge(struct tx *tx, struct arena *a, const struct version_row *version, struct issue_bridge *ret, struct troth_err *e)
{
	struct version_row root;
	struct cert_row cert;
	*ret = (struct issue_bridge){ 0 };
	TRY(root_of(tx, a, version, &root, e));
	if (!root.cross_cert)
		return RC_OK;
	TRY(cert_row_get(tx, a, root.cross_cert, &cert, e));
	*ret = (struct issue_bridge){ root.cross_cert, root.cross_by, cert.not_before, cert.not_after };
	return RC_OK;
}

troth_rc issue_chain_bridged(struct tx *tx, struct arena *a, const struct version_row *version, struct id_list *ret, struct troth_err *e)
{
	struct issue_bridge bridge;
	TRY(issue_bridge(tx, a, version, &bridge, e));
	ENSURE(bridge.cert, e, TROTH_INTERNAL, "version %s hangs on no cross-signed root", version->uuid);
	TRY(issue_chain(tx, a, version, ret, e));
	ENSURE(ret->count < LIMIT_CHAIN_CERTS, e, TROTH_TOO_LARGE, "the chain of version %s has no room for a bridge", version->uuid);
	ret->items[ret->count++] = bridge.cert;
	return RC_OK;
}

troth_rc issue_chain_pem(struct tx *tx, struct arena *a, const struct version_row *version, const char **ret_leaf,
			 const char **ret_rest, struct troth_err *e)
{
	struct id_list chain;
	const char *leaf = "", *rest = "";
	TRY(issue_chain(tx, a, version, &chain, e));
	for (size_t i = 0; i < chain.count; i++) {
		struct cert_row cert;
		TRY(cert_row_get(tx, a, chain.items[i], &cert, e));
		if (i == 0)
			leaf = cert_pem(a, cert.der);
		else
			rest = arena_printf(a, "%s%s", rest, cert_pem(a, cert.der));
	}
	*ret_leaf = leaf;
	*ret_rest = rest;
	return RC_OK;
}

troth_rc issue_anchors_pem(struct tx *tx, struct arena *a, int64_t authority_id, const char **ret_pem, struct troth_err *e)
{
	struct version_row *versions;
	size_t n;
	const char *pem = "";
	TRY(version_row_list_credential(tx, a, authority_id, PAGE_ALL, &versions, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct cert_row cert;
		if (versions[i].retired_at || versions[i].distrusted)
			continue;
		TRY(cert_row_get(tx, a, versions[i].cert_id, &cert, e));
		pem = arena_printf(a, "%s%s", pem, cert_pem(a, cert.der));
	}
	*ret_pem = pem;
	return RC_OK;
}
