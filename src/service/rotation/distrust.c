/* Emergency.  See distrust.h, docs/decisions/0020-distrust.md.
 *
 * The rows are small: version.distrusted, and the rotation that did it.  The engine does the rest: what is
 * distrusted leaves each store with its next document and never comes back. */
#include "service/fleet/target.h"
#include "service/inside.h"
#include "service/intake/brought.h"
#include "service/rotation/distrust.h"

enum {
	PAIRS_NAMED = 200,   /* in the answer; all are counted */
	PAIRS_REFUSED = 50,  /* in a refusal: a screen or two */
	TRUSTING_NAMED = 50,
	SCAN_PAGE = 500,     /* rows read at once */
};

/* -- which ones ---------------------------------------------------------------------------------------- */

struct choice { struct id_list ids; size_t room; };

static bool has_id(const struct id_list *list, int64_t id)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i] == id)
			return true;
	return false;
}

static void add_id(struct arena *a, struct choice *c, int64_t id)
{
	if (has_id(&c->ids, id))
		return;
	if (c->ids.count == c->room) {
		int64_t *old = c->ids.items;
		c->room = c->room ? c->room * 2 : 8;
		c->ids.items = ARENA_ARRAY(a, int64_t, c->room);
		if (c->ids.count)
			memcpy(c->ids.items, old, c->ids.count * sizeof *old);
	}
	c->ids.items[c->ids.count++] = id;
}

/* A key that is stolen is stolen for every certificate that has it. */
static troth_rc add_with_key(struct verb_ctx *ctx, struct choice *c, const struct version_row *v, struct troth_err *e)
{
	struct cert_row cert, *same;
	size_t n;
	add_id(ctx->a, c, v->id);
	TRY(cert_row_get(ctx->tx, ctx->a, v->cert_id, &cert, e));
	TRY(cert_row_list_subject_key(ctx->tx, ctx->a, cert.subject_key, &same, &n, e));
	for (size_t i = 0; i < n; i++) {
		struct version_row *versions;
		size_t count;
		TRY(version_row_list_cert(ctx->tx, ctx->a, same[i].id, &versions, &count, e));
		for (size_t k = 0; k < count; k++)
			add_id(ctx->a, c, versions[k].id);
	}
	return RC_OK;
}

static troth_rc refuse_version(const struct credential_row *c, const char *version, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "%s has no version %.40s", c->name, version);
	err_hint(e, "troth %s show %s lists its versions", c->kind == CREDENTIAL_AUTHORITY ? "authority" : "credential", c->name);
	err_object(e, "%s", c->name);
	return rc;
}

/* Could it go on as it is without those? */
static troth_rc is_good(struct verb_ctx *ctx, const struct version_row *v, const struct id_list *without, bool *ret,
			struct troth_err *e)
{
	struct cert_row cert;
	TRY(cert_row_get(ctx->tx, ctx->a, v->cert_id, &cert, e));
	*ret = v->wanted && v->can_sign && !v->distrusted && !has_id(without, v->id) && cert.not_after > ctx->now;
	return RC_OK;
}

troth_rc distrust_choose(struct verb_ctx *ctx, const struct credential_row *c, const char *version, struct distrust *ret,
			 struct troth_err *e)
{
	struct version_row *versions;
	struct choice choice = { 0 };
	size_t n;
	TRY(version_row_list_credential(ctx->tx, ctx->a, c->id, PAGE_ALL, &versions, &n, e));
	for (size_t i = 0; i < n; i++)
		if (version ? text_equal(versions[i].uuid, version) : !versions[i].retired_at && !versions[i].distrusted)
			TRY(add_with_key(ctx, &choice, &versions[i], e));
	if (version && choice.ids.count == 0)
		return refuse_version(c, version, e);
	*ret = (struct distrust){ choice.ids, c->kind == CREDENTIAL_AUTHORITY && c->origin != ORIGIN_IMPORTED };
	for (size_t i = 0; i < n && ret->replace; i++) {
		bool good;
		TRY(is_good(ctx, &versions[i], &ret->versions, &good, e));
		ret->replace = !good;
	}
	return RC_OK;
}

/* -- what it means ------------------------------------------------------------------------------------------ */

static troth_rc name_pairs(struct verb_ctx *ctx, const struct broken_pair *pairs, size_t n, struct rotation_pair **ret,
			   struct troth_err *e)
{
	*ret = ARENA_ARRAY(ctx->a, struct rotation_pair, n + 1);
	for (size_t i = 0; i < n; i++) {
		TRY(target_name_by_id(ctx, pairs[i].slot, &(*ret)[i].slot, e));
		TRY(target_name_by_id(ctx, pairs[i].store, &(*ret)[i].store, e));
	}
	return RC_OK;
}

