// A plugin without faults, for the files beside this one: each redefines one macro of the
// descriptor before it includes this, and so has exactly one fault.
#include "core/plugin/component.h"
#include "tests/plugin/speaker.h"

#ifndef ID
#error "define ID as the component's id"
#endif

namespace {

struct Plain : mezo::test::Speaker {
  explicit Plain(const mezo::Parameters&) {}
  std::string say() const override { return ID; }
};

const mezo_component components[] = {
    mezo::component<Plain, mezo::test::Speaker>(MEZO_OBJECTIVE, ID, "says its id")};

}  // namespace

MEZO_PLUGIN(ID, "1.0.0", "Says its id", "MIT", components)
