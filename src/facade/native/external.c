/* /v1/instances of external deployments: add, wanted, report, csr.  Showing, leaving and waiving are those of every instance. */
#include "service/outside/external.h"

#include "facade/native/nouns.h"
#include "facade/native/words.h"

/* -- add ------------------------------------------------------------------------------------------------ */
#define ADD(name, kind, flags, max) { #name, kind, offsetof(struct instance_add_cmd, name), flags, 0, max }
static const struct json_field ADD_FIELDS[] = {
	ADD(deployment, JF_TEXT, JF_NEEDED, 0), ADD(name, JF_TEXT, JF_NEEDED, 0), ADD(targets, JF_TEXTS, 0, LIMIT_TARGETS_PER_INSTANCE),
};

static troth_rc add_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	if (words_body(a, r, ADD_FIELDS, ARRAY_LEN(ADD_FIELDS), cmd, e))
		instance_add_check(a, cmd, e);
	return words_done(e);
}

static void add_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct instance_ret *x = ret;
	instance_render(a, r, cmd, ret, reply);
	reply->status = words_created(r);
	if (!r->dry_run)
		http_reply_header(reply, a, "Location", "/v1/instances/%s", x->instance.row.uuid);
}

/* -- report ----------------------------------------------------------------------------------------------- */
struct target_body { const char *target; int64_t generation; const struct json *fingerprints, *versions; };
static const struct json_field TARGET_FIELDS[] = {
	{ "target", JF_TEXT, offsetof(struct target_body, target), 0, 0, 0 },
	{ "generation", JF_INT, offsetof(struct target_body, generation), 0, 0, INT64_MAX },
	{ "fingerprints", JF_ANY, offsetof(struct target_body, fingerprints), 0, 0, 0, "[text]" },
	{ "versions", JF_ANY, offsetof(struct target_body, versions), 0, 0, 0, "[text]" },
};

struct report_body { int64_t seq; const struct json *targets; };
static const struct json_field REPORT_FIELDS[] = {
	{ "seq", JF_INT, offsetof(struct report_body, seq), 0, 1, INT64_MAX },
	{ "targets", JF_ANY, offsetof(struct report_body, targets), 0, 0, 0, "Target", TARGET_FIELDS, ARRAY_LEN(TARGET_FIELDS) },
};

/* A list of texts; an empty one is another thing than none. */
static struct json_texts read_names(struct arena *a, const struct json *j, bool *ret_there, struct troth_err *e)
{
	struct json_texts out = { 0 };
	*ret_there = j && j->type != JSON_NULL;
	if (!*ret_there)
		return out;
	if (j->type != JSON_ARRAY || j->list.count > LIMIT_REPORT_FINGERPRINTS) {
		err_finding(a, e, j->path, "type", "must be a list of at most 1000 texts", NULL);
		return out;
	}
	out.items = ARENA_ARRAY(a, const char *, j->list.count + 1);
	for (size_t i = 0; i < j->list.count; i++) {
		const struct json *v = &j->list.items[i];
		if (v->type != JSON_STRING || memchr(v->str.s, 0, v->str.len))
			err_finding(a, e, v->path, "type", "must be a text", NULL);
		else
			out.items[out.count++] = v->str.s;
	}
	return out;
}

static void read_targets(struct arena *a, const struct json *j, struct instance_report_cmd *cmd, struct troth_err *e)
{
	void *items;
	words_objects(a, j, TARGET_FIELDS, ARRAY_LEN(TARGET_FIELDS), sizeof(struct target_body), LIMIT_TARGETS_PER_INSTANCE, &items,
		      &cmd->target_count, e);
	const struct target_body *bodies = items;
	cmd->targets = ARENA_ARRAY(a, struct target_report, cmd->target_count + 1);
	for (size_t i = 0; i < cmd->target_count; i++) {
		struct target_report *t = &cmd->targets[i];
		*t = (struct target_report){ .path = arena_printf(a, "$.targets[%zu]", i), .target = bodies[i].target,
					     .generation = bodies[i].generation };
		t->fingerprints = read_names(a, bodies[i].fingerprints, &t->has_fingerprints, e);
		t->versions = read_names(a, bodies[i].versions, &t->has_versions, e);
	}
}

static troth_rc report_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct instance_report_cmd *c = cmd;
	struct report_body body = { 0 };
	c->id = http_param(r, "id");
	if (!words_body(a, r, REPORT_FIELDS, ARRAY_LEN(REPORT_FIELDS), &body, e))
		return words_done(e);
	c->seq = body.seq;
	read_targets(a, body.targets, c, e);
	instance_report_check(a, c, r->now, e);
	return words_done(e);
}

static void write_instance(struct json_writer *w, const struct instance_row *row, int64_t seq)
{
	jw_kv_text(w, "id", row->uuid);
	jw_kv_text(w, "instance", row->name);
	jw_kv_text(w, "state", INSTANCE_STATE_NAMES[row->state]);
	jw_kv_int(w, "seq", seq);
	jw_kv_time(w, "lease_until", row->lease_until);
	jw_kv_text(w, "alarm", row->alarm);
}

