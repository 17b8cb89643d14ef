/* Permissions: who has no scope lives by them, who keeps them, and what they never reach. */
#include "outsider.h"

#include "service/handout/delete.h"
#include "service/policy/policy.h"
#include "service/rotation/rotation.h"
#include "service/server/metrics.h"
#include "service/server/permission.h"
#include "service/webhook/webhook.h"

#define APP_ID "8c5d6f1e-2b7a-4c3d-9e0f-1a2b3c4d5e6f"
#define BELOW "/x/*"

static struct principal_view_ret add(struct room *r, const char *name, const char *role, const char *scope)
{
	struct principal_view_ret made;
	room_do(r, &VERB_PRINCIPAL_ADD, &(struct principal_add_cmd){ name, role, scope, .facade = "credhub" }, &made);
	return made;
}

/* As it calls next. */
static struct principal now(struct room *r, const struct principal_view_ret *of)
{
	struct principal_ret who;
	room_do(r, &VERB_PRINCIPAL_RESOLVE, &(struct principal_resolve_cmd){ .bearer = of->token, .facade = "credhub" }, &who);
	return who.principal;
}

/* Operations are separated by blanks. */
static struct permission_cmd said(struct room *r, const char *actor, const char *path, const char *operations)
{
	struct permission_cmd cmd = { .path = path, .actor = actor };
	cmd.operations.items = ARENA_ARRAY(r->a, const char *, 8);
	for (char *word = strtok(arena_text(r->a, operations), " "); word; word = strtok(NULL, " "))
		cmd.operations.items[cmd.operations.count++] = word;
	return cmd;
}

static struct permission_row give(struct room *r, const char *actor, const char *path, const char *operations)
{
	struct permission_cmd cmd = said(r, actor, path, operations);
	struct permission_ret ret;
	room_do(r, &VERB_PERMISSION_ADD, &cmd, &ret);
	return ret.permission;
}

static void refused(struct room *r, const struct principal *who, struct permission_cmd cmd, enum troth_kind kind, const char *part)
{
	size_t before = room_audit_count(r);
	room_refused(r, who, &VERB_PERMISSION_ADD, &cmd, kind, part);
	assert_int_equal(room_audit_count(r), before);
}

static bool sees(struct room *r, const struct principal *who, const char *name)
{
	struct lookup_ret seen;
	return rc_ok(room_try(r, who, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = name, .keys = true }, &seen)) && seen.count &&
	       (!seen.credential.row.issuer_id || seen.items[0].private_key);
}

static enum troth_kind asks(struct room *r, const struct principal *who, struct generate_cmd cmd)
{
	struct generate_ret ret;
	return room_try(r, who, &VERB_CREDENTIAL_GENERATE, &cmd, &ret).code;
}

static enum troth_kind deletes(struct room *r, const struct principal *who, const char *name)
{
	struct no_ret ret;
	return room_try(r, who, &VERB_CREDENTIAL_DELETE, &(struct delete_cmd){ name }, &ret).code;
}

static struct room *stage(struct principal_view_ret *app)
{
	struct room *r = room_new();
	outsider_asks(r, outsider_ca("/x/ca", NULL));
	outsider_asks(r, outsider_leaf(r, "/x/leaf", "/x/ca"));
	*app = add(r, "app", "operator", SCOPE_NONE);
	return r;
}

