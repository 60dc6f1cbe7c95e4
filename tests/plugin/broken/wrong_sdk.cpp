#include "core/plugin/descriptor.h"
#undef MEZO_SDK
#define MEZO_SDK 77u
#define ID "wrong_sdk"
#include "tests/plugin/broken/plain.h"
