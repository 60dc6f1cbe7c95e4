#include "core/answer/scorer.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/log_softmax.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "core/forward/index_tensor.h"
#include "core/forward/stream_ops.h"
#include "core/plugin/create.h"

namespace mezo {

namespace {

// Logits held at once. On a GPU each tile reads the whole head anew, so tiles are large: 512 MiB.
constexpr std::int64_t tile_elements = 1 << 24, gpu_tile_elements = 1 << 27;

// One scored token: which option it belongs to, and which of the wanted rows predicts it.
struct Scored {
  std::int64_t example, option, wanted, token;
  float share;  // 1 / tokens of the option
};

struct Plan {
  PackedBatch batch;
  std::vector<std::int64_t> wanted;  // rows of the batch, each once
  std::vector<Scored> scored;
  std::int64_t options = 0;
  bool one_token_each = true;  // every option is one token, predicted by the context's last row
};

// Where an option's tokens lie: its own piece, behind the context that it shares with others.
struct Placed {
  std::int64_t last_of_context;  // row
  std::int64_t first;            // row of the option's first token, if more than one is read
};

// The rows whose logits predict the scored tokens of an option.
void want_rows(Plan& plan, std::int64_t example, std::int64_t option, const EncodedExample& e,
               const Placed& at, std::map<std::int64_t, std::int64_t>& wanted) {
  const auto& tail = e.tails[static_cast<std::size_t>(option)];
  const auto scored = static_cast<std::size_t>(e.scored[static_cast<std::size_t>(option)]);
  plan.one_token_each = plan.one_token_each && tail.size() == 1;
  for (std::size_t t = tail.size() - scored; t < tail.size(); ++t) {
    const std::int64_t row =
        t == 0 ? at.last_of_context : at.first + static_cast<std::int64_t>(t) - 1;
    const auto [place, fresh] =
        wanted.try_emplace(row, static_cast<std::int64_t>(plan.wanted.size()));
    if (fresh) plan.wanted.push_back(row);
    plan.scored.push_back(
        {example, option, place->second, tail[t], 1.0f / static_cast<float>(scored)});
  }
}

// An only option continues its context in one piece: nothing has to be shared.
void lay_out_only_option(Plan& plan, std::int64_t example, const EncodedExample& e,
                         std::map<std::int64_t, std::int64_t>& wanted) {
  std::vector<std::int32_t> tokens = e.context;
  tokens.insert(tokens.end(), e.tails[0].begin(), e.tails[0].end() - 1);
  const auto context = static_cast<std::int64_t>(e.context.size());
  const std::int64_t first_row = plan.batch.rows();
  plan.batch.add(tokens);
  want_rows(plan, example, 0, e, {first_row + context - 1, first_row + context}, wanted);
}

void lay_out_options(Plan& plan, std::int64_t example, const EncodedExample& e,
                     std::map<std::int64_t, std::int64_t>& wanted) {
  const int context = plan.batch.add(e.context);
  const Piece root = plan.batch.pieces()[static_cast<std::size_t>(context)];
  for (std::size_t o = 0; o < e.tails.size(); ++o) {
    const auto& tail = e.tails[o];
    const std::int64_t first = plan.batch.rows();
    if (tail.size() > 1) plan.batch.add(std::span(tail).first(tail.size() - 1), context);
    want_rows(plan, example, static_cast<std::int64_t>(o), e,
              {root.first_row + root.length - 1, first}, wanted);
  }
}

Plan lay_out(std::span<const EncodedExample* const> examples) {
  Plan plan;
  std::map<std::int64_t, std::int64_t> wanted;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    const EncodedExample& e = *examples[i];
    if (e.tails.size() == 1)
      lay_out_only_option(plan, static_cast<std::int64_t>(i), e, wanted);
    else
      lay_out_options(plan, static_cast<std::int64_t>(i), e, wanted);
    plan.options = std::max(plan.options, static_cast<std::int64_t>(e.tails.size()));
  }
  return plan;
}

// The wanted rows [begin, end) of every stream, stream-major.
at::Tensor pick_rows(const at::Tensor& hidden, const Plan& plan, int streams, std::int64_t begin,
                     std::int64_t end) {
  std::vector<std::int64_t> rows;
  for (int s = 0; s < streams; ++s)
    for (std::int64_t i = begin; i < end; ++i)
      rows.push_back(s * plan.batch.rows() + plan.wanted[static_cast<std::size_t>(i)]);
  return hidden.index_select(0, index_tensor(rows, hidden.device()));
}

// The entry `column[i]` of row `row[i]` of a table [S, rows, columns]: [S, row.size()].
at::Tensor pick(const at::Tensor& table, std::span<const std::int64_t> row,
                std::span<const std::int64_t> column) {
  std::vector<std::int64_t> flat;
  for (std::size_t i = 0; i < row.size(); ++i) flat.push_back(row[i] * table.size(2) + column[i]);
  return table.reshape({table.size(0), -1}).index_select(1, index_tensor(flat, table.device()));
}

at::Tensor token_scores_over_options(const Network& network, StreamOps& ops,
                                     const at::Tensor& hidden, const Plan& plan) {
  std::vector<std::int64_t> entries;
  for (const Scored& s : plan.scored) entries.push_back(s.token);
  std::sort(entries.begin(), entries.end());
  entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
  std::vector<std::int64_t> row, column;
  for (const Scored& s : plan.scored) {
    row.push_back(s.wanted);
    column.push_back(std::lower_bound(entries.begin(), entries.end(), s.token) - entries.begin());
  }
  ops.select_vocabulary(index_tensor(entries, hidden.device()));
  const auto wanted = static_cast<std::int64_t>(plan.wanted.size());
  const at::Tensor logits =
      network.model->head(ops, pick_rows(hidden, plan, ops.streams(), 0, wanted)).to(at::kFloat);
  return pick(logits.view({ops.streams(), wanted, logits.size(1)}), row, column);
}

at::Tensor token_scores_over_vocabulary(const Network& network, StreamOps& ops,
                                        const at::Tensor& hidden, const Plan& plan) {
  const auto wanted = static_cast<std::int64_t>(plan.wanted.size());
  const std::int64_t entries = network.entries;
  const std::int64_t elements = hidden.is_cuda() ? gpu_tile_elements : tile_elements;
  const std::int64_t tile = std::max<std::int64_t>(1, elements / (entries * ops.streams()));
  at::Tensor out = at::empty({ops.streams(), static_cast<std::int64_t>(plan.scored.size())},
                             hidden.options().dtype(at::kFloat));
  for (std::int64_t begin = 0; begin < wanted; begin += tile) {
    const std::int64_t end = std::min(wanted, begin + tile);
    const at::Tensor logits =
        network.model->head(ops, pick_rows(hidden, plan, ops.streams(), begin, end)).to(at::kFloat);
    const at::Tensor log_share =
        at::log_softmax(logits, -1).view({ops.streams(), end - begin, logits.size(1)});
    std::vector<std::int64_t> place, row, token;
    for (std::size_t i = 0; i < plan.scored.size(); ++i) {
      const Scored& s = plan.scored[i];
      if (s.wanted < begin || s.wanted >= end) continue;
      place.push_back(static_cast<std::int64_t>(i));
      row.push_back(s.wanted - begin);
      token.push_back(s.token);
    }
    out.index_copy_(1, index_tensor(place, out.device()), pick(log_share, row, token));
  }
  return out;
}

}  // namespace

