/* From profile, settings and server to a place: whose word wins, and what is out of bounds.  The
 * profiles are those that troth ships. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>

#include "agent/profiles.h"

struct shelf {
	struct arena *a;
	struct profiles p;
};

static int setup(void **state)
{
	struct shelf *s = calloc(1, sizeof *s);
	struct troth_err e = { 0 };
	s->a = arena_new(64 << 20);
	if (rc_failed(profiles_load(s->a, TROTH_PROFILES, NULL, &s->p, &e)))
		fail_msg("%s", e.primary);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct shelf *s = *state;
	arena_free(s->a);
	free(s);
	return 0;
}

static void settings(struct shelf *s, const char *yaml)
{
	struct troth_err e = { 0 };
	if (rc_failed(settings_parse(s->a, bytes_of_text(yaml), "settings", &s->p.settings, &e)))
		fail_msg("%s", e.primary);
}

static struct target_spec spec(const char *profile, enum msg_target_kind kind)
{
	return (struct target_spec){ .id = "id", .name = "tls", .profile = profile, .kind = kind, .role = MSG_SERVER };
}

static troth_rc resolve(struct shelf *s, struct target_spec t, struct place *ret, struct troth_err *e)
{
	err_clear(e);
	return place_resolve(s->a, s->p.items, s->p.count, &s->p.settings, &t, ret, e);
}

static struct place resolved(struct shelf *s, struct target_spec t)
{
	struct place p;
	struct troth_err e = { 0 };
	if (rc_failed(resolve(s, t, &p, &e)))
		fail_msg("%s", e.primary);
	return p;
}

static void refused(struct shelf *s, struct target_spec t, const char *words)
{
	struct place p;
	struct troth_err e = { 0 };
	assert_true(rc_failed(resolve(s, t, &p, &e)));
	if (!strstr(e.primary, words))
		fail_msg("\"%s\" does not say \"%s\"", e.primary, words);
}

static void shipped_profiles_work_as_they_are(void **state)
{
	struct shelf *s = *state;
	struct place p = resolved(s, spec("nginx", MSG_SLOT));
	assert_string_equal(p.directory, "/etc/troth/nginx/tls");
	assert_int_equal(p.signal, SIGHUP);
	assert_int_equal(p.proof, PROOF_PROBE);
	assert_int_equal(p.port, 443);
	assert_int_equal(p.file_count, 2);
	assert_int_equal(p.fixed_count, 0);
	assert_int_equal(p.drain, 60000);
	p = resolved(s, spec("nginx", MSG_STORE));
	assert_int_equal(p.proof, PROOF_RELOAD);
	assert_int_equal(p.file_count, 1);
	assert_int_equal(p.address_count, 0);
	p = resolved(s, spec("postgresql", MSG_SLOT));
	assert_int_equal(p.starttls, PROBE_POSTGRESQL);
	p = resolved(s, spec("redis", MSG_SLOT));
	assert_string_equal(p.command[4], "CONFIG");
	assert_string_equal(p.command[7], "/etc/troth/redis/tls/current/cert.pem");
	assert_string_equal(p.command[9], "/etc/troth/redis/tls/current/key.pem");
	assert_null(p.command[10]);
	p = resolved(s, spec("pem-files", MSG_STORE));
	assert_int_equal(p.proof, PROOF_ATTEST);
	assert_string_equal(p.attest_file, "/etc/troth/files/tls/loaded");
	assert_string_equal(p.files[p.attest_of].name, "ca.pem");
	p = resolved(s, spec("haproxy", MSG_SLOT));
	assert_int_equal(p.signal, SIGUSR2);
	assert_true(p.file_count == 1 && p.files[0].content == CONTENT_COMBINED && p.files[0].mode == 0600);
	p = resolved(s, spec("apache", MSG_SLOT));
	assert_true(p.signal == SIGUSR1 && !p.command[0]);
}

/* Apache by its own program, a unit by its name: one way to reload each, and never a unit that nobody named. */
static void the_node_says_how_it_is_reloaded(void **state)
{
	struct shelf *s = *state;
	settings(s, "targets: {tls: {signal: \"\", command: /usr/sbin/apachectl, argument1: graceful}}\n");
	struct place p = resolved(s, spec("apache", MSG_SLOT));
	assert_int_equal(p.signal, 0);
	assert_string_equal(p.command[1], "graceful");
	assert_null(p.command[2]);
	settings(s, "all: {}\n");
	refused(s, spec("systemd", MSG_SLOT), "parameter unit of profile systemd has no value");
	settings(s, "targets: {tls: {unit: hello.service}}\n");
	p = resolved(s, spec("systemd", MSG_STORE));
	assert_string_equal(p.command[0], "/usr/bin/systemctl");
	assert_string_equal(p.command[1], "try-reload-or-restart");
	assert_string_equal(p.restart[1], "try-restart");
	assert_string_equal(p.command[2], "hello.service");
	assert_int_equal(p.proof, PROOF_RELOAD);
	settings(s, "targets: {tls: {unit: hello.service, action: stop}}\n");
	refused(s, spec("systemd", MSG_STORE), "action");
}

