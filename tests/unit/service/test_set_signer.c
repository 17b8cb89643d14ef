/* Who signed what was brought: by name, by PEM, as it was given out; and what is none of it. */
#include "bring.h"
#include "outsider.h"

#include "service/intake/adopt.h"
#include "service/intake/set_signer.h"
#include "service/rotation/rotation.h"

struct say { struct set_cmd cmd; const struct cert *cert; };

static troth_rc find_run(struct verb_ctx *ctx, const void *arg, void *out, struct troth_err *e)
{
	const struct say *s = arg;
	return set_signer_find(ctx, &s->cmd, s->cert, out, e);
}
static const struct verb FIND = { "test.find", VERB_READ, ROLES_READ, sizeof(struct say), sizeof(struct set_signer), NULL, find_run };

struct story {
	struct room *r;
	struct elsewhere root, next, far, by_root, by_next, by_far;
};

static void adopt(struct room *r, const char *name, const struct elsewhere *x)
{
	struct lookup_ret ret;
	struct authority_adopt_cmd cmd = { name, x->pem, elsewhere_key_pem(r->a, x), false, NULL };
	room_do(r, &VERB_AUTHORITY_ADOPT, &cmd, &ret);
}

static struct story begin(void)
{
	struct story s = { .r = room_new() };
	struct arena *a = s.r->a;
	msec_t now = s.r->now;
	s.root = elsewhere_root(a, now, "root");
	s.next = elsewhere_root(a, now, "next");
	s.far = elsewhere_root(a, now, "far");
	s.by_root = bring_leaf(a, now, "a", &s.root, 0, 0);
	s.by_next = bring_leaf(a, now, "b", &s.next, 0, 0);
	s.by_far = bring_leaf(a, now, "c", &s.far, 0, 0);
	adopt(s.r, "/x/ca", &s.root);
	return s;
}

static void end(struct story *s)
{
	bring_release((struct elsewhere *[]){ &s->root, &s->next, &s->far, &s->by_root, &s->by_next, &s->by_far }, 6);
	room_free(s->r);
}

static void rotate(struct story *s, bool by_steps)
{
	struct rotate_ret ret;
	struct rotate_cmd cmd = { .name = "/x/ca", .by_steps = by_steps, .source = { "$.certificate", s->next.pem, elsewhere_key_pem(s->r->a, &s->next) } };
	room_do(s->r, &VERB_ROTATE, &cmd, &ret);
}

static struct set_signer find(struct room *r, const struct elsewhere *leaf, const char *name, const char *pem)
{
	struct set_signer ret;
	room_do(r, &FIND, &(struct say){ { .issuer = name, .ca = pem }, leaf->cert }, &ret);
	return ret;
}

static void refused(struct room *r, const struct principal *who, const struct elsewhere *leaf, struct set_cmd cmd, enum troth_kind kind,
		    const char *clause, const char *words)
{
	room_refused(r, who, &FIND, &(struct say){ cmd, leaf->cert }, kind, words);
	assert_string_equal(r->e.clause, clause);
}

static void by_name_the_one_that_signs_now(void **state)
{
	struct story s = begin();
	struct set_signer x = find(s.r, &s.by_root, "/x/ca", NULL);
	assert_true(x.cert && x.here.version.signing && text_equal(x.here.authority.name, "/x/ca"));
	assert_null(find(s.r, &s.by_root, NULL, NULL).cert);
	rotate(&s, false);
	refused(s.r, &s.r->admin, &s.by_root, (struct set_cmd){ .issuer = "/x/ca" }, TROTH_INVALID, CLAUSE_NOT_BY_NAME, "did not sign");
	assert_true(find(s.r, &s.by_next, "/x/ca", NULL).here.version.signing);
	refused(s.r, &s.r->admin, &s.by_next, (struct set_cmd){ .issuer = "/x/none" }, TROTH_NOT_FOUND, "type:no-issuer", "no authority");
	refused(s.r, &s.r->narrow, &s.by_next, (struct set_cmd){ .issuer = "/x/ca" }, TROTH_NOT_FOUND, "type:no-issuer", "no authority");
	refused(s.r, &s.r->admin, &s.by_next, (struct set_cmd){ .issuer = "/troth/server" }, TROTH_NOT_FOUND, "type:no-issuer", "troth's own");
	outsider_asks(s.r, outsider_leaf(s.r, "/x/leaf", "/x/ca"));
	refused(s.r, &s.r->admin, &s.by_next, (struct set_cmd){ .issuer = "/x/leaf" }, TROTH_INVALID, CLAUSE_NO_CA_NAME, "no CA");
	end(&s);
}

