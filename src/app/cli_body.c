/* Options to a request body, by the table: which member, which shape.
 *
 *     --slot name=tls,profile=nginx,san=a,san=b,parameter.port=5432
 *  -> {"name":"tls","profile":"nginx","sans":["a","b"],"parameters":{"port":"5432"}}
 *
 * Commas separate; a comma inside a value is written twice. */
#include "app/cli_internal.h"

enum { BODY_BYTES = 1 << 20, PIECES_MAX = 200, PARAMETER_LEN = sizeof "parameter." - 1 };

struct piece { const char *key, *value; };
struct spec { struct piece pieces[PIECES_MAX]; size_t count; };

static const char *const SLOT_KEYS[] = { "name", "profile", "role", "credential", "authority", "common_name", "key_type", "key_source", "ttl", NULL };
static const char *const STORE_KEYS[] = { "name", "profile", "bundle", NULL };
static const char *const CERT_KEYS[] = { "alias", "source", NULL };

static const char *const *keys_of(enum cli_member kind)
{
	return kind == CLI_SLOT ? SLOT_KEYS : kind == CLI_STORE ? STORE_KEYS : CERT_KEYS;
}

static bool key_known(const char *const *keys, const char *key)
{
	for (; *keys; keys++)
		if (text_equal(*keys, key))
			return true;
	return false;
}

static bool is_list_key(enum cli_member kind, const char *key)
{
	return kind == CLI_SLOT && text_equal(key, "san");
}

static bool is_parameter(enum cli_member kind, const char *key)
{
	return kind != CLI_CERT && text_starts(key, "parameter.") && key[PARAMETER_LEN];
}

static bool is_file(enum cli_member kind, const char *key)
{
	return kind == CLI_CERT && text_equal(key, "file");
}

/* -- taking a spec apart ---------------------------------------------------------------------------- */
/* The piece at *at, up to a single comma; ",," is a comma in it. */
static char *piece_next(struct arena *a, const char **at)
{
	char *piece = arena_alloc(a, strlen(*at) + 1), *out = piece;
	const char *p = *at;
	for (; *p && !(p[0] == ',' && p[1] != ','); p++) {
		*out++ = *p;
		p += p[0] == ',';
	}
	*out = 0;
	*at = *p ? p + 1 : p;
	return piece;
}

static const char *key_list(struct cli *c, enum cli_member kind)
{
	const char *text = kind == CLI_SLOT ? "san, parameter.X" : kind == CLI_STORE ? "parameter.X" : "file";
	for (const char *const *k = keys_of(kind); *k; k++)
		text = arena_printf(c->a, "%s, %s", text, *k);
	return text;
}

static troth_rc spec_parse(struct cli *c, const struct cli_value *v, struct spec *ret, struct troth_err *e)
{
	enum cli_member kind = v->option->kind;
	const char *at = v->text;
	ret->count = 0;
	while (*at) {
		char *key = piece_next(c->a, &at), *equals = strchr(key, '=');
		if (!equals || equals == key)
			return cli_usage(c, e, "%s: \"%.100s\" is not key=value", v->option->name, key);
		*equals = 0;
		for (char *p = key; *p && *p != '.'; p++) /* common-name, common_name: both */
			*p = *p == '-' ? '_' : *p;
		if (!key_known(keys_of(kind), key) && !is_list_key(kind, key) && !is_parameter(kind, key) && !is_file(kind, key)) {
			troth_rc rc = cli_usage(c, e, "%s: key \"%.60s\" is not known", v->option->name, key);
			err_hint(e, "keys: %s", key_list(c, kind));
			return rc;
		}
		if (ret->count >= PIECES_MAX)
			return cli_usage(c, e, "%s has more than %d keys", v->option->name, PIECES_MAX);
		ret->pieces[ret->count++] = (struct piece){ key, equals + 1 };
	}
	return RC_OK;
}

/* -- writing one ------------------------------------------------------------------------------------- */
static void write_list(struct json_writer *w, const struct spec *s, enum cli_member kind)
{
	jw_key(w, "sans");
	jw_array(w);
	for (size_t i = 0; i < s->count; i++)
		if (is_list_key(kind, s->pieces[i].key))
			jw_text(w, s->pieces[i].value);
	jw_array_end(w);
}

static void write_parameters(struct json_writer *w, const struct spec *s, enum cli_member kind)
{
	jw_key(w, "parameters");
	jw_object(w);
	for (size_t i = 0; i < s->count; i++)
		if (is_parameter(kind, s->pieces[i].key))
			jw_kv_text(w, s->pieces[i].key + PARAMETER_LEN, s->pieces[i].value);
	jw_object_end(w);
}

static troth_rc write_file(struct cli *c, struct json_writer *w, const struct cli_option *o, const char *path, struct troth_err *e)
{
	struct bytes text;
	troth_rc rc = file_read(c->a, path, CLI_FILE_BYTES, &text, e);
	if (rc_failed(rc)) {
		err_prefix(e, "%s", o->name);
		return rc;
	}
	jw_text_n(w, (const char *)text.data, text.len);
	return RC_OK;
}

