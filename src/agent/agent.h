/* The door of agent/: the three commands, as main.c's table wants them.
 *
 *     troth agent enroll   a one-time token for an identity
 *     troth agent run      keep this node's targets as the server wants them
 *     troth agent status   what this node's agent remembers
 *
 * Each takes argc and argv with argv[0] the last word of its name, and returns the exit code. */
#ifndef TROTH_AGENT_AGENT_H
#define TROTH_AGENT_AGENT_H

extern const char AGENT_ENROLL_USAGE[], AGENT_RUN_USAGE[], AGENT_STATUS_USAGE[];
int agent_enroll(int argc, char **argv);
int agent_run(int argc, char **argv);
int agent_status(int argc, char **argv);

#endif
