#define ID "undefined_symbol"
#include "tests/plugin/broken/plain.h"

int mezo_test_defined_nowhere();
extern "C" __attribute__((used)) int calls_it() { return mezo_test_defined_nowhere(); }
