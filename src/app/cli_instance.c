/* instance show and diff: what each target shall have, has on disk, runs, and shows.
 *
 * A cell is a generation: "4". The server counts only what is settled; what is on its way is told by the level
 * that the newest document has reached (sent < written < loaded < probed). */
#include "app/cli_internal.h"

enum { DIFF_BYTES = 64 << 20, FINGERPRINT_CHARS = 12 };

struct seen { int64_t wanted, disk, loaded, shown; bool known; };

/* Has the newest document come so far? */
static bool reached(const struct json *t, const char *const *levels, size_t n)
{
	const char *level = json_get_text(t, "level", "");
	for (size_t i = 0; i < n; i++)
		if (text_equal(level, levels[i]))
			return true;
	return false;
}

static struct seen read_seen(const struct json *t)
{
	static const char *const levels[] = { "probed", "loaded", "written" };
	const struct json *loaded = json_get(t, "loaded");
	int64_t base = json_get_int(loaded, "generation", 0), newest = json_get_int(t, "level_generation", 0);
	struct seen s = { .wanted = json_get_int(json_get(t, "wanted"), "generation", 0), .known = json_get_bool(loaded, "known", false) };
	s.disk = reached(t, levels, 3) ? newest : base;
	s.loaded = reached(t, levels, 2) ? newest : base;
	s.shown = reached(t, levels, 1) ? newest : base;
	return s;
}

static const char *number(struct arena *a, int64_t generation, bool known)
{
	return !generation ? "-" : arena_printf(a, "%lld%s", (long long)generation, known ? "" : "?");
}

static bool is_slot(const struct json *t) { return text_equal(json_get_text(t, "kind", ""), "slot"); }

/* What was not as it was left; NULL: nothing. */
static const char *drift_text(struct arena *a, const struct json *t)
{
	const struct json *lines = json_get(json_get(t, "drift"), "lines");
	return lines && lines->type == JSON_ARRAY && lines->list.count ? cli_cell_text(a, lines, CELL_LIST) : NULL;
}

/* -- instance show ---------------------------------------------------------------------------------------------- */
static struct json target_row(struct cli *c, const struct json *t)
{
	struct seen s = read_seen(t);
	const char *said = json_get_text(t, "last_error", NULL);
	const char *drift = drift_text(c->a, t);
	said = said || !drift ? said : arena_printf(c->a, "drift: %s", drift);
	const char *what = is_slot(t) ? json_get_text(t, "credential", NULL) : json_get_text(t, "profile", NULL);
	struct http_pair members[] = {
		{ "name", json_get_text(t, "name", "?") }, { "kind", json_get_text(t, "kind", "?") }, { "state", json_get_text(t, "state", "?") },
		{ "wanted", number(c->a, s.wanted, true) }, { "on_disk", number(c->a, s.disk, s.known) },
		{ "loaded", number(c->a, s.loaded, s.known) }, { "presented", is_slot(t) ? number(c->a, s.shown, s.known) : "-" },
		{ "what", what }, { "remark", said },
	};
	return cli_object(c->a, members, ARRAY_LEN(members));
}

/* The instance with its targets as rows of the four views. */
static const struct json *with_views(struct cli *c, const struct json *instance)
{
	struct json *copy = arena_copy(c->a, instance, sizeof *instance);
	copy->map.values = arena_copy(c->a, instance->map.values, instance->map.count * sizeof *instance->map.values);
	for (size_t i = 0; i < copy->map.count; i++) {
		struct json *list = &copy->map.values[i];
		if (!text_equal(copy->map.keys[i], "targets") || list->type != JSON_ARRAY)
			continue;
		struct json *rows = ARENA_ARRAY(c->a, struct json, list->list.count);
		for (size_t k = 0; k < list->list.count; k++)
			rows[k] = target_row(c, &list->list.items[k]);
		list->list.items = rows;
	}
	return copy;
}

troth_rc cli_run_instance_show(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *id = NULL;
	TRY(cli_find(c, c->command->path, "instance", c->words[0], &id, e));
	TRY(cli_call(c, HTTP_GET, arena_printf(c->a, "%s/%s", c->command->path, id), NULL, 0, &j, e));
	return cli_print(c, c->format == CLI_AS_TABLE && j->type == JSON_OBJECT ? with_views(c, j) : j, e);
}

/* -- diff ------------------------------------------------------------------------------------------------------- */
struct diff {
	struct cli *c;
	const struct json *certs, *bundles; /* items: whose fingerprint is that */
	struct buf *out;
	struct json *different;
	size_t count;
};

static const char *target_name(struct arena *a, const struct json *t)
{
	return arena_printf(a, "%s/%s", json_get_text(json_get(t, "instance"), "name", "?"), json_get_text(t, "name", "?"));
}

/* NAME is an instance, INSTANCE/TARGET, a deployment, or a credential that a slot presents. */
static bool is_asked_for(struct cli *c, const struct json *t)
{
	const char *name = c->word_count ? c->words[0] : NULL;
	return !name || text_equal(name, json_get_text(json_get(t, "instance"), "name", "")) || text_equal(name, target_name(c->a, t)) ||
	       text_equal(name, json_get_text(t, "deployment", "")) || text_equal(name, json_get_text(t, "credential", ""));
}

