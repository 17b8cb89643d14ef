/* Reading a directory of profiles, in the order of their names. */
#include "agent/profiles.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "port/port.h"

static int is_yaml(const struct dirent *d) { return d->d_name[0] != '.' && text_ends(d->d_name, ".yaml"); }

static troth_rc add(struct arena *a, const char *path, struct profiles *p, struct troth_err *e)
{
	struct bytes text;
	const struct profile *x;
	ENSURE(p->count < PROFILE_COUNT, e, TROTH_TOO_LARGE, "more than %d profiles", PROFILE_COUNT);
	TRY(file_read(a, path, LIMIT_YAML_BYTES, &text, e));
	TRY(profile_parse(a, text, path, &x, e));
	for (size_t i = 0; i < p->count; i++)
		ENSURE(!text_equal(p->items[i]->name, x->name), e, TROTH_CONFLICT, "\"%s\": there is a profile \"%s\" already", path, x->name);
	p->items[p->count++] = x;
	p->network = p->network || x->reload_network;
	return RC_OK;
}

static bool is_parameter(const struct profiles *p, const char *name)
{
	for (size_t i = 0; i < p->count; i++)
		for (size_t k = 0; k < p->items[i]->parameter_count; k++)
			if (text_equal(p->items[i]->parameters[k].name, name))
				return true;
	return false;
}

/* What is said for all targets is a parameter of some profile: one that is misspelt would be silent, and its default used. */
static troth_rc check_all(const struct profiles *p, const char *file, struct troth_err *e)
{
	const struct json *all = p->settings.all;
	for (size_t i = 0; all && all->type == JSON_OBJECT && i < all->map.count; i++)
		if (!is_parameter(p, all->map.keys[i])) {
			troth_rc rc = err_set(e, TROTH_INVALID, "settings \"%s\": all names parameter \"%.64s\", which no profile here has", file, all->map.keys[i]);
			err_hint(e, "troth profile show NAME --profiles DIR lists the parameters of a profile");
			return rc;
		}
	return RC_OK;
}

troth_rc profiles_load(struct arena *a, const char *dir, const char *settings_file, struct profiles *ret,
		       struct troth_err *e)
{
	struct profiles p = { .items = ARENA_ARRAY(a, const struct profile *, PROFILE_COUNT) };
	struct dirent **names;
	int n = scandir(dir, &names, is_yaml, alphasort);
	troth_rc rc = RC_OK;
	if (n < 0) {
		rc = err_errno(e, errno, "could not read the profiles in \"%s\"", dir);
		err_hint(e, "--profiles names a directory of *.yaml; copy the ones you need from the profiles that troth ships");
		return rc;
	}
	for (int i = 0; i < n; i++) {
		if (rc_ok(rc))
			rc = add(a, arena_printf(a, "%s/%s", dir, names[i]->d_name), &p, e);
		free(names[i]);
	}
	free(names);
	TRY(rc);
	if (p.count == 0) {
		rc = err_set(e, TROTH_NOT_FOUND, "there is no profile (*.yaml) in \"%s\"", dir);
		err_hint(e, "copy the ones you need from the profiles that troth ships");
		return rc;
	}
	if (settings_file) {
		struct bytes text;
		TRY(file_read(a, settings_file, LIMIT_YAML_BYTES, &text, e));
		TRY(settings_parse(a, text, settings_file, &p.settings, e));
		TRY(check_all(&p, settings_file, e));
	}
	*ret = p;
	return RC_OK;
}
