/* Maestro's words, computed from what the server says of its certificates (GET /v1/topology); pure.
 *
 *     active        a deployment is seen to use the version
 *     signing       it signed a version that is active: during a rotation two can be
 *     transitional  CredHub's flag (model/transitional.h)
 *
 * A deployment uses what its slots were seen to serve, and the CAs above that.  One that has no slot below a CA uses the
 * version of it that its stores hold; of several the one that signs, for the others are trusted in addition, as CredHub
 * pins one version for a deployment and adds the other to `ca`.  Members that are false or empty are left out. */
#include "app/cli_internal.h"
#include "model/transitional.h"

enum { DEPTH_MAX = 16, MEMBERS_MAX = 8 };

struct seen { const struct json *item, *version; bool active, signing; }; /* a version in the answer */
struct use { size_t seen; const char *deployment; };                    /* by its place among the versions */
struct words {
	struct arena *a;
	const struct json *items;
	struct seen *seen;        /* by id */
	size_t seen_count;
	struct use *uses;         /* sorted, each once, as far as `sorted`; behind it as they were found */
	size_t use_count, use_cap, sorted;
};

static const char *text_of(const struct json *j, const char *key) { return json_get_text(j, key, ""); }

/* -- versions by id ------------------------------------------------------------------------------------- */
static int by_id(const void *a, const void *b)
{
	return strcmp(text_of(((const struct seen *)a)->version, "id"), text_of(((const struct seen *)b)->version, "id"));
}

static void gather(struct words *w)
{
	size_t n = 0;
	for (size_t i = 0; i < w->items->list.count; i++)
		n += json_get_list(&w->items->list.items[i], "versions")->list.count;
	w->seen = ARENA_ARRAY(w->a, struct seen, n);
	for (size_t i = 0; i < w->items->list.count; i++) {
		const struct json *item = &w->items->list.items[i], *versions = json_get_list(item, "versions");
		for (size_t k = 0; k < versions->list.count; k++)
			w->seen[w->seen_count++] = (struct seen){ .item = item, .version = &versions->list.items[k] };
	}
	qsort(w->seen, w->seen_count, sizeof *w->seen, by_id);
}

