/* The profile language: how a kind of target looks on disk and in life.
 *
 * A profile is installed on the node by its administrator; the server only names it and gives values
 * for the parameters that the profile opens to it.  docs/profiles.md is the manual for its writers.
 * Here: the profile as written (texts with {placeholders}), the node's settings, and the place that
 * the two make of a target: every text filled in, checked, and bounded.  All of it is pure; both
 * halves of the agent work out a place for themselves, from their own copy, with the same code. */
#ifndef TROTH_AGENT_PROFILE_H
#define TROTH_AGENT_PROFILE_H

#include "base/clock.h"
#include "base/json.h"
#include "model/message.h"
#include "probe/probe.h"

enum {
	PROFILE_FILES = 16,     /* of one kind */
	PROFILE_ROOTS = 8,
	PROFILE_WORDS = 32,     /* of a command */
	PROFILE_ADDRESSES = 8,
	PROFILE_SIGHTINGS = 100,
	PROFILE_COUNT = 64,     /* installed on one node */
	PROFILE_DEADLINE_S = 600, /* of probe and attest */
};

/* What a parameter's value must look like; a list of words separated by | may stand instead. */
enum profile_content { CONTENT_LEAF, CONTENT_CHAIN, CONTENT_FULLCHAIN, CONTENT_KEY, CONTENT_COMBINED, CONTENT_BUNDLE,
		       CONTENT_EACH, CONTENT_COUNT };
enum profile_proof {
	PROOF_PROBE,   /* the new leaf is seen at every address, so often in a row */
	PROOF_RELOAD,  /* the reload reported success, and that means loaded */
	PROOF_RESTART, /* the same of a restart: trust is read at start only */
	PROOF_ATTEST,  /* the processes write down what they loaded */
	PROOF_READ,    /* the files are read at each use: written is loaded */
	PROOF_COUNT
};
const char *profile_proof_name(enum profile_proof p);

struct profile_parameter {
	const char *name, *default_value, *pattern; /* default NULL: a value is required */
	bool server;                                /* the server may give it */
};
struct profile_file { const char *name, *mode, *owner, *group; enum profile_content content; };
struct profile_fixed { const char *path, *file; };

struct profile { /* as written; lives in the arena of profile_parse */
	const char *name, *description;
	bool slots, stores; /* the kinds it can be */
	struct profile_parameter *parameters;
	size_t parameter_count;
	struct json_texts roots;
	const char *directory;
	struct profile_file *files;
	size_t file_count;
	struct profile_fixed *fixed;
	size_t fixed_count;
	const char *signal, *pid_file; /* NULL: none */
	struct json_texts command;
	struct json_texts restart;     /* what an emergency runs instead; empty: it is only reloaded */
	msec_t reload_timeout;
	bool reload_network;           /* the command needs the network: the hand keeps it */
	struct json_texts addresses;
	const char *port, *starttls, *server_name, *sightings, *deadline;
	const char *attest_file, *attest_of;
	const char *drain;
	enum profile_proof slot_proof, store_proof;
};

/* INVALID with all findings; `source` names the file in the text. */
troth_rc profile_parse(struct arena *a, struct bytes yaml, const char *source, const struct profile **ret,
		       struct troth_err *e);

/* The node's own values: `all` for every target, and per target name. */
struct settings { const struct json *all, *targets; };
troth_rc settings_parse(struct arena *a, struct bytes yaml, const char *source, struct settings *ret,
			struct troth_err *e);

/* What a target is said to be: by the server, or by the state kept from before. */
struct target_spec {
	const char *id, *name, *profile;
	enum msg_target_kind kind;
	enum msg_role role;
	const struct msg_parameter *parameters;
	size_t parameter_count;
};

struct place_file { const char *name, *owner, *group; mode_t mode; enum profile_content content; };

struct place { /* a target on this node: nothing left to fill in */
	const char *profile;
	enum msg_target_kind kind;
	const char *const *roots;
	size_t root_count;
	const char *directory;            /* below a root */
	struct place_file files[PROFILE_FILES];
	size_t file_count;
	struct profile_fixed fixed[PROFILE_FILES]; /* below a root; file is one of files */
	size_t fixed_count;
	int signal;                       /* 0: none */
	const char *pid_file;
	const char *command[PROFILE_WORDS + 1]; /* command[0] NULL: none */
	const char *restart[PROFILE_WORDS + 1]; /* the same */
	msec_t reload_timeout;
	const char *addresses[PROFILE_ADDRESSES];
	size_t address_count;             /* 0: nothing to probe */
	int port;
	enum probe_starttls starttls;
	const char *server_name;          /* "" : none */
	int sightings;
	msec_t deadline;
	const char *attest_file;          /* NULL: none; the node's own word, only read */
	size_t attest_of;                 /* index into files */
	msec_t drain;
	enum profile_proof proof;
	const char *service;              /* targets with equal texts reload the same service */
};

/* Finds spec's profile and fills in everything.  INVALID says which parameter or path and why. */
troth_rc place_resolve(struct arena *a, const struct profile *const *profiles, size_t profile_count,
		       const struct settings *settings, const struct target_spec *spec, struct place *ret,
		       struct troth_err *e);
/* Absolute, normal (no "", ".", ".." parts), printable, and one of roots or below one. */
bool path_below(const char *path, const char *const *roots, size_t root_count);
/* Does the value fit the pattern?  Both forms are explained in docs/profiles.md. */
bool pattern_matches(const char *pattern, const char *value);
bool pattern_valid(const char *pattern);

#endif
