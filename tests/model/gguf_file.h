#pragma once
// GGUF files for tests: of metadata alone, for what is refused before any tensor is looked at, or
// with tensors.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace mezo {

class Gguf {
 public:
  Gguf& text(const std::string& key, const std::string& value) {
    keys_.open(key, 8).put_text(value);
    return *this;
  }
  Gguf& integer(const std::string& key, std::uint32_t value) {
    keys_.open(key, 4).put(value);
    return *this;
  }
  Gguf& number(const std::string& key, float value) {
    keys_.open(key, 6).put(value);
    return *this;
  }
  Gguf& integers(const std::string& key, const std::vector<std::uint32_t>& values) {
    keys_.open(key, 9).put(std::uint32_t{4}).put(std::uint64_t{values.size()});
    for (const std::uint32_t v : values) keys_.put(v);
    return *this;
  }
  Gguf& texts(const std::string& key, const std::vector<std::string>& values) {
    keys_.open(key, 9).put(std::uint32_t{8}).put(std::uint64_t{values.size()});
    for (const std::string& v : values) keys_.put_text(v);
    return *this;
  }
  // `shape` as Hugging Face has it; `type` by ggml's number.
  Gguf& tensor(const std::string& name, std::vector<std::int64_t> shape, std::uint32_t type,
               const std::string& data) {
    std::reverse(shape.begin(), shape.end());
    tensors_.put_text(name).put(static_cast<std::uint32_t>(shape.size()));
    for (const std::int64_t extent : shape) tensors_.put(extent);
    tensors_.put(type).put(std::uint64_t{data_.size()});
    ++tensors_.count;
    data_ += aligned(data);
    return *this;
  }

  std::string bytes() const {
    Entries head;
    head.put(std::uint32_t{3}).put(tensors_.count).put(keys_.count);
    return aligned("GGUF" + head.bytes + keys_.bytes + tensors_.bytes) + data_;
  }

 private:
  struct Entries {
    std::string bytes;
    std::uint64_t count = 0;

    template <class T>
    Entries& put(T value) {
      bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
      return *this;
    }
    Entries& put_text(const std::string& value) {
      put(std::uint64_t{value.size()});
      bytes += value;
      return *this;
    }
    Entries& open(const std::string& key, std::uint32_t type) {
      ++count;
      return put_text(key).put(type);
    }
  };
  static std::string aligned(std::string text) {
    text.resize((text.size() + 31) / 32 * 32);
    return text;
  }

  Entries keys_, tensors_;
  std::string data_;
};

}  // namespace mezo
