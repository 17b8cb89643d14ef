/* Every maximum of the program, by name, each with a sentence why.  A new buffer, queue, list or
 * loop takes its bound from here. */
#ifndef TROTH_BASE_LIMITS_H
#define TROTH_BASE_LIMITS_H

enum {
	/* -- input ------------------------------------------------------------------------- */
	LIMIT_HTTP_BODY_BYTES = 1 << 20,       /* the largest upload is a bundle of some 150 CAs: 300 KiB */
	LIMIT_HTTP_HEADER_BYTES = 16 << 10,    /* what nginx and Apache accept by default, doubled */
	LIMIT_URL_BYTES = 4 << 10,             /* a path and a filter; browsers stop at 2 KiB */
	LIMIT_JSON_DEPTH = 16,                 /* our deepest body has 6 levels */
	LIMIT_JSON_STRING_BYTES = 512 << 10,   /* a PEM bundle in one string */
	LIMIT_JSON_VALUES = 50000,             /* a session of 64 targets with 500 fingerprints each: 32,000 */
	LIMIT_JSON_PATH_BYTES = 128,           /* $.slots[12].parameters.certificate_file, thrice */
	LIMIT_NAME_BYTES = 200,                /* /prod/pg/instance-0001/server with room */
	LIMIT_TEXT_BYTES = 1024,               /* reasons, descriptions */
	LIMIT_METADATA_CHARS = 7000,           /* kept with a version: as CredHub has it, 4 KiB of labels and links with room */
	LIMIT_SAN_COUNT = 100,                 /* public CAs accept 100 */
	LIMIT_BACKUP_BYTES = 1 << 30,          /* a backup, in memory while it is made: a store of a million members is smaller */
	LIMIT_BACKUP_RECIPIENTS = 16,          /* of a backup: people and places that may open it */
	LIMIT_SUPPORT_BYTES = 256 << 20,       /* a support bundle, in memory while it is made */
	LIMIT_SUPPORT_ROWS = 10000,            /* of a list in it: a person looks for one, and asks the API for more */
	LIMIT_SUPPORT_LOG_BYTES = 8 << 20,     /* of a log in it: some 20,000 lines of the keeper's */
	LIMIT_PEM_BYTES = 512 << 10,           /* one upload of certificates */
	LIMIT_CERT_DER_BYTES = 32 << 10,       /* a certificate with 100 names is 4 KiB */
	LIMIT_KEY_DER_BYTES = 8 << 10,         /* RSA-4096 in PKCS#8 is 2.4 KiB */
	LIMIT_CSR_DER_BYTES = 16 << 10,        /* as a certificate, with slack */
	LIMIT_CHAIN_CERTS = 10,                /* OpenSSL's own depth default is 100; real chains have 4 */
	LIMIT_TLS_CAS_NAMED = 8,               /* in a ClientHello: a trust file of one authority in rotation has 2 or 3 */
	LIMIT_BUNDLE_CERTS = 500,              /* Mozilla's list has some 150 */
	LIMIT_YAML_BYTES = 256 << 10,          /* a config or a profile */
	LIMIT_FINDINGS = 50,                   /* all findings, but a page of them */

