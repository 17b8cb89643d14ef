/* troth forecast: what will come, by day, and what was assumed for it. */
#include "app/cli_internal.h"

enum { OUTPUT_BYTES = 16 << 20, INDENT = 20 };

static void add_moment(struct cli *c, const struct json *x, struct buf *out)
{
	const char *at = cli_cell_text(c->a, json_get(x, "at"), CELL_TIME);
	bool bad = text_equal(json_get_text(x, "kind", ""), "breaks");
	buf_printf(out, "  %-*s", INDENT - 2, at);
	cli_wrap_write(arena_printf(c->a, "%s%s", bad ? "! " : "", json_get_text(x, "sentence", "?")), INDENT, CLI_WIDTH, out);
}

static void add_assumptions(const struct json *list, struct buf *out)
{
	buf_add_text(out, "\nassumed:\n");
	for (size_t i = 0; i < list->list.count; i++) {
		buf_add_text(out, "  - ");
		cli_wrap_write(list->list.items[i].type == JSON_STRING ? list->list.items[i].str.s : "", 4, CLI_WIDTH, out);
	}
}

troth_rc cli_run_forecast(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	struct http_pair pairs[] = { { "name", c->words[0] }, { "until", cli_value(c, "--until") } };
	TRY(cli_call(c, HTTP_GET, cli_target(c->a, c->command->path, pairs, ARRAY_LEN(pairs)), NULL, 0, &j, e));
	const struct json *items = json_get(j, "items");
	if (c->format != CLI_AS_TABLE || !items || items->type != JSON_ARRAY)
		return cli_print(c, j, e);
	CLEANUP(buf_release) struct buf out = buf_make(OUTPUT_BYTES);
	buf_printf(&out, "until %s, if nobody does anything:\n\n", cli_cell_text(c->a, json_get(j, "reached"), CELL_TIME));
	for (size_t i = 0; i < items->list.count; i++)
		add_moment(c, &items->list.items[i], &out);
	if (!items->list.count)
		buf_add_text(&out, "  nothing\n");
	if (json_get_bool(j, "cut", false))
		buf_printf(&out, "\ntoo much happens to look further, to %s; ask for an earlier day or for one name\n",
			   cli_cell_text(c->a, json_get(j, "until"), CELL_TIME));
	add_assumptions(json_get_list(j, "assumptions"), &out);
	return cli_flush(c, &out, e);
}
