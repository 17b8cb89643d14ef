/* Maestro's commands for those whose hands and scripts know them: alias maestro='troth maestro'.
 *
 *     regenerate ca               a rotation whose steps wait, and its first one: the new CA goes to the stores
 *     update-transitional signing the second: slots take certificates of the new CA
 *     regenerate leaf             certificates that the rotation does not replace anyway are renewed
 *     update-transitional remove  the third: the old CA leaves the stores
 *     garbage-collect             nothing is left to do: it says what is kept, and for whom
 *
 * The engine decides whether a step may be taken, as always; what it refuses is a safety violation here, in Maestro's layout.
 * docs/decisions/0076 says why each word is that act. */
#include "app/cli_internal.h"

enum { OUTPUT_BYTES = 128 << 20, HOLD_S = 1, ENTRY_MEMBERS = 4, REQUEST_BYTES = 8 << 10 };

/* Documented texts: what Maestro says when a step comes in the wrong order. */
static const char UNFINISHED[] = "certificate authorities can not have a transitional version";
static const char NOT_BEGUN[] = "certificate authorities latest version is not transitional";

/* -- options ------------------------------------------------------------------------------------------------ */
#define MAESTRO_WHICH                                                                               \
	{ "--name", "NAME", NULL, CLI_OWN, false, "this one" },                                       \
	{ "--all", NULL, NULL, CLI_OWN, false, "all but troth's own" }
#define MAESTRO_SKIP(text) { "--skip-safety-check", NULL, NULL, CLI_OWN, false, text }
const struct cli_option CLI_MAESTRO_NAME[] = {
	{ "--name", "NAME", NULL, CLI_OWN, false, "only this one; default: all but troth's own" },
	{ 0 }
};
const struct cli_option CLI_MAESTRO_LIST[] = {
	{ "--expires-within", "LENGTH", NULL, CLI_OWN, false, "a number of days, weeks, months or years: 30d, 3m" },
	{ 0 }
};
const struct cli_option CLI_MAESTRO_REGENERATE[] = {
	MAESTRO_WHICH,
	{ "--signed-by", "NAME", NULL, CLI_OWN, false, "leaf: all that this CA signs" },
	MAESTRO_SKIP("ca: also while the rotation before is not finished"),
	{ 0 }
};
const struct cli_option CLI_MAESTRO_UPDATE[] = {
	MAESTRO_WHICH,
	{ "--wait", "LENGTH", NULL, CLI_OWN, false, "until the step may be taken; default: refuse at once" },
	MAESTRO_SKIP("accepted, and without effect: what keeps handshakes working is never skipped"),
	{ 0 }
};
const struct cli_option CLI_MAESTRO_COLLECT[] = {
	MAESTRO_WHICH,
	{ "--dry-run", NULL, NULL, CLI_OWN, false, "the same" },
	{ 0 }
};

static const char *text_of(const struct json *j, const char *key) { return json_get_text(j, key, ""); }

static bool is_kind(const struct json *item, const char *kind) { return text_equal(text_of(item, "kind"), kind); }

/* -- printing ---------------------------------------------------------------------------------------------- */
static bool wants_json(const struct cli *c)
{
	const char *asked = c->port->env(c->port->self, "MAESTRO_OUTPUT_JSON");
	return c->format == CLI_AS_JSON || (asked && asked[0] && !text_equal(asked, "false"));
}

static troth_rc print(struct cli *c, const struct json *j, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf out = buf_make(OUTPUT_BYTES);
	if (wants_json(c))
		cli_json_write(j, &out);
	else
		cli_yaml_write_go(j, &out);
	return cli_flush(c, &out, e);
}

struct entries { struct json *items; size_t count, cap; };

static void add_entry(struct arena *a, struct entries *list, struct json entry)
{
	if (list->count == list->cap) {
		struct json *more = ARENA_ARRAY(a, struct json, 2 * list->cap + 16);
		if (list->count)
			memcpy(more, list->items, list->count * sizeof *more);
		list->items = more;
		list->cap = 2 * list->cap + 16;
	}
	list->items[list->count++] = entry;
}

static struct json list_json(const struct entries *list)
{
	return (struct json){ .type = JSON_ARRAY, .path = "$", .list = { list->items, list->count } };
}

static struct json text_json(const char *text)
{
	return (struct json){ .type = JSON_STRING, .path = "$", .str = { text, strlen(text) } };
}

