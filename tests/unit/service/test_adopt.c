/* A root that was made elsewhere, with its key: taken in whole or not at all, and ours from then on. */
#include "elsewhere.h"
#include "outsider.h"

#include "service/intake/adopt.h"
#include "service/rotation/beside.h"
#include "service/rotation/rotation.h"

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

/* The versions after it are called like it, as far as troth could write that name itself. */
static void its_next_version_has_its_whole_subject(void **state)
{
	struct room *r = room_new();
	struct elsewhere root = elsewhere_root(r->a, r->now, "brought");
	struct cert_spec spec = { .kind = CERT_ROOT, .common_name = "brought", .organization = "O", .organizational_unit = "U",
				  .place = { "DE", "Bayern", "M\xc3\xbcnchen" }, .path_len = -1, .not_before = r->now - MSEC_DAY,
				  .not_after = r->now + 400 * MSEC_DAY, .spki = root.cert->spki };
	assert_true(rc_ok(cert_parse(r->a, elsewhere_build(r->a, spec, NULL, root.key), &root.cert, &r->e)));
	root.pem = cert_pem(r->a, root.cert->der);
	struct authority_adopt_cmd cmd = cmd_of(r, "/x/ca", &root);
	struct lookup_ret ret;
	room_do(r, &VERB_AUTHORITY_ADOPT, &cmd, &ret);
	struct generate_ret next = outsider_asks(r, (struct generate_cmd){ .name = "/x/ca", .again = true });
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

/* -- the next version ------------------------------------------------------------------------------------------------ */

static struct authority_adopt_next_cmd next_of(struct room *r, const char *id, const struct elsewhere *root)
{
	return (struct authority_adopt_next_cmd){ .id = id, .certificate = root->pem, .private_key = elsewhere_key_pem(r->a, root) };
}

static const char *made(struct room *r, struct generate_cmd cmd) { return outsider_asks(r, cmd).of.credential.row.uuid; }

static void the_next_version_is_brought(void **state)
{
	struct room *r = room_new();
	struct elsewhere root = elsewhere_root(r->a, r->now, "brought"), more = elsewhere_root(r->a, r->now, "more");
	struct authority_adopt_next_cmd cmd = next_of(r, made(r, outsider_ca("/x/ca", NULL)), &root);
	struct lookup_ret ret, seen;
	struct rotation_ret rotation;
	cmd.beside = true;
	cmd.signer = "/x/ca";
	room_do(r, &VERB_AUTHORITY_ADOPT_NEXT, &cmd, &ret);
	assert_true(ret.count == 1 && ret.items[0].beside && !ret.items[0].active && !ret.items[0].generated);
	assert_string_equal(ret.items[0].ca, root.pem);
	room_do(r, &VERB_ROTATION_SHOW, &(struct rotation_cmd){ "/x/ca" }, &rotation);
	assert_true(rotation.rotation.by_steps && text_equal(rotation.rotation.new_version, ret.items[0].version->row.uuid));
	room_refused(r, &r->admin, &VERB_AUTHORITY_ADOPT_NEXT, &cmd, TROTH_CONFLICT, "already");
	struct authority_adopt_next_cmd second = next_of(r, cmd.id, &more);
	second.beside = true;
	room_refused(r, &r->admin, &VERB_AUTHORITY_ADOPT_NEXT, &second, TROTH_CONFLICT, "beside");
	assert_string_equal(r->e.clause, CLAUSE_ONE_BESIDE);
	second.beside = false; /* on top of the first: that one is superseded */
	room_do(r, &VERB_AUTHORITY_ADOPT_NEXT, &second, &ret);
	room_do(r, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = "/x/ca" }, &seen);
	assert_true(seen.count == 3 && seen.items[0].active && !seen.items[0].beside);
	assert_string_equal(seen.items[0].ca, more.pem);
	key_release(root.key);
	key_release(more.key);
	room_free(r);
}

static void next_refused(struct room *r, const struct principal *who, struct authority_adopt_next_cmd cmd, enum troth_kind kind, const char *words)
{
	size_t before = room_audit_count(r);
	room_refused(r, who, &VERB_AUTHORITY_ADOPT_NEXT, &cmd, kind, words);
	assert_int_equal(room_audit_count(r), before);
}

