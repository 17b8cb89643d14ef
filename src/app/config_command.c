/* `troth config check` and `troth config show`: is a file right, and what is a server set to.
 *
 * While a server runs on the directory, show says what that one uses: it wrote so beside its data (config_write), as nobody
 * else knows its command line.  Otherwise it says what a server would be started with. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/server.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/text.h"

const char CONFIG_CHECK_USAGE[] =
	"usage: troth config check [FILE]\n"
	"       troth config check --dir DIR\n"
	"\n"
	"Reads a configuration of `troth server` and says everything that is wrong with\n"
	"it: where, what, and what to do. Exit 0 if the server would take it, else 1.\n"
	"Without FILE it is DIR/troth.yaml (--dir, or TROTH_DIR).\n"
	"\n"
	"  --dir DIR  the data directory whose file is checked\n"
	"\n"
	"example:\n"
	"  troth config check /var/lib/troth/server/troth.yaml &&\n"
	"    systemctl reload troth-server\n";
const char CONFIG_SHOW_USAGE[] =
	"usage: troth config show [--dir DIR] [--config FILE] [-o yaml|json]\n"
	"                         [options of troth server]\n"
	"\n"
	"Every setting, its value, and where that comes from: the default, the file with\n"
	"its line, or the command line. Of the server that runs on DIR; if none does, of\n"
	"one that would be started so. What it prints as YAML is itself a configuration.\n"
	"With -o json also what each setting is for, its default, and whether a reload\n"
	"(SIGHUP) changes it.\n"
	"\n"
	"  --dir DIR      the data directory (or TROTH_DIR); without it, the defaults\n"
	"  --config FILE  as for troth server; with it, or with one of the server's\n"
	"                 options, a server that runs is not asked\n"
	"  -o yaml|json   default: yaml\n"
	"\n"
	"example:\n"
	"  troth config show --dir /var/lib/troth/server\n";

enum { SHOW_COLUMN_MOST = 44, SHOW_BYTES = 64 << 10 };

/* -- check ---------------------------------------------------------------------------------------------------- */
/* FILE:LINE: as compilers say it, so that editors find the place. */
static void print_finding(const char *file, const struct finding *f)
{
	const char *line = text_starts(f->path, "line ") ? f->path + 5 : f->path;
	printf("%s:%s: %s\n", file, line, f->text);
	if (f->hint)
		printf("  %s\n", f->hint);
}

static int check_file(struct arena *a, const char *file)
{
	struct troth_err e = { 0 };
	struct config c;
	if (rc_ok(config_read_file(a, file, &c, &e))) {
		printf("%s: ok, %u setting%s\n", file, c.from_file, c.from_file == 1 ? "" : "s");
		return 0;
	}
	if (!e.findings && access(datadir_make(a, file).store, F_OK) == 0)
		err_hint(&e, "of a data directory: troth config check --dir %s", file);
	if (!e.findings)
		return command_failed(&e);
	for (const struct finding *f = e.findings; f; f = f->next)
		print_finding(file, f);
	return err_exit_code(TROTH_INVALID);
}

int config_check_command(int argc, char **argv)
{
	static const struct command self = { .name = "config check" };
	CLEANUP(arena_freep) struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	struct option_values words = { 0 };
	struct troth_err e = { 0 };
	const char *dir = NULL;
	const struct option options[] = { { "dir", &dir } };
	if (rc_failed(options_read(argc, argv, options, ARRAY_LEN(options), &words, &e)))
		return command_usage(&self, "%s", e.primary);
	dir = words.count ? dir : datadir_said(dir);
	if (words.count > 1 || (words.count && dir) || (!words.count && !dir))
		return command_usage(&self, "say which file: FILE, or the data directory that it is in: --dir DIR");
	return check_file(a, words.count ? words.items[0] : datadir_make(a, dir).config);
}

/* -- show ----------------------------------------------------------------------------------------------------- */
/* Plain where no reader of YAML takes it for anything else, else in quotes (a JSON string is a YAML one). */
static void put_scalar(struct buf *out, const char *s)
{
	struct json_writer w = json_writer_make(out);
	bool plain = s[0] && s[0] != '-' && s[0] != ':' && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-_") == strlen(s) &&
		     s[strlen(s) - 1] != ':';
	if (plain)
		buf_add_text(out, s);
	else
		jw_text(&w, s);
}

static void put_value(struct buf *out, const struct json *v)
{
	if (v->type == JSON_INT)
		buf_printf(out, "%lld", (long long)v->i);
	if (v->type == JSON_STRING)
		put_scalar(out, v->str.s);
	if (v->type != JSON_ARRAY)
		return;
	buf_add_text(out, "[");
	for (size_t i = 0; i < v->list.count; i++) {
		struct json_writer w = json_writer_make(out);
		buf_add_text(out, i ? ", " : "");
		jw_text(&w, v->list.items[i].str.s);
	}
	buf_add_text(out, "]");
}

