#include "core/answer/features.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/ops/empty.h>

#include <stdexcept>

#include "core/answer/packed_questions.h"
#include "core/answer/question_batches.h"
#include "core/forward/index_tensor.h"
#include "core/forward/stream_ops.h"
#include "core/plugin/create.h"
#include "core/zo/stored_source.h"

namespace mezo {

namespace {

// The same question about one option, without the pieces that only others need.
Question first_token_of(const Question& question) {
  if (!has_one_row(question)) throw std::logic_error("[features] options of several rows");
  Question q;
  q.scored = {question.scored.at(0)};
  q.pieces = question.pieces;
  q.pieces.resize(static_cast<std::size_t>(q.scored[0].piece) + 1);
  q.right = {0};
  q.row = question.row;
  return q;
}

at::Tensor rows_of(const LoadedModel& model, ParameterSource& source,
                   const std::vector<const Question*>& questions) {
  const PackedQuestions packed = pack(questions);
  StreamOps ops(source, packed.batch, &model.network.adapter);
  ops.read_only(packed.wanted);
  const at::Tensor hidden =
      guard(model.network.family, [&] { return model.network.model->hidden(ops, ops.batch()); });
  std::vector<std::int64_t> rows;
  for (const PredictedToken& s : packed.scored)
    rows.push_back(ops.left_rows_out() ? s.wanted
                                       : packed.wanted[static_cast<std::size_t>(s.wanted)]);
  return hidden.index_select(0, index_tensor(rows, hidden.device())).to(at::kCPU, at::kDouble);
}

}  // namespace

bool has_one_row(const Question& question) {
  std::int64_t option = -1;
  for (const Question::Scored& s : question.scored) {
    if (s.option == option) continue;
    option = s.option;
    if (s.piece != question.scored[0].piece || s.index != question.scored[0].index) return false;
  }
  return option >= 0;
}

at::Tensor features_of(const LoadedModel& model, const std::vector<Question>& all,
                       const FeatureProgress& progress) {
  const at::AutoDispatchBelowADInplaceOrView forward_only;
  std::vector<Question> questions;
  for (const Question& q : all) questions.push_back(first_token_of(q));
  StoredSource source(model.store, model.dtype);
  const std::int64_t most = rows_a_forward(model.store, model.dtype);
  const std::vector<std::size_t> order = by_length(questions);
  at::Tensor features;
  for (std::size_t done = 0; done < order.size();) {
    std::vector<const Question*> batch;
    std::vector<std::int64_t> places;
    for (std::size_t left = batch_size(questions, order, done, most); left > 0; --left) {
      places.push_back(static_cast<std::int64_t>(order[done]));
      batch.push_back(&questions[order[done++]]);
    }
    const at::Tensor rows = rows_of(model, source, batch);
    if (!features.defined())
      features = at::empty({static_cast<std::int64_t>(order.size()), rows.size(1)}, rows.options());
    features.index_copy_(0, index_tensor(places), rows);
    if (progress && !progress(done, order.size())) return {};
  }
  return features;
}

}  // namespace mezo
