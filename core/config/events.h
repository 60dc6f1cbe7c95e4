#pragma once
// Builds the tree of core/config/tree.h from yaml-cpp's events. Private to core/config: the only
// header that names yaml-cpp. yaml-cpp's own Node is not used because it drops duplicate keys, has
// no marks for keys and shares aliased nodes.

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/config/diagnostics.h"
#include "core/config/tree.h"

namespace mezo {

class TreeBuilder : public YAML::EventHandler {
 public:
  // Thrown through yaml-cpp to stop reading. Not an exception of the interface: reader.cpp catches
  // it.
  struct Stop {
    Diagnostic diagnostic;
  };

  // `skip`: bytes of the first line that yaml-cpp did not see.
  TreeBuilder(std::shared_ptr<const Source> source, std::size_t skip, Diagnostics& diagnostics)
      : source_(std::move(source)), skip_(skip), diagnostics_(diagnostics) {}

  std::optional<Value> take() { return std::move(root_); }
  Mark place(const YAML::Mark& mark) const;
  // The innermost list or map that has begun and not ended; a mark without a source where there is
  // none.
  Mark open_place() const { return frames_.empty() ? Mark{} : frames_.back().node.value.mark; }

  void OnDocumentStart(const YAML::Mark& mark) override;
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override;
  void OnMapEnd() override { close(); }

 private:
  struct Anchored {
    Value value;
    std::size_t count = 1;  // values in it, itself included
    int depth = 0;          // levels of nesting below it
  };
  struct Frame {
    Anchored node;
    YAML::anchor_t anchor = 0;
    bool has_key = false;     // a map that waits for the value of `key`
    bool key_usable = false;  // false: the key was refused, and its value is dropped
    std::string key;
    Mark key_mark;
    std::unordered_map<std::string, std::size_t> seen;  // key -> index in entries
  };

  void check_closed(const YAML::Mark& mark) const;
  void check_tag(const Mark& mark, const std::string& tag);
  void open(Value value, YAML::anchor_t anchor);
  void close();
  void add(Anchored node, YAML::anchor_t anchor);
  void take_key(Frame& frame, const Value& key);
  void count(std::size_t values, const Mark& mark);
  void check_depth(int depth, const Mark& mark);

  std::shared_ptr<const Source> source_;
  std::size_t skip_;
  Diagnostics& diagnostics_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  std::optional<Value> root_;
  std::size_t values_ = 0;
  int documents_ = 0;
};

}  // namespace mezo