/* NULL: it is not in the answer. */
static struct seen *seen_find(const struct words *w, const char *id)
{
	size_t low = 0, high = w->seen_count;
	while (id && low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(text_of(w->seen[middle].version, "id"), id);
		if (order == 0)
			return &w->seen[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* The version that signed it; NULL: itself, or nobody in the answer. */
static struct seen *signer_of(const struct words *w, const struct seen *s)
{
	return seen_find(w, json_get_text(s->version, "signed_by", NULL));
}

/* -- who uses what ---------------------------------------------------------------------------------------- */
static void use_add(struct words *w, const struct seen *s, const char *deployment)
{
	if (w->use_count == w->use_cap) {
		struct use *more = ARENA_ARRAY(w->a, struct use, 2 * w->use_cap + 64);
		if (w->use_count)
			memcpy(more, w->uses, w->use_count * sizeof *more);
		w->uses = more;
		w->use_cap = 2 * w->use_cap + 64;
	}
	w->uses[w->use_count++] = (struct use){ (size_t)(s - w->seen), deployment };
}

/* The deployment of a line of used_by, if it was seen to hold the version; who is outside of all deployments (holders,
 * bindings, troth itself) is none. */
static const char *user_of(const struct json *use, bool slot)
{
	const char *kind = text_of(use, "kind"), *deployment = json_get_text(use, "deployment", NULL);
	bool counts = text_equal(kind, "slot") || text_equal(kind, "store") || text_equal(kind, "external");
	bool is_slot = json_get_text(use, "instance", NULL) != NULL;
	return counts && is_slot == slot && json_get_int(use, "members", 0) > 0 ? deployment : NULL;
}

/* What slots serve, and the CAs above it. */
static void add_served(struct words *w, const struct seen *leaf)
{
	const struct json *uses = json_get_list(leaf->version, "used_by");
	for (size_t i = 0; i < uses->list.count; i++) {
		const char *deployment = user_of(&uses->list.items[i], true);
		const struct seen *s = leaf;
		for (int depth = 0; deployment && s && depth < DEPTH_MAX; depth++, s = signer_of(w, s))
			use_add(w, s, deployment);
	}
}

/* Upper and lower case and punctuation make a difference only between names that are else the same: so a database with a
 * language's collation sorts them, and the director's list of deployments comes from one. */
static int by_collation(const char *a, const char *b)
{
	const char *x = a, *y = b;
	for (;; x++, y++) {
		x += strcspn(x, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
		y += strcspn(y, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
		int left = *x >= 'A' && *x <= 'Z' ? *x + 32 : *x, right = *y >= 'A' && *y <= 'Z' ? *y + 32 : *y;
		if (left != right)
			return left - right;
		if (!left)
			return strcmp(a, b);
	}
}

static int by_use(const void *a, const void *b)
{
	const struct use *x = a, *y = b;
	return x->seen != y->seen ? (x->seen < y->seen ? -1 : 1) : by_collation(x->deployment, y->deployment);
}

static void sort_uses(struct words *w)
{
	size_t n = 0;
	if (w->use_count)
		qsort(w->uses, w->use_count, sizeof *w->uses, by_use);
	for (size_t i = 0; i < w->use_count; i++)
		if (!n || by_use(&w->uses[n - 1], &w->uses[i]) != 0)
			w->uses[n++] = w->uses[i];
	w->use_count = w->sorted = n;
}

/* The first of the sorted uses of a version. */
static size_t first_use(const struct words *w, size_t seen)
{
	size_t low = 0, high = w->sorted;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (w->uses[middle].seen < seen)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool uses(const struct words *w, const struct seen *s, const char *deployment)
{
	size_t seen = (size_t)(s - w->seen);
	for (size_t i = first_use(w, seen); i < w->sorted && w->uses[i].seen == seen; i++)
		if (text_equal(w->uses[i].deployment, deployment))
			return true;
	return false;
}

static bool holds(const struct json *version, const char *deployment)
{
	const struct json *uses = json_get_list(version, "used_by");
	for (size_t i = 0; i < uses->list.count; i++)
		if (text_equal(user_of(&uses->list.items[i], false), deployment))
			return true;
	return false;
}

/* Of the versions of a CA that a deployment's stores hold: the one that signs, else the newest. */
static const struct json *held_one(const struct json *versions, const char *deployment)
{
	const struct json *one = NULL;
	for (size_t i = 0; i < versions->list.count; i++) {
		const struct json *v = &versions->list.items[i];
		if (holds(v, deployment) && (!one || json_get_bool(v, "signing", false)))
			one = v;
	}
	return one;
}

/* Deployments that have nothing to show below this CA: what their stores hold. */
static void add_held(struct words *w, const struct json *item)
{
	const struct json *versions = json_get_list(item, "versions");
	for (size_t i = 0; i < versions->list.count; i++) {
		const struct json *lines = json_get_list(&versions->list.items[i], "used_by");
		for (size_t k = 0; k < lines->list.count; k++) {
			const char *deployment = user_of(&lines->list.items[k], false);
			bool serves = false;
			for (size_t n = 0; deployment && n < versions->list.count && !serves; n++)
				serves = uses(w, seen_find(w, text_of(&versions->list.items[n], "id")), deployment);
			if (deployment && !serves)
				use_add(w, seen_find(w, text_of(held_one(versions, deployment), "id")), deployment);
		}
	}
}

static bool is_authority(const struct json *item) { return text_equal(text_of(item, "kind"), "authority"); }

static void look(struct words *w)
{
	gather(w);
	for (size_t i = 0; i < w->seen_count; i++)
		if (!is_authority(w->seen[i].item))
			add_served(w, &w->seen[i]);
	sort_uses(w); /* add_held asks who serves something */
	for (size_t i = 0; i < w->items->list.count; i++)
		if (is_authority(&w->items->list.items[i]))
			add_held(w, &w->items->list.items[i]);
	sort_uses(w);
	for (size_t i = 0; i < w->use_count; i++)
		w->seen[w->uses[i].seen].active = true;
	for (size_t i = 0; i < w->seen_count; i++) {
		struct seen *signer = w->seen[i].active ? signer_of(w, &w->seen[i]) : NULL;
		if (signer)
			signer->signing = true;
	}
}

/* -- as JSON --------------------------------------------------------------------------------------------- */
static struct json object_new(struct arena *a)
{
	return (struct json){ .type = JSON_OBJECT, .path = "$",
			      .map = { ARENA_ARRAY(a, const char *, MEMBERS_MAX), ARENA_ARRAY(a, struct json, MEMBERS_MAX), 0 } };
}

static void add(struct json *object, const char *key, struct json value)
{
	CHECK(object->map.count < MEMBERS_MAX);
	object->map.keys[object->map.count] = key;
	object->map.values[object->map.count++] = value;
}

static void add_text(struct json *object, const char *key, const char *text)
{
	if (text && text[0])
		add(object, key, (struct json){ .type = JSON_STRING, .path = key, .str = { text, strlen(text) } });
}

static void add_true(struct json *object, const char *key, bool is)
{
	if (is)
		add(object, key, (struct json){ .type = JSON_BOOL, .path = key, .b = true });
}

static struct json list_new(struct arena *a, size_t most)
{
	return (struct json){ .type = JSON_ARRAY, .path = "$", .list = { ARENA_ARRAY(a, struct json, most), 0 } };
}

static void add_list(struct json *object, const char *key, struct json list)
{
	if (list.list.count)
		add(object, key, list);
}

static struct json deployments_of(const struct words *w, size_t seen)
{
	size_t first = first_use(w, seen), n = 0;
	while (first + n < w->use_count && w->uses[first + n].seen == seen)
		n++;
	struct json list = list_new(w->a, n);
	for (size_t i = 0; i < n; i++) {
		const char *name = w->uses[first + i].deployment;
		list.list.items[list.list.count++] = (struct json){ .type = JSON_STRING, .path = "$", .str = { name, strlen(name) } };
	}
	return list;
}

static struct json version_words(const struct words *w, const struct json *version, bool authority, bool transitional)
{
	const struct seen *s = seen_find(w, text_of(version, "id"));
	struct json out = object_new(w->a);
	add_text(&out, "version_id", text_of(version, "id"));
	add_true(&out, "active", s->active);
	add_list(&out, "deployment_names", deployments_of(w, (size_t)(s - w->seen)));
	add_true(&out, "signing", s->signing);
	add_true(&out, "transitional", transitional);
	add_true(&out, "certificate_authority", authority);
	add_true(&out, "generated", !text_equal(text_of(version, "source"), "uploaded"));
	add_text(&out, "valid_until", text_of(version, "not_after"));
	return out;
}

/* Which of an authority's versions has the flag; -1: none.  A leaf's never have: its old ones are not trusted for themselves. */
static int flagged(const struct words *w, const struct json *item)
{
	const struct json *versions = json_get_list(item, "versions");
	struct ca_standing *standing = ARENA_ARRAY(w->a, struct ca_standing, versions->list.count);
	if (!is_authority(item))
		return -1;
	for (size_t i = 0; i < versions->list.count; i++) {
		const struct json *v = &versions->list.items[i];
		standing[i] = (struct ca_standing){ json_get_bool(v, "wanted", false), json_get_bool(v, "signing", false),
						    json_get_bool(v, "distrusted", false) };
	}
	bool goes = !json_get_bool(item, "rotating", false) || json_list_has(json_get_list(item, "approved"), "withdraw");
	return transitional_of(standing, versions->list.count, goes);
}

/* By name: of a certificate that its own name stands for, itself. */
static const char *signed_by(const struct json *item)
{
	return json_get_text(item, "authority", is_authority(item) ? text_of(item, "name") : NULL);
}

static struct json item_words(const struct words *w, const struct json *item, bool signs, int depth);

/* What it signed, by name, as CredHub links certificates. */
static struct json below_words(const struct words *w, const struct json *item, int depth)
{
	size_t n = 0;
	for (size_t i = 0; i < w->items->list.count; i++)
		n += text_equal(json_get_text(&w->items->list.items[i], "authority", NULL), text_of(item, "name"));
	struct json below = list_new(w->a, n);
	for (size_t i = 0; i < w->items->list.count && depth < DEPTH_MAX; i++)
		if (text_equal(json_get_text(&w->items->list.items[i], "authority", NULL), text_of(item, "name")))
			below.list.items[below.list.count++] = item_words(w, &w->items->list.items[i], true, depth + 1);
	return below;
}

static struct json item_words(const struct words *w, const struct json *item, bool signs, int depth)
{
	const struct json *versions = json_get_list(item, "versions");
	struct json out = object_new(w->a), list = list_new(w->a, versions->list.count);
	int transitional = flagged(w, item);
	for (size_t i = 0; i < versions->list.count; i++)
		list.list.items[list.list.count++] = version_words(w, &versions->list.items[i], is_authority(item), (int)i == transitional);
	add_text(&out, "name", text_of(item, "name"));
	add_text(&out, "certificate_id", text_of(item, "id"));
	add_text(&out, "signed_by", signed_by(item));
	add_list(&out, "versions", list);
	if (signs && is_authority(item))
		add_list(&out, "signs", below_words(w, item, depth));
	return out;
}

/* Without a name, all but troth's own. */
static bool is_asked_for(const struct json *item, const char *name)
{
	return name ? text_equal(text_of(item, "name"), name) : !text_starts(text_of(item, "name"), "/troth/");
}

const struct json *cli_maestro_topology(struct arena *a, const struct json *items, const char *name, bool signs)
{
	struct words w = { .a = a, .items = items };
	struct json list = list_new(a, items->list.count), out = object_new(a);
	look(&w);
	for (size_t i = 0; i < items->list.count; i++)
		if (is_asked_for(&items->list.items[i], name))
			list.list.items[list.list.count++] = item_words(&w, &items->list.items[i], signs, 0);
	add(&out, "topology", list);
	return arena_copy(a, &out, sizeof out);
}
