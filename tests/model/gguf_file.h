#pragma once
// A GGUF file of metadata alone, for the tests of what is refused before any tensor is looked at.

#include <cstdint>
#include <string>
#include <vector>

namespace mezo {

class Gguf {
 public:
  Gguf& text(const std::string& key, const std::string& value) {
    return open(key, 8).put_text(value);
  }
  Gguf& integer(const std::string& key, std::uint32_t value) { return open(key, 4).put(value); }
  Gguf& number(const std::string& key, float value) { return open(key, 6).put(value); }
  Gguf& integers(const std::string& key, std::vector<std::uint32_t> values) {
    open(key, 9).put(std::uint32_t{4}).put(std::uint64_t{values.size()});
    for (const std::uint32_t v : values) put(v);
    return *this;
  }
  std::string bytes() const {
    Gguf head;
    head.put(std::uint32_t{3}).put(std::uint64_t{0}).put(keys_);
    std::string whole = "GGUF" + head.bytes_ + bytes_;
    whole.resize((whole.size() + 31) / 32 * 32);
    return whole;
  }

 private:
  template <class T>
  Gguf& put(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Gguf& put_text(const std::string& value) {
    put(std::uint64_t{value.size()});
    bytes_ += value;
    return *this;
  }
  Gguf& open(const std::string& key, std::uint32_t type) {
    ++keys_;
    return put_text(key).put(type);
  }
  std::string bytes_;
  std::uint64_t keys_ = 0;
};

}  // namespace mezo
