/* troth profile: what the agent would read, and what it would do. */
#include "cli_fixture.h"

#define PROFILES_DIR TROTH_SOURCE_DIR "/profiles"

static void the_shipped_ones_are_listed_and_shown(void **state)
{
	struct scene *s = *state;
	assert_int_equal(RUN_ALONE(s, "profile", "list", "--profiles", PROFILES_DIR), 0);
	assert_has(s->out, "nginx");
	assert_has(s->out, "slot probe, store reload");
	assert_width(s->out, CLI_WIDTH);
	assert_int_equal(RUN_ALONE(s, "profile", "show", "nginx", "--profiles", PROFILES_DIR), 0);
	assert_has(s->out, "pid_file           /run/nginx.pid");
	assert_has(s->out, "may set it");
	assert_width(s->out, CLI_WIDTH);
	assert_int_equal(RUN_ALONE(s, "profile", "show", "nginx", "--profiles", PROFILES_DIR, "-o", "json"), 0);
	assert_has(s->out, "\"content\": \"fullchain\"");
	assert_int_equal(RUN_ALONE(s, "profile", "show", "nope", "--profiles", PROFILES_DIR), 4);
	assert_has(s->err, "there is no profile \"nope\"");
	assert_int_equal(RUN_ALONE(s, "profile", "list", "--profiles", "/nonexistent"), 4);
}

static void write_file(struct scene *s, const char *name, const char *text, char path[120])
{
	snprintf(path, 120, "%s/%s", s->made_dir, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void checking_says_what_it_would_do(void **state)
{
	struct scene *s = *state;
	char settings[120];
	write_file(s, "settings.yaml", "all: {root: /srv/tls}\ntargets: {tls: {port: 8443}}\n", settings);
	assert_int_equal(RUN_ALONE(s, "profile", "check", PROFILES_DIR "/nginx.yaml"), 0);
	assert_has(s->out, "profile nginx is fine; with its defaults:\n  as a slot\n    file    /etc/troth/nginx/NAME/current/cert.pem\n");
	assert_has(s->out, "    reload  signal HUP to the process in /run/nginx.pid\n    probe   127.0.0.1 port 443, 5 times in a row\n    proof   probe\n");
	assert_int_equal(RUN_ALONE(s, "profile", "check", PROFILES_DIR "/redis.yaml", "--settings", settings, "--target", "tls"), 0);
	assert_has(s->out, "/srv/tls/redis/tls/current/key.pem");
	assert_has(s->out, "port 8443");
	assert_has(s->out, "    reload  /usr/bin/redis-cli -e -s /run/redis/redis.sock CONFIG SET\n            tls-cert-file");
	assert_width(s->out, CLI_WIDTH);
	unlink(settings);
}

static void what_is_wrong_is_told_whole(void **state)
{
	struct scene *s = *state;
	char path[120];
	write_file(s, "bad.yaml", "name: mail\nkindz: [slot]\n", path);
	assert_int_equal(RUN_ALONE(s, "profile", "check", path), 1);
	assert_has(s->err, "$.kindz: is not a field that is known here");
	assert_has(s->err, "  $.files: is missing");
	unlink(path);
	assert_int_equal(RUN_ALONE(s, "profile", "check", "/nonexistent"), 4);
	assert_int_equal(RUN_ALONE(s, "profile", "check", PROFILES_DIR "/systemd.yaml"), 1); /* which unit? */
	assert_has(s->err, "parameter unit of profile systemd has no value");
	assert_has(s->err, "hint: a node's values are in its settings: --settings FILE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shipped_ones_are_listed_and_shown),
		cmocka_unit_test(checking_says_what_it_would_do),
		cmocka_unit_test(what_is_wrong_is_told_whole),
	};
	return cmocka_run_group_tests(tests, scene_setup, scene_teardown);
}