static void each_operation_is_for_its_verbs(void **state)
{
	struct principal_view_ret app;
	struct room *r = stage(&app);
	struct principal who = now(r, &app);
	struct generate_cmd again = { .name = "/x/leaf", .again = true }, fresh = outsider_leaf(r, "/x/new", "/x/ca");
	assert_false(sees(r, &who, "/x/leaf"));
	assert_int_equal(asks(r, &who, again), TROTH_NOT_FOUND);
	assert_int_equal(asks(r, &who, fresh), TROTH_FORBIDDEN);
	assert_int_equal(deletes(r, &who, "/x/leaf"), TROTH_NOT_FOUND);
	struct permission_row one = give(r, "uaa-client:app", "/x/leaf", "read");
	who = now(r, &app);
	assert_true(sees(r, &who, "/x/leaf"));
	assert_false(sees(r, &who, "/x/ca"));
	assert_int_equal(asks(r, &who, again), TROTH_FORBIDDEN);
	assert_int_equal(deletes(r, &who, "/x/leaf"), TROTH_FORBIDDEN);
	struct permission_cmd more = said(r, NULL, NULL, "write");
	struct permission_ret ret;
	more.id = one.uuid;
	room_do(r, &VERB_PERMISSION_CHANGE, &more, &ret);
	who = now(r, &app);
	assert_false(sees(r, &who, "/x/leaf"));
	assert_int_equal(asks(r, &who, again), 0);
	assert_int_equal(deletes(r, &who, "/x/leaf"), TROTH_NOT_FOUND);
	give(r, "uaa-client:app", "/x/new", "write delete");
	who = now(r, &app);
	assert_int_equal(asks(r, &who, fresh), TROTH_NOT_FOUND); /* who signs must be readable */
	give(r, "uaa-client:app", "/x/ca", "read");
	who = now(r, &app);
	assert_int_equal(asks(r, &who, fresh), 0);
	assert_int_equal(deletes(r, &who, "/x/new"), 0);
	assert_int_equal(deletes(r, &who, "/x/ca"), TROTH_FORBIDDEN);
	room_free(r);
}

static struct permission_row taken;

static void take(struct room *r)
{
	struct verb_ctx mine = r->ctx;
	struct permission_ret ret;
	room_do(r, &VERB_PERMISSION_REMOVE, &(struct permission_cmd){ .id = taken.uuid }, &ret);
	r->ctx = mine;
}

static void revoke(struct room *r)
{
	struct verb_ctx mine = r->ctx;
	struct no_ret none;
	room_do(r, &VERB_PRINCIPAL_REVOKE, &(struct id_cmd){ "app" }, &none);
	r->ctx = mine;
}

/* Between letting in and writing the keeper makes keys, a minute of them for hundreds of leaves: what counts is what is so then. */
static void who_was_let_in_is_looked_at_again_when_it_is_written(void **state)
{
	struct principal_view_ret app;
	struct room *r = stage(&app);
	struct generate_cmd fresh = outsider_leaf(r, "/x/new", "/x/ca");
	struct lookup_cmd look = { .name = "/x/leaf", .keys = true };
	struct lookup_ret seen;
	taken = give(r, "uaa-client:app", BELOW, "read write");
	struct principal who = now(r, &app);
	r->before_keeper = take;
	assert_int_equal(asks(r, &who, fresh), TROTH_FORBIDDEN);
	taken = give(r, "uaa-client:app", BELOW, "read write");
	who = now(r, &app);
	r->before_keeper = take; /* a key is given out by a verb that writes */
	assert_int_equal(room_try(r, &who, &VERB_CREDENTIAL_LOOKUP, &look, &seen).code, TROTH_NOT_FOUND);
	give(r, "uaa-client:app", BELOW, "read write");
	who = now(r, &app);
	r->before_keeper = revoke;
	assert_int_equal(room_try(r, &who, &VERB_CREDENTIAL_LOOKUP, &look, &seen).code, TROTH_UNAUTHENTICATED);
	assert_non_null(strstr(r->e.primary, "was revoked meanwhile"));
	assert_int_equal(asks(r, &who, fresh), TROTH_UNAUTHENTICATED);
	assert_int_equal(room_try(r, &r->admin, &VERB_CREDENTIAL_LOOKUP, &(struct lookup_cmd){ .name = "/x/new" }, &seen).code, TROTH_NOT_FOUND);
	room_free(r);
}