/* Drift alone is no difference: it was put right, or stands beside what is wanted. */
static bool differs(const struct json *t)
{
	struct seen s = read_seen(t);
	int64_t base = json_get_int(json_get(t, "loaded"), "generation", 0);
	return s.wanted != base || (s.wanted && !s.known) || json_get_text(t, "last_error", NULL);
}

/* The first of `inside` (a list in each item) with this fingerprint, in words; NULL: none has it. */
static const char *name_of(struct cli *c, const struct json *items, const char *inside, const char *fingerprint)
{
	for (size_t i = 0; i < items->list.count; i++) {
		const struct json *item = &items->list.items[i], *list = json_get_list(item, inside);
		for (size_t k = 0; k < list->list.count; k++) {
			const struct json *x = &list->list.items[k];
			const char *alias = json_get_text(x, "alias", NULL);
			if (text_equal(json_get_text(x, "fingerprint", ""), fingerprint))
				return arena_printf(c->a, "%s%s%s, until %s", json_get_text(item, "name", "?"), alias ? " " : "", alias ? alias : "",
						    cli_cell_text(c->a, json_get(x, "not_after"), CELL_DATE));
		}
	}
	return NULL;
}

static const char *whose(const struct diff *d, const char *fingerprint)
{
	const char *name = name_of(d->c, d->certs, "versions", fingerprint);
	name = name ? name : name_of(d->c, d->bundles, "members", fingerprint);
	return name ? name : "(not known here any more)";
}

/* The certificates of `list` that `other` has not, each with its sign. */
static void put_certs(struct diff *d, const struct json *list, const struct json *other, const char *sign, const char *colour)
{
	for (size_t i = 0; i < list->list.count; i++) {
		const struct json *x = &list->list.items[i];
		if (x->type != JSON_STRING || json_list_has(other, x->str.s))
			continue;
		buf_printf(d->out, "%s  %s %.*s  %s%s\n", cli_colour(d->c, colour), sign, FINGERPRINT_CHARS, x->str.s, whose(d, x->str.s),
			   cli_colour(d->c, "0"));
	}
}

static void put_remark(struct diff *d, const char *label, const char *remark)
{
	buf_add_text(d->out, "  ");
	cli_wrap_write(arena_printf(d->c->a, "%s: %s", label, remark), 4, d->c->width, d->out);
}

static void put_target(struct diff *d, const struct json *t)
{
	const struct json *wanted = json_get(t, "wanted"), *loaded = json_get(t, "loaded");
	struct seen s = read_seen(t);
	struct arena *a = d->c->a;
	buf_printf(d->out, "%s%s%s  wanted %s, on disk %s, loaded %s%s%s\n", cli_colour(d->c, "1"), target_name(a, t), cli_colour(d->c, "0"),
		   number(a, s.wanted, true), number(a, s.disk, s.known), number(a, s.loaded, s.known), is_slot(t) ? ", presented " : "",
		   is_slot(t) ? number(a, s.shown, s.known) : "");
	if (!s.known && s.wanted)
		buf_add_text(d->out, "  what it holds is not known until it reports\n");
	put_certs(d, json_get_list(loaded, "fingerprints"), json_get_list(wanted, "fingerprints"), "-", "31");
	put_certs(d, json_get_list(wanted, "fingerprints"), json_get_list(loaded, "fingerprints"), "+", "32");
	if (json_get_text(t, "last_error", NULL))
		put_remark(d, "its agent says", cli_cell_text(a, json_get(t, "last_error"), CELL_TEXT));
	if (drift_text(a, t))
		put_remark(d, "drift", drift_text(a, t));
}

static troth_rc no_such(struct cli *c, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_NOT_FOUND, "no target belongs to \"%.200s\"", c->words[0]);
	err_hint(e, "say an instance, INSTANCE/TARGET, a deployment or a credential that a slot presents; troth target list shows them");
	return rc;
}

static troth_rc print_diff(struct cli *c, struct diff *d, struct troth_err *e)
{
	const struct json *certs, *bundles;
	CLEANUP(buf_release) struct buf out = buf_make(DIFF_BYTES);
	d->out = &out;
	if (d->count) {
		TRY(cli_certificates(c, NULL, true, &certs, e));
		TRY(cli_list(c, "/v1/bundles", &bundles, e));
		d->certs = json_get(certs, "items");
		d->bundles = json_get(bundles, "items");
	}
	for (size_t i = 0; i < d->count; i++)
		put_target(d, &d->different[i]);
	if (!d->count)
		buf_printf(&out, "%s\n", c->command->empty);
	return cli_flush(c, &out, e);
}

troth_rc cli_run_diff(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	struct diff d = { .c = c };
	size_t asked = 0;
	TRY(cli_list(c, c->command->path, &j, e));
	const struct json *items = json_get(j, "items");
	d.different = ARENA_ARRAY(c->a, struct json, items->list.count);
	for (size_t i = 0; i < items->list.count; i++) {
		if (!is_asked_for(c, &items->list.items[i]))
			continue;
		asked++;
		if (differs(&items->list.items[i]))
			d.different[d.count++] = items->list.items[i];
	}
	if (c->word_count && !asked)
		return no_such(c, e);
	c->found = d.count > 0;
	return c->format == CLI_AS_TABLE ? print_diff(c, &d, e) : cli_print(c, cli_list_made(c->a, d.different, d.count), e);
}
