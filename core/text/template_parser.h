#pragma once
// The grammar of prompt templates (template.h), read once a template.

#include <string_view>
#include <vector>

#include "core/text/template.h"

namespace mezo {

std::vector<PromptTemplate::Piece> parse_template(std::string_view source);  // throws TemplateError

}  // namespace mezo
