/* Instances: found by name and identity while they are here. */
#include "box.h"

static void every_column_comes_back(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	int64_t deployment = add_deployment(b, tx, 1);
	struct instance_row in = { .uuid = uuid_of(b, 1), .deployment_id = deployment, .name = "node-1", .state = INSTANCE_WAIVED,
		.identity_fingerprint = hash_of(b, 1), .identity_previous = hash_of(b, 2), .identity_not_after = 1, .identity_der = bytes_of("der", 3),
		.boot_id = "boot", .session = 2, .session_opened = 3, .last_seen = 4, .alive_until = 5, .desired_version = 6,
		.agent_version = "0.1", .alarm = "cloned", .lease_until = 7, .created = 8, .left_at = 9 }, out;
	OK(instance_row_insert(tx, &in, &b->e));
	OK(instance_row_by_uuid(tx, b->a, in.uuid, &out, &b->e));
	assert_string_equal(out.name, "node-1");
	assert_int_equal(out.state, INSTANCE_WAIVED);
	assert_true(bytes_equal(out.identity_fingerprint, in.identity_fingerprint));
	assert_true(bytes_equal(out.identity_previous, in.identity_previous));
	assert_true(bytes_equal(out.identity_der, in.identity_der));
	assert_string_equal(out.boot_id, "boot");
	assert_string_equal(out.agent_version, "0.1");
	assert_string_equal(out.alarm, "cloned");
	assert_int_equal(out.deployment_id, deployment);
	assert_int_equal(out.identity_not_after + out.session + out.session_opened + out.last_seen + out.alive_until + out.desired_version +
			 out.lease_until + out.created + out.left_at, 45);
	box_commit(b, tx);
}

static void the_previous_identity_still_counts(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct instance_row row;
	OK(instance_row_get(tx, b->a, add_instance(b, tx, 1, add_deployment(b, tx, 1)), &row, &b->e));
	row.identity_previous = row.identity_fingerprint;
	row.identity_fingerprint = hash_of(b, 77);
	OK(instance_row_update(tx, &row, &b->e));
	OK(instance_row_by_fingerprint(tx, b->a, hash_of(b, 1), &row, &b->e));
	OK(instance_row_by_fingerprint(tx, b->a, hash_of(b, 77), &row, &b->e));
	FAILS(TROTH_NOT_FOUND, instance_row_by_fingerprint(tx, b->a, hash_of(b, 78), &row, &b->e));
	box_commit(b, tx);
}

static void one_that_left_frees_its_name(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct instance_row row, again, *rows;
	size_t count;
	int64_t deployment = add_deployment(b, tx, 1);
	OK(instance_row_get(tx, b->a, add_instance(b, tx, 1, deployment), &row, &b->e));
	again = row;
	again.uuid = uuid_of(b, 2);
	again.identity_fingerprint = hash_of(b, 2);
	FAILS(TROTH_CONFLICT, instance_row_insert(tx, &again, &b->e));
	row.state = INSTANCE_LEFT;
	OK(instance_row_update(tx, &row, &b->e));
	FAILS(TROTH_NOT_FOUND, instance_row_by_fingerprint(tx, b->a, hash_of(b, 1), &again, &b->e));
	again = row;
	again.uuid = uuid_of(b, 2);
	again.identity_fingerprint = hash_of(b, 2);
	again.state = INSTANCE_ACTIVE;
	OK(instance_row_insert(tx, &again, &b->e));
	OK(instance_row_by_name(tx, b->a, deployment, "instance-1", &row, &b->e));
	assert_int_equal(row.id, again.id);
	OK(instance_row_list(tx, b->a, PAGE_ALL, &rows, &count, &b->e));
	assert_int_equal(count, 2);
	OK(instance_row_list_deployment(tx, b->a, deployment, PAGE_FIRST, &rows, &count, &b->e));
	assert_int_equal(count, 2);
	box_commit(b, tx);
}

static void a_heartbeat_is_cheap(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct instance_row row;
	int64_t id = add_instance(b, tx, 1, add_deployment(b, tx, 1));
	OK(instance_row_touch(tx, id, 70, 80, &b->e));
	OK(instance_row_get(tx, b->a, id, &row, &b->e));
	assert_int_equal(row.last_seen, 70);
	assert_int_equal(row.alive_until, 80);
	FAILS(TROTH_NOT_FOUND, instance_row_touch(tx, 4711, 70, 80, &b->e));
	box_commit(b, tx);
}

