#include "core/plugin/thrown.h"

#include <cxxabi.h>
#include <fmt/format.h>

#include <boost/core/demangle.hpp>
#include <exception>
#include <string_view>

namespace mezo {

namespace {

std::string type_of_thrown() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  return type ? boost::core::demangle(type->name()) : "an exception of another language";
}

std::string_view without_frames(std::string_view message) {
  return message.substr(0, message.find("\nException raised from "));
}

}  // namespace

std::string what_was_thrown() {
  const std::string type = type_of_thrown();
  try {
    throw;
  } catch (const std::exception& error) {
    return fmt::format("{}: {}", type, without_frames(error.what()));
  } catch (const std::string& text) {
    return fmt::format("std::string: {}", text);
  } catch (const char* text) {
    return fmt::format("{}: {}", type, text ? text : "(null)");
  } catch (int number) {
    return fmt::format("{}: {}", type, number);
  } catch (...) {
    return type;
  }
}

}  // namespace mezo
