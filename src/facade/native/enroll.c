/* /v1/agent/enroll and /v1/agent/identity: bodies by the codec that the agent uses too. */
#include "facade/native/nouns.h"
#include "facade/native/words.h"

static troth_rc enroll_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	return msg_enroll_decode(a, r->body, cmd, e);
}

static void enroll_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	reply->status = 201;
	msg_enrolled_encode(&reply->body, ret);
}

static troth_rc identity_parse(struct arena *a, const struct http_request *r, void *cmd, struct troth_err *e)
{
	return msg_identity_decode(a, r->body, cmd, e);
}

static void identity_render(struct arena *a, const struct http_request *r, const void *cmd, const void *ret, struct http_reply *reply)
{
	msg_renewed_encode(&reply->body, ret);
}

static const struct route ROWS[] = {
	{ HTTP_POST, "/v1/agent/enroll", &VERB_ENROLL, enroll_parse, enroll_render, ROUTE_NO_AUTH | ROUTE_SIGNS,
	  .summary = "Enrol an agent: a join token for an identity", .takes = "Enroll", .gives = "201 Enrolled",
	  .fails = "401 403 404" },
	{ HTTP_POST, "/v1/agent/identity", &VERB_IDENTITY_RENEW, identity_parse, identity_render, ROUTE_SIGNS,
	  .summary = "Renew the identity of an agent", .takes = "Identity", .gives = "200 IdentityRenewed" },
};
const struct route_table NATIVE_ENROLL_ROUTES = { ROWS, ARRAY_LEN(ROWS) };
