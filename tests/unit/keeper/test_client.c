/* The server's end of the line: starting, batching, limits, and a keeper that dies. */
#include "spawned.h"

#include <poll.h>
#include <sys/wait.h>

static void a_dead_keeper_is_seen_as_unavailable(void **state)
{
	struct spawned *s = *state;
	struct keeper_request ping = { .kind = KEEPER_PING };
	struct keeper_reply r;
	struct troth_err e = { 0 };
	assert_int_equal(kill(keeper_client_pid(s->client), SIGKILL), 0);
	struct pollfd p = { .fd = keeper_client_fd(s->client), .events = POLLIN };
	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1); /* its death makes the line readable */
	assert_true(rc_failed(keeper_call(s->client, s->a, &ping, PATIENCE_MS, &r, &e)));
	assert_int_equal(e.kind, TROTH_UNAVAILABLE);
	assert_non_null(strstr(e.primary, "the keeper has ended"));
}

static void what_was_asked_of_a_keeper_that_dies_fails_as_unavailable(void **state)
{
	struct spawned *s = *state;
	struct keeper_reply replies[LIMIT_KEEPER_BATCH];
	struct keeper_request slow = create_request("/demo/slow", KEY_RSA_4096, now_ms());
	struct troth_err e = { 0 };
	size_t n;
	assert_true(rc_ok(keeper_client_send(s->client, &slow, 1, &n, NULL)));
	assert_int_equal(kill(keeper_client_pid(s->client), SIGKILL), 0);
	assert_true(rc_failed(keeper_client_receive(s->client, s->a, PATIENCE_MS, replies, &n, &e)));
	assert_int_equal(e.kind, TROTH_UNAVAILABLE);
	assert_int_equal(keeper_client_in_flight(s->client), 1);
}

static void another_keeper_reads_the_blobs_of_the_one_that_died(void **state)
{
	struct spawned *s = *state;
	struct troth_err e = { 0 };
	struct keeper_issuer ca = make_root(ask_spawned, s, s->a, "/demo/ca", KEY_EC_P256, now_ms());
	keeper_client_close(s->client);
	s->client = NULL;
	if (rc_failed(spawned_start(s, &e)))
		fail_msg("%s", e.primary);
	CLEANUP(key_releasep) struct key *k = NULL;
	struct keeper_request req = leaf_request(s->a, ca, KEY_EC_P256, now_ms(), &k);
	struct keeper_reply r;
	ask_spawned(s, &req, s->a, &r);
	assert_reply_ok(&r);
}

static void another_master_key_does_not_open_them(void **state)
{
	struct spawned *s = *state;
	struct keeper_issuer ca = make_root(ask_spawned, s, s->a, "/demo/ca", KEY_EC_P256, now_ms());
	keeper_client_close(s->client);
	s->client = NULL;
	unlink(s->key_path);
	assert_true(rc_ok(keeper_master_create(s->key_path, NULL)));
	assert_true(rc_ok(spawned_start(s, NULL)));
	CLEANUP(key_releasep) struct key *k = NULL;
	struct keeper_request req = leaf_request(s->a, ca, KEY_EC_P256, now_ms(), &k);
	struct keeper_reply r;
	ask_spawned(s, &req, s->a, &r);
	assert_refused(&r, TROTH_CORRUPT, "another master key");
}

static void sixty_four_requests_go_in_a_message_and_all_are_answered(void **state)
{
	struct spawned *s = *state;
	CLEANUP(key_releasep) struct key *k = NULL;
	struct keeper_issuer ca = make_root(ask_spawned, s, s->a, "/demo/ca", KEY_EC_P256, now_ms());
	struct keeper_request reqs[200];
	bool seen[201] = { 0 };
	size_t sent = 0, got = 0;
	reqs[0] = leaf_request(s->a, ca, KEY_EC_P256, now_ms(), &k);
	for (size_t i = 0; i < ARRAY_LEN(reqs); i++) {
		reqs[i] = reqs[0];
		reqs[i].id = i + 1;
		reqs[i].leaf_sign.spec.serial[9] = (uint8_t)i;
	}
	while (sent < ARRAY_LEN(reqs)) {
		size_t n;
		assert_true(rc_ok(keeper_client_send(s->client, reqs + sent, ARRAY_LEN(reqs) - sent, &n, NULL)));
		assert_true(n >= 1 && n <= LIMIT_KEEPER_BATCH);
		sent += n;
	}
	assert_int_equal(keeper_client_in_flight(s->client), ARRAY_LEN(reqs));
	while (got < ARRAY_LEN(reqs)) {
		struct keeper_reply replies[LIMIT_KEEPER_BATCH];
		size_t n;
		assert_true(rc_ok(keeper_client_receive(s->client, s->a, PATIENCE_MS, replies, &n, NULL)));
		for (size_t i = 0; i < n; i++, got++) {
			assert_reply_ok(&replies[i]);
			assert_true(replies[i].id >= 1 && replies[i].id <= ARRAY_LEN(reqs) && !seen[replies[i].id]);
			seen[replies[i].id] = true;
		}
	}
	assert_int_equal(keeper_client_in_flight(s->client), 0);
}

