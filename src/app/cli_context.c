/* Contexts: which server is meant, when there are several (the word is kubectl's).
 *
 *     ~/.config/troth/contexts.json    {"current":"prod","contexts":[{"name":"prod","server":"https://...",
 *                                        "ca_file":"/...","token_file":"/..."},{"name":"lab","dir":"/..."}]}
 *
 * Paths only: no token or key is copied into it.  It is ours alone (0600, directory 0700), because who can change it
 * chooses whom our token is sent to; one that others can write is refused. */
#include "app/cli_internal.h"

#include <ctype.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"

enum { CONTEXTS_MAX = 64, CONTEXTS_BYTES = 64 << 10, CONTEXT_NAME_MAX = 63, CWD_BYTES = 4096 };

struct contexts {
	const char *path, *current;
	struct cli_context items[CONTEXTS_MAX];
	size_t count;
};

/* -- the file ------------------------------------------------------------------------------------------------- */
/* NULL where there is no home. */
static const char *directory(struct cli *c)
{
	const char *base = c->port->env(c->port->self, "XDG_CONFIG_HOME"), *home = c->port->env(c->port->self, "HOME");
	if (base && base[0] == '/')
		return arena_printf(c->a, "%s/troth", base);
	return home && home[0] == '/' ? arena_printf(c->a, "%s/.config/troth", home) : NULL;
}

static void read_one(const struct json *j, struct cli_context *x)
{
	*x = (struct cli_context){ json_get_text(j, "name", ""), json_get_text(j, "dir", NULL), json_get_text(j, "server", NULL),
				   json_get_text(j, "ca_file", NULL), json_get_text(j, "token_file", NULL), json_get_text(j, "cert", NULL),
				   json_get_text(j, "key", NULL) };
}

static troth_rc parse(struct cli *c, struct bytes text, struct contexts *ret, struct troth_err *e)
{
	const struct json *j, *list;
	TRY(json_parse(c->a, text, &j, e));
	list = json_get(j, "contexts");
	ENSURE(list && list->type == JSON_ARRAY, e, TROTH_INVALID, "\"contexts\" is missing or not a list");
	ENSURE(list->list.count <= CONTEXTS_MAX, e, TROTH_TOO_LARGE, "more than %d contexts", CONTEXTS_MAX);
	ret->current = json_get_text(j, "current", NULL);
	for (size_t i = 0; i < list->list.count; i++)
		read_one(&list->list.items[i], &ret->items[ret->count++]);
	return RC_OK;
}

static troth_rc read_file(struct cli *c, struct contexts *ret, struct troth_err *e)
{
	struct stat st;
	struct bytes text;
	if (!ret->path || stat(ret->path, &st) != 0)
		return RC_OK;
	bool others = st.st_uid != geteuid() && st.st_uid != 0; /* its owner may always change it */
	if (others || (st.st_mode & 022)) {
		troth_rc rc = err_set(e, TROTH_FORBIDDEN, "others may change %s, and so say where your token is sent", ret->path);
		err_hint(e, "look what it says, then: %s %s", others ? "chown it to yourself:" : "chmod 600", ret->path);
		return rc;
	}
	TRY(file_read(c->a, ret->path, CONTEXTS_BYTES, &text, e));
	troth_rc rc = parse(c, text, ret, e);
	if (rc_failed(rc)) {
		err_prefix(e, "%s", ret->path);
		err_hint(e, "put it right, or remove it and say troth context add again");
	}
	return rc;
}

static troth_rc load(struct cli *c, struct contexts *ret, struct troth_err *e)
{
	const char *dir = directory(c);
	*ret = (struct contexts){ .path = dir ? arena_printf(c->a, "%s/contexts.json", dir) : NULL };
	return read_file(c, ret, e);
}

static void write_one(struct json_writer *w, const struct cli_context *x)
{
	const char *const members[][2] = { { "name", x->name }, { "dir", x->dir }, { "server", x->server }, { "ca_file", x->ca_file },
					   { "token_file", x->token_file }, { "cert", x->cert }, { "key", x->key } };
	jw_object(w);
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		if (members[i][1])
			jw_kv_text(w, members[i][0], members[i][1]);
	jw_object_end(w);
}

