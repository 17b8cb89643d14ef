/* GET /v1/forecast?name=&until=: what will come if nobody does anything. */
#include "service/rotation/forecast.h"

#include "facade/native/rotation.h"

/* "2027-06-01", "2027-06-01T12:00:00Z", or a length: "90d". */
static troth_rc read_until(struct arena *a, const char *text, struct forecast_cmd *c, struct troth_err *e)
{
	if (!text || !text[0] || rc_ok(duration_parse(text, &c->length, NULL)) || rc_ok(time_parse(text, &c->until, NULL)) ||
	    rc_ok(time_parse(arena_printf(a, "%s%s", text, "T00:00:00Z"), &c->until, NULL)))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_INVALID, "until=%.60s is neither a day nor a length of time", text);
	err_hint(e, "write it like 2027-06-01, 2027-06-01T12:00:00Z or 90d");
	return rc;
}

static troth_rc forecast_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct forecast_cmd *c = cmd;
	const char *name = http_query(r, "name");
	c->name = name && name[0] ? name : NULL;
	return read_until(a, http_query(r, "until"), c, e);
}

static void write_item(struct json_writer *w, const struct foreseen *f)
{
	jw_object(w);
	jw_kv_time(w, "at", f->at);
	jw_kv_time(w, "last", f->last);
	jw_kv_text(w, "kind", f->kind);
	jw_kv_text(w, "sentence", f->sentence);
	jw_kv_text(w, "authority", f->x.authority);
	jw_kv_text(w, "instance", f->x.instance);
	jw_kv_text(w, "target", f->x.target);
	jw_kv_text(w, "deployment", f->x.deployment);
	jw_kv_text(w, "other_instance", f->x.other_instance);
	jw_kv_text(w, "other_target", f->x.other_target);
	jw_kv_text(w, "reason", f->x.reason[0] ? f->x.reason : NULL);
	jw_kv_time(w, "breaks", f->x.breaks);
	jw_kv_int(w, "count", f->x.count);
	jw_object_end(w);
}

static void forecast_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct forecast_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_text(&w, "name", x->name);
	jw_kv_time(&w, "now", x->now);
	jw_kv_time(&w, "until", x->until);
	jw_kv_time(&w, "reached", x->reached);
	jw_kv_bool(&w, "cut", x->cut);
	jw_key(&w, "assumptions");
	jw_array(&w);
	for (size_t i = 0; i < x->assumption_count; i++)
		jw_text(&w, x->assumptions[i]);
	jw_array_end(&w);
	jw_key(&w, "items");
	jw_array(&w);
	for (size_t i = 0; i < x->count; i++)
		write_item(&w, &x->items[i]);
	jw_array_end(&w);
	jw_object_end(&w);
}

static const struct route ROWS[] = {
	{ HTTP_GET, "/v1/forecast", &VERB_FORECAST, forecast_parse, forecast_render,
	  .summary = "Foretell what will come if nobody does anything", .query = "name until", .gives = "200 Forecast",
	  .fails = "404" },
};
const struct route_table NATIVE_FORECAST_ROUTES = { ROWS, ARRAY_LEN(ROWS) };
