/* A CLI whose server is a list of expected requests and answers, and whose output is a text. */
#ifndef TROTH_CLI_FIXTURE_H
#define TROTH_CLI_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/cli_internal.h"

struct turn {
	const char *request;       /* "GET /v1/authorities?name=%2Fx" */
	const char *body;          /* exactly, or NULL: not looked at */
	int status;                /* 0: no answer came */
	const char *reply;
};

struct scene {
	const struct turn *turns;
	size_t count, at;
	msec_t now;
	const char *dir;           /* TROTH_DIR */
	const char *config_home;   /* XDG_CONFIG_HOME */
	const char *maestro_json;  /* MAESTRO_OUTPUT_JSON */
	char *out, *err;           /* what was printed; freed by scene_end */
	size_t out_len, err_len;
	bool terminal;
	char made_dir[40];
};

static inline troth_rc scene_call(void *self, struct arena *a, const struct http_client_config *config,
				  const struct http_outgoing *out, struct http_answer *ret, struct troth_err *e)
{
	struct scene *s = self;
	const char *method = http_method_name(out->method);
	if (s->at >= s->count)
		fail_msg("unexpected request %s %s", method, out->target);
	const struct turn *t = &s->turns[s->at++];
	s->now += 500;
	assert_string_equal(t->request, arena_printf(a, "%s %s", method, out->target));
	if (t->body)
		assert_string_equal(t->body, out->body.data ? arena_text_n(a, (const char *)out->body.data, out->body.len) : "");
	assert_string_equal(config->server, "https://127.0.0.1:8443");
	assert_string_equal(config->bearer, "secret");
	ENSURE(t->status, e, TROTH_UNAVAILABLE, "could not connect");
	*ret = (struct http_answer){ .status = t->status, .content_type = t->status < 400 ? "application/json" : "application/problem+json",
				     .body = bytes_of_text(t->reply) };
	return RC_OK;
}

static inline msec_t scene_now(void *self) { return ((struct scene *)self)->now; }
static inline void scene_pause(void *self, msec_t length) { ((struct scene *)self)->now += length; }
static inline const char *scene_env(void *self, const char *name)
{
	const struct scene *s = self;
	return strcmp(name, "TROTH_DIR") == 0 ? s->dir : strcmp(name, "XDG_CONFIG_HOME") == 0 ? s->config_home :
	       strcmp(name, "MAESTRO_OUTPUT_JSON") == 0 ? s->maestro_json : NULL;
}

/* A directory as `troth init` leaves it. */
static inline void scene_dir(struct scene *s)
{
	static const char *const files[][2] = {
		{ "admin.json", "{\"url\":\"https://127.0.0.1:8443\",\"ca_file\":\"ca.pem\",\"token_file\":\"admin.token\",\"listen\":\"127.0.0.1:8443\"}" },
		{ "ca.pem", "no certificate\n" },
		{ "admin.token", "secret\n" },
	};
	snprintf(s->made_dir, sizeof s->made_dir, "/tmp/troth-cli-XXXXXX");
	assert_non_null(mkdtemp(s->made_dir));
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char path[80];
		snprintf(path, sizeof path, "%s/%s", s->made_dir, files[i][0]);
		FILE *f = fopen(path, "w");
		assert_non_null(f);
		fputs(files[i][1], f);
		fclose(f);
	}
	s->dir = s->made_dir;
}

static inline void scene_dir_remove(struct scene *s)
{
	static const char *const files[] = { "admin.json", "ca.pem", "admin.token" };
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char path[80];
		snprintf(path, sizeof path, "%s/%s", s->made_dir, files[i]);
		unlink(path);
	}
	rmdir(s->made_dir);
}

/* Runs "troth ..." against the turns; all of them must be used.  Returns the exit code. */
static inline int scene_run(struct scene *s, const struct turn *turns, size_t count, const char *const *argv)
{
	static const struct cli_program programs[] = { { "init", "make a data directory", "usage: troth init\n" },
						       { "server", "run the server", "usage: troth server\n" } };
	struct cli_port port = { s, scene_call, scene_now, scene_pause, scene_env, &PORT_RANDOM_REAL };
	free(s->out);
	free(s->err);
	s->turns = turns;
	s->count = count;
	s->at = 0;
	FILE *out = open_memstream(&s->out, &s->out_len), *err = open_memstream(&s->err, &s->err_len);
	struct cli c = { .a = arena_new(CLI_ARENA_BYTES), .port = &port, .out = out, .err = err, .terminal = s->terminal,
			 .colours = s->terminal, .width = CLI_WIDTH, .programs = programs, .program_count = ARRAY_LEN(programs) };
	int argc = 0;
	while (argv[argc])
		argc++;
	int code = cli_run(&c, argc, (char **)(uintptr_t)argv);
	arena_free(c.a);
	fclose(out);
	fclose(err);
	if (s->at != s->count)
		fail_msg("%zu requests where %zu were expected: %s%s", s->at, s->count, s->out, s->err);
	return code;
}

static inline void scene_end(struct scene *s)
{
	free(s->out);
	free(s->err);
	s->out = s->err = NULL;
}

#define RUN(s, turns, ...) scene_run((s), (turns), ARRAY_LEN(turns), (const char *const[]){ __VA_ARGS__, NULL })
#define RUN_ALONE(s, ...) scene_run((s), NULL, 0, (const char *const[]){ __VA_ARGS__, NULL })

#define assert_has(text, part)                                                                     \
	do {                                                                                       \
		if (!strstr((text), (part)))                                                       \
			fail_msg("\"%s\" is not in:\n%s", (part), (text));                         \
	} while (0)

static inline const struct json *fixture_json(struct arena *a, const char *text)
{
	const struct json *j = NULL;
	struct troth_err e = { 0 };
	if (rc_failed(json_parse(a, bytes_of_text(text), &j, &e)))
		fail_msg("%s: %s", text, e.primary);
	return j;
}

/* No line is wider than `width` characters. */
static inline void assert_width(const char *text, int width)
{
	for (const char *line = text; *line;) {
		const char *end = strchr(line, '\n');
		size_t len = end ? (size_t)(end - line) : strlen(line);
		int n = 0;
		for (size_t i = 0; i < len; i++)
			n += (line[i] & 0xc0) != 0x80;
		if (n > width)
			fail_msg("%d wide: %.*s", n, (int)len, line);
		line += len + (end != NULL);
	}
}

static inline int scene_setup(void **state)
{
	static struct scene s;
	memset(&s, 0, sizeof s);
	s.now = INT64_C(1795000000000);
	scene_dir(&s);
	*state = &s;
	return 0;
}

static inline int scene_teardown(void **state)
{
	scene_end(*state);
	scene_dir_remove(*state);
	return 0;
}

#endif
