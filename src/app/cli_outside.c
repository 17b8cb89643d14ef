/* Who is outside the fleet: bindings. */
#include "app/cli_internal.h"

/* POST PATH/ID/VERB with what the options say. */
troth_rc cli_run_post(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *id = NULL, *body;
	TRY(cli_body(c, &body, e));
	TRY(cli_find(c, c->command->path, c->command->noun, c->words[0], &id, e));
	TRY(cli_call(c, HTTP_POST, arena_printf(c->a, "%s/%s/%s%s", c->command->path, id, c->command->verb,
						cli_flag(c, "--dry-run") ? "?dry_run=true" : ""), body, 0, &j, e));
	return cli_print(c, j, e);
}

static troth_rc write_certificates(struct cli *c, const struct json *j, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf out = buf_make(HTTP_REPLY_BYTES);
	buf_add_text(&out, json_get_text(j, "certificates", ""));
	return cli_flush(c, &out, e);
}

/* The certificates to the output, the tag beside them: so that the output is a file a program can load. */
troth_rc cli_run_binding_fetch(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *id = NULL;
	TRY(cli_find(c, c->command->path, "binding", c->words[0], &id, e));
	struct http_pair pairs[] = { { "as", "json" }, { "tag", cli_value(c, "--tag") } };
	TRY(cli_call(c, HTTP_GET, cli_target(c->a, arena_printf(c->a, "%s/%s/bundle", c->command->path, id), pairs, ARRAY_LEN(pairs)),
		     NULL, 0, &j, e));
	if (c->format != CLI_AS_TABLE)
		return cli_print(c, j, e);
	TRY(write_certificates(c, j, e));
	fprintf(c->err, "tag %s%s\n", json_get_text(j, "tag", "?"), json_get_bool(j, "not_modified", false) ? ": not modified" : "");
	return RC_OK;
}
