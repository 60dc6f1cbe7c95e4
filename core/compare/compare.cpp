#include "core/compare/compare.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <limits>

#include "core/compare/cell.h"
#include "core/compare/child.h"
#include "core/compare/progress_line.h"
#include "core/compare/records.h"
#include "core/compare/report.h"
#include "core/config/display.h"
#include "core/console/interrupt.h"
#include "core/console/progress.h"
#include "core/console/stopwatch.h"
#include "core/error.h"
#include "core/io/atomic_file.h"
#include "core/io/file_descriptor.h"
#include "core/record/run_folder.h"
#include "core/task/metrics.h"

namespace mezo {

namespace {

constexpr int interrupted_code = 6;  // what `mezo run` ends with after a signal

class Comparer {
 public:
  Comparer(const CompareRequest& request, Console& console)
      : request_(request), console_(console), all_(load_comparison(request.config)) {}

  bool compare() {
    if (!request_.metric.empty()) metric_named(request_.metric);
    for (const std::string& note : all_.notes) console_.note(note);
    if (request_.check) return check();
    lock();
    look();
    const Interrupt interrupt;
    write_tables(all_, request_.metric);
    for (std::size_t i = 0; i < runs_.size() && !Interrupt::stop(); ++i)
      if (runs_[i]->state != Cell::State::done) {
        take(*runs_[i], i);
        write_tables(all_, request_.metric);
      }
    return report();
  }

