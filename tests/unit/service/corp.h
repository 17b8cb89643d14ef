/* A fleet whose CA is signed by somebody else: /corp/issuing, in the bundle /corp/trust; "web" serves, "site" verifies. */
#ifndef TEST_SERVICE_CORP_H
#define TEST_SERVICE_CORP_H

#include "elsewhere.h"
#include "fleet.h"

#include "service/intake/certify.h"
#include "service/intake/external_ca.h"
#include "service/intake/imported.h"

static inline struct credential_view corp_authority(struct fleet *f, const char *name)
{
	struct credential_list_ret list;
	struct credential_ret one;
	fleet_must(f, &VERB_AUTHORITY_LIST, &(struct list_cmd){ .name = name }, &list);
	FLEET_CHECK(f, list.count == 1);
	fleet_must(f, &VERB_AUTHORITY_SHOW, &(struct id_cmd){ list.items[0].row.uuid }, &one);
	return one.credential;
}

static inline const char *corp_id(struct fleet *f, const char *name) { return corp_authority(f, name).row.uuid; }

/* The version that is wanted, newest first. */
static inline const char *corp_wanted(struct fleet *f, const char *name)
{
	struct credential_view v = corp_authority(f, name);
	for (size_t i = 0; i < v.version_count; i++)
		if (v.versions[i].row.wanted)
			return v.versions[i].row.uuid;
	return NULL;
}

static inline struct authority_create_cmd corp_create_cmd(const char *name, const char *issuer, int path_len)
{
	return (struct authority_create_cmd){ .name = name, .issuer = issuer, .path_len = path_len, .external = true };
}

static inline void corp_create(struct fleet *f, const char *name, const char *issuer, int path_len)
{
	struct credential_ret ret;
	struct authority_create_cmd cmd = corp_create_cmd(name, issuer, path_len);
	fleet_must(f, &VERB_AUTHORITY_CREATE, &cmd, &ret);
}

static inline const char *corp_csr(struct fleet *f, const char *name)
{
	struct authority_csr_ret ret;
	fleet_must(f, &VERB_AUTHORITY_CSR, &(struct authority_csr_cmd){ corp_id(f, name) }, &ret);
	return ret.csr;
}

static inline struct certify_cmd corp_certify_cmd(struct fleet *f, const char *name, const char *pem)
{
	return (struct certify_cmd){ .id = corp_id(f, name), .certificate = pem };
}

static inline struct certify_ret corp_certify(struct fleet *f, const char *name, const char *pem)
{
	struct certify_ret ret;
	struct certify_cmd cmd = corp_certify_cmd(f, name, pem);
	fleet_must(f, &VERB_AUTHORITY_CERTIFY, &cmd, &ret);
	fleet_tell(f, "%s was certified", name);
	fleet_effects(f);
	return ret;
}

/* Its request, signed by `by`, with `more` (its issuers) beside it. */
static inline struct certify_ret corp_sign_under(struct fleet *f, const char *name, const struct elsewhere *by, const char *more,
						 struct elsewhere_wish w)
{
	const char *pem = elsewhere_sign(f->a, f->now, by, corp_csr(f, name), w);
	return corp_certify(f, name, arena_printf(f->a, "%s%s", pem, more ? more : ""));
}

static inline struct certify_ret corp_sign(struct fleet *f, const struct elsewhere *root)
{
	return corp_sign_under(f, "/corp/issuing", root, root->pem, (struct elsewhere_wish){ 0 });
}

static inline struct authority_import_ret corp_import(struct fleet *f, const char *name, const struct elsewhere *root)
{
	struct authority_import_ret ret;
	fleet_must(f, &VERB_AUTHORITY_IMPORT, &(struct authority_import_cmd){ name, root->pem }, &ret);
	fleet_tell(f, "%s was imported", name);
	return ret;
}

/* Bundle of `trusted`, deployments below `signer`; members join. */
static inline void corp_populate(struct fleet *f, const char *trusted, const char *signer)
{
	struct bundle_ret bundle;
	struct deployment_ret deployment;
	const char *san = "dns:{instance}.example";
	fleet_must(f, &VERB_BUNDLE_CREATE, &(struct bundle_create_cmd){ .name = "/corp/trust", .authorities = { &trusted, 1 } }, &bundle);
	struct slot_template slot = { .path = "$", .name = "tls", .profile = "nginx", .role = "server", .authority = signer,
				      .credential = "/corp/{instance}/server", .sans = { &san, 1 } };
	fleet_must(f, &VERB_DEPLOYMENT_CREATE, &(struct deployment_create_cmd){ .name = "web", .slots = &slot, .slot_count = 1 }, &deployment);
	struct store_template store = { .path = "$", .name = "trust", .profile = "pem-files", .bundle = "/corp/trust" };
	fleet_must(f, &VERB_DEPLOYMENT_CREATE, &(struct deployment_create_cmd){ .name = "site", .stores = &store, .store_count = 1 },
		   &deployment);
	for (int i = 0; i < 2; i++) {
		(void)fleet_join(f, "web", arena_printf(f->a, "web-%d", i));
		(void)fleet_join(f, "site", arena_printf(f->a, "site-%d", i));
	}
	fleet_settle(f, 40);
}

/* All of it, below `root`, shaking hands. */
static inline struct fleet *corp_demo(struct elsewhere *ret_root)
{
	struct fleet *f = fleet_new();
	*ret_root = elsewhere_root(f->a, f->now, "Corporate Root");
	corp_create(f, "/corp/issuing", NULL, AUTHORITY_PATH_LEN_DEFAULT);
	(void)corp_sign(f, ret_root);
	corp_populate(f, "/corp/issuing", "/corp/issuing");
	fleet_all_hands(f);
	return f;
}

static inline bool corp_waits(struct fleet *f, const char *name, const char *part)
{
	struct explain_ret x = fleet_explain(f, name);
	for (size_t i = 0; i < x.count; i++)
		if (text_equal(x.items[i].reason, "certificate") && strstr(explain_sentence(f->a, &x.items[i]), part))
			return strstr(explain_hint(f->a, &x.items[i]), "troth authority certify") != NULL;
	return false;
}

static inline bool corp_is(struct fleet *f, const char *rotation, const char *state)
{
	return text_equal(fleet_rotation(f, rotation).state, state);
}

#endif
