/* From a profile, the node's settings and the server's parameters to a place: nothing left open.
 *
 * Whose value wins: the node's settings for this target, the node's settings for all, the server (if
 * the profile opens the parameter to it), the profile's default.  Texts of the node (settings and
 * defaults) may name other parameters; what the server gives is taken letter by letter. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "agent/profile.h"
#include "base/limits.h"

enum { EXPAND_DEPTH = 4, EXPANDED_BYTES = 4096 };

struct filler {
	struct arena *a;
	const struct profile *p;
	const struct settings *settings;
	const struct target_spec *spec;
};

static const struct json *target_values(const struct filler *f)
{
	return f->settings && f->settings->targets ? json_get(f->settings->targets, f->spec->name) : NULL;
}

static const struct profile_parameter *parameter_of(const struct profile *p, const char *name)
{
	for (size_t i = 0; i < p->parameter_count; i++)
		if (text_equal(p->parameters[i].name, name))
			return &p->parameters[i];
	return NULL;
}

/* The node's value (to be expanded), else NULL. */
static const char *node_value(const struct filler *f, const char *name)
{
	const char *v = json_get_text(target_values(f), name, NULL);
	return v ? v : json_get_text(f->settings ? f->settings->all : NULL, name, NULL);
}

static const char *server_value(const struct filler *f, const char *name)
{
	for (size_t i = 0; i < f->spec->parameter_count; i++)
		if (text_equal(f->spec->parameters[i].name, name))
			return f->spec->parameters[i].value;
	return NULL;
}

static troth_rc expand(const struct filler *f, const char *text, int depth, const char **ret, struct troth_err *e);

static troth_rc value_of(const struct filler *f, const char *name, int depth, const char **ret, struct troth_err *e)
{
	const struct profile_parameter *p = parameter_of(f->p, name);
	const char *node, *server, *value;
	if (text_equal(name, "target")) {
		*ret = f->spec->name;
		return RC_OK;
	}
	ENSURE(p, e, TROTH_INVALID, "{%s} is not a parameter of profile %s", name, f->p->name);
	node = node_value(f, name);
	server = p->server ? server_value(f, name) : NULL;
	if (node || !server) {
		value = node ? node : p->default_value;
		ENSURE(value, e, TROTH_INVALID, "parameter %s of profile %s has no value", name, f->p->name);
		TRY(expand(f, value, depth + 1, &value, e));
	} else {
		value = server;
	}
	/* Empty switches an optional part off; only the node may do that. */
	bool off = value[0] == 0 && value != server;
	ENSURE(off || pattern_matches(p->pattern, value), e, TROTH_INVALID, "parameter %s is \"%.200s\", which is no %s",
	       name, value, p->pattern);
	*ret = value;
	return RC_OK;
}

/* Fills every {name} in; the text was checked when the profile was read, settings are checked here. */
static troth_rc expand(const struct filler *f, const char *text, int depth, const char **ret, struct troth_err *e)
{
	const char *out = "";
	ENSURE(depth <= EXPAND_DEPTH, e, TROTH_INVALID, "parameters of profile %s name each other in a circle", f->p->name);
	for (;;) {
		size_t plain = strcspn(text, "{");
		out = arena_printf(f->a, "%s%.*s", out, (int)plain, text);
		ENSURE(strlen(out) <= EXPANDED_BYTES, e, TROTH_TOO_LARGE, "a text of profile %s grows too long", f->p->name);
		if (text[plain] == 0)
			break;
		const char *name = text + plain + 1, *value;
		size_t len = strcspn(name, "{}");
		ENSURE(name[len] == '}' && len <= 64, e, TROTH_INVALID, "\"%.100s\" has an opening brace without a closing one", text);
		TRY(value_of(f, arena_text_n(f->a, name, len), depth, &value, e));
		out = arena_printf(f->a, "%s%s", out, value);
		text = name + len + 1;
	}
	*ret = out;
	return RC_OK;
}

