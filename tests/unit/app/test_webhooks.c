/* The sender's thread: order, failures, a receiver that hangs, the end. */
#include "plant.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/webhooks.h"
#include "service/webhook/webhook.h"

/* -- a receiver ----------------------------------------------------------------------------------------------- */
enum { KEPT = 64, TEXT = 4096 };
struct receiver {
	int listener, port;
	pthread_t thread;
	atomic_int status;      /* what it answers; 0: nothing, it hangs */
	atomic_int count;       /* messages taken in */
	char got[KEPT][TEXT];   /* head and body of each */
};

static size_t body_length(const char *head)
{
	const char *at = strcasestr(head, "Content-Length:");
	return at ? strtoul(at + 15, NULL, 10) : 0;
}

/* One request into `text`; false: the sender hung up. */
static bool take_request(int fd, char *text)
{
	size_t len = 0;
	for (;;) {
		ssize_t n = read(fd, text + len, TEXT - 1 - len);
		if (n <= 0)
			return false;
		len += (size_t)n;
		text[len] = 0;
		const char *end = strstr(text, "\r\n\r\n");
		if (end && len >= (size_t)(end + 4 - text) + body_length(text))
			return true;
	}
}

/* Keeps the connection between messages, as receivers do. */
static void serve(struct receiver *r, int fd)
{
	char text[TEXT], answer[128];
	while (take_request(fd, text)) {
		int i = atomic_load(&r->count), status = atomic_load(&r->status);
		if (i < KEPT)
			memcpy(r->got[i], text, TEXT);
		atomic_fetch_add(&r->count, 1);
		if (!status)
			continue;
		int len = snprintf(answer, sizeof answer, "HTTP/1.1 %d x\r\nContent-Length: 2\r\n\r\nok", status);
		if (write(fd, answer, (size_t)len) != len)
			return;
	}
}

static void *receiver_main(void *self)
{
	struct receiver *r = self;
	for (int fd; (fd = accept(r->listener, NULL, NULL)) >= 0; close(fd))
		serve(r, fd);
	return NULL;
}

static struct receiver *receiver_new(int status)
{
	struct receiver *r = calloc(1, sizeof *r);
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof at;
	r->listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(r->listener, (struct sockaddr *)&at, sizeof at), 0);
	assert_int_equal(listen(r->listener, 8), 0);
	assert_int_equal(getsockname(r->listener, (struct sockaddr *)&at, &len), 0);
	r->port = ntohs(at.sin_port);
	atomic_store(&r->status, status);
	assert_int_equal(pthread_create(&r->thread, NULL, receiver_main, r), 0);
	return r;
}

static void receiver_free(struct receiver *r)
{
	shutdown(r->listener, SHUT_RDWR);
	pthread_join(r->thread, NULL);
	close(r->listener);
	free(r);
}

static bool got_type(const struct receiver *r, int i, const char *type)
{
	char want[80];
	snprintf(want, sizeof want, "\"type\":\"%s\"", type);
	return strstr(r->got[i], want) != NULL;
}

/* -- the plant, with a sender ------------------------------------------------------------------------------------ */
struct site { struct plant *plant; struct webhooks *w; };

static struct site site_new(void)
{
	struct site s = { .plant = plant_new() };
	plant_start(s.plant);
	assert_true(rc_ok(webhooks_new(s.plant->pipeline, s.plant->store, &s.plant->port.clock, &s.w, NULL)));
	assert_true(rc_ok(webhooks_start(s.w, NULL)));
	return s;
}

static void site_free(struct site *s)
{
	webhooks_stop(s->w);
	pipeline_stop(s->plant->pipeline);
	webhooks_free(s->w);
	plant_free(s->plant);
}

struct answer { atomic_int ended; troth_rc rc; char uuid[UUID_LEN]; int64_t cursor; char state[16]; };

static void on_view(void *self, troth_rc rc, const void *ret, const struct troth_err *e)
{
	struct answer *x = self;
	const struct webhook_ret *r = ret;
	x->rc = rc;
	if (rc_failed(rc))
		fprintf(stderr, "%s\n", e->primary);
	else if (r) {
		(void)text_copy(x->uuid, sizeof x->uuid, r->webhook.row.uuid);
		(void)text_copy(x->state, sizeof x->state, r->webhook.state);
		x->cursor = r->webhook.row.cursor;
	}
	atomic_fetch_add(&x->ended, 1);
}

/* For verbs that answer with a struct webhook_ret. */
static struct answer do_verb(struct site *s, const struct verb *verb, const void *cmd)
{
	struct answer x = { 0 };
	pipeline_submit(s->plant->pipeline, verb, NULL, cmd, on_view, &x);
	assert_true(plant_await(&x.ended, 1));
	assert_true(rc_ok(x.rc));
	webhooks_wake(s->w);
	return x;
}

static struct answer add(struct site *s, const char *name, const struct receiver *r)
{
	char url[64];
	snprintf(url, sizeof url, "http://127.0.0.1:%d/hook?x=1", r->port);
	return do_verb(s, &VERB_WEBHOOK_ADD, &(struct webhook_add_cmd){ .name = name, .url = url });
}