static void the_nodes_word_goes_before_the_servers(void **state)
{
	struct shelf *s = *state;
	static const struct msg_parameter said[] = { { "port", "8443" }, { "address", "10.0.0.1,::1" } };
	struct target_spec t = spec("nginx", MSG_SLOT);
	t.parameters = said;
	t.parameter_count = 2;
	struct place p = resolved(s, t);
	assert_int_equal(p.port, 8443);
	assert_int_equal(p.address_count, 2);
	assert_string_equal(p.addresses[1], "::1");
	settings(s, "all: {port: 1111}\ntargets: {tls: {port: 9443}}\n");
	assert_int_equal(resolved(s, t).port, 9443);
	settings(s, "all: {port: 1111}\n");
	assert_int_equal(resolved(s, t).port, 1111);
}

static void what_the_server_says_is_taken_letter_by_letter(void **state)
{
	struct shelf *s = *state;
	static struct msg_parameter said[] = { { "port", "{pid_file}" } };
	struct target_spec t = spec("nginx", MSG_SLOT);
	t.parameters = said;
	t.parameter_count = 1;
	refused(s, t, "which is no port");
	said[0] = (struct msg_parameter){ "port", "" };
	refused(s, t, "which is no port");
	said[0] = (struct msg_parameter){ "pid_file", "/tmp/x" };
	refused(s, t, "does not take parameter");
	said[0] = (struct msg_parameter){ "command", "/bin/sh" };
	refused(s, t, "does not take parameter");
	said[0] = (struct msg_parameter){ "address", "a b" };
	refused(s, t, "which is no hosts");
}

/* An emergency's restart is the node's to say, as a reload is. */
static void a_restart_is_the_nodes(void **state)
{
	struct shelf *s = *state;
	settings(s, "all: {restart_command: /usr/bin/systemctl, restart_argument1: restart, restart_argument2: nginx}\n");
	struct place p = resolved(s, spec("nginx", MSG_SLOT));
	assert_string_equal(p.restart[0], "/usr/bin/systemctl");
	assert_string_equal(p.restart[2], "nginx");
	assert_null(p.restart[3]);
	assert_null(p.command[0]);
	settings(s, "all: {restart_command: systemctl}\n");
	refused(s, spec("nginx", MSG_SLOT), "which is no path");
}

static void nothing_leads_outside_the_roots(void **state)
{
	struct shelf *s = *state;
	settings(s, "targets: {tls: {directory: /var/other}}\n");
	refused(s, spec("nginx", MSG_SLOT), "outside the roots");
	settings(s, "targets: {tls: {directory: /etc/troth/../passwd}}\n");
	refused(s, spec("nginx", MSG_SLOT), "which is no path");
	settings(s, "targets: {tls: {directory: /etc/trothless}}\n");
	refused(s, spec("nginx", MSG_SLOT), "outside the roots");
	settings(s, "targets: {tls: {cert_file: /etc/nginx/cert.pem}}\n");
	refused(s, spec("nginx", MSG_SLOT), "outside the roots");
	settings(s, "targets: {tls: {root: /srv, directory: /srv/x, cert_file: /srv/cert.pem}}\n");
	struct place p = resolved(s, spec("nginx", MSG_SLOT));
	assert_int_equal(p.fixed_count, 1);
	struct target_spec t = spec("nginx", MSG_SLOT);
	t.name = "../../x";
	refused(s, t, "cannot be used in a path");
}

