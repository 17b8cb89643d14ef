/* Certificates, pairs and answers.  See oracle.h. */
#include "oracle.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONTENT_CERTS = 16, NAME_BYTES = 160, TABLE_BITS = 16, INDEX_BITS = 14, FILES = 4096 };

struct content {
	X509 *certs[CONTENT_CERTS];
	char hex[CONTENT_CERTS][65];
	int64_t from[CONTENT_CERTS], until[CONTENT_CERTS]; /* ms */
	size_t count;
	uint64_t hash;       /* of kind and certificates */
	int next;            /* with an equal index */
	char name[NAME_BYTES];
};

/* Holds from the first to the last moment between which no certificate of the two begins or ends. */
struct answer { int chain, set; uint64_t host; int64_t from, until; bool ok; };

/* Files loaded before: services load the same few again and again. */
struct loaded { uint64_t hash; size_t len; int content; };

struct oracle {
	struct loaded files[FILES]; /* a slot is overwritten, too */
	struct content **contents; /* [0] is nobody */
	int count, room;
	int index[1 << INDEX_BITS];
	uint64_t verified;
	struct answer table[1 << TABLE_BITS]; /* a slot is overwritten: it is only a memory */
};

static void *grown(void *old, size_t bytes)
{
	void *p = realloc(old, bytes);
	if (!p)
		abort();
	return p;
}

struct oracle *oracle_new(void)
{
	struct oracle *o = calloc(1, sizeof *o);
	if (!o)
		abort();
	o->room = 64;
	o->contents = grown(NULL, (size_t)o->room * sizeof *o->contents);
	o->contents[0] = NULL;
	o->count = 1;
	return o;
}

static void content_free(struct content *c)
{
	for (size_t i = 0; i < c->count; i++)
		X509_free(c->certs[i]);
	free(c);
}

void oracle_free(struct oracle *o)
{
	if (!o)
		return;
	for (int i = 1; i < o->count; i++)
		content_free(o->contents[i]);
	free(o->contents);
	free(o);
}

/* -- contents ------------------------------------------------------------------------------------ */
static int64_t ms_of(const ASN1_TIME *t)
{
	struct tm tm;
	if (ASN1_TIME_to_tm(t, &tm) != 1)
		abort();
	return (int64_t)timegm(&tm) * 1000;
}

static void add_cert(struct content *c, X509 *x)
{
	unsigned char md[32];
	unsigned len = 0;
	X509_digest(x, EVP_sha256(), md, &len);
	for (unsigned i = 0; i < len; i++)
		snprintf(c->hex[c->count] + 2 * i, 3, "%02x", md[i]);
	for (const char *s = c->hex[c->count]; *s; s++)
		c->hash = (c->hash ^ (uint8_t)*s) * UINT64_C(1099511628211);
	c->from[c->count] = ms_of(X509_get0_notBefore(x));
	c->until[c->count] = ms_of(X509_get0_notAfter(x)) - 1; /* the last moment at which OpenSSL takes it */
	c->certs[c->count++] = x;
}

static struct content *content_parse(const char *pem, size_t len)
{
	struct content *c = calloc(1, sizeof *c);
	BIO *b = BIO_new_mem_buf(pem, (int)len);
	X509 *x;
	if (!c || !b)
		abort();
	c->hash = UINT64_C(14695981039346656037);
	while (c->count < CONTENT_CERTS && (x = PEM_read_bio_X509(b, NULL, NULL, NULL)))
		add_cert(c, x);
	BIO_free(b);
	return c;
}

static bool content_same(const struct content *a, const struct content *b)
{
	if (a->hash != b->hash || a->count != b->count || a->name[0] != b->name[0])
		return false;
	for (size_t k = 0; k < a->count; k++)
		if (strcmp(a->hex[k], b->hex[k]) != 0)
			return false;
	return true;
}

static int content_keep(struct oracle *o, struct content *c)
{
	int *head = &o->index[c->hash & ((1u << INDEX_BITS) - 1)];
	for (int i = *head; i; i = o->contents[i]->next)
		if (content_same(o->contents[i], c)) {
			content_free(c);
			return i;
		}
	if (o->count == o->room)
		o->contents = grown(o->contents, (size_t)(o->room *= 2) * sizeof *o->contents);
	o->contents[o->count] = c;
	c->next = *head;
	return *head = o->count++;
}

static bool key_fits(X509 *leaf, const char *pem, size_t len)
{
	BIO *b = BIO_new_mem_buf(pem, (int)len);
	EVP_PKEY *k = b ? PEM_read_bio_PrivateKey(b, NULL, NULL, NULL) : NULL;
	bool fits = k && X509_check_private_key(leaf, k) == 1;
	EVP_PKEY_free(k);
	BIO_free(b);
	return fits;
}

static uint64_t hash_more(uint64_t h, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)data[i]) * UINT64_C(1099511628211);
	return h;
}

/* Where these bytes are remembered, if they are: the same hash and length. */
static struct loaded *look_up(struct oracle *o, const char *pem, size_t len, const char *key_pem, size_t key_len, struct loaded *ret)
{
	uint64_t h = hash_more(UINT64_C(14695981039346656037), pem, len);
	*ret = (struct loaded){ .hash = hash_more(h + 1, key_pem, key_len), .len = len + key_len };
	return &o->files[(ret->hash ^ ret->hash >> 32) % FILES];
}

