#include "core/plugin/descriptor.h"
#undef MEZO_ABI
#define MEZO_ABI 999u
#define ID "wrong_abi"
#include "tests/plugin/broken/plain.h"
