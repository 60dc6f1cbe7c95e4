#include "core/run/run_folder.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/io/atomic_file.h"

namespace mezo {

namespace {

namespace fs = std::filesystem;

constexpr const char* files[] = {"result.json", "config.yaml", "metrics.jsonl", "timing.jsonl",
                                 "predictions.jsonl"};

std::string text_of(const nlohmann::ordered_json& json, int indent = -1) {
  return json.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

std::string RunFolder::file(const std::string& name) const {
  return (fs::path(path_) / name).string();
}

RunFolder::RunFolder(std::string path, bool overwrite) : path_(std::move(path)) {
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) throw RunError("[output] cannot make the folder " + path_ + ": " + error.message());
  if (fs::exists(file("result.json"), error) && !overwrite)
    throw RunError("[output] " + path_ +
                   " holds the result of an earlier run; give another folder with output=…, or "
                   "--overwrite to replace it");
  const AtomicFile probe(file("config.yaml"));  // never committed: only whether it can be
}

void RunFolder::start(const std::string& config_yaml) {
  std::error_code error;
  for (const char* name : files) {
    fs::remove(file(name), error);
    if (error) throw RunError("[output] cannot replace " + file(name) + ": " + error.message());
  }
  write_file_atomically(file("config.yaml"), config_yaml);
}

void RunFolder::metric(const nlohmann::ordered_json& line) {
  if (!metrics_) metrics_.emplace(file("metrics.jsonl"));
  metrics_->append(text_of(line));
}

void RunFolder::timing(const nlohmann::ordered_json& line) {
  if (!timing_) timing_.emplace(file("timing.jsonl"));
  timing_->append(text_of(line));
}

void RunFolder::write_predictions(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  write_file_atomically(file("predictions.jsonl"), text);
}

void RunFolder::write_result(const nlohmann::ordered_json& result) {
  write_file_atomically(file("result.json"), text_of(result, 2) + "\n");
}

}  // namespace mezo
