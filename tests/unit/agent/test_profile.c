/* Profiles as written: the rules between their parts, patterns, settings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/profile.h"

#define HEAD "name: p\ndescription: d\nkinds: [slot]\n"
#define FILES "files:\n - {name: c.pem, content: fullchain}\n - {name: k.pem, content: key}\n"
#define TAIL "drain: 1s\nproof: reload\nreload: {signal: HUP, pid_file: /run/x}\n"
#define GOOD HEAD "roots: [/srv]\ndirectory: /srv/x\n" FILES TAIL

static int setup(void **state)
{
	*state = arena_new(32 << 20);
	return 0;
}

static int teardown(void **state)
{
	arena_free(*state);
	return 0;
}

static void refused(struct arena *a, const char *yaml, const char *path, const char *words)
{
	const struct profile *p;
	struct troth_err e = { 0 };
	assert_true(rc_failed(profile_parse(a, bytes_of_text(yaml), "x.yaml", &p, &e)));
	for (const struct finding *f = e.findings; f; f = f->next)
		if (strcmp(f->path, path) == 0 && strstr(f->text, words))
			return;
	fail_msg("no finding at %s with \"%s\"; first: %s", path, words, e.primary);
}

static void a_good_one_is_read(void **state)
{
	const struct profile *p;
	struct troth_err e = { 0 };
	if (rc_failed(profile_parse(*state, bytes_of_text(GOOD), "x.yaml", &p, &e)))
		fail_msg("%s", e.primary);
	assert_string_equal(p->name, "p");
	assert_true(p->slots);
	assert_false(p->stores);
	assert_int_equal(p->slot_proof, PROOF_RELOAD);
	assert_int_equal(p->reload_timeout, 30000);
}

static void the_server_never_decides_what_is_the_nodes(void **state)
{
#define OPEN "parameters: {x: {pattern: path, server: true}}\n"
	refused(*state, HEAD OPEN "roots: ['{x}']\ndirectory: /srv/x\n" FILES TAIL, "$.roots[0]", "node's alone");
	refused(*state, HEAD OPEN "roots: [/srv]\ndirectory: /srv/x\n" FILES "drain: 1s\nproof: reload\nreload: {command: ['{x}']}\n",
		"$.reload.command[0]", "node's alone");
	refused(*state, HEAD OPEN "roots: [/srv]\ndirectory: /srv/x\n" FILES
		"drain: 1s\nproof: reload\nreload: {signal: HUP, pid_file: '{x}'}\n", "$.reload.pid_file", "node's alone");
	refused(*state, HEAD OPEN "roots: [/srv]\ndirectory: /srv/x\nfiles:\n - {name: c, content: leaf, owner: '{x}'}\n"
		" - {name: k, content: key}\n" TAIL, "$.files[0]", "node's alone");
	refused(*state, HEAD OPEN "roots: [/srv]\ndirectory: /srv/x\n" FILES TAIL "attest: {file: '{x}'}\n", "$.attest.file", "node's alone");
	refused(*state, HEAD OPEN "roots: [/srv]\ndirectory: /srv/x\n" FILES TAIL "fixed: [{path: '{x}', file: c.pem}]\n", "$.fixed[0].path",
		"node's alone");
	refused(*state, HEAD "parameters: {x: {server: true}}\nroots: [/srv]\ndirectory: /srv\n" FILES TAIL, "$.parameters.x", "closer pattern");
}

static void parts_must_fit_together(void **state)
{
	refused(*state, GOOD "colour: red\n", "$.colour", "not a field");
	refused(*state, HEAD "roots: [/srv]\ndirectory: '/srv/{y}'\n" FILES TAIL, "$.directory", "not a parameter");
	refused(*state, HEAD "roots: [/srv]\ndirectory: '/srv/{y'\n" FILES TAIL, "$.directory", "closing");
	refused(*state, HEAD "roots: [/srv]\ndirectory: /srv\nfiles: [{name: c, content: leaf}]\n" TAIL, "$.files", "key file");
	refused(*state, HEAD "roots: [/srv]\ndirectory: /srv\nfiles: [{name: ../c, content: leaf}, {name: k, content: key}]\n" TAIL,
		"$.files[0]", "plain file name");
	refused(*state, HEAD "roots: [/srv]\ndirectory: /srv\nfiles: [{name: c, content: soup}, {name: k, content: key}]\n" TAIL,
		"$.files[0]", "not known");
	refused(*state, HEAD "roots: [/srv]\ndirectory: /srv\n" FILES "drain: 1s\nproof: probe\n", "$.probe", "needs a probe");
	refused(*state, HEAD "roots: [/srv]\ndirectory: /srv\n" FILES "drain: 1s\nproof: attest\n", "$.attest", "needs attest.file");
	refused(*state, HEAD "roots: [/srv]\ndirectory: /srv\n" FILES "drain: 1s\nproof: hope\n", "$.proof", "must be probe");
	refused(*state, "name: p\ndescription: d\nkinds: [store]\nroots: [/srv]\ndirectory: /srv\nfiles: [{name: c, content: bundle}]\n"
		"drain: 1s\nproof: probe\n", "$.proof", "cannot be probed");
	refused(*state, HEAD "roots: [/srv]\ndirectory: /srv\n" FILES "drain: 1s\nproof: reload\nreload: {signal: HUP}\n", "$.reload", "together");
	refused(*state, GOOD "parameters: {x: {pattern: regex}}\n", "$.parameters.x", "not known");
	refused(*state, GOOD "fixed: [{path: /srv/a, file: zzz}]\n", "$.fixed[0]", "not one of");
}

/* engine-rules 12, acc with CRL: a verifier that checks CRLs needs a fresh one of every CA.  Nobody brings it one, so a
 * profile cannot declare such a verifier: it would stop accepting chains of a new CA, and nobody would know why. */
