/* /v1/deployments and /v1/meets. */
#include "facade/native/nouns.h"
#include "facade/native/words.h"

/* -- templates in ---------------------------------------------------------------------------------- */
struct slot_body { struct slot_template t; const struct json *parameters; };
struct store_body { struct store_template t; const struct json *parameters; };

#define SLOT(name, kind, flags) { #name, kind, offsetof(struct slot_body, t.name), flags, 0, 0 }
static const struct json_field SLOT_FIELDS[] = {
	SLOT(name, JF_TEXT, JF_NEEDED), SLOT(profile, JF_TEXT, JF_NEEDED), SLOT(role, JF_TEXT, 0), SLOT(credential, JF_TEXT, JF_NEEDED),
	SLOT(authority, JF_TEXT, JF_NEEDED), SLOT(common_name, JF_TEXT, 0), SLOT(key_type, JF_TEXT, 0), SLOT(key_source, JF_TEXT, 0),
	SLOT(sans, JF_TEXTS, JF_NEEDED), SLOT(ttl, JF_DURATION, 0),
	{ "parameters", JF_ANY, offsetof(struct slot_body, parameters), 0, 0, 0, "{text}" },
};
static const struct json_field STORE_FIELDS[] = {
	{ "name", JF_TEXT, offsetof(struct store_body, t.name), JF_NEEDED, 0, 0 },
	{ "profile", JF_TEXT, offsetof(struct store_body, t.profile), JF_NEEDED, 0, 0 },
	{ "bundle", JF_TEXT, offsetof(struct store_body, t.bundle), JF_NEEDED, 0, 0 },
	{ "parameters", JF_ANY, offsetof(struct store_body, parameters), 0, 0, 0, "{text}" },
};

/* {"port":"5432"}: values are strings; a number is a finding that says so. */
static void read_parameters(struct arena *a, const struct json *j, struct parameter **ret, size_t *ret_n, struct troth_err *e)
{
	if (!j || j->type == JSON_NULL)
		return;
	if (j->type != JSON_OBJECT) {
		err_finding(a, e, j->path, "type", "must be an object", NULL);
		return;
	}
	*ret = ARENA_ARRAY(a, struct parameter, j->map.count);
	for (size_t i = 0; i < j->map.count; i++) {
		const struct json *v = &j->map.values[i];
		if (v->type != JSON_STRING || memchr(v->str.s, 0, v->str.len))
			err_finding(a, e, v->path, "type", "must be a string", "parameters are strings: \"5432\"");
		else
			(*ret)[(*ret_n)++] = (struct parameter){ j->map.keys[i], v->str.s };
	}
}

struct template_body {
	const char *name;
	const struct json *slots, *stores;
	bool ephemeral, ignore, external;
	msec_t ttl;
	const char *grace;           /* a length, or "none"; absent: the usual one */
};

static void read_slots(struct arena *a, const struct json *j, struct slot_template **ret, size_t *ret_n, struct troth_err *e)
{
	void *items;
	words_objects(a, j, SLOT_FIELDS, ARRAY_LEN(SLOT_FIELDS), sizeof(struct slot_body), LIMIT_TARGETS_PER_INSTANCE, &items, ret_n, e);
	struct slot_body *bodies = items;
	*ret = ARENA_ARRAY(a, struct slot_template, *ret_n);
	for (size_t i = 0; i < *ret_n; i++) {
		(*ret)[i] = bodies[i].t;
		(*ret)[i].path = arena_printf(a, "$.slots[%zu]", i);
		read_parameters(a, bodies[i].parameters, &(*ret)[i].parameters, &(*ret)[i].parameter_count, e);
	}
}

static void read_stores(struct arena *a, const struct json *j, struct store_template **ret, size_t *ret_n, struct troth_err *e)
{
	void *items;
	words_objects(a, j, STORE_FIELDS, ARRAY_LEN(STORE_FIELDS), sizeof(struct store_body), LIMIT_TARGETS_PER_INSTANCE, &items, ret_n, e);
	struct store_body *bodies = items;
	*ret = ARENA_ARRAY(a, struct store_template, *ret_n);
	for (size_t i = 0; i < *ret_n; i++) {
		(*ret)[i] = bodies[i].t;
		(*ret)[i].path = arena_printf(a, "$.stores[%zu]", i);
		read_parameters(a, bodies[i].parameters, &(*ret)[i].parameters, &(*ret)[i].parameter_count, e);
	}
}