static void add_note(struct verb_ctx *ctx, struct rotate_ret *ret, const char *text)
{
	const char **old = ret->notes;
	ret->notes = ARENA_ARRAY(ctx->a, const char *, ret->note_count + 1);
	if (ret->note_count)
		memcpy(ret->notes, old, ret->note_count * sizeof *old);
	ret->notes[ret->note_count++] = text;
}

/* How long a certificate that nobody withdraws is good for whoever has its key. */
static troth_rc last_day(struct verb_ctx *ctx, const struct id_list *versions, const char **ret, struct troth_err *e)
{
	char text[RFC3339_LEN];
	msec_t last = 0;
	for (size_t i = 0; i < versions->count; i++) {
		struct version_row v;
		struct cert_row cert;
		TRY(version_row_get(ctx->tx, ctx->a, versions->items[i], &v, e));
		TRY(cert_row_get(ctx->tx, ctx->a, v.cert_id, &cert, e));
		last = cert.not_after > last ? cert.not_after : last;
	}
	*ret = arena_text(ctx->a, time_format(last, text));
	return RC_OK;
}

static troth_rc issuer_name(struct verb_ctx *ctx, const struct credential_row *c, const char **ret, struct troth_err *e)
{
	struct credential_row issuer;
	*ret = "the authority that signed it";
	if (!c->issuer_id)
		return RC_OK;
	TRY(credential_row_get(ctx->tx, ctx->a, c->issuer_id, &issuer, e));
	*ret = issuer.name;
	return RC_OK;
}

/* What taking a certificate out of stores cannot reach, because it is in none: said truthfully. */
static troth_rc note_unreached(struct verb_ctx *ctx, const struct credential_row *c, const struct distrust *d,
			       struct rotate_ret *ret, struct troth_err *e)
{
	const char *day, *issuer;
	if (c->kind == CREDENTIAL_AUTHORITY && !c->issuer_id)
		return RC_OK;
	if (c->origin == ORIGIN_EXTERNAL)
		add_note(ctx, ret, arena_printf(ctx->a, "who signed it can revoke it: ask them to; its next certificate comes from them too: "
						"troth authority csr %s", c->name));
	TRY(last_day(ctx, &d->versions, &day, e));
	TRY(issuer_name(ctx, c, &issuer, e));
	add_note(ctx, ret, arena_printf(ctx->a,
		"no revocation list goes out: whoever has the old key is accepted by everybody who trusts %s until %s; "
		"to end that sooner: troth rotate %s --compromised", issuer, day, issuer));
	return RC_OK;
}

/* What people are shown by this server changes with it. */
static troth_rc note_listener(struct verb_ctx *ctx, const struct distrust *d, struct rotate_ret *ret, struct troth_err *e)
{
	bool lives;
	TRY(brought_lives_by(ctx, &d->versions, &lives, e));
	if (lives)
		add_note(ctx, ret, "the certificate that was brought for this server's listener lives by it: from then on everybody is shown the "
				   "server's own, which ca.pem in its data directory verifies; bring another: troth server-certificate set");
	return RC_OK;
}

static troth_rc note_below(struct verb_ctx *ctx, const struct credential_row *c, struct rotate_ret *ret, struct troth_err *e)
{
	struct credential_row *below;
	size_t n;
	if (c->kind != CREDENTIAL_AUTHORITY)
		return RC_OK;
	TRY(credential_row_list_issuer(ctx->tx, ctx->a, c->id, PAGE_ALL, &below, &n, e));
	for (size_t i = 0; i < n; i++)
		if (below[i].kind == CREDENTIAL_AUTHORITY)
			add_note(ctx, ret, arena_printf(ctx->a, "%s is signed by it and signs no more until it has a version that "
							"the new one signed: troth rotate %s", below[i].name, below[i].name));
	return RC_OK;
}

