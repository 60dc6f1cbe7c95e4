#include "core/plugin/descriptor.h"
#undef MEZO_CXX11_ABI_TAG
#define MEZO_CXX11_ABI_TAG "0"
#define ID "wrong_cxx11_abi"
#include "tests/plugin/broken/plain.h"
