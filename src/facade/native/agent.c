/* The agent API (/v1/agent): the codec of model/message.h around the verbs of an agent. */
#include "service/agent/agent.h"

#include "facade/native/rotation.h"
#include "facade/native/words.h"

static troth_rc session_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	return msg_session_decode(a, r->body, cmd, e);
}

static void session_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret,
			   struct http_reply *reply)
{
	reply->status = words_created(r);
	msg_opened_encode(&reply->body, ret);
}

static troth_rc desired_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	struct desired_cmd *c = cmd;
	TRY(http_query_int(r, "session", 0, 0, INT64_MAX, &c->session, e));
	return http_query_int(r, "after", 0, 0, INT64_MAX, &c->after, e);
}

static void desired_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret,
			   struct http_reply *reply)
{
	const struct desired_ret *d = ret;
	struct troth_err e = { 0 };
	if (d->stale) {
		(void)agent_stale(&e); /* only its words are wanted */
		http_reply_problem(reply, r, &e);
		return;
	}
	reply->status = 200;
	msg_desired_encode(&reply->body, &d->desired);
}

static troth_rc report_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	return msg_report_decode(a, r->body, cmd, e);
}

static troth_rc csr_parse_body(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	return msg_csr_decode(a, r->body, cmd, e);
}

/* Reports and requests for keys are answered by {}: what follows comes with the desired state. */
static void empty_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret,
			 struct http_reply *reply)
{
	struct json_writer w = http_reply_json(reply, 200);
	jw_object(&w);
	jw_object_end(&w);
}

static const struct route ROWS[] = {
	{ HTTP_POST, "/v1/agent/session", &VERB_AGENT_SESSION, session_parse, session_render,
	  .summary = "Open a session: say what the node holds", .takes = "SessionOpen", .gives = "201 Session" },
	{ HTTP_GET, "/v1/agent/desired", &VERB_AGENT_DESIRED, desired_parse, desired_render, ROUTE_HOLD,
	  .summary = "Fetch what the instance shall hold, or wait until it changes", .query = "session after",
	  .gives = "200 Desired", .fails = "409" },
	{ HTTP_POST, "/v1/agent/report", &VERB_AGENT_REPORT, report_parse, empty_render,
	  .summary = "Report what was seen at a target", .takes = "Report", .gives = "200 Empty", .fails = "404" },
	{ HTTP_POST, "/v1/agent/csr", &VERB_AGENT_CSR, csr_parse_body, empty_render, ROUTE_SIGNS,
	  .summary = "Answer a request for a key", .takes = "KeyAnswer", .gives = "200 Empty", .fails = "404" },
};
const struct route_table NATIVE_AGENT_ROUTES = { ROWS, ARRAY_LEN(ROWS) };
