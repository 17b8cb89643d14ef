/* The table of settings, and reading it: YAML by the tree of base/yaml_tree.h, options as texts, both by the same checks. */
#include "app/config.h"

#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "base/yaml_tree.h"
#include "edge/server.h"
#include "model/name.h"
#include "port/port.h"

enum { TIME_LEAST_MS = 100, PORT_MOST = 65535 };

const struct setting SETTINGS[SETTING_COUNT] = {
	[SETTING_LISTEN] = { "listen", "listen", SETTING_ADDRESS, NULL, "as it was last, at first as given to init",
		"where it listens; port 0 takes a free one", false },
	[SETTING_PUBLIC_NAMES] = { "public_names", "public-name", SETTING_NAMES, NULL, "none",
		"more DNS names or IP addresses that clients call it by; they stay in its certificate", false },
	[SETTING_LOOPS] = { "loops", "loops", SETTING_NUMBER, NULL, "one per core, at most 16", "event loops", false, 1, EDGE_LOOPS },
	[SETTING_CONNECTIONS] = { "connections", "connections", SETTING_NUMBER, "20000", NULL,
		"how many at a time; who comes above it is turned away", true, 1, LIMIT_CONNECTIONS },
	[SETTING_REQUEST_TIME] = { "request_time", "request-time", SETTING_DURATION, "20s", NULL,
		"how long a client may take for its handshake and request", true, TIME_LEAST_MS, LIMIT_CONFIG_TIME_S * MSEC_S },
	[SETTING_IDLE_TIME] = { "idle_time", "idle-time", SETTING_DURATION, "2m", NULL,
		"how long a connection may rest between two requests", true, TIME_LEAST_MS, LIMIT_CONFIG_TIME_S * MSEC_S },
	[SETTING_CREDHUB_EXPORTABLE] = { "credhub_exportable", "credhub-exportable", SETTING_WORD, "false", NULL,
		"keys of CAs that are made through CredHub's API may be given out again", false, .words = "false true" },
	[SETTING_LOG_LEVEL] = { "log_level", "log-level", SETTING_WORD, "info", NULL, "what is logged, and what is more urgent", true,
		.words = "debug info warn error" }, /* in the order of enum log_level */
	[SETTING_LOG_FORMAT] = { "log_format", "log-format", SETTING_WORD, "logfmt", NULL, "how a line of the log is written", true,
		.words = "logfmt json" }, /* in the order of enum log_format */
};

const char *setting_type_name(enum setting_type type)
{
	static const char *const names[] = { "address", "list of names", "number", "duration", "word" };
	return names[type];
}

/* -- one value -------------------------------------------------------------------------------------------------- */
/* Each of these: NULL, or what a value must be. */
static const char *parse_address(struct arena *a, const struct setting *s, const char *text, int64_t *ret)
{
	const char *colon = strrchr(text, ':');
	size_t host = colon ? (size_t)(colon - text) : 0;
	bool v6 = host > 2 && text[0] == '[' && text[host - 1] == ']';
	bool digits = colon && colon[1] && strlen(colon + 1) <= 5 && colon[1 + strspn(colon + 1, "0123456789")] == 0;
	bool plain = host && host < 255 && (v6 || !memchr(text, ':', host)) && strcspn(text, " \t\"'/") == strlen(text);
	if (digits && plain && strtol(colon + 1, NULL, 10) <= PORT_MOST)
		return NULL;
	return "must be ADDRESS:PORT, such as 0.0.0.0:8443 or \"[::]:8443\"";
}

static const char *parse_name(struct arena *a, const struct setting *s, const char *text, int64_t *ret)
{
	bool typed = text_starts(text, "dns:") || text_starts(text, "ip:") || text_starts(text, "uri:") || text_starts(text, "email:");
	if (!name_san_fault(text) && !typed && !strchr(text, '*'))
		return NULL;
	return "must be a DNS name or an IP address as clients write it, such as troth.example.org";
}

static const char *parse_number(struct arena *a, const struct setting *s, const char *text, int64_t *ret)
{
	size_t digits = strspn(text, "0123456789");
	int64_t n = digits && digits <= 9 && !text[digits] ? strtol(text, NULL, 10) : -1;
	if (n < s->min || n > s->max)
		return arena_printf(a, "must be a number from %lld to %lld", (long long)s->min, (long long)s->max);
	*ret = n;
	return NULL;
}

