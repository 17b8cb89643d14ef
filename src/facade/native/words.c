/* What the native routes share.  See words.h. */
#include "facade/native/words.h"

#include "pki/pki.h"

/* -- reading ----------------------------------------------------------------------------------- */
bool words_body(struct arena *a, const struct http_request *r, const struct json_field *fields, size_t n, void *cmd,
		struct troth_err *e)
{
	return rc_ok(http_body_read(a, r, fields, n, cmd, e)) || e->findings;
}

troth_rc words_done(const struct troth_err *e) { return (troth_rc){ e->kind }; }

void words_objects(struct arena *a, const struct json *j, const struct json_field *fields, size_t n, size_t size, size_t max,
		   void **ret_items, size_t *ret_count, struct troth_err *e)
{
	*ret_items = NULL;
	*ret_count = 0;
	if (!j || j->type == JSON_NULL)
		return;
	if (j->type != JSON_ARRAY) {
		err_finding(a, e, j->path, "type", "must be a list", NULL);
		return;
	}
	if (j->list.count > max) {
		err_finding(a, e, j->path, "length", arena_printf(a, "has %zu entries; at most %zu are accepted", j->list.count, max),
			    NULL);
		return;
	}
	char *items = arena_array(a, j->list.count, size);
	for (size_t i = 0; i < j->list.count; i++) {
		const struct json *item = &j->list.items[i];
		if (item->type != JSON_OBJECT)
			err_finding(a, e, item->path, "type", "must be an object", NULL);
		else
			(void)json_read(a, item, fields, n, items + i * size, e); /* what it found is in e */
	}
	*ret_items = items;
	*ret_count = j->list.count;
}

troth_rc words_id(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	((struct id_cmd *)cmd)->id = http_param(r, "id");
	return RC_OK;
}

troth_rc words_page(const struct http_request *r, struct page *ret, struct troth_err *e)
{
	struct http_page page;
	TRY(http_query_page(r, &page, e));
	*ret = (struct page){ page.after, (int)page.limit };
	return RC_OK;
}

troth_rc words_list(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct list_cmd *c = cmd;
	c->name = http_query(r, "name");
	return words_page(r, &c->page, e);
}

troth_rc words_moment(struct arena *a, const char *what, const char *text, msec_t now, msec_t *ret, struct troth_err *e)
{
	msec_t length;
	if (rc_ok(time_parse(text, ret, NULL)) || rc_ok(time_parse(arena_printf(a, "%.40sT00:00:00Z", text), ret, NULL)))
		return RC_OK;
	if (rc_ok(duration_parse(text, &length, NULL)) && length < INT64_MAX - now) {
		*ret = now + length;
		return RC_OK;
	}
	troth_rc rc = err_set(e, TROTH_INVALID, "%s=%.60s is neither a moment nor a length of time", what, text);
	err_hint(e, "write it like 2027-06-01, 2027-06-01T12:00:00Z or 30d");
	return rc;
}

troth_rc words_find(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct list_cmd *c = cmd;
	struct list_filter *f = ARENA_NEW(a, struct list_filter);
	const char *before = http_query(r, "expires_before");
	TRY(words_list(a, r, c, e));
	*f = (struct list_filter){ http_query(r, "name_prefix"), http_query(r, "issuer"), http_query(r, "san"),
				   http_query(r, "fingerprint"), 0, http_query(r, "sort") };
	if (before)
		TRY(words_moment(a, "expires_before", before, r->now, &f->expires_before, e));
	if (before || f->name_prefix || f->issuer || f->san || f->fingerprint || f->sort)
		c->filter = f;
	list_filter_check(a, c, e);
	return words_done(e);
}

void words_grace(struct arena *a, const char *text, msec_t *ret_length, bool *ret_none, struct troth_err *e)
{
	struct troth_err why = { 0 };
	*ret_none = text_equal(text, "none");
	if (text && !*ret_none && rc_failed(duration_parse(text, ret_length, &why)))
		err_finding(a, e, "$.grace", "duration", why.primary, "write it like 24h, or none");
}

troth_rc words_none(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e) { return RC_OK; }

