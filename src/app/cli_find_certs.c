/* troth expiring, troth search: every certificate that troth knows, one line each, and those that were asked for.
 *
 * What it knows: the versions of authorities and credentials (with the end of their chain), and the single
 * certificates that bundles trust. */
#include "app/cli_internal.h"

#include <ctype.h>

enum { WITHIN_DEFAULT_D = 30, HEX_MIN = 4 };

struct rows { struct json *items; size_t count, cap; };

static void add_row(struct arena *a, struct rows *r, struct json row)
{
	if (r->count == r->cap) {
		size_t cap = r->cap ? 2 * r->cap : 64;
		struct json *more = ARENA_ARRAY(a, struct json, cap);
		if (r->count)
			memcpy(more, r->items, r->count * sizeof *more);
		r->items = more;
		r->cap = cap;
	}
	r->items[r->count++] = row;
}

/* -- expiring ------------------------------------------------------------------------------------------------ */
struct expiring {
	struct cli *c;
	struct rows rows;
	msec_t now, until;
};

static void add_ending(struct expiring *x, const char *name, const char *kind, const struct json *cert, const char *with)
{
	struct arena *a = x->c->a;
	const char *end_key = json_get(cert, "chain_not_after") ? "chain_not_after" : "not_after";
	msec_t end = cli_time_of(cert, end_key);
	if (!end || end > x->until)
		return;
	struct http_pair members[] = {
		{ "name", name }, { "kind", kind }, { "ends", json_get_text(cert, end_key, NULL) },
		{ "left", cli_left_text(a, end, x->now) }, { "ends_with", with && !text_equal(with, name) ? with : NULL },
		{ "not_after", json_get_text(cert, "not_after", NULL) }, { "fingerprint", json_get_text(cert, "fingerprint", NULL) },
	};
	add_row(a, &x->rows, cli_object(a, members, ARRAY_LEN(members)));
}

static void add_versions(struct expiring *x, const struct json *items)
{
	for (size_t i = 0; i < items->list.count; i++) {
		const struct json *item = &items->list.items[i], *versions = json_get_list(item, "versions");
		for (size_t k = 0; k < versions->list.count; k++)
			add_ending(x, json_get_text(item, "name", "?"), json_get_text(item, "kind", NULL), &versions->list.items[k],
				   json_get_text(&versions->list.items[k], "chain_ends", NULL));
	}
}

static const char *member_name(struct arena *a, const struct json *bundle, const struct json *member)
{
	return arena_printf(a, "%s %s", json_get_text(bundle, "name", "?"), json_get_text(member, "alias", "?"));
}

static void add_trusted(struct expiring *x, const struct json *bundles)
{
	for (size_t i = 0; i < bundles->list.count; i++) {
		const struct json *members = json_get_list(&bundles->list.items[i], "members");
		for (size_t k = 0; k < members->list.count; k++)
			add_ending(x, member_name(x->c->a, &bundles->list.items[i], &members->list.items[k]), "trusted", &members->list.items[k], NULL);
	}
}

static int by_end(const void *a, const void *b)
{
	return strcmp(json_get_text(a, "ends", ""), json_get_text(b, "ends", ""));
}

static troth_rc read_within(struct cli *c, msec_t *ret, struct troth_err *e)
{
	const char *text = cli_value(c, "--within");
	*ret = WITHIN_DEFAULT_D * MSEC_DAY;
	if (text && rc_failed(duration_parse(text, ret, e)))
		return cli_usage(c, e, "--within %.40s is not a length of time such as 30d or 12h", text);
	return RC_OK;
}

troth_rc cli_run_expiring(struct cli *c, struct troth_err *e)
{
	struct expiring x = { .c = c, .now = c->port->now(c->port->self) };
	const struct json *certs, *bundles;
	msec_t within;
	TRY(read_within(c, &within, e));
	x.until = x.now + within;
	TRY(cli_certificates(c, NULL, false, &certs, e));
	TRY(cli_list(c, "/v1/bundles", &bundles, e));
	add_versions(&x, json_get(certs, "items"));
	add_trusted(&x, json_get(bundles, "items"));
	if (x.rows.count)
		qsort(x.rows.items, x.rows.count, sizeof *x.rows.items, by_end);
	c->found = x.rows.count > 0;
	return cli_print(c, cli_list_made(c->a, x.rows.items, x.rows.count), e);
}

/* -- search --------------------------------------------------------------------------------------------------- */
struct search {
	struct cli *c;
	struct rows rows;
	const char *text, *digits; /* lower case; digits: without colons, as hex is kept here */
};

static const char *lower(struct arena *a, const char *s, bool colons)
{
	char *copy = arena_text(a, s), *to = copy;
	for (const char *p = s; *p; p++)
		if (*p != ':' || colons)
			*to++ = (char)tolower((unsigned char)*p);
	*to = 0;
	return copy;
}

