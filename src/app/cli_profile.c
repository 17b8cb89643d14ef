/* troth profile: the profiles of a node, read with the agent's own code, so that what is fine here is fine there.
 *
 * No server is asked: profiles belong to the node (docs/profiles.md). */
#include "app/cli_internal.h"

#include <string.h>

#include "agent/profile.h"
#include "agent/profiles.h"
#include "base/limits.h"

enum { PROFILE_OUT_BYTES = 1 << 20 };

static const char *const PROFILES_DEFAULT = "/etc/troth/profiles";

static const char *directory(struct cli *c)
{
	const char *dir = cli_value(c, "--profiles"), *env = c->port->env(c->port->self, "TROTH_PROFILES");
	return dir ? dir : env && env[0] ? env : PROFILES_DEFAULT;
}

static const char *kinds_of(const struct profile *p) { return p->slots && p->stores ? "slot, store" : p->slots ? "slot" : "store"; }

static const char *reload_of(struct arena *a, const struct profile *p)
{
	if (p->command.count)
		return p->signal ? "signal or command" : "command";
	return p->signal ? arena_printf(a, "signal %s", p->signal) : "none";
}

static const char *proof_of(struct arena *a, const struct profile *p)
{
	const char *slot = profile_proof_name(p->slot_proof), *store = profile_proof_name(p->store_proof);
	if (p->slots && p->stores && !text_equal(slot, store))
		return arena_printf(a, "slot %s, store %s", slot, store);
	return p->slots ? slot : store;
}

troth_rc cli_run_profile_list(struct cli *c, struct troth_err *e)
{
	struct profiles p;
	TRY(profiles_load(c->a, directory(c), NULL, &p, e));
	struct json *rows = ARENA_ARRAY(c->a, struct json, p.count);
	for (size_t i = 0; i < p.count; i++) {
		struct http_pair members[] = { { "name", p.items[i]->name }, { "kinds", kinds_of(p.items[i]) },
					       { "reload", reload_of(c->a, p.items[i]) }, { "proof", proof_of(c->a, p.items[i]) },
					       { "description", p.items[i]->description } };
		rows[i] = cli_object(c->a, members, ARRAY_LEN(members));
	}
	return cli_print(c, cli_list_made(c->a, rows, p.count), e);
}

/* -- show --------------------------------------------------------------------------------------------------------- */
static const struct json *parameters_of(struct arena *a, const struct profile *p)
{
	struct json *rows = ARENA_ARRAY(a, struct json, p->parameter_count);
	for (size_t i = 0; i < p->parameter_count; i++) {
		const struct profile_parameter *x = &p->parameters[i];
		const char *value = !x->default_value ? "(must be set)" : x->default_value[0] ? x->default_value : "(none)";
		struct http_pair members[] = { { "name", x->name }, { "default", value }, { "pattern", x->pattern },
					       { "server", x->server ? "may set it" : "" } };
		rows[i] = cli_object(a, members, ARRAY_LEN(members));
	}
	return cli_list_made(a, rows, p->parameter_count);
}

static const struct json *files_of(struct arena *a, const struct profile *p)
{
	static const char *const contents[CONTENT_COUNT] = { "leaf", "chain", "fullchain", "key", "combined", "bundle", "each" };
	struct json *rows = ARENA_ARRAY(a, struct json, p->file_count);
	for (size_t i = 0; i < p->file_count; i++) {
		const struct profile_file *x = &p->files[i];
		struct http_pair members[] = { { "name", x->name }, { "content", contents[x->content] }, { "mode", x->mode }, { "owner", x->owner },
					       { "group", x->group } };
		rows[i] = cli_object(a, members, ARRAY_LEN(members));
	}
	return cli_list_made(a, rows, p->file_count);
}

