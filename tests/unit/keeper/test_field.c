/* Structs by table: what is written is read back, and nothing else is read. */
#include "fixture.h"

#include "keeper/field.h"

struct inner { bool flag; };
struct sample {
	const char *name;
	struct bytes blob;
	uint8_t fixed[3];
	char id[UUID_LEN];
	int small;
	int64_t big;
	const char *const *texts;
	size_t text_count;
	const struct san *sans;
	size_t san_count;
	struct inner inner;
};

static const struct field INNER[] = { { 1, FIELD_BOOL, "flag", offsetof(struct inner, flag) } };
static const struct field SAMPLE[] = {
	{ 1, FIELD_TEXT, "name", offsetof(struct sample, name), .max = 10, .required = true },
	{ 2, FIELD_BYTES, "blob", offsetof(struct sample, blob), .max = 4 },
	{ 3, FIELD_FIXED, "fixed", offsetof(struct sample, fixed), .size = 3 },
	{ 4, FIELD_UUID, "id", offsetof(struct sample, id) },
	{ 5, FIELD_INT, "small", offsetof(struct sample, small), .size = 4, .min = -1, .max = 9 },
	{ 6, FIELD_INT, "big", offsetof(struct sample, big), .size = 8, .min = 0, .max = INT64_MAX },
	{ 7, FIELD_TEXTS, "texts", offsetof(struct sample, texts), .count_offset = offsetof(struct sample, text_count), .max = 3 },
	{ 8, FIELD_SANS, "sans", offsetof(struct sample, sans), .count_offset = offsetof(struct sample, san_count), .max = 2 },
	{ 9, FIELD_STRUCT, "inner", offsetof(struct sample, inner), .fields = INNER, .field_count = 1 },
};

static const char *const TEXTS[] = { "a", "b" };
static const struct san SANS[] = { { SAN_DNS, "x.org" }, { SAN_URI, "troth://i" } };

static struct sample full(void)
{
	return (struct sample){ .name = "n", .blob = bytes_of("\0\1", 2), .fixed = { 1, 2, 3 }, .id = UUID_1, .small = -1,
				.big = INT64_MAX, .texts = TEXTS, .text_count = 2, .sans = SANS, .san_count = 2, .inner = { true } };
}

static troth_rc write_sample(const struct sample *s, struct buf *out, struct troth_err *e)
{
	return field_write(SAMPLE, ARRAY_LEN(SAMPLE), s, out, e);
}

static troth_rc read_sample(struct arena *a, struct bytes in, struct sample *out, struct troth_err *e)
{
	*out = (struct sample){ 0 };
	return field_read(SAMPLE, ARRAY_LEN(SAMPLE), a, in, out, e);
}

static void what_is_written_is_read_back(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	CLEANUP(buf_release) struct buf out = buf_make(4096), again = buf_make(4096);
	struct sample in = full(), back;
	assert_true(rc_ok(write_sample(&in, &out, NULL)));
	assert_true(rc_ok(read_sample(a, buf_bytes(&out), &back, NULL)));
	assert_string_equal(back.name, "n");
	assert_true(bytes_equal(back.blob, in.blob));
	assert_memory_equal(back.fixed, in.fixed, 3);
	assert_string_equal(back.id, UUID_1);
	assert_int_equal(back.small, -1);
	assert_true(back.big == INT64_MAX);
	assert_int_equal(back.text_count, 2);
	assert_string_equal(back.texts[1], "b");
	assert_int_equal(back.san_count, 2);
	assert_int_equal(back.sans[1].kind, SAN_URI);
	assert_string_equal(back.sans[1].value, "troth://i");
	assert_true(back.inner.flag);
	assert_true(rc_ok(write_sample(&back, &again, NULL)));
	assert_true(bytes_equal(buf_bytes(&out), buf_bytes(&again)));
}

static void optional_fields_may_be_absent(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	CLEANUP(buf_release) struct buf out = buf_make(4096);
	struct sample in = { .name = "n", .id = UUID_1 }, back;
	assert_true(rc_ok(write_sample(&in, &out, NULL)));
	assert_true(rc_ok(read_sample(a, buf_bytes(&out), &back, NULL)));
	assert_int_equal(back.blob.len + back.text_count + back.san_count, 0);
	assert_null(back.texts);
}

static void refused(const struct sample *s, const char *part)
{
	CLEANUP(buf_release) struct buf out = buf_make(4096);
	struct troth_err e = { 0 };
	assert_true(rc_failed(write_sample(s, &out, &e)));
	assert_non_null(strstr(e.primary, part));
}

