/* The keeper: the process that holds keys, and the only place where a private key of an authority
 * exists in the clear.
 *
 * The server asks it over a socket pair (client.h) with typed requests (request.h); it builds what
 * it signs from their fields, checks them against the policy that is sealed into each wrapped key
 * (policy.h), writes one line of its own log, and answers with certificates and wrapped keys; with
 * a private key only if it was made to be given out.  The decisions are a function without threads or descriptors (state.h), which
 * tests and the simulator call directly; process.h is the shell around it.
 *
 * What the keeper does not do: read a database, open a socket, store keys (the server stores the
 * blobs that it cannot read), decide who may ask (the server authorises; the keeper limits what a
 * taken-over server can get: docs/threat-model.md). */
#ifndef TROTH_KEEPER_KEEPER_H
#define TROTH_KEEPER_KEEPER_H

#include "base/limits.h"
#include "keeper/client.h"
#include "keeper/master.h"
#include "keeper/policy.h"
#include "keeper/process.h"
#include "keeper/request.h"
#include "keeper/state.h"

#endif
