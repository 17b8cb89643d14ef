/* The agent's link: the half with the network.  It runs the core and does its effects.
 *
 * It has no rights and touches no file: the identity it needs for TLS comes from the hand over the
 * channel and stays in memory (a memfd, because the TLS client reads files).  It ends when the hand
 * does. */
#ifndef TROTH_AGENT_LINK_H
#define TROTH_AGENT_LINK_H

#include "agent/profiles.h"

/* Runs until the channel ends; the exit code.  `fd`: our end of the pair. */
int link_main(int fd, const struct profiles *profiles);

#endif
