/* Gauges: what the rows say in numbers, on a reader's snapshot. */
#include "box.h"

#include "store/gauge.h"

#define NOW (1000 * MSEC_DAY)

static struct meter_reading readings[32];

static void read_all(struct box *b, size_t limit)
{
	struct store_reader *reader;
	struct tx *tx;
	OK(store_reader_open(b->store, &reader, &b->e));
	OK(store_read_begin(reader, &tx, &b->e));
	for (size_t i = 0; i < GAUGE_COUNT; i++)
		OK(gauge_read(tx, b->a, i, NOW, limit, &readings[i], &b->e));
	store_read_end(tx);
	store_reader_close(reader);
}

static const struct meter_reading *reading(const char *name)
{
	for (size_t i = 0; i < GAUGE_COUNT; i++)
		if (text_equal(GAUGES[i].family.name, name))
			return &readings[i];
	fail_msg("no gauge %s", name);
	return NULL;
}

/* The value of the series with these labels; -1 if there is none. */
static int64_t value(const char *name, const char *x, const char *y, const char *z)
{
	const struct meter_reading *r = reading(name);
	for (size_t i = 0; i < r->count; i++)
		if (text_equal(r->samples[i].values[0], x) && text_equal(r->samples[i].values[1], y) && text_equal(r->samples[i].values[2], z))
			return r->samples[i].cells[0];
	return -1;
}

static int64_t cert_until(struct box *b, struct tx *tx, int n, msec_t not_after)
{
	struct cert_row row = { .fingerprint = hash_of(b, n), .der = bytes_of_text("der"), .subject = "CN=x", .issuer = "CN=y", .serial = "01",
				.subject_key = hash_of(b, n), .spki_hash = hash_of(b, n), .not_before = 1, .not_after = not_after, .is_ca = true };
	OK(cert_row_put(tx, &row, &b->e));
	return row.id;
}

static int64_t version_until(struct box *b, struct tx *tx, int n, int64_t credential, int64_t signed_by, msec_t not_after)
{
	struct version_row row = { .uuid = uuid_of(b, n), .credential_id = credential, .cert_id = cert_until(b, tx, n, not_after),
				   .signed_by = signed_by, .source = VERSION_GENERATED, .wanted = true, .created = 1000 };
	OK(version_row_insert(tx, &row, &b->e));
	return row.id;
}

/* What a slot serves: a leaf that ends then, and the certificates sent with it. */
static int64_t chain_of(struct box *b, struct tx *tx, int n, int64_t signed_by, msec_t not_after, int64_t with_cert)
{
	int64_t leaf = version_until(b, tx, n, add_credential(b, tx, n, CREDENTIAL_LEAF), signed_by, not_after), ids[2];
	struct version_row v;
	OK(version_row_get(tx, b->a, leaf, &v, &b->e));
	ids[0] = v.cert_id;
	ids[1] = with_cert;
	struct content_row row = { .kind = CONTENT_CHAIN, .certs = { ids, with_cert ? 2 : 1 }, .version_id = leaf };
	OK(content_row_put(tx, &row, &b->e));
	return row.id;
}

static void serve(struct box *b, struct tx *tx, int n, int64_t content, enum target_state state, bool known)
{
	struct target_row row;
	OK(target_row_get(tx, b->a, add_target(b, tx, n), &row, &b->e));
	row.state = state;
	row.base_known = known;
	row.base_content = content;
	OK(target_row_update(tx, &row, &b->e));
}

static void an_empty_store_has_every_family(void **state)
{
	struct box *b = *state;
	read_all(b, 0);
	for (size_t i = 0; i < GAUGE_COUNT; i++)
		assert_false(readings[i].cut);
	assert_int_equal(value("troth_event_seq", NULL, NULL, NULL), 0);
	assert_int_equal(value("troth_targets", "counted", NULL, NULL), 0);
	assert_int_equal(value("troth_webhooks", "failing", NULL, NULL), 0);
	assert_int_equal(reading("troth_chains_ending")->count, 0);
}

