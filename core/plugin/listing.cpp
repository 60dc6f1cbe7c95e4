#include "core/plugin/listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace mezo {

namespace {

using Row = std::array<std::string, 5>;

Row row_of(const Component& component) {
  const mezo_plugin& plugin = *component.plugin->descriptor;
  return {std::string(kind_name(component.kind())), std::string(component.id()),
          component.descriptor->summary, fmt::format("{} {}", plugin.name, plugin.version),
          component.plugin->path.string()};
}

std::string table(const std::vector<Row>& rows) {
  std::array<std::size_t, 5> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  widths.back() = 0;  // nothing follows it
  std::string text;
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += fmt::format("{}{:<{}}", i == 0 ? "" : "  ", row[i], widths[i]);
    }
    text += '\n';
  }
  return text;
}

std::string component_table(const Registry& registry) {
  std::vector<Row> rows = {{"KIND", "ID", "SUMMARY", "PLUGIN", "FILE"}};
  for (mezo_kind kind : {MEZO_MODEL, MEZO_PEFT, MEZO_OBJECTIVE}) {
    for (const Component* component : registry.components(kind)) rows.push_back(row_of(*component));
  }
  return rows.size() == 1 ? "no components\n" : table(rows);
}

}  // namespace

std::string list_components(const Registry& registry) {
  std::string text = component_table(registry);
  for (const auto& plugin : registry.plugins()) {
    for (const std::string& warning : plugin->warnings) {
      text += fmt::format("warning: {}: {}\n", plugin->path.string(), warning);
    }
  }
  for (const BrokenPlugin& broken : registry.broken()) {
    text += fmt::format("broken: {}: {}\n", broken.path.string(), broken.reason);
  }
  for (const PluginFolder& folder : registry.folders()) {
    text += fmt::format("searched: {} ({})\n", folder.path.string(), folder.origin);
  }
  return text;
}

}  // namespace mezo
