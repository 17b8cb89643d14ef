/* A report in our own things: which contents it names, and where these stand among what the target was sent.
 *
 * Contents may come again (a rollback), so the oldest document that fits is taken unless the reporter names the generation:
 * then everything after it still counts as what may come (engine-rules 12: match_by_fingerprint).
 *
 *     generation named, and it has these fingerprints     that one
 *     what it runs already                                unchanged
 *     a pending document, the oldest that fits            counted
 *     one that was handed out and passed over             behind
 *     contents that we know and never sent                counted, without a generation; behind, if it ran one of ours
 *     anything else                                       unknown */
#include "service/outside/external_parts.h"

#include "service/check.h"
#include "service/agent/contents.h"
#include "service/ca/issue.h"
#include "service/record.h"

/* -- fingerprints -------------------------------------------------------------------------------------- */

static void texts_add(struct json_texts *texts, const char *text)
{
	texts->items[texts->count++] = text;
}

static struct json_texts texts_make(struct arena *a, size_t n)
{
	return (struct json_texts){ ARENA_ARRAY(a, const char *, n + 1), 0 };
}

/* "AB:CD:..." as openssl prints it, or "abcd...". */
static const char *normal_form(struct arena *a, const char *text)
{
	char *out = arena_alloc(a, strlen(text) + 1), *p = out;
	for (; *text; text++)
		if (*text != ':')
			*p++ = *text >= 'A' && *text <= 'F' ? (char)(*text - 'A' + 'a') : *text;
	*p = 0;
	return out;
}

static troth_rc cert_of(struct verb_ctx *ctx, const char *fingerprint, struct cert_row *ret, bool *ret_found, struct troth_err *e)
{
	uint8_t raw[SHA256_LEN];
	ENSURE(hex_decode(fingerprint, strlen(fingerprint), raw, sizeof raw), e, TROTH_INVALID, "\"%.80s\" is no fingerprint", fingerprint);
	*ret_found = rc_ok(cert_row_by_fingerprint(ctx->tx, ctx->a, bytes_of(raw, sizeof raw), ret, NULL));
	return RC_OK;
}

static const char *fingerprint_of(struct arena *a, const struct cert_row *cert)
{
	char *hex = arena_alloc(a, SHA256_HEX_LEN);
	return hex_encode(cert->fingerprint.data, SHA256_LEN, hex);
}

static bool version_visible(struct verb_ctx *ctx, const char *id, struct version_row *ret)
{
	struct credential_row owner;
	return uuid_valid(id) && rc_ok(version_row_by_uuid(ctx->tx, ctx->a, id, ret, NULL)) &&
	       rc_ok(credential_row_get(ctx->tx, ctx->a, ret->credential_id, &owner, NULL)) && record_in_scope(ctx->who, owner.name);
}

/* Version ids into fingerprints; what the principal may not see does not exist. */
static troth_rc read_versions(struct verb_ctx *ctx, const struct target_report *r, struct json_texts *out, struct troth_err *e)
{
	struct checker c = { ctx->a, e };
	for (size_t i = 0; i < r->versions.count; i++) {
		struct version_row v;
		struct cert_row cert;
		const char *id = r->versions.items[i];
		if (!version_visible(ctx, id, &v)) {
			check_fail(&c, arena_printf(ctx->a, "%s.versions[%zu]", r->path, i), "not-found", "is no version's id",
				   "troth authority show and troth credential show print them");
			continue;
		}
		TRY(cert_row_get(ctx->tx, ctx->a, v.cert_id, &cert, e));
		texts_add(out, fingerprint_of(ctx->a, &cert));
	}
	return RC_OK;
}

static troth_rc read_names(struct verb_ctx *ctx, const struct target_report *r, struct json_texts *ret, struct troth_err *e)
{
	*ret = texts_make(ctx->a, r->fingerprints.count + r->versions.count);
	for (size_t i = 0; i < r->fingerprints.count; i++)
		texts_add(ret, normal_form(ctx->a, r->fingerprints.items[i]));
	return read_versions(ctx, r, ret, e);
}

/* -- a store ------------------------------------------------------------------------------------------- */

/* What a store was ever given, as far as it is on record: its bundle, and the documents that are kept. */
struct assigned {
	struct bundle_member_row *members;
	size_t member_count;
	struct id_list sent;
};

static void ids_add(struct arena *a, struct id_list *all, const struct id_list *more)
{
	int64_t *items = ARENA_ARRAY(a, int64_t, all->count + more->count + 1);
	for (size_t i = 0; i < all->count; i++)
		items[i] = all->items[i];
	for (size_t i = 0; i < more->count; i++)
		items[all->count + i] = more->items[i];
	*all = (struct id_list){ items, all->count + more->count };
}

