/* Where the server is and who we are: options before environment before the server's own directory.
 *
 *     --dir D, TROTH_DIR           D/admin.json: {"url","ca_file","token_file"}, written by troth init
 *     --context, TROTH_CONTEXT     one of ~/.config/troth/contexts.json (cli_context.c); the option before everything but
 *                                  other options, the variable and the current one after all else
 *     --server, TROTH_SERVER       https://host:port
 *     --ca-file, TROTH_CA_FILE     PEM of the CAs that may have signed the server's certificate
 *     --token-file, TROTH_TOKEN_FILE, or --cert and --key */
#include "app/cli_internal.h"
#include "base/limits.h"

enum { ADMIN_BYTES = 16 << 10, TOKEN_BYTES = 4 << 10 };

struct place { const char *server, *ca_file, *token_file, *cert, *key; };

static const char *setting(struct cli *c, const char *option, const char *variable)
{
	const char *text = cli_value(c, option);
	if (text)
		return text;
	text = c->port->env(c->port->self, variable);
	return text && text[0] ? text : NULL;
}

/* A path in admin.json is relative to the directory that holds it. */
static const char *path_in(struct arena *a, const char *dir, const char *path)
{
	return !path || path[0] == '/' ? path : arena_printf(a, "%s/%s", dir, path);
}

/* The file may say more than we ask for: the server reads it too. */
static troth_rc read_place(struct cli *c, struct bytes text, struct place *ret, struct troth_err *e)
{
	const struct json *j;
	TRY(json_parse(c->a, text, &j, e));
	*ret = (struct place){ json_get_text(j, "url", NULL), json_get_text(j, "ca_file", NULL), json_get_text(j, "token_file", NULL), NULL, NULL };
	ENSURE(ret->server && ret->ca_file && ret->token_file, e, TROTH_INVALID, "\"url\", \"ca_file\" or \"token_file\" is missing");
	return RC_OK;
}

static troth_rc read_admin(struct cli *c, const char *dir, struct place *ret, struct troth_err *e)
{
	const char *path = arena_printf(c->a, "%s/admin.json", dir);
	struct bytes text;
	troth_rc rc = file_read(c->a, path, ADMIN_BYTES, &text, e);
	if (rc_failed(rc)) {
		if (e->kind == TROTH_FORBIDDEN)
			err_hint(e, "the directory is another user's: run this as that user, or as root");
		else
			err_hint(e, "--dir names the directory that \"troth init --dir\" made; elsewhere say --server, --ca-file and --token-file");
		return rc;
	}
	rc = read_place(c, text, ret, e);
	if (rc_failed(rc)) {
		err_prefix(e, "%s", path);
		return rc;
	}
	ret->ca_file = path_in(c->a, dir, ret->ca_file);
	ret->token_file = path_in(c->a, dir, ret->token_file);
	return RC_OK;
}

/* Its own files, unless options say others; variables belong to another server. */
static troth_rc read_context(struct cli *c, struct place *ret, struct troth_err *e)
{
	struct cli_context x;
	TRY(cli_context_find(c, &x, e));
	if (!x.name)
		return RC_OK;
	*ret = (struct place){ x.server, x.ca_file, x.token_file, x.cert, x.key };
	if (x.dir)
		TRY(read_admin(c, x.dir, ret, e));
	ret->ca_file = cli_value(c, "--ca-file") ? cli_value(c, "--ca-file") : x.ca_file ? x.ca_file : ret->ca_file;
	ret->token_file = cli_value(c, "--token-file") ? cli_value(c, "--token-file") : x.token_file ? x.token_file : ret->token_file;
	return RC_OK;
}

static troth_rc find_place(struct cli *c, struct place *ret, struct troth_err *e)
{
	struct place p = { 0 };
	const char *server = setting(c, "--server", "TROTH_SERVER"), *dir = setting(c, "--dir", "TROTH_DIR");
	if (cli_value(c, "--context") && (cli_value(c, "--server") || cli_value(c, "--dir")))
		return cli_usage(c, e, "--context names a server; --server and --dir name another one");
	if (cli_value(c, "--context") || (!server && !dir))
		TRY(read_context(c, ret, e));
	if (ret->server && ret->ca_file)
		return RC_OK;
	if (dir && (!server || cli_value(c, "--dir")))
		TRY(read_admin(c, dir, &p, e));
	p.server = server ? server : p.server;
	const char *ca = setting(c, "--ca-file", "TROTH_CA_FILE"), *token = setting(c, "--token-file", "TROTH_TOKEN_FILE");
	p.ca_file = ca ? ca : p.ca_file;
	p.token_file = token ? token : p.token_file;
	if (p.server && p.ca_file) {
		*ret = p;
		return RC_OK;
	}
	troth_rc rc = cli_usage(c, e, p.server ? "no CA file for %s is named" : "no server is named", p.server);
	err_hint(e, "say --dir D (the directory of troth init) or set TROTH_DIR; from elsewhere --server, --ca-file and --token-file, or once troth context add");
	return rc;
}

static troth_rc read_token(struct cli *c, const char *path, const char **ret, struct troth_err *e)
{
	struct bytes text;
	TRY(file_read(c->a, path, TOKEN_BYTES, &text, e));
	while (text.len && text.data[text.len - 1] <= ' ')
		text.len--;
	ENSURE(text.len, e, TROTH_INVALID, "token file \"%s\" is empty", path);
	*ret = arena_text_n(c->a, (const char *)text.data, text.len);
	return RC_OK;
}

troth_rc cli_connect(struct cli *c, struct troth_err *e)
{
	struct place p = { 0 };
	if (c->connected)
		return RC_OK;
	TRY(find_place(c, &p, e));
	struct http_client_config config = { .server = p.server, .cert_file = cli_value(c, "--cert"), .key_file = cli_value(c, "--key") };
	if (!config.cert_file && !config.key_file && !cli_value(c, "--token-file")) {
		config.cert_file = p.cert;
		config.key_file = p.key;
	}
	if (!config.cert_file != !config.key_file)
		return cli_usage(c, e, "--cert and --key belong together");
	troth_rc rc = file_read(c->a, p.ca_file, LIMIT_PEM_BYTES, &config.ca_pem, e);
	if (rc_failed(rc)) {
		err_hint(e, "the CA file holds the certificates that the server's is verified with; troth init writes ca.pem");
		return rc;
	}
	if (p.token_file && !config.cert_file)
		TRY(read_token(c, p.token_file, &config.bearer, e));
	c->config = config;
	c->connected = true;
	return RC_OK;
}
