// The id of an objective in good.cpp.
#define ID "good"
#include "tests/plugin/broken/plain.h"
