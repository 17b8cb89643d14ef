/* troth topology: authorities, what they signed, who trusts and who serves it, drawn as a tree.
 *
 *     /prod/pg/ca                         3f2a1b9c0d1e  2027-11-22  365 d   signs
 *     ├─ app/trust                        in 12 of 12 stores
 *     └─ /prod/pg/pg-1/server             91ab01234567  2026-12-22  30 d
 *        └─ pg-1/server                   served
 *
 * A node is a version; what hangs below it is what it signed, and the places that have it. */
#include "app/cli_internal.h"

enum { TREE_BYTES = 128 << 20, REST_COLUMN = 36, DEPTH_MAX = 16, FINGERPRINT_CHARS = 12, LEFT_CHARS = 6 };

struct node { const struct json *item, *version; const char *parent; size_t at; }; /* version NULL: it has none yet */
struct nodes { const struct node *items; size_t count; };

struct tree {
	struct cli *c;
	struct buf *out;
	msec_t now;
	int depth;
	struct node *nodes;  /* by parent */
	size_t node_count;
	const char **ids;    /* of all versions, sorted */
	size_t id_count;
};

static const char *text_of(const struct json *j, const char *key) { return json_get_text(j, key, ""); }

/* -- how much is left ------------------------------------------------------------------------------------ */
msec_t cli_time_of(const struct json *j, const char *key)
{
	msec_t at = 0;
	const char *text = json_get_text(j, key, NULL);
	return text && rc_ok(time_parse(text, &at, NULL)) ? at : 0;
}

/* Green while nothing is due, yellow in the last third of its life (it should have been renewed by then), red in the
 * last tenth and after its end.  What is left is left of the chain. */
static const char *expiry_colour(const struct cli *c, msec_t life, msec_t left)
{
	if (left <= life / 10)
		return cli_colour(c, "31");
	return cli_colour(c, left <= life / 3 ? "33" : "32");
}

const char *cli_left_text(struct arena *a, msec_t end, msec_t now)
{
	msec_t left = end > now ? end - now : now - end;
	const char *text = left >= 2 * MSEC_DAY ? arena_printf(a, "%lld d", (long long)(left / MSEC_DAY)) :
			   left >= 2 * MSEC_HOUR ? arena_printf(a, "%lld h", (long long)(left / MSEC_HOUR)) :
						   arena_printf(a, "%lld min", (long long)(left / MSEC_MIN));
	return end > now ? text : arena_printf(a, "ended %s ago", text);
}

/* "3f2a1b9c0d1e  2027-11-22  365 d   signs" */
static const char *version_text(struct tree *t, const struct json *version, const char *state)
{
	const char *end = cli_cell_text(t->c->a, json_get(version, "not_after"), CELL_DATE);
	const char *left = cli_left_text(t->c->a, cli_time_of(version, "not_after"), t->now);
	return arena_printf(t->c->a, "%.*s  %s  %-*s%s%s", FINGERPRINT_CHARS, text_of(version, "fingerprint"), end, state[0] ? LEFT_CHARS : 0, left,
			    state[0] ? "  " : "", state);
}

/* -- what hangs where ---------------------------------------------------------------------------------------- */
static int by_parent(const void *a, const void *b)
{
	const struct node *x = a, *y = b;
	int order = strcmp(x->parent, y->parent);
	return order ? order : x->at < y->at ? -1 : 1;
}

/* The ids of all versions in the picture, sorted. */
static void gather_ids(struct tree *t, const struct json *items)
{
	t->ids = ARENA_ARRAY(t->c->a, const char *, t->node_count);
	for (size_t i = 0; i < items->list.count; i++) {
		const struct json *versions = json_get_list(&items->list.items[i], "versions");
		for (size_t k = 0; k < versions->list.count; k++)
			t->ids[t->id_count++] = text_of(&versions->list.items[k], "id");
	}
	qsort(t->ids, t->id_count, sizeof *t->ids, text_order);
}

/* Below which version a node hangs: "" at the top, also when its signer is not in the picture.  What has no certificate
 * yet hangs below its authority's signer. */
static const char *parent_of(const struct tree *t, const struct json *items, const struct node *n)
{
	const char *by = n->version ? text_of(n->version, "signed_by") : "", *authority = text_of(n->item, "authority");
	for (size_t i = 0; !n->version && authority[0] && i < items->list.count; i++)
		if (text_equal(text_of(&items->list.items[i], "name"), authority))
			by = json_get_text(cli_pick(&items->list.items[i], "versions?signing"), "id", "");
	return bsearch(&by, t->ids, t->id_count, sizeof *t->ids, text_order) ? by : "";
}

static void gather_nodes(struct tree *t, const struct json *items)
{
	for (size_t i = 0; i < items->list.count; i++)
		t->node_count += json_get_list(&items->list.items[i], "versions")->list.count + 1;
	t->nodes = ARENA_ARRAY(t->c->a, struct node, t->node_count);
	gather_ids(t, items);
	t->node_count = 0;
	for (size_t i = 0; i < items->list.count; i++) {
		const struct json *item = &items->list.items[i], *versions = json_get_list(item, "versions");
		for (size_t k = 0; k < versions->list.count || (k == 0 && !versions->list.count); k++) {
			struct node *n = &t->nodes[t->node_count++];
			*n = (struct node){ .item = item, .version = k < versions->list.count ? &versions->list.items[k] : NULL, .at = t->node_count };
			n->parent = parent_of(t, items, n);
		}
	}
	qsort(t->nodes, t->node_count, sizeof *t->nodes, by_parent);
}

/* What hangs below this version; the sorted nodes with this parent. */
static struct nodes below(const struct tree *t, const char *parent)
{
	size_t low = 0, high = t->node_count, end;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(t->nodes[middle].parent, parent) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < t->node_count && text_equal(t->nodes[end].parent, parent); end++)
		;
	return (struct nodes){ t->nodes + low, end - low };
}

