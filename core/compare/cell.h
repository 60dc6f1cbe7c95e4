#pragma once
// The cells of a comparison: one run for each combination of the axes' choices, as a configuration
// of its own in a folder of its own.

#include <optional>
#include <string>
#include <vector>

#include "core/compare/outcome.h"
#include "core/compare/sweep.h"
#include "core/settings/run_config.h"

namespace mezo {

struct Cell {
  std::vector<std::size_t> at;  // the choice of each axis
  std::string name;             // "MeZO LoRA, SST-2, seed=0"
  std::string folder;           // absolute; also what its run is called
  std::string requested;        // the hash that its result.json will have
  std::string yaml;             // what `mezo run` is given, with that hash in its first line
  std::string metric;           // of its task
  std::size_t run = 0;          // the cell whose run it takes its numbers from: itself, or an
                                // earlier one whose run cannot differ

  enum class State { waiting, done, interrupted, failed } state = State::waiting;
  bool foreign = false;            // the folder holds a run of another configuration
  std::optional<Outcome> outcome;  // done or interrupted
  std::string failure;             // failed: its last words
};

const char* name_of(Cell::State state);  // "waiting", "done", …

struct Comparison {
  std::string path, output;  // of the configuration; the folder that all cells are in, absolute
  std::vector<Axis> axes;
  std::vector<Cell> cells;
  std::vector<std::string> notes;  // lines for the user

  const Cell& run_of(const Cell& cell) const { return cells[cell.run]; }
  std::string file(const Cell& cell, const char* name) const;
};

constexpr const char* cell_config = "cell.yaml";
constexpr const char* cell_log = "log.txt";

// Checks every cell's configuration. Throws ConfigError with all that is wrong, each error once and
// behind the names of the cells that have it; PluginError.
Comparison load_comparison(const ConfigRequest& request);

// Finds out what earlier calls left in the cell's folder. Throws RunError for a result that cannot
// be read.
void look_at(const Comparison& comparison, Cell& cell);

}  // namespace mezo