static void what_could_not_take_its_place_changes_nothing(void **state)
{
	struct room *r = room_new();
	const char *id = made(r, outsider_ca("/x/ca", NULL)), *below = made(r, outsider_ca("/x/sub", "/x/ca"));
	struct elsewhere root = elsewhere_root(r->a, r->now, "brought"), other = elsewhere_root(r->a, r->now, "other"),
			 flat = elsewhere_below(r->a, r->now, "flat", 0, NULL), ending = elsewhere_root(r->a, r->now - 3640 * MSEC_DAY, "ending"),
			 signed_by = elsewhere_below(r->a, r->now, "signed", 0, &root);
	struct authority_adopt_next_cmd cmd = next_of(r, id, &root), x = cmd;
	struct lookup_ret seen;
	next_refused(r, &r->admin, next_of(r, below, &root), TROTH_INVALID, "below that one");
	next_refused(r, &r->admin, next_of(r, made(r, outsider_leaf(r, "/x/leaf", "/x/ca")), &root), TROTH_INVALID, "is no CA");
	next_refused(r, &r->admin, next_of(r, id, &flat), TROTH_INVALID, "path length 0");
	next_refused(r, &r->admin, next_of(r, id, &ending), TROTH_INVALID, "before a leaf");
	next_refused(r, &r->admin, next_of(r, id, &signed_by), TROTH_INVALID, "not self-signed");
	next_refused(r, &r->admin, next_of(r, "no-uuid", &root), TROTH_NOT_FOUND, "");
	next_refused(r, &r->narrow, cmd, TROTH_NOT_FOUND, "");
	next_refused(r, &r->auditor, cmd, TROTH_FORBIDDEN, "");
	x.signer = "/x/other";
	next_refused(r, &r->admin, x, TROTH_INVALID, "signs itself");
	x = cmd;
	x.private_key = elsewhere_key_pem(r->a, &other);
	next_refused(r, &r->admin, x, TROTH_INVALID, "is not that of");
	x.private_key = NULL;
	next_refused(r, &r->admin, x, TROTH_INVALID, "is missing");
	x = cmd;
	x.certificate = "no certificate";
	next_refused(r, &r->admin, x, TROTH_INVALID, "");
	r->dry_run = true;
	next_refused(r, &r->admin, cmd, TROTH_INVALID, "cannot be tried");
	r->dry_run = false;
	room_do(r, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = "/x/ca" }, &seen);
	assert_int_equal(seen.count, 1);
	struct elsewhere *all[] = { &root, &other, &flat, &ending, &signed_by };
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		key_release(all[i]->key);
	room_free(r);
}

static void somebody_else_rotates(struct room *r)
{
	struct rotate_ret ret;
	struct verb_ctx mine = r->ctx;
	room_do(r, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/x/ca" }, &ret);
	r->ctx = mine;
}

/* Another version was made while the keeper kept the key: what is below is decided again. */
static void the_authority_moved_meanwhile(void **state)
{
	struct room *r = room_new();
	struct elsewhere root = elsewhere_root(r->a, r->now, "brought");
	struct authority_adopt_next_cmd cmd = next_of(r, made(r, outsider_ca("/x/ca", NULL)), &root);
	struct lookup_ret ret, seen, sub;
	made(r, outsider_ca("/x/sub", "/x/ca"));
	r->before_keeper = somebody_else_rotates;
	room_do(r, &VERB_AUTHORITY_ADOPT_NEXT, &cmd, &ret);
	room_do(r, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = "/x/ca" }, &seen);
	room_do(r, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = "/x/sub" }, &sub);
	assert_true(seen.count == 3 && sub.count == 3);
	assert_string_equal(sub.items[0].version->signed_by, ret.items[0].version->row.uuid);
	key_release(root.key);
	room_free(r);
}

/* A key that was distrusted comes in neither as a new authority nor as a next version. */
static void what_was_distrusted_is_not_brought_again(void **state)
{
	struct room *r = room_new();
	struct elsewhere root = elsewhere_root(r->a, r->now, "brought");
	struct authority_adopt_cmd cmd = cmd_of(r, "/x/ca", &root);
	struct cert_spec spec = { .kind = CERT_ROOT, .common_name = "again", .path_len = -1, .not_before = r->now - MSEC_DAY,
				  .not_after = r->now + 400 * MSEC_DAY };
	struct lookup_ret ret;
	struct rotate_ret rotated;
	const char *id = made(r, outsider_ca("/y/ca", NULL));
	room_do(r, &VERB_AUTHORITY_ADOPT, &cmd, &ret);
	room_do(r, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/x/ca", .compromised = true }, &rotated);
	assert_true(rc_ok(key_spki(root.key, r->a, &spec.spki, NULL)));
	struct elsewhere same = { .key = root.key };
	assert_true(rc_ok(cert_parse(r->a, elsewhere_build(r->a, spec, NULL, root.key), &same.cert, NULL)));
	same.pem = cert_pem(r->a, same.cert->der);
	cmd = cmd_of(r, "/z/ca", &same);
	room_refused(r, &r->admin, &VERB_AUTHORITY_ADOPT, &cmd, TROTH_UNSAFE, "distrusted as compromised");
	next_refused(r, &r->admin, next_of(r, id, &same), TROTH_UNSAFE, "distrusted as compromised");
	key_release(root.key);
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(its_next_version_has_its_whole_subject), cmocka_unit_test(it_signs_and_is_rotated), cmocka_unit_test(what_does_not_fit_changes_nothing),
					      cmocka_unit_test(the_next_version_is_brought),
					      cmocka_unit_test(what_could_not_take_its_place_changes_nothing),
					      cmocka_unit_test(the_authority_moved_meanwhile),
					      cmocka_unit_test(what_was_distrusted_is_not_brought_again) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
