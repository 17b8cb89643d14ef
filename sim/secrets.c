/* No secret in any byte that the server writes: rows, audit, events, write-ahead log, log lines, the keeper's log.
 *
 * What is secret is known without asking anybody: everything that OpenSSL drew at once in the size of a
 * key (the scalars of all EC keys, nonces, wrapping keys), and the tokens.  Each is looked for as it is, in
 * hexadecimal, and in base64 at each of the three places where it may begin, also where a line ends in
 * between.  Looking is one pass with a table of beginnings. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "side_server.h"

enum { NEEDLE_BYTES = 16, START_BYTES = 8, SECRET_BYTES = 32, FORMS = 10 };

struct needle { uint8_t bytes[NEEDLE_BYTES]; bool used; };

struct secrets {
	uint8_t *items;      /* SECRET_BYTES each */
	size_t count, room;
	struct needle *table;
	size_t table_room;
};

/* -- what is secret ---------------------------------------------------------------------------------- */
void secret_drawn(struct sim *s, const uint8_t *bytes, size_t len)
{
	struct secrets *x = s->secrets;
	if (!x || len < SECRET_BYTES || len > 2 * SECRET_BYTES)
		return;
	if (x->count == x->room) {
		x->room = x->room ? x->room * 2 : 256;
		x->items = realloc(x->items, x->room * SECRET_BYTES);
		CHECK(x->items);
	}
	memcpy(x->items + x->count++ * SECRET_BYTES, bytes, SECRET_BYTES);
}

void secret_text(struct sim *s, const char *text)
{
	uint8_t part[SECRET_BYTES] = { 0 };
	size_t len = strlen(text);
	memcpy(part, len > SECRET_BYTES ? text + len - SECRET_BYTES : text, len > SECRET_BYTES ? SECRET_BYTES : len);
	secret_drawn(s, part, SECRET_BYTES);
}

/* -- how it may look --------------------------------------------------------------------------------- */
static uint64_t start_of(const uint8_t *p)
{
	uint64_t x;
	memcpy(&x, p, sizeof x);
	x *= UINT64_C(0x9e3779b97f4a7c15);
	return x ^ x >> 29;
}

static void needle_add(struct secrets *x, const void *bytes)
{
	size_t i = start_of(bytes) & (x->table_room - 1);
	while (x->table[i].used && memcmp(x->table[i].bytes, bytes, NEEDLE_BYTES) != 0)
		i = (i + 1) & (x->table_room - 1);
	x->table[i].used = true;
	memcpy(x->table[i].bytes, bytes, NEEDLE_BYTES);
}

static void add_hex(struct secrets *x, const uint8_t *secret, const char *digits)
{
	char text[NEEDLE_BYTES];
	for (int i = 0; i < NEEDLE_BYTES; i++)
		text[i] = digits[i % 2 ? secret[i / 2] & 15 : secret[i / 2] >> 4];
	needle_add(x, text);
}

/* As part of something longer that began `before` bytes earlier (modulo 3). */
static void add_base64(struct secrets *x, const uint8_t *secret, int before)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char text[(SECRET_BYTES + 2) * 4 / 3];
	uint8_t in[SECRET_BYTES + 3] = { 0 };
	memcpy(in + before, secret, SECRET_BYTES);
	for (size_t i = 0; i < sizeof text; i++) {
		size_t bit = i * 6;
		unsigned two = (unsigned)in[bit / 8] << 8 | in[bit / 8 + 1];
		text[i] = digits[two >> (10 - bit % 8) & 63];
	}
	needle_add(x, text + (before ? before + 1 : 0));
	needle_add(x, text + (before ? before + 1 : 0) + 20); /* a line may end in one of them */
}

static void make_table(struct secrets *x)
{
	static const char lower[] = "0123456789abcdef", upper[] = "0123456789ABCDEF";
	for (x->table_room = 1024; x->table_room < x->count * FORMS * 4; x->table_room *= 2)
		continue;
	free(x->table);
	x->table = calloc(x->table_room, sizeof *x->table);
	CHECK(x->table);
	for (size_t i = 0; i < x->count; i++) {
		const uint8_t *secret = x->items + i * SECRET_BYTES;
		needle_add(x, secret);
		add_hex(x, secret, lower);
		add_hex(x, secret, upper);
		for (int k = 0; k < 3; k++)
			add_base64(x, secret, k);
	}
}

/* -- looking -------------------------------------------------------------------------------------------- */
static bool found(const struct secrets *x, const uint8_t *p)
{
	for (size_t i = start_of(p) & (x->table_room - 1); x->table[i].used; i = (i + 1) & (x->table_room - 1))
		if (memcmp(x->table[i].bytes, p, NEEDLE_BYTES) == 0)
			return true;
	return false;
}

static void look_in(struct sim *s, const uint8_t *p, size_t len, const char *where)
{
	for (size_t i = 0; p && i + NEEDLE_BYTES <= len; i++)
		if (found(s->secrets, p + i))
			violation(s, "a secret stands in %s at byte %zu", where, i);
}

static void look_in_log(struct sim *s)
{
	off_t len = lseek(s->log_fd, 0, SEEK_END);
	uint8_t *text = malloc((size_t)len + 1);
	CHECK(text && pread(s->log_fd, text, (size_t)len, 0) == len);
	look_in(s, text, (size_t)len, "the log");
	free(text);
}

void check_secrets(struct sim *s)
{
	static const char *const FILES[] = { "/troth.db", "/troth.db-wal", "/troth.db-journal" };
	make_table(s->secrets);
	for (size_t i = 0; i < ARRAY_LEN(FILES); i++) {
		size_t len;
		const uint8_t *p = sim_vfs_file(s->server->disk, FILES[i], &len);
		look_in(s, p, p ? len : 0, FILES[i]);
	}
	look_in_log(s);
}

void secrets_make(struct sim *s)
{
	s->secrets = calloc(1, sizeof *s->secrets);
	CHECK(s->secrets);
}

void secrets_free(struct sim *s)
{
	if (!s->secrets)
		return;
	free(s->secrets->items);
	free(s->secrets->table);
	free(s->secrets);
	s->secrets = NULL;
}
