/* The commands that do a little more than one request. */
#include "app/cli_internal.h"
#include "pki/pki.h"

/* -- bundle add, bundle remove -------------------------------------------------------------------------- */
static troth_rc bundle_id(struct cli *c, const char **ret, struct troth_err *e)
{
	return cli_find(c, c->command->path, "bundle", c->words[0], ret, e);
}

troth_rc cli_run_bundle_add(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *id = NULL, *body;
	bool certificate = cli_value(c, "--file") != NULL;
	if (certificate == (cli_value(c, "--authority") != NULL))
		return cli_usage(c, e, "say either --authority NAME or --alias NAME --file PEM");
	if (certificate && !cli_value(c, "--alias"))
		return cli_usage(c, e, "a certificate needs --alias NAME");
	TRY(cli_body(c, &body, e));
	TRY(bundle_id(c, &id, e));
	TRY(cli_call(c, HTTP_POST, arena_printf(c->a, "%s/%s/members", c->command->path, id), body, 0, &j, e));
	return cli_print(c, j, e);
}

/* A member is named by its authority, its alias or its id. */
static const char *member_id(const struct json *bundle, const char *word)
{
	static const char *const names[] = { "authority", "alias", "id" };
	const struct json *members = json_get_list(bundle, "members");
	for (size_t i = 0; i < members->list.count; i++)
		for (size_t k = 0; k < ARRAY_LEN(names); k++)
			if (text_equal(json_get_text(&members->list.items[i], names[k], NULL), word))
				return json_get_text(&members->list.items[i], "id", NULL);
	return NULL;
}

troth_rc cli_run_bundle_remove(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *id = NULL;
	TRY(bundle_id(c, &id, e));
	const char *path = arena_printf(c->a, "%s/%s", c->command->path, id);
	TRY(cli_call(c, HTTP_GET, path, NULL, 0, &j, e));
	const char *member = member_id(j, c->words[1]);
	if (!member) {
		troth_rc rc = err_set(e, TROTH_NOT_FOUND, "bundle %s has no member \"%.200s\"", c->words[0], c->words[1]);
		err_hint(e, "troth bundle show %s lists them; name one by its authority, alias or id", c->words[0]);
		return rc;
	}
	bool dry = cli_flag(c, "--dry-run");
	TRY(cli_call(c, HTTP_DELETE, arena_printf(c->a, "%s/members/%s%s", path, member, dry ? "?dry_run=true" : ""), NULL, 0, &j, e));
	if (!dry || c->format != CLI_AS_TABLE)
		return cli_print(c, j, e);
	fprintf(c->out, "bundle %s: %s would be removed; nothing was changed\n", c->words[0], c->words[1]);
	cli_print_first(c, json_get_list(j, "next"));
	return RC_OK;
}

/* -- credential renew ------------------------------------------------------------------------------------ */
troth_rc cli_run_credential_renew(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *id = NULL, *body;
	TRY(cli_body(c, &body, e));
	TRY(cli_find(c, c->command->path, "credential", c->words[0], &id, e));
	TRY(cli_call(c, HTTP_POST, arena_printf(c->a, "%s/%s/renew", c->command->path, id), body, 0, &j, e));
	return cli_print(c, j, e);
}

troth_rc cli_run_credential_attest(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *id = NULL, *body;
	TRY(cli_body(c, &body, e));
	TRY(cli_find(c, c->command->path, "credential", c->words[0], &id, e));
	TRY(cli_call(c, HTTP_POST, arena_printf(c->a, "%s/%s/attest", c->command->path, id), body, 0, &j, e));
	if (c->format != CLI_AS_TABLE)
		return cli_print(c, j, e);
	fprintf(c->out, "%s: %lld replaced\n", c->words[0], (long long)json_get_int(j, "count", 0));
	return RC_OK;
}

/* -- token create ------------------------------------------------------------------------------------------ */
troth_rc cli_run_token_create(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *body;
	TRY(cli_body(c, &body, e));
	TRY(cli_call(c, HTTP_POST, c->command->path, body, 0, &j, e));
	TRY(cli_print(c, j, e));
	if (c->format != CLI_AS_TABLE)
		return RC_OK;
	fprintf(c->out,
		"\nThe token is shown this once and joins one node. On that node:\n\n"
		"  echo %s |\n"
		"  troth agent enroll --server %s \\\n    --ca-fingerprint %s \\\n    --token-file - \\\n    --dir /var/lib/troth-agent\n",
		json_get_text(j, "token", "TOKEN"), c->config.server, json_get_text(j, "ca_fingerprint", "FINGERPRINT"));
	return RC_OK;
}

