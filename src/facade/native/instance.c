/* /v1/instances and /v1/targets. */
#include "facade/native/nouns.h"
#include "facade/native/words.h"

/* -- targets ----------------------------------------------------------------------------------------- */
static void write_document(struct json_writer *w, const struct generation_view *g)
{
	jw_object(w);
	jw_kv_int(w, "generation", g->row.generation);
	words_texts(w, "fingerprints", g->fingerprints);
	jw_kv_time(w, "sent", g->row.created);
	jw_kv_time(w, "handed", g->row.handed_at);
	jw_object_end(w);
}

static void write_generations(struct json_writer *w, const struct target_view *t)
{
	jw_key(w, "wanted");
	jw_object(w);
	jw_kv_int(w, "generation", t->wanted.row.generation);
	words_texts(w, "fingerprints", t->wanted.fingerprints);
	jw_object_end(w);
	jw_key(w, "documents");
	jw_array(w);
	for (size_t i = 0; i < t->document_count; i++)
		write_document(w, &t->documents[i]);
	jw_array_end(w);
	jw_key(w, "loaded");
	jw_object(w);
	jw_kv_int(w, "generation", t->loaded.row.generation);
	jw_kv_bool(w, "known", t->row.base_known);
	words_texts(w, "fingerprints", t->loaded.fingerprints);
	jw_object_end(w);
	jw_kv_int(w, "high_water", t->row.high_water);
}

static void write_target(struct json_writer *w, const struct target_view *t)
{
	jw_object(w);
	jw_kv_text(w, "id", t->row.uuid);
	jw_key(w, "instance");
	jw_object(w);
	jw_kv_text(w, "id", t->instance_id);
	jw_kv_text(w, "name", t->instance);
	jw_object_end(w);
	jw_kv_text(w, "deployment", t->deployment);
	jw_kv_text(w, "name", t->template.name);
	jw_kv_text(w, "kind", TARGET_KIND_NAMES[t->template.kind]);
	jw_kv_text(w, "profile", t->template.profile);
	jw_kv_text(w, "credential", t->credential);
	jw_kv_text(w, "state", TARGET_STATE_NAMES[t->row.state]);
	jw_kv_text(w, "level", TARGET_LEVEL_NAMES[t->row.level]);
	jw_kv_int(w, "level_generation", t->row.level_generation);
	jw_kv_time(w, "seen_at", t->row.seen_at);
	write_generations(w, t);
	jw_kv_bool(w, "key_asked", t->row.csr_request != NULL);
	jw_kv_int(w, "failures", t->row.failures);
	jw_kv_text(w, "last_error", t->row.last_error);
	words_json(w, "found", t->row.found);
	words_json(w, "drift", t->row.drift);
	jw_object_end(w);
}

static troth_rc targets_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct target_list_cmd *c = cmd;
	TRY(words_page(r, &c->page, e));
	c->instance = http_query(r, "instance");
	c->deployment = http_query(r, "deployment");
	c->state = http_query(r, "state");
	target_list_check(a, c, e);
	return words_done(e);
}

static void targets_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct target_list_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	words_list_begin(&w);
	for (size_t i = 0; i < x->count; i++)
		write_target(&w, &x->items[i]);
	words_list_end(&w, x->next);
}

static void target_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct target_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	write_target(&w, &x->target);
}

/* -- instances ----------------------------------------------------------------------------------------- */
static void write_instance(struct json_writer *w, const struct instance_view *v)
{
	jw_object(w);
	jw_kv_text(w, "id", v->row.uuid);
	jw_kv_text(w, "name", v->row.name);
	jw_kv_text(w, "deployment", v->deployment);
	jw_kv_text(w, "party", PARTY_NAMES[v->party]);
	jw_kv_text(w, "state", INSTANCE_STATE_NAMES[v->row.state]);
	jw_kv_text(w, "agent_version", v->row.agent_version);
	jw_kv_int(w, "session", v->row.session);
	jw_kv_time(w, "session_opened", v->row.session_opened);
	jw_kv_time(w, "last_seen", v->row.last_seen);
	jw_kv_time(w, "lease_until", v->row.lease_until);
	words_hex(w, "identity_fingerprint", v->row.identity_fingerprint);
	jw_kv_time(w, "identity_not_after", v->row.identity_not_after);
	jw_kv_text(w, "alarm", v->row.alarm);
	jw_kv_time(w, "created", v->row.created);
	jw_kv_time(w, "left", v->row.left_at);
	if (v->targets) {
		jw_key(w, "targets");
		jw_array(w);
		for (size_t i = 0; i < v->target_count; i++)
			write_target(w, &v->targets[i]);
		jw_array_end(w);
	}
	jw_object_end(w);
}

