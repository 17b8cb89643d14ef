/* Who counts, and who meets whom: instance delete, waive, link add and link remove. */
#include "app/cli_internal.h"
#include "base/limits.h"

static const char *dry(struct cli *c, const char *path)
{
	return cli_flag(c, "--dry-run") ? arena_printf(c->a, "%s?dry_run=true", path) : path;
}

static void print_frees(struct cli *c, const struct json *j)
{
	const struct json *frees = json_get_list(j, "frees");
	size_t n = frees->list.count;
	for (size_t i = 0; i < n; i++)
		fprintf(c->out, "  frees: %s\n", cli_cell_text(c->a, &frees->list.items[i], CELL_TEXT));
	if (!n)
		fprintf(c->out, "  frees nothing at once\n");
}

/* -- instance delete -------------------------------------------------------------------------------------- */
static void print_leaver(struct cli *c, const char *state)
{
	if (!text_equal(state, "leaving")) {
		fprintf(c->out, "instance %s: has left\n", c->words[0]);
		return;
	}
	fprintf(c->out, "instance %s: leaves; what it serves stays trusted until its service is stopped\n"
			"  if it is stopped already: troth instance delete %s --now\n", c->words[0], c->words[0]);
}

troth_rc cli_run_instance_delete(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *id = NULL;
	TRY(cli_find(c, c->command->path, "instance", c->words[0], &id, e));
	const char *path = arena_printf(c->a, "%s/%s", c->command->path, id);
	TRY(cli_call(c, HTTP_DELETE, cli_flag(c, "--now") ? arena_printf(c->a, "%s?now=true", path) : path, NULL, 0, &j, e));
	TRY(cli_call(c, HTTP_GET, path, NULL, 0, &j, e));
	if (c->format != CLI_AS_TABLE)
		return cli_print(c, j, e);
	print_leaver(c, json_get_text(j, "state", ""));
	return RC_OK;
}

/* -- waive ---------------------------------------------------------------------------------------------------- */
static void print_pairs(struct cli *c, const struct json *j)
{
	const struct json *pairs = json_get_list(j, "pairs");
	for (size_t i = 0; i < pairs->list.count; i++) {
		const struct json *p = &pairs->list.items[i];
		fprintf(c->out, "  loses its cover: %s with %lld of %s/%s\n", json_get_text(p, "target", "?"),
			(long long)json_get_int(p, "members", 0), json_get_text(p, "deployment", "?"), json_get_text(p, "template", "?"));
	}
}

static void print_return(struct cli *c, const struct json *j)
{
	if (text_equal(json_get_text(j, "party", NULL), "external"))
		fprintf(c->out, "it comes back like a new one with: troth instance add %s/%s\n", json_get_text(j, "deployment", "DEPLOYMENT"),
			json_get_text(j, "instance", c->words[0]));
	else
		fprintf(c->out, "when its agent comes back it joins like a new node\n");
}

/* Names of nodes have no slash in front: it is the name of a certificate that somebody outside the fleet took, or of a binding. */
static troth_rc no_node(const struct cli *c, struct troth_err *e)
{
	const char *name = c->words[0];
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "%.200s is no instance: troth waive is about nodes", name);
	err_hint(e, "whoever took a certificate of that name: troth credential attest %.200s --replaced gone; a binding: troth binding waive %.200s", name,
		 name);
	return rc;
}

troth_rc cli_run_waive(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *id = NULL, *body;
	TRY(cli_body(c, &body, e));
	if (c->words[0][0] == '/')
		return no_node(c, e);
	TRY(cli_find(c, c->command->path, "instance", c->words[0], &id, e));
	TRY(cli_call(c, HTTP_POST, dry(c, arena_printf(c->a, "%s/%s/waive", c->command->path, id)), body, 0, &j, e));
	if (c->format != CLI_AS_TABLE)
		return cli_print(c, j, e);
	bool dry_run = json_get_bool(j, "dry_run", false);
	fprintf(c->out, "instance %s: %s\n", c->words[0], dry_run ? "would be waived; nothing was changed" : "is waived");
	print_pairs(c, j);
	print_frees(c, j);
	if (!dry_run)
		print_return(c, j);
	return RC_OK;
}

/* -- links ------------------------------------------------------------------------------------------------------ */
troth_rc cli_run_link_add(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	CLEANUP(buf_release) struct buf body = buf_make(LIMIT_HTTP_HEADER_BYTES);
	struct json_writer w = json_writer_make(&body);
	jw_object(&w);
	jw_kv_text(&w, "slot", c->words[0]);
	jw_kv_text(&w, "store", c->words[1]);
	jw_object_end(&w);
	ENSURE(buf_ok(&body), e, TROTH_TOO_LARGE, "the names are too long");
	TRY(cli_call(c, HTTP_POST, c->command->path, arena_text(c->a, buf_text(&body)), 0, &j, e));
	if (c->format != CLI_AS_TABLE)
		return cli_print(c, j, e);
	fprintf(c->out, "%s is verified by %s\n", c->words[0], c->words[1]);
	return RC_OK;
}

static bool is_side(struct cli *c, const struct json *side, const char *name)
{
	return text_equal(json_get_text(side, "id", NULL), name) ||
	       text_equal(arena_printf(c->a, "%s/%s", json_get_text(side, "deployment", ""), json_get_text(side, "template", "")), name);
}

/* The pair of these names, among all. */
static troth_rc find_link(struct cli *c, const char **ret_path, struct troth_err *e)
{
	const struct json *list;
	TRY(cli_list(c, c->command->path, &list, e));
	const struct json *items = json_get(list, "items");
	for (size_t i = 0; i < items->list.count; i++) {
		const struct json *slot = json_get(&items->list.items[i], "slot"), *store = json_get(&items->list.items[i], "store");
		if (!is_side(c, slot, c->words[0]) || !is_side(c, store, c->words[1]))
			continue;
		*ret_path = arena_printf(c->a, "%s/%s/%s", c->command->path, json_get_text(slot, "id", ""), json_get_text(store, "id", ""));
		return RC_OK;
	}
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "%s and %s do not meet", c->words[0], c->words[1]);
	err_hint(e, "troth link list shows who meets whom; write SLOT and STORE as DEPLOYMENT/NAME");
	return rc;
}

troth_rc cli_run_link_remove(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *path = NULL;
	TRY(find_link(c, &path, e));
	TRY(cli_call(c, HTTP_DELETE, dry(c, path), NULL, 0, &j, e));
	if (c->format != CLI_AS_TABLE)
		return cli_print(c, j, e);
	fprintf(c->out, "%s and %s %s\n  lose their cover: %lld pairs (%lld slots, %lld stores)\n", c->words[0], c->words[1],
		json_get_bool(j, "dry_run", false) ? "would no longer meet; nothing was changed" : "do not meet any more",
		(long long)json_get_int(j, "pairs", 0), (long long)json_get_int(j, "slots", 0), (long long)json_get_int(j, "stores", 0));
	print_frees(c, j);
	return RC_OK;
}
