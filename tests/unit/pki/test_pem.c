/* PEM as it comes: with text around it, CR LF, and broken in every way. */
#include "pki_fixture.h"

static troth_rc decode_first(const char *text, struct buf *out, struct troth_err *e)
{
	struct pem_reader r = pem_reader_make(bytes_of_text(text));
	struct pem_block b;
	bool found;
	TRY(pem_next(&r, &b, &found, e));
	ENSURE(found, e, TROTH_NOT_FOUND, "nothing");
	return pem_decode(&b, out, e);
}

static void blocks_are_found_between_text(void **state)
{
	struct pem_reader r = pem_reader_make(
		bytes_of_text("subject=x\r\n-----BEGIN A B-----  \r\nYWJj\r\n-----END A B-----\r\n\r\ntext\n"
			      "-----BEGIN C-----\nYQ==\n-----END C-----"));
	struct pem_block b;
	bool found;
	assert_rc_ok(pem_next(&r, &b, &found, e));
	assert_true(found);
	assert_string_equal(b.label, "A B");
	assert_int_equal(b.line, 2);
	CLEANUP(buf_release) struct buf out = buf_make(16);
	assert_rc_ok(pem_decode(&b, &out, e));
	assert_string_equal(buf_text(&out), "abc");
	assert_rc_ok(pem_next(&r, &b, &found, e));
	assert_true(found);
	assert_int_equal(b.line, 7);
	assert_rc_ok(pem_next(&r, &b, &found, e));
	assert_false(found);
}

static void broken_blocks_are_refused_with_their_line(void **state)
{
	static const struct { const char *text, *why; } rows[] = {
		{ "-----BEGIN A-----\nYWJj\n", "has no END line" },
		{ "-----BEGIN A-----\nYWJj\n-----END B-----\n", "ends as \"B\" on line 3" },
		{ "-----BEGIN A-----\nYWJj\n-----BEGIN A-----\n-----END A-----\n", "before the next BEGIN on line 3" },
		{ "-----BEGIN A-----\nYW*j\n-----END A-----\n", "wrong base64 character" },
		{ "-----BEGIN A-----\nYWJ\n-----END A-----\n", "is cut off" },
		{ "-----BEGIN A-----\nYQ==YQ==\n-----END A-----\n", "wrong base64 character" },
		{ "-----BEGIN A-----\nYQ===\n-----END A-----\n", "wrong base64 character" },
		{ "-----BEGIN A-----\nY=Q=\n-----END A-----\n", "wrong base64 character" },
		{ "-----BEGIN A-----\n====\n-----END A-----\n", "wrong base64 character" },
		{ "-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\n\nYWJj\n-----END A-----\n", "may be encrypted" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(buf_release) struct buf out = buf_make(64);
		assert_refused(decode_first(rows[i].text, &out, e), TROTH_INVALID, rows[i].why);
	}
}

static void the_buffer_bounds_the_block(void **state)
{
	CLEANUP(buf_release) struct buf out = buf_make(2);
	assert_refused(decode_first("-----BEGIN A-----\nYWJj\n-----END A-----\n", &out, e), TROTH_TOO_LARGE, "larger than 2");
}

static void encoded_blocks_decode_again(void **state)
{
	uint8_t data[200];
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)(i * 7);
	for (size_t n = 0; n <= sizeof data; n++) {
		CLEANUP(buf_release) struct buf text = buf_make(1024);
		CLEANUP(buf_release) struct buf back = buf_make(1024);
		pem_encode("X", bytes_of(data, n), &text);
		assert_rc_ok(decode_first(buf_text(&text), &back, e));
		assert_true(bytes_equal(buf_bytes(&back), bytes_of(data, n)));
		for (const char *line = buf_text(&text), *end; (end = strchr(line, '\n')); line = end + 1)
			assert_true(end - line <= 64 && end - line > 0);
	}
}

static void der_is_not_taken_for_pem(void **state)
{
	assert_false(pem_looks_like(bytes_of("\x30\x03\x02\x01\x00", 5)));
	assert_false(pem_looks_like(bytes_of(NULL, 0)));
	assert_true(pem_looks_like(bytes_of_text("text\n-----BEGIN X-----")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_are_found_between_text),
		cmocka_unit_test(broken_blocks_are_refused_with_their_line),
		cmocka_unit_test(the_buffer_bounds_the_block),
		cmocka_unit_test(encoded_blocks_decode_again),
		cmocka_unit_test(der_is_not_taken_for_pem),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