	/* -- server ------------------------------------------------------------------------ */
	LIMIT_CONNECTIONS = 20000,             /* 26 KiB each: 520 MiB */
	LIMIT_CONNECTION_REQUEST_S = 20,       /* a whole request, handshake included, from first byte */
	LIMIT_CONNECTION_IDLE_S = 120,         /* a kept-alive connection between two requests */
	LIMIT_CONFIG_TIME_S = 3600,            /* either may be set so long: who needs more for a request has another problem */
	LIMIT_HOLD_S = 55,                     /* a held poll; below the 60 s of common NATs and proxies */
	LIMIT_WRITER_BATCH = 64,               /* verbs in a transaction: 1.6 ms (limits.md section 3) */
	LIMIT_WRITER_QUEUE = 4096,             /* verbs waiting; above it 503 with Retry-After */
	LIMIT_KEEPER_BATCH = 64,               /* requests in a keeper message */
	LIMIT_KEEPER_MESSAGE_BYTES = 192 << 10, /* fits the socket buffer: net.core.wmem_default 212992 */
	LIMIT_VERB_NEEDS = 1024,               /* keys and signatures for one verb: LIMIT_BELOW leaves, each a key and three that may sign */
	LIMIT_BELOW = 256,                     /* leaves made anew by one request (bulk-regenerate): 45 s of a core for RSA-2048 keys, and clients wait 30 to 60 s */
	LIMIT_ISSUE_RETRIES = 3,               /* prepare, sign, commit again when the signer moved */
	LIMIT_PAGE = 200,                      /* rows in a page of a list */
	LIMIT_CATALOG = 2000,                  /* credentials listed whole, for APIs that know no pages: some 20 MiB of a request's arena */
	LIMIT_VERSIONS_SHOWN = 500,            /* of a credential, the newest: with keys and CAs 3 MiB of an answer; made once a day, more than a year */
	LIMIT_VERSIONS_LIVE = 32,              /* of a leaf, the newest, which the engine is told of again when it changes: slots that are further behind were away */
	LIMIT_VERSIONS_BYTES = 4 << 20,        /* of their certificates, and of the CAs beside them: an answer has at most 16 MiB, keys and base64 included */
	LIMIT_TOPOLOGY_HISTORY = 20,           /* put-away versions of a credential in the topology: a page of 50 stays below LIMIT_JSON_VALUES */
	LIMIT_STREAM_BEAT_S = 15,              /* a stream says a comment at least so often: both sides see that the other is there */
	LIMIT_STREAM_ROUNDS = 2000,            /* turns of a stream, each costs its call a little memory: some 8 hours of beats */
	LIMIT_EVENTS_KEPT_S = 30 * 24 * 3600,  /* a reader that was away a month reads anew; the audit keeps what people did for good */
	LIMIT_EVENTS_FORGOTTEN = 5000,         /* events put away in one transaction: some 20 ms; the rest with the next */
	LIMIT_WEBHOOKS = 32,                   /* of a server: each costs a few rows read after a commit */
	LIMIT_WEBHOOK_EVENTS = 32,             /* patterns of one webhook: there are some 60 types */
	LIMIT_WEBHOOK_BODY_BYTES = 64 << 10,   /* of a message: what a keeper message carries thrice; larger data is left out and said */
	LIMIT_WEBHOOK_SCAN = 100,              /* events looked at in one transaction for one that is wanted */
	LIMIT_WEBHOOK_TIMEOUT_S = 15,          /* for an answer: receivers are asked to answer first and work later */
	LIMIT_WEBHOOK_REPLY_BYTES = 64 << 10,  /* of an answer; it is dropped, but read as far as this */
	LIMIT_WEBHOOK_FIRST_S = 5,             /* before the first retry: a receiver that is restarted */
	LIMIT_WEBHOOK_PAUSE_S = 3600,          /* between two tries, at most: some 30 tries a day at a dead receiver */
	LIMIT_WEBHOOK_GIVE_UP_S = 24 * 3600,   /* of failing: a receiver's bad night is bridged; longer wants a person */
	LIMIT_WEBHOOK_TRIES_LEAST = 10,        /* before giving up: the server itself may have been off those 24 h; at least half an hour of trying */
	LIMIT_STREAM_BACKLOG_BYTES = 1 << 20, /* of events that a reader has not taken: it comes again and goes on where it was */
	LIMIT_REQUEST_ARENA_BYTES = 64 << 20,  /* a request's memory; a page of everything fits */
	LIMIT_METRIC_SERIES = 2000,            /* of one metric that is labelled by names: 200 KiB of text, which Prometheus keeps for months */
	LIMIT_FANOUT_SLICE = 256,              /* held polls answered before the loop breathes */