/* A key that was there before is read, whatever else the verb does. */
static void who_only_writes_is_given_no_key_that_was_there(void **state)
{
	struct principal_view_ret app;
	struct room *r = stage(&app);
	give(r, "uaa-client:app", "/x/leaf", "write");
	give(r, "uaa-client:app", "/x/ca", "read");
	struct principal who = now(r, &app);
	struct generate_cmd kept = outsider_leaf(r, "/x/leaf", "/x/ca");
	kept.mode = GENERATE_KEEP;
	assert_int_equal(asks(r, &who, kept), TROTH_FORBIDDEN);
	kept.mode = GENERATE_CONVERGE;
	assert_int_equal(asks(r, &who, kept), TROTH_FORBIDDEN);
	outsider_asks(r, outsider_ca("/x/other", NULL)); /* nor metadata, where there is no key to give */
	give(r, "uaa-client:app", "/x/other", "write");
	who = now(r, &app);
	kept = outsider_ca("/x/other", NULL);
	kept.mode = GENERATE_CONVERGE;
	assert_int_equal(asks(r, &who, kept), TROTH_FORBIDDEN);
	kept.mode = GENERATE_KEEP;
	assert_int_equal(asks(r, &who, kept), TROTH_FORBIDDEN);
	assert_int_equal(asks(r, &who, (struct generate_cmd){ .name = "/x/leaf", .again = true }), 0);
	room_free(r);
}

static void a_path_is_one_name_or_all_below_a_folder(void **state)
{
	static const struct { const char *path, *name; bool has; } ALL[] = {
		{ "/a/b", "/a/b", true }, { "/a/b", "/a/b/c", false }, { "/a/b", "/a/bc", false }, { "/a/b", "/a", false }, { "/a/b", "/A/b", false },
		{ "/a/*", "/a/b", true }, { "/a/*", "/a/b/c", true }, { "/a/*", "/a", false }, { "/a/*", "/a/", false }, { "/a/*", "/ab", false },
		{ "/a/*", "/a/b/*", true }, { "/a/*", "/a/*", true }, { "/a/*", "/*", false }, { "/a/b", "/a/b/*", false },
		{ "/*", "/a", true }, { "/*", "/a/*", true }, { "/*", "pg", false }, { "/*", "/troth/ca", false }, { "/*", "/troth", false },
		{ "/*", "/troth/*", false }, { "/*", "/trothy", true }, { "/*", "none", false }, { "", "", true }, { "/a/*", "", false },
	};
	for (size_t i = 0; i < ARRAY_LEN(ALL); i++) {
		struct permission p = { ALL[i].path, RIGHT_WRITE };
		struct principal who = { .scope = SCOPE_NONE, .permissions = &p, .permission_count = 1, .right = RIGHT_WRITE };
		if (principal_may(&who, RIGHT_WRITE, ALL[i].name) != ALL[i].has)
			fail_msg("%s and %s", ALL[i].path, ALL[i].name);
		assert_false(principal_may(&who, RIGHT_READ, ALL[i].name));
		who.right = 0; /* a verb that takes none */
		assert_true(rc_failed(principal_in_scope(&who, ALL[i].name, NULL)));
	}
}

/* All rights on everything: still nothing for a verb that does not say which it takes. */
static void other_verbs_stay_closed(void **state)
{
	struct principal_view_ret app;
	struct room *r = stage(&app);
	struct generate_ret leaf = outsider_asks(r, outsider_leaf(r, "/x/other", "/x/ca"));
	room_deployment(r, "none"); /* a scope of that text would have it */
	give(r, "uaa-client:app", "/*", "read write delete read_acl write_acl");
	struct principal who = now(r, &app);
	assert_true(sees(r, &who, "/x/leaf"));
	assert_false(sees(r, &who, "/troth/ca"));
	assert_false(principal_sees_everything(&who));
	struct credential_list_ret list;
	struct deployment_list_ret deployments;
	struct event_list_ret events;
	room_refused(r, &who, &VERB_CREDENTIAL_SHOW, &(struct id_cmd){ leaf.of.credential.row.uuid }, TROTH_NOT_FOUND, "scope is none");
	assert_true(rc_ok(room_try(r, &who, &VERB_CREDENTIAL_LIST, &(struct list_cmd){ 0 }, &list)) && !list.count);
	assert_true(rc_ok(room_try(r, &who, &VERB_DEPLOYMENT_LIST, &(struct list_cmd){ 0 }, &deployments)) && !deployments.count);
	assert_true(rc_ok(room_try(r, &who, &VERB_EVENT_LIST, &(struct event_list_cmd){ 0 }, &events)));
	for (size_t i = 0; i < events.count; i++)
		assert_null(events.items[i].object);
	room_refused(r, &who, &VERB_ROTATE, &(struct rotate_cmd){ .name = "/x/ca" }, TROTH_NOT_FOUND, "no such");
	room_refused(r, &who, &VERB_FREEZE, &(struct freeze_cmd){ "x" }, TROTH_FORBIDDEN, "");
	room_refused(r, &who, &VERB_METRICS, &(struct no_cmd){ 0 }, TROTH_FORBIDDEN, "none");
	room_refused(r, &who, &VERB_WEBHOOK_ADD, &(struct webhook_add_cmd){ .name = "w", .url = "https://x.example/" }, TROTH_FORBIDDEN, "none");
	room_free(r);
}