/* What is not for a command line: others see those. */
static troth_rc write_line(struct cli *c, struct json_writer *w, const struct cli_value *v, struct troth_err *e)
{
	struct bytes text;
	arena_secret(c->a);
	TRY(file_read(c->a, v->text, CLI_FILE_BYTES, &text, e));
	size_t len = text.len;
	len -= len && text.data[len - 1] == '\n';
	len -= len && text.data[len - 1] == '\r';
	bool one = len && !memchr(text.data, '\n', len) && !memchr(text.data, 0, len);
	ENSURE(one, e, TROTH_INVALID, "%s: %s must hold one line, and not an empty one", v->option->name, v->text);
	jw_text_n(w, (const char *)text.data, len);
	return RC_OK;
}

static troth_rc write_spec(struct cli *c, struct json_writer *w, const struct cli_value *v, struct troth_err *e)
{
	struct spec s;
	enum cli_member kind = v->option->kind;
	TRY(spec_parse(c, v, &s, e));
	jw_object(w);
	for (size_t i = 0; i < s.count; i++) {
		const struct piece *p = &s.pieces[i];
		if (key_known(keys_of(kind), p->key))
			jw_kv_text(w, p->key, p->value);
		if (!is_file(kind, p->key))
			continue;
		jw_key(w, "pem");
		TRY(write_file(c, w, v->option, p->value, e));
	}
	if (kind == CLI_SLOT)
		write_list(w, &s, kind);
	if (kind != CLI_CERT)
		write_parameters(w, &s, kind);
	jw_object_end(w);
	return RC_OK;
}

/* -- the members ---------------------------------------------------------------------------------------- */
static troth_rc write_int(struct cli *c, struct json_writer *w, const struct cli_value *v, struct troth_err *e)
{
	char *end = NULL;
	long long n = strtoll(v->text, &end, 10);
	if (!v->text[0] || *end)
		return cli_usage(c, e, "%s: \"%.60s\" is not a number", v->option->name, v->text);
	jw_int(w, n);
	return RC_OK;
}

static troth_rc write_one(struct cli *c, struct json_writer *w, const struct cli_value *v, struct troth_err *e)
{
	switch (v->option->kind) {
	case CLI_INT: return write_int(c, w, v, e);
	case CLI_FILE: return write_file(c, w, v->option, v->text, e);
	case CLI_LINE: return write_line(c, w, v, e);
	case CLI_TRUE: jw_bool(w, true); return RC_OK;
	case CLI_FALSE: jw_bool(w, false); return RC_OK;
	case CLI_NONE: jw_array(w); jw_array_end(w); return RC_OK;
	case CLI_SLOT: case CLI_STORE: case CLI_CERT: return write_spec(c, w, v, e);
	default: jw_text(w, v->text); return RC_OK;
	}
}

static bool is_repeated(enum cli_member kind)
{
	return kind == CLI_TEXTS || kind == CLI_SLOT || kind == CLI_STORE || kind == CLI_CERT;
}

static troth_rc write_member(struct cli *c, struct json_writer *w, const struct cli_option *o, struct troth_err *e)
{
	const struct cli_value *last = NULL;
	for (size_t i = 0; i < c->value_count; i++)
		if (c->values[i].option == o)
			last = &c->values[i];
	if (!last)
		return RC_OK;
	jw_key(w, o->member);
	if (!is_repeated(o->kind))
		return write_one(c, w, last, e);
	jw_array(w);
	for (size_t i = 0; i < c->value_count; i++)
		if (c->values[i].option == o)
			TRY(write_one(c, w, &c->values[i], e));
	jw_array_end(w);
	return RC_OK;
}

bool cli_body_is_empty(const struct cli *c)
{
	for (size_t i = 0; i < c->value_count; i++)
		if (c->values[i].option->member && c->values[i].option->kind != CLI_QUERY && c->values[i].option->kind != CLI_OWN)
			return false;
	return true;
}

troth_rc cli_body(struct cli *c, const char **ret_json, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf out = buf_make(BODY_BYTES);
	struct json_writer w = json_writer_make(&out);
	jw_object(&w);
	if (c->command->member && c->word_count)
		jw_kv_text(&w, c->command->member, c->words[0]);
	for (const struct cli_option *o = c->command->options; o && o->name; o++)
		if (o->member && o->kind != CLI_QUERY && o->kind != CLI_OWN)
			TRY(write_member(c, &w, o, e));
	jw_object_end(&w);
	ENSURE(buf_ok(&out), e, TROTH_TOO_LARGE, "the request is larger than %d bytes", BODY_BYTES);
	*ret_json = arena_text_n(c->a, buf_text(&out), out.len);
	return RC_OK;
}

size_t cli_query(struct cli *c, struct http_pair *pairs, size_t max)
{
	size_t n = 0;
	for (const struct cli_option *o = c->command->options; o && o->name && n < max; o++)
		if (o->kind == CLI_QUERY)
			pairs[n++] = (struct http_pair){ o->member, cli_value(c, o->name) };
	return n;
}
