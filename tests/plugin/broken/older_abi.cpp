#include "core/plugin/descriptor.h"
#undef MEZO_ABI
#define MEZO_ABI 0u
#define ID "older_abi"
#include "tests/plugin/broken/plain.h"
