/* Inside the room: pairs that follow from bundles and deployments.
 *
 * A store template meets a slot template when its bundle contains an authority of the slot's chain: the
 * slot's own, or one above it.  A single trusted certificate that is a version of an authority counts as
 * that authority.  Pairs are only ever added here; one that an operator took out stays out. */
#ifndef TROTH_SERVICE_MEET_H
#define TROTH_SERVICE_MEET_H

#include "service/nouns.h"

/* All pairs of this template's deployment side: after it was inserted. */
troth_rc meet_template_added(struct verb_ctx *ctx, const struct template_row *row, struct troth_err *e);
/* The pairs of a slot template whose slots present, or will, an uploaded chain that this CA certificate anchors. */
troth_rc meet_anchor_added(struct verb_ctx *ctx, int64_t slot_template, int64_t cert_id, struct troth_err *e);
/* All pairs through this member: after it was inserted. */
troth_rc meet_member_added(struct verb_ctx *ctx, const struct bundle_member_row *member, struct troth_err *e);
/* Adds to *ret how many of a template's targets count now. */
troth_rc meet_count(struct verb_ctx *ctx, int64_t template_id, int64_t *ret, struct troth_err *e);

#endif
