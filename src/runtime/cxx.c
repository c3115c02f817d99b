#include "runtime/runtime.h"

const struct runtime runtime_cxx = {.name = "cxx"};
