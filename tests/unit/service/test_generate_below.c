/* All leaves below an authority, or none of them. */
#include "outsider.h"

#include "service/handout/delete.h"
#include "service/handout/generate_below.h"
#include "service/rotation/beside.h"

enum { KEYS_OF_ONE = 2 }; /* a key and a signature */

static void must_ok(troth_rc rc) { assert_true(rc_ok(rc)); }

static struct generate_below_ret below(struct room *r, const char *name)
{
	struct generate_below_ret ret;
	room_do(r, &VERB_CREDENTIAL_GENERATE_BELOW, &(struct generate_below_cmd){ name }, &ret);
	return ret;
}

static void refused(struct room *r, const struct principal *who, const char *name, enum troth_kind kind, const char *words)
{
	size_t before = room_audit_count(r), calls = r->keeper_calls;
	room_refused(r, who, &VERB_CREDENTIAL_GENERATE_BELOW, &(struct generate_below_cmd){ name }, kind, words);
	assert_int_equal(room_audit_count(r), before);
	assert_int_equal(r->keeper_calls, calls);
}

static struct lookup_ret look(struct room *r, const char *name)
{
	struct lookup_ret ret;
	room_do(r, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = name, .keys = true }, &ret);
	return ret;
}

static void through_the_cas_below(void **state)
{
	struct room *r = room_new();
	outsider_asks(r, outsider_ca("/x/root", NULL));
	outsider_asks(r, outsider_ca("/x/sub", "/x/root"));
	outsider_asks(r, outsider_leaf(r, "/x/b", "/x/sub"));
	outsider_asks(r, outsider_leaf(r, "/x/A", "/x/root"));
	outsider_asks(r, outsider_leaf(r, "/y/other", "/x/root"));
	struct generate_below_ret ret = below(r, "/x/root");
	assert_int_equal(ret.names.count, 3);
	assert_string_equal(ret.names.items[0], "/x/A");
	assert_string_equal(ret.names.items[1], "/x/b");
	struct lookup_ret b = look(r, "/x/b");
	assert_true(b.count == 2 && b.items[0].private_key && !text_equal(b.items[0].private_key, b.items[1].private_key));
	assert_int_equal(look(r, "/x/sub").count, 1);
	assert_int_equal(below(r, "/x/sub").names.count, 1);
	room_free(r);
}

/* The third step of a rotation led by hand. */
static void signed_by_the_new_one(void **state)
{
	struct room *r = room_new();
	struct lookup_ret now;
	struct generate_ret ca = outsider_asks(r, outsider_ca("/x/ca", NULL));
	outsider_asks(r, outsider_leaf(r, "/x/a", "/x/ca"));
	outsider_asks(r, outsider_leaf(r, "/x/b", "/x/ca"));
	struct generate_ret new = outsider_asks(r, (struct generate_cmd){ .name = "/x/ca", .again = true, .beside = true });
	struct beside_cmd cmd = { ca.of.credential.row.uuid, ca.of.items[0].version->row.uuid, false };
	room_do(r, &VERB_AUTHORITY_BESIDE, &cmd, &now);
	below(r, "/x/ca");
	assert_string_equal(look(r, "/x/a").items[0].version->signed_by, new.of.items[0].version->row.uuid);
	assert_string_equal(look(r, "/x/b").items[0].version->signed_by, new.of.items[0].version->row.uuid);
	cmd.version = NULL;
	room_do(r, &VERB_AUTHORITY_BESIDE, &cmd, &now);
	room_free(r);
}

static void all_or_none(void **state)
{
	struct room *r = room_new();
	struct principal some = r->narrow;
	(void)text_copy(some.scope, sizeof some.scope, "/x/*");
	outsider_asks(r, outsider_ca("/x/ca", NULL));
	outsider_asks(r, outsider_leaf(r, "/x/a", "/x/ca"));
	outsider_asks(r, outsider_leaf(r, "/y/b", "/x/ca"));
	refused(r, &some, "/x/ca", TROTH_FORBIDDEN, "");
	refused(r, &r->auditor, "/x/ca", TROTH_FORBIDDEN, "");
	refused(r, &r->admin, "/x/a", TROTH_NOT_FOUND, "no authority");
	refused(r, &r->admin, "/x/none", TROTH_NOT_FOUND, "no authority");
	r->keeper_dies_at = r->keeper_calls + 4;
	room_refused(r, &r->admin, &VERB_CREDENTIAL_GENERATE_BELOW, &(struct generate_below_cmd){ "/x/ca" }, TROTH_UNAVAILABLE, "");
	assert_int_equal(look(r, "/x/a").count, 1);
	r->keeper_dies_at = 0;
	room_free(r);
}

/* So many more like /x/a: as rows, as making each would take its time. */
static void add_alike(struct room *r, int from, int to)
{
	struct tx *tx;
	struct credential_row row;
	must_ok(store_write_begin(r->store, &tx, NULL));
	for (int i = from; i < to; i++) {
		char *uuid = arena_printf(r->a, "%08x-1111-4111-8111-111111111111", i);
		must_ok(credential_row_by_name(tx, r->a, "/x/a", &row, NULL));
		row.uuid = uuid;
		row.name = arena_printf(r->a, "/x/a-%d", i);
		must_ok(credential_row_insert(tx, &row, NULL));
	}
	must_ok(store_write_commit(tx, NULL));
}

