/* /v1/freeze: everything stands still, or goes on. */
#include "service/policy/policy.h"

#include "facade/native/nouns.h"
#include "facade/native/words.h"

static const struct json_field FREEZE_FIELDS[] = {
	{ "reason", JF_TEXT, offsetof(struct freeze_cmd, reason), JF_REQUIRED, 0, 0 },
};

static troth_rc freeze_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	return http_body_read(a, r, FREEZE_FIELDS, ARRAY_LEN(FREEZE_FIELDS), cmd, e);
}

static void freeze_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	const struct freeze_ret *x = ret;
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_kv_bool(&w, "frozen", x->on);
	if (x->row.frozen_at) {
		jw_kv_text(&w, "reason", x->row.reason);
		jw_kv_text(&w, "by", x->row.frozen_by);
		jw_kv_time(&w, "since", x->row.frozen_at);
	}
	jw_object_end(&w);
}

static const struct route ROWS[] = {
	{ HTTP_GET, "/v1/freeze", &VERB_FREEZE_SHOW, words_none, freeze_render,
	  .summary = "Say whether everything stands still", .gives = "200 Freeze" },
	{ HTTP_POST, "/v1/freeze", &VERB_FREEZE, freeze_parse, freeze_render,
	  .summary = "Freeze: nothing changes until it is thawed", .body = ROUTE_FIELDS(FREEZE_FIELDS), .gives = "200 Freeze" },
	{ HTTP_DELETE, "/v1/freeze", &VERB_THAW, words_none, freeze_render,
	  .summary = "Thaw", .gives = "200 Freeze" },
};
const struct route_table NATIVE_POLICY_ROUTES = { ROWS, ARRAY_LEN(ROWS) };
