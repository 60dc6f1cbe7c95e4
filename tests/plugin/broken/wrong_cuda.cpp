#include "core/plugin/descriptor.h"
#undef MEZO_CUDA_TAG
#define MEZO_CUDA_TAG "9.2"
#define ID "wrong_cuda"
#include "tests/plugin/broken/plain.h"
