/* Reading a profile: YAML to a struct, with every finding named, and the rules between its parts.
 *
 * The rules that keep a stolen server harmless are here: what the server may set can never decide
 * which program runs, which process is signalled, who owns a file, or how far the roots reach. */
#include "agent/profile.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/yaml_tree.h"

static const char *const CONTENT_NAMES[] = {
	[CONTENT_LEAF] = "leaf", [CONTENT_CHAIN] = "chain", [CONTENT_FULLCHAIN] = "fullchain", [CONTENT_KEY] = "key",
	[CONTENT_COMBINED] = "combined", [CONTENT_BUNDLE] = "bundle", [CONTENT_EACH] = "each",
};
static const char *const PROOF_NAMES[] = {
	[PROOF_PROBE] = "probe", [PROOF_RELOAD] = "reload", [PROOF_RESTART] = "restart", [PROOF_ATTEST] = "attest",
	[PROOF_READ] = "read",
};

const char *profile_proof_name(enum profile_proof p) { return PROOF_NAMES[p]; }

/* -- patterns ------------------------------------------------------------------------------------ */

static bool all_of(const char *s, const char *extra)
{
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr(extra, *s))
			return false;
	return true;
}

static bool is_number(const char *v)
{
	return *v && strlen(v) <= 18 && v[strspn(v, "0123456789")] == 0;
}

static bool is_port(const char *v)
{
	return is_number(v) && strlen(v) <= 5 && strtol(v, NULL, 10) >= 1 && strtol(v, NULL, 10) <= 65535;
}

static bool is_path(const char *v)
{
	if (v[0] != '/' || strlen(v) > 1024)
		return false;
	for (const char *p = v; *p; p++) {
		if ((unsigned char)*p < 32 || *p == 127)
			return false;
		if (*p != '/')
			continue;
		size_t len = strcspn(p + 1, "/");
		if ((len == 0 && !(p == v && p[1] == 0)) || (len == 1 && p[1] == '.') ||
		    (len == 2 && p[1] == '.' && p[2] == '.'))
			return false;
	}
	return true;
}

static bool is_name(const char *v) { return *v && *v != '.' && *v != '-' && strlen(v) <= 64 && all_of(v, "._-"); }
static bool is_host(const char *v) { return *v && *v != '-' && strlen(v) <= 253 && all_of(v, ".-:_"); }
static bool is_hosts(const char *v) { return *v && *v != '-' && strlen(v) <= MSG_PARAMETER_BYTES && all_of(v, ".-:_,"); }
static bool is_mode(const char *v) { return strlen(v) == 4 && v[0] == '0' && v[strspn(v, "01234567")] == 0; }

static bool is_duration(const char *v)
{
	msec_t t;
	return text_equal(v, "0") || rc_ok(duration_parse(v, &t, NULL));
}

static bool is_text(const char *v)
{
	for (; *v; v++)
		if ((unsigned char)*v < 32 || *v == 127)
			return false;
	return true;
}

static const struct { const char *name; bool (*fits)(const char *v); } PATTERNS[] = {
	{ "path", is_path }, { "port", is_port }, { "number", is_number }, { "name", is_name }, { "host", is_host },
	{ "hosts", is_hosts }, { "duration", is_duration }, { "mode", is_mode }, { "text", is_text },
};

static bool one_of_words(const char *words, const char *v)
{
	size_t len = strlen(v);
	for (const char *p = words; *p; p += strcspn(p, "|"), p += *p == '|')
		if (strcspn(p, "|") == len && memcmp(p, v, len) == 0)
			return len > 0;
	return false;
}

bool pattern_matches(const char *pattern, const char *value)
{
	for (size_t i = 0; i < ARRAY_LEN(PATTERNS); i++)
		if (text_equal(pattern, PATTERNS[i].name))
			return PATTERNS[i].fits(value);
	return one_of_words(pattern, value);
}

