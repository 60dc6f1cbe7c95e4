#include "core/run/datasets.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "core/run/batch_order.h"
#include "core/task/data_faults.h"
#include "core/task/encode.h"

namespace mezo {

namespace {

// The first rows of the file, or with a seed a random choice of its rows, in the file's order.
std::vector<Example> choose(const std::string& path, std::int64_t limit, const Parameters& task) {
  if (task.is_word("split_seed")) return read_examples(path, limit);
  std::vector<Example> all = read_examples(path);
  const auto n = static_cast<std::uint32_t>(all.size());
  std::vector<std::uint32_t> order =
      permutation(static_cast<std::uint64_t>(task.integer("split_seed")), 0, n);
  if (limit > 0 && limit < n) order.resize(static_cast<std::size_t>(limit));
  std::sort(order.begin(), order.end());
  std::vector<Example> chosen;
  for (const std::uint32_t i : order) chosen.push_back(std::move(all[i]));
  return chosen;
}

std::int64_t longest_sequence(const RunConfig& config, const PreparedModel& model) {
  const std::int64_t wanted = config.task.integer("max_length");
  const std::optional<std::int64_t> positions = model.max_positions;
  if (!positions || *positions >= wanted) return wanted;
  fmt::print(stderr,
             "note: sequences are cut to {} tokens, as the model has no more positions "
             "(task.max_length is {})\n",
             *positions, wanted);
  return *positions;
}

}  // namespace

const Split& Datasets::measured() const {
  if (test) return *test;
  if (dev) return *dev;
  throw std::logic_error("[datasets] neither test nor dev was read");
}

Datasets read_datasets(const RunConfig& config, const PreparedModel& model,
                       const std::vector<std::string>& wanted) {
  const std::int64_t max_length = longest_sequence(config, model);
  const std::vector<std::int32_t> start = sequence_start(config.task, model.tokenizer);
  Datasets data;
  DataFaults faults;
  for (const std::string& name : wanted) {
    const std::string& path = config.task.text(name);
    if (path.empty()) continue;
    faults.collect([&] {
      const std::vector<Example> examples =
          choose(path, size_limit(config.task, name + "_size"), config.task);
      std::optional<Split>& split = name == "train" ? data.train
                                    : name == "dev" ? data.dev
                                                    : data.test;
      split = Split{
          path, encode_all(examples, *config.task_file, model.tokenizer, max_length, path, start),
          metrics_for(config.task_file->metric)};
    });
  }
  faults.throw_if_any();
  return data;
}

}  // namespace mezo