static void say_steps(struct verb_ctx *ctx, const struct credential_row *c, const struct distrust *d, struct rotate_ret *ret)
{
	const char *ca[] = {
		arena_printf(ctx->a, "distrust %zu version%s of %s: no store is ever sent %s again, nobody signs by %s",
			     d->versions.count, d->versions.count == 1 ? "" : "s", c->name,
			     d->versions.count == 1 ? "it" : "them", d->versions.count == 1 ? "it" : "them"),
		arena_printf(ctx->a, "send each store its set without %s%s, at once", d->versions.count == 1 ? "it" : "them",
			     d->replace ? ", beside a new version with a new key" : ""),
		"ask each slot that lives by it for a new key, at once; services are restarted where their profile says how",
		"wait until nothing distrusted is in any store that counts",
	};
	const char *leaf[] = {
		arena_printf(ctx->a, "ask each slot of %s for a new key and sign it, at once", c->name),
		"restart its service where its profile says how; an agent whose reload fails keeps the new files and says so",
		"wait until each slot is seen to serve its new certificate and nothing else",
	};
	bool authority = c->kind == CREDENTIAL_AUTHORITY;
	ret->step_count = authority ? ARRAY_LEN(ca) : ARRAY_LEN(leaf);
	ret->steps = ARENA_ARRAY(ctx->a, const char *, ret->step_count);
	memcpy(ret->steps, authority ? ca : leaf, ret->step_count * sizeof *ret->steps);
}

troth_rc distrust_foresee(struct verb_ctx *ctx, const struct credential_row *c, const struct distrust *d,
			  struct rotate_ret *ret, struct troth_err *e)
{
	struct breakage b;
	engine_breakage(ctx->svc->view, (struct engine_ids){ d->versions.items, d->versions.count }, PAIRS_NAMED, ctx->a, &b);
	ret->compromised = true;
	ret->breaks = (int64_t)b.breaks;
	ret->doubts = (int64_t)b.doubts;
	ret->pair_count = b.pair_count;
	ret->doubtful_count = b.doubtful_count;
	TRY(name_pairs(ctx, b.pairs, b.pair_count, &ret->pairs, e));
	TRY(name_pairs(ctx, b.doubtful, b.doubtful_count, &ret->doubtful, e));
	say_steps(ctx, c, d, ret);
	TRY(note_unreached(ctx, c, d, ret, e));
	TRY(note_listener(ctx, d, ret, e));
	return note_below(ctx, c, ret, e);
}

static void list_pairs(struct verb_ctx *ctx, const struct rotate_ret *ret, struct troth_err *e)
{
	struct finding **next = &e->findings;
	for (size_t i = 0; i < ret->pair_count && i < PAIRS_REFUSED; i++) {
		struct finding *f = ARENA_NEW(ctx->a, struct finding);
		f->path = "breaks";
		f->rule = "10";
		f->text = arena_printf(ctx->a, "%s with %s", ret->pairs[i].slot, ret->pairs[i].store);
		*next = f;
		next = &f->next;
	}
}

troth_rc distrust_confirm(struct verb_ctx *ctx, const struct rotate_cmd *cmd, const struct rotate_ret *ret,
			  struct troth_err *e)
{
	if (cmd->yes_break == ret->breaks)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_UNSAFE, "distrusting %s breaks %lld pair%s now, not %lld", ret->name,
			      (long long)ret->breaks, ret->breaks == 1 ? "" : "s", (long long)cmd->yes_break);
	err_detail(e, "they shake hands by what is to be distrusted, and will not until both sides have what replaces it");
	err_hint(e, "look at the pairs; if that is what you want: --yes-break %lld, in the API \"yes_break\":%lld",
		 (long long)ret->breaks, (long long)ret->breaks);
	err_object(e, "%s", ret->name);
	if (e)
		list_pairs(ctx, ret, e);
	return rc;
}

/* -- doing it --------------------------------------------------------------------------------------------------- */

troth_rc distrust_apply(struct verb_ctx *ctx, const struct distrust *d, struct troth_err *e)
{
	for (size_t i = 0; i < d->versions.count; i++) {
		struct version_row v;
		TRY(version_row_get(ctx->tx, ctx->a, d->versions.items[i], &v, e));
		v.distrusted = true;
		v.wanted = false;
		v.retired_at = 0; /* once more: is it gone from everywhere? */
		TRY(version_row_update(ctx->tx, &v, e));
		verb_changed(ctx, CHANGED_CREDENTIAL, v.credential_id);
	}
	return brought_distrusted(ctx, &d->versions, e);
}

/* -- asking ------------------------------------------------------------------------------------------------------ */

troth_rc distrust_has(struct tx *tx, struct arena *a, int64_t cert_id, bool *ret, struct troth_err *e)
{
	struct version_row *versions;
	size_t n;
	*ret = false;
	TRY(version_row_list_cert(tx, a, cert_id, &versions, &n, e));
	for (size_t i = 0; i < n; i++)
		*ret = *ret || versions[i].distrusted;
	return RC_OK;
}