/* An object of texts without those that are empty. */
static struct json entry_of(struct arena *a, const struct http_pair *members, size_t count)
{
	struct http_pair *said = ARENA_ARRAY(a, struct http_pair, count);
	size_t n = 0;
	for (size_t i = 0; i < count; i++)
		if (members[i].value && members[i].value[0])
			said[n++] = members[i];
	return cli_object(a, said, n);
}

static struct json named(struct arena *a, const struct json *item, const char *reason)
{
	const struct http_pair members[] = { { "name", text_of(item, "name") }, { "certificate_id", text_of(item, "id") }, { "reason", reason } };
	return entry_of(a, members, ARRAY_LEN(members));
}

/* -- which certificates -------------------------------------------------------------------------------------- */
struct chosen {
	const struct json *items;      /* all that the server told, also those above and below */
	const struct json **list;
	size_t count;
	bool all;
};

/* Those of a kind: of this name, signed by that one, or all but troth's own. */
static bool is_chosen(const struct cli *c, const struct json *item, const char *kind)
{
	const char *name = cli_value(c, "--name"), *signer = cli_value(c, "--signed-by");
	if (name)
		return text_equal(text_of(item, "name"), name);
	if (!is_kind(item, kind) || text_starts(text_of(item, "name"), "/troth/"))
		return false;
	return !signer || text_equal(text_of(item, "authority"), signer);
}

static troth_rc check_kind(const struct chosen *chosen, const char *kind, struct troth_err *e)
{
	for (size_t i = 0; i < chosen->count; i++)
		ENSURE(is_kind(chosen->list[i], kind), e, TROTH_INVALID, "%s is %s", text_of(chosen->list[i], "name"),
		       text_equal(kind, "leaf") ? "a certificate authority: regenerate ca" : "no certificate authority: regenerate leaf");
	return RC_OK;
}

static troth_rc choose(struct cli *c, const char *kind, struct chosen *ret, struct troth_err *e)
{
	const char *name = cli_value(c, "--name"), *signer = cli_value(c, "--signed-by");
	const struct json *j;
	ret->all = cli_flag(c, "--all");
	if ((name != NULL) + (signer != NULL) + ret->all != 1)
		return cli_usage(c, e, "say --name NAME%s or --all, and one of them only", text_equal(kind, "leaf") ? ", --signed-by NAME" : "");
	TRY(cli_certificates(c, name ? name : signer, false, &j, e));
	ret->items = json_get(j, "items");
	ret->list = ARENA_ARRAY(c->a, const struct json *, ret->items->list.count);
	for (size_t i = 0; i < ret->items->list.count; i++)
		if (is_chosen(c, &ret->items->list.items[i], kind))
			ret->list[ret->count++] = &ret->items->list.items[i];
	return check_kind(ret, kind, e);
}

static const struct json *item_of(const struct chosen *chosen, const char *name)
{
	for (size_t i = 0; i < chosen->items->list.count; i++)
		if (text_equal(text_of(&chosen->items->list.items[i], "name"), name))
			return &chosen->items->list.items[i];
	return NULL;
}

/* -- acting on each of them ------------------------------------------------------------------------------------- */
/* An act that is refused for safety fails with UNSAFE and says the violation; one that finds nothing to do says so, or (of
 * several) why this certificate is left alone. */
struct act_ret { const char *violation, *excluded; bool nothing; };
typedef troth_rc act_fn(struct cli *c, const struct chosen *chosen, const struct json *item, struct act_ret *ret, struct troth_err *e);

struct acted { struct entries done, excluded, violations; struct troth_err first; };

static void add_violation(struct cli *c, struct acted *x, const char *violation, const char *name, const struct troth_err *e)
{
	struct json *members = ARENA_ARRAY(c->a, struct json, 2), *names = ARENA_NEW(c->a, struct json);
	static const char *keys[] = { "violation", "certificate_names" };
	*names = text_json(name);
	members[0] = text_json(violation);
	members[1] = (struct json){ .type = JSON_ARRAY, .path = "$", .list = { names, 1 } };
	if (!x->violations.count)
		x->first = *e;
	add_entry(c->a, &x->violations, (struct json){ .type = JSON_OBJECT, .path = "$", .map = { keys, members, 2 } });
}