bool pattern_valid(const char *pattern)
{
	for (size_t i = 0; i < ARRAY_LEN(PATTERNS); i++)
		if (text_equal(pattern, PATTERNS[i].name))
			return true;
	return strchr(pattern, '|') && is_text(pattern);
}

/* -- the shape ------------------------------------------------------------------------------------- */

struct profile_wire {
	struct profile p;
	struct json_texts kinds;
	const struct json *parameters, *files, *fixed, *reload, *probe, *attest, *proof;
};

#define ROW(type, key, member, json_kind, row_flags)                                               \
	{ .name = (key), .kind = (json_kind), .offset = offsetof(type, member), .flags = (row_flags) }
#define PROFILE_ROW(key, member, kind, flags) ROW(struct profile_wire, key, member, kind, flags)

static const struct json_field PROFILE[] = {
	PROFILE_ROW("name", p.name, JF_TEXT, JF_REQUIRED),
	PROFILE_ROW("description", p.description, JF_TEXT, JF_REQUIRED),
	{ .name = "kinds", .kind = JF_TEXTS, .offset = offsetof(struct profile_wire, kinds), .flags = JF_REQUIRED, .max = 2 },
	PROFILE_ROW("parameters", parameters, JF_ANY, 0),
	{ .name = "roots", .kind = JF_TEXTS, .offset = offsetof(struct profile_wire, p.roots), .flags = JF_REQUIRED,
	  .max = PROFILE_ROOTS },
	PROFILE_ROW("directory", p.directory, JF_TEXT, JF_REQUIRED),
	PROFILE_ROW("files", files, JF_ANY, JF_REQUIRED),
	PROFILE_ROW("fixed", fixed, JF_ANY, 0),
	PROFILE_ROW("reload", reload, JF_ANY, 0),
	PROFILE_ROW("probe", probe, JF_ANY, 0),
	PROFILE_ROW("attest", attest, JF_ANY, 0),
	PROFILE_ROW("drain", p.drain, JF_TEXT, JF_REQUIRED),
	PROFILE_ROW("proof", proof, JF_ANY, JF_REQUIRED),
};

struct reload_wire { const char *signal, *pid_file; struct json_texts command, restart; msec_t timeout; bool network; };
static const struct json_field RELOAD[] = {
	ROW(struct reload_wire, "signal", signal, JF_TEXT, 0),
	ROW(struct reload_wire, "pid_file", pid_file, JF_TEXT, 0),
	{ .name = "command", .kind = JF_TEXTS, .offset = offsetof(struct reload_wire, command), .max = PROFILE_WORDS },
	{ .name = "restart", .kind = JF_TEXTS, .offset = offsetof(struct reload_wire, restart), .max = PROFILE_WORDS },
	ROW(struct reload_wire, "timeout", timeout, JF_DURATION, 0),
	ROW(struct reload_wire, "network", network, JF_BOOL, 0),
};

struct probe_wire { struct json_texts addresses; const char *port, *starttls, *name, *sightings, *deadline; };
static const struct json_field PROBE[] = {
	{ .name = "addresses", .kind = JF_TEXTS, .offset = offsetof(struct probe_wire, addresses), .flags = JF_REQUIRED,
	  .max = PROFILE_ADDRESSES },
	ROW(struct probe_wire, "port", port, JF_TEXT, JF_REQUIRED),
	ROW(struct probe_wire, "starttls", starttls, JF_TEXT, 0),
	ROW(struct probe_wire, "name", name, JF_TEXT, 0),
	ROW(struct probe_wire, "sightings", sightings, JF_TEXT, 0),
	ROW(struct probe_wire, "deadline", deadline, JF_TEXT, 0),
};

struct attest_wire { const char *file, *of; };
static const struct json_field ATTEST[] = {
	ROW(struct attest_wire, "file", file, JF_TEXT, JF_REQUIRED),
	ROW(struct attest_wire, "of", of, JF_TEXT, 0),
};

