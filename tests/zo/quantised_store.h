#pragma once
// A store of an embedding and a matrix in one of ggml's types, beside a vector. Used by the tests
// of what reads quantised weights.

#include <cstring>
#include <string>
#include <vector>

#include "core/forward/parameter_store.h"
#include "core/io/dequantize.h"
#include "tests/io/random_blocks.h"

namespace mezo {

struct QuantisedStore {
  DType type;
  std::int64_t width = 3 * block_size(type);
  Declaration declaration = {};
  Embedding embedding = declaration.embedding("embed", 41, width);
  Linear map = declaration.linear("map", width, 129, true);
  ParameterStore store;
  std::vector<std::string> bytes;  // of each parameter, as they are stored

  explicit QuantisedStore(DType blocks, at::Device device = at::kCPU)
      : type(blocks),
        store(declaration.parameters(),
              std::vector<StorageType>(declaration.parameters().size(), storage_of(blocks)),
              device) {
    for (std::size_t i = 0; i < store.specs().size(); ++i) {
      const at::Tensor words = store.stored({static_cast<int>(i)}).words;
      const bool vector = store.specs()[i].role == Role::vector;
      bytes.push_back(vector ? std::string(words.nbytes(), '\0')
                             : random_blocks(type, store.specs()[i].elements(),
                                             static_cast<std::uint32_t>(i), 24));
      const at::Tensor host = words.cpu();
      std::memcpy(host.mutable_data_ptr(), bytes.back().data(), bytes.back().size());
      words.copy_(host);
    }
  }

  // What dequantize() makes of a row.
  std::vector<std::byte> row(Parameter p, std::int64_t row, DType to) const {
    const std::int64_t width = store.spec(p).shape[1];
    std::vector<std::byte> out(static_cast<std::size_t>(bytes_of(to, width)));
    const std::string& all = bytes[static_cast<std::size_t>(p.index)];
    dequantize(type, reinterpret_cast<const std::byte*>(all.data()) + row * bytes_of(type, width),
               width, to, out.data());
    return out;
  }
};

}  // namespace mezo
