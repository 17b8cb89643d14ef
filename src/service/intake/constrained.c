/* Who below could not stand under a CA with name constraints.  See constrained.h. */
#include "service/intake/constrained.h"

#include "service/ca/hierarchy.h"

enum { NAMED = 10, /* findings: a screen; the others are alike */ SANS_NAMED = 3 };

struct judge {
	struct verb_ctx *ctx;
	struct checker c;
	const char *path;
	const struct cert *ca;               /* whose constraints they are */
	struct name_constraints *constraints;
	size_t found;
};

/* "dns:a.example, ip:10.0.0.1, ..." */
static const char *names_of(struct judge *j, struct bytes der)
{
	const struct cert *cert;
	const char *out = "";
	if (rc_failed(cert_parse(j->c.a, der, &cert, NULL)))
		return "unreadable";
	for (size_t i = 0; i < cert->san_count && i < SANS_NAMED; i++)
		out = arena_printf(j->c.a, "%s%s%s:%.80s", out, i ? ", " : "", san_kind_name(cert->sans[i].kind), cert->sans[i].value);
	if (cert->san_count > SANS_NAMED)
		return arena_printf(j->c.a, "%s, ...", out);
	return cert->san_count ? out : arena_printf(j->c.a, "%.120s", cert->subject);
}

static void find_fault(struct judge *j, const struct credential_row *owner, struct bytes der, enum names_verdict verdict)
{
	j->found++;
	if (verdict == NAMES_REFUSED)
		check_fail(&j->c, j->path, "names",
			   arena_printf(j->c.a, "%.120s does not permit the names of %s (%s): verifiers would refuse what replaces its certificate",
					j->ca->subject, owner->name, names_of(j, der)),
			   "bring a CA whose name constraints (RFC 5280 4.2.1.10) permit them, or give that one other names first");
	else
		check_fail(&j->c, j->path, "names",
			   arena_printf(j->c.a, "whether %.120s permits the names of %s (%s) cannot be judged: its name constraints, or those names, are of a "
						"kind that is not understood here", j->ca->subject, owner->name, names_of(j, der)),
			   "verifiers that do not understand them refuse, too: bring a CA without such constraints");
}

static troth_rc look(struct judge *j, struct arena *page, const struct credential_row *owner, struct troth_err *e)
{
	struct version_row version;
	struct cert_row cert;
	if (!owner->signing_version)
		return RC_OK; /* it has none yet */
	TRY(version_row_get(j->ctx->tx, page, owner->signing_version, &version, e));
	TRY(cert_row_get(j->ctx->tx, page, version.cert_id, &cert, e));
	enum names_verdict verdict = name_constraints_judge(j->constraints, cert.der);
	if (verdict != NAMES_PERMITTED)
		find_fault(j, owner, cert.der, verdict);
	return RC_OK;
}

/* Everything that this authority signed, CAs too: a constraint may be about their subjects. */
static troth_rc look_below(struct judge *j, struct arena *page, int64_t authority_id, struct troth_err *e)
{
	for (int64_t after = 0;;) {
		struct credential_row *rows;
		size_t n;
		arena_reset(page);
		TRY(credential_row_list_issuer(j->ctx->tx, page, authority_id, (struct page){ after, 0 }, &rows, &n, e));
		for (size_t i = 0; i < n && j->found < NAMED; i++)
			TRY(look(j, page, &rows[i], e));
		if (!n || j->found >= NAMED)
			return RC_OK;
		after = rows[n - 1].id;
	}
}

static troth_rc judge_ca(struct judge *j, const struct credential_row *authority, struct troth_err *e)
{
	CLEANUP(arena_freep) struct arena *page = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	struct id_list ids;
	TRY(hierarchy_below(j->ctx->tx, j->ctx->a, authority->id, &ids, e));
	for (size_t i = 0; i < ids.count && j->found < NAMED; i++)
		TRY(look_below(j, page, ids.items[i], e));
	return RC_OK;
}

troth_rc constrained_judge(struct verb_ctx *ctx, const char *path, const struct credential_row *authority, const struct cert_pool *cas,
			   struct troth_err *e)
{
	struct judge j = { .ctx = ctx, .c = { ctx->a, e }, .path = path };
	for (size_t i = 0; i < cas->count && j.found < NAMED; i++) {
		CLEANUP(name_constraints_freep) struct name_constraints *constraints = NULL;
		struct troth_err why = { 0 };
		if (rc_failed(name_constraints_read(cas->items[i]->der, &constraints, &why)))
			check_fail(&j.c, path, "names", arena_printf(ctx->a, "%.120s: %s", cas->items[i]->subject, why.primary),
				   "no verifier would accept what it signs: bring a CA without them, or with others");
		j.ca = cas->items[i];
		j.constraints = constraints;
		if (constraints)
			TRY(judge_ca(&j, authority, e));
	}
	return RC_OK;
}