static troth_rc fill(const struct filler *f, const char *text, const char **ret, struct troth_err *e)
{
	if (!text) {
		*ret = NULL;
		return RC_OK;
	}
	return expand(f, text, 0, ret, e);
}

static troth_rc fill_as(const struct filler *f, const char *text, const char *pattern, const char *what,
			const char **ret, struct troth_err *e)
{
	TRY(fill(f, text, ret, e));
	ENSURE(pattern_matches(pattern, *ret), e, TROTH_INVALID, "%s of profile %s is \"%.200s\", which is no %s", what,
	       f->p->name, *ret, pattern);
	return RC_OK;
}

/* The server may only speak of parameters that are open to it. */
static troth_rc check_server(const struct filler *f, struct troth_err *e)
{
	for (size_t i = 0; i < f->spec->parameter_count; i++) {
		const char *name = f->spec->parameters[i].name;
		const struct profile_parameter *p = parameter_of(f->p, name);
		if (text_equal(name, "proof") && !p)
			continue; /* what the server takes for proof: fill_proof compares */
		ENSURE(p && p->server, e, TROTH_INVALID, "profile %s does not take parameter \"%.64s\" from the server",
		       f->p->name, name);
	}
	return RC_OK;
}

/* ... and settings for one target only of parameters that exist: a slip of the pen would be silent. */
static troth_rc check_settings(const struct filler *f, struct troth_err *e)
{
	const struct json *own = target_values(f);
	for (size_t i = 0; own && own->type == JSON_OBJECT && i < own->map.count; i++)
		ENSURE(parameter_of(f->p, own->map.keys[i]), e, TROTH_INVALID,
		       "the settings of target %s name parameter \"%.64s\", which profile %s does not have", f->spec->name,
		       own->map.keys[i], f->p->name);
	return RC_OK;
}

bool path_below(const char *path, const char *const *roots, size_t root_count)
{
	if (!pattern_matches("path", path))
		return false;
	for (size_t i = 0; i < root_count; i++) {
		size_t len = strlen(roots[i]);
		if (strncmp(path, roots[i], len) == 0 && (path[len] == '/' || path[len] == 0))
			return true;
	}
	return false;
}

static troth_rc fill_below(const struct filler *f, const struct place *x, const char *text, const char *what,
			   const char **ret, struct troth_err *e)
{
	TRY(fill_as(f, text, "path", what, ret, e));
	if (path_below(*ret, x->roots, x->root_count))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_FORBIDDEN, "%s \"%.200s\" is outside the roots of profile %s", what, *ret, f->p->name);
	err_hint(e, "the roots are in the profile on the node; only its administrator widens them");
	return rc;
}

static troth_rc fill_roots(const struct filler *f, struct place *x, struct troth_err *e)
{
	const char **roots = ARENA_ARRAY(f->a, const char *, f->p->roots.count);
	size_t n = 0;
	for (size_t i = 0; i < f->p->roots.count; i++) {
		const char *root;
		TRY(fill(f, f->p->roots.items[i], &root, e));
		if (root[0] == 0)
			continue;
		ENSURE(pattern_matches("path", root) && root[1], e, TROTH_INVALID, "root \"%.200s\" of profile %s is no path below /",
		       root, f->p->name);
		roots[n++] = root;
	}
	ENSURE(n > 0, e, TROTH_INVALID, "profile %s has no roots", f->p->name);
	x->roots = roots;
	x->root_count = n;
	return RC_OK;
}

static bool content_is_of(enum profile_content c, enum msg_target_kind kind)
{
	return (c == CONTENT_BUNDLE || c == CONTENT_EACH) == (kind == MSG_STORE);
}

