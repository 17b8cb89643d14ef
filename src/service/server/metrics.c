/* The numbers of rows, process and program, side by side.  See metrics.h. */
#include "service/server/metrics.h"

#include "service/nouns.h"
#include "store/gauge.h"

static const struct meter_family BUILD = { "troth_build_info", "Which program runs, and the schema of its store; always 1.", METER_GAUGE,
					   { "version", "schema" } };
static const struct meter_family CUT = { "troth_metrics_cut", "Metrics of which not all series are given, because there are too many.",
					 METER_GAUGE };

/* A family of one sample. */
static struct meter_reading single(struct arena *a, const struct meter_family *f, const char *x, const char *y, int64_t value)
{
	struct meter_sample *sample = ARENA_NEW(a, struct meter_sample);
	*sample = (struct meter_sample){ { x, y }, arena_copy(a, &value, sizeof value) };
	return (struct meter_reading){ .family = f, .samples = sample, .count = 1 };
}

static troth_rc may_see_all(const struct verb_ctx *ctx, struct troth_err *e)
{
	if (principal_sees_everything(ctx->who))
		return RC_OK;
	troth_rc rc = err_set(e, TROTH_FORBIDDEN, "%s sees %s only, and metrics are about everything", ctx->who->name, ctx->who->scope);
	err_hint(e, "ask as a principal whose scope is everything: troth principal add prometheus --role auditor");
	return rc;
}

static troth_rc metrics_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	struct metrics_ret *ret = out;
	const struct meter_reading *counted = NULL;
	size_t n = 0;
	int64_t cut = 0;
	TRY(may_see_all(ctx, e));
	if (ctx->port->meters)
		meter_set_read(ctx->port->meters, ctx->a, &counted, &n);
	struct meter_reading *all = ARENA_ARRAY(ctx->a, struct meter_reading, GAUGE_COUNT + n + 2);
	all[ret->count++] = single(ctx->a, &BUILD, TROTH_VERSION, arena_printf(ctx->a, "%d", store_schema_version()), 1);
	for (size_t i = 0; i < GAUGE_COUNT; i++) {
		TRY(gauge_read(ctx->tx, ctx->a, i, ctx->now, 0, &all[ret->count], e));
		cut += all[ret->count++].cut;
	}
	all[ret->count++] = single(ctx->a, &CUT, NULL, NULL, cut);
	for (size_t i = 0; i < n; i++)
		all[ret->count++] = counted[i];
	ret->readings = all;
	return RC_OK;
}

const struct verb VERB_METRICS = { "metrics", VERB_READ, ROLE_ADMIN | ROLE_OPERATOR | ROLE_AUDITOR | ROLE_SYSTEM,
				   sizeof(struct no_cmd), sizeof(struct metrics_ret), NULL, metrics_run };
