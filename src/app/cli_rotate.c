/* rotate, and the rotation verbs: start, look, follow, steer.
 *
 * Following is a loop of held GETs.  It goes on over a server that restarts (that is what rotations
 * survive, so must their spectator) and ends when the rotation does: 0 done, 1 aborted, 5 timed out.
 * Interrupting it interrupts the spectator only. */
#include "app/cli_internal.h"

enum {
	HOLD_S = 1,      /* an answer may be held so long: also the pace of the clock on a terminal */
};

/* -- finding it ---------------------------------------------------------------------------------------------- */
troth_rc cli_rotation_id(struct cli *c, const char *word, const char **ret_id, struct troth_err *e)
{
	const struct json *list;
	if (uuid_valid(word)) {
		*ret_id = word;
		return RC_OK;
	}
	TRY(cli_list(c, cli_target(c->a, "/v1/rotations", &(struct http_pair){ "name", word }, 1), &list, e));
	const struct json *items = json_get(list, "items");
	if (!items->list.count) {
		troth_rc rc = err_set(e, TROTH_NOT_FOUND, "%s was never rotated", word);
		err_hint(e, "troth rotate %s starts one", word);
		return rc;
	}
	const char *newest = "";
	for (size_t i = 0; i < items->list.count; i++) {
		const char *started = json_get_text(&items->list.items[i], "started", "");
		if (strcmp(started, newest) < 0)
			continue;
		newest = started;
		*ret_id = json_get_text(&items->list.items[i], "id", "");
	}
	return RC_OK;
}

troth_rc cli_run_rotation_list(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	TRY(cli_list(c, cli_target(c->a, c->command->path, &(struct http_pair){ "name", c->word_count ? c->words[0] : NULL }, 1), &j, e));
	return cli_print(c, j, e);
}

/* After a distrust: who had it when last heard of. */
static void print_trusting(struct cli *c, const struct json *x)
{
	const struct json *stores = json_get_list(x, "stores");
	size_t n = stores->list.count;
	if (!x)
		return;
	fprintf(c->out, "  still trusting what was distrusted, as last heard of: %lld stores\n", (long long)json_get_int(x, "count", 0));
	for (size_t i = 0; i < n; i++)
		fprintf(c->out, "    %s (%s)\n", json_get_text(&stores->list.items[i], "store", "?"),
			json_get_text(&stores->list.items[i], "state", "?"));
	if (json_get_int(x, "count", 0) > (int64_t)n)
		fprintf(c->out, "    and %lld more\n", (long long)(json_get_int(x, "count", 0) - (int64_t)n));
}

troth_rc cli_run_rotation_show(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *id = NULL;
	TRY(cli_rotation_id(c, c->words[0], &id, e));
	TRY(cli_call(c, HTTP_GET, arena_printf(c->a, "/v1/rotations/%s", id), NULL, 0, &j, e));
	if (c->format != CLI_AS_TABLE)
		return cli_print(c, j, e);
	CLEANUP(buf_release) struct buf out = buf_make(64 << 10);
	(void)cli_progress_block(c->a, j, c->port->now(c->port->self), c->width, cli_colour(c, "1"), cli_colour(c, "0"), &out);
	TRY(cli_flush(c, &out, e));
	fprintf(c->out, "  %s, started by %s at %s\n  id %s\n", json_get_text(j, "state", "?"), json_get_text(j, "started_by", "?"),
		cli_cell_text(c->a, json_get(j, "started"), CELL_TIME), json_get_text(j, "id", "?"));
	print_trusting(c, json_get(j, "still_trusting"));
	return RC_OK;
}

/* -- following it -------------------------------------------------------------------------------------------- */
struct watch {
	const char *id;
	msec_t begun, deadline;           /* deadline 0: none */
	struct cli_patience patience;
	int drawn;                        /* lines on the terminal that the next picture replaces */
	char *last_line;                  /* malloc'd: outlives the arena of a turn */
};

static void watch_release(struct watch *w)
{
	free(w->last_line);
}

static void draw(struct cli *c, struct watch *w, const struct json *j)
{
	CLEANUP(buf_release) struct buf out = buf_make(64 << 10);
	if (w->drawn)
		buf_printf(&out, "\x1b[%dA\x1b[J", w->drawn);
	w->drawn = cli_progress_block(c->a, j, c->port->now(c->port->self), c->width, cli_colour(c, "1"), cli_colour(c, "0"), &out);
	fwrite(out.data, 1, out.len, c->out);
	fflush(c->out);
}