static void nobody_gives_more_than_he_has(void **state)
{
	struct principal_view_ret app;
	struct room *r = stage(&app);
	struct permission_ret ret;
	struct principal_view_ret friend = add(r, "friend", "operator", SCOPE_NONE), wide = add(r, "wide", "operator", "*"), narrow = add(r, "narrow", "operator", BELOW);
	struct permission_row own = give(r, "uaa-client:app", BELOW, "read write_acl");
	give(r, "uaa-client:app", "/y/leaf", "read write delete");
	struct principal who = now(r, &app);
	struct permission_cmd cmd = said(r, "uaa-client:friend", "/x/leaf", "read");
	assert_true(rc_ok(room_try(r, &who, &VERB_PERMISSION_ADD, &cmd, &ret)));
	assert_string_equal(room_last_audit(r), "permission.add");
	refused(r, &who, said(r, "uaa-client:friend", "/x/ca", "read delete"), TROTH_FORBIDDEN, "no delete on /x/ca");
	refused(r, &who, said(r, "uaa-client:friend", "/x/ca", "read_acl"), TROTH_FORBIDDEN, "no read_acl");
	refused(r, &who, said(r, "uaa-client:friend", "/y/leaf", "read"), TROTH_NOT_FOUND, "");
	refused(r, &who, said(r, "uaa-client:friend", "/*", "read"), TROTH_NOT_FOUND, "");
	refused(r, &who, said(r, "uaa-client:app", "/x/ca", "read"), TROTH_INVALID, "its own");
	refused(r, &who, said(r, "uaa-client:narrow", "/x/leaf", "read"), TROTH_INVALID, "has a scope:"); /* which one is not his business */
	cmd = said(r, NULL, NULL, "read write");
	cmd.id = ret.permission.uuid;
	room_refused(r, &who, &VERB_PERMISSION_CHANGE, &cmd, TROTH_FORBIDDEN, "no write");
	cmd.id = own.uuid;
	room_refused(r, &who, &VERB_PERMISSION_CHANGE, &cmd, TROTH_INVALID, "its own");
	room_refused(r, &who, &VERB_PERMISSION_REMOVE, &cmd, TROTH_INVALID, "its own");
	struct principal others[] = { now(r, &friend), now(r, &wide), now(r, &narrow) }; /* an operator's scope is no right to give */
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		refused(r, &others[i], said(r, "uaa-client:friend", "/x/ca", "read"), TROTH_NOT_FOUND, "");
		room_refused(r, &others[i], &VERB_PERMISSION_SHOW, &cmd, TROTH_NOT_FOUND, "");
		room_refused(r, &others[i], &VERB_PERMISSION_REMOVE, &cmd, TROTH_NOT_FOUND, "");
	}
	struct principal part = { .name = "part", .roles = ROLE_ADMIN, .scope = BELOW };
	refused(r, &part, said(r, "uaa-client:friend", "/x/ca", "read"), TROTH_NOT_FOUND, "");
	refused(r, &r->auditor, said(r, "uaa-client:friend", "/x/ca", "read"), TROTH_FORBIDDEN, "may not do");
	cmd.id = ret.permission.uuid;
	struct permission_cmd cut = said(r, NULL, NULL, "read");
	cut.id = own.uuid;
	struct permission_ret was;
	room_do(r, &VERB_PERMISSION_CHANGE, &cut, &was); /* while his request is on its way */
	room_refused(r, &who, &VERB_PERMISSION_REMOVE, &cmd, TROTH_NOT_FOUND, "");
	refused(r, &who, said(r, "uaa-client:friend", "/x/ca", "read"), TROTH_NOT_FOUND, "");
	cut = said(r, NULL, NULL, "read write_acl");
	cut.id = own.uuid;
	room_do(r, &VERB_PERMISSION_CHANGE, &cut, &was);
	assert_true(rc_ok(room_try(r, &who, &VERB_PERMISSION_REMOVE, &cmd, &ret)));
	assert_string_equal(ret.permission.path, "/x/leaf");
	assert_false(sees(r, &others[0], "/x/ca"));
	room_free(r);
}

