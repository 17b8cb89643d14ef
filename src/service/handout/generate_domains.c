/* A certificate for some domains.  See generate_domains.h.
 *
 * It is generate.c's verb under a name that is made here; this only says what a domain is, what such a certificate looks like,
 * and who signs it. */
#include "service/handout/generate_domains.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "model/name.h"
#include "pki/pki.h"
#include "service/check.h"
#include "service/rotation/steps.h"

#define LIFE (730 * MSEC_DAY) /* Ops Manager's own leaves live two years (docs: "expire every two years") */
enum { COMMON_NAME_BYTES = 64 /* RFC 5280 appendix A: ub-common-name */, DIGEST_BYTES = 16 };

/* -- domains ---------------------------------------------------------------------------------------------- */
/* As verifiers compare it: addresses in their one form, names in lower case (RFC 4343). */
static const char *canonical(struct arena *a, const char *domain)
{
	char address[TEXT_ADDRESS_LEN];
	if (text_address(domain, address))
		return arena_text(a, address);
	char *lower = arena_text(a, domain);
	for (char *p = lower; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return lower;
}

static const char *san_of(struct arena *a, const char *domain)
{
	return arena_printf(a, "%s%s", text_is_address(domain) ? "ip:" : "dns:", domain);
}

void generate_domains_check(struct arena *a, const struct generate_domains_cmd *cmd, struct troth_err *e)
{
	struct checker c = { a, e };
	if (!cmd->domains.count)
		check_fail(&c, "$.domains", "required", "needs at least one domain", "[\"*.apps.example.org\"]");
	for (size_t i = 0; i < cmd->domains.count; i++) {
		const char *fault = name_san_fault(san_of(a, cmd->domains.items[i]));
		if (fault)
			check_fail(&c, arena_printf(a, "$.domains[%zu]", i), "domain", fault,
				   "write it like www.example.org, *.example.org or 10.0.0.1; a name with other letters in its xn-- form");
	}
}

static bool is_in(const struct json_texts *all, const char *text)
{
	for (size_t i = 0; i < all->count; i++)
		if (text_equal(all->items[i], text))
			return true;
	return false;
}

/* Each once, in the order in which they were said. */
static struct json_texts domains_once(struct arena *a, struct json_texts domains)
{
	struct json_texts once = { ARENA_ARRAY(a, const char *, domains.count + 1), 0 };
	for (size_t i = 0; i < domains.count; i++) {
		const char *domain = canonical(a, domains.items[i]);
		if (!is_in(&once, domain))
			once.items[once.count++] = domain;
	}
	return once;
}

/* -- its name --------------------------------------------------------------------------------------------- */
/* As a part of a path: no domain has a '_', so no two domains become the same part. */
static const char *part_of(struct arena *a, const char *domain)
{
	if (text_starts(domain, "*."))
		return arena_printf(a, "_wildcard%s", domain + 1);
	char *part = arena_text(a, domain);
	for (char *p = part; *p; p++)
		*p = *p == ':' ? '_' : *p;
	return part;
}

static const char *digest_of(struct arena *a, const char *text)
{
	uint8_t hash[SHA256_LEN];
	pki_sha256(bytes_of_text(text), hash);
	return hex_encode(hash, DIGEST_BYTES, arena_alloc(a, 2 * DIGEST_BYTES + 1));
}

const char *generate_domains_name(struct arena *a, const char *root, struct json_texts domains)
{
	struct json_texts parts = domains_once(a, domains);
	const char *all = "";
	for (size_t i = 0; i < parts.count; i++)
		parts.items[i] = part_of(a, parts.items[i]);
	qsort(parts.items, parts.count, sizeof *parts.items, text_order);
	for (size_t i = 0; i < parts.count; i++)
		all = arena_printf(a, "%s/%s", all, parts.items[i]);
	const char *digest = digest_of(a, all);
	const char *const tries[] = {
		arena_printf(a, "%s/generated%s", root, all),
		arena_printf(a, "%s/generated/%s/_and-%zu-more-%s", root, parts.items[0], parts.count - 1, digest),
		arena_printf(a, "%s/generated/_%zu-domains-%s", root, parts.count, digest),
	};
	for (size_t i = 0; i < ARRAY_LEN(tries); i++)
		if (!name_path_fault(tries[i]))
			return tries[i];
	return NULL;
}

/* -- who signs -------------------------------------------------------------------------------------------- */
static troth_rc refuse_roots(struct verb_ctx *ctx, const char *one, const char *other, struct troth_err *e)
{
	troth_rc rc = one ? err_set(e, TROTH_CONFLICT, "more than one root authority is in your scope (%s, %s), and one of them signs", one, other)
			  : err_set(e, TROTH_CONFLICT, "no root authority whose key is here is in your scope");
	if (one)
		err_hint(e, "ask as somebody whose scope holds one of them (troth principal add --scope), or by a name, with CredHub's API");
	else
		err_hint(e, "troth authority list shows what there is; your scope is %s", ctx->who->scope[0] ? ctx->who->scope : "*");
	return rc;
}

static troth_rc choose_root(struct verb_ctx *ctx, const char **ret, struct troth_err *e)
{
	struct root_list_ret roots = { 0 };
	TRY(VERB_ROOT_LIST.run(ctx, &(struct no_cmd){ 0 }, &roots, e));
	for (size_t i = 1; i < roots.count; i++)
		if (!text_equal(roots.items[i].name, roots.items[0].name))
			return refuse_roots(ctx, roots.items[0].name, roots.items[i].name, e);
	if (!roots.count)
		return refuse_roots(ctx, NULL, NULL, e);
	*ret = roots.items[0].name;
	return RC_OK;
}

/* -- the verb --------------------------------------------------------------------------------------------- */
/* Not a verb of its own for the server alone: people make clients of such certificates as well. */
static troth_rc decide(struct verb_ctx *ctx, const struct generate_domains_cmd *cmd, struct generate_cmd *ret, struct troth_err *e)
{
	const char *root;
	generate_domains_check(ctx->a, cmd, e);
	TRY(check_done(e));
	TRY(choose_root(ctx, &root, e));
	struct json_texts domains = domains_once(ctx->a, cmd->domains);
	const char *name = generate_domains_name(ctx->a, root, domains);
	if (!name) {
		troth_rc rc = err_set(e, TROTH_CONFLICT, "the name of %s leaves no room for one below it", root);
		err_hint(e, "ask by a name of your own, with CredHub's API");
		return rc;
	}
	*ret = (struct generate_cmd){ .name = name, .issuer = root, .mode = GENERATE_OVERWRITE, .role = "both", .key_type = "rsa-2048",
				      .ttl = LIFE, .once = true, .sans = domains };
	if (strlen(domains.items[0]) <= COMMON_NAME_BYTES)
		ret->common_name = domains.items[0];
	ret->sans.items = ARENA_ARRAY(ctx->a, const char *, domains.count);
	for (size_t i = 0; i < domains.count; i++)
		ret->sans.items[i] = san_of(ctx->a, domains.items[i]);
	return RC_OK;
}

static troth_rc generate_domains_prepare(struct verb_ctx *ctx, const void *arg, struct troth_err *e)
{
	struct generate_cmd cmd;
	TRY(decide(ctx, arg, &cmd, e));
	return VERB_CREDENTIAL_GENERATE.prepare(ctx, &cmd, e);
}

static troth_rc generate_domains_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	struct generate_cmd cmd;
	struct generate_ret *ret = out;
	TRY(decide(ctx, arg, &cmd, e));
	TRY(VERB_CREDENTIAL_GENERATE.run(ctx, &cmd, ret, e));
	if (ctx->retry || (ret->of.count && ret->of.items[0].private_key))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_CONFLICT, "%s is served by a deployment, whose agents keep its key to themselves", cmd.name);
	err_hint(e, "ask for other domains, or by another name, with CredHub's API");
	err_object(e, "%s", cmd.name);
	return rc;
}

const struct verb VERB_CREDENTIAL_GENERATE_DOMAINS = { "credential.generate-domains", VERB_WRITE, ROLES_CHANGE, sizeof(struct generate_domains_cmd),
						       sizeof(struct generate_ret), generate_domains_prepare, generate_domains_run };
