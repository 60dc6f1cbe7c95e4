#include "core/answer/first_use.h"

#include <ATen/core/LegacyTypeDispatch.h>

#include "core/answer/answer.h"
#include "core/answer/question_batches.h"
#include "core/zo/stored_source.h"

namespace mezo {

std::future<void> start_first_use(const Network& network, const ParameterStore& store,
                                  at::ScalarType dtype, std::span<const Question> questions) {
  if (store.device().is_cpu() || questions.empty() || questions[0].generate > 0) return {};
  return std::async(std::launch::async, [&network, &store, dtype, questions] {
    try {
      const at::AutoDispatchBelowADInplaceOrView forward_only;
      const std::vector<std::size_t> order = by_length(questions);
      std::vector<const Question*> batch;
      for (std::size_t i = batch_size(questions, order, 0, rows_a_forward(store, dtype)); i > 0;)
        batch.push_back(&questions[order[--i]]);
      StoredSource source(store, dtype);
      answer(network, source, batch, Needs{.normalised = true});
    } catch (...) {
    }
  });
}

}  // namespace mezo