/* root (50 d) <- middle (20 d, sent) <- leaf (40 d);  root <- leaf (60 d). */
static void a_chain_ends_with_the_first_of_its_certificates(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	int64_t root_name = add_credential(b, tx, 1, CREDENTIAL_AUTHORITY), middle_name = add_credential(b, tx, 2, CREDENTIAL_AUTHORITY);
	int64_t root = version_until(b, tx, 1, root_name, 0, NOW + 50 * MSEC_DAY);
	int64_t middle = version_until(b, tx, 2, middle_name, root, NOW + 60 * MSEC_DAY);
	int64_t sent = cert_until(b, tx, 3, NOW + 20 * MSEC_DAY); /* sent with it, and known to no version */
	serve(b, tx, 10, chain_of(b, tx, 10, middle, NOW + 40 * MSEC_DAY, sent), TARGET_COUNTED, true);
	serve(b, tx, 11, chain_of(b, tx, 11, middle, NOW + 70 * MSEC_DAY, 0), TARGET_LEAVING, true);
	serve(b, tx, 12, chain_of(b, tx, 12, root, NOW - MSEC_DAY, 0), TARGET_COUNTED, true);
	serve(b, tx, 13, chain_of(b, tx, 13, root, NOW - 2 * MSEC_DAY, 0), TARGET_WAIVED, true);  /* waited for no longer */
	serve(b, tx, 14, chain_of(b, tx, 14, root, NOW - 2 * MSEC_DAY, 0), TARGET_COUNTED, false); /* nobody knows what it serves */
	box_commit(b, tx);
	read_all(b, 0);
	assert_int_equal(value("troth_chain_not_after_seconds", "/test/2", NULL, NULL), NOW + 20 * MSEC_DAY);
	assert_int_equal(value("troth_chain_not_after_seconds", "/test/1", NULL, NULL), NOW - MSEC_DAY);
	assert_int_equal(reading("troth_chain_not_after_seconds")->count, 2);
	assert_int_equal(value("troth_chains_ending", "/test/2", "7d", NULL), 0);
	assert_int_equal(value("troth_chains_ending", "/test/2", "30d", NULL), 1);
	assert_int_equal(value("troth_chains_ending", "/test/2", "90d", NULL), 2); /* the other with the root, at 50 d */
	assert_int_equal(value("troth_chains_ending", "/test/2", "any", NULL), 2);
	assert_int_equal(value("troth_chains_ending", "/test/1", "1d", NULL), 1);
	assert_int_equal(value("troth_authority_not_after_seconds", "/test/1", uuid_of(b, 1), NULL), NOW + 50 * MSEC_DAY);
	assert_int_equal(value("troth_targets", "counted", NULL, NULL), 3);
	assert_int_equal(value("troth_targets", "waived", NULL, NULL), 1);
}

static void an_uploaded_chain_ends_with_its_anchor_too(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	int64_t content = chain_of(b, tx, 10, 0, NOW + 40 * MSEC_DAY, 0);
	struct version_row *v;
	size_t n;
	OK(version_row_list(tx, b->a, (struct page){ 0, 1 }, &v, &n, &b->e));
	v[0].anchor_cert = cert_until(b, tx, 20, NOW + 5 * MSEC_DAY);
	OK(version_row_update(tx, &v[0], &b->e));
	serve(b, tx, 10, content, TARGET_COUNTED, true);
	serve(b, tx, 11, content, TARGET_COUNTED, true); /* the same contents on two */
	box_commit(b, tx);
	read_all(b, 0);
	assert_int_equal(value("troth_chain_not_after_seconds", "", NULL, NULL), NOW + 5 * MSEC_DAY);
	assert_int_equal(value("troth_chains_ending", "", "7d", NULL), 2);
}

static void retired_versions_are_left_out(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct version_row v;
	int64_t id = version_until(b, tx, 1, add_credential(b, tx, 1, CREDENTIAL_AUTHORITY), 0, NOW + MSEC_DAY);
	OK(version_row_get(tx, b->a, id, &v, &b->e));
	v.retired_at = NOW;
	OK(version_row_update(tx, &v, &b->e));
	box_commit(b, tx);
	read_all(b, 0);
	assert_int_equal(reading("troth_authority_not_after_seconds")->count, 0);
}

static void add_wait(struct box *b, struct tx *tx, const char *key, int64_t authority, const char *reason, msec_t since)
{
	struct wait_row row = { .key = key, .authority_id = authority, .since = since,
				.body = arena_printf(b->a, "{\"speaker\":\"node\",\"reason\":\"%s\"}", reason) };
	OK(wait_row_put(tx, &row, &b->e));
}

static void rotations_and_what_they_wait_for(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	int64_t ca = add_credential(b, tx, 1, CREDENTIAL_AUTHORITY);
	struct rotation_row running = { .uuid = uuid_of(b, 1), .credential_id = ca, .state = ROTATION_RUNNING, .started = NOW - MSEC_HOUR },
			    done = { .uuid = uuid_of(b, 2), .credential_id = ca, .state = ROTATION_DONE, .started = 5 };
	OK(rotation_row_insert(tx, &running, &b->e));
	OK(rotation_row_insert(tx, &done, &b->e));
	add_wait(b, tx, "1", ca, "offline", NOW - MSEC_MIN);
	add_wait(b, tx, "2", ca, "offline", NOW - 2 * MSEC_MIN);
	add_wait(b, tx, "3", ca, "csr", NOW + MSEC_MIN); /* the clock was set back */
	add_wait(b, tx, "4", 0, "csr", NOW);
	box_commit(b, tx);
	read_all(b, 0);
	assert_int_equal(reading("troth_rotation_age_seconds")->count, 1);
	assert_int_equal(value("troth_rotation_age_seconds", "/test/1", "running", NULL), MSEC_HOUR);
	assert_int_equal(value("troth_waits", "/test/1", "node", "offline"), 2);
	assert_int_equal(value("troth_wait_age_seconds", "/test/1", "node", "offline"), 2 * MSEC_MIN);
	assert_int_equal(value("troth_wait_age_seconds", "/test/1", "node", "csr"), 0);
	assert_int_equal(value("troth_waits", "", "node", "csr"), 1);
}