static void what_is_not_understood_changes_nothing(void **state)
{
	static const struct { const char *actor, *path, *operations, *part; } ALL[] = {
		{ "uaa-client:app", NULL, "read", "missing" }, { "uaa-client:app", "", "read", "must start with" },
		{ "uaa-client:app", "/", "read", "empty segment" }, { "uaa-client:app", "//*", "read", "empty segment" },
		{ "uaa-client:app", "/x/", "read", "empty segment" }, { "uaa-client:app", "*", "read", "must start with" },
		{ "uaa-client:app", "/x*", "read", "character" }, { "uaa-client:app", "/*/x", "read", "character" },
		{ "uaa-client:app", "/x/**", "read", "character" }, { "uaa-client:app", "/x/*/*", "read", "character" },
		{ "uaa-client:app", "/x/../y", "read", "starts with '.'" }, { "uaa-client:app", "/x\n/y", "read", "character" },
		{ "uaa-client:app", "/troth", "read", "troth's own" }, { "uaa-client:app", "/troth/*", "read", "troth's own" },
		{ "uaa-client:app", "/x", "", "at least one" }, { "uaa-client:app", "/x", "read,write", "is no operation" },
		{ "uaa-client:app", "/x", "read READ", "is no operation" }, { NULL, "/x", "read", "is not understood" },
		{ "", "/x", "read", "is not understood" }, { "app", "/x", "read", "is not understood" },
		{ "uaa-client:", "/x", "read", "is not understood" }, { "uaa-client:a b", "/x", "read", "is not understood" },
		{ "uaa-user:app", "/x", "read", "is not understood" }, { "mtls-app:app", "/x", "read", "is not understood" },
		{ "uaa-client:mtls-app:" APP_ID, "/x", "read", "is not understood" },
		{ "uaa-client:nobody", "/x", "read", "troth principal add nobody --role operator --scope none --facade credhub" },
		{ "uaa-user:" APP_ID, "/x", "read", "troth principal show NAME" }, { "mtls-app:" APP_ID, "/x", "read", "--app " APP_ID },
		{ "uaa-client:wide", "/x", "read", "scope *" }, { "uaa-client:admin", "/x", "read", "is no principal of CredHub" },
		{ "uaa-client:gone", "/x", "read", "is no principal of CredHub" },
		{ "uaa-client:reads", "/x", "read write", "is developer" }, { "uaa-client:reads", "/x", "write_acl", "is developer" },
	};
	struct principal_view_ret app;
	struct no_ret none;
	struct room *r = stage(&app);
	char path[LIMIT_NAME_BYTES + 2] = "/";
	add(r, "wide", "operator", NULL);
	struct principal_view_ret gone = add(r, "gone", "operator", SCOPE_NONE);
	add(r, "reads", "developer", SCOPE_NONE);
	room_do(r, &VERB_PRINCIPAL_REVOKE, &(struct id_cmd){ "gone" }, &none);
	for (size_t i = 0; i < ARRAY_LEN(ALL); i++)
		refused(r, &r->admin, said(r, ALL[i].actor, ALL[i].path, ALL[i].operations), TROTH_INVALID, ALL[i].part);
	refused(r, &r->admin, said(r, arena_printf(r->a, "uaa-user:%s", gone.principal.row.uuid), "/x", "read"), TROTH_INVALID, "is no principal of CredHub");
	memset(path + 1, 'x', sizeof path - 2);
	refused(r, &r->admin, said(r, "uaa-client:app", path, "read"), TROTH_INVALID, "longer than");
	give(r, "uaa-client:reads", "/x", "read read read_acl");
	refused(r, &r->admin, said(r, "uaa-client:reads", "/x", "read"), TROTH_CONFLICT, "already");
	room_free(r);
}

