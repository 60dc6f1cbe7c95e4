#pragma once
// What a person sees while a run goes on: on a terminal one line that is redrawn, in a pipe or a
// file a plain line every ten seconds. Goes to stderr, so that results on stdout stay clean.

#include <string>
#include <vector>

#include "core/api.h"
#include "core/console/console.h"
#include "core/console/stopwatch.h"

namespace mezo {

class MEZO_API Progress {
 public:
  // `title` begins each line: "training". `unit`: "step", "example". `total` of them are ahead, of
  // which `before` were done earlier: time is reckoned from there.
  Progress(Console& console, std::string title, std::string unit, long long total,
           long long before = 0);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `done` of `total`; `details` are shown behind the bar, the most important first: "loss 0.61",
  // "g -12.4".
  void show(long long done, const std::vector<std::string>& details = {});

  // A line for good, above the bar: an evaluation, a warning.
  void note(const std::string& line);

 private:
  std::string draw(long long done, const std::vector<std::string>& details, double seconds) const;
  void erase();

  Console& console_;
  std::string title_, unit_;
  long long total_, before_;
  bool terminal_;
  bool drawn_ = false;
  Stopwatch start_, last_;
};

// "1:05", "2:03:10".
MEZO_API std::string duration(double seconds);

}  // namespace mezo