	/* -- the process that holds the keys ---------------------------------------------------- */
	LIMIT_KEEPER_BLOB_BYTES = 12 << 10,    /* an RSA-4096 key (2.4 KiB; the limit is 8) and its policy */
	LIMIT_KEEPER_SEALED_BYTES = 12 << 10,  /* the same key as CMS for one agent: 3 KiB */
	LIMIT_KEEPER_IN_FLIGHT = 1024,         /* requests a client may have unanswered; above it BUSY */
	LIMIT_KEEPER_SHARE = 16,               /* of a verb's requests under way at once: whoever asks for one thing waits for so many of somebody else's, 15 ms of RSA-2048 signatures */
	LIMIT_KEEPER_LONG_SHARE = 4,           /* the same of RSA generations: each worker makes one, and the next is there when it has */
	LIMIT_KEEPER_LANE_JOBS = 1024,         /* jobs waiting in a lane: as many as can be in flight */
	LIMIT_KEEPER_LONG_WORKERS = 2,         /* threads that make RSA keys: 170 ms of a core for one of 2048 bits, 2 s for 4096; a core or two are there */
	LIMIT_KEEPER_LONG_JOBS = 16,           /* RSA generations waiting: at 4 s each a minute; above it BUSY */
	LIMIT_KEEPER_CACHED_KEYS = 16,         /* opened keys kept: the signers of one busy minute */
	LIMIT_KEEPER_RATED_KEYS = 1024,        /* keys whose rate is remembered; full ones are forgotten first */
	LIMIT_KEEPER_LEAF_BURST = 20000,       /* leaves of one authority at once: a whole fleet's rotation */
	LIMIT_KEEPER_LEAF_PER_S = 1000,        /* and then so many a second: 100,000 leaves in 80 s */
	LIMIT_KEEPER_CA_BURST = 60,            /* CA certificates by one authority at once: a deployment of a new estate */
	LIMIT_KEEPER_CA_PER_MIN = 10,          /* and then so many a minute: people make CAs, not loops */
	LIMIT_KEEPER_NEW_BURST = 1000,         /* keys generated or wrapped by the whole keeper at once: an import */
	LIMIT_KEEPER_NEW_PER_S = 10,           /* and then so many a second */
	LIMIT_KEEPER_NEW_LEFT = 50,            /* of those at once: what a verb that needs hundreds leaves to those who need one */
	LIMIT_KEEPER_EXPORT_BURST = 300,       /* keys of authorities given out by the whole keeper at once: all of an estate that moves */
	LIMIT_KEEPER_EXPORT_PER_MIN = 60,      /* and then so many a minute: pipelines that ask each time; who takes all shows in the log first */
	LIMIT_KEEPER_AUDIT_BURST = 10000,      /* audit heads: one each CA use and each minute */
	LIMIT_KEEPER_AUDIT_PER_S = 100,        /* and then so many a second */
	LIMIT_KEEPER_WEBHOOK_BURST = 10000,    /* messages to one webhook: the events of a fleet's rotation */
	LIMIT_KEEPER_WEBHOOK_PER_S = 100,      /* and then so many a second; each waits for its answer, so few receivers take more */
	LIMIT_KEEPER_BACKDATE_S = 3600,        /* notBefore may lie so far back: 5 min by habit, and skew */
	LIMIT_KEEPER_LIFE_DAYS = 50 * 366,     /* the longest certificate: public roots have 25 years */
	LIMIT_KEEPER_SECURE_HEAP_BYTES = 1 << 20, /* OpenSSL's locked heap: 16 RSA-4096 keys use a tenth */
	LIMIT_KEEPER_STOP_MS = 2000,           /* a keeper that does not end by itself is killed after this */
	LIMIT_KEEPER_LOG_LINE_BYTES = 32 << 10, /* a leaf with 100 names of 253 characters: 25 KiB */

