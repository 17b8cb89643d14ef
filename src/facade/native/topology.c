/* GET /v1/topology?name=&all=: authorities, what they signed, who trusts and who serves it. */
#include "service/fleet/topology.h"

#include "facade/native/nouns.h"
#include "facade/native/words.h"

static troth_rc topology_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct topology_cmd *c = cmd;
	const char *name = http_query(r, "name"), *all = http_query(r, "all");
	c->name = name && name[0] ? name : NULL;
	c->all = text_equal(all, "true");
	ENSURE(!all || c->all || text_equal(all, "false"), e, TROTH_INVALID, "?all must be true or false");
	return words_page(r, &c->page, e);
}

static void write_use(struct json_writer *w, const struct topology_use *u)
{
	jw_object(w);
	jw_kv_text(w, "kind", u->party == PARTY_AGENT ? TARGET_KIND_NAMES[u->kind] : PARTY_NAMES[u->party]);
	jw_kv_text(w, "deployment", u->deployment);
	jw_kv_text(w, "instance", u->instance);
	jw_kv_text(w, "target", u->target);
	jw_kv_int(w, "members", u->members);
	jw_kv_int(w, "of", u->of);
	jw_object_end(w);
}

static void write_version(struct arena *a, struct json_writer *w, const struct topology_version *v)
{
	jw_object(w);
	jw_kv_text(w, "id", v->view.row.uuid);
	jw_kv_text(w, "source", VERSION_SOURCE_NAMES[v->view.row.source]);
	jw_kv_bool(w, "wanted", v->view.row.wanted && !v->view.row.retired_at);
	jw_kv_bool(w, "signing", v->view.row.signing);
	jw_kv_bool(w, "distrusted", v->view.row.distrusted);
	jw_kv_text(w, "signed_by", v->view.signed_by);
	words_cert(a, w, &v->view.cert, false);
	jw_kv_time(w, "chain_not_after", v->chain_not_after);
	jw_kv_text(w, "chain_ends", v->chain_ends);
	jw_key(w, "used_by");
	jw_array(w);
	for (size_t i = 0; i < v->use_count; i++)
		write_use(w, &v->uses[i]);
	jw_array_end(w);
	jw_object_end(w);
}

static void write_item(struct arena *a, struct json_writer *w, const struct topology_item *x)
{
	const struct credential_row *row = &x->credential.row;
	jw_object(w);
	jw_kv_text(w, "id", row->uuid);
	jw_kv_text(w, "name", row->name);
	jw_kv_text(w, "kind", CREDENTIAL_KIND_NAMES[row->kind]);
	jw_kv_text(w, "authority", x->credential.issuer);
	jw_kv_text(w, "key_type", row->key_type);
	words_texts(w, "sans", x->credential.spec.sans);
	jw_kv_bool(w, "rotating", x->rotating);
	words_texts(w, "approved", x->approved);
	jw_key(w, "versions");
	jw_array(w);
	for (size_t i = 0; i < x->version_count; i++)
		write_version(a, w, &x->versions[i]);
	jw_array_end(w);
	jw_object_end(w);
}

static void topology_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct topology_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	words_list_begin(&w);
	for (size_t i = 0; i < x->count; i++)
		write_item(a, &w, &x->items[i]);
	words_list_end(&w, x->next);
}

static const struct route ROWS[] = {
	{ HTTP_GET, "/v1/topology", &VERB_TOPOLOGY, topology_parse, topology_render,
	  .summary = "Show authorities, what they signed, who trusts it and who serves it", .query = "name all after limit",
	  .gives = "200 [TopologyItem]", .fails = "404" },
};
const struct route_table NATIVE_TOPOLOGY_ROUTES = { ROWS, ARRAY_LEN(ROWS) };
