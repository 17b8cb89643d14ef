/* Looking for some of the credentials or authorities: by the beginning of the name, who signs them, a name that they are for, a
 * fingerprint, when they end; in an order.  All conditions hold together, in one query of the store. */
#include <string.h>

#include "model/name.h"
#include "service/check.h"
#include "service/ca/credential.h"
#include "service/record.h"

static const char *const SORTS[] = { [CREDENTIAL_BY_ID] = "", [CREDENTIAL_BY_NAME] = "name", [CREDENTIAL_BY_NAME_DOWN] = "-name",
				     [CREDENTIAL_BY_END] = "expires", [CREDENTIAL_BY_END_DOWN] = "-expires" };

static void read_sort(const struct checker *c, const char *text, struct credential_filter *f)
{
	for (size_t i = 0; text && i < ARRAY_LEN(SORTS); i++)
		if (i && text_equal(text, SORTS[i])) {
			f->sort = (enum credential_sort)i;
			return;
		}
	if (text)
		check_fail(c, "?sort", "word", "is no order", "name, -name, expires or -expires; - is downwards");
}

/* As openssl prints it, with colons, or as we do. */
static void read_fingerprint(const struct checker *c, const char *text, struct credential_filter *f)
{
	char plain[2 * SHA256_LEN + 1];
	size_t n = 0;
	if (!text)
		return;
	for (const char *p = text; *p && n < sizeof plain; p++)
		if (*p != ':')
			plain[n++] = *p;
	uint8_t *raw = arena_alloc(c->a, SHA256_LEN);
	if (n == 2 * SHA256_LEN && hex_decode(plain, n, raw, SHA256_LEN))
		f->fingerprint = bytes_of(raw, SHA256_LEN);
	else
		check_fail(c, "?fingerprint", "fingerprint", "is no SHA-256 fingerprint", "64 hex digits, with or without colons");
}

/* A name may have been written with its kind or without: both are looked for. */
static void read_san(const struct checker *c, const char *text, struct credential_filter *f)
{
	static const char *const PREFIXES[] = { [NAME_SAN_DNS] = "dns:", [NAME_SAN_IP] = "ip:", [NAME_SAN_URI] = "uri:" };
	enum name_san_kind kind;
	const char *fault = text ? name_san_fault(text) : NULL;
	if (!text)
		return;
	if (fault) {
		check_fail(c, "?san", "san", fault, "write it like dns:pg-1.example, ip:10.0.0.1 or uri:spiffe://example/pg");
		return;
	}
	const char *value = name_san_value(text, &kind);
	f->san = arena_printf(c->a, "%s%s", PREFIXES[kind], value);
	f->san_too = value;
}

static void read_prefix(const struct checker *c, const char *text, struct credential_filter *f)
{
	if (!text)
		return;
	f->name_prefix = text;
	for (const char *p = text; *p; p++)
		if (*p <= ' ' || *p > '~') {
			check_fail(c, "?name_prefix", "name", "holds a character that no name has", "names are like /prod/pg/server");
			return;
		}
}

static void read_filter(const struct checker *c, const struct list_cmd *cmd, struct credential_filter *f)
{
	const struct list_filter *x = cmd->filter;
	if (cmd->name)
		check_fail(c, "?name", "alone", "names one; there is nothing to choose from", "leave the other parameters out, or name");
	read_prefix(c, x->name_prefix, f);
	read_san(c, x->san, f);
	read_fingerprint(c, x->fingerprint, f);
	read_sort(c, x->sort, f);
	f->ends_before = x->expires_before;
}

void list_filter_check(struct arena *a, const struct list_cmd *cmd, struct troth_err *e)
{
	struct credential_filter f = { 0 };
	if (cmd->filter)
		read_filter(&(struct checker){ a, e }, cmd, &f);
}

troth_rc credential_find(struct verb_ctx *ctx, enum credential_kind kind, const struct list_cmd *cmd, struct credential_row **ret_rows,
			 size_t *ret_count, struct troth_err *e)
{
	struct credential_filter f = { .kind = kind };
	if (cmd->filter) {
		read_filter(&(struct checker){ ctx->a, e }, cmd, &f);
		TRY(check_done(e));
	}
	if (cmd->filter && cmd->filter->issuer) {
		struct credential_row issuer;
		TRY(authority_by_name(ctx, cmd->filter->issuer, &issuer, e));
		f.issuer_id = issuer.id;
	}
	return credential_row_find(ctx->tx, ctx->a, &f, cmd->page, ret_rows, ret_count, e);
}
