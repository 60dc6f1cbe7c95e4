#pragma once
// Checks a block of a configuration against a parameter table: unknown keys, types, ranges,
// choices, what is missing. The same rows that `mezo plugins ID` prints decide here. Everything
// wrong is collected in the Diagnostics.
//
// What a value may look like: numbers as in core/config/spelling.h, unquoted (quoted text is never
// a number or a boolean, but may be a word such as "auto"); text as any scalar, kept as written; a
// list of texts as a sequence or one scalar; a path made absolute from the folder of the file that
// it is written in. A key without a value is an error.

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/api.h"
#include "core/config/diagnostics.h"
#include "core/config/parameter.h"
#include "core/config/parameters.h"
#include "core/config/tree.h"

namespace mezo {

// The values of one block. `block` may be nullptr (the file does not have it: all defaults); a
// missing required setting is then reported at `parent`, the mark of the map that lacks the block.
// `name` is the block's name for messages, "" for the top level. Values in error take their
// defaults, so call diagnostics.throw_if_any() before using the result.
MEZO_API Parameters check(const Value* block, std::string_view name,
                          std::span<const mezo_parameter> table, Diagnostics& diagnostics,
                          const Mark& parent = {});

// The top level of a run: the maps named in `blocks` (each checked by a call of check() of its
// own), and plain settings such as `output:` by `settings`. Reports every other key.
MEZO_API Parameters check_top_level(const Value& tree, std::span<const std::string> blocks,
                                    std::span<const mezo_parameter> settings,
                                    Diagnostics& diagnostics);

// Which component a block's `type:` asks for: one of `ids`, or `fallback` where the block or the
// key is missing (an empty fallback makes it required). `kind` is for messages: "objective";
// `beside` is what they say behind the ids: what could not be loaded. "" after an error; do not
// check the block then.
MEZO_API std::string component_of(const Value* block, std::string_view name, std::string_view kind,
                                  std::span<const std::string> ids, const std::string& fallback,
                                  Diagnostics& diagnostics, const Mark& parent = {},
                                  const std::string& beside = "");

// The host's rows of a block followed by those of the component that its `type` picked: the table
// for check().
MEZO_API std::vector<mezo_parameter> join(std::span<const mezo_parameter> host,
                                          std::span<const mezo_parameter> component);

// A path as it is meant where `mark` stands: absolute, "~/" taken from HOME, relative to the folder
// of the mark's file, or to the working folder for arguments and defaults. The file need not exist.
MEZO_API std::filesystem::path resolve_path(std::string_view text, const Mark& mark);

}  // namespace mezo
