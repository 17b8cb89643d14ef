/* Link to hand and back: everything arrives, nothing broken is taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/wire.h"

struct fixture {
	struct arena *a;
	struct buf b;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	*f = (struct fixture){ arena_new(64 << 20), buf_make_secret(WIRE_MESSAGE_BYTES) };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	arena_free(f->a);
	buf_release(&f->b);
	free(f);
	return 0;
}

static struct hand_request request(void)
{
	static const char *certs[] = { "ONE", "TWO" }, *bad[] = { "cd" };
	static struct msg_parameter p[] = { { "port", "443" } };
	return (struct hand_request){ .op = HAND_STAGE, .ticket = 77, .id = "id", .generation = INT64_MAX, .name = "n", .profile = "nginx",
				      .kind = MSG_STORE, .role = MSG_CLIENT, .parameters = p, .parameter_count = 1,
				      .certificates = { certs, 2 }, .distrusted = { bad, 1 }, .key_request = "kr", .sealed_key = bytes_of("\0\1", 2), .request = "rq",
				      .key_type = "ec-p256", .common_name = "", .text = "why", .certificate = "C", .chain = "", .server_ca = "S" };
}

static void a_request_arrives(void **state)
{
	struct fixture *f = *state;
	struct hand_request in = request(), out;
	hand_request_encode(&f->b, &in);
	assert_true(rc_ok(hand_request_decode(f->a, buf_bytes(&f->b), &out, NULL)));
	assert_int_equal(out.op, HAND_STAGE);
	assert_int_equal(out.ticket, 77);
	assert_int_equal(out.generation, INT64_MAX);
	assert_int_equal(out.kind, MSG_STORE);
	assert_string_equal(out.parameters[0].value, "443");
	assert_string_equal(out.certificates.items[1], "TWO");
	assert_string_equal(out.distrusted.items[0], "cd");
	assert_true(bytes_equal(out.sealed_key, in.sealed_key));
	assert_string_equal(out.common_name, "");
	assert_string_equal(out.chain, "");
}

static void a_reply_arrives(void **state)
{
	struct fixture *f = *state;
	static const char *fps[] = { "ab" }, *lines[] = { "changed" }, *ids[] = { "x", "y" };
	struct hand_reply in = { .op = HAND_LOOK, .ticket = 5, .ok = true, .kind = TROTH_IO, .text = "t", .fingerprints = { fps, 1 }, .no_way_back = true, .down = true,
				 .matched = true, .drift = { lines, 1 }, .key = bytes_of("KEY", 3), .ids = { ids, 2 }, .boot_id = "b" }, out;
	in.view = (struct hand_view){ .phase = PHASE_BACKING, .loaded = 1, .high_water = 2, .doing = 3, .no_way_back = true, .has_files = true,
				      .doing_fingerprints = { fps, 1 }, .reason = "r", .name = "n", .profile = "p" };
	hand_reply_encode(&f->b, &in);
	assert_true(rc_ok(hand_reply_decode(f->a, buf_bytes(&f->b), &out, NULL)));
	assert_int_equal(out.view.phase, PHASE_BACKING);
	assert_int_equal(out.view.doing, 3);
	assert_string_equal(out.view.doing_fingerprints.items[0], "ab");
	assert_true(out.no_way_back && out.view.no_way_back);
	assert_null(out.view.found_text);
	assert_true(out.down && out.matched && !out.present);
	assert_string_equal(out.ids.items[1], "y");
	assert_true(bytes_equal(out.key, in.key));
}

static void every_cut_is_refused(void **state)
{
	struct fixture *f = *state;
	struct hand_request in = request(), out;
	struct troth_err e = { 0 };
	hand_request_encode(&f->b, &in);
	for (size_t n = 0; n < f->b.len; n++)
		assert_true(rc_failed(hand_request_decode(f->a, bytes_of(f->b.data, n), &out, &e)));
	buf_add_byte(&f->b, 0);
	assert_true(rc_failed(hand_request_decode(f->a, buf_bytes(&f->b), &out, &e)));
	assert_non_null(strstr(e.primary, "left over"));
}

static void what_is_too_much_is_refused(void **state)
{
	struct fixture *f = *state;
	struct hand_request in = request(), out;
	struct troth_err e = { 0 };
	char *long_text = arena_alloc(f->a, WIRE_TEXT_BYTES + 2);
	memset(long_text, 'x', WIRE_TEXT_BYTES + 1);
	in.text = long_text;
	hand_request_encode(&f->b, &in);
	assert_true(rc_failed(hand_request_decode(f->a, buf_bytes(&f->b), &out, &e)));
	assert_non_null(strstr(e.primary, "too long"));
	buf_clear(&f->b);
	in = request();
	in.certificates.items = ARENA_ARRAY(f->a, const char *, LIMIT_BUNDLE_CERTS + 1);
	in.certificates.count = LIMIT_BUNDLE_CERTS + 1;
	hand_request_encode(&f->b, &in);
	assert_false(buf_ok(&f->b));
	buf_clear(&f->b);
	f->b.failed = false;
	in = request();
	hand_request_encode(&f->b, &in);
	f->b.data[1] = HAND_OP_COUNT;
	assert_true(rc_failed(hand_request_decode(f->a, buf_bytes(&f->b), &out, &e)));
	assert_non_null(strstr(e.primary, "unknown"));
	f->b.data[0] = 9;
	assert_true(rc_failed(hand_request_decode(f->a, buf_bytes(&f->b), &out, &e)));
}

static void ops_have_names(void **state)
{
	for (int i = 0; i < HAND_OP_COUNT; i++)
		assert_true(hand_op_name((enum hand_op)i)[0] != '?');
	assert_string_equal(hand_op_name(HAND_OP_COUNT), "?");
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { CASE(a_request_arrives), CASE(a_reply_arrives), CASE(every_cut_is_refused),
					    CASE(what_is_too_much_is_refused), CASE(ops_have_names) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