static void members_out_of_bounds_are_not_written(void **state)
{
	static const char *const BAD[] = { "a", "" }, *const MANY[] = { "a", "b", "c", "d" };
	static const struct san BAD_SAN[] = { { 9, "x" } };
	struct sample s = full();
	s.name = "12345678901";
	refused(&s, "\"name\" has 11 bytes");
	s.name = "a\tb";
	refused(&s, "control character");
	s.name = NULL;
	refused(&s, "\"name\" is missing");
	s = full();
	s.blob.len = 5;
	refused(&s, "\"blob\" has 5 bytes");
	s = full();
	s.small = 10;
	refused(&s, "\"small\" is 10");
	s.small = -2;
	refused(&s, "it must be -1 to 9");
	s = full();
	s.id[3] = 'x';
	refused(&s, "is not a UUID");
	s = full();
	s.texts = BAD;
	refused(&s, "\"texts\" has 0 bytes");
	s.texts = MANY;
	s.text_count = 4;
	refused(&s, "\"texts\" has 4 entries");
	s = full();
	s.sans = BAD_SAN;
	s.san_count = 1;
	refused(&s, "unknown kind");
}

static void a_buffer_that_is_too_small_is_an_error(void **state)
{
	struct sample s = full();
	struct troth_err e = { 0 };
	CLEANUP(buf_release) struct buf out = buf_make(20);
	assert_true(rc_failed(write_sample(&s, &out, &e)));
	assert_int_equal(e.kind, TROTH_TOO_LARGE);
}

/* Every cut, and every changed byte, is refused or reads as a value that writes back to those bytes. */
static void reading_is_the_exact_inverse_of_writing(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(64 << 20);
	CLEANUP(buf_release) struct buf out = buf_make(4096), again = buf_make(4096);
	struct sample in = full(), back;
	assert_true(rc_ok(write_sample(&in, &out, NULL)));
	for (size_t cut = 0; cut < out.len; cut++)
		assert_true(rc_failed(read_sample(a, bytes_of(out.data, cut), &back, NULL)));
	for (size_t i = 0; i < out.len * 8; i++) {
		out.data[i / 8] ^= (uint8_t)(1 << i % 8);
		if (rc_ok(read_sample(a, buf_bytes(&out), &back, NULL))) {
			buf_clear(&again);
			assert_true(rc_ok(write_sample(&back, &again, NULL)));
			assert_true(bytes_equal(buf_bytes(&out), buf_bytes(&again)));
		}
		out.data[i / 8] ^= (uint8_t)(1 << i % 8);
	}
}

static void unknown_repeated_and_trailing_fields_are_refused(void **state)
{
	CLEANUP(arena_freep) struct arena *a = arena_new(1 << 20);
	CLEANUP(buf_release) struct buf out = buf_make(4096);
	struct troth_err e = { 0 };
	struct sample in = full(), back;
	static const uint8_t UNKNOWN[] = { 10, 0, 0, 0, 1, 0 }, REPEATED[] = { 9, 0, 0, 0, 6, 1, 0, 0, 0, 1, 1 };
	assert_true(rc_ok(write_sample(&in, &out, NULL)));
	size_t len = out.len;
	buf_add(&out, UNKNOWN, sizeof UNKNOWN);
	assert_true(rc_failed(read_sample(a, buf_bytes(&out), &back, &e)));
	assert_non_null(strstr(e.primary, "field number 10 is unknown here"));
	out.len = len;
	buf_add(&out, REPEATED, sizeof REPEATED);
	assert_true(rc_failed(read_sample(a, buf_bytes(&out), &back, &e)));
	out.len = len;
	buf_add_byte(&out, 0);
	assert_true(rc_failed(read_sample(a, buf_bytes(&out), &back, &e)));
	assert_non_null(strstr(e.primary, "cut short"));
}

static void numbers_are_taken_from_the_front(void **state)
{
	CLEANUP(buf_release) struct buf out = buf_make(64);
	uint8_t b;
	uint16_t s;
	uint32_t w;
	uint64_t d;
	field_put_u16(&out, 0x0102);
	field_put_u32(&out, 0x03040506);
	field_put_u64(&out, UINT64_MAX - 1);
	struct bytes in = buf_bytes(&out);
	assert_true(field_take_u16(&in, &s) && s == 0x0102);
	assert_true(field_take_u32(&in, &w) && w == 0x03040506);
	assert_true(field_take_u64(&in, &d) && d == UINT64_MAX - 1);
	assert_false(field_take_u8(&in, &b) || field_take_u16(&in, &s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(optional_fields_may_be_absent),
		cmocka_unit_test(members_out_of_bounds_are_not_written),
		cmocka_unit_test(a_buffer_that_is_too_small_is_an_error),
		cmocka_unit_test(reading_is_the_exact_inverse_of_writing),
		cmocka_unit_test(unknown_repeated_and_trailing_fields_are_refused),
		cmocka_unit_test(numbers_are_taken_from_the_front),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
