/* The keeper as a real process in its real sandbox. */
#include "spawned.h"

#include <sys/socket.h>
#include <sys/wait.h>

static void sign_leaves(struct spawned *s, struct keeper_issuer issuer, int count)
{
	const struct cert *ca, *c;
	assert_true(rc_ok(cert_parse(s->a, issuer.cert, &ca, NULL)));
	CLEANUP(key_releasep) struct key *k = NULL;
	struct keeper_request req = leaf_request(s->a, issuer, KEY_EC_P256, now_ms(), &k);
	for (int i = 0; i < count; i++) {
		struct keeper_reply r;
		req.leaf_sign.spec.serial[5] = (uint8_t)i;
		ask_spawned(s, &req, s->a, &r);
		assert_reply_ok(&r);
		assert_true(rc_ok(cert_parse(s->a, r.der, &c, NULL)) && cert_issued_by(c, ca));
	}
}

static void twenty_signatures_of_each_algorithm_in_the_sandbox(void **state)
{
	struct spawned *s = *state;
	for (enum key_type t = 0; t < KEY_TYPE_COUNT; t++)
		if (t != KEY_RSA_4096) /* the_short_lane_... makes and uses that one */
			sign_leaves(s, make_root(ask_spawned, s, s->a, "/demo/ca", t, now_ms()), 20);
}

static void a_key_is_made_and_sealed_in_the_sandbox(void **state)
{
	struct spawned *s = *state;
	CLEANUP(key_releasep) struct key *agent = NULL;
	struct keeper_issuer agents = make_root(ask_spawned, s, s->a, KEEPER_AGENTS_AUTHORITY, KEY_EC_P256, now_ms());
	struct keeper_issuer ca = make_root(ask_spawned, s, s->a, "/demo/ca", KEY_EC_P256, now_ms());
	struct keeper_request identity = leaf_request(s->a, agents, KEY_EC_P256, now_ms(), &agent);
	struct keeper_reply who, r;
	ask_spawned(s, &identity, s->a, &who);
	assert_reply_ok(&who);
	static const enum key_type TYPES[] = { KEY_RSA_2048, KEY_EC_P256, KEY_EC_P384, KEY_ED25519 };
	for (size_t i = 0; i < ARRAY_LEN(TYPES); i++) {
		CLEANUP(buf_release) struct buf plain = buf_make_secret(LIMIT_KEY_DER_BYTES);
		CLEANUP(key_releasep) struct key *k = NULL;
		struct keeper_request seal = seal_request(ca, agents, who.der, TYPES[i], now_ms());
		ask_spawned(s, &seal, s->a, &r);
		assert_reply_ok(&r);
		assert_true(rc_ok(cms_open(agent, who.der, r.sealed, &plain, NULL)));
		assert_true(rc_ok(key_parse(buf_bytes(&plain), &k, NULL)));
		assert_int_equal(key_type_of(k), TYPES[i]);
	}
}

static void the_audit_head_is_signed_in_the_sandbox(void **state)
{
	struct spawned *s = *state;
	struct keeper_request create = { .kind = KEEPER_AUDIT_CREATE, .audit_create = { .key_id = UUID_2 } };
	struct keeper_reply key, r;
	ask_spawned(s, &create, s->a, &key);
	assert_reply_ok(&key);
	struct keeper_request sign = { .kind = KEEPER_AUDIT_SIGN, .audit_sign = { .blob = key.blob, .seq = 3, .head = { 5 } } };
	ask_spawned(s, &sign, s->a, &r);
	assert_reply_ok(&r);
	assert_true(rc_ok(keeper_audit_verify(r.spki, 3, sign.audit_sign.head, r.signed_at, r.signature, NULL)));
}