/* -- principals -------------------------------------------------------------------------------------------- */
/* add and rotate: what is shown once. */
troth_rc cli_run_principal_secret(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *body, *id = NULL, *path = c->command->path;
	TRY(cli_body(c, &body, e));
	if (text_equal(c->command->verb, "rotate")) {
		TRY(cli_find(c, path, "principal", c->words[0], &id, e));
		path = arena_printf(c->a, "%s/%s/rotate", path, id);
	}
	TRY(cli_call(c, HTTP_POST, path, body, 0, &j, e));
	TRY(cli_print(c, j, e));
	if (c->format == CLI_AS_TABLE && json_get_text(j, "password", NULL))
		fprintf(c->out, "\nThe password is shown this once. It is for logging in: POST /oauth/token\n(docs/api/login.md).\n");
	if (c->format == CLI_AS_TABLE && json_get_text(j, "token", NULL))
		fprintf(c->out, "\nThe token is shown this once. To use it, put it into a file of mode 0600 and say --token-file FILE.\n");
	return RC_OK;
}

/* -- targets ----------------------------------------------------------------------------------------------- */
troth_rc cli_run_target_list(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *instance = cli_value(c, "--instance"), *id = NULL;
	const char *deployment = cli_value(c, "--deployment"), *found = NULL;
	if (instance)
		TRY(cli_find(c, "/v1/instances", "instance", instance, &id, e));
	if (deployment)
		TRY(cli_find(c, "/v1/deployments", "deployment", deployment, &found, e));
	struct http_pair pairs[] = { { "instance", id }, { "deployment", deployment },
				     { "state", cli_value(c, "--state") } };
	TRY(cli_list(c, cli_target(c->a, c->command->path, pairs, ARRAY_LEN(pairs)), &j, e));
	return cli_print(c, j, e);
}

/* "pg-1/server": a target by its instance and its name there. */
static troth_rc target_id(struct cli *c, const char *word, const char **ret_id, struct troth_err *e)
{
	const struct json *list;
	const char *slash = strrchr(word, '/'), *instance = NULL;
	if (uuid_valid(word)) {
		*ret_id = word;
		return RC_OK;
	}
	if (!slash || slash == word || !slash[1])
		return cli_usage(c, e, "\"%.100s\" is not INSTANCE/TARGET, such as pg-1/server", word);
	TRY(cli_find(c, "/v1/instances", "instance", arena_text_n(c->a, word, (size_t)(slash - word)), &instance, e));
	TRY(cli_list(c, cli_target(c->a, "/v1/targets", &(struct http_pair){ "instance", instance }, 1), &list, e));
	const struct json *items = json_get(list, "items");
	for (size_t i = 0; i < items->list.count; i++)
		if (text_equal(json_get_text(&items->list.items[i], "name", NULL), slash + 1)) {
			*ret_id = json_get_text(&items->list.items[i], "id", "");
			return RC_OK;
		}
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "there is no target \"%.200s\"", word);
	err_hint(e, "troth target list shows them");
	return rc;
}

troth_rc cli_run_target_show(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *id = NULL;
	TRY(target_id(c, c->words[0], &id, e));
	TRY(cli_call(c, HTTP_GET, arena_printf(c->a, "%s/%s", c->command->path, id), NULL, 0, &j, e));
	return cli_print(c, j, e);
}

troth_rc cli_run_target_retry(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *id = NULL;
	TRY(target_id(c, c->words[0], &id, e));
	TRY(cli_call(c, HTTP_POST, arena_printf(c->a, "%s/%s/retry", c->command->path, id), "{}", 0, &j, e));
	if (c->format != CLI_AS_TABLE)
		return cli_print(c, j, e);
	fprintf(c->out, "target %s: will be tried again\n", c->words[0]);
	return RC_OK;
}

/* -- explain ------------------------------------------------------------------------------------------------- */
/* "14 s", "5 min", "3 h", "2 d": how long ago a time of the server's was; "" if there is none. */
static const char *age_of(struct cli *c, const char *time)
{
	msec_t at, now = c->port->now(c->port->self);
	if (!time || rc_failed(time_parse(time, &at, NULL)))
		return "";
	long long s = now > at ? (now - at) / MSEC_S : 0;
	if (s < 120)
		return arena_printf(c->a, "%lld s", s);
	if (s < 7200)
		return arena_printf(c->a, "%lld min", s / 60);
	return s < 172800 ? arena_printf(c->a, "%lld h", s / 3600) : arena_printf(c->a, "%lld d", s / 86400);
}

static bool is_safety(const struct json *x)
{
	return text_equal(json_get_text(x, "speaker", ""), "safety");
}

static void add_line(struct cli *c, int indent, const char *text, struct buf *out)
{
	buf_printf(out, "%*s", indent, "");
	cli_wrap_write(text, indent + 2, c->width, out);
}

