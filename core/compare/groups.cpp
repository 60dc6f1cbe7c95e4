#include "core/compare/groups.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace mezo {

namespace {

void add_run(Group& group, const Cell& run) {
  if (std::ranges::find(group.runs, &run) != group.runs.end()) return;
  group.runs.push_back(&run);
  group.done += run.state == Cell::State::done;
  group.failed += run.state == Cell::State::failed;
}

Mean mean_at(const Group& group, std::map<std::string, double> Outcome::*moment) {
  std::vector<double> numbers;
  for (const Cell* run : group.runs) {
    if (run->state != Cell::State::done) continue;
    const auto& scores = (*run->outcome).*moment;
    if (const auto score = scores.find(group.metric); score != scores.end())
      numbers.push_back(score->second);
  }
  return mean_of(numbers);
}

}  // namespace

Mean mean_of(const std::vector<double>& numbers) {
  Mean mean{numbers.size()};
  if (numbers.empty()) return mean;
  const auto count = static_cast<double>(numbers.size());
  mean.mean = std::accumulate(numbers.begin(), numbers.end(), 0.0) / count;
  if (numbers.size() < 2) return mean;
  double squares = 0;
  for (const double number : numbers) squares += (number - mean.mean) * (number - mean.mean);
  mean.standard_error = std::sqrt(squares / (count - 1) / count);
  return mean;
}

Costs costs_of(const std::vector<const Cell*>& runs) {
  Costs costs;
  std::uint64_t passes = 0, done = 0, counted = 0;
  for (const Cell* run : runs) {
    if (run->state != Cell::State::done) continue;
    const Outcome& outcome = *run->outcome;
    ++done;
    costs.seconds += outcome.seconds;
    costs.peak_memory_bytes = std::max(costs.peak_memory_bytes, outcome.peak_memory_bytes);
    counted += outcome.forward_passes.has_value();
    passes += outcome.forward_passes.value_or(0);
  }
  if (done > 0) costs.seconds /= static_cast<double>(done);
  if (done > 0 && counted == done) costs.forward_passes = passes / done;
  return costs;
}

std::vector<Group> groups_of(const Comparison& comparison, const std::string& metric) {
  std::vector<Group> groups;
  std::map<std::vector<std::size_t>, std::size_t> places;
  for (const Cell& cell : comparison.cells) {
    std::vector<std::size_t> at = cell.at;
    for (std::size_t i = 0; i < at.size(); ++i)
      if (comparison.axes[i].only_seeds()) at[i] = 0;
    const auto [place, added] = places.emplace(at, groups.size());
    if (added) groups.push_back({at, {}, {}, metric.empty() ? cell.metric : metric});
    Group& group = groups[place->second];
    group.cells.push_back(&cell);
    add_run(group, comparison.run_of(cell));
  }
  for (Group& group : groups) {
    group.before = mean_at(group, &Outcome::before);
    group.after = mean_at(group, &Outcome::after);
    const Costs costs = costs_of(group.runs);
    group.seconds = costs.seconds;
    group.peak_memory_bytes = costs.peak_memory_bytes;
    group.forward_passes = costs.forward_passes;
  }
  return groups;
}

}  // namespace mezo
