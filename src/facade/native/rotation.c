/* /v1/rotations: start, list, show, pause, resume, abort. */
#include "service/policy/policy.h"
#include "service/rotation/rotation.h"

#include "facade/native/rotation.h"

/* -- start --------------------------------------------------------------------------------------- */
static const struct json_field ROTATE_FIELDS[] = {
	{ "name", JF_TEXT, offsetof(struct rotate_cmd, name), JF_REQUIRED, 0, LIMIT_NAME_BYTES },
	{ "reason", JF_TEXT, offsetof(struct rotate_cmd, reason), 0, 0, 0 },
	{ "again", JF_BOOL, offsetof(struct rotate_cmd, again), 0, 0, 0 },
	{ "by_steps", JF_BOOL, offsetof(struct rotate_cmd, by_steps), 0, 0, 0 },
	{ "cross_sign", JF_BOOL, offsetof(struct rotate_cmd, cross_sign), 0, 0, 0 },
	{ "compromised", JF_BOOL, offsetof(struct rotate_cmd, compromised), 0, 0, 0 },
	{ "version", JF_TEXT, offsetof(struct rotate_cmd, version), 0, 0, UUID_LEN },
	{ "yes_break", JF_INT, offsetof(struct rotate_cmd, yes_break), 0, 0, INT64_MAX },
	{ "ignore_outside", JF_BOOL, offsetof(struct rotate_cmd, ignore_outside), 0, 0, 0 },
};

static troth_rc rotate_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	return http_body_read(a, r, ROTATE_FIELDS, ARRAY_LEN(ROTATE_FIELDS), cmd, e);
}