static troth_rc make_directory(struct cli *c, const char *dir, struct troth_err *e)
{
	char *parent = arena_text(c->a, dir);
	*strrchr(parent, '/') = 0;
	TRY(dir_make(parent, 0700, e));
	return dir_make(dir, 0700, e);
}

static troth_rc save(struct cli *c, const struct contexts *x, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf out = buf_make(CONTEXTS_BYTES);
	struct json_writer w = json_writer_make(&out);
	if (!x->path) {
		troth_rc rc = err_set(e, TROTH_INVALID, "there is no home directory to keep contexts in");
		err_hint(e, "set HOME or XDG_CONFIG_HOME");
		return rc;
	}
	jw_object(&w);
	jw_kv_text(&w, "current", x->current);
	jw_key(&w, "contexts");
	jw_array(&w);
	for (size_t i = 0; i < x->count; i++)
		write_one(&w, &x->items[i]);
	jw_array_end(&w);
	jw_object_end(&w);
	buf_add_text(&out, "\n");
	ENSURE(buf_ok(&out), e, TROTH_TOO_LARGE, "the contexts do not fit into %d bytes", CONTEXTS_BYTES);
	TRY(make_directory(c, directory(c), e));
	return file_write(x->path, buf_bytes(&out), 0600, e);
}

/* -- finding ----------------------------------------------------------------------------------------------------- */
static struct cli_context *named(struct contexts *x, const char *name)
{
	for (size_t i = 0; name && i < x->count; i++)
		if (text_equal(x->items[i].name, name))
			return &x->items[i];
	return NULL;
}

static troth_rc say_unknown(const char *name, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "there is no context \"%.100s\"", name);
	err_hint(e, "troth context list shows them; troth context add %.100s makes it", name);
	return rc;
}

troth_rc cli_context_find(struct cli *c, struct cli_context *ret, struct troth_err *e)
{
	struct contexts x;
	const char *name = cli_value(c, "--context"), *env = c->port->env(c->port->self, "TROTH_CONTEXT");
	*ret = (struct cli_context){ 0 };
	TRY(load(c, &x, e));
	name = name ? name : env && env[0] ? env : x.current;
	if (!name)
		return RC_OK;
	const struct cli_context *found = named(&x, name);
	if (!found)
		return say_unknown(name, e);
	*ret = *found;
	return RC_OK;
}

/* -- the commands -------------------------------------------------------------------------------------------------- */
static bool name_fits(const char *name)
{
	size_t n = strlen(name);
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("._-", name[i]))
			return false;
	return n > 0 && n <= CONTEXT_NAME_MAX;
}

/* A context is used from anywhere, so its paths begin at the root; and what is not there is a slip of the pen. */
static troth_rc path_of(struct cli *c, const char *option, const char **ret, struct troth_err *e)
{
	char cwd[CWD_BYTES];
	const char *path = cli_value(c, option);
	*ret = path;
	if (!path)
		return RC_OK;
	if (access(path, R_OK) != 0)
		return err_errno(e, errno, "could not read %s \"%s\"", option, path);
	if (path[0] == '/')
		return RC_OK;
	ENSURE(getcwd(cwd, sizeof cwd), e, TROTH_IO, "could not tell the working directory; say whole paths");
	*ret = arena_printf(c->a, "%s/%s", cwd, path);
	return RC_OK;
}