static void a_message_to_a_webhook_is_signed_in_the_sandbox(void **state)
{
	struct spawned *s = *state;
	struct keeper_request wrap = { .kind = KEEPER_WEBHOOK_WRAP }, sign = { .kind = KEEPER_WEBHOOK_SIGN };
	struct keeper_reply key, r;
	wrap.webhook_wrap.policy = (struct keeper_policy){ .key_id = UUID_1, .kind = KEEPER_KEY_WEBHOOK, .authority = "ops" };
	wrap.webhook_wrap.secret = bytes_of_text("0123456789abcdef0123456789abcdef");
	ask_spawned(s, &wrap, s->a, &key);
	assert_reply_ok(&key);
	sign.webhook_sign.blob = key.blob;
	sign.webhook_sign.message = "msg_1";
	sign.webhook_sign.body = bytes_of(arena_alloc(s->a, LIMIT_WEBHOOK_BODY_BYTES), LIMIT_WEBHOOK_BODY_BYTES);
	ask_spawned(s, &sign, s->a, &r);
	assert_reply_ok(&r);
	assert_int_equal(r.signature.len, SHA256_LEN);
}

static void a_ca_certificate_is_asked_for_in_the_sandbox(void **state)
{
	struct spawned *s = *state;
	static const enum key_type TYPES[] = { KEY_RSA_2048, KEY_EC_P256, KEY_EC_P384, KEY_ED25519 };
	for (size_t i = 0; i < ARRAY_LEN(TYPES); i++) {
		struct keeper_request req = { .kind = KEEPER_AUTHORITY_REQUEST };
		struct keeper_reply r;
		struct csr csr;
		req.authority_request.policy = policy_of("/corp/issuing", now_ms());
		req.authority_request.key_type = TYPES[i];
		req.authority_request.spec = spec_of(CERT_INTERMEDIATE, now_ms());
		ask_spawned(s, &req, s->a, &r);
		assert_reply_ok(&r);
		assert_true(r.blob.len && rc_ok(csr_parse(s->a, r.der, &csr, NULL)));
		assert_int_equal(csr.key_type, TYPES[i]);
	}
}

static void an_authoritys_key_is_given_out_in_the_sandbox(void **state)
{
	struct spawned *s = *state;
	static const enum key_type TYPES[] = { KEY_RSA_2048, KEY_EC_P256, KEY_EC_P384, KEY_ED25519 };
	for (size_t i = 0; i < ARRAY_LEN(TYPES); i++) {
		struct keeper_request make = create_request("/demo/ca", TYPES[i], now_ms()), open = { .kind = KEEPER_AUTHORITY_OPEN };
		struct keeper_reply made, r;
		CLEANUP(key_releasep) struct key *k = NULL;
		make.authority_create.policy.exportable = true;
		ask_spawned(s, &make, s->a, &made);
		assert_reply_ok(&made);
		open.key_open.blob = made.blob;
		ask_spawned(s, &open, s->a, &r);
		assert_reply_ok(&r);
		assert_true(rc_ok(key_parse(r.key, &k, NULL)) && key_public_matches(k, r.spki));
	}
}

/* Collects answers until `id` has come; counts those that came before. */
static struct keeper_reply wait_for(struct spawned *s, uint64_t id, int *ret_before)
{
	for (*ret_before = 0;;) {
		struct keeper_reply replies[LIMIT_KEEPER_BATCH];
		struct troth_err e = { 0 };
		size_t n;
		if (rc_failed(keeper_client_receive(s->client, s->a, PATIENCE_MS, replies, &n, &e)))
			fail_msg("%s", e.primary);
		for (size_t i = 0; i < n; i++) {
			if (replies[i].id == id)
				return replies[i];
			++*ret_before;
		}
	}
}

/* Both requests go in one message, the slow one first. */
static void the_short_lane_answers_while_the_long_one_makes_a_key(void **state)
{
	struct spawned *s = *state;
	CLEANUP(key_releasep) struct key *k = NULL;
	struct keeper_issuer ca = make_root(ask_spawned, s, s->a, "/demo/ca", KEY_EC_P256, now_ms());
	struct keeper_request reqs[2] = { create_request("/demo/slow", KEY_RSA_4096, now_ms()),
					  leaf_request(s->a, ca, KEY_EC_P256, now_ms(), &k) };
	size_t sent;
	int before;
	reqs[0].id = 100;
	reqs[1].id = 101;
	assert_true(rc_ok(keeper_client_send(s->client, reqs, 2, &sent, NULL)));
	assert_int_equal(sent, 2);
	struct keeper_reply quick = wait_for(s, 101, &before);
	assert_reply_ok(&quick);
	assert_int_equal(before, 0);
	assert_int_equal(keeper_client_in_flight(s->client), 1);
	struct keeper_reply slow = wait_for(s, 100, &before);
	assert_reply_ok(&slow);
	sign_leaves(s, (struct keeper_issuer){ slow.blob, slow.der }, 20);
}