static troth_rc fill_file(const struct filler *f, const struct profile_file *in, struct place_file *out, struct troth_err *e)
{
	bool secret = in->content == CONTENT_KEY || in->content == CONTENT_COMBINED;
	const char *mode;
	out->name = in->name;
	out->content = in->content;
	TRY(fill_as(f, in->mode ? in->mode : secret ? "0600" : "0644", "mode", "a file mode", &mode, e));
	out->mode = (mode_t)strtol(mode, NULL, 8);
	ENSURE(!(secret && (out->mode & 07)), e, TROTH_INVALID, "mode %s would let everyone read the key in %s", mode, in->name);
	ENSURE(!(out->mode & 07022), e, TROTH_INVALID, "mode %s of %s is too wide: nobody but the owner writes", mode, in->name);
	TRY(fill(f, in->owner ? in->owner : "", &out->owner, e));
	TRY(fill(f, in->group ? in->group : "", &out->group, e));
	return RC_OK;
}

static int file_index(const struct place *x, const char *name)
{
	for (size_t i = 0; i < x->file_count; i++)
		if (text_equal(x->files[i].name, name))
			return (int)i;
	return -1;
}

static troth_rc fill_files(const struct filler *f, struct place *x, struct troth_err *e)
{
	for (size_t i = 0; i < f->p->file_count; i++)
		if (content_is_of(f->p->files[i].content, x->kind))
			TRY(fill_file(f, &f->p->files[i], &x->files[x->file_count++], e));
	for (size_t i = 0; i < f->p->fixed_count; i++) {
		const char *path;
		if (file_index(x, f->p->fixed[i].file) < 0)
			continue;
		TRY(fill(f, f->p->fixed[i].path, &path, e));
		if (path[0] == 0)
			continue;
		TRY(fill_below(f, x, f->p->fixed[i].path, "fixed path", &path, e));
		x->fixed[x->fixed_count++] = (struct profile_fixed){ path, f->p->fixed[i].file };
	}
	return RC_OK;
}

static const struct { const char *name; int number; } SIGNALS[] = {
	{ "HUP", SIGHUP }, { "USR1", SIGUSR1 }, { "USR2", SIGUSR2 }, { "TERM", SIGTERM }, { "QUIT", SIGQUIT },
	{ "WINCH", SIGWINCH },
};

static troth_rc fill_signal(const struct filler *f, struct place *x, struct troth_err *e)
{
	const char *name, *pid_file;
	TRY(fill(f, f->p->signal, &name, e));
	TRY(fill(f, f->p->pid_file, &pid_file, e));
	if (!name || !name[0] || !pid_file || !pid_file[0])
		return RC_OK;
	ENSURE(pattern_matches("path", pid_file), e, TROTH_INVALID, "pid_file \"%.200s\" is no path", pid_file);
	for (size_t i = 0; i < ARRAY_LEN(SIGNALS); i++)
		if (text_equal(SIGNALS[i].name, name))
			x->signal = SIGNALS[i].number;
	ENSURE(x->signal, e, TROTH_INVALID, "\"%.20s\" is no signal to reload by: HUP, USR1, USR2, TERM, QUIT or WINCH", name);
	x->pid_file = pid_file;
	return RC_OK;
}

/* A word that starts with a placeholder and comes out empty is left out (of the program: all of it);
 * all others stay one word each. */
static troth_rc fill_words(const struct filler *f, const struct json_texts *words, const char *what, const char **out,
			   struct troth_err *e)
{
	size_t n = 0;
	for (size_t i = 0; i < words->count; i++) {
		const char *word;
		TRY(fill(f, words->items[i], &word, e));
		bool off = word[0] == 0 && words->items[i][0] == '{';
		if (off && i == 0)
			return RC_OK; /* no program: the arguments mean nothing */
		if (off)
			continue;
		out[n++] = word;
	}
	ENSURE(n == 0 || pattern_matches("path", out[0]), e, TROTH_INVALID,
	       "%s command \"%.200s\" is not an absolute path", what, out[0]);
	return RC_OK;
}

