/*
 * input_impl: what input.c asks decompress.c.
 */
#pragma once

#include "input/input.h"

/* Does the file (seekable; its place does not move) begin like a compressed one? */
bool input_is_packed(int fd);

/*
 * Reads fd from its place to its end, decompressed if its content says so, into a temporary file:
 * ret->fd, ->compression, ->cut. `total` is the size of fd for the progress, 0 if that is unknown.
 * On error nothing is left behind but what ret says.
 */
struct error *input_unpack(const char *name, int fd, uint64_t total,
			   const struct input_options *opt, struct log *log,
			   struct input_file *ret) _must_check_;