#define TEMPLATE_FIELDS                                                                                                         \
	{ "slots", JF_ANY, offsetof(struct template_body, slots), 0, 0, 0, "Template", SLOT_FIELDS, ARRAY_LEN(SLOT_FIELDS) },   \
	{ "stores", JF_ANY, offsetof(struct template_body, stores), 0, 0, 0, "Template", STORE_FIELDS, ARRAY_LEN(STORE_FIELDS) }
static const struct json_field CREATE_FIELDS[] = {
	{ "name", JF_TEXT, offsetof(struct template_body, name), JF_NEEDED, 0, 0 },
	{ "ephemeral", JF_BOOL, offsetof(struct template_body, ephemeral), 0, 0, 0 },
	{ "ttl", JF_DURATION, offsetof(struct template_body, ttl), 0, 0, 0 },
	{ "ignore", JF_BOOL, offsetof(struct template_body, ignore), 0, 0, 0 },
	{ "external", JF_BOOL, offsetof(struct template_body, external), 0, 0, 0 },
	{ "grace", JF_TEXT, offsetof(struct template_body, grace), 0, 0, 0 },
	TEMPLATE_FIELDS,
};
static const struct json_field EXTEND_FIELDS[] = { TEMPLATE_FIELDS };

static troth_rc create_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct deployment_create_cmd *c = cmd;
	struct template_body body = { 0 };
	if (!words_body(a, r, CREATE_FIELDS, ARRAY_LEN(CREATE_FIELDS), &body, e))
		return words_done(e);
	c->name = body.name;
	c->ephemeral = body.ephemeral;
	c->ttl = body.ttl;
	c->ignore = body.ignore;
	c->external = body.external;
	words_grace(a, body.grace, &c->grace, &c->no_grace, e);
	read_slots(a, body.slots, &c->slots, &c->slot_count, e);
	read_stores(a, body.stores, &c->stores, &c->store_count, e);
	deployment_create_check(a, c, e);
	return words_done(e);
}

static troth_rc extend_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct deployment_extend_cmd *c = cmd;
	struct template_body body = { 0 };
	c->id = http_param(r, "id");
	if (!words_body(a, r, EXTEND_FIELDS, ARRAY_LEN(EXTEND_FIELDS), &body, e))
		return words_done(e);
	read_slots(a, body.slots, &c->slots, &c->slot_count, e);
	read_stores(a, body.stores, &c->stores, &c->store_count, e);
	deployment_extend_check(a, c, e);
	return words_done(e);
}

/* What is absent stays as it is. */
struct policy_body { struct deployment_policy_cmd cmd; const struct json *stop, *windows; };

static const struct json_field POLICY_FIELDS[] = {
	{ "max_unavailable", JF_INT, offsetof(struct policy_body, cmd.max_unavailable), 0, 0, INT32_MAX },
	{ "canary", JF_INT, offsetof(struct policy_body, cmd.canary), 0, 0, INT32_MAX },
	{ "pause", JF_DURATION, offsetof(struct policy_body, cmd.pause), 0, 0, 0 },
	{ "stop_on_failure", JF_ANY, offsetof(struct policy_body, stop), 0, 0, 0, "bool" },
	{ "rollout", JF_TEXT, offsetof(struct policy_body, cmd.rollout), 0, 0, 0 },
	{ "windows", JF_ANY, offsetof(struct policy_body, windows), 0, 0, 0, "[text]" },
};

static int read_switch(struct arena *a, const struct json *j, struct troth_err *e)
{
	if (!j || j->type == JSON_NULL)
		return -1;
	if (j->type != JSON_BOOL)
		err_finding(a, e, j->path, "type", "must be true or false", NULL);
	return j->type == JSON_BOOL && j->b;
}

/* A list of texts; an empty one is another thing than none. */
static void read_windows(struct arena *a, const struct json *j, struct deployment_policy_cmd *cmd, struct troth_err *e)
{
	if (!j || j->type == JSON_NULL)
		return;
	if (j->type != JSON_ARRAY || j->list.count > LIMIT_WINDOWS) {
		err_finding(a, e, j->path, "type", "must be a list of at most 16 texts", NULL);
		return;
	}
	cmd->set_windows = true;
	cmd->windows.items = ARENA_ARRAY(a, const char *, j->list.count + 1);
	for (size_t i = 0; i < j->list.count; i++) {
		if (j->list.items[i].type == JSON_STRING)
			cmd->windows.items[cmd->windows.count++] = j->list.items[i].str.s;
		else
			err_finding(a, e, j->list.items[i].path, "type", "must be a text", NULL);
	}
}