static const char *parse_duration(struct arena *a, const struct setting *s, const char *text, int64_t *ret)
{
	char least[RFC3339_LEN], most[RFC3339_LEN];
	msec_t len;
	if (rc_failed(duration_parse(text, &len, NULL)) || len < s->min || len > s->max)
		return arena_printf(a, "must be a time with its unit from %s to %s, such as %s", duration_format(s->min, least),
				    duration_format(s->max, most), s->otherwise);
	*ret = len;
	return NULL;
}

static const char *parse_word(struct arena *a, const struct setting *s, const char *text, int64_t *ret)
{
	int64_t place = 0;
	for (const char *word = s->words; *word; place++) {
		size_t len = strcspn(word, " ");
		if (strlen(text) == len && strncmp(word, text, len) == 0) {
			*ret = place;
			return NULL;
		}
		word += len + (word[len] == ' ');
	}
	const char *list = "";
	for (const char *word = s->words; *word; word += strcspn(word, " "), word += *word == ' ')
		list = arena_printf(a, "%s%s%.*s", list, list[0] ? ", " : "", (int)strcspn(word, " "), word);
	return arena_printf(a, "must be one of %s", list);
}

static const char *parse(struct arena *a, const struct setting *s, const char *text, int64_t *ret)
{
	static const char *(*const by_type[])(struct arena *, const struct setting *, const char *, int64_t *) = {
		[SETTING_ADDRESS] = parse_address, [SETTING_NAMES] = parse_name, [SETTING_NUMBER] = parse_number,
		[SETTING_DURATION] = parse_duration, [SETTING_WORD] = parse_word,
	};
	return by_type[s->type](a, s, text, ret);
}

static void set_default(const struct setting *s, struct setting_value *ret)
{
	*ret = (struct setting_value){ .text = s->otherwise };
	if (s->otherwise)
		CHECK(!parse(NULL, s, s->otherwise, &ret->number)); /* a default that is none would need the arena for its words */
}

/* -- the file ----------------------------------------------------------------------------------------------------- */
struct file_reader {
	struct arena *a;
	struct config *c;
	struct troth_err *e;
};

static void found(struct file_reader *r, unsigned line, const char *rule, const char *text, const char *hint)
{
	err_finding(r->a, r->e, arena_printf(r->a, "line %u", line), rule, text, hint);
}

static const char *hint_for(struct arena *a, const struct setting *s)
{
	return arena_printf(a, "%s: %s (default: %s)", s->name, s->help, s->otherwise ? s->otherwise : s->found);
}

/* A scalar as its text: "loops: 4" is a number to YAML.  NULL for what is none. */
static const char *scalar_text(struct arena *a, const struct json *v)
{
	switch (v->type) {
	case JSON_STRING: return strlen(v->str.s) == v->str.len ? v->str.s : NULL;
	case JSON_INT: return arena_printf(a, "%lld", (long long)v->i);
	case JSON_BOOL: return v->b ? "true" : "false";
	default: return NULL;
	}
}

static bool read_text(struct file_reader *r, const struct setting *s, const struct json *v, const char **ret_text, int64_t *ret_number)
{
	const char *text = scalar_text(r->a, v);
	const char *why = !text ? (v->type == JSON_NULL ? "has no value" : "takes one plain value") : parse(r->a, s, text, ret_number);
	*ret_text = text;
	if (why)
		found(r, v->line, text ? "value" : "type",
		      arena_printf(r->a, text ? "%s %s, and is \"%.80s\"" : "%s %s", s->name, why, text ? text : ""), hint_for(r->a, s));
	return !why;
}

/* A list, or one name alone. */
static void read_names(struct file_reader *r, const struct setting *s, const struct json *v, struct setting_value *ret)
{
	const struct json *items = v->type == JSON_ARRAY ? v->list.items : v;
	size_t n = v->type == JSON_ARRAY ? v->list.count : 1;
	for (size_t i = 0; i < n && i < OPTION_VALUES; i++) {
		const char *text;
		if (read_text(r, s, &items[i], &text, &ret->number))
			ret->names.items[ret->names.count++] = text;
	}
	if (n > OPTION_VALUES)
		found(r, v->line, "count", arena_printf(r->a, "%s has %zu entries, and may have %d", s->name, n, OPTION_VALUES), hint_for(r->a, s));
}

static const struct setting *setting_named(const char *name)
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (strcmp(SETTINGS[i].name, name) == 0)
			return &SETTINGS[i];
	return NULL;
}

static const char *all_names(struct arena *a)
{
	const char *list = SETTINGS[0].name;
	for (size_t i = 1; i < SETTING_COUNT; i++)
		list = arena_printf(a, "%s, %s", list, SETTINGS[i].name);
	return list;
}

