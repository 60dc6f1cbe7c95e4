#include "core/task/task.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "core/config/display.h"
#include "core/config/nearest.h"

namespace mezo {

UnknownTask::~UnknownTask() = default;

namespace {

namespace fs = std::filesystem;

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

bool begins_with_word(const PromptTemplate& option) {
  const auto& pieces = option.pieces();
  if (pieces.empty()) return false;
  return pieces[0].kind == PromptTemplate::Kind::field ? pieces[0].modifiers.empty()
                                                       : is_word(pieces[0].text.front());
}

}  // namespace

OptionScore option_score_named(const std::string& name) {
  return name == "mean"  ? OptionScore::mean
         : name == "sum" ? OptionScore::sum
                         : OptionScore::calibrated;
}

std::string Task::score_problem() const {
  if (generates()) return "the task has no options to score";
  if (score != OptionScore::calibrated) return "";
  if (prompt.masks() > 0) return "calibrated is for options that follow a prompt, not for a <mask>";
  if (!neutral_prompt)
    return "calibrated needs the task's neutral_prompt, behind which options are asked for too";
  return "";
}

std::vector<std::string> Task::remarks() const {
  const auto& pieces = prompt.pieces();
  const bool word = !pieces.empty() && (pieces.back().kind == PromptTemplate::Kind::field ||
                                        is_word(pieces.back().text.back()));
  std::vector<std::string> remarks;
  if (prompt.masks() > 0) return remarks;  // options stand there and not behind the prompt
  for (const Option& option : options)
    if (word && begins_with_word(option.text))
      remarks.push_back("the option " + shown(option.source) +
                        " follows the prompt without a space and makes one word with its end; an "
                        "option begins with the space: " +
                        shown(" " + option.source));
  return remarks;
}

std::string find_task(const std::string& name_or_path, const std::vector<std::string>& folders) {
  const bool path = name_or_path.find('/') != std::string::npos ||
                    name_or_path.ends_with(".yaml") || name_or_path.ends_with(".yml");
  if (path) return name_or_path;  // reading it says whether it is there
  std::vector<std::string> known;
  for (const std::string& folder : folders) {
    const fs::path candidate = fs::path(folder) / (name_or_path + ".yaml");
    std::error_code none;
    if (fs::exists(candidate, none)) return candidate.string();
    for (const auto& entry : fs::directory_iterator(folder, none))
      if (entry.path().extension() == ".yaml") known.push_back(entry.path().stem().string());
  }
  std::sort(known.begin(), known.end());
  std::string message = "no task called '" + name_or_path + "'";
  if (const auto guess = nearest(name_or_path, known))
    message += "; did you mean '" + *guess + "'?";
  if (known.empty()) {
    message += " (no task files in";
    for (const std::string& folder : folders) message += " " + folder;
    throw UnknownTask(message + "; give a path)");
  }
  message += " (known:";
  for (const std::string& name : known) message += " " + name;
  throw UnknownTask(message + "; or give a path)");
}

}  // namespace mezo