static int64_t version_count(struct room *r)
{
	struct version_row *rows;
	size_t n;
	struct tx *tx = room_read(r);
	must_ok(version_row_list(tx, r->a, PAGE_ALL, &rows, &n, NULL));
	room_read_end(r, tx);
	return (int64_t)n;
}

/* More than the keeper takes in a message; and still all or none. */
static void hundreds(void **state)
{
	enum { N = LIMIT_KEEPER_BATCH + 6 };
	struct room *r = room_new();
	outsider_asks(r, outsider_ca("/x/ca", NULL));
	outsider_asks(r, outsider_leaf(r, "/x/a", "/x/ca"));
	add_alike(r, 1, N);
	int64_t before = version_count(r);
	r->keeper_dies_at = r->keeper_calls + N + N / 2; /* all keys are made, and half of them signed */
	room_refused(r, &r->admin, &VERB_CREDENTIAL_GENERATE_BELOW, &(struct generate_below_cmd){ "/x/ca" }, TROTH_UNAVAILABLE, "");
	assert_int_equal(version_count(r), before);
	r->keeper_dies_at = 0;
	assert_int_equal(below(r, "/x/ca").names.count, N);
	assert_int_equal(version_count(r), before + N);
	add_alike(r, N, LIMIT_BELOW + 1);
	refused(r, &r->admin, "/x/ca", TROTH_TOO_LARGE, "more than 256 certificates are below /x/ca");
	room_free(r);
}

/* In how little memory ever: it is done, or refused and nothing is. */
static void more_than_there_is_room_for(void **state)
{
	enum { N = 40 };
	struct room *r = room_new();
	size_t done = 0, refusals = 0;
	outsider_asks(r, outsider_ca("/x/ca", NULL));
	outsider_asks(r, outsider_leaf(r, "/x/a", "/x/ca"));
	add_alike(r, 1, N);
	for (size_t kib = 512; kib <= 3072; kib += 256) {
		struct verb_ctx ctx;
		struct generate_below_ret ret;
		struct troth_err e = { 0 };
		struct arena *small = arena_new(kib << 10);
		int64_t before = version_count(r);
		verb_ctx_init(&ctx, small, &r->admin, &r->port, r->now);
		bool ok = rc_ok(verb_run(r->svc, &VERB_CREDENTIAL_GENERATE_BELOW, &ctx, &r->line, &(struct generate_below_cmd){ "/x/ca" }, &ret, &e));
		assert_true(ok || (e.kind == TROTH_TOO_LARGE && strstr(e.hint, "one by one")));
		assert_int_equal(version_count(r), before + (ok ? N : 0));
		done += ok;
		refusals += !ok;
		arena_free(small);
	}
	assert_true(done && refusals);
	room_free(r);
}

/* -- while keys are made, others go on ------------------------------------------------------------------------ */
static void somebody(struct room *r, struct generate_cmd cmd)
{
	struct verb_ctx mine = r->ctx;
	outsider_asks(r, cmd);
	r->ctx = mine;
}
static void makes_one_anew(struct room *r) { somebody(r, (struct generate_cmd){ .name = "/x/a", .again = true }); }
static void makes_a_new_one(struct room *r) { somebody(r, outsider_leaf(r, "/x/c", "/x/ca")); }
static void renames_one(struct room *r)
{
	struct generate_cmd cmd = outsider_leaf(r, "/x/a", "/x/ca");
	cmd.sans = room_texts(r, "dns:other.example", NULL);
	somebody(r, cmd);
}
static void deletes_one(struct room *r)
{
	struct verb_ctx mine = r->ctx;
	struct no_ret none;
	room_do(r, &VERB_CREDENTIAL_DELETE, &(struct delete_cmd){ "/x/b" }, &none);
	r->ctx = mine;
}

static struct generate_below_ret meanwhile(struct room *r, void (*what)(struct room *), size_t its_calls, size_t rounds)
{
	size_t before = r->keeper_calls;
	r->before_keeper = what;
	struct generate_below_ret ret = below(r, "/x/ca");
	assert_int_equal(r->keeper_calls - before - its_calls, rounds);
	return ret;
}

/* Keys that took a while are not made again because of what does not concern them. */
static void others_go_on_meanwhile(void **state)
{
	struct room *r = room_new();
	outsider_asks(r, outsider_ca("/x/ca", NULL));
	outsider_asks(r, outsider_leaf(r, "/x/a", "/x/ca"));
	outsider_asks(r, outsider_leaf(r, "/x/b", "/x/ca"));
	assert_int_equal(meanwhile(r, makes_one_anew, KEYS_OF_ONE, 2 * 2).names.count, 2);
	assert_int_equal(look(r, "/x/a").count, 3);
	assert_int_equal(meanwhile(r, makes_a_new_one, KEYS_OF_ONE, 2 * 2).names.count, 2);
	assert_int_equal(look(r, "/x/c").count, 1);
	assert_int_equal(meanwhile(r, renames_one, KEYS_OF_ONE, 2 * 2 * 3).names.count, 3); /* what was signed is not what it is now */
	assert_string_equal(look(r, "/x/a").credential.spec.sans.items[0], "dns:other.example");
	assert_int_equal(meanwhile(r, deletes_one, 0, 2 * 3 + 2 * 2).names.count, 2);
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(through_the_cas_below), cmocka_unit_test(signed_by_the_new_one), cmocka_unit_test(all_or_none),
					    cmocka_unit_test(hundreds), cmocka_unit_test(more_than_there_is_room_for), cmocka_unit_test(others_go_on_meanwhile) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