static void too_many_slow_requests_are_refused_as_busy(void **state)
{
	struct spawned *s = *state;
	struct keeper_request reqs[LIMIT_KEEPER_BATCH]; /* far more than can be made meanwhile */
	size_t sent;
	for (size_t i = 0; i < ARRAY_LEN(reqs); i++) {
		reqs[i] = create_request("/demo/slow", KEY_RSA_4096, now_ms());
		reqs[i].id = i + 1;
	}
	assert_true(rc_ok(keeper_client_send(s->client, reqs, ARRAY_LEN(reqs), &sent, NULL)));
	assert_int_equal(sent, ARRAY_LEN(reqs));
	int before;
	struct keeper_reply last = wait_for(s, ARRAY_LEN(reqs), &before);
	assert_refused(&last, TROTH_BUSY, "waiting to be made");
}

static void send_raw(struct spawned *s, const void *data, size_t len)
{
	assert_int_equal(send(keeper_client_fd(s->client), data, len, 0), len);
}

static void a_broken_message_is_refused_and_the_keeper_lives(void **state)
{
	struct spawned *s = *state;
	struct keeper_reply replies[LIMIT_KEEPER_BATCH];
	struct troth_err e = { 0 };
	size_t n;
	static const char *const BROKEN[] = { "x", "TKM1", "TKM1\1", "TKM1\1\1\1\1\1\1\1\1\1\1\1\1\1\1", "TKM0\1" };
	for (size_t i = 0; i < ARRAY_LEN(BROKEN); i++) {
		send_raw(s, BROKEN[i], strlen(BROKEN[i]));
		assert_true(rc_failed(keeper_client_receive(s->client, s->a, PATIENCE_MS, replies, &n, &e)));
		assert_int_equal(e.kind, TROTH_UNAVAILABLE);
		assert_non_null(strstr(e.primary, "could not read a message"));
	}
	static uint8_t large[LIMIT_KEEPER_MESSAGE_BYTES + 100];
	send_raw(s, large, sizeof large);
	assert_true(rc_failed(keeper_client_receive(s->client, s->a, PATIENCE_MS, replies, &n, &e)));
	sign_leaves(s, make_root(ask_spawned, s, s->a, "/demo/ca", KEY_EC_P256, now_ms()), 1);
}

/* PING, kind 1, id 7, and an unknown field / an unknown kind: refused under its id. */
static void an_unknown_field_or_kind_is_refused_under_its_id(void **state)
{
	struct spawned *s = *state;
	static const uint8_t FIELD[] = { 'T', 'K', 'M', '1', 1, 0, 0, 0, 0, 0, 0, 0, 7, 1, 0, 0, 0, 6, 9, 0, 0, 0, 1, 0 };
	static const uint8_t KIND[] = { 'T', 'K', 'M', '1', 1, 0, 0, 0, 0, 0, 0, 0, 8, 99, 0, 0, 0, 0 };
	int before;
	send_raw(s, FIELD, sizeof FIELD);
	struct keeper_reply r = wait_for(s, 7, &before);
	assert_refused(&r, TROTH_INVALID, "is unknown here");
	send_raw(s, KIND, sizeof KIND);
	r = wait_for(s, 8, &before);
	assert_refused(&r, TROTH_INVALID, "request kind 99 is unknown");
}

static void status_line(int pid, const char *file, const char *key, char *out, size_t size)
{
	char path[64], line[256];
	snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	*out = 0;
	while (fgets(line, sizeof line, f))
		if (strncmp(line, key, strlen(key)) == 0)
			snprintf(out, size, "%s", line + strlen(key));
	fclose(f);
}

