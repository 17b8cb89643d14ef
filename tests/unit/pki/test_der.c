/* Strict DER: what is read, what is refused, what is written. */
#include "pki/der.h"
#include "pki_fixture.h"

#define B(text) ((struct bytes){ (const uint8_t *)(text), sizeof(text) - 1 })

static void reads_shortest_lengths_only(void **state)
{
	const struct { struct bytes in; bool ok; } rows[] = {
		{ B("\x04\x00"), true },
		{ B("\x04\x01\x61"), true },
		{ B("\x04\x81\x01\x61"), false },          /* long form where short fits */
		{ B("\x04\x80\x61\x00\x00"), false },      /* indefinite */
		{ B("\x04\x82\x00\x80"), false },          /* leading zero */
		{ B("\x04\x02\x61"), false },              /* past the end */
		{ B("\x04\x85\x01\x00\x00\x00\x00"), false }, /* absurd */
		{ B("\x1f\x01\x61"), false },              /* high tag */
		{ B("\x04"), false },
		{ B(""), false },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes in = rows[i].in, content;
		int tag;
		assert_int_equal(der_next(&in, &tag, &content), rows[i].ok);
		if (!rows[i].ok)
			assert_ptr_equal(in.data, rows[i].in.data); /* nothing moved */
	}
}

static void integers_are_minimal_and_not_negative(void **state)
{
	const struct { struct bytes in; bool ok; int value; } rows[] = {
		{ B("\x02\x01\x00"), true, 0 },        { B("\x02\x01\x7f"), true, 127 },
		{ B("\x02\x02\x00\x80"), true, 128 },  { B("\x02\x02\x00\x7f"), false, 0 },
		{ B("\x02\x01\x80"), false, 0 },       { B("\x02\x00"), false, 0 },
		{ B("\x02\x04\x7f\xff\xff\xff"), true, 0x7fffffff }, { B("\x02\x05\x00\xff\xff\xff\xff"), false, 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes in = rows[i].in;
		int value = -1;
		assert_int_equal(der_read_small(&in, &value), rows[i].ok);
		if (rows[i].ok)
			assert_int_equal(value, rows[i].value);
	}
}

static void bit_strings_are_whole_bytes(void **state)
{
	struct bytes bits, in = B("\x03\x02\x00\x61");
	assert_true(der_read_bits(&in, &bits));
	assert_int_equal(bits.len, 1);
	in = B("\x03\x02\x01\x60");
	assert_false(der_read_bits(&in, &bits));
	in = B("\x03\x00");
	assert_false(der_read_bits(&in, &bits));
}

static void well_formed_is_bounded_in_depth(void **state)
{
	CLEANUP(buf_release) struct buf w = buf_make(4096);
	size_t marks[100];
	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		marks[i] = der_open(&w, DER_SEQUENCE);
	for (size_t i = ARRAY_LEN(marks); i-- > 0;)
		der_close(&w, marks[i]);
	assert_true(buf_ok(&w));
	assert_false(der_well_formed(buf_bytes(&w)));
	assert_true(der_well_formed(B("\x30\x03\x02\x01\x00")));
	assert_false(der_well_formed(B("\x30\x03\x02\x02\x00")));
	assert_true(der_well_formed(B("")));
}

static void written_values_read_back_at_every_length(void **state)
{
	static const size_t lens[] = { 0, 1, 127, 128, 255, 256, 65535, 65536 };
	static uint8_t data[65536];
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		CLEANUP(buf_release) struct buf w = buf_make(70000);
		size_t mark = der_open(&w, DER_SEQUENCE);
		der_add(&w, DER_OCTET_STRING, bytes_of(data, lens[i]));
		der_close(&w, mark);
		struct bytes in = buf_bytes(&w), body, content;
		assert_true(der_read(&in, DER_SEQUENCE, &body) && in.len == 0);
		assert_true(der_read(&body, DER_OCTET_STRING, &content) && body.len == 0);
		assert_int_equal(content.len, lens[i]);
	}
}

static void numbers_and_bits_are_written_shortest(void **state)
{
	CLEANUP(buf_release) struct buf w = buf_make(256);
	der_add_small(&w, 0);
	der_add_small(&w, 128);
	der_add_unsigned(&w, B("\x00\x00\x01"));
	der_add_named_bits(&w, 0);
	der_add_named_bits(&w, 1 << 5 | 1 << 6);
	der_add_named_bits(&w, 1);
	assert_true(bytes_equal(buf_bytes(&w), B("\x02\x01\x00" "\x02\x02\x00\x80" "\x02\x01\x01" "\x03\x01\x00"
						 "\x03\x02\x01\x06" "\x03\x02\x07\x80")));
}

static void times_change_their_type_in_2050(void **state)
{
	CLEANUP(buf_release) struct buf w = buf_make(256);
	msec_t t;
	assert_rc_ok(time_parse("2049-12-31T23:59:59Z", &t, e));
	der_add_time(&w, t);
	der_add_time(&w, t + 1000);
	assert_true(bytes_equal(buf_bytes(&w), B("\x17\x0d" "491231235959Z" "\x18\x0f" "20500101000000Z")));
}

static void a_full_buffer_stays_failed(void **state)
{
	CLEANUP(buf_release) struct buf w = buf_make(4);
	size_t mark = der_open(&w, DER_SEQUENCE);
	der_add_text(&w, DER_UTF8_STRING, "does not fit");
	der_close(&w, mark);
	assert_false(buf_ok(&w));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_shortest_lengths_only),
		cmocka_unit_test(integers_are_minimal_and_not_negative),
		cmocka_unit_test(bit_strings_are_whole_bytes),
		cmocka_unit_test(well_formed_is_bounded_in_depth),
		cmocka_unit_test(written_values_read_back_at_every_length),
		cmocka_unit_test(numbers_and_bits_are_written_shortest),
		cmocka_unit_test(times_change_their_type_in_2050),
		cmocka_unit_test(a_full_buffer_stays_failed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
