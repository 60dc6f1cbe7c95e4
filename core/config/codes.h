#pragma once
// The catalogue of configuration errors. An id, once released, keeps its meaning: users search for
// it and scripts match it. New errors take the next number, and an error that is no longer given
// leaves a gap.

#include <span>
#include <string>
#include <string_view>

#include "core/api.h"

namespace mezo {

enum class Code {
  file_not_found = 1,
  not_a_file,
  unreadable_file,
  file_too_large,
  bad_encoding,
  syntax,
  empty_file,
  second_document,
  not_a_map,
  too_deep,
  too_many_values,
  unknown_key,
  duplicate_key,
  tag,
  merge_key,
  bad_key,
  bad_alias,
  missing_setting,
  wrong_type,
  bad_number,
  out_of_range,
  not_a_choice,
  empty_value,
  bad_path,
  unknown_component,
  bad_override,
  override_through_value,
  bad_extends,
  extends_cycle,
};

struct CatalogueEntry {
  Code code;
  std::string_view title;  // a short phrase for the list of errors in the documentation
};

MEZO_API std::span<const CatalogueEntry> catalogue();

// "C012"
MEZO_API std::string id(Code code);
MEZO_API std::string_view title(Code code);

}  // namespace mezo
