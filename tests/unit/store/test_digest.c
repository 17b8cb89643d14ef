/* Fields do not run into each other; the bytes never change. */
#include "box.h"

#include "store/digest.h"

static const char *hash_two(struct box *b, const char *x, const char *y)
{
	struct digest d;
	uint8_t hash[SHA256_LEN];
	OK(digest_start(&d, &b->e));
	digest_add_text(&d, x);
	digest_add_text(&d, y);
	OK(digest_finish(&d, hash, &b->e));
	return hex_encode(hash, sizeof hash, arena_alloc(b->a, SHA256_HEX_LEN));
}

static void fields_are_kept_apart(void **state)
{
	struct box *b = *state;
	assert_string_equal(hash_two(b, "ab", "c"), hash_two(b, "ab", "c"));
	assert_string_not_equal(hash_two(b, "ab", "c"), hash_two(b, "a", "bc"));
	assert_string_not_equal(hash_two(b, "ab", NULL), hash_two(b, "ab", ""));
}

/* python3: sha256(b"\0"*7 + b"\x02ab" + b"\xff"*8 + (5).to_bytes(8, "big")) */
static void the_bytes_are_fixed(void **state)
{
	struct box *b = *state;
	struct digest d;
	uint8_t hash[SHA256_LEN];
	char hex[SHA256_HEX_LEN];
	OK(digest_start(&d, &b->e));
	digest_add_bytes(&d, bytes_of_text("ab"));
	digest_add_text(&d, NULL);
	digest_add_int(&d, 5);
	OK(digest_finish(&d, hash, &b->e));
	assert_string_equal(hex_encode(hash, sizeof hash, hex), "54517bdd934de83c0ee547490cfee5315f31c61276adecf847c3856f5a27352d");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(fields_are_kept_apart),
		BOX_TEST(the_bytes_are_fixed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