/* -- lines ------------------------------------------------------------------------------------------------------ */
/* "prefix name    rest"; a name that is too long has a line of its own. */
static void put_line(struct tree *t, const char *prefix, const char *under, const char *name, const char *colour, const char *rest)
{
	struct cli *c = t->c;
	int at = cli_text_width(prefix) + cli_text_width(name);
	buf_printf(t->out, "%s%s%s%s", prefix, cli_colour(c, "1"), name, cli_colour(c, "0"));
	if (at + 2 > REST_COLUMN) {
		buf_printf(t->out, "\n%s", under);
		at = cli_text_width(under);
	}
	buf_printf(t->out, "%*s%s%s%s\n", REST_COLUMN - at > 0 ? REST_COLUMN - at : 1, "", colour, rest, cli_colour(c, "0"));
}

static const char *state_word(const struct json *item, const struct json *version)
{
	if (json_get_bool(version, "distrusted", false))
		return "distrusted";
	bool old = !json_get_bool(version, "wanted", true);
	if (!text_equal(text_of(item, "kind"), "authority") || !json_get_bool(version, "signing", false))
		return old ? "old" : "";
	return old ? "signs, old" : "signs"; /* during a rotation, until the first slot takes the new one */
}

static void put_node(struct tree *t, const char *prefix, const char *under, struct node n)
{
	struct arena *a = t->c->a;
	const char *name = text_of(n.item, "name");
	if (!n.version) {
		put_line(t, prefix, under, name, cli_colour(t->c, "33"), "no certificate yet");
		return;
	}
	msec_t end = cli_time_of(n.version, "not_after"), chain = cli_time_of(n.version, "chain_not_after");
	const char *colour = expiry_colour(t->c, end - cli_time_of(n.version, "not_before"), (chain ? chain : end) - t->now);
	put_line(t, prefix, under, name, colour, version_text(t, n.version, state_word(n.item, n.version)));
	if (chain && chain < end)
		put_line(t, under, under, "", colour, arena_printf(a, "chain ends with %s", text_of(n.version, "chain_ends")));
}

static void put_use(struct tree *t, const char *prefix, const char *under, const struct json *use)
{
	struct arena *a = t->c->a;
	const char *kind = text_of(use, "kind"), *who = json_get_text(use, "instance", text_of(use, "deployment"));
	int64_t members = json_get_int(use, "members", 0), of = json_get_int(use, "of", 0);
	bool outside = text_equal(kind, "holder");
	const char *name = outside ? "outside the fleet" : text_equal(kind, "binding") ? arena_printf(a, "bound to %s", text_of(use, "target")) :
							       arena_printf(a, "%s/%s", who, text_of(use, "target"));
	const char *what = text_equal(kind, "slot") ? (members ? "served" : "on its way there") :
			   outside ? "taken with a request" :
						     arena_printf(a, "in %lld of %lld %s%s", (long long)members, (long long)of, kind,
								  of == 1 ? "" : "s");
	put_line(t, prefix, under, name, cli_colour(t->c, members < of ? "33" : "0"), what);
}

static void put_below(struct tree *t, const char *indent, struct node n);

static void put_child(struct tree *t, const char *indent, bool last, struct node n, const struct json *use)
{
	const char *prefix = arena_printf(t->c->a, "%s%s", indent, last ? "└─ " : "├─ ");
	const char *under = arena_printf(t->c->a, "%s%s", indent, last ? "   " : "│  ");
	if (use) {
		put_use(t, prefix, under, use);
		return;
	}
	put_node(t, prefix, under, n);
	put_below(t, under, n);
}

static void put_below(struct tree *t, const char *indent, struct node n)
{
	const struct json *uses = json_get_list(n.version, "used_by");
	struct nodes children = { 0 };
	if (t->depth >= DEPTH_MAX)
		return;
	t->depth++;
	if (n.version && text_equal(text_of(n.item, "kind"), "authority"))
		children = below(t, text_of(n.version, "id"));
	for (size_t i = 0; i < uses->list.count; i++)
		put_child(t, indent, !children.count && i + 1 == uses->list.count, (struct node){ 0 }, &uses->list.items[i]);
	for (size_t i = 0; i < children.count; i++)
		put_child(t, indent, i + 1 == children.count, children.items[i], NULL);
	t->depth--;
}

static troth_rc print_tree(struct cli *c, const struct json *items, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf out = buf_make(TREE_BYTES);
	struct tree t = { .c = c, .out = &out, .now = c->port->now(c->port->self) };
	gather_nodes(&t, items);
	struct nodes roots = below(&t, "");
	for (size_t i = 0; i < roots.count; i++) {
		put_node(&t, "", "", roots.items[i]);
		put_below(&t, "", roots.items[i]);
	}
	if (!roots.count)
		buf_printf(&out, "%s\n", c->command->empty);
	return cli_flush(c, &out, e);
}

troth_rc cli_certificates(struct cli *c, const char *name, bool all, const struct json **ret, struct troth_err *e)
{
	struct http_pair pairs[] = { { "limit", "50" }, { "name", name }, { "all", all ? "true" : NULL } };
	return cli_list(c, cli_target(c->a, "/v1/topology", pairs, ARRAY_LEN(pairs)), ret, e);
}

troth_rc cli_run_topology(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	if (c->format == CLI_AS_MAESTRO)
		return cli_run_maestro_topology(c, e);
	TRY(cli_certificates(c, cli_value(c, "--name"), cli_flag(c, "--all"), &j, e));
	return c->format == CLI_AS_TABLE ? print_tree(c, json_get(j, "items"), e) : cli_print(c, j, e);
}
