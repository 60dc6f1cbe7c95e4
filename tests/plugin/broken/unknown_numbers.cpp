// A kind and a type that this mezo does not know, as a plugin in C could hold them.
#include <cstring>

#include "core/plugin/descriptor.h"

namespace {

void* create(const void*) { return nullptr; }
void destroy(void*) {}

mezo_parameter table[] = {
    {"odd", MEZO_TEXT, "", nullptr, nullptr, nullptr, "a setting of a type of the future"}};
mezo_component components[] = {
    {MEZO_PEFT, "future", "a kind of the future", nullptr, 0, nullptr, create, destroy},
    {MEZO_PEFT, "table", "has a type of the future", table, 1, nullptr, create, destroy}};

// Through bytes, because the conversion of such a number to the enumeration is undefined.
struct SetNumbers {
  SetNumbers() {
    const unsigned kind = 7, type = 99;
    std::memcpy(&components[0].kind, &kind, sizeof kind);
    std::memcpy(&table[0].type, &type, sizeof type);
  }
} set_numbers;

}  // namespace

MEZO_PLUGIN("unknown_numbers", "1.0.0", "Comes from the future", "MIT", components)