static void by_pem_whoever_it_is(void **state)
{
	struct story s = begin();
	struct arena *a = s.r->a;
	struct set_signer x = find(s.r, &s.by_far, NULL, s.far.pem);
	assert_true(x.cert && !x.here.authority.id);
	assert_string_equal(find(s.r, &s.by_root, NULL, s.root.pem).here.authority.name, "/x/ca");
	struct say mine = { { .ca = s.root.pem }, s.by_root.cert };
	assert_true(rc_ok(room_try(s.r, &s.r->narrow, &FIND, &mine, &x)) && x.cert && !x.here.authority.id); /* /x/ca is not his to see */
	refused(s.r, &s.r->admin, &s.by_far, (struct set_cmd){ .ca = s.root.pem }, TROTH_INVALID, CLAUSE_NOT_BY, "did not sign");
	refused(s.r, &s.r->admin, &s.by_far, (struct set_cmd){ .ca = s.by_root.pem }, TROTH_INVALID, CLAUSE_NO_CA, "is no CA");
	refused(s.r, &s.r->admin, &s.by_far, (struct set_cmd){ .ca = "no PEM" }, TROTH_INVALID, CLAUSE_NO_CA, "");
	refused(s.r, &s.r->admin, &s.by_far, (struct set_cmd){ .ca = arena_printf(a, "%s%s", s.far.pem, s.root.pem) }, TROTH_INVALID, "", "has 2 certificates");
	refused(s.r, &s.r->admin, &s.by_root, (struct set_cmd){ .ca = arena_printf(a, "%s%s", s.far.pem, s.root.pem) }, TROTH_INVALID, "", "has 2 certificates");
	rotate(&s, false);
	x = find(s.r, &s.by_next, NULL, arena_printf(a, "%s%s", s.next.pem, s.root.pem)); /* as value.ca shows it in a rotation */
	assert_true(x.here.version.wanted && text_equal(x.here.authority.name, "/x/ca"));
	refused(s.r, &s.r->admin, &s.by_root, (struct set_cmd){ .ca = s.root.pem }, TROTH_CONFLICT, "", "is replaced");
	end(&s);
}

/* Led by hand: the new one is wanted, and the old one signs until somebody says so. */
static void until_the_label_moves(void **state)
{
	struct story s = begin();
	rotate(&s, true);
	refused(s.r, &s.r->admin, &s.by_next, (struct set_cmd){ .issuer = "/x/ca" }, TROTH_INVALID, CLAUSE_NOT_BY_NAME, "did not sign");
	assert_true(find(s.r, &s.by_root, "/x/ca", NULL).here.version.signing);
	assert_true(find(s.r, &s.by_root, NULL, s.root.pem).here.version.signing);
	assert_true(find(s.r, &s.by_next, NULL, s.next.pem).here.version.wanted); /* the engine says whether it is accepted */
	end(&s);
}

static void what_was_distrusted_signed_nothing(void **state)
{
	struct story s = begin();
	struct rotate_ret ret;
	room_do(s.r, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/x/ca", .compromised = true }, &ret);
	refused(s.r, &s.r->admin, &s.by_root, (struct set_cmd){ .ca = s.root.pem }, TROTH_UNSAFE, "", "was distrusted");
	refused(s.r, &s.r->admin, &s.by_root, (struct set_cmd){ .issuer = "/x/ca" }, TROTH_INVALID, CLAUSE_NOT_BY_NAME, "did not sign");
	end(&s);
}

static void one_certificate_is_read(void **state)
{
	struct story s = begin();
	const struct cert *cert;
	struct troth_err e = { 0 };
	assert_true(rc_ok(set_read(s.r->a, s.root.pem, &cert, &e)) && cert->is_ca);
	assert_true(rc_failed(set_read(s.r->a, arena_printf(s.r->a, "%s%s", s.by_root.pem, s.root.pem), &cert, &e)));
	assert_true(!e.clause[0] && strstr(e.primary, "has 2 certificates"));
	assert_true(rc_failed(set_read(s.r->a, elsewhere_key_pem(s.r->a, &s.root), &cert, &e)));
	assert_string_equal(e.clause, CLAUSE_NO_CERTIFICATE);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(by_name_the_one_that_signs_now), cmocka_unit_test(by_pem_whoever_it_is), cmocka_unit_test(until_the_label_moves),
					      cmocka_unit_test(what_was_distrusted_signed_nothing), cmocka_unit_test(one_certificate_is_read) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