static troth_rc policy_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct policy_body body = { .cmd = { http_param(r, "id"), -1, -1, -1, -1, NULL, false, { 0 } } };
	if (!words_body(a, r, POLICY_FIELDS, ARRAY_LEN(POLICY_FIELDS), &body, e))
		return words_done(e);
	body.cmd.stop_on_failure = read_switch(a, body.stop, e);
	read_windows(a, body.windows, &body.cmd, e);
	deployment_policy_check(a, &body.cmd, e);
	*(struct deployment_policy_cmd *)cmd = body.cmd;
	return words_done(e);
}

/* -- deployments out -------------------------------------------------------------------------------- */
static void write_template(struct json_writer *w, const struct template_view *t)
{
	jw_object(w);
	jw_kv_text(w, "id", t->row.uuid);
	jw_kv_text(w, "kind", TARGET_KIND_NAMES[t->row.kind]);
	jw_kv_text(w, "name", t->row.name);
	jw_kv_text(w, "profile", t->row.profile);
	if (t->row.kind == TARGET_SLOT) {
		jw_kv_text(w, "role", TARGET_ROLE_NAMES[t->row.role]);
		jw_kv_text(w, "credential", t->row.credential_pattern);
		jw_kv_text(w, "authority", t->authority);
		jw_kv_text(w, "common_name", t->row.common_name);
		words_texts(w, "sans", t->sans);
		jw_kv_text(w, "key_type", t->row.key_type);
		jw_kv_text(w, "key_source", KEY_SOURCE_NAMES[t->row.key_source]);
		words_duration(w, "ttl", t->row.leaf_ttl);
	} else {
		jw_kv_text(w, "bundle", t->bundle);
	}
	words_json(w, "parameters", t->row.parameters);
	jw_object_end(w);
}

static void write_policy(struct json_writer *w, const struct deployment_view *v)
{
	const struct rolling_row *p = &v->rolling;
	jw_kv_int(w, "max_unavailable", p->max_unavailable);
	jw_kv_int(w, "canary", p->canary);
	words_duration(w, "pause", p->pause);
	jw_kv_bool(w, "stop_on_failure", p->stop_on_failure);
	jw_kv_text(w, "rollout", p->manual ? "manual" : "automatic");
	words_texts(w, "windows", v->windows);
	jw_key(w, "window_open");
	if (p->windows)
		jw_bool(w, p->window_open);
	else
		jw_null(w);
	jw_kv_time(w, "window_until", p->windows ? p->window_until : 0);
	jw_kv_time(w, "stopped_at", p->stopped_at);
	jw_kv_text(w, "stopped_by", p->stopped_by);
}

static void write_deployment(struct json_writer *w, const struct deployment_view *v)
{
	jw_object(w);
	jw_kv_text(w, "id", v->row.uuid);
	jw_kv_text(w, "name", v->row.name);
	jw_kv_int(w, "rev", v->row.rev);
	jw_kv_time(w, "created", v->row.created);
	jw_kv_int(w, "instances", (int64_t)v->instance_count);
	jw_kv_text(w, "party", PARTY_NAMES[v->row.party]);
	if (v->row.party == PARTY_EXTERNAL)
		words_duration(w, "grace", v->row.grace);
	jw_kv_bool(w, "ephemeral", v->row.ephemeral);
	if (v->row.ephemeral) {
		words_duration(w, "ttl", v->row.lease);
		jw_kv_bool(w, "ignore", v->row.ignored);
	}
	write_policy(w, v);
	jw_key(w, "templates");
	jw_array(w);
	for (size_t i = 0; i < v->template_count; i++)
		write_template(w, &v->templates[i]);
	jw_array_end(w);
	jw_object_end(w);
}

static void reply_one(struct arena *a, int status, const struct deployment_ret *x, struct http_reply *reply)
{
	struct json_writer w = http_reply_json(reply, status);
	write_deployment(&w, &x->deployment);
	http_reply_etag(reply, a, x->deployment.row.rev);
}

static void create_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct deployment_ret *x = ret;
	reply_one(a, words_created(r), x, reply);
	if (!r->dry_run)
		http_reply_header(reply, a, "Location", "/v1/deployments/%s", x->deployment.row.uuid);
}

static void show_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	reply_one(a, 200, ret, reply);
}

static void list_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct deployment_list_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	words_list_begin(&w);
	for (size_t i = 0; i < x->count; i++)
		write_deployment(&w, &x->items[i]);
	words_list_end(&w, x->next);
}

