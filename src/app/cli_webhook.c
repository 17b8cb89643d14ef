/* webhook add, test, enable. */
#include "app/cli_internal.h"

enum { HOLD_S = 30 };

troth_rc cli_run_webhook_add(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *body;
	TRY(cli_body(c, &body, e));
	TRY(cli_call(c, HTTP_POST, c->command->path, body, 0, &j, e));
	TRY(cli_print(c, j, e));
	if (c->format == CLI_AS_TABLE)
		fprintf(c->out, "\nThe secret is shown this once: the receiver checks each message with it\n(webhook-signature, Standard Webhooks). Try it: troth webhook test %s\n",
			c->words[0]);
	return RC_OK;
}

static troth_rc post(struct cli *c, const struct json **ret, struct troth_err *e)
{
	const char *id = NULL;
	TRY(cli_find(c, c->command->path, c->command->noun, c->words[0], &id, e));
	return cli_call(c, HTTP_POST, arena_printf(c->a, "%s/%s/%s", c->command->path, id, c->command->verb), NULL, 0, ret, e);
}

troth_rc cli_run_webhook_enable(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	TRY(post(c, &j, e));
	return cli_print(c, j, e);
}

static bool runs(const struct json *operation) { return text_equal(json_get_text(operation, "state", ""), "running"); }

static troth_rc say_result(struct cli *c, const struct json *operation, struct troth_err *e)
{
	const struct json *result = json_get(operation, "result");
	bool good = text_equal(json_get_text(operation, "state", ""), "succeeded");
	if (c->format != CLI_AS_TABLE)
		TRY(cli_print(c, operation, e));
	else if (good)
		fprintf(c->out, "webhook %s: the receiver answered %lld after %lld ms\n", c->words[0], (long long)json_get_int(result, "status", 0),
			(long long)json_get_int(result, "ms", 0));
	if (good)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_UNAVAILABLE, "webhook %s: %s", c->words[0], result ? json_get_text(result, "error", "no answer") : "no answer");
	err_hint(e, "the message was sent once and is not sent again; events wait and are tried again");
	return rc;
}

/* Sends one message and prints the answer. */
troth_rc cli_run_webhook_test(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	msec_t began = c->port->now(c->port->self);
	TRY(post(c, &j, e));
	const char *target = arena_printf(c->a, "/v1/operations/%s?wait=%ds", json_get_text(j, "id", ""), HOLD_S);
	while (runs(j) && c->port->now(c->port->self) - began < 2 * HOLD_S * MSEC_S)
		TRY(cli_call(c, HTTP_GET, target, NULL, HOLD_S * MSEC_S, &j, e));
	if (!runs(j))
		return say_result(c, j, e);
	troth_rc rc = err_set(e, TROTH_TIMEOUT, "webhook %s: the message was not sent within %d s", c->words[0], 2 * HOLD_S);
	err_hint(e, "is the name of its server resolved? troth webhook show %s", c->words[0]);
	return rc;
}
