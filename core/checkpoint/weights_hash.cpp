#include "core/checkpoint/weights_hash.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <map>
#include <numeric>
#include <span>

#include "core/io/sha256.h"

namespace mezo {

namespace {

void add(Sha256& hash, const at::Tensor& stored) {
  if (!stored.defined()) return;
  const at::Tensor here = stored.cpu().contiguous();
  hash.update({static_cast<const std::byte*>(here.const_data_ptr()), here.nbytes()});
}

// The one place that knows how a parameter is laid out.
std::string hash_of(const StoredTensor& stored) {
  Sha256 hash;
  add(hash, stored.words);
  add(hash, stored.residual);
  return hash.hex();
}

}  // namespace

std::vector<std::string> hash_parameters(const ParameterStore& store) {
  const auto count = static_cast<std::int64_t>(store.specs().size());
  std::vector<std::string> hashes(static_cast<std::size_t>(count));
  // Largest first, each thread the next one: one tensor is hashed by one thread.
  std::vector<int> order(hashes.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return store.spec({a}).elements() > store.spec({b}).elements();
  });
  std::atomic<std::size_t> next = 0;
  at::parallel_for(
      0, std::min<std::int64_t>(count, at::get_num_threads()), 1, [&](std::int64_t, std::int64_t) {
        for (std::size_t i = next++; i < order.size(); i = next++)
          hashes[static_cast<std::size_t>(order[i])] = hash_of(store.stored({order[i]}));
      });
  return hashes;
}

std::string hash_of_all(const ParameterStore& store, const std::vector<std::string>& hashes) {
  std::map<std::string, std::string> by_name;
  for (std::size_t i = 0; i < hashes.size(); ++i) by_name[store.specs()[i].name] = hashes[i];
  std::string text;
  for (const auto& [name, hash] : by_name) text += hash + "  " + name + "\n";
  Sha256 all;
  all.update(std::as_bytes(std::span(text)));
  return all.hex();
}

}  // namespace mezo
