#pragma once
// The folder that a run leaves behind. Made before anything slow happens, so that a folder that
// cannot be written is known at once; every file is either whole or grows by whole lines.
//
//   config.yaml        the resolved run; running it again repeats it
//   trajectory.mezo    the checkpoint: what the run started from and every step since
//   initial.safetensors  with an adapter: its values before the first step
//   adapter/           the trained adapter, for the peft package where that can express it
//   model/             of a first-order run that trained the model's own weights: the trained model
//   metrics.jsonl      a line a logged step or evaluation; the same on every repetition
//   timing.jsonl       seconds, which are not
//   predictions.jsonl  a line a test example
//   result.json        written last: its presence means that the run came to an end

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/api.h"
#include "core/console/console.h"
#include "core/io/file_descriptor.h"
#include "core/io/line_file.h"

namespace mezo {

inline constexpr const char* model_folder = "model";

// What may happen to an earlier run that is in the folder.
enum class Earlier {
  keep,       // nothing: its result, or steps that --resume could go on from, are an error
  overwrite,  // it is replaced
  resume      // it goes on
};

class MEZO_API RunFolder {
 public:
  // Makes the folder and locks it against other runs while this object lives; where it cannot be
  // locked, a note says so. Throws RunError if it cannot be written, is in use, or holds what must
  // be kept; removes nothing. What Earlier::resume makes of a result is left to the caller.
  RunFolder(std::string path, Earlier earlier, Console& console);

  // Call one of them once nothing can keep the run from starting. start() removes what an earlier
  // run left, resume() its result; both write config.yaml. Nothing that is not one of the files
  // above is touched.
  void start(const std::string& config_yaml);
  void resume(const std::string& config_yaml);

  void metric(const nlohmann::ordered_json& line);
  void timing(const nlohmann::ordered_json& line);
  // Returns when the lines of both are on the disk.
  void sync_lines();
  void write_predictions(const std::vector<std::string>& lines);
  void write_result(const nlohmann::ordered_json& result);

  // Whether the folder `model` was written by the run whose result is there; start() removes it
  // then.
  bool wrote_model() const;

  // Throws RunError: what is there stays.
  [[noreturn]] void refuse_result() const;

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const;
  bool has(const std::string& name) const;

 private:
  void lock(Console& console);

  std::string path_;
  FileDescriptor lock_;
  std::optional<LineFile> metrics_, timing_;
};

}  // namespace mezo
