#pragma once
// The interface that the plugins of these tests implement.

#include <string>

namespace mezo::test {

struct Speaker {
  virtual ~Speaker() = default;
  virtual std::string say() const = 0;
  bool* destroyed = nullptr;  // set when the object goes, if the test gives one
};

}  // namespace mezo::test