 private:
  // On the folder itself; the system lets go of it with the process.
  void lock() {
    std::error_code error;
    std::filesystem::create_directories(all_.output, error);
    if (error)
      throw RunError("[output] cannot make the folder " + all_.output + ": " + error.message());
    lock_ = FileDescriptor(::open(all_.output.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (lock_ && ::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
      throw RunError("[output] another comparison is writing to " + all_.output +
                     "; wait for it, or give another folder with output=…");
  }

  bool check() {
    look();
    for (const Cell* run : runs_)
      console_.result(fmt::format(
          "{}: {}", run->name,
          run->foreign ? "a run of another configuration is in its folder" : name_of(run->state)));
    return true;
  }

  void look() {
    std::vector<std::string> foreign;
    std::size_t done = 0;
    for (std::size_t i = 0; i < all_.cells.size(); ++i) {
      Cell& cell = all_.cells[i];
      if (cell.run != i) continue;
      look_at(all_, cell);
      runs_.push_back(&cell);
      done += cell.state == Cell::State::done;
      if (cell.foreign) foreign.push_back(cell.folder);
    }
    if (!foreign.empty() && !request_.overwrite && !request_.check)
      throw RunError(fmt::format(
          "[compare] {}{} hold{} a run of another configuration than the sweep now asks for; "
          "--overwrite replaces {}, or give another folder with output=…",
          foreign[0],
          foreign.size() > 1 ? fmt::format(" and {} more folders", foreign.size() - 1) : "",
          foreign.size() > 1 ? "" : "s", foreign.size() > 1 ? "them" : "it"));
    const std::size_t shared = all_.cells.size() - runs_.size();
    console_.say(fmt::format(
        "compare: {} cells{}{}", all_.cells.size(),
        shared ? fmt::format(", {} of them with the run of another, which cannot differ", shared)
               : "",
        done ? fmt::format("; {} of {} runs are done", done, runs_.size()) : ""));
  }

  // One run, from wherever it is to its end or its failure.
  void take(Cell& cell, std::size_t number) {
    const std::string title = fmt::format("{} of {}: {}", number + 1, runs_.size(), cell.name);
    const Stopwatch clock;
    try {
      std::filesystem::create_directories(cell.folder);
      if (cell.foreign) make_room(cell);
      write_file_atomically(all_.file(cell, cell_config), cell.yaml);
      ProgressLine line(console_, title, all_.file(cell, cell_log));
      const Ended ended =
          run_child(arguments_of(cell), all_.file(cell, cell_log), [&] { line.show(); });
      line.erase();
      settle(cell, ended, line.reason());
    } catch (const RunError& error) {
      fail(cell, error.what());
    } catch (const std::filesystem::filesystem_error& error) {
      fail(cell, error.path1().string() + ": " + error.code().message());
    }
    console_.say(fmt::format("{}: {} ({})", title, outcome_text(cell), duration(clock.seconds())));
  }

  // Before the folder says whose run it holds: what is there of another must not be gone on with.
  void make_room(const Cell& cell) {
    RunFolder(cell.folder, Earlier::overwrite, console_).start(cell.yaml);
  }

  std::vector<std::string> arguments_of(const Cell& cell) const {
    std::vector<std::string> arguments = {"run", all_.file(cell, cell_config), "--resume"};
    for (const std::string& folder : request_.plugin_path) {
      arguments.push_back("--plugin-path");
      arguments.push_back(folder);
    }
    return arguments;
  }

  void settle(Cell& cell, const Ended& ended, const std::string& reason) {
    cell.foreign = false;
    const bool stopped =
        Interrupt::stop() && (ended.code == interrupted_code || ended.signal == SIGINT);
    if (stopped || (ended.code == 0 && ended.signal == 0)) {
      look_at(all_, cell);
      if (cell.state == Cell::State::done) return;
      if (stopped) {
        cell.state = Cell::State::interrupted;
        return;
      }
    }
    if (ended.signal != 0)
      return fail(cell,
                  fmt::format("killed by signal {} ({})", ended.signal, ::strsignal(ended.signal)));
    fail(cell, fmt::format("exit code {}{}{}", ended.code, reason.empty() ? "" : ": ", reason));
  }

  static void fail(Cell& cell, std::string why) {
    cell.state = Cell::State::failed;
    cell.outcome.reset();
    cell.failure = std::move(why);
  }

  std::string outcome_text(const Cell& cell) const {
    if (cell.state == Cell::State::failed) return "failed: " + cell.failure;
    if (cell.state != Cell::State::done)
      return cell.outcome ? fmt::format("interrupted after {} steps", cell.outcome->steps)
                          : "interrupted";
    const std::string& metric = request_.metric.empty() ? cell.metric : request_.metric;
    const auto score = estimate_in(cell.outcome->after, metric);
    return score ? metric + " " + shown(metric_named(metric), *score) : "no " + metric;
  }

  // Once for all that failed for the same reason.
  void say_failures() {
    std::vector<std::pair<const Cell*, std::size_t>> reasons;
    for (const Cell* run : runs_) {
      if (run->state != Cell::State::failed) continue;
      const auto same = std::ranges::find_if(
          reasons, [&](const auto& reason) { return reason.first->failure == run->failure; });
      if (same == reasons.end())
        reasons.emplace_back(run, 0);
      else
        ++same->second;
    }
    for (const auto& [run, others] : reasons)
      console_.say(fmt::format("failed: {}{}: {}; all it said: {}", run->name,
                               others ? fmt::format(" and {} more", others) : "", run->failure,
                               all_.file(*run, cell_log)));
  }

  bool report() {
    const std::size_t width =
        console_.terminal() ? console_.width() : std::numeric_limits<std::size_t>::max();
    if (console_.terminal()) console_.err("\n");
    console_.out(printable(table_of(all_, request_.metric, width)));
    const auto in = [&](Cell::State state) {
      return static_cast<std::size_t>(
          std::ranges::count_if(runs_, [&](const Cell* run) { return run->state == state; }));
    };
    const std::size_t failed = in(Cell::State::failed), done = in(Cell::State::done);
    say_failures();
    if (done < runs_.size())
      console_.say(fmt::format("{} of {} runs are done{}; the same command goes on with the others",
                               done, runs_.size(),
                               failed ? fmt::format(", {} failed", failed) : ""));
    console_.result((std::filesystem::path(all_.output) / "compare.json").string());
    return done == runs_.size();
  }

  const CompareRequest& request_;
  Console& console_;
  Comparison all_;
  FileDescriptor lock_;
  std::vector<Cell*> runs_;  // the cells that have a run of their own
};

}  // namespace

bool compare(const CompareRequest& request, Console& console) {
  return Comparer(request, console).compare();
}

}  // namespace mezo
