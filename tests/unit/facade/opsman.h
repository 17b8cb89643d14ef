/* What the tests of Ops Manager's API share: a room with one root, a deployment, and a caller of that API. */
#ifndef TEST_FACADE_OPSMAN_H
#define TEST_FACADE_OPSMAN_H

#include "call.h"

static inline const char *opsman_caller(struct call *c, const char *name, const char *role)
{
	struct principal_view_ret added;
	struct principal_add_cmd cmd = { .name = name, .role = role, .facade = "opsmanager" };
	room_do(c->room, &VERB_PRINCIPAL_ADD, &cmd, &added);
	return arena_text(c->room->a, added.token);
}

/* /prod/pg/ca, deployment pg, and an administrator of this API. */
static inline struct call *opsman_new(void)
{
	struct call *c = call_new();
	room_deployment(c->room, "pg");
	c->bearer = opsman_caller(c, "opsman", "admin");
	return c;
}

#endif