struct proof_wire { const char *slot, *store; };
static const struct json_field PROOF[] = {
	ROW(struct proof_wire, "slot", slot, JF_TEXT, 0),
	ROW(struct proof_wire, "store", store, JF_TEXT, 0),
};

static const struct json_field PARAMETER[] = {
	ROW(struct profile_parameter, "default", default_value, JF_TEXT, 0),
	ROW(struct profile_parameter, "pattern", pattern, JF_TEXT, 0),
	ROW(struct profile_parameter, "server", server, JF_BOOL, 0),
};

struct file_wire { struct profile_file f; const char *content; };
static const struct json_field FILE_FIELDS[] = {
	ROW(struct file_wire, "name", f.name, JF_TEXT, JF_REQUIRED),
	ROW(struct file_wire, "content", content, JF_TEXT, JF_REQUIRED),
	ROW(struct file_wire, "mode", f.mode, JF_TEXT, 0),
	ROW(struct file_wire, "owner", f.owner, JF_TEXT, 0),
	ROW(struct file_wire, "group", f.group, JF_TEXT, 0),
};
static const struct json_field FIXED[] = {
	ROW(struct profile_fixed, "path", path, JF_TEXT, JF_REQUIRED),
	ROW(struct profile_fixed, "file", file, JF_TEXT, JF_REQUIRED),
};

/* A number where a text is wanted ("port: 443") is that number's text: people write it so. */
static const struct json *numbers_to_text(struct arena *a, const struct json *j)
{
	struct json *out = arena_copy(a, j, sizeof *j);
	if (j->type == JSON_INT) {
		out->type = JSON_STRING;
		out->str.s = arena_printf(a, "%lld", (long long)j->i);
		out->str.len = strlen(out->str.s);
	} else if (j->type == JSON_OBJECT) {
		out->map.values = ARENA_ARRAY(a, struct json, j->map.count);
		for (size_t i = 0; i < j->map.count; i++)
			out->map.values[i] = *numbers_to_text(a, &j->map.values[i]);
	} else if (j->type == JSON_ARRAY) {
		out->list.items = ARENA_ARRAY(a, struct json, j->list.count);
		for (size_t i = 0; i < j->list.count; i++)
			out->list.items[i] = *numbers_to_text(a, &j->list.items[i]);
	}
	return out;
}

static void say(struct arena *a, struct troth_err *e, const char *path, const char *rule, const char *text,
		const char *hint)
{
	err_finding(a, e, path, rule, text, hint);
}

static int word_index(const char *const *names, size_t count, const char *word)
{
	for (size_t i = 0; i < count; i++)
		if (text_equal(names[i], word))
			return (int)i;
	return -1;
}

static void read_kinds(struct arena *a, struct profile_wire *w, struct troth_err *e)
{
	for (size_t i = 0; i < w->kinds.count; i++) {
		const char *kind = w->kinds.items[i];
		if (text_equal(kind, "slot"))
			w->p.slots = true;
		else if (text_equal(kind, "store"))
			w->p.stores = true;
		else
			say(a, e, "$.kinds", "word", "must be slot, store, or both", NULL);
	}
	if (!w->p.slots && !w->p.stores)
		say(a, e, "$.kinds", "word", "must name slot, store, or both", NULL);
}

