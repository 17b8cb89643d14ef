/* Policy: how a deployment may change, and the freeze that stops everything. */
#include "app/cli_internal.h"

static troth_rc patch(struct cli *c, const char *suffix, struct troth_err *e)
{
	const struct json *j;
	const char *id = NULL, *body;
	if (cli_body_is_empty(c))
		return cli_usage(c, e, "%s policy changes nothing without an option; %s show %s says what it is", c->command->noun,
				 c->command->noun, c->words[0]);
	TRY(cli_body(c, &body, e));
	TRY(cli_find(c, c->command->path, c->command->noun, c->words[0], &id, e));
	TRY(cli_call(c, HTTP_PATCH, arena_printf(c->a, "%s/%s%s", c->command->path, id, suffix), body, 0, &j, e));
	return cli_print(c, j, e);
}

troth_rc cli_run_policy(struct cli *c, struct troth_err *e)
{
	return patch(c, "", e);
}

troth_rc cli_run_rollout(struct cli *c, struct troth_err *e)
{
	return patch(c, "/rollout", e);
}

/* -- freeze ----------------------------------------------------------------------------------------- */
static troth_rc print_freeze(struct cli *c, const struct json *j, const char *if_off, struct troth_err *e)
{
	if (c->format != CLI_AS_TABLE)
		return cli_print(c, j, e);
	if (json_get_bool(j, "frozen", false))
		fprintf(c->out, "frozen since %s by %s: %s\nnothing changes until: troth thaw\n", json_get_text(j, "since", "?"),
			json_get_text(j, "by", "?"), json_get_text(j, "reason", ""));
	else
		fprintf(c->out, "%s\n", if_off);
	return RC_OK;
}

troth_rc cli_run_freeze(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *body;
	bool look = cli_flag(c, "--show");
	if (!look && !cli_value(c, "--reason"))
		return cli_usage(c, e, "freeze needs --reason TEXT (who comes next will ask), or --show");
	TRY(cli_body(c, &body, e));
	TRY(cli_call(c, look ? HTTP_GET : HTTP_POST, c->command->path, look ? NULL : body, 0, &j, e));
	return print_freeze(c, j, "not frozen", e);
}

troth_rc cli_run_thaw(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	TRY(cli_call(c, HTTP_DELETE, c->command->path, NULL, 0, &j, e));
	return print_freeze(c, j, "thawed: what waited goes on", e);
}
