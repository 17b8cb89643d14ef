/* A root that was made elsewhere, with its key: taken in whole or not at all, and ours from then on. */
#include "elsewhere.h"
#include "outsider.h"

#include "service/ca/adopt.h"

static struct authority_adopt_cmd cmd_of(struct room *r, const char *name, const struct elsewhere *root)
{
	return (struct authority_adopt_cmd){ name, root->pem, elsewhere_key_pem(r->a, root) };
}

static void it_signs_and_is_rotated(void **state)
{
	struct room *r = room_new();
	struct elsewhere root = elsewhere_root(r->a, r->now, "brought");
	struct authority_adopt_cmd cmd = cmd_of(r, "/x/ca", &root);
	struct lookup_ret ret;
	room_do(r, &VERB_AUTHORITY_ADOPT, &cmd, &ret);
	assert_string_equal(room_last_audit(r), "authority.adopt");
	assert_true(ret.count == 1 && ret.items[0].active && !ret.items[0].generated && !ret.items[0].private_key);
	assert_string_equal(ret.items[0].ca, root.pem);
	struct generate_ret leaf = outsider_asks(r, outsider_leaf(r, "/x/leaf", "/x/ca"));
	assert_string_equal(leaf.of.items[0].ca, root.pem);
	struct generate_ret next = outsider_asks(r, (struct generate_cmd){ .name = "/x/ca", .again = true });
	assert_true(next.of.items[0].generated && next.of.items[0].active);
	assert_string_equal(next.of.items[0].version->cert.subject, root.cert->subject);
	key_release(root.key);
	room_free(r);
}

static void refused(struct room *r, const struct principal *who, struct authority_adopt_cmd cmd, enum troth_kind kind, const char *words)
{
	size_t before = room_audit_count(r);
	room_refused(r, who, &VERB_AUTHORITY_ADOPT, &cmd, kind, words);
	room_refused(r, &r->admin, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = "/x/ca" }, TROTH_NOT_FOUND, "");
	assert_int_equal(room_audit_count(r), before);
}

static void what_does_not_fit_changes_nothing(void **state)
{
	struct room *r = room_new();
	struct elsewhere root = elsewhere_root(r->a, r->now, "brought"), other = elsewhere_root(r->a, r->now, "other"),
			 below = elsewhere_below(r->a, r->now, "below", 0, &root), old = elsewhere_root(r->a, r->now - 4000 * MSEC_DAY, "old");
	struct authority_adopt_cmd cmd = cmd_of(r, "/x/ca", &root);
	struct lookup_ret ret;
	cmd.private_key = elsewhere_key_pem(r->a, &other);
	refused(r, &r->admin, cmd, TROTH_INVALID, "is not that of");
	assert_string_equal(cmd.private_key, elsewhere_key_pem(r->a, &other));
	cmd.private_key = "no key";
	refused(r, &r->admin, cmd, TROTH_INVALID, "");
	refused(r, &r->admin, cmd_of(r, "/x/ca", &below), TROTH_INVALID, "not self-signed");
	refused(r, &r->admin, cmd_of(r, "/x/ca", &old), TROTH_INVALID, "expired");
	cmd = cmd_of(r, "/x/ca", &root);
	cmd.certificate = arena_printf(r->a, "%s%s", root.pem, other.pem);
	refused(r, &r->admin, cmd, TROTH_INVALID, "has 2 certificates");
	cmd.certificate = NULL;
	refused(r, &r->admin, cmd, TROTH_INVALID, "is missing");
	refused(r, &r->admin, cmd_of(r, "/troth/ca", &root), TROTH_INVALID, "");
	refused(r, &r->narrow, cmd_of(r, "/x/ca", &root), TROTH_FORBIDDEN, "");
	refused(r, &r->auditor, cmd_of(r, "/x/ca", &root), TROTH_FORBIDDEN, "");
	r->dry_run = true;
	cmd = cmd_of(r, "/x/ca", &root);
	room_do(r, &VERB_AUTHORITY_ADOPT, &cmd, &ret);
	r->dry_run = false;
	cmd = cmd_of(r, "/y/ca", &root);
	room_do(r, &VERB_AUTHORITY_ADOPT, &cmd, &ret);
	room_refused(r, &r->admin, &VERB_AUTHORITY_ADOPT, &cmd, TROTH_CONFLICT, "exists already");
	refused(r, &r->admin, cmd_of(r, "/x/ca", &root), TROTH_CONFLICT, "already"); /* one root, one name */
	key_release(root.key);
	key_release(other.key);
	key_release(below.key);
	key_release(old.key);
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(it_signs_and_is_rotated), cmocka_unit_test(what_does_not_fit_changes_nothing) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
