/* What somebody asks for who knows only the word "generate". */
#ifndef TEST_SERVICE_OUTSIDER_H
#define TEST_SERVICE_OUTSIDER_H

#include "room.h"
#include "service/handout/generate.h"

static inline struct generate_cmd outsider_ca(const char *name, const char *issuer)
{
	return (struct generate_cmd){ .name = name, .authority = true, .issuer = issuer, .common_name = "a CA", .organizational_unit = "unit", .key_type = "ec-p256" };
}

static inline struct generate_cmd outsider_leaf(struct room *r, const char *name, const char *issuer)
{
	return (struct generate_cmd){ .name = name, .issuer = issuer, .common_name = "x.example", .role = "both", .key_type = "ec-p256",
				      .sans = room_texts(r, "dns:x.example", NULL), .ttl = 30 * MSEC_DAY };
}

static inline struct generate_ret outsider_asks(struct room *r, struct generate_cmd cmd)
{
	struct generate_ret ret;
	room_do(r, &VERB_CREDENTIAL_GENERATE, &cmd, &ret);
	return ret;
}

#endif
