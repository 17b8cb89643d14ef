/* Instances whose identity has expired and that ask for a new one: recover approve, recover deny. */
#include "app/cli_internal.h"
#include "base/limits.h"

enum { NAMES_SHOWN = 20 };

static troth_rc say_nobody(const char *name, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "%.100s asks for no recovery", name);
	err_hint(e, "troth recover list shows who does; an agent asks by itself when its identity has expired");
	return rc;
}

/* Among those who ask: the id of the instance of this name. */
static troth_rc find_asking(const struct json *items, const char *name, const char **ret, struct troth_err *e)
{
	*ret = NULL;
	for (size_t i = 0; i < items->list.count; i++) {
		const struct json *x = &items->list.items[i];
		if (!text_equal(json_get_text(x, "instance", NULL), name) && !text_equal(json_get_text(x, "instance_id", NULL), name))
			continue;
		ENSURE(!*ret, e, TROTH_CONFLICT, "several instances \"%.100s\" ask: say the id (troth recover list -o json)", name);
		*ret = json_get_text(x, "instance_id", NULL);
	}
	return *ret ? RC_OK : say_nobody(name, e);
}

static troth_rc body_of_words(struct cli *c, const char **ret, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf body = buf_make(LIMIT_HTTP_HEADER_BYTES);
	struct json_writer w = json_writer_make(&body);
	const struct json *list;
	TRY(cli_list(c, "/v1/recoveries", &list, e));
	jw_object(&w);
	jw_key(&w, "instances");
	jw_array(&w);
	for (size_t i = 0; i < c->word_count; i++) {
		const char *id;
		TRY(find_asking(json_get(list, "items"), c->words[i], &id, e));
		jw_text(&w, id);
	}
	jw_array_end(&w);
	jw_object_end(&w);
	ENSURE(buf_ok(&body), e, TROTH_TOO_LARGE, "too many instances at once");
	*ret = arena_text(c->a, buf_text(&body));
	return RC_OK;
}

/* -- what was done ------------------------------------------------------------------------------------ */
static size_t print_names(struct cli *c, const struct json *j)
{
	const struct json *names = json_get_list(j, "instances");
	size_t n = names->list.count;
	for (size_t i = 0; i < n && i < NAMES_SHOWN; i++)
		fprintf(c->out, "  %s\n", cli_cell_text(c->a, &names->list.items[i], CELL_TEXT));
	if (n > NAMES_SHOWN)
		fprintf(c->out, "  and %zu more\n", n - NAMES_SHOWN);
	return n;
}

static const char *verb_of(struct cli *c)
{
	bool approve = text_equal(c->command->verb, "approve"), dry = cli_flag(c, "--dry-run");
	return approve ? (dry ? "would be approved; nothing was changed" : "approved") : dry ? "would be denied; nothing was changed" : "denied";
}

static void print_what_next(struct cli *c, size_t count, int64_t left)
{
	bool approve = text_equal(c->command->verb, "approve");
	if (count && approve && !cli_flag(c, "--dry-run"))
		fprintf(c->out, "each agent takes its new identity when it asks next, within 7 minutes\n");
	if (left)
		fprintf(c->out, "%lld not approved, because two have proved the same key: troth recover list\n", (long long)left);
}

static troth_rc decide(struct cli *c, const char *body, const struct json **ret, struct troth_err *e)
{
	const char *path = arena_printf(c->a, "%s/%s%s", c->command->path, c->command->verb, cli_flag(c, "--dry-run") ? "?dry_run=true" : "");
	return cli_call(c, HTTP_POST, path, body, 0, ret, e);
}

/* As many requests as it takes. */
static troth_rc approve_all(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	size_t total = 0, n;
	int64_t left;
	do {
		TRY(decide(c, "{\"all\":true}", &j, e));
		if (c->format != CLI_AS_TABLE)
			return cli_print(c, j, e);
		n = json_get(j, "instances")->list.count;
		left = json_get_int(j, "left", 0);
		if (n)
			fprintf(c->out, "%s:\n", verb_of(c));
		total += print_names(c, j);
	} while (n && left && !cli_flag(c, "--dry-run"));
	if (!total)
		fprintf(c->out, "nobody waits for approval\n");
	print_what_next(c, total, left);
	return RC_OK;
}

troth_rc cli_run_recover(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *body = NULL;
	bool all = cli_flag(c, "--all");
	if (all == (c->word_count > 0))
		return cli_usage(c, e, text_equal(c->command->verb, "approve") ? "say either INSTANCE... or --all" : "which INSTANCE?");
	if (all)
		return approve_all(c, e);
	TRY(body_of_words(c, &body, e));
	TRY(decide(c, body, &j, e));
	if (c->format != CLI_AS_TABLE)
		return cli_print(c, j, e);
	fprintf(c->out, "%s:\n", verb_of(c));
	print_what_next(c, print_names(c, j), 0);
	return RC_OK;
}