/* Written as on the command line, or not a setting at all. */
static void unknown_setting(struct file_reader *r, unsigned line, const char *key)
{
	const char *hint = arena_printf(r->a, "there are: %s", all_names(r->a));
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (strcmp(SETTINGS[i].option, key) == 0)
			hint = arena_printf(r->a, "in the file it is written: %s", SETTINGS[i].name);
	found(r, line, "unknown", arena_printf(r->a, "\"%.80s\" is no setting", key), hint);
}

static void read_setting(struct file_reader *r, const char *key, const struct json *v)
{
	const struct setting *s = setting_named(key);
	if (!s) {
		unknown_setting(r, v->line, key);
		return;
	}
	struct setting_value *ret = &r->c->values[s - SETTINGS];
	*ret = (struct setting_value){ .source = SETTING_FILE, .line = v->line };
	if (s->type == SETTING_NAMES)
		read_names(r, s, v, ret);
	else
		(void)read_text(r, s, v, &ret->text, &ret->number); /* what is wrong is a finding */
	r->c->from_file++;
}

/* Nothing but remarks and empty lines: a file that says nothing, as it is made from an example. */
static bool says_nothing(struct bytes text)
{
	const char *s = (const char *)text.data, *end = s + text.len;
	while (s < end) {
		const char *line_end = memchr(s, '\n', (size_t)(end - s));
		line_end = line_end ? line_end : end;
		while (s < line_end && (*s == ' ' || *s == '\t' || *s == '\r'))
			s++;
		if (s < line_end && *s != '#')
			return false;
		s = line_end + 1;
	}
	return true;
}

static troth_rc read_tree(struct file_reader *r, const struct json *tree)
{
	if (tree->type == JSON_NULL)
		return RC_OK;
	ENSURE(tree->type == JSON_OBJECT, r->e, TROTH_INVALID, "line %u: a setting and its value are written \"log_level: debug\"", tree->line);
	for (size_t i = 0; i < tree->map.count; i++)
		read_setting(r, tree->map.keys[i], &tree->map.values[i]);
	return r->e->findings ? (troth_rc){ TROTH_INVALID } : RC_OK;
}

static size_t count_findings(const struct troth_err *e)
{
	size_t n = 0;
	for (const struct finding *f = e->findings; f; f = f->next)
		n++;
	return n;
}

/* What one reads first, above the findings; a fault of the YAML itself says its line alone. */
static void sum_up(const char *file, struct troth_err *e)
{
	size_t n = count_findings(e);
	if (n)
		snprintf(e->primary, sizeof e->primary, "%s: %zu thing%s wrong", file, n, n == 1 ? " is" : "s are");
	else {
		err_prefix(e, "%s", file);
		err_hint(e, "one setting a line; a value with brackets or a # needs quotes: listen: \"[::]:8443\"; then: troth config check %s", file);
		return;
	}
	err_hint(e, "nothing of it is used before it is right; troth config check %s says what is accepted", file);
}

troth_rc config_parse(struct arena *a, struct bytes yaml, const char *file, struct config *ret, struct troth_err *e)
{
	struct troth_err own = { 0 };
	struct config c = { .file = file };
	struct file_reader r = { a, &c, e ? e : &own };
	const struct json *tree;
	for (size_t i = 0; i < SETTING_COUNT; i++)
		set_default(&SETTINGS[i], &c.values[i]);
	err_clear(r.e);
	troth_rc rc = RC_OK;
	if (!says_nothing(yaml))
		rc = yaml_parse(a, yaml, &tree, r.e);
	if (rc_ok(rc) && !says_nothing(yaml))
		rc = read_tree(&r, tree);
	if (rc_failed(rc)) {
		sum_up(file, r.e);
		return rc;
	}
	*ret = c;
	return RC_OK;
}

troth_rc config_read_file(struct arena *a, const char *file, struct config *ret, struct troth_err *e)
{
	struct bytes yaml;
	troth_rc rc = file_read(a, file, LIMIT_YAML_BYTES, &yaml, e);
	if (rc_failed(rc)) {
		err_prefix(e, "the configuration");
		return rc;
	}
	return config_parse(a, yaml, arena_text(a, file), ret, e);
}

/* -- the command line ----------------------------------------------------------------------------------------------- */
void config_options(struct config_from *from, struct option ret[SETTING_COUNT])
{
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		bool names = SETTINGS[i].type == SETTING_NAMES;
		ret[i] = (struct option){ SETTINGS[i].option, names ? NULL : &from->given[i], NULL, names ? &from->names : NULL };
	}
}