static void print_change(struct cli *c, struct watch *w, const struct json *j)
{
	const char *line = cli_progress_line(c->a, j);
	if (text_equal(line, w->last_line))
		return;
	free(w->last_line);
	w->last_line = strdup(line);
	msec_t took = c->port->now(c->port->self) - w->begun;
	fprintf(c->out, "%5lld.%lld s  %s\n", (long long)(took / 1000), (long long)(took % 1000 / 100), line);
	fflush(c->out);
}

static void show(struct cli *c, struct watch *w, const struct json *j)
{
	if (c->format != CLI_AS_TABLE)
		return;
	if (c->terminal)
		draw(c, w, j);
	else
		print_change(c, w, j);
}

static troth_rc ask(struct cli *c, struct watch *w, msec_t hold, const struct json **ret, struct troth_err *e)
{
	const char *target = hold ? arena_printf(c->a, "/v1/rotations/%s?wait=%lldms", w->id, (long long)hold)
				  : arena_printf(c->a, "/v1/rotations/%s", w->id);
	*ret = NULL;
	troth_rc rc = cli_call(c, HTTP_GET, target, NULL, hold, ret, e);
	if (rc_failed(rc)) {
		w->drawn = 0; /* what is said now stands below the picture */
		return cli_endure(c, &w->patience, "the rotation goes on without us", rc, e);
	}
	cli_answered(c, &w->patience);
	return RC_OK;
}

static bool is_over(const struct json *j)
{
	const char *state = json_get_text(j, "state", "");
	return text_equal(state, "done") || (text_equal(state, "aborted") && !json_get_bool(j, "going_back", false));
}

static troth_rc say_timeout(const struct watch *w, const struct json *j, struct troth_err *e)
{
	troth_rc rc = err_set(e, TROTH_TIMEOUT, "the rotation is not over in time; it goes on");
	const char *waits = json_get_text(j, "waits_for", NULL);
	if (waits)
		err_detail(e, "it waits: %s", waits);
	err_hint(e, "troth explain tells more, troth rotation watch %s goes on watching", w->id);
	return rc;
}

/* A verdict when it is over; *ret_over says so. */
static troth_rc turn(struct cli *c, struct watch *w, msec_t hold, bool *ret_over, struct troth_err *e)
{
	const struct json *j;
	TRY(ask(c, w, hold, &j, e));
	bool late = w->deadline && c->port->now(c->port->self) >= w->deadline;
	if (!j)
		return late ? say_timeout(w, NULL, e) : RC_OK;
	show(c, w, j);
	*ret_over = is_over(j);
	if (!*ret_over)
		return late ? say_timeout(w, j, e) : RC_OK;
	if (c->format != CLI_AS_TABLE)
		TRY(cli_print(c, j, e));
	msec_t now = c->port->now(c->port->self), took = cli_progress_took(j, now);
	if (took < 0)
		took = now - w->begun;
	ENSURE(text_equal(json_get_text(j, "state", ""), "done"), e, TROTH_CONFLICT, "the rotation of %s was aborted",
	       json_get_text(j, "name", "?"));
	if (c->format == CLI_AS_TABLE)
		fprintf(c->out, "%s%s: rotated in %lld.%lld s%s\n", cli_colour(c, "32"), json_get_text(j, "name", "?"),
			(long long)(took / 1000), (long long)(took % 1000 / 100), cli_colour(c, "0"));
	return RC_OK;
}

/* --timeout; 0: none was said. */
static troth_rc watch_length(struct cli *c, msec_t *ret, struct troth_err *e)
{
	const char *limit = cli_value(c, "--timeout");
	*ret = 0;
	if (limit && rc_failed(duration_parse(limit, ret, e)))
		return cli_usage(c, e, "--timeout: \"%.40s\" is not a length of time, such as 10m", limit);
	return RC_OK;
}

/* Each turn has the memory of one reply, however long it takes. */
static troth_rc watch_run(struct cli *c, const char *id, struct troth_err *e)
{
	CLEANUP(watch_release) struct watch w = { .id = id };
	msec_t length;
	TRY(watch_length(c, &length, e));
	TRY(cli_connect(c, e)); /* now: what it finds must outlive a turn */
	w.begun = c->port->now(c->port->self);
	cli_answered(c, &w.patience);
	w.deadline = length ? w.begun + length : 0;
	struct arena *whole = c->a;
	troth_rc rc = RC_OK;
	bool over = false;
	for (msec_t hold = 0; rc_ok(rc) && !over; hold = HOLD_S * MSEC_S) {
		c->a = arena_new(CLI_ARENA_BYTES);
		rc = turn(c, &w, hold, &over, e);
		arena_free(c->a);
	}
	c->a = whole;
	e->findings = NULL; /* they lived in a turn's arena */
	return rc;
}