static void read_parameters(struct arena *a, struct profile_wire *w, struct troth_err *e)
{
	const struct json *j = w->parameters;
	if (!j)
		return;
	if (j->type != JSON_OBJECT || j->map.count > MSG_PARAMETERS) {
		say(a, e, j->path, "type", arena_printf(a, "must be a mapping of at most %d parameters", MSG_PARAMETERS), NULL);
		return;
	}
	w->p.parameters = ARENA_ARRAY(a, struct profile_parameter, j->map.count);
	for (size_t i = 0; i < j->map.count; i++) {
		struct profile_parameter *p = &w->p.parameters[w->p.parameter_count++];
		const char *path = j->map.values[i].path;
		*p = (struct profile_parameter){ .name = j->map.keys[i], .pattern = "text" };
		if (rc_failed(json_read(a, &j->map.values[i], PARAMETER, ARRAY_LEN(PARAMETER), p, e)))
			continue;
		if (!is_name(p->name) || text_equal(p->name, "target"))
			say(a, e, path, "name", "is not a name for a parameter", "letters, digits, _ and -; \"target\" is taken");
		if (!p->pattern || !pattern_valid(p->pattern))
			say(a, e, path, "pattern", "the pattern is not known",
			    "path, port, number, name, host, hosts, duration, mode, text, or words separated by |");
		else if (p->server && text_equal(p->pattern, "text"))
			say(a, e, path, "pattern", "what the server may set needs a closer pattern than text", NULL);
	}
}

static void read_file(struct arena *a, const struct json *j, struct profile *p, struct troth_err *e)
{
	struct file_wire w = { 0 };
	if (rc_failed(json_read(a, j, FILE_FIELDS, ARRAY_LEN(FILE_FIELDS), &w, e)))
		return;
	int content = word_index(CONTENT_NAMES, CONTENT_COUNT, w.content);
	if (content < 0)
		say(a, e, j->path, "content", "the content is not known",
		    "leaf, chain, fullchain, key or combined in a slot; bundle or each in a store");
	if (!is_name(w.f.name))
		say(a, e, j->path, "name", "is not a plain file name", NULL);
	if (w.f.mode && !strchr(w.f.mode, '{') && !is_mode(w.f.mode))
		say(a, e, j->path, "mode", "the mode must be four octal digits, such as 0640", NULL);
	for (size_t i = 0; i < p->file_count; i++)
		if (text_equal(p->files[i].name, w.f.name))
			say(a, e, j->path, "name", "two files have this name", NULL);
	w.f.content = content < 0 ? CONTENT_LEAF : (enum profile_content)content;
	p->files[p->file_count++] = w.f;
}

static bool list_ok(struct arena *a, const struct json *j, size_t min, struct troth_err *e)
{
	if (j->type == JSON_ARRAY && j->list.count >= min && j->list.count <= PROFILE_FILES)
		return true;
	say(a, e, j->path, "type", arena_printf(a, "must be a list of %zu to %d entries", min, PROFILE_FILES), NULL);
	return false;
}

static bool has_file(const struct profile *p, const char *name)
{
	for (size_t i = 0; i < p->file_count; i++)
		if (text_equal(p->files[i].name, name) && p->files[i].content != CONTENT_EACH)
			return true;
	return false;
}

static void read_files(struct arena *a, struct profile_wire *w, struct troth_err *e)
{
	if (!list_ok(a, w->files, 1, e))
		return;
	w->p.files = ARENA_ARRAY(a, struct profile_file, w->files->list.count);
	for (size_t i = 0; i < w->files->list.count; i++)
		read_file(a, &w->files->list.items[i], &w->p, e);
	if (!w->fixed || !list_ok(a, w->fixed, 0, e))
		return;
	w->p.fixed = ARENA_ARRAY(a, struct profile_fixed, w->fixed->list.count);
	for (size_t i = 0; i < w->fixed->list.count; i++) {
		struct profile_fixed f = { 0 };
		const struct json *j = &w->fixed->list.items[i];
		if (rc_failed(json_read(a, j, FIXED, ARRAY_LEN(FIXED), &f, e)))
			continue;
		if (!has_file(&w->p, f.file))
			say(a, e, j->path, "file", "is not one of the profile's files", NULL);
		w->p.fixed[w->p.fixed_count++] = f;
	}
}