/* {"regenerated":[...]}, and what was refused. */
static troth_rc print_acted(struct cli *c, const char *what, const struct acted *x, struct troth_err *e)
{
	const char **keys = ARENA_ARRAY(c->a, const char *, 4);
	struct json *values = ARENA_ARRAY(c->a, struct json, 4);
	size_t n = 0;
	if (x->done.count || !x->violations.count) {
		keys[n] = what;
		values[n++] = list_json(&x->done);
	}
	if (x->excluded.count) {
		keys[n] = "excluded";
		values[n++] = list_json(&x->excluded);
	}
	if (x->violations.count) {
		keys[n] = "safety_violations";
		values[n++] = list_json(&x->violations);
		keys[n] = "error";
		values[n++] = text_json("safety constraints violated");
	}
	return print(c, &(struct json){ .type = JSON_OBJECT, .path = "$", .map = { keys, values, n } }, e);
}

static troth_rc say_violation(const struct acted *x, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_UNSAFE, "%s", x->first.primary);
	err_detail(e, "%s", x->first.detail);
	err_hint(e, "%s", x->first.hint);
	return rc;
}

static troth_rc act_on_each(struct cli *c, const struct chosen *chosen, act_fn *act, const char *what, struct troth_err *e)
{
	struct acted x = { 0 };
	for (size_t i = 0; i < chosen->count; i++) {
		const struct json *item = chosen->list[i];
		struct act_ret ret = { 0 };
		struct troth_err refused = { 0 };
		troth_rc rc = act(c, chosen, item, &ret, &refused);
		if (rc_ok(rc) && ret.excluded) {
			add_entry(c->a, &x.excluded, named(c->a, item, ret.excluded));
		} else if (rc_ok(rc) && !ret.nothing) {
			add_entry(c->a, &x.done, named(c->a, item, NULL));
		} else if (rc_failed(rc) && refused.kind != TROTH_UNSAFE) {
			if (x.done.count)
				TRY(print_acted(c, what, &x, e)); /* what was done is done */
			*e = refused;
			return rc;
		} else if (rc_failed(rc)) {
			add_violation(c, &x, ret.violation ? ret.violation : refused.primary, text_of(item, "name"), &refused);
		}
	}
	TRY(print_acted(c, what, &x, e));
	return x.violations.count ? say_violation(&x, e) : RC_OK;
}

/* -- a step ----------------------------------------------------------------------------------------------------- */
/* What the engine waits for now, in a sentence; NULL: nothing. */
static troth_rc waited_for(struct cli *c, const char *name, const char **ret, struct troth_err *e)
{
	const struct json *j;
	*ret = NULL;
	TRY(cli_call(c, HTTP_GET, cli_target(c->a, "/v1/explain", &(struct http_pair){ "name", name }, 1), NULL, 0, &j, e));
	const struct json *items = json_get_list(j, "items");
	if (items->list.count)
		*ret = json_get_text(&items->list.items[0], "plain", NULL);
	return RC_OK;
}

static troth_rc refuse_step(struct cli *c, const char *name, struct act_ret *ret, struct troth_err *e)
{
	struct troth_err said = *e;
	const char *why;
	TRY(waited_for(c, name, &why, e));
	ret->violation = why;
	troth_rc rc = err_set(e, TROTH_UNSAFE, "%s of %s must wait%s%s", c->words[0], name, why ? ": " : "", why ? why : "");
	err_detail(e, "%s", said.primary);
	err_hint(e, "troth explain %s says who is waited for, and since when%s", name,
		 cli_flag(c, "--skip-safety-check") ? "; --skip-safety-check skips Maestro's checks, and never what keeps handshakes working" :
						      "; --wait 10m waits for it");
	err_object(e, "%s", name);
	return rc;
}

static troth_rc step_approve(struct cli *c, const char *rotation, const char *step, struct troth_err *e)
{
	const struct json *j;
	return cli_call(c, HTTP_POST, arena_printf(c->a, "/v1/rotations/%s/approve", rotation), arena_printf(c->a, "{\"step\":\"%s\"}", step), 0,
			&j, e);
}

/* The new CA goes to the stores; none of them waits for it: nobody to be introduced to. */
static troth_rc step_introduce(struct cli *c, const char *rotation, struct troth_err *e)
{
	troth_rc rc = step_approve(c, rotation, "introduce", e);
	return rc_failed(rc) && e->kind == TROTH_CONFLICT ? RC_OK : rc;
}