troth_rc cli_run_rotation_watch(struct cli *c, struct troth_err *e)
{
	const char *id = NULL;
	TRY(cli_rotation_id(c, c->words[0], &id, e));
	return watch_run(c, id, e);
}

/* -- starting it --------------------------------------------------------------------------------------------- */
/* "1 store", "3 slots": `member` is a plural. */
static const char *number_of(struct cli *c, const struct json *j, const char *member)
{
	int64_t n = json_get_int(j, member, 0);
	return arena_printf(c->a, "%lld %.*s", (long long)n, (int)strlen(member) - (n == 1), member);
}

static void print_pairs(struct cli *c, const struct json *list, const char *what, int64_t count, struct buf *out)
{
	size_t n = list->list.count;
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "  %s%s %s with %s%s\n", cli_colour(c, "31"), what, json_get_text(&list->list.items[i], "slot", "?"),
			   json_get_text(&list->list.items[i], "store", "?"), cli_colour(c, "0"));
	if (count > (int64_t)n)
		buf_printf(out, "  %s%s %lld more%s\n", cli_colour(c, "31"), what, (long long)(count - (int64_t)n), cli_colour(c, "0"));
}

/* What breaks, what may, what it does not reach; last the number that the command wants back. */
static void print_emergency(struct cli *c, const struct json *j, bool dry, struct buf *out)
{
	const struct json *x = json_get(j, "emergency"), *notes = json_get_list(x, "notes");
	if (!x || x->type != JSON_OBJECT)
		return;
	int64_t breaks = json_get_int(x, "breaks", 0), doubts = json_get_int(x, "in_doubt", 0);
	print_pairs(c, json_get_list(x, "pairs"), "breaks", breaks, out);
	print_pairs(c, json_get_list(x, "doubtful"), "may break", doubts, out);
	for (size_t i = 0; i < notes->list.count; i++) {
		buf_add_text(out, "  note: ");
		cli_wrap_write(cli_cell_text(c->a, &notes->list.items[i], CELL_TEXT), 8, c->width, out);
	}
	if (dry)
		buf_printf(out, "%lld pair%s would break, %lld may; to do it: troth rotate %s --compromised%s%s --yes-break %lld\n",
			   (long long)breaks, breaks == 1 ? "" : "s", (long long)doubts, json_get_text(j, "name", "?"),
			   cli_value(c, "--only-version") ? " --only-version " : "", cli_value(c, "--only-version") ? cli_value(c, "--only-version") : "",
			   (long long)breaks);
}

static troth_rc print_plan(struct cli *c, const struct json *j, struct troth_err *e)
{
	CLEANUP(buf_release) struct buf out = buf_make(1 << 20);
	const struct json *waiting = json_get_list(j, "would_wait_for"), *steps = json_get_list(j, "steps"), *outside = json_get_list(j, "outside");
	buf_printf(&out, "%s %s: %s and %s on %s\n", json_get_bool(j, "dry_run", false) ? "would rotate" : "rotating",
		   json_get_text(j, "name", "?"), number_of(c, j, "stores"), number_of(c, j, "slots"), number_of(c, j, "instances"));
	for (size_t i = 0; i < steps->list.count; i++) {
		buf_add_text(&out, "  - ");
		cli_wrap_write(cli_cell_text(c->a, &steps->list.items[i], CELL_TEXT), 4, c->width, &out);
	}
	for (size_t i = 0; i < waiting->list.count; i++)
		buf_printf(&out, "  %swould wait for %s: %s%s\n", cli_colour(c, "33"),
			   json_get_text(&waiting->list.items[i], "instance", "?"), json_get_text(&waiting->list.items[i], "why", "?"),
			   cli_colour(c, "0"));
	for (size_t i = 0; i < outside->list.count; i++)
		buf_printf(&out, "  %s%s the holder of %s, outside the fleet%s\n", cli_colour(c, "33"),
			   cli_flag(c, "--ignore-outside") ? "does not wait for" : "waits for",
			   cli_cell_text(c->a, &outside->list.items[i], CELL_TEXT), cli_colour(c, "0"));
	print_emergency(c, j, json_get_bool(j, "dry_run", false), &out);
	return cli_flush(c, &out, e);
}