/* "name: value", and behind it where that comes from; what is found at the start only is a remark. */
static void put_setting(struct buf *out, const struct json *setting)
{
	const struct json *value = json_get(setting, "value");
	const char *source = json_get_text(setting, "source", "");
	int64_t line = json_get_int(setting, "line", 0);
	size_t before = out->len;
	bool known = value && value->type != JSON_NULL;
	buf_printf(out, "%s%s: ", known ? "" : "# ", json_get_text(setting, "name", ""));
	if (known)
		put_value(out, value);
	else
		buf_add_text(out, json_get_text(setting, "default", ""));
	size_t width = out->len - before;
	buf_printf(out, "%*s  # %s", width < SHOW_COLUMN_MOST ? (int)(SHOW_COLUMN_MOST - width) : 0, "", source);
	if (line)
		buf_printf(out, ", line %lld", (long long)line);
	buf_add_text(out, "\n");
}

static void put_yaml(struct buf *out, const struct json *shown)
{
	const char *file = json_get_text(shown, "file", NULL), *dir = json_get_text(shown, "dir", NULL);
	int64_t pid = json_get_int(shown, "pid", 0);
	const struct json *settings = json_get_list(shown, "settings");
	if (pid)
		buf_printf(out, "# the server that runs on %s, process %lld\n", dir, (long long)pid);
	else
		buf_add_text(out, "# a server that would be started so; none was asked\n");
	buf_printf(out, "# file: %s\n", file ? file : "none");
	for (size_t i = 0; i < settings->list.count; i++)
		put_setting(out, &settings->list.items[i]);
}

/* What a server that runs has said of itself; false: none runs, or it is not ready. */
static bool ask_running(struct arena *a, const struct datadir *d, struct buf *out)
{
	struct bytes said;
	if (!datadir_server(d) || rc_failed(file_read(a, d->settings, SHOW_BYTES, &said, NULL)))
		return false;
	buf_add_bytes(out, said);
	return true;
}

/* The directory's own address, where nobody says another. */
static void fill_listen(struct arena *a, const struct datadir *d, struct config *c)
{
	const char *url, *listen;
	if (!c->values[SETTING_LISTEN].text && rc_ok(datadir_read_address(a, d, &url, &listen, NULL)))
		c->values[SETTING_LISTEN].text = listen;
}

troth_rc config_effective(struct arena *a, const char *dir, const struct config_from *from, bool ask, struct buf *out, struct troth_err *e)
{
	struct datadir d = datadir_make(a, dir ? dir : ".");
	struct config c;
	if (dir)
		TRY(datadir_check(&d, e));
	if (dir && ask && ask_running(a, &d, out))
		return RC_OK;
	TRY(config_read(a, from, &c, e));
	if (dir)
		fill_listen(a, &d, &c);
	config_write(&c, &(struct config_server){ .dir = dir }, out);
	return RC_OK;
}

static troth_rc print_config(struct arena *a, struct bytes json, bool as_json, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf out = buf_make(SHOW_BYTES);
	const struct json *shown;
	TRY(json_parse(a, json, &shown, e));
	if (as_json)
		buf_add_bytes(&out, json);
	else
		put_yaml(&out, shown);
	fwrite(out.data, 1, out.len, stdout);
	return RC_OK;
}

/* Is there anything that a running server was perhaps not started with? */
static bool says_something(const struct config_from *from)
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (from->given[i])
			return true;
	return from->must_exist || from->names.count;
}

/* "-o", which options_read knows in its long form only. */
static void lengthen(int argc, char **argv)
{
	static char output[] = "--output";
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "-o") == 0)
			argv[i] = output;
}

int config_show_command(int argc, char **argv)
{
	static const struct command self = { .name = "config show" };
	CLEANUP(arena_freep) struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	CLEANUP(buf_release) struct buf out = buf_make(SHOW_BYTES);
	struct config_from from = { 0 };
	struct option_values words = { 0 };
	struct troth_err e = { 0 };
	struct config ignored = { 0 };
	const char *dir = NULL, *file = NULL, *output = "yaml";
	struct option options[SETTING_COUNT + 3] = { [SETTING_COUNT] = { "dir", &dir }, { "config", &file }, { "output", &output } };
	config_options(&from, options);
	lengthen(argc, argv);
	if (rc_failed(options_read(argc, argv, options, ARRAY_LEN(options), &words, &e)) || rc_failed(config_take_options(a, &from, &ignored, &e)))
		return command_usage(&self, "%s", e.primary);
	if (words.count || (strcmp(output, "yaml") != 0 && strcmp(output, "json") != 0))
		return command_usage(&self, words.count ? "it takes no words" : "-o is yaml or json");
	dir = datadir_said(dir);
	server_config_file(a, dir, file, &from);
	troth_rc rc = config_effective(a, dir, &from, !says_something(&from), &out, &e);
	if (rc_ok(rc))
		rc = print_config(a, buf_bytes(&out), strcmp(output, "json") == 0, &e);
	return rc_ok(rc) ? 0 : command_failed(&e);
}
