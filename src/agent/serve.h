/* The hand's process: requests from the channel, one after the other; slow ones in a child. */
#ifndef TROTH_AGENT_SERVE_H
#define TROTH_AGENT_SERVE_H

#include "agent/hand.h"

/* Runs until the link goes away (IO) or SIGTERM or SIGINT comes (OK).  `fd`: our end of the pair. */
troth_rc hand_serve(struct hand *h, int fd, struct troth_err *e);

#endif