troth_rc cli_run_rotate(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *body;
	msec_t length;
	bool dry = cli_flag(c, "--dry-run"), wait = !dry && !cli_flag(c, "--no-wait");
	if (cli_flag(c, "--wait") && !wait)
		return cli_usage(c, e, "--wait and %s exclude each other", dry ? "--dry-run" : "--no-wait");
	TRY(watch_length(c, &length, e)); /* before anything begins */
	TRY(cli_body(c, &body, e));
	TRY(cli_call(c, HTTP_POST, dry ? "/v1/rotations?dry_run=true" : "/v1/rotations", body, 0, &j, e));
	if (c->format == CLI_AS_TABLE)
		TRY(print_plan(c, j, e));
	else if (!wait)
		return cli_print(c, j, e);
	const char *id = json_get_text(j, "rotation", NULL);
	if (wait && id)
		return watch_run(c, id, e);
	if (id)
		fprintf(c->out, "rotation %s is under way: troth rotation watch %s\n", id, json_get_text(j, "name", id));
	return RC_OK;
}

/* -- steering it ------------------------------------------------------------------------------------------------ */
void cli_print_first(struct cli *c, const struct json *next)
{
	size_t n = next->list.count;
	for (size_t i = 0; i < n; i++)
		fprintf(c->out, "  first: %s\n", cli_cell_text(c->a, &next->list.items[i], CELL_TEXT));
	if (!n)
		fprintf(c->out, "  first: nothing; what is under way is waited for\n");
}

static void print_next(struct cli *c, const struct json *j)
{
	const struct json *waiting = json_get_list(j, "would_wait_for");
	fprintf(c->out, "rotation of %s: would be %s; nothing was changed\n", json_get_text(j, "name", "?"), json_get_text(j, "state", "?"));
	cli_print_first(c, json_get_list(j, "next"));
	for (size_t i = 0; i < waiting->list.count; i++)
		fprintf(c->out, "  would wait for %s: %s\n", json_get_text(&waiting->list.items[i], "instance", "?"),
			json_get_text(&waiting->list.items[i], "why", "?"));
}

troth_rc cli_run_rotation_steer(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *id = NULL;
	TRY(cli_rotation_id(c, c->words[0], &id, e));
	bool dry = cli_flag(c, "--dry-run");
	TRY(cli_call(c, HTTP_POST, arena_printf(c->a, "/v1/rotations/%s/%s%s", id, c->command->verb, dry ? "?dry_run=true" : ""), "{}", 0, &j, e));
	if (c->format != CLI_AS_TABLE)
		return cli_print(c, j, e);
	if (dry) {
		print_next(c, j);
		return RC_OK;
	}
	fprintf(c->out, "rotation of %s: %s%s\n", json_get_text(j, "name", c->words[0]), json_get_text(j, "state", "?"),
		json_get_bool(j, "going_back", false) ? ", going back to the old CA" : "");
	return RC_OK;
}

/* -- approving a step -------------------------------------------------------------------------------------------- */
static void print_approval(struct cli *c, const struct json *j)
{
	const struct json *waiting = json_get_list(j, "waiting");
	fprintf(c->out, "%s of %s%s\n", json_get_text(j, "step", "?"), json_get_text(j, "name", c->words[0]),
		json_get_bool(j, "dry_run", false) ? " waits for an approval:" : " is approved:");
	for (size_t i = 0; i < waiting->list.count; i++)
		fprintf(c->out, "  %s\n", waiting->list.items[i].str.s);
}

/* It is looked up first: what is approved is the rotation and the step that were shown. */
troth_rc cli_run_rotation_approve(struct cli *c, struct troth_err *e)
{
	const struct json *j;
	const char *id = NULL, *step = cli_value(c, "--step");
	const char *body = step ? arena_printf(c->a, "{\"step\":\"%s\"}", step) : "{}";
	if (step && !text_equal(step, "introduce") && !text_equal(step, "switch") && !text_equal(step, "withdraw"))
		return cli_usage(c, e, "--step: \"%.40s\" is none of introduce, switch, withdraw", step);
	TRY(cli_rotation_id(c, c->words[0], &id, e));
	TRY(cli_call(c, HTTP_POST, arena_printf(c->a, "/v1/rotations/%s/approve?dry_run=true", id), body, 0, &j, e));
	if (!cli_flag(c, "--dry-run")) {
		body = arena_printf(c->a, "{\"step\":\"%s\"}", json_get_text(j, "step", ""));
		TRY(cli_call(c, HTTP_POST, arena_printf(c->a, "/v1/rotations/%s/approve", id), body, 0, &j, e));
	}
	if (c->format != CLI_AS_TABLE)
		return cli_print(c, j, e);
	print_approval(c, j);
	return RC_OK;
}
