/* troth credential export: a certificate for those who shall trust or serve it.  Never a key. */
#include "app/cli_internal.h"

enum { EXPORT_BYTES = 4 << 20 };

/* A credential's name or an authority's. */
static troth_rc find_id(struct cli *c, const char *name, const char **ret_id, struct troth_err *e)
{
	troth_rc rc = cli_find(c, "/v1/credentials", "credential", name, ret_id, e);
	struct troth_err again = { 0 };
	if (rc_ok(rc) || e->kind != TROTH_NOT_FOUND)
		return rc;
	if (rc_failed(cli_find(c, "/v1/authorities", "authority", name, ret_id, &again)))
		return rc;
	*e = (struct troth_err){ 0 };
	return RC_OK;
}

static const char *chain_text(struct arena *a, const struct json *j)
{
	const struct json *list = json_get_list(j, "chain");
	const char *text = "";
	for (size_t i = 0; i < list->list.count; i++)
		if (list->list.items[i].type == JSON_STRING)
			text = arena_printf(a, "%s%s", text, list->list.items[i].str.s);
	return text;
}

static troth_rc pick_pem(struct cli *c, const struct json *j, const char **ret, struct troth_err *e)
{
	const char *leaf = json_get_text(j, "certificate", ""), *chain = chain_text(c->a, j), *root = json_get_text(j, "root", NULL);
	if (cli_flag(c, "--root")) {
		ENSURE(root, e, TROTH_NOT_FOUND, "the root of %s is not known here", c->words[0]);
		*ret = root;
	} else if (cli_flag(c, "--chain")) {
		*ret = chain;
	} else {
		*ret = cli_flag(c, "--leaf") ? leaf : arena_printf(c->a, "%s%s", leaf, chain);
	}
	return RC_OK;
}

troth_rc cli_run_credential_export(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *id = NULL, *pem = NULL;
	if (cli_flag(c, "--chain") + cli_flag(c, "--leaf") + cli_flag(c, "--root") > 1)
		return cli_usage(c, e, "--leaf, --chain and --root exclude one another");
	TRY(find_id(c, c->words[0], &id, e));
	const char *path = arena_printf(c->a, "%s/%s/export", c->command->path, id);
	TRY(cli_call(c, HTTP_GET, cli_target(c->a, path, &(struct http_pair){ "version", cli_value(c, "--only-version") }, 1), NULL, 0, &j, e));
	if (c->format != CLI_AS_TABLE && !cli_flag(c, "--pem"))
		return cli_print(c, j, e);
	TRY(pick_pem(c, j, &pem, e));
	if (!pem[0])
		fprintf(c->err, "troth: %s has no intermediates: its root signed it\n", c->words[0]);
	CLEANUP(buf_release) struct buf out = buf_make(EXPORT_BYTES);
	buf_add_text(&out, pem);
	return cli_flush(c, &out, e);
}
