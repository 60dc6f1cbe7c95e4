#pragma once
// The folder that a run leaves behind. Made before anything slow happens, so that a folder that
// cannot be written is known at once; every file is either whole or grows by whole lines.
//
//   config.yaml        the resolved run; running it again repeats it
//   metrics.jsonl      a line a logged step or evaluation; the same on every repetition
//   timing.jsonl       seconds, which are not
//   predictions.jsonl  a line a test example
//   result.json        written last: its presence means that the run came to an end

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/api.h"
#include "core/io/line_file.h"

namespace mezo {

class MEZO_API RunFolder {
 public:
  // Makes the folder. Throws RunError if it cannot be written, or holds a result and `overwrite` is
  // false; removes nothing.
  RunFolder(std::string path, bool overwrite);

  // Call it once nothing can keep the run from starting: removes what an earlier run left, then
  // writes config.yaml. Nothing that is not one of the files above is touched.
  void start(const std::string& config_yaml);
  void metric(const nlohmann::ordered_json& line);
  void timing(const nlohmann::ordered_json& line);
  void write_predictions(const std::vector<std::string>& lines);
  void write_result(const nlohmann::ordered_json& result);

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const;

 private:
  std::string path_;
  std::optional<LineFile> metrics_, timing_;
};

}  // namespace mezo