static void report_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct instance_report_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	write_instance(&w, &x->instance, x->seq);
	jw_key(&w, "targets");
	jw_array(&w);
	for (size_t i = 0; i < x->result_count; i++) {
		const struct report_result *t = &x->results[i];
		jw_object(&w);
		jw_kv_text(&w, "target", t->target);
		jw_kv_text(&w, "outcome", REPORT_OUTCOME_NAMES[t->outcome]);
		jw_kv_int(&w, "generation", t->generation);
		words_texts(&w, "extra", t->extra);
		jw_kv_text(&w, "text", t->text);
		jw_object_end(&w);
	}
	jw_array_end(&w);
	jw_object_end(&w);
}

/* -- wanted ------------------------------------------------------------------------------------------------ */
static troth_rc wanted_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct instance_wanted_cmd *c = cmd;
	c->id = http_param(r, "id");
	return http_query_int(r, "after", 0, 0, INT64_MAX, &c->after, e);
}

static void write_csr(struct json_writer *w, const struct msg_csr_wanted *csr)
{
	jw_key(w, "csr");
	if (!csr) {
		jw_null(w);
		return;
	}
	jw_object(w);
	jw_kv_text(w, "request", csr->request);
	jw_kv_text(w, "key_type", csr->key_type);
	jw_kv_text(w, "common_name", csr->common_name);
	jw_object_end(w);
}

static void write_wanted(struct arena *a, struct json_writer *w, const struct wanted_target *t)
{
	const char *pem = arena_join(a, t->m->certificates.items, t->m->certificates.count);
	jw_object(w);
	jw_kv_text(w, "target", t->m->name);
	jw_kv_text(w, "kind", t->m->kind == MSG_SLOT ? "slot" : "store");
	jw_kv_int(w, "generation", t->m->generation);
	jw_kv_bool(w, "loaded", t->loaded);
	words_texts(w, "fingerprints", t->fingerprints);
	jw_kv_text(w, "certificates", t->m->generation ? pem : NULL);
	jw_kv_text(w, "request", t->m->key_request);
	write_csr(w, t->m->csr);
	jw_kv_bool(w, "leaving", t->m->leaving);
	jw_object_end(w);
}

static void wanted_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct instance_wanted_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_int(&w, "version", x->version);
	write_instance(&w, &x->instance, x->seq);
	jw_key(&w, "targets");
	jw_array(&w);
	for (size_t i = 0; i < x->target_count; i++)
		write_wanted(a, &w, &x->targets[i]);
	jw_array_end(&w);
	jw_object_end(&w);
}

/* -- csr --------------------------------------------------------------------------------------------------- */
#define CSR(name, max) { #name, JF_TEXT, offsetof(struct instance_csr_cmd, name), 0, 0, max }
static const struct json_field CSR_FIELDS[] = { CSR(target, 0), CSR(request, 0), CSR(csr, 2 * LIMIT_CSR_DER_BYTES) };

static troth_rc csr_parse_body(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	((struct instance_csr_cmd *)cmd)->id = http_param(r, "id");
	(void)words_body(a, r, CSR_FIELDS, ARRAY_LEN(CSR_FIELDS), cmd, e);
	return words_done(e);
}

static void csr_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct instance_csr_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_text(&w, "request", x->request);
	jw_object_end(&w);
}

static const struct route ROWS[] = {
	{ HTTP_POST, "/v1/instances", &VERB_INSTANCE_ADD, add_parse, add_render,
	  .summary = "Add an instance that reports by itself", .body = ROUTE_FIELDS(ADD_FIELDS), .gives = "201 Instance", .fails = "404" },
	{ HTTP_GET, "/v1/instances/{id}/wanted", &VERB_INSTANCE_WANTED, wanted_parse, wanted_render, ROUTE_HOLD,
	  .summary = "Fetch what an external instance shall hold, or wait until it changes", .query = "after", .gives = "200 InstanceWanted",
	  .fails = "409" },
	{ HTTP_POST, "/v1/instances/{id}/report", &VERB_INSTANCE_REPORT, report_parse, report_render,
	  .summary = "Report what an external instance holds", .body = ROUTE_FIELDS(REPORT_FIELDS), .gives = "200 Reported" },
	{ HTTP_POST, "/v1/instances/{id}/csr", &VERB_INSTANCE_CSR, csr_parse_body, csr_render, ROUTE_SIGNS,
	  .summary = "Answer a request for a key of an external instance", .body = ROUTE_FIELDS(CSR_FIELDS), .gives = "200 KeyAnswered" },
};
const struct route_table NATIVE_EXTERNAL_ROUTES = { ROWS, ARRAY_LEN(ROWS) };