static void write_pairs(struct json_writer *w, const char *member, const struct rotation_pair *pairs, size_t n)
{
	jw_key(w, member);
	jw_array(w);
	for (size_t i = 0; i < n; i++) {
		jw_object(w);
		jw_kv_text(w, "slot", pairs[i].slot);
		jw_kv_text(w, "store", pairs[i].store);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void write_emergency(struct json_writer *w, const struct rotate_ret *x)
{
	jw_key(w, "emergency");
	if (!x->compromised) {
		jw_null(w);
		return;
	}
	jw_object(w);
	jw_kv_int(w, "breaks", x->breaks);
	write_pairs(w, "pairs", x->pairs, x->pair_count);
	jw_kv_int(w, "in_doubt", x->doubts);
	write_pairs(w, "doubtful", x->doubtful, x->doubtful_count);
	jw_key(w, "notes");
	jw_array(w);
	for (size_t i = 0; i < x->note_count; i++)
		jw_text(w, x->notes[i]);
	jw_array_end(w);
	jw_object_end(w);
}

static void write_waiting(struct json_writer *w, const struct rotation_waiting *waiting, size_t n)
{
	jw_key(w, "would_wait_for");
	jw_array(w);
	for (size_t i = 0; i < n; i++) {
		jw_object(w);
		jw_kv_text(w, "instance", waiting[i].name);
		jw_kv_text(w, "why", waiting[i].why);
		jw_object_end(w);
	}
	jw_array_end(w);
}

static void rotate_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret,
			  struct http_reply *reply)
{
	const struct rotate_ret *x = ret;
	struct json_writer w = http_reply_json(reply, x->dry_run ? 200 : 202);
	jw_object(&w);
	jw_kv_text(&w, "name", x->name);
	jw_kv_text(&w, "kind", x->kind);
	jw_kv_bool(&w, "dry_run", x->dry_run);
	jw_kv_text(&w, "rotation", x->rotation);
	jw_kv_text(&w, "operation", x->operation);
	jw_kv_text(&w, "new_version", x->new_version);
	jw_kv_int(&w, "stores", x->stores);
	jw_kv_int(&w, "slots", x->slots);
	jw_kv_int(&w, "instances", x->instances);
	write_emergency(&w, x);
	jw_key(&w, "steps");
	jw_array(&w);
	for (size_t i = 0; i < x->step_count; i++)
		jw_text(&w, x->steps[i]);
	jw_array_end(&w);
	jw_key(&w, "outside");
	jw_array(&w);
	for (size_t i = 0; i < x->outside_count; i++)
		jw_text(&w, x->outside[i]);
	jw_array_end(&w);
	write_waiting(&w, x->waiting, x->waiting_count);
	jw_object_end(&w);
	if (x->rotation)
		http_reply_header(reply, a, "Location", "/v1/operations/%s", x->operation);
}

/* -- look ------------------------------------------------------------------------------------------ */
/* Of a compromised one: who was last known to hold what is distrusted. */
static void write_trusting(struct json_writer *w, const struct rotation_trusting *t)
{
	jw_key(w, "still_trusting");
	jw_object(w);
	jw_kv_int(w, "count", (int64_t)t->count);
	jw_key(w, "stores");
	jw_array(w);
	for (size_t i = 0; i < t->named; i++) {
		jw_object(w);
		jw_kv_text(w, "store", t->stores[i].name);
		jw_kv_text(w, "state", t->stores[i].why);
		jw_object_end(w);
	}
	jw_array_end(w);
	jw_object_end(w);
}

static void write_rotation(struct json_writer *w, const struct rotation_view *v, bool alone)
{
	jw_object(w);
	jw_kv_text(w, "id", v->id);
	jw_kv_text(w, "name", v->name);
	jw_kv_text(w, "kind", v->kind);
	jw_kv_text(w, "state", v->state);
	jw_kv_bool(w, "going_back", v->going_back);
	jw_kv_bool(w, "compromised", v->compromised);
	jw_kv_text(w, "new_version", v->new_version);
	jw_key(w, "old_versions");
	jw_array(w);
	for (size_t i = 0; i < v->old_count; i++)
		jw_text(w, v->old_versions[i]);
	jw_array_end(w);
	jw_kv_bool(w, "cross_sign", v->cross_sign);
	jw_kv_bool(w, "by_steps", v->by_steps);
	jw_key(w, "below");
	jw_array(w);
	for (size_t i = 0; i < v->below_count; i++) {
		jw_object(w);
		jw_kv_text(w, "name", v->below[i].name);
		jw_kv_text(w, "new_version", v->below[i].version);
		jw_object_end(w);
	}
	jw_array_end(w);
	jw_kv_text(w, "operation", v->operation);
	jw_kv_text(w, "operation_state", v->operation_state);
	jw_key(w, "progress");
	jw_raw(w, v->progress ? v->progress : "null");
	jw_kv_text(w, "waits_for", v->waits_for);
	jw_kv_text(w, "reason", v->reason);
	jw_kv_text(w, "started_by", v->started_by);
	jw_kv_time(w, "started", v->started);
	jw_kv_time(w, "finished", v->finished);
	if (alone && v->compromised)
		write_trusting(w, &v->trusting);
	jw_object_end(w);
}

static troth_rc list_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct rotation_list_cmd *c = cmd;
	struct http_page page;
	TRY(http_query_page(r, &page, e));
	*c = (struct rotation_list_cmd){ page.after, page.limit, http_query(r, "name") };
	return RC_OK;
}

static void list_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret,
			struct http_reply *reply)
{
	const struct rotation_list_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_key(&w, "items");
	jw_array(&w);
	for (size_t i = 0; i < x->count; i++)
		write_rotation(&w, &x->items[i], false);
	jw_array_end(&w);
	jw_kv_text(&w, "next", x->next ? arena_printf(a, "%lld", (long long)x->next) : NULL);
	jw_object_end(&w);
}

static troth_rc id_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct rotation_cmd *c = cmd;
	c->id = http_param(r, "id");
	return RC_OK;
}

static void rotation_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret,
			    struct http_reply *reply)
{
	const struct rotation_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	write_rotation(&w, &x->rotation, true);
}

