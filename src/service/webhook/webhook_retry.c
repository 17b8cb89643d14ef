/* When a message that was not taken is sent again: soon at first, then ever more slowly, and in the end no more. */
#include "service/webhook/webhook.h"

msec_t webhook_pause(int64_t attempts, uint32_t random)
{
	msec_t pause = LIMIT_WEBHOOK_FIRST_S * MSEC_S, most = LIMIT_WEBHOOK_PAUSE_S * MSEC_S;
	for (int64_t i = 1; i < attempts && pause < most; i++)
		pause *= 2;
	pause = pause < most ? pause : most;
	return pause - pause / 4 + (msec_t)(random % (uint32_t)(pause / 2 + 1)); /* so that many senders do not come together */
}

bool webhook_gives_up(int64_t attempts, msec_t failing_since, msec_t now)
{
	return failing_since && now - failing_since >= LIMIT_WEBHOOK_GIVE_UP_S * MSEC_S && attempts >= LIMIT_WEBHOOK_TRIES_LEAST;
}