static void the_process_is_hardened(void **state)
{
	struct spawned *s = *state;
	char text[256];
	int pid = keeper_client_pid(s->client);
	status_line(pid, "status", "Seccomp:", text, sizeof text);
	assert_int_equal(strtol(text, NULL, 10), 2);
	status_line(pid, "status", "NoNewPrivs:", text, sizeof text);
	assert_int_equal(strtol(text, NULL, 10), 1);
	status_line(pid, "status", "Threads:", text, sizeof text);
	assert_true(strtol(text, NULL, 10) >= 3);
	status_line(pid, "limits", "Max core file size", text, sizeof text);
	assert_int_equal(strtol(text, NULL, 10), 0);
}

static void its_log_has_a_line_for_each_use(void **state)
{
	struct spawned *s = *state;
	struct bytes log;
	sign_leaves(s, make_root(ask_spawned, s, s->a, "/demo/ca", KEY_EC_P256, now_ms()), 3);
	assert_true(rc_ok(file_read(s->a, s->log_path, 1 << 20, &log, NULL)));
	int lines = 0;
	for (const char *p = (const char *)log.data; (p = strstr(p, "act=leaf-sign result=granted")); p++)
		lines++;
	assert_int_equal(lines, 3);
}

/* Runs keeper_main in a child, on these descriptors; its exit code. */
static int main_with(int fd, int log_fd, const char *master)
{
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (!freopen("/dev/null", "w", stderr))
			_exit(99);
		_exit(keeper_main(&(struct keeper_config){ fd, log_fd, master }));
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void wrong_descriptors_are_refused(void **state)
{
	struct spawned *s = *state;
	int pair[2], pipes[2];
	char path[128];
	assert_int_equal(pipe(pipes), 0);
	assert_true(rc_ok(socket_pair(LIMIT_KEEPER_MESSAGE_BYTES, pair, NULL)));
	snprintf(path, sizeof path, "%s/plain.log", s->dir);
	FILE *plain = fopen(path, "w"); /* not for appending */
	assert_non_null(plain);
	assert_int_equal(main_with(pipes[0], pipes[1], s->key_path), 1);
	assert_int_equal(main_with(pair[1], pipes[0], s->key_path), 1);
	assert_int_equal(main_with(pair[1], fileno(plain), s->key_path), 1);
	assert_int_equal(main_with(pair[1], pipes[1], "/nonexistent/master.key"), err_exit_code(TROTH_NOT_FOUND));
	close(pair[0]); /* now a keeper that starts well ends at once, and well */
	assert_int_equal(main_with(pair[1], pipes[1], s->key_path), 0);
	fclose(plain);
	unlink(path);
	close(pair[1]);
	close(pipes[0]);
	close(pipes[1]);
}

static void the_command_line_is_checked(void **state)
{
	char *argv[] = { (char *)(uintptr_t)"keeper", (char *)(uintptr_t)"--what", NULL };
	assert_int_equal(keeper_command(2, argv), 2);
}

#define T(name) cmocka_unit_test_setup_teardown(name, spawned_setup, spawned_teardown)

int main(int argc, char **argv)
{
	SPAWNED_MAIN(argc, argv);
	const struct CMUnitTest tests[] = {
		T(twenty_signatures_of_each_algorithm_in_the_sandbox),
		T(a_key_is_made_and_sealed_in_the_sandbox),
		T(the_audit_head_is_signed_in_the_sandbox),
		T(a_message_to_a_webhook_is_signed_in_the_sandbox),
		T(a_ca_certificate_is_asked_for_in_the_sandbox),
		T(an_authoritys_key_is_given_out_in_the_sandbox),
		T(the_short_lane_answers_while_the_long_one_makes_a_key),
		T(too_many_slow_requests_are_refused_as_busy),
		T(a_broken_message_is_refused_and_the_keeper_lives),
		T(an_unknown_field_or_kind_is_refused_under_its_id),
		T(the_process_is_hardened),
		T(its_log_has_a_line_for_each_use),
		T(wrong_descriptors_are_refused),
		cmocka_unit_test(the_command_line_is_checked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