struct Pending::Work {
  Plan plan;
  at::Tensor tokens;  // [S, scored], where the model is
  std::int64_t examples = 0;
};

Pending::Pending() = default;
Pending::Pending(Pending&&) noexcept = default;
Pending& Pending::operator=(Pending&&) noexcept = default;
Pending::~Pending() = default;

Pending begin_scoring(const Network& network, ParameterSource& source,
                      std::span<const EncodedExample* const> examples, Normalise normalise) {
  Pending pending;
  pending.work = std::make_unique<Pending::Work>();
  Pending::Work& work = *pending.work;
  work.plan = lay_out(examples);
  work.examples = static_cast<std::int64_t>(examples.size());
  StreamOps ops(source, work.plan.batch, &network.adapter);
  work.tokens = guard(network.family, [&] {
    const at::Tensor hidden = network.model->hidden(ops, ops.batch());
    return normalise == Normalise::if_needed && work.plan.one_token_each
               ? token_scores_over_options(network, ops, hidden, work.plan)
               : token_scores_over_vocabulary(network, ops, hidden, work.plan);
  });
  return pending;
}

Outputs collect(std::span<const Pending> forwards) {
  std::int64_t examples = 0, options = 0, streams = 0;
  for (const Pending& p : forwards) {
    examples += p.work->examples;
    options = std::max(options, p.work->plan.options);
    streams = p.work->tokens.size(0);
  }
  at::Tensor scores =
      at::full({streams, examples, options}, -std::numeric_limits<float>::infinity(),
               at::TensorOptions(at::kFloat));
  float* sum = scores.mutable_data_ptr<float>();
  std::int64_t first = 0;
  // Sums in the order of the tokens, on the CPU: a few numbers an example.
  for (const Pending& p : forwards) {
    const std::vector<Scored>& scored = p.work->plan.scored;
    const at::Tensor flat = p.work->tokens.cpu().contiguous();
    const float* value = flat.const_data_ptr<float>();
    const auto place = [&](std::int64_t s, const Scored& t) -> float& {
      return sum[(s * examples + first + t.example) * options + t.option];
    };
    for (std::int64_t s = 0; s < streams; ++s) {
      for (const Scored& t : scored) place(s, t) = 0;  // an option that is there
      for (const Scored& t : scored) place(s, t) += *value++ * t.share;
    }
    first += p.work->examples;
  }
  return {scores};
}

Outputs score(const Network& network, ParameterSource& source,
              std::span<const EncodedExample* const> examples, Normalise normalise) {
  const Pending pending = begin_scoring(network, source, examples, normalise);
  return collect({&pending, 1});
}

Targets targets_of(std::span<const EncodedExample* const> examples) {
  std::vector<std::int64_t> labels;
  for (const EncodedExample* e : examples) labels.push_back(e->label);
  return {index_tensor(labels)};
}

}  // namespace mezo
