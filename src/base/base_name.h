/* base_name: what is behind a path's last slash; all of it where there is none. Of NULL: "". */
#pragma once

#include <string.h>

static inline const char *base_name(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	return slash ? slash + 1 : path ? path : "";
}
