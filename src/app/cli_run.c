/* What most commands are: make one, list them, show one, take one away. */
#include "app/cli_internal.h"

enum { QUERY_MAX = 8 };

troth_rc cli_run_create(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *body;
	TRY(cli_body(c, &body, e));
	TRY(cli_call(c, HTTP_POST, c->command->path, body, 0, &j, e));
	return cli_print(c, j, e);
}

troth_rc cli_run_list(struct cli *c, struct troth_err *e)
{
	struct http_pair pairs[QUERY_MAX];
	const struct json *j;
	size_t n = cli_query(c, pairs, QUERY_MAX);
	TRY(cli_list(c, cli_target(c->a, c->command->path, pairs, n), &j, e));
	return cli_print(c, j, e);
}

troth_rc cli_run_show(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *id = NULL;
	TRY(cli_find(c, c->command->path, c->command->noun, c->words[0], &id, e));
	TRY(cli_call(c, HTTP_GET, arena_printf(c->a, "%s/%s", c->command->path, id), NULL, 0, &j, e));
	return cli_print(c, j, e);
}

troth_rc cli_run_set(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *id = NULL, *body;
	if (cli_body_is_empty(c))
		return cli_usage(c, e, "%s set changes nothing without an option; %s show %s says what it is", c->command->noun, c->command->noun,
				 c->words[0]);
	TRY(cli_body(c, &body, e));
	TRY(cli_find(c, c->command->path, c->command->noun, c->words[0], &id, e));
	TRY(cli_call(c, HTTP_PATCH, arena_printf(c->a, "%s/%s", c->command->path, id), body, 0, &j, e));
	return cli_print(c, j, e);
}

troth_rc cli_run_delete(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *id = NULL;
	TRY(cli_find(c, c->command->path, c->command->noun, c->words[0], &id, e));
	TRY(cli_call(c, HTTP_DELETE, arena_printf(c->a, "%s/%s", c->command->path, id), NULL, 0, &j, e));
	if (c->format == CLI_AS_TABLE)
		fprintf(c->out, "%s %s: %s\n", c->command->noun, c->words[0], c->command->empty);
	return RC_OK;
}
