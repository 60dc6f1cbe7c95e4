// Exports a model for check_export.py to load elsewhere:
//
//   export_model MODEL PLUGINS PATH TYPE CHANGE [SHARD_BYTES]
//
// TYPE is auto, float32, float16 or bfloat16. CHANGE stands for training: it is added to every
// weight times a number between -1 and 1 that depends on the weight's place alone, so that two
// exports have the same weights. Prints what the export reports.

#include <iostream>

#include "core/checkpoint/export_folder.h"
#include "core/error.h"

using namespace mezo;

namespace {

void change(std::span<float> weights, float by) {
  std::uint32_t state = 1;
  for (float& w : weights) {
    state = state * 1664525u + 1013904223u;
    w += by * (static_cast<float>(state >> 8) / (1 << 23) - 1.0f);
  }
}

void run(int count, char** argument) {
  const Registry registry(PluginSearch{{}, {}, {{argument[2], "argument 2", true}}});
  const LoadedModel model = load_model(argument[1], registry);
  ExportOptions options;
  options.dtype = export_dtype(argument[4]);
  if (count > 6) options.shard_bytes = std::stoll(argument[6]);
  const float by = std::stof(argument[5]);
  const auto read = [&](Parameter p, std::span<float> out) {
    model.store.read(p, out.data());
    if (by != 0) change(out, by);
  };
  for (const std::string& line : export_folder(model, read, argument[3], options).lines())
    std::cout << line << "\n";
}

}  // namespace

int main(int count, char** argument) {
  if (count < 6 || count > 7) {
    std::cerr << "usage: export_model MODEL PLUGINS PATH TYPE CHANGE [SHARD_BYTES]\n";
    return 1;
  }
  try {
    run(count, argument);
  } catch (const Error& error) {
    std::cerr << error.what() << "\n";
    return error.exit_code();
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
