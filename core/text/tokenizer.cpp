#include "core/text/tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/error.h"
#include "core/text/added_tokens.h"
#include "core/text/byte_level.h"
#include "core/text/decoder.h"
#include "core/text/normalizer.h"
#include "core/text/pretokenizer.h"
#include "core/text/token_model.h"
#include "core/text/utf8.h"

namespace mezo {
namespace {

// An id indexes a table of all tokens; a damaged file must not make that table fill the memory.
constexpr std::int32_t kMostIds = 1 << 24;

}  // namespace

struct Tokenizer::Parts {
  explicit Parts(const TokenizerSpec& spec);

  void read_vocabulary(const TokenizerSpec& spec);
  void add_tokens(const TokenizerSpec& spec);
  void set_bytes(const TokenizerSpec& spec, std::int32_t id, std::string bytes);
  std::optional<std::int32_t> token_id(std::string_view token) const;
  std::optional<std::int32_t> resolve(const SpecialToken& token) const;
  void encode_text(std::string_view text, std::vector<std::int32_t>& ids) const;
  void encode_part(std::string_view text, bool first, std::vector<std::int32_t>& ids) const;

  Vocabulary vocabulary;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  std::unique_ptr<const TokenModel> model;
  Decoder decoder;
  AddedTokens plain, normalized;
  std::unordered_map<std::string, std::int32_t> added_ids;
  std::set<std::int32_t> special_ids;
  std::vector<std::optional<std::string>> bytes;  // by id; the token where not all are bytes
  SpecialIds special;
  std::vector<std::int32_t> start, end;
  std::vector<std::string> notes;
};

Tokenizer::Parts::Parts(const TokenizerSpec& spec)
    : vocabulary(spec),
      normalizer(spec.normalizer, spec.source),
      pre_tokenizer(spec.pre_tokenizer, spec.source),
      model(make_token_model(spec, vocabulary, pre_tokenizer.is_byte_level())),
      decoder(spec.decoder, spec.source),
      notes(spec.notes) {
  read_vocabulary(spec);
  add_tokens(spec);
  const auto role = [&](const char* name) -> std::optional<std::int32_t> {
    const auto found = spec.roles.find(name);
    return found == spec.roles.end() ? std::nullopt : resolve(found->second);
  };
  special = {role("bos"), role("eos"), role("pad"), role("mask"), role("sep"), role("unk")};
  for (const auto& [from, to] : {std::pair(&spec.start, &start), std::pair(&spec.end, &end)}) {
    for (const SpecialToken& token : *from) {
      const bool by_id = token.content.empty() && token.id >= 0;
      const auto id = by_id ? std::optional(token.id) : resolve(token);
      if (id) to->push_back(*id);
    }
  }
}

void Tokenizer::Parts::read_vocabulary(const TokenizerSpec& spec) {
  for (const auto& [token, id] : spec.vocabulary) {
    const bool taken = id >= 0 && static_cast<std::size_t>(id) < bytes.size() && bytes[id];
    if (taken)
      throw ModelError(
          fmt::format("[tokenizer] {}: expected an id of its own for '{}', got {}, "
                      "which is another token's too",
                      spec.source, token, id));
    set_bytes(spec, id, decoder.is_byte_level() ? spelled_bytes(token) : token);
  }
}

// An added token has the id of the same token in the vocabulary; the others are counted on from the
// vocabulary's size. The package numbers them so too, whatever `id` a tokenizer.json gives. Where
// one comes again its last flags count, but it goes on being looked for where it was: before
// anything else if it was not `normalized`, in what is left if it was, or in both. A special token
// stays where it was first put. The `normalized` ones are looked for, and decoded, as the
// normalizer leaves them.
void Tokenizer::Parts::add_tokens(const TokenizerSpec& spec) {
  struct Known {
    AddedToken last;
    bool special = false, plain = false, normalized = false;
  };
  std::map<std::string, Known> all;
  auto highest = static_cast<std::int32_t>(-1);
  for (const AddedToken& token : spec.added) {
    if (token.content.empty()) continue;
    const auto known = token_id(token.content);
    const auto next = std::max(highest + 1, static_cast<std::int32_t>(vocabulary.size()));
    const std::int32_t id = known.value_or(next);
    highest = std::max(highest, id);
    added_ids[token.content] = id;
    if (token.special) special_ids.insert(id);
    set_bytes(spec, id, token.content);
    Known& entry = all[token.content];
    entry.last = token;
    if (!entry.special) (token.normalized ? entry.normalized : entry.plain) = true;
    entry.special |= token.special;
  }
  for (const auto& [content, entry] : all) {
    if (entry.plain) plain.add(entry.last, added_ids[content]);
    if (!entry.normalized) continue;
    AddedToken token = entry.last;
    token.content = normalizer.normalized(content);
    normalized.add(token, added_ids[content]);
    if (token.normalized) set_bytes(spec, added_ids[content], token.content);
  }
}

void Tokenizer::Parts::set_bytes(const TokenizerSpec& spec, std::int32_t id, std::string text) {
  if (id < 0 || id >= kMostIds) {
    throw ModelError(fmt::format("[tokenizer] {}: expected token ids from 0 to {}, got {} for '{}'",
                                 spec.source, kMostIds - 1, id, text));
  }
  if (static_cast<std::size_t>(id) >= bytes.size()) bytes.resize(id + 1);
  bytes[id] = std::move(text);
}

std::optional<std::int32_t> Tokenizer::Parts::token_id(std::string_view token) const {
  const auto found = added_ids.find(std::string(token));
  return found != added_ids.end() ? std::optional(found->second) : vocabulary.id(token);
}

// A role may be named by a file and yet be missing from the tokenizer: then it has no id.
std::optional<std::int32_t> Tokenizer::Parts::resolve(const SpecialToken& token) const {
  if (!token.content.empty()) return token_id(token.content);
  const bool exists =
      token.id >= 0 && static_cast<std::size_t>(token.id) < bytes.size() && bytes[token.id];
  return exists ? std::optional(token.id) : std::nullopt;
}

// A text, which is UTF-8: first the tokens that are looked for in it as it is, then, in what is
// left and normalized, the others, then pieces.
void Tokenizer::Parts::encode_text(std::string_view text, std::vector<std::int32_t>& ids) const {
  std::vector<TextPart> parts;
  plain.split(text, parts);
  for (const TextPart& part : parts) {
    const bool first = part.text.data() == text.data();
    if (part.id >= 0) {
      ids.push_back(part.id);
    } else if (normalizer.empty()) {
      encode_part(part.text, first, ids);
    } else {
      encode_part(normalizer.normalized(part.text), first, ids);
    }
  }
}

void Tokenizer::Parts::encode_part(std::string_view text, bool first,
                                   std::vector<std::int32_t>& ids) const {
  std::vector<TextPart> parts;
  normalized.split(text, parts);
  for (const TextPart& part : parts) {
    if (part.id >= 0) {
      ids.push_back(part.id);
      continue;
    }
    pre_tokenizer.cut(part.text, first && part.text.data() == text.data(),
                      [&](std::string_view piece) { model->encode(piece, ids); });
  }
}

Tokenizer::Tokenizer(const TokenizerSpec& spec) : parts_(std::make_shared<const Parts>(spec)) {}

Tokenizer Tokenizer::for_rows(std::int64_t rows, const std::string& path) const {
  std::set<std::int32_t> added;
  for (const auto& [content, id] : parts_->added_ids) added.insert(id);
  for (std::int64_t id = rows; id < static_cast<std::int64_t>(parts_->bytes.size()); ++id)
    if (parts_->bytes[id] && !added.contains(static_cast<std::int32_t>(id)))
      throw ModelError(
          fmt::format("[{}] the tokenizer has ids up to {}, but the model's "
                      "vocab_size is {}",
                      path, parts_->bytes.size() - 1, rows));
  for (const auto* around : {&parts_->start, &parts_->end})
    for (const std::int32_t id : *around)
      if (id >= rows)
        throw ModelError(
            fmt::format("[{}] the tokenizer puts the id {} around every sequence, but "
                        "the model's vocab_size is {}",
                        path, id, rows));
  Tokenizer limited = *this;
  limited.rows_ = rows;
  return limited;
}

void Tokenizer::throw_beyond(std::int32_t id) const {
  throw DataError(
      fmt::format("the text has the token '{}' with the id {}, but the model's "
                  "embedding has {} rows: take it out of the text, or use a model "
                  "that knows it",
                  *parts_->bytes[id], id, rows_));
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view text) const {
  std::vector<std::int32_t> ids;
  parts_->encode_text(replace_invalid_utf8(text), ids);
  for (const std::int32_t id : ids)
    if (id >= rows_) throw_beyond(id);
  return ids;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids) const {
  std::vector<std::string> tokens;
  for (const std::int32_t id : ids) {
    const bool known = id >= 0 && static_cast<std::size_t>(id) < parts_->bytes.size();
    if (known && parts_->bytes[id]) tokens.push_back(*parts_->bytes[id]);
  }
  if (!parts_->decoder.is_byte_level()) return parts_->decoder.text_of(std::move(tokens));
  std::string text;
  for (const std::string& token : tokens) text += token;
  return text;
}

std::string Tokenizer::readable(std::span<const std::int32_t> ids) const {
  std::vector<std::int32_t> plain;
  for (const std::int32_t id : ids)
    if (!parts_->special_ids.contains(id)) plain.push_back(id);
  return replace_invalid_utf8(decode(plain));
}

std::optional<std::int32_t> Tokenizer::token_id(std::string_view token) const {
  return parts_->token_id(token);
}

std::int32_t Tokenizer::vocabulary_size() const {
  return static_cast<std::int32_t>(
      std::min(static_cast<std::int64_t>(parts_->bytes.size()), rows_));
}

const Tokenizer::SpecialIds& Tokenizer::special() const { return parts_->special; }

std::span<const std::string> Tokenizer::notes() const { return parts_->notes; }

std::span<const std::int32_t> Tokenizer::sequence_start() const { return parts_->start; }

std::span<const std::int32_t> Tokenizer::sequence_end() const { return parts_->end; }

}  // namespace mezo
