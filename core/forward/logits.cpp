#include "core/forward/logits.h"

#include <string>

#include "core/error.h"

namespace mezo {

at::Tensor logits_of(const Network& network, StreamOps& ops, const at::Tensor& rows,
                     std::int64_t entries) {
  const at::Tensor logits = network.model->head(ops, rows);
  if (!logits.defined() || logits.dim() != 2 || logits.size(0) != rows.size(0) ||
      logits.size(1) != entries)
    throw PluginError("[Model] head() must return logits of shape [" +
                      std::to_string(rows.size(0)) + ", " + std::to_string(entries) +
                      "], a row for each that it is given and a column for each entry asked for");
  return logits.to(at::kFloat);
}

}  // namespace mezo
