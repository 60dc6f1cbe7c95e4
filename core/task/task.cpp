#include "core/task/task.h"

#include <algorithm>
#include <filesystem>

#include "core/config/diagnostics.h"
#include "core/config/display.h"
#include "core/config/nearest.h"
#include "core/config/reader.h"
#include "core/config/schema.h"

namespace mezo {

UnknownTask::~UnknownTask() = default;

namespace {

namespace fs = std::filesystem;

constexpr const char* metrics[] = {"accuracy", nullptr};
constexpr mezo_parameter table[] = {
    {"prompt", MEZO_TEXT, nullptr, nullptr, nullptr, nullptr, "what the model reads, with {fields} of the example"},
    {"label", MEZO_TEXT, "label", nullptr, nullptr, nullptr, "the field that holds the right option's value"},
    {"metric", MEZO_TEXT, "accuracy", nullptr, metrics, nullptr, "how answers are measured"},
    {"summary", MEZO_TEXT, "", nullptr, nullptr, nullptr, "one line for people"}};

// `options` has keys of the user's choice, so no table describes it.
std::vector<Option> read_options(const Value& tree, Diagnostics& diagnostics) {
  const Value* options = tree.find("options");
  if (!options || !options->is_map() || options->entries.size() < 2) {
    diagnostics.error(Code::missing_setting, options ? options->mark : tree.mark,
                      "options: expected a map of at least two, from the label's value to the text that answers",
                      "for example  options: {0: \" terrible\", 1: \" great\"}");
    return {};
  }
  std::vector<Option> list;
  for (const Entry& entry : options->entries) {
    if (!entry.value.is_scalar() || entry.value.text.empty())
      diagnostics.error(Code::wrong_type, entry.value.mark, "the option for " + shown(entry.key) + " must be text that is not empty");
    list.push_back({entry.key, entry.value.text});
  }
  return list;
}

}  // namespace

Task load_task(const std::string& path) {
  Diagnostics diagnostics;
  const std::optional<Value> tree = read_yaml(path, diagnostics);
  diagnostics.throw_if_any();
  std::vector<Option> options = read_options(*tree, diagnostics);
  Value rest = *tree;
  rest.erase("options");
  const Parameters p = check(&rest, "", table, diagnostics, tree->mark);
  diagnostics.throw_if_any();
  try {
    return {fs::path(path).stem().string(), path, PromptTemplate(p.text("prompt")), std::move(options), p.text("label"), p.text("metric")};
  } catch (const TemplateError& e) {
    diagnostics.error(Code::wrong_type, tree->find("prompt")->mark, std::string("prompt: ") + e.what());
    diagnostics.throw_if_any();
    throw;
  }
}

std::string find_task(const std::string& name_or_path, const std::vector<std::string>& folders) {
  const bool path = name_or_path.find('/') != std::string::npos || name_or_path.ends_with(".yaml") || name_or_path.ends_with(".yml");
  if (path) return name_or_path;  // reading it says whether it is there
  std::vector<std::string> known;
  for (const std::string& folder : folders) {
    const fs::path candidate = fs::path(folder) / (name_or_path + ".yaml");
    if (fs::exists(candidate)) return candidate.string();
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(folder, none))
      if (entry.path().extension() == ".yaml") known.push_back(entry.path().stem().string());
  }
  std::sort(known.begin(), known.end());
  std::string message = "no task called '" + name_or_path + "'";
  if (const auto guess = nearest(name_or_path, known)) message += "; did you mean '" + *guess + "'?";
  message += " (known:";
  for (const std::string& name : known) message += " " + name;
  throw UnknownTask(message + "; or give a path)");
}

}  // namespace mezo