/* The keeper is stopped, so nothing is answered: the client says BUSY and never blocks. */
static void a_full_line_is_busy_and_recovers(void **state)
{
	struct spawned *s = *state;
	struct keeper_request pings[LIMIT_KEEPER_BATCH];
	struct troth_err e = { 0 };
	size_t sent = 0, total = 0, got = 0, n;
	for (size_t i = 0; i < ARRAY_LEN(pings); i++)
		pings[i] = (struct keeper_request){ .id = i + 1, .kind = KEEPER_PING };
	assert_int_equal(kill(keeper_client_pid(s->client), SIGSTOP), 0);
	while (rc_ok(keeper_client_send(s->client, pings, ARRAY_LEN(pings), &sent, &e)))
		total += sent;
	assert_int_equal(e.kind, TROTH_BUSY);
	assert_true(total > 0 && total <= LIMIT_KEEPER_IN_FLIGHT);
	assert_int_equal(kill(keeper_client_pid(s->client), SIGCONT), 0);
	while (got < total) {
		struct keeper_reply replies[LIMIT_KEEPER_BATCH];
		assert_true(rc_ok(keeper_client_receive(s->client, s->a, PATIENCE_MS, replies, &n, NULL)));
		got += n;
	}
	assert_true(rc_ok(keeper_client_send(s->client, pings, 1, &sent, NULL)));
}

static void receive_looks_waits_and_gives_up(void **state)
{
	struct spawned *s = *state;
	struct keeper_reply replies[LIMIT_KEEPER_BATCH];
	struct troth_err e = { 0 };
	size_t n = 9;
	assert_true(rc_ok(keeper_client_receive(s->client, s->a, 0, replies, &n, &e)));
	assert_int_equal(n, 0);
	assert_true(rc_failed(keeper_client_receive(s->client, s->a, 5, replies, &n, &e)));
	assert_int_equal(e.kind, TROTH_TIMEOUT);
}

static void a_call_that_gave_up_does_not_confuse_the_next(void **state)
{
	struct spawned *s = *state;
	struct keeper_request slow = create_request("/demo/slow", KEY_RSA_3072, now_ms());
	struct keeper_request ping = { .kind = KEEPER_PING };
	struct keeper_reply r;
	struct troth_err e = { 0 };
	assert_true(rc_failed(keeper_call(s->client, s->a, &slow, 1, &r, &e)));
	assert_int_equal(e.kind, TROTH_TIMEOUT);
	assert_true(rc_ok(keeper_call(s->client, s->a, &ping, PATIENCE_MS, &r, &e)));
	assert_int_equal(r.blob.len, 0);
}

static void a_request_that_cannot_be_written_down_is_refused_here(void **state)
{
	struct spawned *s = *state;
	struct keeper_request req = create_request("/demo/ca", KEY_EC_P256, now_ms());
	struct troth_err e = { 0 };
	size_t sent;
	req.authority_create.policy.authority = "line\nbreak";
	assert_true(rc_failed(keeper_client_send(s->client, &req, 1, &sent, &e)));
	assert_int_equal(e.kind, TROTH_INVALID);
	assert_int_equal(keeper_client_in_flight(s->client), 0);
	req.id = 0;
	assert_true(rc_failed(keeper_client_send(s->client, &req, 1, &sent, &e)));
	assert_true(rc_ok(keeper_client_send(s->client, &req, 0, &sent, &e)));
}

static void a_keeper_that_cannot_start_is_unavailable(void **state)
{
	struct spawned *s = *state;
	struct keeper_client *c = NULL;
	struct troth_err e = { 0 };
	char loose[128];
	snprintf(loose, sizeof loose, "%s/loose.key", s->dir);
	assert_true(rc_ok(file_write(loose, bytes_of("0123456789abcdef0123456789abcdef", 32), 0644, NULL)));
	struct keeper_spawn_options open_to_all = { loose, s->log_path }, no_log = { s->key_path, "/nonexistent/log" };
	assert_true(rc_failed(keeper_spawn("/proc/self/exe", &open_to_all, &c, &e)));
	assert_int_equal(e.kind, TROTH_UNAVAILABLE);
	assert_true(rc_failed(keeper_spawn("/nonexistent/troth", &(struct keeper_spawn_options){ s->key_path, s->log_path }, &c, &e)));
	assert_int_equal(e.kind, TROTH_UNAVAILABLE);
	assert_true(rc_failed(keeper_spawn("/proc/self/exe", &no_log, &c, &e)));
	assert_non_null(strstr(e.primary, "could not open the keeper's log"));
	assert_null(c);
	unlink(loose);
}

static void closing_ends_the_process(void **state)
{
	struct spawned *s = *state;
	int pid = keeper_client_pid(s->client);
	keeper_client_close(s->client);
	s->client = NULL;
	assert_int_equal(kill(pid, 0), -1);
	keeper_client_close(NULL);
}

static void closing_ends_one_that_does_not_end_itself(void **state)
{
	struct spawned *s = *state;
	int pid = keeper_client_pid(s->client);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	keeper_client_close(s->client);
	s->client = NULL;
	assert_int_equal(kill(pid, 0), -1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, spawned_setup, spawned_teardown)

int main(int argc, char **argv)
{
	SPAWNED_MAIN(argc, argv);
	const struct CMUnitTest tests[] = {
		T(a_dead_keeper_is_seen_as_unavailable),
		T(what_was_asked_of_a_keeper_that_dies_fails_as_unavailable),
		T(another_keeper_reads_the_blobs_of_the_one_that_died),
		T(another_master_key_does_not_open_them),
		T(sixty_four_requests_go_in_a_message_and_all_are_answered),
		T(a_full_line_is_busy_and_recovers),
		T(receive_looks_waits_and_gives_up),
		T(a_call_that_gave_up_does_not_confuse_the_next),
		T(a_request_that_cannot_be_written_down_is_refused_here),
		T(a_keeper_that_cannot_start_is_unavailable),
		T(closing_ends_the_process),
		T(closing_ends_one_that_does_not_end_itself),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
