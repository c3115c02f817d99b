/*
 * debuginfod: asks the servers in $DEBUGINFOD_URLS for a file by build id.
 *
 * libdebuginfod is loaded when the first question comes, as elfutils itself does, so that it is no
 * dependency. Only called when the user asked for it. Each wait is bounded and shown.
 */
#pragma once

#include "base/log.h"

#include <stdint.h>

struct debuginfod;

/* NULL: the library is not there or no server is named (the reason is logged). */
struct debuginfod *debuginfod_open(unsigned seconds, struct log *log);
void debuginfod_close(struct debuginfod *d);

/* A descriptor of the file, or -1. *path (may be NULL) is malloc'ed: where it was cached. */
int debuginfod_executable(struct debuginfod *d, const uint8_t *build_id, uint32_t len, char **path);
int debuginfod_debug_file(struct debuginfod *d, const uint8_t *build_id, uint32_t len, char **path);
