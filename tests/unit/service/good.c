#include "good.h"

#include <string.h>

#include "pki/pki.h"

enum { ENTRIES = 4096 }; /* a newer one takes the place of an older one */

static struct entry {
	struct good_key key;
	msec_t from, until;
} TABLE[ENTRIES];

static struct entry *entry_of(const struct good_key *key) { return &TABLE[(key->hash[0] << 8 | key->hash[1]) % ENTRIES]; }

struct good_key good_key(struct arena *a, const char *const *texts, size_t count)
{
	struct good_key key;
	size_t len = 0, at = 0;
	for (size_t i = 0; i < count; i++)
		len += strlen(texts[i]) + 1;
	uint8_t *all = arena_alloc(a, len + 1);
	for (size_t i = 0; i < count; i++) {
		size_t n = strlen(texts[i]) + 1; /* with its NUL: no two lists look alike */
		memcpy(all + at, texts[i], n);
		at += n;
	}
	pki_sha256((struct bytes){ all, len }, key.hash);
	return key;
}

bool good_known(const struct good_key *key, msec_t now)
{
	const struct entry *x = entry_of(key);
	return memcmp(&x->key, key, sizeof *key) == 0 && now >= x->from && now <= x->until;
}

void good_keep(const struct good_key *key, msec_t from, msec_t until)
{
	*entry_of(key) = (struct entry){ *key, from, until };
}
