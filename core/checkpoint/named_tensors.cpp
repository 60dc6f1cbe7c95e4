#include "core/checkpoint/named_tensors.h"

#include <optional>
#include <set>
#include <string_view>

#include "core/error.h"
#include "core/model/name_pattern.h"

namespace mezo {

namespace {

// What the stars of a pattern stand for in `text`, from the left as little as possible; nothing
// where it does not match.
std::optional<std::vector<std::string>> captured(std::string_view pattern, std::string_view text) {
  std::vector<std::string> stars;
  std::size_t star = pattern.find('*');
  if (star == pattern.npos) return pattern == text ? std::optional(stars) : std::nullopt;
  if (!text.starts_with(pattern.substr(0, star))) return std::nullopt;
  text.remove_prefix(star);
  for (pattern.remove_prefix(star + 1);; pattern.remove_prefix(star + 1)) {
    star = pattern.find('*');
    const std::string_view part = pattern.substr(0, star);
    const bool last = star == pattern.npos;
    if (last && !text.ends_with(part)) return std::nullopt;
    const std::size_t at = last ? text.size() - part.size() : text.find(part);
    if (at == text.npos) return std::nullopt;
    stars.emplace_back(text.substr(0, at));
    if (last) return stars;
    text.remove_prefix(at + part.size());
  }
}

std::string filled(std::string_view pattern, const std::vector<std::string>& stars) {
  std::string text;
  std::size_t next = 0;
  for (const char c : pattern)
    if (c == '*')
      text += stars.at(next++);
    else
      text += c;
  return text;
}

const TensorNames::Synonym* synonym_of(const TensorNames& names, const std::string& name) {
  for (const TensorNames::Synonym& synonym : names.synonyms)
    if (name == synonym.first || name == synonym.second) return &synonym;
  return nullptr;
}

}  // namespace

NamedTensors name_tensors(const TensorFile& tensors, const TensorNames& names,
                          std::span<const ParameterSpec> parameters) {
  std::set<std::string> declared;
  for (const ParameterSpec& spec : parameters) declared.insert(spec.name);
  NamedTensors named;
  for (const TensorView& view : tensors.tensors()) {
    std::string name = view.name;
    NamedTensor tensor{&view};
    for (const TensorNames::Alias& alias : names.aliases)
      if (const auto stars = captured(alias.file, view.name)) {
        name = filled(alias.name, *stars);
        tensor.rotary_heads = alias.rotary_heads;
        tensor.transposed = alias.transposed && view.shape.size() == 2;
        tensor.added = static_cast<float>(alias.added);
        break;
      }
    const TensorNames::Synonym* synonym = synonym_of(names, name);
    const bool counts = synonym && name == synonym->first;
    if (synonym) name = declared.contains(synonym->first) ? synonym->first : synonym->second;
    if (!declared.contains(name) && !names.optional_prefix.empty())
      name = names.optional_prefix + name;
    if (declared.contains(name)) {
      const auto [other, fresh] = named.found.try_emplace(name, tensor);
      if (synonym && name == synonym->first) named.twice[name] = synonym->second;
      if (!fresh && synonym) {
        if (counts) other->second = tensor;
        if (name == synonym->second) named.twice[name] = synonym->first;
      } else if (!fresh)
        throw ModelError("[" + tensors.path_of(view) + "] tensors " + other->second.view->name +
                         " and " + view.name + " are both the model's " + name);
      continue;
    }
    bool ignored = false;
    for (const std::string& pattern : names.ignored) ignored |= matches(pattern, view.name);
    if (!ignored) named.unused.push_back(view.name);
  }
  return named;
}

}  // namespace mezo
