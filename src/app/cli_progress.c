/* A rotation as the server shows it, for people: one line for a log, a few lines for a terminal. */
#include "app/cli_internal.h"

enum { BAR = 20, VERSION_CHARS = 8, WAITS_SHOWN = 3 };

struct counts {
	const char *state, *stage;
	int64_t stores, with_new, with_old, slots, on_new, joining, offline, unknown;
	const struct json *versions, *waits;
	const char *waits_for;
};

static struct counts read_counts(const struct json *r)
{
	const struct json *p = json_get(r, "progress");
	return (struct counts){
		.state = json_get_text(r, "state", "?"), .stage = json_get_text(p, "stage", "starting"),
		.stores = json_get_int(p, "stores_total", 0), .with_new = json_get_int(p, "stores_with_new", 0),
		.with_old = json_get_int(p, "stores_with_old", 0), .slots = json_get_int(p, "slots_total", 0),
		.on_new = json_get_int(p, "slots_on_new", 0), .joining = json_get_int(p, "joining", 0),
		.offline = json_get_int(p, "offline", 0), .unknown = json_get_int(p, "unknown", 0),
		.versions = json_get(p, "versions"), .waits = json_get(p, "waits"),
		.waits_for = json_get_text(r, "waits_for", NULL),
	};
}

/* What people call the stages: trust the new, use the new, forget the old. */
static const char *stage_words(const struct counts *n)
{
	if (!text_equal(n->state, "running"))
		return n->state;
	if (text_equal(n->stage, "certifying"))
		return "ask for the new";
	if (text_equal(n->stage, "introducing"))
		return "trust the new";
	if (text_equal(n->stage, "switching"))
		return "use the new";
	return text_equal(n->stage, "withdrawing") ? "forget the old" : n->stage;
}

static bool is_authority(const struct json *r)
{
	return text_equal(json_get_text(r, "kind", "authority"), "authority");
}

static const char *aside(struct arena *a, const struct counts *n)
{
	const char *text = "";
	if (n->offline)
		text = arena_printf(a, "%s, %lld offline", text, (long long)n->offline);
	if (n->joining)
		text = arena_printf(a, "%s, %lld joining", text, (long long)n->joining);
	if (n->unknown)
		text = arena_printf(a, "%s, %lld unknown", text, (long long)n->unknown);
	return text;
}

const char *cli_progress_line(struct arena *a, const struct json *r)
{
	struct counts n = read_counts(r);
	const char *line = arena_printf(a, "%s: ", stage_words(&n));
	if (is_authority(r))
		line = arena_printf(a, "%sstores %lld/%lld trust the new CA, %lld the old, ", line, (long long)n.with_new,
				    (long long)n.stores, (long long)n.with_old);
	line = arena_printf(a, "%sslots %lld/%lld on the new%s", line, (long long)n.on_new, (long long)n.slots, aside(a, &n));
	bool waits = n.waits_for && text_equal(n.state, "running");
	return waits ? arena_printf(a, "%s; waits: %s", line, n.waits_for) : line;
}

/* -- the block for a terminal --------------------------------------------------------------------------- */
struct block { struct arena *a; struct buf *out; int width, lines; const char *bold, *plain; };

static bool is_safety(const struct json *wait)
{
	return text_equal(json_get_text(wait, "speaker", ""), "safety");
}

/* Cut at the width: a line that wraps would spoil the redrawing. */
static void add_line(struct block *b, const char *text)
{
	int n = 0;
	const char *p = text;
	for (; *p; p++) {
		n += (*p & 0xc0) != 0x80;
		if (n > b->width)
			break;
	}
	buf_printf(b->out, "%.*s\n", (int)(p - text), text);
	b->lines++;
}

static void add_bar(struct block *b, const char *label, int64_t have, int64_t all)
{
	char bar[BAR + 1];
	int full = all > 0 ? (int)(have * BAR / all) : BAR;
	for (int i = 0; i < BAR; i++)
		bar[i] = i < full ? '#' : '.';
	bar[BAR] = 0;
	add_line(b, arena_printf(b->a, "  %-26s %5lld/%-5lld [%s]", label, (long long)have, (long long)all, bar));
}

static const char *role_of(const struct json *r, const struct json *version)
{
	const char *id = json_get_text(version, "version", "");
	if (text_equal(id, json_get_text(r, "new_version", NULL)))
		return "new";
	return json_get_bool(version, "wanted", false) ? "kept" : "old";
}

/* Per CA: how many stores trust it, how many slots use it, in the words of key rollover. */
static void add_versions(struct block *b, const struct json *r, const struct counts *n)
{
	if (!n->versions || n->versions->type != JSON_ARRAY)
		return;
	for (size_t i = 0; i < n->versions->list.count; i++) {
		const struct json *v = &n->versions->list.items[i];
		const char *word = json_get_text(v, "in_stores", "");
		add_line(b, arena_printf(b->a, "  CA %.*s  %-4s %-7s stores %lld/%lld %s, slots %lld/%lld", VERSION_CHARS,
					 json_get_text(v, "version", "?"), role_of(r, v),
					 json_get_bool(v, "signing", false) ? "signing" : "", (long long)json_get_int(v, "stores_having", 0),
					 (long long)n->stores, word, (long long)json_get_int(v, "slots_using", 0), (long long)n->slots));
	}
}

/* Who is waited for; what is held back for that only if nobody is. */
static void add_waits(struct block *b, const struct counts *n)
{
	const struct json *waits = n->waits && n->waits->type == JSON_ARRAY ? n->waits : NULL;
	size_t asked = 0, shown = 0;
	for (size_t i = 0; waits && i < waits->list.count; i++)
		asked += !is_safety(&waits->list.items[i]);
	for (size_t i = 0; waits && i < waits->list.count && shown < WAITS_SHOWN; i++) {
		if (asked && is_safety(&waits->list.items[i]))
			continue;
		shown++;
		add_line(b, arena_printf(b->a, "  waits: %s", json_get_text(&waits->list.items[i], "text", "?")));
	}
}

msec_t cli_progress_took(const struct json *r, msec_t now)
{
	msec_t started, end = now; /* stays so while it runs */
	if (!rc_ok(time_parse(json_get_text(r, "started", ""), &started, NULL)))
		return -1;
	(void)rc_ok(time_parse(json_get_text(r, "finished", ""), &end, NULL));
	return end > started ? end - started : 0;
}

int cli_progress_block(struct arena *a, const struct json *r, msec_t now, int width, const char *bold, const char *plain,
		       struct buf *out)
{
	struct counts n = read_counts(r);
	struct block b = { a, out, width, 0, bold, plain };
	msec_t took = cli_progress_took(r, now);
	if (took < 0)
		took = 0;
	buf_add_text(out, bold);
	add_line(&b, arena_printf(a, "%s: %s, %lld.%lld s%s", json_get_text(r, "name", "?"), stage_words(&n), (long long)(took / 1000),
				  (long long)(took % 1000 / 100), aside(a, &n)));
	buf_add_text(out, plain);
	if (is_authority(r))
		add_bar(&b, "stores that trust the new", n.with_new, n.stores);
	add_bar(&b, "slots that use the new", n.on_new, n.slots);
	if (is_authority(r))
		add_bar(&b, "stores rid of the old", n.stores - n.with_old, n.stores);
	add_versions(&b, r, &n);
	add_waits(&b, &n);
	return b.lines;
}
