/* What the tests of webhooks share. */
#ifndef TEST_SERVICE_WEBHOOK_H
#define TEST_SERVICE_WEBHOOK_H

#include "room.h"

#include "service/webhook/webhook.h"

/* One webhook "ops", for events of these kinds (a pattern, or NULL: all). */
static inline struct webhook_ret webhook_made(struct room *r, const char *events)
{
	struct webhook_ret ret;
	struct webhook_add_cmd cmd = { .name = "ops", .url = "https://hooks.example.org/services/T0/secret" };
	if (events)
		cmd.events = room_texts(r, events, NULL);
	room_do(r, &VERB_WEBHOOK_ADD, &cmd, &ret);
	return ret;
}

static inline struct webhook_view webhook_seen(struct room *r)
{
	struct webhook_ret ret;
	room_do(r, &VERB_WEBHOOK_SHOW, &(struct id_cmd){ "ops" }, &ret);
	return ret.webhook;
}

#endif