/* The step can be approved when it is what the engine waits for; --wait tries again whenever something has moved. */
static troth_rc step_take(struct cli *c, const char *rotation, const char *step, msec_t until, struct troth_err *e)
{
	for (;;) {
		const struct json *j;
		struct troth_err refused = { 0 };
		troth_rc rc = step_approve(c, rotation, step, &refused);
		if (rc_ok(rc) || refused.kind != TROTH_CONFLICT || c->port->now(c->port->self) >= until) {
			*e = refused;
			return rc;
		}
		TRY(cli_call(c, HTTP_GET, arena_printf(c->a, "/v1/rotations/%s?wait=%ds", rotation, HOLD_S), NULL, HOLD_S * MSEC_S, &j, e));
	}
}

/* -- regenerate ca -------------------------------------------------------------------------------------------------- */
static troth_rc refuse_unfinished(const struct json *item, struct act_ret *ret, struct troth_err *e)
{
	const char *name = text_of(item, "name");
	ret->violation = UNFINISHED;
	troth_rc rc = err_set(e, TROTH_UNSAFE, "the rotation of %s before this one is not finished", name);
	err_hint(e, "troth explain %s says what it waits for; --skip-safety-check makes one more version on top of it", name);
	err_object(e, "%s", name);
	return rc;
}

/* Its steps wait for us, whatever its rollout says. */
static troth_rc begin(struct cli *c, const struct json *item, const char **ret_rotation, struct troth_err *e)
{
	const struct json *j;
	CLEANUP(buf_release) struct buf body = buf_make(REQUEST_BYTES);
	struct json_writer w = json_writer_make(&body);
	jw_object(&w);
	jw_kv_text(&w, "name", text_of(item, "name"));
	jw_kv_text(&w, "reason", "maestro regenerate ca");
	jw_kv_bool(&w, "by_steps", true);
	jw_kv_bool(&w, "again", cli_flag(c, "--skip-safety-check"));
	jw_object_end(&w);
	TRY(cli_call(c, HTTP_POST, "/v1/rotations", arena_text_n(c->a, (const char *)body.data, body.len), 0, &j, e));
	*ret_rotation = json_get_text(j, "rotation", "");
	return RC_OK;
}

/* With --all Maestro leaves alone what CredHub did not generate; an intermediate comes with the root above it. */
static bool comes_by_itself(const struct chosen *chosen, const struct json *item)
{
	const struct json *newest = json_get_list(item, "versions");
	const char *issuer = json_get_text(item, "authority", NULL);
	bool brought = !newest->list.count || text_equal(text_of(&newest->list.items[0], "source"), "uploaded");
	const struct json *above = issuer ? item_of(chosen, issuer) : NULL;
	return brought || (above && !comes_by_itself(chosen, above));
}

static troth_rc act_regenerate_ca(struct cli *c, const struct chosen *chosen, const struct json *item, struct act_ret *ret, struct troth_err *e)
{
	const char *rotation;
	ret->nothing = chosen->all && comes_by_itself(chosen, item);
	if (ret->nothing)
		return RC_OK;
	if (json_get_bool(item, "rotating", false) && !cli_flag(c, "--skip-safety-check"))
		return refuse_unfinished(item, ret, e);
	TRY(begin(c, item, &rotation, e));
	return step_introduce(c, rotation, e);
}

/* -- regenerate leaf -------------------------------------------------------------------------------------------------- */
/* A rotation of its CA, or of one above, replaces it: it has been, if the newest version of its CA signed it. */
static bool is_being_rotated(const struct chosen *chosen, const struct json *leaf)
{
	const struct json *at = item_of(chosen, text_of(leaf, "authority"));
	while (at && !json_get_bool(at, "rotating", false))
		at = item_of(chosen, text_of(at, "authority"));
	return at != NULL;
}

static bool is_under_newest(const struct chosen *chosen, const struct json *leaf)
{
	const struct json *ca = item_of(chosen, text_of(leaf, "authority")), *versions = json_get_list(leaf, "versions");
	const struct json *newest = ca ? json_get_list(ca, "versions") : NULL;
	return newest && newest->list.count && versions->list.count &&
	       text_equal(text_of(&newest->list.items[0], "id"), text_of(&versions->list.items[0], "signed_by"));
}