static void read_reload(struct arena *a, struct profile_wire *w, struct troth_err *e)
{
	struct reload_wire r = { .timeout = 30 * MSEC_S };
	if (!w->reload || rc_failed(json_read(a, w->reload, RELOAD, ARRAY_LEN(RELOAD), &r, e)))
		return;
	if (!r.signal != !r.pid_file)
		say(a, e, w->reload->path, "reload", "signal and pid_file stand together", NULL);
	if (!r.signal && r.command.count == 0)
		say(a, e, w->reload->path, "reload", "needs signal and pid_file, or command", NULL);
	if (r.timeout > LIMIT_RELOAD_S * MSEC_S)
		say(a, e, w->reload->path, "timeout", arena_printf(a, "a reload may take %d s at most", LIMIT_RELOAD_S), NULL);
	w->p.signal = r.signal;
	w->p.pid_file = r.pid_file;
	w->p.command = r.command;
	w->p.restart = r.restart;
	w->p.reload_timeout = r.timeout;
	w->p.reload_network = r.network;
}

static void read_probe(struct arena *a, struct profile_wire *w, struct troth_err *e)
{
	struct probe_wire p = { .starttls = "none", .name = "", .sightings = "3", .deadline = "20s" };
	if (!w->probe || rc_failed(json_read(a, w->probe, PROBE, ARRAY_LEN(PROBE), &p, e)))
		return;
	w->p.addresses = p.addresses;
	w->p.port = p.port;
	w->p.starttls = p.starttls;
	w->p.server_name = p.name;
	w->p.sightings = p.sightings;
	w->p.deadline = p.deadline;
}

static void read_attest(struct arena *a, struct profile_wire *w, struct troth_err *e)
{
	struct attest_wire t = { 0 };
	if (!w->attest || rc_failed(json_read(a, w->attest, ATTEST, ARRAY_LEN(ATTEST), &t, e)))
		return;
	if (t.of && !has_file(&w->p, t.of))
		say(a, e, w->attest->path, "of", "is not one of the profile's files", NULL);
	w->p.attest_file = t.file;
	w->p.attest_of = t.of;
}

static void read_one_proof(struct arena *a, const char *path, bool wanted, const char *word, enum profile_proof *ret,
			   struct troth_err *e)
{
	int i = word ? word_index(PROOF_NAMES, PROOF_COUNT, word) : -1;
	if (wanted && i < 0)
		say(a, e, path, "proof", "must be probe, reload, restart, attest or read", NULL);
	else if (i >= 0)
		*ret = (enum profile_proof)i;
}

/* `proof: probe`, or `proof: {slot: probe, store: reload}`. */
static void read_proof(struct arena *a, struct profile_wire *w, struct troth_err *e)
{
	struct proof_wire p = { 0 };
	if (w->proof->type == JSON_STRING)
		p = (struct proof_wire){ w->proof->str.s, w->proof->str.s };
	else if (rc_failed(json_read(a, w->proof, PROOF, ARRAY_LEN(PROOF), &p, e)))
		return;
	read_one_proof(a, w->proof->path, w->p.slots, p.slot, &w->p.slot_proof, e);
	read_one_proof(a, w->proof->path, w->p.stores, p.store, &w->p.store_proof, e);
	if (w->p.stores && w->p.store_proof == PROOF_PROBE)
		say(a, e, w->proof->path, "proof", "a store cannot be probed: nobody sees from outside what it trusts",
		    "reload, restart, attest or read");
}

/* -- rules between the parts -------------------------------------------------------------------------- */

static const struct profile_parameter *parameter_named(const struct profile *p, const char *name, size_t len)
{
	for (size_t i = 0; i < p->parameter_count; i++)
		if (strlen(p->parameters[i].name) == len && memcmp(p->parameters[i].name, name, len) == 0)
			return &p->parameters[i];
	return NULL;
}