troth_rc distrust_spki_has(struct tx *tx, struct arena *a, struct bytes spki_hash, bool *ret, struct troth_err *e)
{
	*ret = false;
	for (int64_t after = 0;;) {
		struct version_row *rows;
		size_t n;
		TRY(version_row_list_authorities(tx, a, (struct page){ after, 0 }, &rows, &n, e));
		for (size_t i = 0; i < n; i++) {
			struct cert_row cert;
			if (!rows[i].distrusted)
				continue;
			TRY(cert_row_get(tx, a, rows[i].cert_id, &cert, e));
			*ret = *ret || bytes_equal(cert.spki_hash, spki_hash);
		}
		if (*ret || !n)
			return RC_OK;
		after = rows[n - 1].id;
	}
}

troth_rc distrust_key_has(struct tx *tx, struct arena *a, const struct cert_row *cert, bool *ret, struct troth_err *e)
{
	struct cert_row *same;
	size_t n;
	*ret = false;
	TRY(cert_row_list_subject_key(tx, a, cert->subject_key, &same, &n, e));
	for (size_t i = 0; i < n && !*ret; i++)
		TRY(distrust_has(tx, a, same[i].id, ret, e));
	return *ret || !cert->is_ca ? RC_OK : distrust_spki_has(tx, a, cert->spki_hash, ret, e);
}

/* The leaf, or a CA above it. */
static troth_rc chain_has(struct tx *tx, struct arena *a, int64_t version, bool *ret, struct troth_err *e)
{
	for (int depth = 0; version && !*ret && depth < LIMIT_CHAIN_CERTS; depth++) {
		struct version_row v;
		TRY(version_row_get(tx, a, version, &v, e));
		TRY(distrust_has(tx, a, v.cert_id, ret, e)); /* the same certificate may stand in another version */
		version = v.signed_by;
	}
	return RC_OK;
}

troth_rc distrust_content(struct tx *tx, struct arena *a, int64_t content_id, bool *ret, struct troth_err *e)
{
	struct content_row content;
	*ret = false;
	TRY(content_row_get(tx, a, content_id, &content, e));
	if (content.kind == CONTENT_CHAIN)
		return chain_has(tx, a, content.version_id, ret, e);
	for (size_t i = 0; i < content.certs.count && !*ret; i++)
		TRY(distrust_has(tx, a, content.certs.items[i], ret, e));
	return RC_OK;
}

struct fingerprints { struct arena *a; struct json_texts *list; size_t room; };

static void add_fingerprint(struct fingerprints *f, const char *hex)
{
	for (size_t i = 0; i < f->list->count; i++)
		if (text_equal(f->list->items[i], hex))
			return;
	if (f->list->count < f->room)
		f->list->items[f->list->count++] = hex;
}

static troth_rc add_content(struct tx *tx, struct fingerprints *f, int64_t content_id, struct troth_err *e)
{
	struct content_row content;
	TRY(content_row_get(tx, f->a, content_id, &content, e));
	bool chain = content.kind == CONTENT_CHAIN;
	for (size_t i = 0; i < content.certs.count && !(chain && i); i++) { /* of a chain: its leaf says it all */
		struct cert_row cert;
		bool bad = false;
		if (chain)
			TRY(chain_has(tx, f->a, content.version_id, &bad, e));
		else
			TRY(distrust_has(tx, f->a, content.certs.items[i], &bad, e));
		if (!bad)
			continue;
		char *hex = arena_alloc(f->a, SHA256_HEX_LEN);
		TRY(cert_row_get(tx, f->a, content.certs.items[i], &cert, e));
		hex_encode(cert.fingerprint.data, cert.fingerprint.len, hex);
		add_fingerprint(f, hex);
	}
	return RC_OK;
}

/* What lay there before anything of ours, as its agent said. */
static troth_rc add_found(struct tx *tx, struct fingerprints *f, const char *found, struct troth_err *e)
{
	const struct json *j, *list;
	if (!found || rc_failed(json_parse(f->a, bytes_of_text(found), &j, NULL)))
		return RC_OK;
	list = json_get(j, "fingerprints");
	for (size_t i = 0; list && list->type == JSON_ARRAY && i < list->list.count; i++) {
		const struct json *x = &list->list.items[i];
		uint8_t fingerprint[SHA256_LEN];
		struct cert_row cert;
		bool bad;
		if (x->type != JSON_STRING || !hex_decode(x->str.s, strlen(x->str.s), fingerprint, sizeof fingerprint) ||
		    rc_failed(cert_row_by_fingerprint(tx, f->a, bytes_of(fingerprint, sizeof fingerprint), &cert, NULL)))
			continue;
		TRY(distrust_has(tx, f->a, cert.id, &bad, e));
		if (bad)
			add_fingerprint(f, x->str.s);
	}
	return RC_OK;
}

