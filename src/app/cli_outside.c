/* What is outside: bindings, CAs whose certificate or key is elsewhere, and the server's certificate from outside. */
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

/* -- CAs that are signed elsewhere ------------------------------------------------------------------------------- */

troth_rc cli_run_authority_create(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *body, *name = c->words[0];
	TRY(cli_body(c, &body, e));
	TRY(cli_call(c, HTTP_POST, c->command->path, body, 0, &j, e));
	TRY(cli_print(c, j, e));
	if (c->format == CLI_AS_TABLE && cli_flag(c, "--external"))
		fprintf(c->err, "next: troth authority csr %s > request.pem; have it signed; then\n"
			"      troth authority certify %s --certificate-file PEM\n", name, name);
	return RC_OK;
}

/* The request to the output, what is said about it beside it. */
troth_rc cli_run_authority_csr(struct cli *c, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf out = buf_make(HTTP_REPLY_BYTES);
	const struct json *j;
	const char *id = NULL;
	TRY(cli_find(c, c->command->path, "authority", c->words[0], &id, e));
	TRY(cli_call(c, HTTP_GET, arena_printf(c->a, "%s/%s/csr", c->command->path, id), NULL, 0, &j, e));
	if (c->format != CLI_AS_TABLE)
		return cli_print(c, j, e);
	buf_add_text(&out, json_get_text(j, "csr", ""));
	TRY(cli_flush(c, &out, e));
	fprintf(c->err, "version %lld of %s, asked for since %s\n", (long long)json_get_int(j, "number", 0), c->words[0],
		json_get_text(j, "since", "?"));
	return RC_OK;
}

troth_rc cli_run_authority_import(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *body;
	TRY(cli_body(c, &body, e));
	TRY(cli_call(c, HTTP_POST, arena_printf(c->a, "%s%s", c->command->path, cli_flag(c, "--dry-run") ? "?dry_run=true" : ""), body, 0, &j, e));
	return cli_print(c, j, e);
}

/* -- the server's certificate from outside -------------------------------------------------------------------------- */

troth_rc cli_run_server_certificate_set(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *body;
	TRY(cli_body(c, &body, e));
	bool dry = cli_flag(c, "--dry-run");
	TRY(cli_call(c, HTTP_PUT, arena_printf(c->a, "%s%s", c->command->path, dry ? "?dry_run=true" : ""), body, 0, &j, e));
	TRY(cli_print(c, j, e));
	if (dry && c->format == CLI_AS_TABLE)
		fprintf(c->out, "\nonly judged: so it would be, and nothing has changed\n");
	return RC_OK;
}

troth_rc cli_run_server_certificate_show(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	TRY(cli_call(c, HTTP_GET, c->command->path, NULL, 0, &j, e));
	return cli_print(c, j, e);
}

troth_rc cli_run_server_certificate_unset(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	TRY(cli_call(c, HTTP_DELETE, c->command->path, NULL, 0, &j, e));
	if (c->format == CLI_AS_TABLE)
		fprintf(c->out, "the server shows its own certificate to everybody\n");
	return RC_OK;
}
