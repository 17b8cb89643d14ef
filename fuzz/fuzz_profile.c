/* Profiles, a node's settings and a server's, as an administrator writes them: the first byte says which.  A profile that is
 * accepted is also resolved, with the input's tail as what the server says. */
#include <string.h>

#include "agent/profile.h"
#include "app/config.h"
#include "base/limits.h"
#include "base/yaml_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void resolve(struct arena *a, const struct profile *p, const char *said)
{
	struct msg_parameter parameters[2] = { { "port", said }, { "name", said } };
	for (int kind = 0; kind < 2; kind++) {
		struct target_spec spec = { .id = "id", .name = "tls", .profile = p->name, .kind = kind ? MSG_STORE : MSG_SLOT,
					    .parameters = parameters, .parameter_count = 2 };
		struct place place;
		struct troth_err e = { 0 };
		if (rc_failed(place_resolve(a, &p, 1, NULL, &spec, &place, &e)))
			CHECK(e.kind != TROTH_OK && e.primary[0]);
		else
			CHECK(path_below(place.directory, place.roots, place.root_count));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(LIMIT_REQUEST_ARENA_BYTES);
	struct troth_err e = { 0 };
	const struct profile *p;
	struct settings s;
	struct config c;
	if (size > 0 && data[0] == '%') {
		if (rc_failed(config_parse(a, bytes_of(data + 1, size - 1), "fuzz", &c, &e)))
			CHECK(e.kind != TROTH_OK && e.primary[0]);
	} else if (size > 0 && data[0] == '!') {
		if (rc_failed(settings_parse(a, bytes_of(data + 1, size - 1), "fuzz", &s, &e)))
			CHECK(e.kind != TROTH_OK && e.primary[0]);
	} else if (rc_ok(profile_parse(a, bytes_of(data, size), "fuzz", &p, &e))) {
		char said[16] = "";
		memcpy(said, data + (size > 15 ? size - 15 : 0), size > 15 ? 15 : size);
		resolve(a, p, said);
	} else {
		CHECK(e.kind != TROTH_OK && e.primary[0]);
	}
	arena_free(a);
	return 0;
}
