#pragma once
// Unicode's normal forms (UAX #15), of the Unicode that the `tokenizers` package's normalizers
// follow. Linear; a text of code points below U+0300 is given back as it is for NFC.

#include <string>
#include <string_view>

#include "core/text/tokenizer_steps.h"

namespace mezo {

std::string to_normal_form(std::string_view text, NormalForm form);  // valid UTF-8

}  // namespace mezo