/* A dry run says what would be done first. */
static void abort_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct rotation_ret *x = ret;
	if (!r->dry_run) {
		rotation_render(a, r, cmd, ret, reply);
		return;
	}
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_bool(&w, "dry_run", true);
	jw_kv_text(&w, "id", x->rotation.id);
	jw_kv_text(&w, "name", x->rotation.name);
	jw_kv_text(&w, "state", x->rotation.state);
	jw_key(&w, "next");
	jw_array(&w);
	for (size_t i = 0; i < x->next.count; i++)
		jw_text(&w, x->next.items[i]);
	jw_array_end(&w);
	write_waiting(&w, x->waiting, x->waiting_count);
	jw_object_end(&w);
}

/* -- a node was repaired ---------------------------------------------------------------------------- */
static troth_rc retry_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct retry_cmd *c = cmd;
	c->id = http_param(r, "id");
	return RC_OK;
}

static void retry_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret,
			 struct http_reply *reply)
{
	const struct retry_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_text(&w, "target", x->target);
	jw_kv_int(&w, "failures_forgotten", x->failures);
	jw_object_end(&w);
}

/* -- approve ------------------------------------------------------------------------------------------ */
static const struct json_field APPROVE_FIELDS[] = {
	{ "step", JF_TEXT, offsetof(struct approve_cmd, step), 0, 0, 0 },
};

static troth_rc approve_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	((struct approve_cmd *)cmd)->id = http_param(r, "id");
	return http_body_read(a, r, APPROVE_FIELDS, ARRAY_LEN(APPROVE_FIELDS), cmd, e);
}

static void approve_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct approve_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_text(&w, "rotation", x->rotation);
	jw_kv_text(&w, "name", x->name);
	jw_kv_text(&w, "step", x->step);
	jw_kv_bool(&w, "dry_run", x->dry_run);
	jw_key(&w, "waiting");
	jw_array(&w);
	for (size_t i = 0; i < x->what_count; i++)
		jw_text(&w, x->what[i]);
	jw_array_end(&w);
	jw_object_end(&w);
}

static const struct route ROWS[] = {
	{ HTTP_POST, "/v1/rotations/{id}/approve", &VERB_ROTATION_APPROVE, approve_parse, approve_render,
	  .summary = "Approve a step that waits", .body = ROUTE_FIELDS(APPROVE_FIELDS), .gives = "200 Approved" },
	{ HTTP_POST, "/v1/rotations", &VERB_ROTATE, rotate_parse, rotate_render,
	  .summary = "Start a rotation", .body = ROUTE_FIELDS(ROTATE_FIELDS), .gives = "202 RotationStarted", .fails = "404" },
	{ HTTP_GET, "/v1/rotations", &VERB_ROTATION_LIST, list_parse, list_render,
	  .summary = "List rotations", .query = "name after limit", .gives = "200 [Rotation]", .fails = "404" },
	{ HTTP_GET, "/v1/rotations/{id}", &VERB_ROTATION_SHOW, id_parse, rotation_render, ROUTE_HOLD,
	  .summary = "Show a rotation, or wait until it moves", .gives = "200 Rotation" },
	{ HTTP_POST, "/v1/rotations/{id}/pause", &VERB_ROTATION_PAUSE, id_parse, rotation_render,
	  .summary = "Let a rotation hold still", .gives = "200 Rotation" },
	{ HTTP_POST, "/v1/rotations/{id}/resume", &VERB_ROTATION_RESUME, id_parse, rotation_render,
	  .summary = "Let a rotation go on", .gives = "200 Rotation" },
	{ HTTP_POST, "/v1/rotations/{id}/abort", &VERB_ROTATION_ABORT, id_parse, abort_render,
	  .summary = "Go back to what was wanted before", .gives = "200 Rotation|RotationPreview" },
	{ HTTP_POST, "/v1/targets/{id}/retry", &VERB_TARGET_RETRY, retry_parse, retry_render,
	  .summary = "Try a target again that failed", .gives = "200 Retried" },
};
const struct route_table NATIVE_ROTATION_ROUTES = { ROWS, ARRAY_LEN(ROWS) };
