/* What the engine waits for, written down.
 *
 * A fleet that rotates waits for hundreds of things, and each report changes one or two of them.  So the service
 * remembers what the table holds (a number for the name and one for the content of each row) and writes the
 * difference.  After a start, or whenever the view was dropped, that is not known: then every wait is put once more,
 * and rows that no wait is left for are deleted. */
#include "service/waits.h"

#include "service/blocking.h"
#include "service/explain.h"
#include "service/record.h"

#include <stdlib.h>

enum {
	RANK_LAST = 5,        /* of waits: see wait_class */
	RANK_COUNT_MAX = (1 << 24) - 1, /* more held up, or waiting the same way, are ordered as so many */
};

/* A wait, and how many it holds up (blocking.h). */
struct told { const struct wait *wait; int64_t blocks, rank; size_t at; };

/* -- order ------------------------------------------------------------------------------------------ */

/* What a reader wants first: what will break and when; what people decided, who must act, which node is silent; the safety rules
 * that follow from it come last. */
static int64_t wait_class(const struct wait *w)
{
	if (w->reason == WAIT_DEADLINE)
		return 0;
	switch (w->speaker) {
	case SPEAKER_POLICY:   return 1;
	case SPEAKER_OPERATOR: return 2;
	case SPEAKER_NODE:     return 3;
	case SPEAKER_TIME:     return 4;
	case SPEAKER_SAFETY:   break;
	}
	return RANK_LAST;
}

static int64_t less_is_more(int64_t n) { return RANK_COUNT_MAX - (n < RANK_COUNT_MAX ? n : RANK_COUNT_MAX); }

/* Of the wait alone, so that no other wait that comes or goes moves it: the class, then who holds up most, then who is most. */
static int64_t rank_of(const struct wait *w, int64_t blocks)
{
	return (wait_class(w) * (RANK_COUNT_MAX + INT64_C(1)) + less_is_more(blocks)) * (RANK_COUNT_MAX + INT64_C(1)) +
	       less_is_more((int64_t)w->count);
}

static int compare_told(const void *x, const void *y)
{
	const struct told *a = x, *b = y;
	if (a->rank != b->rank)
		return a->rank < b->rank ? -1 : 1;
	return (a->at > b->at) - (a->at < b->at);
}

/* The first LIMIT_PAGE waits in that order; lives in a. */
static const struct told *first_waits(struct arena *a, const struct plan *plan, size_t *ret_count)
{
	struct told *out = ARENA_ARRAY(a, struct told, plan->wait_count + 1);
	const int64_t *blocks = blocking_count(a, plan->waits, plan->wait_count);
	for (size_t i = 0; i < plan->wait_count; i++)
		out[i] = (struct told){ &plan->waits[i], blocks[i], rank_of(&plan->waits[i], blocks[i]), i };
	if (plan->wait_count > 1)
		qsort(out, plan->wait_count, sizeof *out, compare_told);
	*ret_count = plan->wait_count < LIMIT_PAGE ? plan->wait_count : LIMIT_PAGE;
	return out;
}

/* -- a row ------------------------------------------------------------------------------------------ */

static const char *wait_body(struct arena *a, const struct told *t)
{
	const struct wait *w = t->wait;
	struct record r;
	record_begin(&r);
	jw_kv_text(&r.w, "speaker", wait_speaker_name(w->speaker));
	jw_kv_text(&r.w, "rule", w->rule);
	jw_kv_text(&r.w, "reason", wait_reason_name(w->reason));
	jw_kv_text(&r.w, "text", w->text);
	jw_kv_int(&r.w, "ca", w->ca);
	jw_kv_int(&r.w, "other_target", w->other_target);
	jw_kv_int(&r.w, "other_group", w->other_group);
	jw_kv_int(&r.w, "count", (int64_t)w->count);
	if (w->cause) {
		jw_kv_text(&r.w, "cause", wait_reason_name(w->cause));
		jw_kv_int(&r.w, "breaks", w->breaks);
	}
	jw_kv_int(&r.w, "blocks", t->blocks);
	return record_end(&r, a);
}

static const char *wait_key(struct arena *a, const struct wait *w)
{
	return arena_printf(a, "%s/%lld/%lld/%lld/%lld/%lld", wait_reason_name(w->reason), (long long)w->authority,
			    (long long)w->ca, (long long)w->target, (long long)w->other_target,
			    (long long)w->other_group);
}

static uint64_t mixed(const int64_t *numbers, size_t n)
{
	uint64_t h = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < n; i++) {
		h = (h ^ (uint64_t)numbers[i]) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 32;
	}
	return h;
}

/* The same for two waits iff wait_key is. */
static uint64_t name_of(const struct wait *w)
{
	const int64_t numbers[] = { (int64_t)w->reason, w->authority, w->ca, w->target, w->other_target, w->other_group };
	return mixed(numbers, ARRAY_LEN(numbers));
}

