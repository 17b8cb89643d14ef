/* Passwords: derived, written down, compared.  See password.h. */
#include "pki/password.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/text.h"

#define PREFIX "scrypt:"
enum { BLOCK = 8, LANES = 1, DERIVED_BYTES = 32, ROOM_BYTES = 1 << 20 };

static troth_rc derive(const char *password, int cost, const uint8_t salt[PASSWORD_SALT_BYTES], uint8_t out[DERIVED_BYTES],
		       struct troth_err *e)
{
	uint64_t n = UINT64_C(1) << cost;
	CHECK(cost >= PASSWORD_COST_LEAST && cost <= PASSWORD_COST_MOST);
	int ok = EVP_PBE_scrypt(password, strlen(password), salt, PASSWORD_SALT_BYTES, n, BLOCK, LANES, n * 128 * BLOCK + ROOM_BYTES, out,
				DERIVED_BYTES);
	ENSURE(ok == 1, e, TROTH_UNAVAILABLE, "there is no memory to look at a password; try again");
	return RC_OK;
}

static const char *written(struct arena *a, int cost, const uint8_t salt[PASSWORD_SALT_BYTES], const uint8_t derived[DERIVED_BYTES])
{
	char salt_hex[2 * PASSWORD_SALT_BYTES + 1], hex[2 * DERIVED_BYTES + 1];
	return arena_printf(a, PREFIX "%02d:%s:%s", cost, hex_encode(salt, PASSWORD_SALT_BYTES, salt_hex),
			    hex_encode(derived, DERIVED_BYTES, hex));
}

troth_rc password_keep(struct arena *a, const char *password, int cost, const uint8_t salt[PASSWORD_SALT_BYTES], const char **ret_kept,
		       struct troth_err *e)
{
	uint8_t derived[DERIVED_BYTES];
	TRY(derive(password, cost, salt, derived, e));
	*ret_kept = written(a, cost, salt, derived);
	return RC_OK;
}

const char *password_nobodys(struct arena *a, int cost)
{
	static const uint8_t zeros[DERIVED_BYTES];
	return written(a, cost, zeros, zeros);
}

/* Exactly as written(): two digits, the salt, the rest. */
static bool read_kept(const char *kept, int *cost, uint8_t salt[PASSWORD_SALT_BYTES], uint8_t derived[DERIVED_BYTES])
{
	enum { COST = sizeof PREFIX - 1, SALT = COST + 3, REST = SALT + 2 * PASSWORD_SALT_BYTES + 1, ALL = REST + 2 * DERIVED_BYTES };
	if (!kept || strlen(kept) != ALL || !text_starts(kept, PREFIX) || kept[SALT - 1] != ':' || kept[REST - 1] != ':')
		return false;
	char tens = kept[COST], ones = kept[COST + 1];
	if (tens < '0' || tens > '9' || ones < '0' || ones > '9')
		return false;
	*cost = (tens - '0') * 10 + (ones - '0');
	return *cost >= PASSWORD_COST_LEAST && *cost <= PASSWORD_COST_MOST && hex_decode(kept + SALT, 2 * PASSWORD_SALT_BYTES, salt, PASSWORD_SALT_BYTES) &&
	       hex_decode(kept + REST, 2 * DERIVED_BYTES, derived, DERIVED_BYTES);
}

troth_rc password_check(const char *kept, const char *password, bool *ret_match, struct troth_err *e)
{
	uint8_t salt[PASSWORD_SALT_BYTES], derived[DERIVED_BYTES], now[DERIVED_BYTES];
	int cost;
	ENSURE(read_kept(kept, &cost, salt, derived), e, TROTH_CORRUPT, "a kept password cannot be read");
	TRY(derive(password, cost, salt, now, e));
	*ret_match = CRYPTO_memcmp(derived, now, DERIVED_BYTES) == 0;
	return RC_OK;
}
