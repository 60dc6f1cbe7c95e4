#include "core/record/run_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/io/atomic_file.h"
#include "core/zo/trajectory.h"

namespace mezo {

namespace {

namespace fs = std::filesystem;

// result.json goes first: without it nobody takes what is left for a whole run.
constexpr const char* files[] = {"result.json",
                                 "trajectory.mezo",
                                 "config.yaml",
                                 "metrics.jsonl",
                                 "timing.jsonl",
                                 "predictions.jsonl",
                                 "initial.safetensors",
                                 "adapter/adapter_config.json",
                                 "adapter/adapter_model.safetensors"};

std::string text_of(const nlohmann::ordered_json& json, int indent = -1) {
  return json.dump(indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

std::string RunFolder::file(const std::string& name) const {
  return (fs::path(path_) / name).string();
}

bool RunFolder::has(const std::string& name) const {
  std::error_code none;
  return fs::exists(file(name), none);
}

RunFolder::RunFolder(std::string path, Earlier earlier, Console& console) : path_(std::move(path)) {
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) throw RunError("[output] cannot make the folder " + path_ + ": " + error.message());
  lock(console);
  if (has("result.json") && earlier == Earlier::keep) refuse_result();
  if (earlier == Earlier::keep && has("trajectory.mezo"))
    if (const auto steps = read_trajectory(file("trajectory.mezo")).steps(); steps > 0)
      throw RunError("[output] " + path_ + " holds " + std::to_string(steps) +
                     " steps of a run that did not end; go on with --resume, give another folder "
                     "with output=…, or --overwrite to replace them");
  const AtomicFile probe(file("config.yaml"));  // never committed: only whether it can be
}

void RunFolder::refuse_result() const {
  throw RunError("[output] " + path_ +
                 " holds the result of an earlier run; give another folder with output=…, or "
                 "--overwrite to replace it");
}

// On the folder itself, so that nothing is left behind; the system lets go of it with the process.
void RunFolder::lock(Console& console) {
  lock_ = FileDescriptor(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock_) throw RunError("[output] cannot open " + path_ + ": " + std::strerror(errno));
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) == 0) return;
  if (errno == EWOULDBLOCK)
    throw RunError("[output] another run is writing to " + path_ +
                   "; wait for it, or give another folder with output=…");
  console.note(fmt::format("{} cannot be locked ({}); start no other run in it meanwhile", path_,
                           std::strerror(errno)));
}

// A folder of that name may be anybody's: it is the run's if its result says so.
bool RunFolder::wrote_model() const {
  if (!has("result.json")) return false;
  std::ifstream in(file("result.json"));
  const auto json = nlohmann::json::parse(in, nullptr, /*allow_exceptions=*/false);
  return json.is_object() && json.value("trained_model", nlohmann::json()) == model_folder;
}

void RunFolder::start(const std::string& config_yaml) {
  std::error_code error;
  if (wrote_model()) fs::remove_all(file(model_folder), error);
  for (const char* name : files) {
    fs::remove(file(name), error);
    if (error) throw RunError("[output] cannot replace " + file(name) + ": " + error.message());
  }
  write_file_atomically(file("config.yaml"), config_yaml);
}

void RunFolder::resume(const std::string& config_yaml) {
  std::error_code error;
  fs::remove(file("result.json"), error);
  if (error)
    throw RunError("[output] cannot replace " + file("result.json") + ": " + error.message());
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

void RunFolder::sync_lines() {
  for (std::optional<LineFile>* lines : {&metrics_, &timing_})
    if (*lines) (*lines)->sync();
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