static troth_rc read_options(struct cli *c, struct cli_context *x, struct troth_err *e)
{
	*x = (struct cli_context){ .name = c->words[0], .server = cli_value(c, "--server") };
	TRY(path_of(c, "--dir", &x->dir, e));
	TRY(path_of(c, "--ca-file", &x->ca_file, e));
	TRY(path_of(c, "--token-file", &x->token_file, e));
	TRY(path_of(c, "--cert", &x->cert, e));
	TRY(path_of(c, "--key", &x->key, e));
	if (!name_fits(x->name))
		return cli_usage(c, e, "a context's name has letters, digits, dots, dashes and underscores, at most %d", CONTEXT_NAME_MAX);
	if (!x->dir && !(x->server && x->ca_file))
		return cli_usage(c, e, "say --dir D, or --server URL and --ca-file PEM");
	if (!x->dir && !x->token_file && !x->cert)
		return cli_usage(c, e, "say who you are: --token-file FILE, or --cert PEM and --key PEM");
	return !x->cert != !x->key ? cli_usage(c, e, "--cert and --key belong together") : RC_OK;
}

troth_rc cli_run_context_add(struct cli *c, struct troth_err *e)
{
	struct contexts x;
	struct cli_context made;
	TRY(read_options(c, &made, e));
	TRY(load(c, &x, e));
	if (named(&x, made.name)) {
		troth_rc rc = err_set(e, TROTH_CONFLICT, "there is a context \"%s\" already", made.name);
		err_hint(e, "troth context remove %s first", made.name);
		return rc;
	}
	ENSURE(x.count < CONTEXTS_MAX, e, TROTH_TOO_LARGE, "there are %d contexts, and no room for more", CONTEXTS_MAX);
	x.items[x.count++] = made;
	x.current = x.current ? x.current : made.name;
	TRY(save(c, &x, e));
	fprintf(c->out, "context %s: added%s\n", made.name, text_equal(x.current, made.name) ? ", and used from now on" : "");
	return RC_OK;
}

troth_rc cli_run_context_use(struct cli *c, struct troth_err *e)
{
	struct contexts x;
	TRY(load(c, &x, e));
	if (!named(&x, c->words[0]))
		return say_unknown(c->words[0], e);
	x.current = c->words[0];
	TRY(save(c, &x, e));
	fprintf(c->out, "context %s: used from now on\n", x.current);
	return RC_OK;
}

troth_rc cli_run_context_remove(struct cli *c, struct troth_err *e)
{
	struct contexts x;
	TRY(load(c, &x, e));
	struct cli_context *gone = named(&x, c->words[0]);
	if (!gone)
		return say_unknown(c->words[0], e);
	bool current = text_equal(x.current, gone->name);
	*gone = x.items[--x.count];
	x.current = current ? NULL : x.current;
	TRY(save(c, &x, e));
	fprintf(c->out, "context %s: removed%s\n", c->words[0], current ? "; none is used now" : "");
	return RC_OK;
}

static struct json row_of(struct cli *c, const struct contexts *x, const struct cli_context *item)
{
	struct http_pair members[] = {
		{ "name", item->name }, { "current", text_equal(item->name, x->current) ? "*" : NULL },
		{ "server", item->server ? item->server : item->dir }, { "as", item->cert ? item->cert : item->token_file ? item->token_file : item->dir },
		{ "dir", item->dir }, { "ca_file", item->ca_file }, { "token_file", item->token_file }, { "cert", item->cert }, { "key", item->key },
	};
	return cli_object(c->a, members, ARRAY_LEN(members));
}

troth_rc cli_run_context_list(struct cli *c, struct troth_err *e)
{
	struct contexts x;
	TRY(load(c, &x, e));
	struct json *rows = ARENA_ARRAY(c->a, struct json, x.count);
	for (size_t i = 0; i < x.count; i++)
		rows[i] = row_of(c, &x, &x.items[i]);
	return cli_print(c, cli_list_made(c->a, rows, x.count), e);
}

troth_rc cli_run_context_show(struct cli *c, struct troth_err *e)
{
	struct contexts x;
	struct cli_context found;
	TRY(cli_context_find(c, &found, e));
	TRY(load(c, &x, e));
	if (!found.name) {
		troth_rc rc = err_set(e, TROTH_NOT_FOUND, "no context is used");
		err_hint(e, "troth context use NAME; troth context list shows them");
		return rc;
	}
	struct json row = row_of(c, &x, &found);
	return cli_print(c, &row, e);
}