/* Never admitted, and silent: gone.  One whose target was admitted once is somebody's to decide about. */
static void abandoned_are_found(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct target_row target;
	struct instance_row row, *rows;
	size_t count;
	OK(target_row_get(tx, b->a, add_target(b, tx, 1), &target, &b->e));
	OK(instance_row_get(tx, b->a, target.instance_id, &row, &b->e));
	row.created = 100;
	row.last_seen = 200;
	OK(instance_row_update(tx, &row, &b->e));
	target.state = TARGET_JOINING;
	OK(target_row_update(tx, &target, &b->e));
	OK(instance_row_list_abandoned(tx, b->a, 200, 10, &rows, &count, &b->e));
	assert_int_equal(count, 0); /* heard of just then */
	OK(instance_row_list_abandoned(tx, b->a, 201, 10, &rows, &count, &b->e));
	assert_int_equal(count, 1);
	assert_int_equal(rows[0].id, row.id);
	OK(instance_row_list_abandoned(tx, b->a, 201, 0, &rows, &count, &b->e));
	assert_int_equal(count, 0);
	struct template_row own;
	OK(template_row_get(tx, b->a, target.template_id, &own, &b->e));
	own.id = 0;
	own.uuid = uuid_of(b, 900);
	own.name = "server-ca";
	own.party = PARTY_OWN;
	OK(template_row_insert(tx, &own, &b->e));
	struct target_row trust = { .uuid = uuid_of(b, 901), .instance_id = row.id, .template_id = own.id, .state = TARGET_COUNTED,
				    .next_generation = 1 };
	OK(target_row_insert(tx, &trust, &b->e));
	OK(instance_row_list_abandoned(tx, b->a, 201, 10, &rows, &count, &b->e));
	assert_int_equal(count, 1); /* that its own trust counts from the beginning admitted nobody */
	target.state = TARGET_COUNTED;
	OK(target_row_update(tx, &target, &b->e));
	OK(instance_row_list_abandoned(tx, b->a, 201, 10, &rows, &count, &b->e));
	assert_int_equal(count, 0);
	box_commit(b, tx);
}

static void an_ephemeral_that_left_is_forgotten(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct target_row target;
	struct instance_row row, *rows;
	size_t count;
	OK(target_row_get(tx, b->a, add_target(b, tx, 1), &target, &b->e));
	OK(instance_row_get(tx, b->a, target.instance_id, &row, &b->e));
	struct document_row document = { .generation = 1, .content_id = add_content(b, tx, 1), .target_id = target.id };
	OK(document_row_insert(tx, &document, &b->e));
	struct token_row token = { .uuid = uuid_of(b, 1), .hash = hash_of(b, 1), .deployment_id = row.deployment_id, .used_by = row.id };
	OK(token_row_insert(tx, &token, &b->e));
	FAILS(TROTH_CONFLICT, instance_row_forget(tx, row.id, &b->e));
	row.state = INSTANCE_LEFT;
	row.left_at = 50;
	OK(instance_row_update(tx, &row, &b->e));
	OK(instance_row_list_over(tx, b->a, 51, 10, &rows, &count, &b->e));
	assert_int_equal(count, 0); /* it had no lease: its row stays */
	row.lease_until = 40;
	OK(instance_row_update(tx, &row, &b->e));
	OK(instance_row_list_over(tx, b->a, 50, 10, &rows, &count, &b->e));
	assert_int_equal(count, 0);
	OK(instance_row_list_over(tx, b->a, 51, 10, &rows, &count, &b->e));
	assert_int_equal(count, 1);
	OK(instance_row_forget(tx, row.id, &b->e));
	FAILS(TROTH_NOT_FOUND, instance_row_get(tx, b->a, row.id, &row, &b->e));
	FAILS(TROTH_NOT_FOUND, target_row_get(tx, b->a, target.id, &target, &b->e));
	FAILS(TROTH_NOT_FOUND, document_row_by_generation(tx, b->a, target.id, 1, &document, &b->e));
	FAILS(TROTH_NOT_FOUND, token_row_by_hash(tx, b->a, hash_of(b, 1), &token, &b->e));
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(every_column_comes_back),
		BOX_TEST(the_previous_identity_still_counts),
		BOX_TEST(one_that_left_frees_its_name),
		BOX_TEST(a_heartbeat_is_cheap),
		BOX_TEST(abandoned_are_found), BOX_TEST(an_ephemeral_that_left_is_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
