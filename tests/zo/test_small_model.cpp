// Whole steps on a small model through the Ops that training uses.
#include "small_model.h"

using namespace mezo;

TEST_CASE("fifty steps with learning rate zero leave every byte of a model as it was") {
  Training t;
  const auto before = t.values();
  for (std::uint32_t i = 0; i < 50; ++i) {
    const StepResult step = t.step(i, 1 + static_cast<int>(i % 2), 0.0, 0.1);
    REQUIRE(step.applied);
    REQUIRE(step.scalars[0] != 0);
  }
  t.weights.apply_pending();
  const auto after = t.values();
  for (std::size_t i = 0; i < before.size(); ++i) CHECK(same_bytes(before[i], after[i]));
}

TEST_CASE("steps of a model are the pushed updates, wherever and whenever they were applied") {
  Training t;
  auto expected = t.values();
  for (std::uint32_t i = 0; i < 70; ++i) {
    const StepResult step = t.step(i, 2, 1e-4, 0.1);
    OwnedUpdate update{i, static_cast<float>(1e-4 * 0.1), {}};
    for (const float g : step.scalars)
      update.terms.push_back({update.step, static_cast<std::uint32_t>(update.terms.size()),
                              static_cast<float>(1e-4 * double{g} / 2)});
    for (std::size_t k = 0; k < expected.size(); ++k) {
      const ParameterSpec& spec = t.store.specs()[k];
      Update view = update.view();
      if (spec.role == Role::vector) view.decay = 0;
      advance_reference(expected[k].data(), spec.elements(), 0, philox_key(5, spec.name), {view});
    }
  }
  t.weights.apply_pending();
  const auto after = t.values();
  for (std::size_t k = 0; k < expected.size(); ++k) {
    CAPTURE(t.store.specs()[k].name);
    CHECK(same_bytes(expected[k], after[k]));
  }
}

TEST_CASE("all streams of a model in one forward give what turns give") {
  for (const bool one_sided : {false, true}) {
    SpsaOptions options{1e-3f, 5, 0};
    options.one_sided = one_sided;
    Training by_turns, at_once;
    const StepResult turns = by_turns.step(3, options, 0.0);
    options.together = true;
    const StepResult together = at_once.step(3, options, 0.0);
    CHECK(together.loss == doctest::Approx(turns.loss).epsilon(1e-6));
    // Products of other sizes may round differently: 1e-6 of a loss near 4, over 2 epsilon.
    for (std::size_t p = 0; p < 5; ++p)
      CHECK(std::abs(together.scalars[p] - turns.scalars[p]) < 4e-3f);
  }
}

TEST_CASE(
    "the projected gradient of a model is its loss's slope, and the stored weights give the loss "
    "between") {
  Training t;
  StoredSource stored(t.store);
  const double loss = t.losses(stored, 3)[0];
  const StepResult step = t.step(3, 1, 0.0, 0.0);
  CHECK(step.loss == doctest::Approx(loss).epsilon(1e-3));
  // The same slope with an epsilon four times as large: they differ by its square only.
  t.weights.perturb(3, {{0, 4e-3f}, {0, -4e-3f}});
  const auto wide = t.losses(t.weights, 3);
  CHECK((wide[0] - wide[1]) / 8e-3 == doctest::Approx(double{step.scalars[0]}).epsilon(0.02));
}
