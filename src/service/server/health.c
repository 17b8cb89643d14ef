/* Health and version: what a load balancer and a support case ask first.  A reader that can take a
 * snapshot is healthy; whether the keeper lives is app's to say. */
#include "service/nouns.h"

static troth_rc health_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	struct health_ret *ret = out;
	int64_t epoch;
	TRY(store_epoch(ctx->tx, &epoch, e));
	ret->epoch = arena_printf(ctx->a, "%lld", (long long)epoch);
	return event_last_seq(ctx->tx, &ret->event_seq, e);
}

static troth_rc version_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	struct version_ret *ret = out;
	ret->version = TROTH_VERSION;
	ret->schema = store_schema_version();
	return RC_OK;
}

static troth_rc describe_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e) { return RC_OK; }

const struct verb VERB_HEALTH = { "health", VERB_READ, ROLES_ANY, sizeof(struct no_cmd), sizeof(struct health_ret), NULL, health_run };
const struct verb VERB_VERSION = { "version", VERB_READ, ROLES_ANY, sizeof(struct no_cmd), sizeof(struct version_ret), NULL,
				   version_run };
/* What the API consists of: the facade knows, who may read may see it. */
const struct verb VERB_API_DESCRIBE = { "api.describe", VERB_READ, ROLES_READ, sizeof(struct no_cmd), sizeof(struct no_ret), NULL,
					describe_run };
