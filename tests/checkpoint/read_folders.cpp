// Reads models for the tests of folders with quantised weights, many in one process:
//
//   read_folders PLUGINS (MODEL OTHER)…
//
// Of each pair a line of JSON: of MODEL the types of its matrices, the notes, the names of
// parameters that are not OTHER's to the last bit (widened, and copied as they lie and then
// widened), or the error with its exit code. OTHER may be "-".

#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>
#include <set>

#include "core/checkpoint/load_model.h"
#include "core/error.h"
#include "core/io/dequantize.h"

using namespace mezo;

namespace {

using Floats = std::vector<float>;

bool same_bits(const Floats& a, const Floats& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

Floats widened(const PreparedModel& model, Parameter p) {
  Floats values(
      static_cast<std::size_t>(model.specs[static_cast<std::size_t>(p.index)].elements()));
  model.files.read(p, values.data());
  return values;
}

Floats copied(const PreparedModel& model, Parameter p) {
  const DType type = model.files.view(p).dtype;
  const std::int64_t count = model.files.view(p).count();
  std::vector<std::byte> bytes(static_cast<std::size_t>(bytes_of(type, count)));
  model.files.copy(p, bytes.data());
  Floats values(static_cast<std::size_t>(count));
  dequantize(type, bytes.data(), count, values.data());
  return values;
}

nlohmann::json compared(const std::string& path, const std::string& other,
                        const Registry& registry) {
  const PreparedModel model = prepare_model(path, registry);
  std::set<std::string> types, unequal;
  std::optional<PreparedModel> expected;
  if (other != "-") expected = prepare_model(other, registry);
  for (int i = 0; i < static_cast<int>(model.types.size()); ++i) {
    const ParameterSpec& spec = model.specs[static_cast<std::size_t>(i)];
    if (is_matrix(spec.role)) types.insert(name_of(model.types[static_cast<std::size_t>(i)]));
    if (!expected) continue;
    const Floats values = widened(*expected, {i});
    if (!same_bits(widened(model, {i}), values) || !same_bits(copied(model, {i}), values))
      unequal.insert(spec.name);
  }
  return {{"types", types}, {"notes", model.notes}, {"unequal", unequal}};
}

}  // namespace

int main(int count, char** argument) {
  if (count < 4 || count % 2 != 0) {
    std::cerr << "usage: read_folders PLUGINS (MODEL OTHER)...\n";
    return 1;
  }
  const Registry registry(PluginSearch{{}, {}, {{argument[1], "argument 1", true}}});
  for (int i = 2; i < count; i += 2) {
    nlohmann::json line;
    try {
      line = compared(argument[i], argument[i + 1], registry);
    } catch (const Error& error) {
      line = {{"error", error.what()}, {"code", error.exit_code()}};
    } catch (const std::exception& error) {
      line = {{"error", error.what()}, {"code", -1}};
    }
    std::cout << line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
  }
}
