/* Kinds of events.  See webhook_kind.h. */
#include "service/webhook/webhook_kind.h"

#include <string.h>

#include "base/text.h"

const char *const WEBHOOK_KINDS[] = {
	"apply.done", "apply.progress", "apply.start",
	"audit.key",
	"authority.adopt", "authority.beside", "authority.certify", "authority.create", "authority.disclose", "authority.expires",
	"authority.import", "authority.recertify", "authority.rollout",
	"binding.attest", "binding.behind", "binding.confirm", "binding.create", "binding.delete", "binding.fetch", "binding.overdue",
	"binding.waive",
	"bundle.add", "bundle.create", "bundle.remove",
	"credential.attest", "credential.create", "credential.delete", "credential.disclose", "credential.expires", "credential.generate",
	"credential.issue", "credential.renew", "credential.set", "credential.upload", "credential.waive",
	"deployment.create", "deployment.delete", "deployment.extend", "deployment.go-on", "deployment.policy", "deployment.stopped",
	"deployment.window",
	"engine.admit", "engine.ask", "engine.deadline", "engine.leave", "engine.retire-done", "engine.rotate", "engine.send-chain",
	"engine.send-set", "engine.shed", "engine.signing", "engine.take-back",
	"freeze",
	"identity.renew",
	"instance.abandoned", "instance.add", "instance.alarm", "instance.delete", "instance.enroll", "instance.recovered",
	"instance.reinstall", "instance.report", "instance.return", "instance.waive",
	"meet.add", "meet.remove",
	"permission.add", "permission.change", "permission.remove",
	"principal.add", "principal.create", "principal.locked", "principal.revoke", "principal.rotate", "principal.unlock",
	"recovery.approve", "recovery.ask", "recovery.contested", "recovery.deny", "recovery.issue",
	"rotation.abort", "rotation.approve", "rotation.done", "rotation.order", "rotation.pause", "rotation.refused", "rotation.resume",
	"rotation.start",
	"server.certificate", "server.certificate-set", "server.certificate-unset", "server.epoch",
	"target.behind", "target.drift", "target.failed", "target.found", "target.retry", "target.settled", "target.stopped",
	"target.unknown",
	"thaw",
	"token.create", "token.revoke",
	"version.forget",
	"webhook.add", "webhook.disabled", "webhook.enable", "webhook.gap", "webhook.ping", "webhook.remove", "webhook.test",
};
const size_t WEBHOOK_KIND_COUNT = ARRAY_LEN(WEBHOOK_KINDS);

enum { NEAR_CHARS = 3 }; /* so many at the beginning are the same: "rotaion" is near "rotation", "pg" near nothing */

bool webhook_kind_matches(const char *pattern)
{
	for (size_t i = 0; i < WEBHOOK_KIND_COUNT; i++)
		if (text_glob(pattern, WEBHOOK_KINDS[i]))
			return true;
	return false;
}

static size_t same_chars(const char *x, const char *y)
{
	size_t n = 0;
	while (x[n] && x[n] == y[n])
		n++;
	return n;
}

static size_t noun_len(const char *kind) { return strcspn(kind, ".*"); }

const char *webhook_kind_near(struct arena *a, const char *pattern)
{
	const char *nearest = NULL, *all = NULL;
	size_t most = NEAR_CHARS - 1;
	for (size_t i = 0; i < WEBHOOK_KIND_COUNT; i++) {
		size_t same = same_chars(pattern, WEBHOOK_KINDS[i]), noun = noun_len(WEBHOOK_KINDS[i]);
		same = same < noun ? same : noun;
		if (same > most) {
			most = same;
			nearest = WEBHOOK_KINDS[i];
		}
	}
	if (!nearest || !strchr(nearest, '.'))
		return nearest;
	size_t len = noun_len(nearest) + 1;
	for (size_t i = 0; i < WEBHOOK_KIND_COUNT; i++)
		if (strncmp(WEBHOOK_KINDS[i], nearest, len) == 0)
			all = arena_printf(a, "%s%s%s", all ? all : "", all ? ", " : "", WEBHOOK_KINDS[i]);
	return arena_printf(a, "%.*s*, or one of %s", (int)len, nearest, all);
}