static troth_rc act_regenerate_leaf(struct cli *c, const struct chosen *chosen, const struct json *item, struct act_ret *ret, struct troth_err *e)
{
	const struct json *j, *versions = json_get_list(item, "versions");
	bool several = !cli_value(c, "--name");
	if (several && (!versions->list.count || text_equal(text_of(&versions->list.items[0], "source"), "uploaded")))
		ret->excluded = versions->list.count ? "somebody else issued it" : "it has no certificate yet";
	if (ret->excluded || (is_being_rotated(chosen, item) && is_under_newest(chosen, item)))
		return RC_OK;
	troth_rc rc = cli_call(c, HTTP_POST, arena_printf(c->a, "/v1/credentials/%s/renew", text_of(item, "id")), "{}", 0, &j, e);
	if (rc_ok(rc) || e->kind != TROTH_CONFLICT || !several)
		return rc;
	ret->excluded = arena_printf(c->a, "%s%s%s", e->primary, e->hint[0] ? ". To do: " : "", e->hint); /* only who has it can ask for the next */
	return RC_OK;
}

troth_rc cli_run_maestro_regenerate(struct cli *c, struct troth_err *e)
{
	struct chosen chosen = { 0 };
	bool ca = text_equal(c->words[0], "ca");
	if (!ca && !text_equal(c->words[0], "leaf"))
		return cli_usage(c, e, "regenerate what: ca or leaf");
	if (ca && cli_value(c, "--signed-by"))
		return cli_usage(c, e, "--signed-by is for leaf certificates");
	TRY(choose(c, ca ? "authority" : "leaf", &chosen, e));
	return act_on_each(c, &chosen, ca ? act_regenerate_ca : act_regenerate_leaf, "regenerated", e);
}

/* -- update-transitional ------------------------------------------------------------------------------------------------ */
static troth_rc refuse_not_begun(const struct json *item, struct act_ret *ret, struct troth_err *e)
{
	const char *name = text_of(item, "name");
	ret->violation = NOT_BEGUN;
	troth_rc rc = err_set(e, TROTH_UNSAFE, "%s has no new version that could sign: no rotation of it goes on", name);
	err_hint(e, "troth maestro regenerate ca --name %s begins one", name);
	err_object(e, "%s", name);
	return rc;
}

static troth_rc act_update(struct cli *c, const struct chosen *chosen, const struct json *item, struct act_ret *ret, struct troth_err *e)
{
	bool signing = text_equal(c->words[0], "signing");
	const char *step = signing ? "switch" : "withdraw", *rotation, *limit = cli_value(c, "--wait");
	msec_t length = 0;
	if (limit && rc_failed(duration_parse(limit, &length, e)))
		return cli_usage(c, e, "--wait: \"%.40s\" is not a length of time, such as 10m", limit);
	if (!json_get_bool(item, "rotating", false)) {
		ret->nothing = !signing || chosen->all;
		return ret->nothing ? RC_OK : refuse_not_begun(item, ret, e);
	}
	if (json_list_has(json_get_list(item, "approved"), step))
		return RC_OK; /* said twice is said once */
	TRY(cli_rotation_id(c, text_of(item, "name"), &rotation, e));
	if (signing && !json_list_has(json_get_list(item, "approved"), "introduce"))
		TRY(step_introduce(c, rotation, e)); /* somebody else began it, or its certificate came later */
	troth_rc rc = step_take(c, rotation, step, c->port->now(c->port->self) + length, e);
	return rc_failed(rc) && e->kind == TROTH_CONFLICT ? refuse_step(c, text_of(item, "name"), ret, e) : rc;
}

troth_rc cli_run_maestro_update(struct cli *c, struct troth_err *e)
{
	struct chosen chosen = { 0 };
	if (!text_equal(c->words[0], "signing") && !text_equal(c->words[0], "remove"))
		return cli_usage(c, e, "update-transitional what: signing or remove");
	TRY(choose(c, "authority", &chosen, e));
	return act_on_each(c, &chosen, act_update, "updated", e);
}

