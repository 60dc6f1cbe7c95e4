#pragma once
// Looks into quantization_config, which is another object for each library. Used by the readers of
// core/checkpoint/quantised_forms.h.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/model/model_config.h"

namespace mezo {

// Of config.json, an object.
inline constexpr const char* quantisation_key = "quantization_config";

// "quantization_config.bits".
std::string quantisation(const std::string& key);

// Throws ModelError for a key of `object` with a value that is none of `known`.
void refuse_other_keys(const ModelConfig& config, const std::string& object,
                       std::initializer_list<std::string_view> known);

// The first of these keys that has a value, or the first.
std::string either(const ModelConfig& config, std::initializer_list<const char*> keys);

// An integer, or nothing where it is -1, which stands for all columns.
std::optional<std::int64_t> group_size(const ModelConfig& config, const std::string& key,
                                       std::int64_t otherwise);

// A text in lower case that must be one of `allowed`; absent, it is the first.
std::string one_of(const ModelConfig& config, const std::string& key,
                   std::initializer_list<std::string_view> allowed, const std::string& why);

}  // namespace mezo
