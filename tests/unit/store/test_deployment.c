/* Deployments: deleting takes what hangs below along, but never a living instance. */
#include "box.h"

static void by_name_and_uuid(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct deployment_row row, *rows;
	size_t count;
	int64_t id = add_deployment(b, tx, 1);
	OK(deployment_row_by_name(tx, b->a, "deployment-1", &row, &b->e));
	assert_int_equal(row.id, id);
	row.ephemeral = row.ignored = true;
	row.lease = 60000;
	row.rev = 9;
	OK(deployment_row_update(tx, &row, &b->e));
	OK(deployment_row_by_uuid(tx, b->a, row.uuid, &row, &b->e));
	assert_true(row.ephemeral && row.ignored && row.lease == 60000 && row.rev == 9);
	OK(deployment_row_list(tx, b->a, PAGE_FIRST, &rows, &count, &b->e));
	assert_int_equal(count, 1);
	box_commit(b, tx);
}

static void deleting_takes_everything_along(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct target_row target;
	struct instance_row instance;
	struct template_row template;
	struct document_row document = { .generation = 1, .content_id = add_content(b, tx, 1), .target_id = add_target(b, tx, 1) };
	OK(document_row_insert(tx, &document, &b->e));
	OK(target_row_get(tx, b->a, document.target_id, &target, &b->e));
	OK(instance_row_get(tx, b->a, target.instance_id, &instance, &b->e));
	struct token_row token = { .uuid = uuid_of(b, 1), .hash = hash_of(b, 1), .deployment_id = instance.deployment_id, .used_by = instance.id };
	OK(token_row_insert(tx, &token, &b->e));
	instance.state = INSTANCE_LEFT;
	OK(instance_row_update(tx, &instance, &b->e));
	OK(deployment_row_delete(tx, instance.deployment_id, &b->e));
	FAILS(TROTH_NOT_FOUND, target_row_get(tx, b->a, target.id, &target, &b->e));
	FAILS(TROTH_NOT_FOUND, template_row_get(tx, b->a, target.template_id, &template, &b->e));
	FAILS(TROTH_NOT_FOUND, instance_row_get(tx, b->a, instance.id, &instance, &b->e));
	FAILS(TROTH_NOT_FOUND, document_row_by_generation(tx, b->a, document.target_id, 1, &document, &b->e));
	FAILS(TROTH_NOT_FOUND, token_row_by_hash(tx, b->a, token.hash, &token, &b->e));
	box_commit(b, tx);
}

static void a_living_instance_holds_it(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct deployment_row row;
	add_target(b, tx, 1);
	OK(deployment_row_by_name(tx, b->a, "deployment-1", &row, &b->e));
	FAILS(TROTH_CONFLICT, deployment_row_delete(tx, row.id, &b->e));
	OK(deployment_row_get(tx, b->a, row.id, &row, &b->e));
	FAILS(TROTH_NOT_FOUND, deployment_row_delete(tx, 4711, &b->e));
	box_commit(b, tx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(by_name_and_uuid),
		BOX_TEST(deleting_takes_everything_along),
		BOX_TEST(a_living_instance_holds_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