troth_rc distrust_fingerprints(struct tx *tx, struct arena *a, const struct target_row *t, struct json_texts *ret,
			       struct troth_err *e)
{
	struct document_row *pending;
	size_t n;
	*ret = (struct json_texts){ ARENA_ARRAY(a, const char *, LIMIT_DISTRUSTED), 0 };
	struct fingerprints f = { a, ret, LIMIT_DISTRUSTED };
	if (t->base_content)
		TRY(add_content(tx, &f, t->base_content, e));
	TRY(document_row_list_pending(tx, a, t->id, &pending, &n, e));
	for (size_t i = 0; i < n; i++)
		TRY(add_content(tx, &f, pending[i].content_id, e));
	return t->base_generation ? RC_OK : add_found(tx, &f, t->found, e);
}

#define STATE_LOST "waived, and what it holds is unknown"

/* -- who has it still ----------------------------------------------------------------------------------------------- */

struct scan {
	struct tx *tx;
	struct arena *a;
	struct id_list certs;
	struct rotation_trusting *ret;
};

static troth_rc content_has(struct scan *s, int64_t content_id, bool *ret, struct troth_err *e)
{
	struct content_row content;
	if (!content_id || *ret)
		return RC_OK;
	TRY(content_row_get(s->tx, s->a, content_id, &content, e));
	for (size_t i = 0; i < content.certs.count; i++)
		*ret = *ret || has_id(&s->certs, content.certs.items[i]);
	return RC_OK;
}

static troth_rc scan_target(struct scan *s, const struct template_row *template, const struct target_row *t,
			    struct troth_err *e)
{
	struct document_row *pending;
	struct instance_row instance;
	size_t n;
	bool lost = t->state == TARGET_WAIVED && !t->base_known; /* nobody will hear any more what it holds */
	bool has = lost;
	if (t->state == TARGET_LEFT)
		return RC_OK;
	TRY(content_has(s, t->base_content, &has, e));
	TRY(document_row_list_pending(s->tx, s->a, t->id, &pending, &n, e));
	for (size_t i = 0; i < n; i++)
		if (pending[i].handed_at)
			TRY(content_has(s, pending[i].content_id, &has, e));
	if (!has || s->ret->count++ >= TRUSTING_NAMED)
		return RC_OK;
	TRY(instance_row_get(s->tx, s->a, t->instance_id, &instance, e));
	s->ret->stores[s->ret->named++] = (struct rotation_waiting){
		arena_printf(s->a, "%s/%s", instance.name, template->name), lost ? STATE_LOST : TARGET_STATE_NAMES[t->state] };
	return RC_OK;
}

static troth_rc scan_template(struct scan *s, const struct template_row *template, struct troth_err *e)
{
	for (int64_t after = 0;;) {
		struct target_row *targets;
		size_t n;
		TRY(target_row_list_template(s->tx, s->a, template->id, (struct page){ after, SCAN_PAGE }, &targets, &n, e));
		for (size_t i = 0; i < n; i++)
			TRY(scan_target(s, template, &targets[i], e));
		if (n == 0)
			return RC_OK;
		after = targets[n - 1].id;
	}
}

troth_rc distrust_trusting(struct tx *tx, struct arena *a, const struct rotation_row *rotation,
			   struct rotation_trusting *ret, struct troth_err *e)
{
	struct scan s = { .tx = tx, .a = a, .ret = ret };
	struct template_row *templates;
	size_t n;
	*ret = (struct rotation_trusting){ .stores = ARENA_ARRAY(a, struct rotation_waiting, TRUSTING_NAMED) };
	s.certs.items = ARENA_ARRAY(a, int64_t, rotation->distrusted.count + 1);
	for (size_t i = 0; i < rotation->distrusted.count; i++) {
		struct version_row v;
		TRY(version_row_get(tx, a, rotation->distrusted.items[i], &v, e));
		s.certs.items[s.certs.count++] = v.cert_id;
	}
	TRY(template_row_list(tx, a, PAGE_ALL, &templates, &n, e));
	for (size_t i = 0; i < n && s.certs.count; i++)
		if (templates[i].kind == TARGET_STORE)
			TRY(scan_template(&s, &templates[i], e));
	return RC_OK;
}
