#include "core/text/decoder.h"

#include <charconv>

#include "core/text/byte_level.h"
#include "core/text/pattern.h"
#include "core/text/utf8.h"

namespace mezo {
namespace {

using Tokens = std::vector<std::string>;

std::string joined(const Tokens& tokens, std::string_view between) {
  std::string text;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0) text += between;
    text += tokens[i];
  }
  return text;
}

void replace_in(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

void run(decoder::ByteLevel, Tokens& tokens) {
  std::string bytes;
  for (const std::string& token : tokens) bytes += spelled_bytes(token);
  tokens = {replace_invalid_utf8(bytes)};
}

void run(decoder::Fuse, Tokens& tokens) { tokens = {joined(tokens, "")}; }

// The byte of "<0x41>", or -1.
int byte_of(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return -1;
  int byte = -1;
  const char* digits = token.data() + 3;
  const auto [end, error] = std::from_chars(digits, digits + 2, byte, 16);
  return error == std::errc() && end == digits + 2 && byte >= 0 ? byte : -1;
}

// A run of bytes that is not UTF-8 is one replacement character a byte.
void run(decoder::ByteFallback, Tokens& tokens) {
  Tokens out;
  std::string bytes;
  const auto finish = [&] {
    if (bytes.empty()) return;
    if (replace_invalid_utf8(bytes) == bytes) {
      out.push_back(bytes);
    } else {
      out.insert(out.end(), bytes.size(), "\uFFFD");
    }
    bytes.clear();
  };
  for (std::string& token : tokens) {
    const int byte = byte_of(token);
    if (byte >= 0) {
      bytes += static_cast<char>(byte);
      continue;
    }
    finish();
    out.push_back(std::move(token));
  }
  finish();
  tokens = std::move(out);
}

void run(const decoder::Strip& step, Tokens& tokens) {
  for (std::string& token : tokens) {
    std::string_view rest = token;
    for (std::size_t i = 0; i < step.start && rest.starts_with(step.content); ++i)
      rest.remove_prefix(step.content.size());
    for (std::size_t i = 0; i < step.stop && rest.ends_with(step.content); ++i)
      rest.remove_suffix(step.content.size());
    token = std::string(rest);
  }
}

void run(const MetaspaceStep& step, Tokens& tokens) {
  for (std::size_t i = 0; i < tokens.size(); ++i)
    replace_in(tokens[i], step.replacement,
               i == 0 && step.scheme != PrependScheme::never ? "" : " ");
}

void run(const decoder::WordPiece& step, Tokens& tokens) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    std::string& token = tokens[i];
    if (i > 0) {
      if (token.starts_with(step.prefix)) {
        token.erase(0, step.prefix.size());
      } else {
        token.insert(0, " ");
      }
    }
    if (!step.cleanup) continue;
    for (const auto& [from, to] :
         {std::pair(" .", "."), std::pair(" ?", "?"), std::pair(" !", "!"), std::pair(" ,", ","),
          std::pair(" ' ", "'"), std::pair(" n't", "n't"), std::pair(" 'm", "'m"),
          std::pair(" do not", " don't"), std::pair(" 's", "'s"), std::pair(" 've", "'ve"),
          std::pair(" 're", "'re")})
      replace_in(token, from, to);
  }
}

template <class Step>
std::function<void(Tokens&)> compiled(const Step& step, const std::string&) {
  return [step](Tokens& tokens) { run(step, tokens); };
}

std::function<void(Tokens&)> compiled(const ReplaceStep& step, const std::string& source) {
  return [pattern = Pattern(step.pattern, source), content = step.content](Tokens& tokens) {
    for (std::string& token : tokens) token = replace_all(pattern, content, token);
  };
}

}  // namespace

Decoder::Decoder(const std::vector<decoder::Step>& steps, const std::string& source)
    : byte_level_(steps.size() == 1 && std::holds_alternative<decoder::ByteLevel>(steps[0])) {
  for (const decoder::Step& step : steps)
    steps_.push_back(std::visit([&](const auto& one) { return compiled(one, source); }, step));
}

std::string Decoder::text_of(Tokens tokens) const {
  for (const auto& step : steps_) step(tokens);
  return joined(tokens, steps_.empty() ? " " : "");
}

}  // namespace mezo
