#include "core/run/chosen_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "core/error.h"
#include "core/task/data_faults.h"
#include "core/task/read_example.h"
#include "core/train/batch_order.h"

namespace mezo {

namespace {

using Places = std::vector<std::uint32_t>;

Places order_of(std::size_t rows, std::optional<std::uint64_t> seed) {
  const auto n = static_cast<std::uint32_t>(rows);
  if (seed) return permutation(*seed, 0, n);
  Places order(n);
  std::iota(order.begin(), order.end(), 0u);
  return order;
}

std::vector<Example> in_file_order(std::vector<Example>& all, Places places) {
  std::sort(places.begin(), places.end());
  std::vector<Example> chosen;
  for (const std::uint32_t i : places) chosen.push_back(std::move(all[i]));
  return chosen;
}

// Both in the order that rows are chosen by.
struct Taken {
  Places train, dev;
};

Taken first_and_last(const Places& order, const TaskSettings& settings) {
  const std::size_t n = order.size();
  const auto most = [](std::int64_t size, std::size_t rows) {
    return size > 0 ? std::min(static_cast<std::size_t>(size), rows) : rows;
  };
  const std::size_t train = most(settings.train_size, n);
  const std::size_t dev = settings.dev_from_train ? most(settings.dev_size, n - train) : 0;
  if (settings.dev_from_train && dev == 0)
    throw DataError(fmt::format(
        "{}: train uses all {} rows, which leaves none for dev (task.dev_from: train); lower "
        "task.train_size",
        settings.train, n));
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(train);
  return {{order.begin(), middle}, {order.end() - static_cast<std::ptrdiff_t>(dev), order.end()}};
}

// The option that each row's label names.
std::vector<std::size_t> labels_of(const std::vector<Example>& rows, const Task& task,
                                   const std::string& path) {
  if (task.generates() || !task.each_field.empty() || task.label_field.empty())
    throw ConfigError("[task] train_per_class: rows of the task " + task.name +
                      " have no label that names one of its options; train_size takes rows of any");
  std::vector<OptionText> options;
  for (const Option& option : task.options) options.push_back({option.label, ""});
  std::vector<std::size_t> labels;
  DataFaults faults;
  for (const Example& row : rows)
    faults.collect([&] {
      labels.push_back(
          static_cast<std::size_t>(right_of(row, task, options, place_of(row, path)).front()));
    });
  faults.throw_if_any();
  return labels;
}

Taken of_each_label(const std::vector<Example>& rows, const Places& order,
                    const TaskSettings& settings, const Task& task) {
  const std::vector<std::size_t> labels = labels_of(rows, task, settings.train);
  const auto k = static_cast<std::size_t>(*settings.train_per_class);
  const std::size_t wanted = settings.dev_from_train ? 2 * k : k;
  std::vector<std::size_t> found(task.options.size());
  Taken taken;
  for (const std::uint32_t i : order) {
    const std::size_t before = found[labels[i]]++;
    if (before < k)
      taken.train.push_back(i);
    else if (before < wanted)
      taken.dev.push_back(i);
  }
  for (std::size_t label = 0; label < found.size(); ++label)
    if (found[label] < wanted)
      throw DataError(
          fmt::format("{}: the label {} has {} rows, and task.train_per_class {} wants {}{}",
                      settings.train, task.options[label].label, found[label], k, wanted,
                      settings.dev_from_train ? ", half of them for dev" : ""));
  return taken;
}

Taken take(const std::vector<Example>& rows, const TaskSettings& settings, const Task& task) {
  const Places order = order_of(rows.size(), settings.split_seed);
  return settings.train_per_class ? of_each_label(rows, order, settings, task)
                                  : first_and_last(order, settings);
}

}  // namespace

std::vector<Example> choose_rows(const std::string& path, std::int64_t limit,
                                 std::optional<std::uint64_t> seed) {
  if (!seed) return read_examples(path, limit);
  std::vector<Example> all = read_examples(path);
  Places order = order_of(all.size(), seed);
  if (limit > 0 && static_cast<std::size_t>(limit) < order.size())
    order.resize(static_cast<std::size_t>(limit));
  return in_file_order(all, std::move(order));
}

TrainRows choose_train_rows(const TaskSettings& settings, const Task& task) {
  if (settings.dev_from_train && settings.train.empty())
    throw ConfigError("[task] dev_from: train, and train is not given");
  if (settings.dev_from_train && !settings.dev.empty())
    throw ConfigError("[task] dev_from: train takes dev from the rows of train, and dev is " +
                      settings.dev + ": leave out one of them");
  if (!settings.dev_from_train && !settings.train_per_class)
    return {choose_rows(settings.train, settings.train_size, settings.split_seed), {}};
  std::vector<Example> all = read_examples(settings.train);
  Taken taken = take(all, settings, task);
  return {in_file_order(all, std::move(taken.train)), in_file_order(all, std::move(taken.dev))};
}

std::vector<Example> choose_demonstrations(const TaskSettings& settings, const Task& task) {
  const std::int64_t wanted = settings.demonstrations;
  if (wanted == 0) return {};
  if (settings.train.empty())
    throw ConfigError(
        "[task] demonstrations are rows of train, which is not given: task.train=FILE");
  const auto require = [&](std::size_t rows) {
    if (static_cast<std::size_t>(wanted) > rows)
      throw ConfigError(fmt::format("[task] demonstrations: {}, but train has {} rows of {}",
                                    wanted, rows, settings.train));
  };
  if (!settings.train_per_class) {
    if (settings.train_size > 0 && wanted > settings.train_size)
      require(static_cast<std::size_t>(settings.train_size));
    std::vector<Example> rows = choose_rows(settings.train, wanted, settings.split_seed);
    require(rows.size());
    return rows;
  }
  std::vector<Example> all = read_examples(settings.train);
  Places places = take(all, settings, task).train;
  require(places.size());
  places.resize(static_cast<std::size_t>(wanted));
  return in_file_order(all, std::move(places));
}

}  // namespace mezo
