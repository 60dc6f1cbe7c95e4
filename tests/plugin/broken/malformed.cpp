// Every fault that a component array can have, at once.
#include "core/plugin/descriptor.h"

namespace {

void* create(const void*) { return nullptr; }
void destroy(void*) {}

constexpr mezo_parameter row(const char* name, const char* doc) {
  return {name, MEZO_TEXT, "", nullptr, nullptr, nullptr, doc};
}

const mezo_parameter table[] = {row("one", "a setting"), row("one", "again"), row("", "unnamed"),
                                row("two", nullptr)};
const char* const serves[] = {"SomeModel", nullptr};

mezo_component components[] = {
    {MEZO_PEFT, "", "no id", nullptr, 0, nullptr, create, destroy},
    {MEZO_PEFT, nullptr, "null id", nullptr, 0, nullptr, create, destroy},
    {MEZO_PEFT, "lacks_factory", "null factory", nullptr, 0, nullptr, nullptr, nullptr},
    {MEZO_PEFT, "lacks_summary", nullptr, nullptr, 0, nullptr, create, destroy},
    {MEZO_PEFT, "lacks_table", "null table", nullptr, 2, nullptr, create, destroy},
    {MEZO_PEFT, "bad_table", "a table with faults", table, 4, nullptr, create, destroy},
    {MEZO_PEFT, "serving", "serves a model", nullptr, 0, serves, create, destroy},
};

}  // namespace

MEZO_PLUGIN("malformed", "1.0.0", "Has malformed components", "MIT", components)
