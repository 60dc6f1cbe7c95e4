#include "core/config/extends.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/config/display.h"
#include "core/config/reader.h"
#include "core/config/schema.h"

namespace mezo {
namespace fs = std::filesystem;
namespace {

// The files being read, outermost first, by their real paths.
using Chain = std::vector<fs::path>;

std::optional<Value> load(const fs::path& path, const std::string& name, const Mark& from,
                          const HostSettings& host, std::vector<std::string>& notes, Chain& chain,
                          Diagnostics& d);

// The tree that `tree` extends; nullopt where it extends none or the error is reported.
std::optional<Value> load_base(const Entry& extends, const std::string& name,
                               const HostSettings& host, std::vector<std::string>& notes,
                               Chain& chain, Diagnostics& d) {
  const Value& value = extends.value;
  if (!value.is_scalar() || value.text.empty() || value.text.find('\0') != std::string::npos) {
    d.error(Code::bad_extends, value.mark, "extends must name one file",
            "a path relative to this file, such as 'extends: base.yaml'");
    return std::nullopt;
  }
  const fs::path path = resolve_path(value.text, value.mark);
  const fs::path real = fs::weakly_canonical(path);
  if (std::find(chain.begin(), chain.end(), real) != chain.end()) {
    d.error(Code::extends_cycle, value.mark,
            chain.back() == real
                ? "this file extends itself"
                : fmt::format("{} extends this file in turn", shown(value.text, 200)),
            "remove one of the 'extends'");
    return std::nullopt;
  }
  if (chain.size() >= max_extends) {
    d.error(Code::bad_extends, value.mark,
            fmt::format("more than {} files extend each other", max_extends));
    return std::nullopt;
  }
  // Shown the way the user would name it from here: beside the file that they named.
  const bool absolute = fs::path(value.text).is_absolute() || value.text.starts_with("~/");
  const std::string shown_name =
      absolute ? value.text
               : (fs::path(name).parent_path() / value.text).lexically_normal().string();
  return load(path, shown_name, value.mark, host, notes, chain, d);
}

std::optional<Value> load(const fs::path& path, const std::string& name, const Mark& from,
                          const HostSettings& host, std::vector<std::string>& notes, Chain& chain,
                          Diagnostics& d) {
  const auto source = read_source(path, name, from, d);
  if (!source) return std::nullopt;
  std::optional<Value> tree = parse_file(source, d);
  if (!tree) return std::nullopt;
  const Entry* extends = tree->entry("extends");
  if (!extends) return tree;
  chain.push_back(fs::weakly_canonical(path));
  std::optional<Value> base = load_base(*extends, name, host, notes, chain, d);
  chain.pop_back();
  tree->erase("extends");
  if (!base) return tree;
  // What is missing from both is missing from the file that the user runs.
  base->mark = tree->mark;
  merge(*base, std::move(*tree), host, notes);
  return base;
}

}  // namespace

std::optional<Config> read_config(const std::string& path, const HostSettings& host,
                                  Diagnostics& diagnostics) {
  Config config;
  Chain chain;
  auto tree = load(path, path, {}, host, config.notes, chain, diagnostics);
  if (!tree) return std::nullopt;
  config.tree = std::move(*tree);
  return config;
}

}  // namespace mezo