	/* -- engine and agents --------------------------------------------------------------- */
	LIMIT_APPLY_LINES = 2000,              /* of an installation's log: a line a percent and step, some rotations at once */
	LIMIT_DEPLOYED_CERTS = 4000,           /* in an answer that knows no pages (Ops Manager): some 16 KiB of a request's arena each */
	LIMIT_INTERMEDIATES = 60,              /* authorities below one that rotates: one keeper batch with it */
	LIMIT_PENDING_DOCUMENTS = 4,           /* handed out and unseen per target; above it nothing new */
	LIMIT_DISTRUSTED = 64,                 /* certificates that one target is told not to go back to: its documents hold few */
	LIMIT_APPLY_FAILURES = 3,              /* equal contents failing this often: stop, wait for a change */
	LIMIT_TARGETS_PER_INSTANCE = 64,       /* one node, one poll */
	LIMIT_STEP_ACTS = 5000,                /* acts of one engine step and of one commit: 10 ms of engine; the rest comes next */
	LIMIT_FRESHNESS_S = 180,               /* a session not heard of so long is not relied upon */
	LIMIT_SKEW_S = 300,                    /* clocks may differ so much (engine-rules section 3) */
	LIMIT_WINDOWS = 16,                    /* of a deployment: each day of the week its own, twice */
	LIMIT_WINDOW_BYTES = 200,              /* five lists of a cron line, a length and a zone */
	LIMIT_WINDOW_S = 7 * 24 * 3600,        /* a longer one is open always */
	LIMIT_WINDOW_YEARS = 5,                /* so far ahead a window is looked for: 29 February, with a year to spare */
	LIMIT_WINDOW_LOOK_S = 3600,            /* a window that cannot be read now is looked at again */
	LIMIT_ZONE_BYTES = 64 << 10,           /* the largest file of tzdata has 4 KiB */
	LIMIT_ROLLING_PAUSE_S = 24 * 3600,     /* between two batches; longer is a maintenance window */
	LIMIT_DRAIN_S = 3600,                  /* a profile may not ask for more */
	LIMIT_RELOAD_S = 120,                  /* a reload command is killed after this */
	LIMIT_FORECAST_STEPS = 20000,          /* of an engine run ahead: some ten a renewal, and a loop waits for the answer */
	LIMIT_FORECAST_MOMENTS = 400,          /* what a person reads; a day's renewals of an authority are one */
	LIMIT_FORECAST_DAYS = 20 * 366,        /* two lives of a usual root */
	LIMIT_LEAD_MARGIN_S = 3600,            /* before a chain ends, on top of measured times: for what was never measured */
	LIMIT_ENDING_S = 3 * 24 * 3600,        /* a chain that still serves is named so long before it ends: over a weekend */
	LIMIT_BINDING_GRACE_S = 24 * 3600,     /* after a switch that rests on a binding nothing is withdrawn: a day of use shows it */
	LIMIT_BINDING_LENGTH_S = 366 * 24 * 3600, /* delay, renew_by, grace: a year is a typing error's friend already */
	LIMIT_REPORT_FINGERPRINTS = 1000,      /* of one store: a system's own list of CAs, some 150, with room */
	LIMIT_ROTATION_LEAD_S = 24 * 3600,     /* a rotation of a whole fleet: a day for the slowest member to come by */
	LIMIT_TOKEN_TTL_S = 7 * 24 * 3600,     /* a join token lives a week at most */
	LIMIT_PASSWORD_COST = 15,              /* log2 of scrypt's N, with r 8 and p 1: 32 MiB and some 100 ms (96 to 117 on a core of an AMD EPYC), twice libsodium's "interactive" */
	LIMIT_PASSWORD_LEAST_BYTES = 12,       /* of a password that somebody chose; with the lock-out nobody guesses it from outside */
	LIMIT_PASSWORD_BYTES = 256,            /* a sentence, or any key as hex */
	LIMIT_LOGIN_FAILURES = 5,              /* wrong passwords in a row; typing errors are fewer */
	LIMIT_LOCKOUT_S = 15 * 60,             /* then nobody logs in for so long: 480 guesses a day */
	LIMIT_ACCESS_TOKEN_S = 10 * 60,        /* what a login gives; clients log in or refresh by themselves, and a stolen one is soon nothing */
	LIMIT_REFRESH_TOKEN_S = 12 * 3600,     /* a working day without typing the password again */
	LIMIT_LOGINS_HELD = 1000,              /* tokens of one principal: a script that logs in for each of its calls makes 500 an hour or two */
	LIMIT_PERMISSIONS = 256,               /* of one principal: each of its requests reads them and looks every name up in them; a folder is one */
	LIMIT_TOIL_QUEUE = 64,                 /* passwords waiting to be derived: 5 s of work; above it 429 */
	LIMIT_LEASE_S = 3600,                  /* an ephemeral holds up a step for so long at most; health checks take minutes */
	LIMIT_JOINING_S = 7 * 24 * 3600,       /* who enrolled, was never admitted and is silent this long is gone: as long as a token */
	LIMIT_LEFT_KEPT_S = 3600,              /* rows of an ephemeral that left: long enough to look at, not to pile up */
	LIMIT_SWEEP = 500,                     /* instances put away in one transaction: some 50 ms */
	LIMIT_RECERTIFY_S = 60 * 24 * 3600,    /* troth's own root that ends so soon gets new dates; it is looked at every 45 days at least */
	LIMIT_RECOVERY_NONCE_S = 120,          /* between a nonce and the request signed over it: one exchange each, and a slow link */
	LIMIT_RECOVERY_PAUSE_S = 2,            /* between two requests of an instance: agents begin with 5 s; a loop must not fill the writer */
	LIMIT_RECOVERY_APPROVED_S = 24 * 3600, /* an approval waits so long for the agent that asked: they ask every 5 minutes */
	LIMIT_RECOVERIES = 500,                /* decided upon in one transaction: some 50 ms */
	LIMIT_EPOCH_REST_S = 600,              /* agents' words raise the epoch this often at most: one that lies must not stall a fleet */
	LIMIT_GENERATIONS = 1000000000,        /* numbers of a target within an epoch; epoch 2 begins at 1000000001 */
};

#endif