/* Every {name} is a parameter or "target", and, where the node alone decides, none is the server's. */
static void check_text(struct arena *a, const struct profile *p, const char *path, const char *text, bool node_only,
		       struct troth_err *e)
{
	for (const char *at = text ? strchr(text, '{') : NULL; at; at = strchr(at + 1, '{')) {
		size_t len = strcspn(at + 1, "{}");
		if (at[1 + len] != '}') {
			say(a, e, path, "placeholder", "an opening brace has no closing one", NULL);
			return;
		}
		const struct profile_parameter *x = parameter_named(p, at + 1, len);
		bool target = len == 6 && memcmp(at + 1, "target", 6) == 0;
		if (!x && !target)
			say(a, e, path, "placeholder", arena_printf(a, "{%.*s} is not a parameter", (int)(len > 64 ? 64 : len), at + 1), NULL);
		else if (node_only && x && x->server)
			say(a, e, path, "safety", arena_printf(a, "{%s} may be set by the server; this place is the node's alone", x->name),
			    "set server: false");
	}
}

static void check_texts(struct arena *a, const struct profile *p, const char *path, const struct json_texts *texts,
			size_t node_only, struct troth_err *e)
{
	for (size_t i = 0; i < texts->count; i++)
		check_text(a, p, arena_printf(a, "%s[%zu]", path, i), texts->items[i], i < node_only, e);
}

