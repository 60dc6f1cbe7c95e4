// Takes one training step of a model apart, for check_perturbed.py to repeat in transformers:
//
//   write_perturbed MODEL PLUGINS TASK DATA OUT EPSILON LEARNING_RATE
//
// Chooses the first step whose projected gradient is larger than 5, writes what the two losses were
// read from as OUT/plus and OUT/minus, the batch and the losses as OUT/step.json, then applies the
// update and says which tensors it left unchanged.

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "core/answer/answer.h"
#include "core/checkpoint/load_model.h"
#include "core/io/safetensors.h"
#include "core/plugin/create.h"
#include "core/task/encode.h"
#include "core/train/batch_order.h"
#include "spsa_step.h"

using namespace mezo;

namespace {

constexpr std::uint64_t seed = 0;
constexpr std::uint32_t batch_size = 8;

std::vector<double> losses_of(const LoadedModel& model, ParameterSource& source,
                              const Objective& objective, std::span<const Question* const> batch) {
  const at::Tensor value =
      objective.value(answer(model.network, source, batch, objective.needs()), targets_of(batch))
          .to(at::kDouble)
          .contiguous();
  return {value.const_data_ptr<double>()[0], value.const_data_ptr<double>()[1]};
}

// theta + eps z (sign 1) or theta - eps z (sign -1) as a model file: what the forward read, tensor
// by tensor.
void write_stream(LoadedModel& model, ExactWeights& weights, int stream,
                  const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  std::vector<at::Tensor> copies;
  std::vector<TensorView> views;
  for (std::size_t i = 0; i < model.store.specs().size(); ++i) {
    const ParameterSpec& spec = model.store.specs()[i];
    copies.push_back(weights.whole({static_cast<int>(i)}).select(0, stream).clone());
    views.push_back(
        {spec.name,
         DType::F32,
         spec.shape,
         {static_cast<const std::byte*>(copies.back().const_data_ptr()), copies.back().nbytes()}});
  }
  write_safetensors(folder / "model.safetensors", views, {{"format", "pt"}});
}

// Everything that the option's last token is predicted from, and that token.
std::vector<std::int32_t> whole_sequence(const Question& question, std::int64_t option) {
  const Question::Scored* last = nullptr;
  for (const Question::Scored& s : question.scored)
    if (s.option == option) last = &s;
  const Question::Piece& piece = question.pieces[static_cast<std::size_t>(last->piece)];
  std::vector<std::int32_t> ids;
  if (piece.follows >= 0) ids = question.pieces[static_cast<std::size_t>(piece.follows)].tokens;
  ids.insert(ids.end(), piece.tokens.begin(), piece.tokens.begin() + last->index + 1);
  ids.push_back(last->token);
  return ids;
}

std::string example_json(const Question& q) {
  std::string options, scored;
  for (std::int64_t o = 0; o < q.options(); ++o) {
    const auto count = std::count_if(q.scored.begin(), q.scored.end(),
                                     [&](const Question::Scored& s) { return s.option == o; });
    options += fmt::format("{}[{}]", o ? ", " : "", fmt::join(whole_sequence(q, o), ", "));
    scored += fmt::format("{}{}", o ? ", " : "", count);
  }
  return fmt::format("{{\"options\": [{}], \"scored\": [{}], \"label\": {}}}", options, scored,
                     q.right.at(0));
}

void write_step(const std::filesystem::path& path, std::span<const Question* const> batch,
                std::uint32_t step, const std::vector<double>& losses, float projected_gradient) {
  std::string examples;
  for (const Question* q : batch) examples += (examples.empty() ? "" : ",\n") + example_json(*q);
  std::ofstream(path) << fmt::format(
      "{{\"step\": {}, \"losses\": [{:.17g}, {:.17g}], \"projected_gradient\": {:.9g}, "
      "\"examples\": [{}]}}\n",
      step, losses[0], losses[1], projected_gradient, examples);
}

int run(char** argument) {
  const at::NoGradGuard no_grad;
  const Registry registry(PluginSearch{{}, {}, {{argument[2], "argument 2", true}}});
  LoadedModel model = load_model(argument[1], registry);
  const Component& loss = registry.find(MEZO_OBJECTIVE, "cross_entropy");
  const auto objective = create<Objective>(loss, default_settings(loss, "objective"));
  const Task task = load_task(argument[3]);
  const auto examples = encode_all(read_examples(argument[4], 200), [&](const Example& example) {
    return encode(example, task, model.tokenizer, 64, argument[4]);
  });
  const std::filesystem::path out = argument[5];
  const float epsilon = std::stof(argument[6]);
  const double learning_rate = std::stod(argument[7]);

  BatchOrder order(seed, static_cast<std::uint32_t>(examples.size()), batch_size);
  ExactWeights weights(model.store, std::vector<bool>(model.store.specs().size(), true), {seed});
  for (std::uint32_t step = 0; step < 20; ++step) {
    std::vector<const Question*> batch;
    for (const std::uint32_t e : order.batch(step)) batch.push_back(&examples[e]);
    std::vector<double> losses;
    const StepResult still = spsa_step(
        weights, {epsilon, 1, 0}, step, 0.0,
        [&](ParameterSource& s) { return losses = losses_of(model, s, *objective, batch); });
    if (std::abs(still.scalars[0]) < 5 && step < 19) continue;
    write_stream(model, weights, 0, out / "plus");
    write_stream(model, weights, 1, out / "minus");
    write_step(out / "step.json", batch, step, losses, still.scalars[0]);

    std::vector<at::Tensor> before;
    for (std::size_t i = 0; i < model.store.specs().size(); ++i)
      before.push_back(model.store.tensor({static_cast<int>(i)}).clone());
    spsa_step(weights, {epsilon, 1, 0}, step + 1, learning_rate,
              [&](ParameterSource& s) { return losses_of(model, s, *objective, batch); });
    weights.apply_pending();
    int unchanged = 0;
    for (std::size_t i = 0; i < before.size(); ++i)
      if (std::memcmp(before[i].const_data_ptr(), model.store.data({static_cast<int>(i)}),
                      before[i].nbytes()) == 0) {
        std::cout << "unchanged by a step: " << model.store.specs()[i].name << "\n";
        ++unchanged;
      }
    std::cout << before.size() - static_cast<std::size_t>(unchanged) << " of " << before.size()
              << " tensors changed by a step\n";
    return unchanged ? 1 : 0;
  }
  return 1;
}

}  // namespace

int main(int count, char** argument) {
  if (count != 8) {
    std::cerr << "usage: write_perturbed MODEL PLUGINS TASK DATA OUT EPSILON LEARNING_RATE\n";
    return 1;
  }
  try {
    return run(argument);
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
