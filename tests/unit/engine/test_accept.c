/* Acceptance: dates at both ends of the skew, and who may sign. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "engine/step.h"
#include "fleet.h"

static struct content chain(msec_t from, msec_t until)
{
	return (struct content){ .is_chain = true, .not_before = from, .not_after = until, .skew = skew_of(from, until) };
}

/* v is 4 minutes behind, a leaf is new: it goes out only when the slowest clock takes it. */
static void slow_clock(void **state)
{
	struct content c = chain(FLEET_NOW, FLEET_NOW + MSEC_DAY);

	assert_false(accept_chain_now(&c, FLEET_NOW + 4 * MSEC_MIN));
	assert_true(accept_chain_now(&c, FLEET_NOW + SKEW));
	assert_false(accept_chain_now(&c, c.not_after - SKEW)); /* and a fast one still takes it */
	assert_true(accept_chain_now(&c, c.not_after - SKEW - 1));
}

/* What lives for seconds is for clocks that agree: a tenth of the life is left for their difference. */
static void a_short_life_has_a_small_skew(void **state)
{
	struct content c = chain(FLEET_NOW, FLEET_NOW + 20 * MSEC_S);

	assert_int_equal(c.skew, 2 * MSEC_S);
	assert_true(accept_chain_now(&c, FLEET_NOW + 2 * MSEC_S));
	assert_true(accept_chain_now(&c, FLEET_NOW + 17 * MSEC_S));
	assert_false(accept_chain_now(&c, FLEET_NOW + 18 * MSEC_S));
	assert_int_equal(skew_of(FLEET_NOW, FLEET_NOW), 0);
	assert_int_equal(skew_of(FLEET_NOW, FLEET_NOW - 1), 0);
}

/* The dates of a chain are the narrowest of all it serves; an expired extra ends it. */
static void expired_extra(void **state)
{
	struct fleet *f = fleet_usual();
	int64_t chain = fleet_chain(f, 1, 101);

	fleet_content(f, chain)->issued = f->now - MSEC_DAY;
	fleet_content(f, chain)->not_after = f->now + MSEC_MIN; /* the extra's date */
	fleet_tell_content(f, fleet_content(f, chain));
	fleet_stage(f, 21, chain);
	fleet_run(f);
	assert_int_equal(fleet_find(f, 21)->doc_count, 0);
	fleet_free(f);
}

static void signer_must_be_able(void **state)
{
	struct ca c = { .can_sign = true, .wanted = true, .not_before = FLEET_NOW,
			.not_after = FLEET_NOW + MSEC_DAY, .skew = SKEW };
	struct view *v = view_new();
	msec_t from;

	assert_true(accept_signer(v, &c, FLEET_NOW + SKEW, &from));
	assert_false(accept_signer(v, &c, FLEET_NOW, &from));
	assert_int_equal(from, FLEET_NOW + SKEW);
	assert_false(accept_signer(v, &c, c.not_after - SKEW, &from));
	assert_int_equal(from, 0);
	c.distrusted = true;
	assert_false(accept_signer(v, &c, FLEET_NOW + SKEW, &from));
	c = (struct ca){ .can_sign = true, .retired = true, .not_after = INT64_MAX };
	assert_false(accept_signer(v, &c, FLEET_NOW, &from));
	view_free(v);
}

static void distrust_is_about_the_certificate(void **state)
{
	struct fleet *f = fleet_usual();
	struct fleet_ca *twin = fleet_ca_with(f, 3, 6, 101); /* another version of the same certificate */

	twin->distrusted = true;
	fleet_tell_ca(f, twin);
	assert_true(cert_distrusted(f->view, 101));
	assert_false(cert_distrusted(f->view, 102));
	assert_false(cert_distrusted(f->view, 999));
	fleet_free(f);
}

static void what_a_group_could_trust(void **state)
{
	struct fleet *f = fleet_usual();

	fleet_ca(f, 9, 6);
	fleet_goal_cert(f, 1, 777);
	const struct group *g = group_find(f->view, 1);

	assert_true(group_could_trust(f->view, g, 101));
	assert_true(group_could_trust(f->view, g, 777));
	assert_false(group_could_trust(f->view, g, 109)); /* of an authority that is not in the bundle */
	assert_false(group_could_trust(f->view, g, 888));
	assert_false(group_could_accept(f->view, g, (struct id_list){ 0 }));
	fleet_find_ca(f, 1)->distrusted = true;
	fleet_tell_ca(f, fleet_find_ca(f, 1));
	assert_false(group_could_trust(f->view, g, 101));
	fleet_free(f);
}

static void nothing_at_all_is_accepted_by_nobody(void **state)
{
	int64_t one = 101;
	struct shape chain = { .is_chain = true, .members = { &one, 1 } };

	assert_true(accept_pair(&chain, (struct id_list){ &one, 1 }));
	assert_false(accept_pair(&chain, (struct id_list){ NULL, 0 }));
	assert_false(accept_pair(NULL, (struct id_list){ &one, 1 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slow_clock),
		cmocka_unit_test(a_short_life_has_a_small_skew),
		cmocka_unit_test(expired_extra),
		cmocka_unit_test(signer_must_be_able),
		cmocka_unit_test(distrust_is_about_the_certificate),
		cmocka_unit_test(what_a_group_could_trust),
		cmocka_unit_test(nothing_at_all_is_accepted_by_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
