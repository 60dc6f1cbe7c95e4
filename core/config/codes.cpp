#include "core/config/codes.h"

#include <fmt/format.h>

namespace mezo {
namespace {

constexpr CatalogueEntry entries[] = {
    {Code::file_not_found, "a file does not exist"},
    {Code::not_a_file, "a folder or device where a file is needed"},
    {Code::unreadable_file, "a file cannot be read"},
    {Code::file_too_large, "a configuration of more than 1 MiB"},
    {Code::bad_encoding, "bytes that are not UTF-8 text"},
    {Code::syntax, "the text is not YAML"},
    {Code::empty_file, "a file without settings"},
    {Code::second_document, "a second YAML document in one file"},
    {Code::not_a_map, "a value where a map of settings is needed"},
    {Code::too_deep, "values nested too deeply"},
    {Code::too_many_values, "too many values, counting each use of an alias"},
    {Code::unknown_key, "a key that nothing reads"},
    {Code::duplicate_key, "a key given twice in one map"},
    {Code::tag, "a YAML tag"},
    {Code::merge_key, "a YAML merge key"},
    {Code::bad_key, "a key that is not plain text"},
    {Code::bad_alias, "an alias without its anchor"},
    {Code::missing_setting, "a required setting is missing"},
    {Code::wrong_type, "a value of the wrong type"},
    {Code::bad_number, "a number in a form that is not accepted"},
    {Code::out_of_range, "a number outside of its range"},
    {Code::not_a_choice, "a word that is not one of the choices"},
    {Code::empty_value, "a key without a value"},
    {Code::bad_path, "a path that cannot be used"},
    {Code::unknown_component, "a component that no plugin provides"},
    {Code::bad_override, "an argument that is not key=value"},
    {Code::override_through_value, "an override below something that is not a map"},
    {Code::bad_extends, "extends: does not name one file"},
    {Code::extends_cycle, "files that extend each other"},
};

}  // namespace

std::span<const CatalogueEntry> catalogue() { return entries; }

std::string id(Code code) { return fmt::format("C{:03}", static_cast<int>(code)); }

std::string_view title(Code code) {
  for (const CatalogueEntry& entry : entries)
    if (entry.code == code) return entry.title;
  return "";
}

}  // namespace mezo