/* All of wait_body that its name does not say, and `earliest`.  (Rule and text are constants: as good as their addresses.) */
static uint64_t content_of(const struct told *t)
{
	const struct wait *w = t->wait;
	const int64_t numbers[] = { (int64_t)w->speaker, (int64_t)(intptr_t)w->rule, (int64_t)(intptr_t)w->text, (int64_t)w->count,
				    w->earliest, (int64_t)w->cause, w->breaks, t->blocks };
	return mixed(numbers, ARRAY_LEN(numbers));
}

/* -- the difference ----------------------------------------------------------------------------------- */

/* It is named for the first time: news, before it breaks. */
static troth_rc tell_deadline(struct verb_ctx *ctx, const struct wait_row *row, struct troth_err *e)
{
	struct explained x;
	struct record r;
	TRY(explain_row(ctx->tx, ctx->a, row, &x, e));
	record_begin(&r);
	jw_kv_text(&r.w, "target", arena_printf(ctx->a, "%s/%s", x.instance, x.target));
	jw_kv_time(&r.w, "breaks", x.breaks);
	jw_kv_text(&r.w, "cause", x.cause);
	if (x.other_instance)
		jw_kv_text(&r.w, "because_of", arena_printf(ctx->a, "%s/%s", x.other_instance, x.other_target));
	jw_kv_text(&r.w, "text", explain_sentence(ctx->a, &x));
	struct change c = { .action = "engine.deadline", .object = x.authority, .after = record_end(&r, ctx->a) };
	return record_change(ctx, &c, e);
}

static troth_rc put_wait(struct verb_ctx *ctx, const struct told *t, int64_t *ret_id, struct troth_err *e)
{
	const struct wait *w = t->wait;
	struct wait_row row = { .key = wait_key(ctx->a, w), .authority_id = w->authority, .target_id = w->target,
				.since = ctx->now, .earliest = w->earliest, .body = wait_body(ctx->a, t), .rank = t->rank };
	TRY(wait_row_put(ctx->tx, &row, e));
	*ret_id = row.id;
	return w->reason == WAIT_DEADLINE && row.since == ctx->now ? tell_deadline(ctx, &row, e) : RC_OK;
}

/* What an earlier server left: no name is known, so every wait is put again. */
static troth_rc load(struct verb_ctx *ctx, struct written_waits *ret, struct troth_err *e)
{
	struct wait_row *rows;
	size_t n;
	TRY(wait_row_list(ctx->tx, ctx->a, LIMIT_PAGE, &rows, &n, e));
	*ret = (struct written_waits){ .known = true, .count = n };
	for (size_t i = 0; i < n; i++)
		ret->items[i].id = rows[i].id;
	return RC_OK;
}

/* Nearly always the one after the last that was found. */
static struct written_wait *find(struct written_waits *in, uint64_t name, size_t *from)
{
	for (size_t i = 0; i < in->count; i++) {
		struct written_wait *x = &in->items[(*from + i) % in->count];
		if (x->name == name) {
			*from += i + 1;
			return x;
		}
	}
	return NULL;
}

static void drop_id(struct written_waits *old, int64_t id)
{
	for (size_t i = 0; i < old->count; i++)
		if (old->items[i].id == id)
			old->items[i].kept = true;
}

/* A wait whose row is there already, as it is or to be changed; or a new one. */
static troth_rc bring(struct verb_ctx *ctx, struct written_waits *old, const struct told *t, size_t *from, struct written_waits *next,
		      struct troth_err *e)
{
	struct written_wait now = { .name = name_of(t->wait), .content = content_of(t) };
	struct written_wait *was = find(old, now.name, from);
	if (was ? was->kept : find(next, now.name, &(size_t){ 0 }) != NULL)
		return RC_OK; /* the same wait, said twice: once is enough */
	now.id = was ? was->id : 0;
	if (!was || was->content != now.content)
		TRY(put_wait(ctx, t, &now.id, e));
	if (was)
		was->kept = true;
	else
		drop_id(old, now.id); /* it was there, under a name that was not known */
	next->items[next->count++] = now;
	return RC_OK;
}

troth_rc waits_write(struct verb_ctx *ctx, const struct plan *plan, struct troth_err *e)
{
	struct written_waits *old = &ctx->svc->waits, next = { .known = true };
	size_t n, from = 0;
	const struct told *waits = first_waits(ctx->a, plan, &n);
	if (!old->known)
		TRY(load(ctx, old, e));
	for (size_t i = 0; i < n; i++)
		TRY(bring(ctx, old, &waits[i], &from, &next, e));
	for (size_t i = 0; i < old->count; i++)
		if (!old->items[i].kept)
			TRY(wait_row_delete(ctx->tx, old->items[i].id, e));
	*old = next;
	return RC_OK;
}