static void instances_and_failing_targets(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	struct target_row t;
	struct instance_row i;
	OK(target_row_get(tx, b->a, add_target(b, tx, 1), &t, &b->e));
	t.failures = 2;
	t.state = TARGET_COUNTED;
	OK(target_row_update(tx, &t, &b->e));
	OK(instance_row_touch(tx, t.instance_id, NOW, NOW + MSEC_MIN, &b->e));
	OK(target_row_get(tx, b->a, add_target(b, tx, 2), &t, &b->e)); /* silent, and well */
	OK(instance_row_get(tx, b->a, add_instance(b, tx, 3, add_deployment(b, tx, 3)), &i, &b->e));
	i.state = INSTANCE_LEFT;
	OK(instance_row_update(tx, &i, &b->e));
	OK(event_append(tx, &(struct event_row){ .at = NOW, .kind = "x" }, &b->e));
	box_commit(b, tx);
	read_all(b, 0);
	assert_int_equal(value("troth_instances", "deployment-1", "alive", NULL), 1);
	assert_int_equal(value("troth_instances", "deployment-1", "offline", NULL), 0);
	assert_int_equal(value("troth_instances", "deployment-2", "offline", NULL), 1);
	assert_int_equal(value("troth_instances", "deployment-3", "offline", NULL), 0);
	assert_string_equal(reading("troth_instances")->samples[0].values[0], "deployment-2"); /* what is worst comes first */
	assert_int_equal(value("troth_targets_failing", "deployment-1", NULL, NULL), 1);
	assert_int_equal(value("troth_targets_failing", "deployment-2", NULL, NULL), 0);
	assert_int_equal(value("troth_event_seq", NULL, NULL, NULL), 1);
}

static void webhooks_by_state_and_how_far_behind(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	static const struct webhook_row ROWS[] = {
		{ .name = "well", .cursor = 2 },
		{ .name = "late", .cursor = 0, .attempts = 3, .failing_since = NOW - 90 * MSEC_S },
		{ .name = "off", .cursor = 1, .attempts = 40, .failing_since = NOW - 2 * MSEC_DAY, .disabled_at = NOW - MSEC_DAY },
	};
	for (int i = 0; i < (int)ARRAY_LEN(ROWS); i++) {
		struct webhook_row row = ROWS[i];
		row.uuid = uuid_of(b, i + 1);
		row.url = "https://h/";
		row.events = "*";
		row.key_blob = bytes_of_text("blob");
		row.created_by = "admin";
		OK(webhook_row_insert(tx, &row, &b->e));
	}
	OK(event_append(tx, &(struct event_row){ .at = NOW, .kind = "x" }, &b->e));
	OK(event_append(tx, &(struct event_row){ .at = NOW, .kind = "x" }, &b->e));
	box_commit(b, tx);
	read_all(b, 0);
	assert_int_equal(value("troth_webhooks", "working", NULL, NULL), 1);
	assert_int_equal(value("troth_webhooks", "failing", NULL, NULL), 1);
	assert_int_equal(value("troth_webhooks", "disabled", NULL, NULL), 1);
	assert_int_equal(value("troth_webhook_waiting", "well", NULL, NULL), 0);
	assert_int_equal(value("troth_webhook_waiting", "late", NULL, NULL), 2);
	assert_int_equal(value("troth_webhook_failing_seconds", "well", NULL, NULL), 0);
	assert_int_equal(value("troth_webhook_failing_seconds", "late", NULL, NULL), 90 * MSEC_S);
	assert_string_equal(reading("troth_webhook_failing_seconds")->samples[0].values[0], "off"); /* what is worst comes first */
}

static void too_many_series_are_cut_and_said_to_be(void **state)
{
	struct box *b = *state;
	struct tx *tx = box_write(b);
	int64_t ca = add_credential(b, tx, 1, CREDENTIAL_AUTHORITY);
	for (int n = 1; n <= 5; n++)
		version_until(b, tx, n, ca, 0, NOW + (10 - n) * MSEC_DAY);
	box_commit(b, tx);
	read_all(b, 5);
	assert_false(reading("troth_authority_not_after_seconds")->cut);
	read_all(b, 3);
	const struct meter_reading *r = reading("troth_authority_not_after_seconds");
	assert_true(r->cut);
	assert_int_equal(r->count, 3);
	assert_int_equal(r->samples[0].cells[0], NOW + 5 * MSEC_DAY); /* the soonest stay */
	assert_int_equal(r->samples[2].cells[0], NOW + 7 * MSEC_DAY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOX_TEST(an_empty_store_has_every_family),
		BOX_TEST(a_chain_ends_with_the_first_of_its_certificates),
		BOX_TEST(an_uploaded_chain_ends_with_its_anchor_too),
		BOX_TEST(retired_versions_are_left_out),
		BOX_TEST(rotations_and_what_they_wait_for),
		BOX_TEST(instances_and_failing_targets),
		BOX_TEST(webhooks_by_state_and_how_far_behind),
		BOX_TEST(too_many_series_are_cut_and_said_to_be),
	};
	return cmocka_run_group_tests_name("gauge", tests, NULL, NULL);
}
