#define ID "Upper_Case"
#include "tests/plugin/broken/plain.h"