static bool is_loaded(const struct loaded *slot, const struct loaded *x)
{
	return slot->content && slot->hash == x->hash && slot->len == x->len;
}

static int load_chain(struct oracle *o, const char *pem, size_t len, const char *key_pem, size_t key_len)
{
	struct content *c = content_parse(pem, len);
	if (c->count == 0 || !key_fits(c->certs[0], key_pem, key_len)) {
		content_free(c);
		return 0;
	}
	snprintf(c->name, sizeof c->name, "leaf %.8s", c->hex[0]);
	return content_keep(o, c);
}

int oracle_chain(struct oracle *o, const char *pem, size_t len, const char *key_pem, size_t key_len)
{
	struct loaded x, *slot = look_up(o, pem, len, key_pem, key_len, &x);
	if (!is_loaded(slot, &x)) {
		x.content = load_chain(o, pem, len, key_pem, key_len);
		*slot = x;
	}
	return slot->content;
}

static int load_set(struct oracle *o, const char *pem, size_t len)
{
	struct content *c = content_parse(pem, len);
	if (c->count == 0) {
		content_free(c);
		return 0;
	}
	size_t n = (size_t)snprintf(c->name, sizeof c->name, "{");
	for (size_t i = 0; i < c->count && n < sizeof c->name - 12; i++)
		n += (size_t)snprintf(c->name + n, sizeof c->name - n, "%s%.8s", i ? " " : "", c->hex[i]);
	snprintf(c->name + n, sizeof c->name - n, "}");
	return content_keep(o, c);
}

int oracle_set(struct oracle *o, const char *pem, size_t len)
{
	struct loaded x, *slot = look_up(o, pem, len, "set", 3, &x);
	if (!is_loaded(slot, &x)) {
		x.content = load_set(o, pem, len);
		*slot = x;
	}
	return slot->content;
}

const char *oracle_fingerprint(const struct oracle *o, int content, size_t i)
{
	const struct content *c = content > 0 ? o->contents[content] : NULL;
	return c && i < c->count ? c->hex[i] : NULL;
}

const char *oracle_name(const struct oracle *o, int content) { return content > 0 ? o->contents[content]->name : "nothing"; }

bool oracle_valid(struct oracle *o, int chain, int64_t now)
{
	const struct content *c = chain > 0 ? o->contents[chain] : NULL;
	return c && c->from[0] <= now && now <= c->until[0];
}

/* -- handshakes -------------------------------------------------------------------------------------- */
static bool verify(const struct content *chain, const struct content *set, const char *host, int64_t now)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *rest = sk_X509_new_null();
	if (!store || !ctx || !rest)
		abort();
	for (size_t i = 0; i < set->count; i++)
		X509_STORE_add_cert(store, set->certs[i]);
	for (size_t i = 1; i < chain->count; i++)
		sk_X509_push(rest, chain->certs[i]);
	X509_STORE_CTX_init(ctx, store, chain->certs[0], rest);
	X509_STORE_CTX_set_purpose(ctx, host ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT);
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_time(param, (time_t)(now / 1000));
	if (host)
		X509_VERIFY_PARAM_set1_host(param, host, 0);
	bool ok = X509_verify_cert(ctx) == 1;
	sk_X509_free(rest);
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return ok;
}

int64_t oracle_until(const struct oracle *o, int content)
{
	const struct content *c = content > 0 ? o->contents[content] : NULL;
	int64_t first = INT64_MAX;
	for (size_t i = 0; c && i < c->count; i++)
		first = c->until[i] < first ? c->until[i] : first;
	return first;
}

int64_t oracle_from(const struct oracle *o, int content) { return content > 0 ? o->contents[content]->from[0] : 0; }

int oracle_count(const struct oracle *o) { return o->count; }

uint64_t oracle_verified(const struct oracle *o) { return o->verified; }

/* Narrows [from, until] to the moments at which these certificates are as they are now. */
static void narrow(const struct content *c, int64_t now, struct answer *a)
{
	for (size_t i = 0; i < c->count; i++) {
		const int64_t edges[2] = { c->from[i] - 1, c->until[i] }; /* the last moment before each change */
		for (int k = 0; k < 2; k++) {
			if (edges[k] < now && edges[k] + 1 > a->from)
				a->from = edges[k] + 1;
			if (edges[k] >= now && edges[k] < a->until)
				a->until = edges[k];
		}
	}
}

static uint64_t hash_host(const char *host)
{
	uint64_t h = UINT64_C(14695981039346656037);
	for (; host && *host; host++)
		h = (h ^ (uint8_t)*host) * UINT64_C(1099511628211);
	return host ? h : 0;
}

bool oracle_shake(struct oracle *o, int chain, int set, const char *host, int64_t now)
{
	if (chain <= 0 || set <= 0)
		return false;
	uint64_t h = hash_host(host);
	uint32_t slot = ((uint32_t)chain * 2654435761u ^ (uint32_t)set * 40503u ^ (uint32_t)h) >> 7 & ((1u << TABLE_BITS) - 1);
	struct answer *a = &o->table[slot];
	if (a->chain == chain && a->set == set && a->host == h && a->from <= now && now <= a->until)
		return a->ok;
	*a = (struct answer){ .chain = chain, .set = set, .host = h, .from = INT64_MIN, .until = INT64_MAX };
	narrow(o->contents[chain], now, a);
	narrow(o->contents[set], now, a);
	o->verified++;
	return a->ok = verify(o->contents[chain], o->contents[set], host, now);
}