static troth_rc list_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct instance_list_cmd *c = cmd;
	c->name = http_query(r, "name");
	c->deployment = http_query(r, "deployment");
	return words_page(r, &c->page, e);
}

static void list_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct instance_list_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	words_list_begin(&w);
	for (size_t i = 0; i < x->count; i++)
		write_instance(&w, &x->items[i]);
	words_list_end(&w, x->next);
}

void instance_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct instance_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	write_instance(&w, &x->instance);
}

/* -- leaving, waiving ------------------------------------------------------------------------------------- */
static troth_rc delete_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct instance_delete_cmd *c = cmd;
	const char *now = http_query(r, "now");
	*c = (struct instance_delete_cmd){ .id = http_param(r, "id"), .now = text_equal(now, "true") };
	ENSURE(!now || c->now || text_equal(now, "false"), e, TROTH_INVALID, "?now must be true or false");
	return RC_OK;
}

static const struct json_field WAIVE_FIELDS[] = {
	{ "reason", JF_TEXT, offsetof(struct waive_cmd, reason), JF_REQUIRED, 1, LIMIT_TEXT_BYTES },
};

static troth_rc waive_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct waive_cmd *c = cmd;
	c->id = http_param(r, "id");
	return http_body_read(a, r, WAIVE_FIELDS, ARRAY_LEN(WAIVE_FIELDS), cmd, e);
}

static void waive_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct waive_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_bool(&w, "dry_run", r->dry_run);
	jw_kv_text(&w, "id", x->instance.row.uuid);
	jw_kv_text(&w, "instance", x->instance.row.name);
	jw_kv_text(&w, "deployment", x->instance.deployment);
	jw_kv_text(&w, "party", PARTY_NAMES[x->instance.party]);
	jw_key(&w, "pairs");
	jw_array(&w);
	for (size_t i = 0; i < x->pair_count; i++) {
		const struct waived_pair *p = &x->pairs[i];
		jw_object(&w);
		jw_kv_text(&w, "target", p->target);
		jw_kv_text(&w, "deployment", p->deployment);
		jw_kv_text(&w, "template", p->template);
		jw_kv_int(&w, "members", p->members);
		jw_object_end(&w);
	}
	jw_array_end(&w);
	words_texts(&w, "frees", x->frees);
	jw_object_end(&w);
}

static const struct route ROWS[] = {
	{ HTTP_GET, "/v1/instances", &VERB_INSTANCE_LIST, list_parse, list_render,
	  .summary = "List instances", .query = "name deployment after limit", .gives = "200 [Instance]", .fails = "404" },
	{ HTTP_GET, "/v1/instances/{id}", &VERB_INSTANCE_SHOW, words_id, instance_render,
	  .summary = "Show an instance with its targets", .gives = "200 Instance" },
	{ HTTP_DELETE, "/v1/instances/{id}", &VERB_INSTANCE_DELETE, delete_parse, NULL,
	  .summary = "Let an instance leave", .query = "now", .gives = "204" },
	{ HTTP_POST, "/v1/instances/{id}/waive", &VERB_WAIVE, waive_parse, waive_render,
	  .summary = "Wait for an instance no longer", .body = ROUTE_FIELDS(WAIVE_FIELDS), .gives = "200 Waived" },
	{ HTTP_GET, "/v1/targets", &VERB_TARGET_LIST, targets_parse, targets_render,
	  .summary = "List targets", .query = "instance deployment state after limit", .gives = "200 [Target]", .fails = "404" },
	{ HTTP_GET, "/v1/targets/{id}", &VERB_TARGET_SHOW, words_id, target_render,
	  .summary = "Show a target", .gives = "200 Target" },
};
const struct route_table NATIVE_INSTANCE_ROUTES = { ROWS, ARRAY_LEN(ROWS) };