static void on_done(void *self, troth_rc rc, const void *ret, const struct troth_err *e)
{
	assert_true(rc_ok(rc));
	atomic_fetch_add((atomic_int *)self, 1);
}

static void test_it(struct site *s, const char *name)
{
	atomic_int done = 0;
	pipeline_submit(s->plant->pipeline, &VERB_WEBHOOK_TEST, NULL, &(struct id_cmd){ name }, on_done, &done);
	assert_true(plant_await(&done, 1));
	webhooks_wake(s->w);
}

static struct answer show(struct site *s, const char *name)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	CLEANUP(store_reader_closep) struct store_reader *reader = NULL;
	struct answer x = { 0 };
	struct webhook_ret ret = { 0 };
	struct tx *tx;
	assert_true(rc_ok(store_reader_open(s->plant->store, &reader, NULL)));
	assert_true(rc_ok(store_read_begin(reader, &tx, NULL)));
	assert_true(rc_ok(pipeline_read(s->plant->pipeline, tx, a, &VERB_WEBHOOK_SHOW, &(struct id_cmd){ name }, &ret, NULL)));
	on_view(&x, RC_OK, &ret, NULL);
	store_read_end(tx);
	return x;
}

static bool await_cursor(struct site *s, const char *name, int64_t cursor)
{
	for (int i = 0; i < 5000; i++, poll(NULL, 0, 1))
		if (show(s, name).cursor >= cursor)
			return true;
	return false;
}

static void events_arrive_in_order(void **state)
{
	struct site s = site_new();
	struct receiver *r = receiver_new(200);
	struct answer x = add(&s, "ops", r);
	assert_true(plant_await(&r->count, 1));
	assert_true(got_type(r, 0, "webhook.add"));
	assert_true(text_starts(r->got[0], "POST /hook?x=1 HTTP/1.1\r\n"));
	assert_non_null(strstr(r->got[0], "\r\nwebhook-id: msg_"));
	assert_non_null(strstr(r->got[0], "\r\nwebhook-timestamp: "));
	assert_non_null(strstr(r->got[0], "\r\nwebhook-signature: v1,c2lnbmF0dXJl\r\n")); /* what the plant's keeper signs */
	assert_non_null(strstr(r->got[0], "\r\nContent-Type: application/json\r\n"));
	test_it(&s, "ops");
	assert_true(plant_await(&r->count, 3));
	assert_true(await_cursor(&s, "ops", x.cursor + 2));
	int ping = got_type(r, 1, "webhook.ping") ? 1 : 2;
	assert_true(got_type(r, ping, "webhook.ping") && got_type(r, 3 - ping, "webhook.test"));
	site_free(&s);
	receiver_free(r);
}

static void what_failed_is_sent_again_when_enabled(void **state)
{
	struct site s = site_new();
	struct receiver *r = receiver_new(410);
	struct answer x = add(&s, "ops", r);
	assert_true(plant_await(&r->count, 1));
	for (int i = 0; i < 5000 && strcmp(show(&s, "ops").state, "disabled") != 0; i++)
		poll(NULL, 0, 1);
	assert_string_equal(show(&s, "ops").state, "disabled");
	assert_int_equal(show(&s, "ops").cursor, x.cursor);
	assert_int_equal(atomic_load(&r->count), 1);
	atomic_store(&r->status, 204);
	do_verb(&s, &VERB_WEBHOOK_ENABLE, &(struct id_cmd){ "ops" });
	assert_true(plant_await(&r->count, 2));
	assert_true(got_type(r, 1, "webhook.add"));
	assert_true(await_cursor(&s, "ops", x.cursor + 1));
	site_free(&s);
	receiver_free(r);
}

/* Another one hangs meanwhile; and the end does not wait for it. */
static void a_receiver_that_hangs_holds_up_nobody(void **state)
{
	struct site s = site_new();
	struct receiver *slow = receiver_new(0), *quick = receiver_new(200);
	struct answer one = add(&s, "slow", slow), two;
	assert_true(plant_await(&slow->count, 1));
	two = add(&s, "quick", quick);
	assert_true(await_cursor(&s, "quick", two.cursor + 1));
	assert_int_equal(show(&s, "slow").cursor, one.cursor);
	msec_t before = port_mono(&PORT_CLOCK_REAL);
	webhooks_stop(s.w);
	assert_true(port_mono(&PORT_CLOCK_REAL) - before < 400);
	assert_int_equal(show(&s, "slow").cursor, one.cursor);
	assert_string_equal(show(&s, "slow").state, "working"); /* being stopped is no failure of the receiver's */
	site_free(&s);
	receiver_free(slow);
	receiver_free(quick);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_arrive_in_order), cmocka_unit_test(what_failed_is_sent_again_when_enabled),
		cmocka_unit_test(a_receiver_that_hangs_holds_up_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
