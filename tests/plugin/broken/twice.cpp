// One id twice in one plugin.
#include "core/plugin/descriptor.h"

namespace {

void* create(const void*) { return nullptr; }
void destroy(void*) {}

const mezo_component components[] = {
    {MEZO_PEFT, "same", "the first", nullptr, 0, nullptr, create, destroy},
    {MEZO_OBJECTIVE, "same", "another kind", nullptr, 0, nullptr, create, destroy},
    {MEZO_PEFT, "same", "the second", nullptr, 0, nullptr, create, destroy}};

}  // namespace

MEZO_PLUGIN("twice", "1.0.0", "Has one id twice", "MIT", components)
