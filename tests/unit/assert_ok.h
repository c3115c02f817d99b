/* assert_ok(call): a call that must return no error. Behind cmocka.h. */
#pragma once

#include "base/error.h"

#define assert_ok(call)                                                                            \
	do {                                                                                       \
		struct error *err_ = (call);                                                       \
		if (err_)                                                                          \
			fail_msg("%s", err_->message);                                             \
	} while (0)