troth_rc cli_run_profile_show(struct cli *c, struct troth_err *e)
{
	struct profiles all;
	const struct profile *p = NULL;
	TRY(profiles_load(c->a, directory(c), NULL, &all, e));
	for (size_t i = 0; i < all.count; i++)
		if (text_equal(all.items[i]->name, c->words[0]))
			p = all.items[i];
	if (!p) {
		troth_rc rc = err_set(e, TROTH_NOT_FOUND, "there is no profile \"%.100s\" in %s", c->words[0], directory(c));
		err_hint(e, "troth profile list --profiles %s shows them", directory(c));
		return rc;
	}
	struct http_pair members[] = { { "name", p->name }, { "description", p->description }, { "kinds", kinds_of(p) },
				       { "directory", p->directory }, { "reload", reload_of(c->a, p) }, { "proof", proof_of(c->a, p) },
				       { "drain", p->drain }, { "files", NULL }, { "parameters", NULL } };
	struct json j = cli_object(c->a, members, ARRAY_LEN(members));
	j.map.values[j.map.count - 2] = *json_get(files_of(c->a, p), "items");
	j.map.values[j.map.count - 1] = *json_get(parameters_of(c->a, p), "items");
	return cli_print(c, &j, e);
}

/* -- check -------------------------------------------------------------------------------------------------------- */
/* What the agent would do with a target of this profile: every text filled in. */
static void put_place(struct cli *c, const struct place *p, struct buf *out)
{
	buf_printf(out, "  %s\n", p->kind == MSG_SLOT ? "as a slot" : "as a store");
	for (size_t i = 0; i < p->file_count; i++)
		buf_printf(out, "    file    %s/current/%s\n", p->directory, p->files[i].name);
	if (p->command[0]) {
		const char *words = "";
		for (size_t i = 0; p->command[i]; i++)
			words = arena_printf(c->a, "%s%s%s", words, i ? " " : "", p->command[i]);
		buf_add_text(out, "    reload  ");
		cli_wrap_write(words, 12, c->width, out);
	} else if (p->signal) {
		buf_printf(out, "    reload  signal %s to the process in %s\n", sigabbrev_np(p->signal), p->pid_file ? p->pid_file : "?");
	} else {
		buf_add_text(out, "    reload  nothing: the service reads the files at each use\n");
	}
	if (p->proof == PROOF_PROBE && p->address_count)
		buf_printf(out, "    probe   %s port %d, %d times in a row\n", p->addresses[0], p->port, p->sightings);
	buf_printf(out, "    proof   %s\n", profile_proof_name(p->proof));
}

static troth_rc check_kind(struct cli *c, const struct profile *p, const struct settings *settings, enum msg_target_kind kind, struct buf *out,
			   struct troth_err *e)
{
	const char *target = cli_value(c, "--target");
	struct target_spec spec = { .id = "00000000-0000-4000-8000-000000000000", .name = target ? target : "NAME", .profile = p->name,
				    .kind = kind, .role = MSG_SERVER };
	struct place place;
	troth_rc rc = place_resolve(c->a, &p, 1, settings, &spec, &place, e);
	if (rc_ok(rc))
		put_place(c, &place, out);
	else if (!e->hint[0])
		err_hint(e, "a node's values are in its settings: --settings FILE --target NAME, with targets: {NAME: {PARAMETER: VALUE}}");
	return rc;
}

static troth_rc read_settings(struct cli *c, struct settings *ret, struct troth_err *e)
{
	const char *file = cli_value(c, "--settings");
	struct bytes text;
	if (!file)
		return RC_OK;
	TRY(file_read(c->a, file, LIMIT_YAML_BYTES, &text, e));
	return settings_parse(c->a, text, file, ret, e);
}

troth_rc cli_run_profile_check(struct cli *c, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf out = buf_make(PROFILE_OUT_BYTES);
	const struct profile *p;
	struct settings settings = { 0 };
	struct bytes text;
	TRY(file_read(c->a, c->words[0], LIMIT_YAML_BYTES, &text, e));
	TRY(profile_parse(c->a, text, c->words[0], &p, e));
	TRY(read_settings(c, &settings, e));
	buf_printf(&out, "profile %s is fine; with %s:\n", p->name, cli_value(c, "--settings") ? "these settings" : "its defaults");
	if (p->slots)
		TRY(check_kind(c, p, &settings, MSG_SLOT, &out, e));
	if (p->stores)
		TRY(check_kind(c, p, &settings, MSG_STORE, &out, e));
	return cli_flush(c, &out, e);
}