static troth_rc fill_command(const struct filler *f, struct place *x, struct troth_err *e)
{
	TRY(fill_words(f, &f->p->restart, "restart", x->restart, e));
	TRY(fill_words(f, &f->p->command, "reload", x->command, e));
	ENSURE(!x->command[0] || !x->signal, e, TROTH_INVALID, "profile %s gives both a signal and a command to reload by", f->p->name);
	return RC_OK;
}

static troth_rc fill_reload(const struct filler *f, struct place *x, struct troth_err *e)
{
	const char *service = x->profile;
	TRY(fill_signal(f, x, e));
	TRY(fill_command(f, x, e));
	x->reload_timeout = f->p->reload_timeout;
	if (x->signal)
		service = arena_printf(f->a, "signal %d %s", x->signal, x->pid_file);
	for (size_t i = 0; x->command[i]; i++)
		service = arena_printf(f->a, "%s\x1f%s", i ? service : "command", x->command[i]);
	x->service = service;
	return RC_OK;
}

/* One text may hold several addresses, separated by commas. */
static troth_rc add_addresses(const struct filler *f, struct place *x, const char *list, struct troth_err *e)
{
	for (const char *p = list; *p;) {
		size_t len = strcspn(p, ",");
		const char *one = arena_text_n(f->a, p, len);
		ENSURE(pattern_matches("host", one), e, TROTH_INVALID, "probe address \"%.100s\" is no host", one);
		ENSURE(x->address_count < PROFILE_ADDRESSES, e, TROTH_TOO_LARGE, "more than %d probe addresses", PROFILE_ADDRESSES);
		x->addresses[x->address_count++] = one;
		p += len;
		p += *p == ',';
	}
	return RC_OK;
}

static troth_rc fill_duration(const struct filler *f, const char *text, const char *what, msec_t max, msec_t *ret,
			      struct troth_err *e)
{
	const char *value;
	msec_t t = 0;
	TRY(fill_as(f, text, "duration", what, &value, e));
	if (!text_equal(value, "0"))
		TRY(duration_parse(value, &t, e));
	ENSURE(t <= max, e, TROTH_INVALID, "%s of profile %s is %s; at most %lld s are accepted", what, f->p->name, value,
	       (long long)(max / MSEC_S));
	*ret = t;
	return RC_OK;
}

static troth_rc fill_probe(const struct filler *f, struct place *x, struct troth_err *e)
{
	const char *text;
	TRY(fill_duration(f, f->p->deadline ? f->p->deadline : "20s", "deadline", PROFILE_DEADLINE_S * MSEC_S, &x->deadline, e));
	x->sightings = 1;
	x->server_name = "";
	if (x->kind != MSG_SLOT || f->spec->role != MSG_SERVER)
		return RC_OK;
	for (size_t i = 0; i < f->p->addresses.count; i++) {
		TRY(fill(f, f->p->addresses.items[i], &text, e));
		TRY(add_addresses(f, x, text, e));
	}
	if (x->address_count == 0)
		return RC_OK;
	TRY(fill_as(f, f->p->port, "port", "probe port", &text, e));
	x->port = (int)strtol(text, NULL, 10);
	TRY(fill(f, f->p->starttls, &text, e));
	ENSURE(probe_starttls_parse(text, &x->starttls), e, TROTH_INVALID, "starttls \"%.40s\" is neither none nor postgresql", text);
	TRY(fill(f, f->p->server_name, &x->server_name, e));
	TRY(fill_as(f, f->p->sightings, "number", "sightings", &text, e));
	x->sightings = (int)strtol(text, NULL, 10);
	ENSURE(x->sightings >= 1 && x->sightings <= PROFILE_SIGHTINGS, e, TROTH_INVALID, "sightings must be 1 to %d", PROFILE_SIGHTINGS);
	return RC_OK;
}