static troth_rc assigned_load(struct verb_ctx *ctx, const struct target_row *t, int64_t bundle, struct assigned *ret, struct troth_err *e)
{
	struct document_row *documents;
	size_t n;
	*ret = (struct assigned){ 0 };
	TRY(bundle_member_row_list_bundle(ctx->tx, ctx->a, bundle, PAGE_ALL, &ret->members, &ret->member_count, e));
	TRY(document_row_list_target(ctx->tx, ctx->a, t->id, PAGE_ALL, &documents, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct content_row content;
		TRY(content_row_get(ctx->tx, ctx->a, documents[i].content_id, &content, e));
		ids_add(ctx->a, &ret->sent, &content.certs);
	}
	return RC_OK;
}

static bool is_member(const struct assigned *all, int64_t cert, const struct version_row *versions, size_t n)
{
	for (size_t i = 0; i < all->member_count; i++) {
		if (all->members[i].cert_id == cert)
			return true;
		for (size_t k = 0; k < n; k++)
			if (all->members[i].authority_id && all->members[i].authority_id == versions[k].credential_id)
				return true;
	}
	return false;
}

/* Was it in a document, is it in the bundle, or a version of an authority that is? */
static troth_rc is_assigned(struct verb_ctx *ctx, const struct assigned *all, int64_t cert, bool *ret, struct troth_err *e)
{
	struct version_row *versions;
	size_t n;
	*ret = false;
	for (size_t i = 0; i < all->sent.count && !*ret; i++)
		*ret = all->sent.items[i] == cert;
	if (*ret)
		return RC_OK;
	TRY(version_row_list_cert(ctx->tx, ctx->a, cert, &versions, &n, e));
	*ret = is_member(all, cert, versions, n);
	return RC_OK;
}

/* What counts is what was assigned to it (engine-rules 3: W = seen and assigned); the rest is drift. */
static troth_rc read_store(struct verb_ctx *ctx, const struct target_row *t, const struct template_row *template,
			   struct json_texts names, struct said *ret, struct troth_err *e)
{
	struct content_row set = { .kind = CONTENT_SET };
	struct assigned all;
	TRY(assigned_load(ctx, t, template->bundle_id, &all, e));
	set.certs.items = ARENA_ARRAY(ctx->a, int64_t, names.count + 1);
	for (size_t i = 0; i < names.count; i++) {
		struct cert_row cert;
		bool found, assigned = false;
		TRY(cert_of(ctx, names.items[i], &cert, &found, e));
		if (found)
			TRY(is_assigned(ctx, &all, cert.id, &assigned, e));
		texts_add(assigned ? &ret->fingerprints : &ret->extra, names.items[i]);
		if (assigned)
			set.certs.items[set.certs.count++] = cert.id;
	}
	ret->known = set.certs.count || !names.count;
	if (!set.certs.count)
		return RC_OK;
	TRY(content_row_put(ctx->tx, &set, e));
	verb_changed(ctx, CHANGED_CONTENT, set.id);
	ret->content = set.id;
	return RC_OK;
}

/* -- a slot -------------------------------------------------------------------------------------------- */

static troth_rc chain_fits(struct verb_ctx *ctx, const struct said *said, int64_t content, bool *ret, struct troth_err *e)
{
	struct json_texts ours;
	if (!said->alone)
		return contents_match(ctx->tx, ctx->a, content, said->fingerprints, ret, e);
	TRY(contents_fingerprints(ctx->tx, ctx->a, content, &ours, e));
	*ret = ours.count && text_equal(ours.items[0], said->fingerprints.items[0]);
	return RC_OK;
}

/* The chain of a version as it is served: one that was made before, or the plain one. */
static troth_rc chain_of(struct verb_ctx *ctx, const struct version_row *version, struct said *said, struct troth_err *e)
{
	struct content_row *contents, plain = { .kind = CONTENT_CHAIN, .version_id = version->id };
	size_t n, fits = 0;
	TRY(content_row_list_version(ctx->tx, ctx->a, version->id, &contents, &n, e));
	for (size_t i = 0; i < n; i++) {
		bool same;
		TRY(chain_fits(ctx, said, contents[i].id, &same, e));
		if (same && fits++ == 0)
			said->content = contents[i].id;
	}
	if (fits > 1)
		said->content = 0; /* with a bridge or without: only the whole chain says */
	if (n)
		return RC_OK;
	TRY(issue_chain(ctx->tx, ctx->a, version, &plain.certs, e));
	TRY(content_row_put(ctx->tx, &plain, e));
	verb_changed(ctx, CHANGED_CONTENT, plain.id);
	bool same;
	TRY(chain_fits(ctx, said, plain.id, &same, e));
	said->content = same ? plain.id : 0;
	return RC_OK;
}

static troth_rc read_slot(struct verb_ctx *ctx, const struct target_row *t, struct json_texts names, struct said *ret, struct troth_err *e)
{
	struct cert_row cert;
	struct version_row *versions;
	bool found;
	size_t n;
	ret->fingerprints = names;
	ret->alone = names.count == 1;
	ret->known = names.count == 0;
	if (!names.count)
		return RC_OK;
	TRY(cert_of(ctx, names.items[0], &cert, &found, e));
	if (!found)
		return RC_OK;
	TRY(version_row_list_cert(ctx->tx, ctx->a, cert.id, &versions, &n, e));
	for (size_t i = 0; i < n && !ret->known; i++) {
		if (versions[i].credential_id != t->credential_id)
			continue;
		ret->known = true;
		TRY(chain_of(ctx, &versions[i], ret, e));
	}
	return RC_OK;
}

troth_rc external_read(struct verb_ctx *ctx, const struct target_row *t, const struct template_row *template,
		       const struct target_report *r, struct said *ret, struct troth_err *e)
{
	struct json_texts names;
	*ret = (struct said){ .kind = template->kind };
	TRY(read_names(ctx, r, &names, e));
	TRY(check_done(e));
	ret->fingerprints = texts_make(ctx->a, names.count);
	ret->extra = texts_make(ctx->a, names.count);
	if (template->kind == TARGET_STORE)
		return read_store(ctx, t, template, names, ret, e);
	TRY(read_slot(ctx, t, names, ret, e));
	if (!ret->known)
		ret->extra = names;
	return RC_OK;
}

/* -- among what was sent --------------------------------------------------------------------------------- */

/* Are these the contents (0: none) that were named? */
static troth_rc is_same(struct verb_ctx *ctx, const struct said *said, int64_t content, bool *ret, struct troth_err *e)
{
	*ret = said->known && content == said->content && (content != 0) == (said->fingerprints.count != 0);
	if (*ret || !said->known || !content || said->kind == TARGET_STORE || !said->fingerprints.count)
		return RC_OK;
	return chain_fits(ctx, said, content, ret, e);
}

/* The document that the reporter named, if it has these contents. */
static troth_rc named(struct verb_ctx *ctx, const struct target_row *t, const struct said *said, int64_t generation, struct place *p,
		      struct troth_err *e)
{
	struct document_row d;
	bool same;
	if (!generation)
		return RC_OK;
	if (rc_failed(document_row_by_generation(ctx->tx, ctx->a, t->id, generation, &d, NULL))) {
		p->text = "that generation is not on record: it was matched by its fingerprints";
		return RC_OK;
	}
	TRY(is_same(ctx, said, d.content_id, &same, e));
	if (!same) {
		p->text = "that generation has other fingerprints: it was matched without it";
		return RC_OK;
	}
	bool runs = t->base_known && generation == t->base_generation;
	p->outcome = runs ? REPORT_UNCHANGED : t->base_known && generation < t->base_generation ? REPORT_BEHIND : REPORT_COUNTED;
	p->generation = generation;
	p->content = d.content_id;
	return RC_OK;
}

/* The oldest on record that fits: pending ones, or those that were handed out and passed over. */
static troth_rc oldest(struct verb_ctx *ctx, const struct target_row *t, const struct said *said, bool pending, struct place *p,
		       struct troth_err *e)
{
	struct document_row *documents;
	size_t n;
	TRY(document_row_list_target(ctx->tx, ctx->a, t->id, PAGE_ALL, &documents, &n, e));
	for (size_t i = 0; i < n && !p->generation; i++) {
		bool same, open = documents[i].state == DOCUMENT_PENDING;
		if (open != pending || (!open && !documents[i].handed_at))
			continue;
		TRY(is_same(ctx, said, documents[i].content_id, &same, e));
		if (same)
			*p = (struct place){ REPORT_COUNTED, documents[i].content_id, documents[i].generation, p->text };
	}
	if (p->generation && t->base_known && p->generation < t->base_generation)
		p->outcome = REPORT_BEHIND;
	return RC_OK;
}

/* Nothing that it was sent. */
static void elsewhere(const struct target_row *t, const struct said *said, struct place *p)
{
	if (!said->known || (said->fingerprints.count && !said->content)) {
		p->outcome = REPORT_UNKNOWN;
		p->text = !said->known ? "nothing relies on it"
				       : "this leaf may be served in more than one chain: name the whole of it";
		return;
	}
	p->outcome = t->base_known && t->base_generation ? REPORT_BEHIND : REPORT_COUNTED;
	p->content = said->content;
}

troth_rc external_place(struct verb_ctx *ctx, const struct target_row *t, const struct said *said, int64_t generation,
			struct place *ret, struct troth_err *e)
{
	struct place p = { .outcome = REPORT_UNKNOWN };
	bool same;
	if (said->known && said->fingerprints.count)
		TRY(named(ctx, t, said, generation, &p, e));
	TRY(is_same(ctx, said, t->base_content, &same, e));
	if (!p.generation && t->base_known && same)
		p = (struct place){ REPORT_UNCHANGED, t->base_content, t->base_generation, p.text };
	else if (!p.generation && said->known && said->fingerprints.count)
		TRY(oldest(ctx, t, said, true, &p, e));
	if (p.outcome == REPORT_UNKNOWN && said->known && said->fingerprints.count)
		TRY(oldest(ctx, t, said, false, &p, e));
	if (p.outcome == REPORT_UNKNOWN)
		elsewhere(t, said, &p);
	*ret = p;
	return RC_OK;
}