/* Two or three letters are somewhere in every other fingerprint. */
static bool has(const struct search *s, const char *value, bool hex)
{
	if (hex && strlen(s->digits) < HEX_MIN)
		return false;
	return value && strstr(lower(s->c->a, value, !hex), hex ? s->digits : s->text);
}

static void add_hit(struct search *s, const char *kind, const char *name, const char *where, const char *what, const struct json *cert)
{
	struct http_pair members[] = {
		{ "kind", kind }, { "name", name }, { "found_in", where }, { "value", what },
		{ "fingerprint", json_get_text(cert, "fingerprint", NULL) }, { "not_after", json_get_text(cert, "not_after", NULL) },
	};
	add_row(s->c->a, &s->rows, cli_object(s->c->a, members, ARRAY_LEN(members)));
}

/* In one certificate: one line, for the first place where it is found. */
static void search_cert(struct search *s, const char *kind, const char *name, const struct json *cert)
{
	static const struct { const char *key, *words; bool hex; } places[] = {
		{ "fingerprint", "fingerprint", true }, { "serial", "serial", true }, { "subject", "subject", false },
	};
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		const char *value = json_get_text(cert, places[i].key, NULL);
		if (has(s, value, places[i].hex)) {
			add_hit(s, kind, name, places[i].words, value, cert);
			return;
		}
	}
}

static void search_item(struct search *s, const struct json *item)
{
	const char *name = json_get_text(item, "name", "?"), *kind = json_get_text(item, "kind", "?");
	const struct json *sans = json_get_list(item, "sans"), *versions = json_get_list(item, "versions"), *newest = json_get(item, "none");
	newest = versions->list.count ? &versions->list.items[0] : newest;
	if (has(s, name, false))
		add_hit(s, kind, name, "name", name, newest);
	for (size_t i = 0; i < sans->list.count; i++)
		if (sans->list.items[i].type == JSON_STRING && has(s, sans->list.items[i].str.s, false))
			add_hit(s, kind, name, "san", sans->list.items[i].str.s, newest);
	for (size_t i = 0; i < versions->list.count; i++)
		search_cert(s, kind, name, &versions->list.items[i]);
}

static void search_bundle(struct search *s, const struct json *bundle)
{
	const struct json *members = json_get_list(bundle, "members");
	for (size_t i = 0; i < members->list.count; i++) {
		const char *alias = json_get_text(&members->list.items[i], "alias", NULL), *name = member_name(s->c->a, bundle, &members->list.items[i]);
		if (alias && has(s, alias, false))
			add_hit(s, "trusted", name, "alias", alias, &members->list.items[i]);
		else if (alias)
			search_cert(s, "trusted", name, &members->list.items[i]);
	}
}

/* What has a name and no certificate of its own. */
static troth_rc search_names(struct search *s, const char *path, const char *kind, struct troth_err *e)
{
	const struct json *j;
	TRY(cli_list(s->c, path, &j, e));
	const struct json *items = json_get(j, "items");
	for (size_t i = 0; i < items->list.count; i++) {
		const char *name = json_get_text(&items->list.items[i], "name", NULL);
		if (has(s, name, false))
			add_hit(s, kind, name, "name", name, &items->list.items[i]);
		if (text_equal(kind, "bundle"))
			search_bundle(s, &items->list.items[i]);
	}
	return RC_OK;
}

troth_rc cli_run_search(struct cli *c, struct troth_err *e)
{
	static const struct { const char *path, *kind; } named[] = { { "/v1/bundles", "bundle" }, { "/v1/deployments", "deployment" },
								    { "/v1/instances", "instance" }, { "/v1/bindings", "binding" } };
	struct search s = { .c = c, .text = lower(c->a, c->words[0], true), .digits = lower(c->a, c->words[0], false) };
	const struct json *certs;
	if (!s.digits[0])
		return cli_usage(c, e, "say what to look for");
	TRY(cli_certificates(c, NULL, true, &certs, e));
	const struct json *items = json_get(certs, "items");
	for (size_t i = 0; i < items->list.count; i++)
		search_item(&s, &items->list.items[i]);
	for (size_t i = 0; i < ARRAY_LEN(named); i++)
		TRY(search_names(&s, named[i].path, named[i].kind, e));
	if (s.rows.count || c->format != CLI_AS_TABLE)
		return cli_print(c, cli_list_made(c->a, s.rows.items, s.rows.count), e);
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "nothing here has \"%.100s\" in its name, SAN, subject, serial or fingerprint", c->words[0]);
	err_hint(e, "a part is enough, upper or lower case; fingerprints are SHA-256, with or without colons");
	return rc;
}