/* Who is waited for, since when, what was said, what to do; the rule last. */
static void add_wait(struct cli *c, const struct json *x, struct buf *out)
{
	const char *since = json_get_text(x, "since", NULL), *earliest = json_get_text(x, "earliest", NULL);
	const char *said = json_get_text(x, "last_error", NULL), *seen = json_get_text(x, "last_seen", NULL);
	const char *hint = json_get_text(x, "hint", NULL), *when = "";
	bool external = text_equal(json_get_text(x, "party", NULL), "external");
	buf_add_text(out, cli_colour(c, "33"));
	add_line(c, 0, json_get_text(x, "plain", json_get_text(x, "sentence", "?")), out);
	buf_add_text(out, cli_colour(c, "0"));
	if (since)
		when = arena_printf(c->a, "for %s (since %s)", age_of(c, since), cli_cell_text(c->a, json_get(x, "since"), CELL_TIME));
	if (seen)
		when = arena_printf(c->a, "%s%s%s %s ago", when, when[0] ? "; " : "", external ? "it was heard of" : "its agent was heard of", age_of(c, seen));
	if (earliest)
		when = arena_printf(c->a, "%s%snot before %s", when, when[0] ? "; " : "", earliest);
	if (when[0])
		add_line(c, 4, when, out);
	int64_t holds = json_get_int(x, "holds_up", 0);
	if (holds)
		add_line(c, 4, arena_printf(c->a, "holds up %lld other%s", (long long)holds, holds == 1 ? "" : "s"), out);
	if (said)
		add_line(c, 4, arena_printf(c->a, "%s: %s", external ? "it reported" : "its agent says",
					    cli_cell_text(c->a, json_get(x, "last_error"), CELL_TEXT)), out);
	if (hint)
		add_line(c, 4, arena_printf(c->a, "hint: %s", hint), out);
	add_line(c, 4, arena_printf(c->a, "rule %s (%s: %s)", json_get_text(x, "rule", "-"), json_get_text(x, "speaker", "-"),
				    json_get_text(x, "reason", "-")), out);
}

/* What is waited for first; what follows from it, in a line each, after it. */
static void add_waits(struct cli *c, const struct json *waits, struct buf *out)
{
	size_t asked = 0, safety = 0;
	for (size_t i = 0; i < waits->list.count; i++) {
		if (is_safety(&waits->list.items[i]))
			continue;
		asked++;
		add_wait(c, &waits->list.items[i], out);
	}
	for (size_t i = 0; i < waits->list.count; i++) {
		const struct json *x = &waits->list.items[i];
		if (!is_safety(x))
			continue;
		if (safety++ == 0)
			buf_printf(out, "%s%s\n", asked ? "\n" : "", asked ? "until then, for safety:" : "for safety:");
		add_line(c, 2, arena_printf(c->a, "%s (rule %s)", json_get_text(x, "plain", json_get_text(x, "text", "?")),
					    json_get_text(x, "rule", "-")), out);
	}
}

static void add_nothing(struct cli *c, int64_t running, struct buf *out)
{
	buf_printf(out, "nothing is waited for%s%s\n", c->word_count ? " at " : "", c->word_count ? c->words[0] : "");
	if (running)
		buf_printf(out, "%lld rotation%s under way\n", (long long)running, running == 1 ? " is" : "s are");
}

troth_rc cli_run_explain(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	TRY(cli_call(c, HTTP_GET, cli_target(c->a, c->command->path, &(struct http_pair){ "name", c->words[0] }, 1), NULL, 0, &j, e));
	const struct json *waits = cli_pick(j, "waits|items");
	if (c->format != CLI_AS_TABLE || !waits || waits->type != JSON_ARRAY)
		return cli_print(c, j, e);
	CLEANUP(buf_release) struct buf out = buf_make(16 << 20);
	if (waits->list.count)
		add_waits(c, waits, &out);
	else
		add_nothing(c, json_get_int(j, "running", 0), &out);
	return cli_flush(c, &out, e);
}

/* -- audit verify, health, version ------------------------------------------------------------------------------ */
troth_rc cli_run_audit_verify(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	TRY(cli_call(c, HTTP_GET, c->command->path, NULL, 0, &j, e));
	bool holds = json_get_bool(j, "ok", false);
	if (c->format != CLI_AS_TABLE)
		TRY(cli_print(c, j, e));
	else if (holds)
		fprintf(c->out, "the audit chain holds: %lld rows, vouched for by signed heads up to row %lld\n",
			(long long)json_get_int(j, "rows", 0), (long long)json_get_int(j, "signed_to", 0));
	if (holds)
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_CORRUPT, "the audit chain breaks at row %lld: %s", (long long)json_get_int(j, "broken_at", 0),
			      json_get_text(j, "text", json_get_text(j, "reason", "no reason given")));
	err_hint(e, "rows before it are as they were written; compare with a backup, and with the keeper's own log");
	return rc;
}

troth_rc cli_run_health(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	TRY(cli_call(c, HTTP_GET, c->command->path, NULL, 0, &j, e));
	return cli_print(c, j, e);
}

/* Without a server to ask it is still an answer. */
troth_rc cli_run_version(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	if (c->format == CLI_AS_TABLE)
		fprintf(c->out, "troth %s\n", TROTH_VERSION);
	troth_rc rc = cli_call(c, HTTP_GET, c->command->path, NULL, 0, &j, e);
	if (c->format != CLI_AS_TABLE)
		return rc_ok(rc) ? cli_print(c, j, e) : rc;
	if (rc_ok(rc))
		fprintf(c->out, "server %s, API %s, schema %lld\n", json_get_text(j, "version", "?"), json_get_text(j, "api", "?"),
			(long long)json_get_int(j, "schema", 0));
	else if (!c->usage)
		return rc;
	c->usage = false;
	return RC_OK;
}
