/* `troth events`: what happened, a line each; --follow waits for more. */
#include "app/cli_internal.h"

enum { HOLD_S = 50 };

struct follower {
	int64_t after;    /* the newest event that was printed */
	bool follows;
	struct cli_patience patience;
};

/* JSON on one line: a line end outside a text is layout, and so are the spaces behind it. */
static const char *one_line(struct cli *c, const struct json *j)
{
	CLEANUP(buf_release) struct buf drawn = buf_make(1 << 20);
	cli_json_write(j, &drawn);
	char *out = arena_text_n(c->a, buf_text(&drawn), drawn.len), *to = out;
	for (const char *p = out; *p; p++) {
		if (*p == '\n')
			while (p[1] == ' ')
				p++;
		else
			*to++ = *p;
	}
	*to = 0;
	return out;
}

static void print_text(struct cli *c, const struct json *x)
{
	const struct json *data = json_get(x, "data");
	fprintf(c->out, "%-6lld %s  %-24s %s  %s\n", (long long)json_get_int(x, "seq", 0), cli_cell_text(c->a, json_get(x, "at"), CELL_TIME),
		json_get_text(x, "kind", "?"), json_get_text(x, "object", "-"), data && data->type != JSON_NULL ? one_line(c, data) : "");
}

static void print_json(struct cli *c, const struct json *x) { fprintf(c->out, "%s\n", one_line(c, x)); }

static void print_all(struct cli *c, const struct json *items)
{
	for (size_t i = 0; i < items->list.count; i++)
		(c->format == CLI_AS_TABLE ? print_text : print_json)(c, &items->list.items[i]);
	fflush(c->out);
}

/* One answer: a page of what is there, or the next that happens. */
static troth_rc turn(struct cli *c, struct follower *f, bool *ret_end, struct troth_err *e)
{
	const struct json *j = NULL;
	msec_t hold = f->follows ? HOLD_S * MSEC_S : 0;
	const char *wait = hold ? arena_printf(c->a, "&wait=%ds", HOLD_S) : "";
	const char *target = arena_printf(c->a, "%s?after=%lld%s", c->command->path, (long long)f->after, wait);
	troth_rc rc = cli_call(c, HTTP_GET, target, NULL, hold, &j, e);
	if (rc_failed(rc))
		return f->follows ? cli_endure(c, &f->patience, "what happens is kept", rc, e) : rc;
	const char *next = json_get_text(j, "next", "0");
	int64_t reached = strtoll(next, NULL, 10);
	print_all(c, json_get_list(j, "items"));
	*ret_end = !f->follows && reached == f->after;
	f->after = reached;
	cli_answered(c, &f->patience);
	return RC_OK;
}

troth_rc cli_run_events(struct cli *c, struct troth_err *e)
{
	const char *after = cli_value(c, "--after");
	char *rest = NULL;
	struct follower f = { .after = after ? strtoll(after, &rest, 10) : 0, .follows = cli_flag(c, "--follow") };
	if (after && (*rest || !*after || f.after < 0))
		return cli_usage(c, e, "--after: \"%.40s\" is not the number of an event", after);
	TRY(cli_connect(c, e)); /* now: what it finds must outlive a turn */
	cli_answered(c, &f.patience);
	struct arena *whole = c->a;
	troth_rc rc = RC_OK;
	for (bool end = false; rc_ok(rc) && !end;) {
		c->a = arena_new(CLI_ARENA_BYTES);
		rc = turn(c, &f, &end, e);
		arena_free(c->a);
	}
	c->a = whole;
	e->findings = NULL; /* they lived in a turn's arena */
	return rc;
}