static void found_by_id_or_by_path_and_actor(void **state)
{
	struct principal_view_ret app;
	struct room *r = stage(&app);
	struct permission_ret ret;
	struct permission_row one = give(r, "uaa-client:app", BELOW, "write read");
	const char *user = arena_printf(r->a, "uaa-user:%s", app.principal.row.uuid); /* the same one, called otherwise */
	room_do(r, &VERB_PERMISSION_SHOW, &(struct permission_cmd){ .path = BELOW, .actor = user }, &ret);
	assert_string_equal(ret.permission.uuid, one.uuid);
	assert_string_equal(permission_operation(ret.permission.operations, 0), "read");
	assert_string_equal(permission_operation(ret.permission.operations, 1), "write");
	assert_null(permission_operation(ret.permission.operations, 2));
	refused(r, &r->admin, said(r, user, BELOW, "read"), TROTH_CONFLICT, "already");
	room_refused(r, &r->admin, &VERB_PERMISSION_SHOW, &(struct permission_cmd){ .path = "/x", .actor = user }, TROTH_NOT_FOUND, "");
	room_refused(r, &r->admin, &VERB_PERMISSION_SHOW, &(struct permission_cmd){ .path = BELOW, .actor = "x" }, TROTH_NOT_FOUND, "");
	room_refused(r, &r->admin, &VERB_PERMISSION_SHOW, &(struct permission_cmd){ .id = "x" }, TROTH_NOT_FOUND, "");
	room_refused(r, &r->admin, &VERB_PERMISSION_SHOW, &(struct permission_cmd){ .id = APP_ID }, TROTH_NOT_FOUND, "");
	struct principal who = now(r, &app); /* it may read, and not see who else may */
	room_refused(r, &who, &VERB_PERMISSION_SHOW, &(struct permission_cmd){ .path = BELOW, .actor = user }, TROTH_NOT_FOUND, "");
	struct permission_cmd change = said(r, user, BELOW, "delete");
	change.id = one.uuid;
	room_do(r, &VERB_PERMISSION_CHANGE, &change, &ret);
	assert_string_equal(room_last_audit(r), "permission.change");
	size_t audit = room_audit_count(r);
	room_do(r, &VERB_PERMISSION_CHANGE, &change, &ret); /* twice is once */
	assert_int_equal(room_audit_count(r), audit);
	change.path = "/x/leaf";
	room_refused(r, &r->admin, &VERB_PERMISSION_CHANGE, &change, TROTH_INVALID, "another path");
	room_free(r);
}

/* A folder is one; of single names there is an end. */
static void there_is_an_end(void **state)
{
	struct principal_view_ret app;
	struct room *r = stage(&app);
	struct principal_row of;
	struct tx *tx;
	assert_true(rc_ok(store_write_begin(r->store, &tx, &r->e)) && rc_ok(principal_row_by_name(tx, r->a, "app", &of, &r->e)));
	for (int i = 0; i < LIMIT_PERMISSIONS; i++) {
		struct permission_row row = { .uuid = arena_printf(r->a, "00000000-0000-4000-8000-%012d", i), .principal_id = of.id,
					      .path = arena_printf(r->a, "/many/%d", i), .actor = "uaa-client:app", .operations = RIGHT_READ };
		assert_true(rc_ok(permission_row_insert(tx, &row, &r->e)));
	}
	assert_true(rc_ok(store_write_commit(tx, &r->e)));
	refused(r, &r->admin, said(r, "uaa-client:app", "/x", "read"), TROTH_TOO_LARGE, "give it a folder");
	assert_int_equal(now(r, &app).permission_count, LIMIT_PERMISSIONS);
	room_free(r);
}

