#pragma once
// The first header of a piece of several tests: c10's logging takes the name CHECK for itself, and
// is never read again after this.
#include <c10/util/Logging.h>
#include <doctest/doctest.h>
#undef CHECK
#define CHECK DOCTEST_CHECK
#undef CHECK_MESSAGE
#define CHECK_MESSAGE DOCTEST_CHECK_MESSAGE