/* -- writing ----------------------------------------------------------------------------------- */
int words_created(const struct http_request *r) { return r->dry_run ? 200 : 201; }

void words_list_begin(struct json_writer *w)
{
	jw_object(w);
	jw_key(w, "items");
	jw_array(w);
}

void words_list_end(struct json_writer *w, int64_t next)
{
	char text[24];
	(void)snprintf(text, sizeof text, "%lld", (long long)next);
	jw_array_end(w);
	jw_kv_text(w, "next", next ? text : NULL);
	jw_object_end(w);
}

void words_duration(struct json_writer *w, const char *key, msec_t length)
{
	char text[RFC3339_LEN];
	jw_kv_text(w, key, length ? duration_format(length, text) : NULL);
}

void words_renewal(struct arena *a, struct json_writer *w, const char *prefix, const char *word)
{
	struct renewal r;
	if (rc_failed(renewal_read(word, &r, NULL)))
		return; /* the store's own word; who wrote another shows nothing */
	jw_kv_text(w, arena_printf(a, "%srenew", prefix), RENEWAL_KIND_NAMES[r.kind]);
	jw_kv_text(w, arena_printf(a, "%srenew_at", prefix), r.kind == RENEWAL_AT ? word : NULL);
	jw_kv_text(w, arena_printf(a, "%srenew_before", prefix), r.kind == RENEWAL_BEFORE ? word : NULL);
}

void words_subject(struct json_writer *w, const struct credential_spec *spec)
{
	jw_kv_text(w, "organization", spec->organization);
	jw_kv_text(w, "organizational_unit", spec->organizational_unit);
	jw_kv_text(w, "country", spec->place.country);
	jw_kv_text(w, "state", spec->place.state);
	jw_kv_text(w, "locality", spec->place.locality);
}

void words_texts(struct json_writer *w, const char *key, struct json_texts texts)
{
	jw_key(w, key);
	jw_array(w);
	for (size_t i = 0; i < texts.count; i++)
		jw_text(w, texts.items[i]);
	jw_array_end(w);
}

void words_hex(struct json_writer *w, const char *key, struct bytes b)
{
	char text[129];
	jw_kv_text(w, key, b.len && b.len <= 64 ? hex_encode(b.data, b.len, text) : NULL);
}

void words_json(struct json_writer *w, const char *key, const char *json)
{
	jw_key(w, key);
	if (json)
		jw_raw(w, json);
	else
		jw_null(w);
}

void words_cert(struct arena *a, struct json_writer *w, const struct cert_row *cert, bool pem)
{
	jw_kv_text(w, "subject", cert->subject);
	jw_kv_text(w, "serial", cert->serial);
	words_hex(w, "fingerprint", cert->fingerprint);
	jw_kv_time(w, "not_before", cert->not_before);
	jw_kv_time(w, "not_after", cert->not_after);
	if (pem)
		jw_kv_text(w, "certificate", cert_pem(a, cert->der));
}

static void write_version(struct arena *a, struct json_writer *w, const struct version_view *v, bool authority, bool pem)
{
	jw_object(w);
	jw_kv_text(w, "id", v->row.uuid);
	jw_kv_text(w, "source", VERSION_SOURCE_NAMES[v->row.source]);
	jw_kv_bool(w, "wanted", v->row.wanted);
	if (authority) {
		jw_kv_bool(w, "signing", v->row.signing);
		jw_kv_bool(w, "can_sign", v->row.can_sign);
		jw_kv_bool(w, "distrusted", v->row.distrusted);
	}
	jw_kv_time(w, "renew_at", v->row.renew_at);
	jw_kv_text(w, "signed_by", v->signed_by);
	words_cert(a, w, &v->cert, pem);
	jw_kv_time(w, "created", v->row.created);
	jw_kv_time(w, "retired", v->row.retired_at);
	jw_object_end(w);
}

void words_versions(struct arena *a, struct json_writer *w, const struct credential_view *v, bool pem)
{
	jw_array(w);
	for (size_t i = 0; i < v->version_count; i++)
		write_version(a, w, &v->versions[i], v->row.kind == CREDENTIAL_AUTHORITY, pem);
	jw_array_end(w);
}
