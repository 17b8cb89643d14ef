/* Instances without an agent: instance add, wanted, report.  (instance csr is a plain POST.) */
#include "app/cli_internal.h"
#include "base/limits.h"

/* -- add -------------------------------------------------------------------------------------------------- */
static void write_targets(struct cli *c, struct json_writer *w)
{
	jw_key(w, "targets");
	jw_array(w);
	for (size_t i = 0; i < c->value_count; i++)
		if (text_equal(c->values[i].option->name, "--target"))
			jw_text(w, c->values[i].text);
	jw_array_end(w);
}

troth_rc cli_run_instance_add(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *word = c->words[0], *slash = strrchr(word, '/');
	CLEANUP(buf_release) struct buf body = buf_make(LIMIT_HTTP_BODY_BYTES);
	struct json_writer w = json_writer_make(&body);
	if (!slash || slash == word || !slash[1])
		return cli_usage(c, e, "\"%.100s\" is not DEPLOYMENT/NAME, such as cdn/edge-1", word);
	jw_object(&w);
	jw_kv_text(&w, "deployment", arena_text_n(c->a, word, (size_t)(slash - word)));
	jw_kv_text(&w, "name", slash + 1);
	write_targets(c, &w);
	jw_object_end(&w);
	ENSURE(buf_ok(&body), e, TROTH_TOO_LARGE, "the request is too large");
	TRY(cli_call(c, HTTP_POST, c->command->path, arena_text(c->a, buf_text(&body)), 0, &j, e));
	return cli_print(c, j, e);
}

/* -- wanted ------------------------------------------------------------------------------------------------- */
static const struct cli_column WANTED[] = {
	{ "TARGET", "target", CELL_TEXT }, { "KIND", "kind", CELL_TEXT }, { "GENERATION", "generation", CELL_TEXT },
	{ "REPORTED", "loaded", CELL_FLAG }, { "REQUEST WANTED", "csr.key_type", CELL_TEXT }, { "FINGERPRINTS", "fingerprints", CELL_LIST },
	{ NULL, NULL, CELL_TEXT }
};
static const struct cli_column RESULTS[] = {
	{ "TARGET", "target", CELL_TEXT }, { "OUTCOME", "outcome", CELL_TEXT }, { "GENERATION", "generation", CELL_TEXT },
	{ "EXTRA", "extra", CELL_COUNT }, { "REMARK", "text", CELL_PROSE }, { NULL, NULL, CELL_TEXT }
};

static troth_rc print_targets(struct cli *c, const struct json *j, const struct cli_column *columns, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf out = buf_make(1 << 20);
	if (c->format != CLI_AS_TABLE)
		return cli_print(c, j, e);
	cli_table_write(c->a, json_get(j, "targets"), columns, c->width, 0, cli_colour(c, "1"), cli_colour(c, "0"), &out);
	return cli_flush(c, &out, e);
}

/* The certificates to the output, the generation beside them: so that the output is a file that a program can load. */
static troth_rc print_certificates(struct cli *c, const struct json *j, const char *name, struct troth_err *e)
{
	const struct json *targets = json_get_list(j, "targets");
	for (size_t i = 0; i < targets->list.count; i++) {
		const struct json *t = &targets->list.items[i];
		const char *pem = json_get_text(t, "certificates", NULL);
		if (!text_equal(json_get_text(t, "target", NULL), name))
			continue;
		ENSURE(pem, e, TROTH_UNAVAILABLE, "there is nothing for %s/%s yet", c->words[0], name);
		CLEANUP(buf_release) struct buf out = buf_make(LIMIT_PEM_BYTES);
		buf_add_text(&out, pem);
		TRY(cli_flush(c, &out, e));
		fprintf(c->err, "generation %lld%s\n", (long long)json_get_int(t, "generation", 0),
			json_get_bool(t, "loaded", false) ? ": reported already" : "");
		return RC_OK;
	}
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "instance %s has no target \"%.100s\"", c->words[0], name);
	err_hint(e, "troth instance wanted %s lists them", c->words[0]);
	return rc;
}

troth_rc cli_run_instance_wanted(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *id = NULL, *target = cli_value(c, "--target");
	TRY(cli_find(c, c->command->path, "instance", c->words[0], &id, e));
	TRY(cli_call(c, HTTP_GET, arena_printf(c->a, "%s/%s/wanted", c->command->path, id), NULL, 0, &j, e));
	return target && c->format == CLI_AS_TABLE ? print_certificates(c, j, target, e) : print_targets(c, j, WANTED, e);
}

/* -- report --------------------------------------------------------------------------------------------------- */
troth_rc cli_run_instance_report(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *id = NULL;
	struct bytes text;
	TRY(file_read(c->a, cli_value(c, "--file"), LIMIT_HTTP_BODY_BYTES, &text, e));
	TRY(cli_find(c, c->command->path, "instance", c->words[0], &id, e));
	TRY(cli_call(c, HTTP_POST, arena_printf(c->a, "%s/%s/report", c->command->path, id),
		     arena_text_n(c->a, (const char *)text.data, text.len), 0, &j, e));
	return print_targets(c, j, RESULTS, e);
}