static troth_rc take_text(struct arena *a, const struct setting *s, const char *text, int64_t *ret, struct troth_err *e)
{
	const char *why = parse(a, s, text, ret);
	ENSURE(!why, e, TROTH_INVALID, "--%s %s, and is \"%.80s\"", s->option, why, text);
	return RC_OK;
}

troth_rc config_take_options(struct arena *a, const struct config_from *from, struct config *c, struct troth_err *e)
{
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		struct setting_value v = { .source = SETTING_COMMAND, .text = from->given[i] };
		if (SETTINGS[i].type == SETTING_NAMES)
			v.names = from->names;
		if (!v.text && !v.names.count)
			continue;
		if (v.text)
			TRY(take_text(a, &SETTINGS[i], v.text, &v.number, e));
		for (size_t n = 0; n < v.names.count; n++)
			TRY(take_text(a, &SETTINGS[i], v.names.items[n], &v.number, e));
		c->values[i] = v;
	}
	return RC_OK;
}

troth_rc config_read(struct arena *a, const struct config_from *from, struct config *ret, struct troth_err *e)
{
	struct config c;
	struct troth_err none = { 0 };
	TRY(config_parse(a, bytes_of(NULL, 0), NULL, &c, e));
	if (from->file) {
		troth_rc rc = config_read_file(a, from->file, &c, &none);
		bool absent = rc.code == TROTH_NOT_FOUND && !from->must_exist;
		if (rc_failed(rc) && !absent) {
			if (e)
				*e = none;
			return rc;
		}
	}
	TRY(config_take_options(a, from, &c, e));
	*ret = c;
	return RC_OK;
}

static bool is_same(const struct config *a, const struct config *b, size_t id)
{
	const struct setting_value *x = &a->values[id], *y = &b->values[id];
	if (x->names.count != y->names.count)
		return false;
	for (size_t i = 0; i < x->names.count; i++)
		if (strcmp(x->names.items[i], y->names.items[i]) != 0)
			return false;
	if (SETTINGS[id].type == SETTING_ADDRESS)
		return text_equal(x->text, y->text);
	return x->number == y->number;
}

struct config_change config_merge(const struct config *running, struct config *fresh)
{
	struct config_change c = { 0 };
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		bool same = is_same(running, fresh, i);
		c.changed[i] = !same && SETTINGS[i].reload;
		c.restart[i] = !same && !SETTINGS[i].reload;
		c.any = c.any || c.changed[i];
		if (!SETTINGS[i].reload)
			fresh->values[i] = running->values[i];
	}
	return c;
}

/* -- telling ------------------------------------------------------------------------------------------------------------ */
static void write_value(struct json_writer *w, const struct setting *s, const struct setting_value *v)
{
	jw_key(w, "value");
	if (s->type == SETTING_NAMES) {
		jw_array(w);
		for (size_t i = 0; i < v->names.count; i++)
			jw_text(w, v->names.items[i]);
		jw_array_end(w);
	} else if (s->type == SETTING_NUMBER && v->number) {
		jw_int(w, v->number);
	} else {
		jw_text(w, v->text); /* null for what is found at start and was not yet */
	}
}

static void write_setting(struct json_writer *w, const struct setting *s, const struct setting_value *v)
{
	static const char *const sources[] = { "default", "file", "command line" };
	jw_object(w);
	jw_kv_text(w, "name", s->name);
	write_value(w, s, v);
	jw_kv_text(w, "source", sources[v->source]);
	if (v->source == SETTING_FILE)
		jw_kv_int(w, "line", v->line);
	jw_kv_text(w, "type", setting_type_name(s->type));
	jw_kv_text(w, "default", s->otherwise ? s->otherwise : s->found);
	jw_kv_bool(w, "reload", s->reload);
	jw_kv_text(w, "help", s->help);
	jw_object_end(w);
}

void config_write(const struct config *c, const struct config_server *server, struct buf *out)
{
	struct json_writer w = json_writer_make(out);
	jw_object(&w);
	jw_kv_text(&w, "dir", server->dir);
	if (server->pid)
		jw_kv_int(&w, "pid", server->pid);
	jw_kv_text(&w, "file", c->file);
	jw_key(&w, "settings");
	jw_array(&w);
	for (size_t i = 0; i < SETTING_COUNT; i++)
		write_setting(&w, &SETTINGS[i], &c->values[i]);
	jw_array_end(&w);
	jw_object_end(&w);
	buf_add_text(out, "\n");
}