static void crl_missing(void **state)
{
	refused(*state, GOOD "crl: check\n", "$.crl", "not a field");
	refused(*state, GOOD "check_crl: true\n", "$.check_crl", "not a field");
}

static void all_findings_come_at_once(void **state)
{
	const struct profile *p;
	struct troth_err e = { 0 };
	int n = 0;
	const char *yaml = HEAD "roots: ['{a}']\ndirectory: '{b}'\nfiles: [{name: c, content: leaf}]\ndrain: 1s\nproof: probe\n";
	assert_true(rc_failed(profile_parse(*state, bytes_of_text(yaml), "x.yaml", &p, &e)));
	for (const struct finding *f = e.findings; f; f = f->next)
		n++;
	assert_int_equal(n, 4);
	assert_non_null(strstr(e.primary, "x.yaml"));
}

static void patterns_say_what_a_value_may_be(void **state)
{
	static const struct { const char *pattern, *yes, *no; } rows[] = {
		{ "path", "/srv/a b.c", "srv" },      { "path", "/", "/a/../b" },      { "path", "/a/..b", "/a/./b" },
		{ "path", "/a", "/a//b" },            { "path", "/a", "/a/" },         { "path", "/a", "/a\n" },
		{ "port", "65535", "65536" },         { "port", "1", "0" },            { "port", "443", "44x" },
		{ "number", "0", "-1" },              { "name", "a.b-c_d", "-a" },     { "name", "a", "../a" },
		{ "host", "db.example", "a b" },      { "host", "::1", "-x" },         { "hosts", "a,::1", "a;b" },
		{ "duration", "1h30m", "soon" },      { "duration", "0", "" },         { "mode", "0640", "640" },
		{ "text", "any $(thing)", "a\tb" },   { "a|b|c", "b", "d" },           { "a|b|c", "c", "" },
		{ "a|b", "a", "a|b" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!pattern_matches(rows[i].pattern, rows[i].yes) || pattern_matches(rows[i].pattern, rows[i].no))
			fail_msg("pattern %s: %s, not %s", rows[i].pattern, rows[i].yes, rows[i].no);
		assert_true(pattern_valid(rows[i].pattern));
	}
	assert_false(pattern_valid("regex"));
}

static void settings_are_lines_of_text(void **state)
{
	struct settings s;
	struct troth_err e = { 0 };
	assert_true(rc_ok(settings_parse(*state, bytes_of_text("all: {root: /x}\ntargets:\n  tls: {port: 8443}\n"), "s", &s, &e)));
	assert_string_equal(json_get_text(json_get(s.targets, "tls"), "port", ""), "8443");
	assert_true(rc_failed(settings_parse(*state, bytes_of_text("targets: {tls: {port: [1]}}\n"), "s", &s, &e)));
	assert_true(rc_failed(settings_parse(*state, bytes_of_text("targets: [1]\n"), "s", &s, &e)));
	assert_true(rc_failed(settings_parse(*state, bytes_of_text("all: {a: \"x\\ny\"}\n"), "s", &s, &e)));
	assert_true(rc_failed(settings_parse(*state, bytes_of_text("some: 1\n"), "s", &s, &e)));
	assert_non_null(strstr(e.primary, "settings \"s\""));
}

static void proofs_have_names(void **state)
{
	assert_string_equal(profile_proof_name(PROOF_ATTEST), "attest");
	assert_string_equal(profile_proof_name(PROOF_READ), "read");
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_good_one_is_read), CASE(the_server_never_decides_what_is_the_nodes), CASE(parts_must_fit_together),
		CASE(crl_missing), CASE(all_findings_come_at_once), CASE(patterns_say_what_a_value_may_be), CASE(settings_are_lines_of_text),
		CASE(proofs_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