static void check_placeholders(struct arena *a, const struct profile *p, struct troth_err *e)
{
	check_texts(a, p, "$.roots", &p->roots, SIZE_MAX, e);
	check_text(a, p, "$.directory", p->directory, false, e);
	for (size_t i = 0; i < p->file_count; i++) {
		const char *path = arena_printf(a, "$.files[%zu]", i);
		check_text(a, p, path, p->files[i].mode, true, e);
		check_text(a, p, path, p->files[i].owner, true, e);
		check_text(a, p, path, p->files[i].group, true, e);
	}
	for (size_t i = 0; i < p->fixed_count; i++)
		check_text(a, p, arena_printf(a, "$.fixed[%zu].path", i), p->fixed[i].path, true, e);
	check_text(a, p, "$.reload.signal", p->signal, true, e);
	check_text(a, p, "$.reload.pid_file", p->pid_file, true, e);
	check_text(a, p, "$.attest.file", p->attest_file, true, e);
	check_texts(a, p, "$.reload.command", &p->command, 1, e); /* the program; its arguments may vary */
	check_texts(a, p, "$.reload.restart", &p->restart, 1, e);
	check_texts(a, p, "$.probe.addresses", &p->addresses, 0, e);
	const struct { const char *path, *text; } texts[] = {
		{ "$.probe.port", p->port }, { "$.probe.starttls", p->starttls }, { "$.probe.name", p->server_name },
		{ "$.probe.sightings", p->sightings }, { "$.probe.deadline", p->deadline },
		{ "$.drain", p->drain },
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		check_text(a, p, texts[i].path, texts[i].text, false, e);
	for (size_t i = 0; i < p->parameter_count; i++)
		check_text(a, p, arena_printf(a, "$.parameters.%s", p->parameters[i].name), p->parameters[i].default_value, false, e);
}

static bool content_is_store(enum profile_content c) { return c == CONTENT_BUNDLE || c == CONTENT_EACH; }

static void check_kinds(struct arena *a, const struct profile *p, struct troth_err *e)
{
	bool slot = false, store = false, key = false;
	for (size_t i = 0; i < p->file_count; i++) {
		enum profile_content c = p->files[i].content;
		*(content_is_store(c) ? &store : &slot) = true;
		key = key || c == CONTENT_KEY || c == CONTENT_COMBINED;
	}
	if (p->slots && (!slot || !key))
		say(a, e, "$.files", "slot", "a slot needs a certificate file and a key file", NULL);
	if (p->stores && !store)
		say(a, e, "$.files", "store", "a store needs a file of content bundle or each", NULL);
	if (p->slots && p->slot_proof == PROOF_PROBE && p->addresses.count == 0)
		say(a, e, "$.probe", "proof", "proof: probe needs a probe", NULL);
	bool attests = (p->slots && p->slot_proof == PROOF_ATTEST) || (p->stores && p->store_proof == PROOF_ATTEST);
	if (attests && !p->attest_file)
		say(a, e, "$.attest", "proof", "proof: attest needs attest.file", NULL);
}

troth_rc profile_parse(struct arena *a, struct bytes yaml, const char *source, const struct profile **ret,
		       struct troth_err *e)
{
	struct troth_err mine = { 0 };
	const struct json *j;
	struct profile_wire w = { 0 };
	e = e ? e : &mine;
	err_clear(e);
	troth_rc rc = yaml_parse(a, yaml, &j, e);
	if (rc_ok(rc))
		rc = json_read(a, numbers_to_text(a, j), PROFILE, ARRAY_LEN(PROFILE), &w, e);
	if (rc_ok(rc)) {
		if (!is_name(w.p.name))
			say(a, e, "$.name", "name", "is not a name", "letters, digits, dots, _ and -");
		read_kinds(a, &w, e);
		read_parameters(a, &w, e);
		read_files(a, &w, e);
		read_reload(a, &w, e);
		read_probe(a, &w, e);
		read_attest(a, &w, e);
		read_proof(a, &w, e);
		check_placeholders(a, &w.p, e);
		check_kinds(a, &w.p, e);
		rc = e->kind == TROTH_OK ? RC_OK : (troth_rc){ TROTH_INVALID };
	}
	if (rc_failed(rc)) {
		err_prefix(e, "profile \"%s\"", source);
		return rc;
	}
	*ret = arena_copy(a, &w.p, sizeof w.p);
	return RC_OK;
}

/* -- the node's settings --------------------------------------------------------------------------------- */

static const struct json_field SETTINGS[] = {
	ROW(struct settings, "all", all, JF_ANY, 0),
	ROW(struct settings, "targets", targets, JF_ANY, 0),
};

static void check_values(struct arena *a, const struct json *map, struct troth_err *e)
{
	if (map->type != JSON_OBJECT) {
		say(a, e, map->path, "type", "must be a mapping of parameters to values", NULL);
		return;
	}
	for (size_t i = 0; i < map->map.count; i++) {
		const struct json *v = &map->map.values[i];
		if (v->type != JSON_STRING || v->str.len > MSG_PARAMETER_BYTES || strlen(v->str.s) != v->str.len || !is_text(v->str.s))
			say(a, e, v->path, "value", arena_printf(a, "must be one line of text, at most %d bytes", MSG_PARAMETER_BYTES), NULL);
	}
}

troth_rc settings_parse(struct arena *a, struct bytes yaml, const char *source, struct settings *ret,
			struct troth_err *e)
{
	struct troth_err mine = { 0 };
	const struct json *j;
	struct settings s = { 0 };
	e = e ? e : &mine;
	err_clear(e);
	troth_rc rc = yaml_parse(a, yaml, &j, e);
	if (rc_ok(rc))
		rc = json_read(a, numbers_to_text(a, j), SETTINGS, ARRAY_LEN(SETTINGS), &s, e);
	if (rc_ok(rc) && s.all)
		check_values(a, s.all, e);
	if (rc_ok(rc) && s.targets && s.targets->type != JSON_OBJECT)
		say(a, e, s.targets->path, "type", "must be a mapping of target names", NULL);
	else if (rc_ok(rc) && s.targets)
		for (size_t i = 0; i < s.targets->map.count; i++)
			check_values(a, &s.targets->map.values[i], e);
	if (rc_failed(rc) || e->kind != TROTH_OK) {
		err_prefix(e, "settings \"%s\"", source);
		err_hint(e, "all: {parameter: value} for every target, targets: {NAME: {parameter: value}} for one; docs/profiles.md");
		return (troth_rc){ e->kind };
	}
	*ret = s;
	return RC_OK;
}