static troth_rc fill_attest(const struct filler *f, struct place *x, struct troth_err *e)
{
	const char *path;
	TRY(fill(f, f->p->attest_file, &path, e));
	if (!path || !path[0])
		return RC_OK;
	TRY(fill_as(f, f->p->attest_file, "path", "attest file", &x->attest_file, e));
	int of = f->p->attest_of ? file_index(x, f->p->attest_of) : 0;
	x->attest_of = of < 0 ? 0 : (size_t)of;
	return RC_OK;
}

/* The proof must be possible here.  A client's slot has no port: what a probe would show, the reload says. */
static troth_rc fill_proof(const struct filler *f, struct place *x, struct troth_err *e)
{
	x->proof = x->kind == MSG_SLOT ? f->p->slot_proof : f->p->store_proof;
	bool client = x->kind == MSG_SLOT && f->spec->role == MSG_CLIENT;
	if (client && x->proof == PROOF_PROBE)
		x->proof = x->attest_file ? PROOF_ATTEST : PROOF_RELOAD;
	const char *said = server_value(f, "proof");
	ENSURE(!said || parameter_of(f->p, "proof") || text_equal(said, profile_proof_name(x->proof)), e, TROTH_INVALID,
	       "the server counts on proof \"%.20s\", profile %s proves by %s", said, f->p->name, profile_proof_name(x->proof));
	ENSURE(x->proof != PROOF_PROBE || x->address_count, e, TROTH_INVALID, "profile %s proves by probe and has no address to probe",
	       f->p->name);
	ENSURE(x->proof != PROOF_ATTEST || x->attest_file, e, TROTH_INVALID, "profile %s proves by attest and has no attest file",
	       f->p->name);
	bool reloads = x->signal || x->command[0];
	ENSURE(reloads || (x->proof != PROOF_RELOAD && x->proof != PROOF_RESTART), e, TROTH_INVALID,
	       "profile %s proves by %s and has neither a signal nor a command", f->p->name, profile_proof_name(x->proof));
	return RC_OK;
}

static troth_rc resolve(const struct filler *f, struct place *x, struct troth_err *e)
{
	x->profile = f->p->name;
	x->kind = f->spec->kind;
	ENSURE(x->kind == MSG_SLOT ? f->p->slots : f->p->stores, e, TROTH_INVALID, "profile %s is not for a %s", f->p->name,
	       x->kind == MSG_SLOT ? "slot" : "store");
	TRY(check_server(f, e));
	TRY(check_settings(f, e));
	TRY(fill_roots(f, x, e));
	TRY(fill_below(f, x, f->p->directory, "directory", &x->directory, e));
	TRY(fill_files(f, x, e));
	TRY(fill_reload(f, x, e));
	TRY(fill_probe(f, x, e));
	TRY(fill_attest(f, x, e));
	TRY(fill_duration(f, f->p->drain, "drain", LIMIT_DRAIN_S * MSEC_S, &x->drain, e));
	return fill_proof(f, x, e);
}

troth_rc place_resolve(struct arena *a, const struct profile *const *profiles, size_t profile_count,
		       const struct settings *settings, const struct target_spec *spec, struct place *ret,
		       struct troth_err *e)
{
	struct filler f = { .a = a, .settings = settings, .spec = spec };
	struct place x = { 0 };
	ENSURE(pattern_matches("name", spec->name), e, TROTH_INVALID, "target name \"%.64s\" cannot be used in a path", spec->name);
	for (size_t i = 0; i < profile_count; i++)
		if (text_equal(profiles[i]->name, spec->profile))
			f.p = profiles[i];
	if (!f.p) {
		troth_rc rc = err_set(e, TROTH_NOT_FOUND, "profile \"%.64s\" is not installed on this node", spec->profile);
		err_hint(e, "install it in the agent's profile directory and restart the agent");
		return rc;
	}
	troth_rc rc = resolve(&f, &x, e);
	if (rc_failed(rc)) {
		err_object(e, "%.100s", spec->name);
		return rc;
	}
	*ret = x;
	return RC_OK;
}
