/* What somebody brings who made it elsewhere: a leaf with its key. */
#ifndef TEST_SERVICE_BRING_H
#define TEST_SERVICE_BRING_H

#include "elsewhere.h"

#include "service/intake/set.h"

/* Signed by `by`; from and until relative to now, 0: since an hour, for 90 days. */
static inline struct elsewhere bring_leaf(struct arena *a, msec_t now, const char *name, const struct elsewhere *by, msec_t from, msec_t until)
{
	struct elsewhere x;
	struct san san = { SAN_DNS, arena_printf(a, "%s.example", name) };
	struct cert_spec spec = { .kind = CERT_LEAF, .common_name = name, .path_len = -1, .eku = EKU_SERVER, .sans = &san, .san_count = 1,
				  .not_before = now + (from ? from : -MSEC_HOUR), .not_after = now + (until ? until : 90 * MSEC_DAY) };
	assert_true(rc_ok(key_generate(KEY_EC_P256, &x.key, NULL)));
	assert_true(rc_ok(key_spki(x.key, a, &spec.spki, NULL)));
	assert_true(rc_ok(cert_parse(a, elsewhere_build(a, spec, by->cert, by->key), &x.cert, NULL)));
	x.pem = cert_pem(a, x.cert->der);
	return x;
}

static inline struct set_cmd bring_cmd(struct arena *a, const char *name, const struct elsewhere *x)
{
	return (struct set_cmd){ .name = name, .certificate = x->pem, .private_key = elsewhere_key_pem(a, x) };
}

static inline void bring_release(struct elsewhere *const *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		key_release(all[i]->key);
}

#endif
