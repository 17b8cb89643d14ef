/* Metadata: what is taken, as what it is kept, and how it goes from version to version. */
#include "outsider.h"

#include "base/limits.h"
#include "service/handout/lookup.h"
#include "service/handout/metadata.h"

static const char *text_of(struct room *r, const char *json)
{
	const struct json *j;
	const char *ret = "?";
	r->e = (struct troth_err){ 0 };
	assert_true(rc_ok(json_parse(r->a, bytes_of_text(json), &j, &r->e)));
	return rc_ok(metadata_read(r->a, j, &ret, &r->e)) ? ret : "refused";
}

static void it_is_kept_as_canonical_text(void **state)
{
	struct room *r = room_new_empty();
	assert_string_equal(text_of(r, " { \"b\" : [ 1 , 2.50, -0.1, 1e3, 3.0 ], \"a\":{\"x\":null,\"y\":true}, \"\xc3\xa9\":\"\\u0000\\n\\u00e9\" } "),
			    "{\"b\":[1,2.5,-0.1,1000.0,3.0],\"a\":{\"x\":null,\"y\":true},\"\xc3\xa9\":\"\\u0000\\n\xc3\xa9\"}");
	assert_string_equal(text_of(r, "{}"), "{}");
	assert_null(text_of(r, "null"));
	assert_string_equal(text_of(r, text_of(r, "{\"n\":0.1,\"m\":123456789.123456789,\"big\":1e300}")), text_of(r, "{\"n\":0.1,\"m\":123456789.123456789,\"big\":1e300}"));
	room_free(r);
}

static void what_is_none_is_refused(void **state)
{
	static const char *const BAD[] = { "[]", "\"text\"", "1", "true", "{\"a\":[1e999]}", "{\"a\":{\"b\":-1e999}}" };
	struct room *r = room_new_empty();
	for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
		assert_string_equal(text_of(r, BAD[i]), "refused");
		assert_int_equal(r->e.kind, TROTH_INVALID);
	}
	room_free(r);
}

/* {"a":"xx..."} of so many characters, of `unit` each. */
static const char *of_length(struct room *r, size_t n, const char *unit)
{
	CLEANUP(buf_release) struct buf b = buf_make(64 << 10);
	buf_add_text(&b, "{\"a\":\"");
	for (size_t i = 0; i < n - 8; i++)
		buf_add_text(&b, unit);
	buf_add_text(&b, "\"}");
	return arena_text(r->a, buf_text(&b));
}

static void its_length_is_bounded_in_characters(void **state)
{
	struct room *r = room_new_empty();
	assert_string_equal(text_of(r, of_length(r, LIMIT_METADATA_CHARS, "x")), of_length(r, LIMIT_METADATA_CHARS, "x"));
	assert_string_equal(text_of(r, of_length(r, LIMIT_METADATA_CHARS, "\xf0\x9f\x98\x80")), of_length(r, LIMIT_METADATA_CHARS, "\xf0\x9f\x98\x80"));
	assert_string_equal(text_of(r, of_length(r, LIMIT_METADATA_CHARS + 1, "x")), "refused");
	assert_non_null(strstr(r->e.primary, "longer than 7000 characters"));
	assert_string_equal(text_of(r, of_length(r, LIMIT_METADATA_CHARS + 1, "\xf0\x9f\x98\x80")), "refused");
	room_free(r);
}

static const char *kept(struct room *r, struct generate_cmd cmd) { return outsider_asks(r, cmd).of.items[0].metadata; }

static void the_next_version_takes_it_along(void **state)
{
	struct room *r = room_new();
	struct generate_cmd ca = outsider_ca("/x/ca", NULL), leaf = outsider_leaf(r, "/x/leaf", "/x/ca");
	struct generate_cmd again = { .name = "/x/leaf", .again = true }, next = { .name = "/x/ca", .again = true };
	ca.metadata = "{\"of\":\"ca\"}";
	leaf.metadata = "{\"of\":\"leaf\"}";
	assert_string_equal(kept(r, ca), "{\"of\":\"ca\"}");
	assert_string_equal(kept(r, leaf), "{\"of\":\"leaf\"}");
	assert_string_equal(kept(r, again), "{\"of\":\"leaf\"}");
	again.metadata = "{}";
	assert_string_equal(kept(r, again), "{}");
	assert_string_equal(kept(r, next), "{\"of\":\"ca\"}"); /* by a rotation */
	leaf.metadata = NULL;
	assert_null(kept(r, leaf)); /* generate says all there is to say */
	struct lookup_ret seen;
	room_do(r, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = "/x/leaf" }, &seen);
	assert_int_equal(seen.count, 4);
	assert_null(seen.items[0].metadata);
	assert_string_equal(seen.items[1].metadata, "{}");
	assert_string_equal(seen.items[3].metadata, "{\"of\":\"leaf\"}");
	room_free(r);
}

/* Beside: the version that a rotation above brought is the one that is asked for. */
static void what_came_with_the_one_above_has_it_too(void **state)
{
	struct room *r = room_new();
	struct generate_cmd sub = outsider_ca("/x/sub", "/x/root"), beside = { .name = "/x/root", .again = true, .beside = true };
	outsider_asks(r, outsider_ca("/x/root", NULL));
	sub.metadata = "{\"n\":1}";
	outsider_asks(r, sub);
	assert_null(kept(r, beside));
	beside.name = "/x/sub";
	assert_string_equal(kept(r, beside), "{\"n\":1}");
	beside.metadata = "{\"n\":2}";
	assert_string_equal(kept(r, beside), "{\"n\":2}");
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_kept_as_canonical_text),	  cmocka_unit_test(what_is_none_is_refused),
		cmocka_unit_test(its_length_is_bounded_in_characters), cmocka_unit_test(the_next_version_takes_it_along),
		cmocka_unit_test(what_came_with_the_one_above_has_it_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
