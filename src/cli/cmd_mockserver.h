/* SPDX-License-Identifier: MIT */
/* `mockserver`: the mock MCP server as a program. */
#ifndef CLI_CMD_MOCKSERVER_H
#define CLI_CMD_MOCKSERVER_H

/* The exit code: 0, 1 when it cannot serve, 2 for wrong arguments. */
int cmd_mockserver(int argc, char **argv);

#endif