/* -- meets --------------------------------------------------------------------------------------------- */
static const struct json_field MEET_FIELDS[] = {
	{ "slot", JF_TEXT, offsetof(struct meet_cmd, slot), JF_REQUIRED, 0, 0 },
	{ "store", JF_TEXT, offsetof(struct meet_cmd, store), JF_REQUIRED, 0, 0 },
};

static troth_rc meet_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	return http_body_read(a, r, MEET_FIELDS, ARRAY_LEN(MEET_FIELDS), cmd, e);
}

static troth_rc meet_path_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	*(struct meet_cmd *)cmd = (struct meet_cmd){ http_param(r, "slot"), http_param(r, "store") };
	return RC_OK;
}

static void write_side(struct json_writer *w, const char *key, const struct meet_side *s)
{
	jw_key(w, key);
	jw_object(w);
	jw_kv_text(w, "deployment", s->deployment);
	jw_kv_text(w, "template", s->template);
	jw_kv_text(w, "id", s->id);
	jw_object_end(w);
}

static void write_meet(struct json_writer *w, const struct meet_view *v)
{
	jw_object(w);
	write_side(w, "slot", &v->slot);
	write_side(w, "store", &v->store);
	jw_kv_time(w, "since", v->row.since);
	jw_kv_text(w, "source", v->row.source);
	jw_object_end(w);
}

static void meet_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct meet_ret *x = ret;
	struct json_writer w = http_reply_json(reply, words_created(r));
	write_meet(&w, &x->meet);
}

static void meets_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct meet_list_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	words_list_begin(&w);
	for (size_t i = 0; i < x->count; i++)
		write_meet(&w, &x->items[i]);
	words_list_end(&w, x->next);
}

static void removed_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct meet_removed_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_bool(&w, "dry_run", r->dry_run);
	write_side(&w, "slot", &x->meet.slot);
	write_side(&w, "store", &x->meet.store);
	jw_kv_int(&w, "slots", x->slots);
	jw_kv_int(&w, "stores", x->stores);
	jw_kv_int(&w, "pairs", x->slots * x->stores);
	words_texts(&w, "frees", x->frees);
	jw_object_end(&w);
}

static const struct route ROWS[] = {
	{ HTTP_POST, "/v1/deployments", &VERB_DEPLOYMENT_CREATE, create_parse, create_render,
	  .summary = "Create a deployment: a kind of node and its targets", .body = ROUTE_FIELDS(CREATE_FIELDS),
	  .gives = "201 Deployment", .fails = "404" },
	{ HTTP_GET, "/v1/deployments", &VERB_DEPLOYMENT_LIST, words_list, list_render,
	  .summary = "List deployments", .query = "name after limit", .gives = "200 [Deployment]" },
	{ HTTP_GET, "/v1/deployments/{id}", &VERB_DEPLOYMENT_SHOW, words_id, show_render,
	  .summary = "Show a deployment", .gives = "200 Deployment" },
	{ HTTP_POST, "/v1/deployments/{id}/templates", &VERB_DEPLOYMENT_EXTEND, extend_parse, create_render, ROUTE_IF_MATCH,
	  .summary = "Add slots and stores to a deployment", .body = ROUTE_FIELDS(EXTEND_FIELDS), .gives = "201 Deployment" },
	{ HTTP_PATCH, "/v1/deployments/{id}", &VERB_DEPLOYMENT_POLICY, policy_parse, show_render, ROUTE_IF_MATCH,
	  .summary = "Say how its instances may change", .body = ROUTE_FIELDS(POLICY_FIELDS), .gives = "200 Deployment" },
	{ HTTP_DELETE, "/v1/deployments/{id}", &VERB_DEPLOYMENT_DELETE, words_id, NULL, ROUTE_IF_MATCH,
	  .summary = "Delete a deployment that has no instances", .gives = "204" },
	{ HTTP_GET, "/v1/meets", &VERB_MEET_LIST, words_list, meets_render,
	  .summary = "List which stores verify which slots", .query = "after limit", .gives = "200 [Meet]" },
	{ HTTP_POST, "/v1/meets", &VERB_MEET_ADD, meet_parse, meet_render,
	  .summary = "Add a pair by hand", .body = ROUTE_FIELDS(MEET_FIELDS), .gives = "201 Meet", .fails = "404" },
	{ HTTP_DELETE, "/v1/meets/{slot}/{store}", &VERB_MEET_REMOVE, meet_path_parse, removed_render,
	  .summary = "Take a pair away", .gives = "200 MeetRemoved" },
};
const struct route_table NATIVE_DEPLOYMENT_ROUTES = { ROWS, ARRAY_LEN(ROWS) };
