#include "core/config/merge.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/config/display.h"

namespace mezo {
namespace {

void merge_maps(Value& base, Value& over) {
  for (Entry& entry : over.entries) {
    Entry* old = base.entry(entry.key);
    if (old && old->value.is_map() && entry.value.is_map())
      merge_maps(old->value, entry.value);
    else
      base.set(entry.key, std::move(entry.value), entry.mark);
  }
}

const Value* type_of(const Value& block) {
  const Value* type = block.find("type");
  return type && type->is_scalar() ? type : nullptr;
}

void reset(Value& block, const Value& over, const std::string& name, const HostSettings& host,
           std::vector<std::string>& notes) {
  const Value* old_type = type_of(block);
  const Value* new_type = type_of(over);
  if (!old_type || !new_type || old_type->text == new_type->text) return;
  const auto kept = host.find(name);
  const auto keeps = [&](const Entry& entry) {
    return entry.key == "type" ||
           (kept != host.end() &&
            std::find(kept->second.begin(), kept->second.end(), entry.key) != kept->second.end());
  };
  std::vector<std::string> dropped;
  for (const Entry& entry : block.entries)
    if (!keeps(entry)) dropped.push_back(fmt::format("{} ({})", entry.key, entry.mark.place()));
  if (!dropped.empty())
    notes.push_back(fmt::format("{}: {}.type is {} instead of {}; dropped the settings of {}: {}",
                                new_type->mark.place(), name, shown(new_type->text),
                                shown(old_type->text), shown(old_type->text),
                                fmt::join(dropped, ", ")));
  std::erase_if(block.entries, [&](const Entry& entry) { return !keeps(entry); });
}

}  // namespace

void merge(Value& base, Value over, const HostSettings& host, std::vector<std::string>& notes) {
  for (const Entry& entry : over.entries)
    if (Entry* old = base.entry(entry.key); old && old->value.is_map() && entry.value.is_map())
      reset(old->value, entry.value, entry.key, host, notes);
  merge_maps(base, over);
}

}  // namespace mezo