/* -- garbage-collect -------------------------------------------------------------------------------------------------------- */
/* A version that is neither wanted nor in use and is still here: who it is kept for. */
static troth_rc add_kept(struct cli *c, const struct json *item, const struct json *version, struct entries *kept, struct troth_err *e)
{
	const char *why;
	if (json_get_bool(version, "wanted", true))
		return RC_OK;
	TRY(waited_for(c, text_of(item, "name"), &why, e));
	const struct http_pair members[ENTRY_MEMBERS] = { { "name", text_of(item, "name") }, { "version_id", text_of(version, "id") },
							  { "kept_because", why ? why : "it is in use" } };
	add_entry(c->a, kept, entry_of(c->a, members, ARRAY_LEN(members) - 1));
	return RC_OK;
}

troth_rc cli_run_maestro_collect(struct cli *c, struct troth_err *e)
{
	static const char *keys[] = { "garbage_collected", "kept" };
	struct chosen chosen = { 0 };
	struct entries kept = { 0 };
	TRY(choose(c, "authority", &chosen, e));
	for (size_t i = 0; i < chosen.count; i++) {
		const struct json *versions = json_get_list(chosen.list[i], "versions");
		for (size_t k = 0; k < versions->list.count; k++)
			TRY(add_kept(c, chosen.list[i], &versions->list.items[k], &kept, e));
	}
	struct json values[] = { { .type = JSON_ARRAY, .path = "$" }, list_json(&kept) };
	return print(c, &(struct json){ .type = JSON_OBJECT, .path = "$", .map = { keys, values, ARRAY_LEN(values) } }, e);
}

/* -- looking ------------------------------------------------------------------------------------------------------------------- */
troth_rc cli_run_maestro_topology(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *name = cli_value(c, "--name");
	TRY(cli_certificates(c, name, false, &j, e));
	return print(c, cli_maestro_topology(c->a, json_get(j, "items"), name, name && wants_json(c)), e);
}

/* "3m" is three months to Maestro. */
static troth_rc read_within(struct cli *c, msec_t *ret, struct troth_err *e)
{
	static const struct { char unit; int days; } units[] = { { 'd', 1 }, { 'w', 7 }, { 'm', 30 }, { 'y', 365 } };
	const char *text = cli_value(c, "--expires-within"), *p = text;
	int64_t n = 0;
	while (*p >= '0' && *p <= '9' && n < 10000)
		n = 10 * n + (*p++ - '0');
	for (size_t i = 0; n && i < ARRAY_LEN(units); i++)
		if (p[0] == units[i].unit && !p[1]) {
			*ret = n * units[i].days * MSEC_DAY;
			return RC_OK;
		}
	return cli_usage(c, e, "--expires-within \"%.40s\" is not a number of days, weeks, months or years such as 3m", text);
}

/* Of the versions that are meant to be in use, the first to end. */
static const struct json *first_end(const struct json *item)
{
	const struct json *versions = json_get_list(item, "versions"), *first = NULL;
	for (size_t i = 0; i < versions->list.count; i++) {
		const struct json *v = &versions->list.items[i];
		if (json_get_bool(v, "wanted", false) && (!first || cli_time_of(v, "not_after") < cli_time_of(first, "not_after")))
			first = v;
	}
	return first;
}

troth_rc cli_run_maestro_list(struct cli *c, struct troth_err *e)
{
	static const char *keys[] = { "certificates" };
	const struct json *j;
	struct entries found = { 0 };
	msec_t within = 0, now = c->port->now(c->port->self);
	if (cli_value(c, "--expires-within"))
		TRY(read_within(c, &within, e));
	TRY(cli_certificates(c, NULL, false, &j, e));
	const struct json *items = json_get(j, "items");
	for (size_t i = 0; i < items->list.count; i++) {
		const struct json *item = &items->list.items[i], *first = first_end(item);
		if (text_starts(text_of(item, "name"), "/troth/") || (within && (!first || cli_time_of(first, "not_after") > now + within)))
			continue;
		const struct http_pair members[ENTRY_MEMBERS] = {
			{ "name", text_of(item, "name") }, { "certificate_id", text_of(item, "id") },
			{ "signed_by", json_get_text(item, "authority", is_kind(item, "authority") ? text_of(item, "name") : NULL) },
			{ "valid_until", first ? text_of(first, "not_after") : NULL } };
		add_entry(c->a, &found, entry_of(c->a, members, ARRAY_LEN(members)));
	}
	struct json values[] = { list_json(&found) };
	return print(c, &(struct json){ .type = JSON_OBJECT, .path = "$", .map = { keys, values, ARRAY_LEN(values) } }, e);
}