static void they_end_with_their_principal(void **state)
{
	struct principal_view_ret app, shown;
	struct room *r = stage(&app);
	struct no_ret none;
	struct permission_row one = give(r, "uaa-client:app", "/x/leaf", "read");
	give(r, "uaa-client:app", BELOW, "read");
	room_do(r, &VERB_PRINCIPAL_SHOW, &(struct id_cmd){ "app" }, &shown);
	assert_int_equal(shown.permission_count, 2);
	assert_string_equal(shown.permissions[0].path, BELOW);
	size_t audit = room_audit_count(r);
	room_do(r, &VERB_PRINCIPAL_REVOKE, &(struct id_cmd){ "app" }, &none);
	assert_int_equal(room_audit_count(r) - audit, 3); /* each of them, and the principal */
	room_refused(r, &r->admin, &VERB_PERMISSION_SHOW, &(struct permission_cmd){ .id = one.uuid }, TROTH_NOT_FOUND, "");
	app = add(r, "app", "operator", SCOPE_NONE);
	assert_int_equal(now(r, &app).permission_count, 0);
	room_free(r);
}

static void an_application_has_them_too(void **state)
{
	struct principal_view_ret app, made;
	struct room *r = stage(&app);
	const struct cert *const *certs;
	struct principal_ret who;
	size_t n;
	room_do(r, &VERB_PRINCIPAL_ADD, &(struct principal_add_cmd){ .app = APP_ID, .role = "developer", .scope = SCOPE_NONE, .csr = room_csr(r, KEY_EC_P256) }, &made);
	give(r, "mtls-app:" APP_ID, "/x/leaf", "read");
	assert_true(rc_ok(certs_parse_pem(r->a, bytes_of_text(made.certificate), &certs, &n, &r->e)));
	room_do(r, &VERB_PRINCIPAL_RESOLVE, &(struct principal_resolve_cmd){ .peer_cert = certs[0]->der, .facade = "credhub" }, &who);
	assert_true(sees(r, &who.principal, "/x/leaf") && !sees(r, &who.principal, "/x/ca"));
	room_free(r);
}

static void only_credhubs_principals_have_no_scope(void **state)
{
	struct principal_view_ret app;
	struct room *r = stage(&app);
	room_refused(r, &r->admin, &VERB_PRINCIPAL_ADD, &(struct principal_add_cmd){ "x", "operator", SCOPE_NONE }, TROTH_INVALID, "CredHub's API");
	room_refused(r, &r->admin, &VERB_PRINCIPAL_ADD, &(struct principal_add_cmd){ "x", "operator", SCOPE_NONE, .facade = "opsmanager" }, TROTH_INVALID, "");
	room_refused(r, &r->admin, &VERB_PRINCIPAL_ADD, &(struct principal_add_cmd){ "x", "admin", SCOPE_NONE, .facade = "credhub" }, TROTH_INVALID, "admin");
	room_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_was_let_in_is_looked_at_again_when_it_is_written),
		cmocka_unit_test(each_operation_is_for_its_verbs), cmocka_unit_test(who_only_writes_is_given_no_key_that_was_there),
		cmocka_unit_test(a_path_is_one_name_or_all_below_a_folder), cmocka_unit_test(other_verbs_stay_closed),
		cmocka_unit_test(nobody_gives_more_than_he_has), cmocka_unit_test(what_is_not_understood_changes_nothing),
		cmocka_unit_test(found_by_id_or_by_path_and_actor), cmocka_unit_test(there_is_an_end),
		cmocka_unit_test(they_end_with_their_principal), cmocka_unit_test(an_application_has_them_too),
		cmocka_unit_test(only_credhubs_principals_have_no_scope),
	};
	return cmocka_run_group_tests_name("permission", tests, NULL, NULL);
}