static void paths_below(void **state)
{
	static const char *const roots[] = { "/srv/a", "/etc/x" };
	assert_true(path_below("/srv/a", roots, 2));
	assert_true(path_below("/srv/a/b/c", roots, 2));
	assert_true(path_below("/etc/x/y", roots, 2));
	assert_false(path_below("/srv/ab", roots, 2));
	assert_false(path_below("/srv", roots, 2));
	assert_false(path_below("/srv/a/../b", roots, 2));
	assert_false(path_below("srv/a", roots, 2));
}

static void slips_of_the_pen_are_told(void **state)
{
	struct shelf *s = *state;
	settings(s, "targets: {tls: {prot: 1}}\n");
	refused(s, spec("nginx", MSG_SLOT), "prot");
	settings(s, "all: {unrelated: 1}\n"); /* for other profiles perhaps */
	(void)resolved(s, spec("nginx", MSG_SLOT));
	refused(s, spec("lighttpd", MSG_SLOT), "not installed");
	settings(s, "all: {directory: '{root}/{directory}'}\n");
	refused(s, spec("nginx", MSG_SLOT), "circle");
	settings(s, "all: {sightings: 0}\n");
	refused(s, spec("nginx", MSG_SLOT), "sightings");
	settings(s, "all: {drain: 2h}\n");
	refused(s, spec("nginx", MSG_SLOT), "drain");
	settings(s, "all: {signal: HUP, pid_file: /run/x, command: /bin/x}\n");
	refused(s, spec("pem-files", MSG_STORE), "both");
}

static void a_key_is_never_wide_open(void **state)
{
	struct shelf *s = *state;
	settings(s, "all: {key_mode: '0644'}\n");
	refused(s, spec("postgresql", MSG_SLOT), "everyone read");
	settings(s, "all: {key_mode: '0620'}\n");
	refused(s, spec("postgresql", MSG_SLOT), "too wide");
	settings(s, "all: {key_mode: '0640'}\n");
	assert_int_equal(resolved(s, spec("postgresql", MSG_SLOT)).files[1].mode, 0640);
}

static void a_clients_slot_has_no_port_to_probe(void **state)
{
	struct shelf *s = *state;
	struct target_spec t = spec("pem-files", MSG_SLOT);
	t.role = MSG_CLIENT;
	settings(s, "all: {pid_file: /run/x, attest_file: ''}\n");
	struct place p = resolved(s, t);
	assert_int_equal(p.proof, PROOF_RELOAD);
	assert_int_equal(p.address_count, 0);
}

static void the_servers_idea_of_the_proof_must_be_the_profiles(void **state)
{
	struct shelf *s = *state;
	static struct msg_parameter said[] = { { "proof", "probe" } };
	struct target_spec t = spec("nginx", MSG_SLOT);
	t.parameters = said;
	t.parameter_count = 1;
	(void)resolved(s, t);
	said[0].value = "read";
	refused(s, t, "counts on proof");
}

static void equal_reloads_are_one_service(void **state)
{
	struct shelf *s = *state;
	struct place slot = resolved(s, spec("nginx", MSG_SLOT)), store = resolved(s, spec("nginx", MSG_STORE));
	assert_string_equal(slot.service, store.service);
	assert_string_not_equal(slot.service, resolved(s, spec("redis", MSG_SLOT)).service);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(shipped_profiles_work_as_they_are), CASE(the_node_says_how_it_is_reloaded), CASE(the_nodes_word_goes_before_the_servers),
		CASE(what_the_server_says_is_taken_letter_by_letter), CASE(nothing_leads_outside_the_roots), CASE(paths_below),
		CASE(slips_of_the_pen_are_told), CASE(a_key_is_never_wide_open), CASE(a_clients_slot_has_no_port_to_probe),
		CASE(the_servers_idea_of_the_proof_must_be_the_profiles), CASE(equal_reloads_are_one_service),
		CASE(a_restart_is_the_nodes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
