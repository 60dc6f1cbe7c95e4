// What every estimator promises, whatever it is: those that `optimizer.type` names, as they are by
// default and with their other settings, and one with momentum, whose updates have terms of earlier
// steps and whose state a replay must rebuild.
#include <ATen/Parallel.h>

#include <deque>
#include <limits>

#include "core/config/schema.h"
#include "core/zo/estimators.h"
#include "differentiable.h"
#include "quadratic.h"
#include "small_model.h"

using namespace mezo;

namespace {

// Heavy-ball momentum over the last steps: each step's own term again, smaller by `decay` each
// time.
class Momentum : public Estimator {
 public:
  static constexpr std::size_t kept = 8;
  static constexpr float decay = 0.6f;

  std::vector<std::vector<Stream>> forwards(std::uint32_t step) const override {
    return spsa_.forwards(step);
  }
  std::size_t scalars_a_step() const override { return 1; }
  Observation observe(std::uint32_t step, std::span<const double> losses) const override {
    return spsa_.observe(step, losses);
  }
  StepUpdate update(std::uint32_t step, double learning_rate,
                    std::span<const float> scalars) override {
    past_.push_front({step, scalars[0]});
    if (past_.size() > kept) past_.pop_back();
    StepUpdate update;
    float share = 1 - decay;
    for (const auto& [then, g] : past_) {
      const float c = static_cast<float>(learning_rate) * share * g;
      update.applied = update.applied && std::isfinite(c);
      update.terms.push_back({then, 0, c});
      share *= decay;
    }
    return update;
  }
  float epsilon() const override { return spsa_.epsilon(); }

 private:
  Spsa spsa_{SpsaOptions{1e-3f, 1, 0}};
  std::deque<std::pair<std::uint32_t, float>> past_;
};

struct Case {
  std::string name;
  std::function<std::unique_ptr<Estimator>()> make;
};

// An estimator by its id, with settings laid over its defaults.
Case of_kind(const std::string& id, std::vector<std::pair<std::string, std::string>> settings) {
  Value block = Value::map();
  std::string name = id;
  for (const auto& [key, text] : settings) {
    block.set(key, Value::scalar(text));
    name += " " + key + "=" + text;
  }
  Diagnostics diagnostics;
  const Parameters own = check(&block, "optimizer", estimator_kind(id).settings, diagnostics);
  diagnostics.throw_if_any();
  return {name, [id, own] { return estimator_kind(id).make(own, 0, {}); }};
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const EstimatorKind& kind : estimator_kinds()) all.push_back(of_kind(kind.id, {}));
  all.push_back(of_kind("spsa", {{"probes", "3"}}));
  all.push_back(of_kind("spsa", {{"probes", "2"}, {"streams", "together"}}));
  all.push_back(of_kind("spsa", {{"estimate", "one_sided"}, {"epsilon", "1e-4"}}));
  all.push_back({"momentum", [] { return std::make_unique<Momentum>(); }});
  return all;
}

using Recorded = std::vector<std::vector<float>>;

Recorded train(Quadratic& q, ExactWeights& weights, Estimator& estimator, std::uint32_t from,
               std::uint32_t steps, double learning_rate) {
  Recorded recorded;
  for (std::uint32_t step = from; step < steps; ++step)
    recorded.push_back(take_step(weights, estimator, step, learning_rate, [&](ParameterSource& s) {
                         return q.losses(s);
                       }).scalars);
  weights.apply_pending();
  return recorded;
}

std::vector<float> values(Quadratic& q) {
  return {q.store.data(q.x.weight), q.store.data(q.x.weight) + Quadratic::n};
}

}  // namespace

TEST_CASE("every estimator finds the minimum of a quadratic") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    Quadratic q;
    ExactWeights weights(q.store, {true}, {3});
    const double start = Quadratic::loss(q.store.data(q.x.weight));
    const auto estimator = c.make();
    train(q, weights, *estimator, 0, 4000, 3e-4);
    CHECK(Quadratic::loss(q.store.data(q.x.weight)) < 0.05 * start);
  }
}

TEST_CASE("what an estimator records gives the weights back, also to one that goes on") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    Quadratic whole, replayed;
    ExactWeights trained(whole.store, {true}, {3}), again(replayed.store, {true}, {3});
    const auto estimator = c.make(), other = c.make();
    Recorded recorded = train(whole, trained, *estimator, 0, 90, 1e-4);
    for (std::uint32_t step = 0; step < 60; ++step)
      CHECK(repeat_step(again, *other, step, 1e-4, recorded[step]));
    again.apply_pending();
    const Recorded rest = train(replayed, again, *other, 60, 90, 1e-4);
    for (std::size_t i = 0; i < rest.size(); ++i) CHECK(same_bytes(rest[i], recorded[60 + i]));
    CHECK(same_bytes(values(whole), values(replayed)));
  }
}

TEST_CASE("every estimator keeps to its own description") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    Quadratic q;
    const std::vector<float> before = values(q);
    ExactWeights weights(q.store, {true}, {3});
    const auto estimator = c.make();
    CHECK(estimator->epsilon() > 0);
    CHECK(estimator->projected_gradients() <= estimator->scalars_a_step());
    std::size_t losses = 0;
    for (const auto& forward : estimator->forwards(0)) {
      CHECK(forward.size() <= most_streams);
      losses += forward.size();
    }
    const std::vector<double> some(losses, 0.25);
    const Observation once = estimator->observe(5, some), twice = estimator->observe(5, some);
    CHECK(once.scalars.size() == estimator->scalars_a_step());
    CHECK(same_bytes(once.scalars, twice.scalars));
    CHECK(once.loss == doctest::Approx(0.25));
    train(q, weights, *estimator, 0, 20, 0.0);  // steps of nothing
    CHECK(same_bytes(values(q), before));
  }
}

TEST_CASE("no estimator applies a step whose loss is not finite") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    Quadratic q;
    const std::vector<float> before = values(q);
    ExactWeights weights(q.store, {true}, {3});
    const auto estimator = c.make();
    const StepResult step = take_step(weights, *estimator, 0, 1e-3, [&](ParameterSource& s) {
      return std::vector<double>(static_cast<std::size_t>(s.streams()),
                                 std::numeric_limits<double>::quiet_NaN());
    });
    CHECK(!step.applied);
    weights.apply_pending();
    CHECK(same_bytes(values(q), before));
  }
}

TEST_CASE("on average every estimator moves a small model along autograd's gradient") {
  at::set_num_threads(1);  // the model is too small to share
  constexpr std::uint32_t steps = 300;
  Training t;
  const std::vector<double> gradient = gradient_of(t);
  const double gg = dot(gradient, gradient), d = static_cast<double>(gradient.size());
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    const auto estimator = c.make();
    std::vector<double> mean(gradient.size());
    for (std::uint32_t step = 0; step < steps; ++step) {
      std::vector<double> losses;
      for (const auto& streams : estimator->forwards(step)) {
        t.weights.perturb(step, streams);
        for (const double loss : t.losses(t.weights, batch)) losses.push_back(loss);
      }
      // Theta stays: only what the update would be is added up.
      for (const Term& term :
           estimator->update(step, 1.0, estimator->observe(step, losses).scalars).terms) {
        const auto z = z_of_all(t, term.step, term.probe);
        for (std::size_t i = 0; i < mean.size(); ++i)
          mean[i] += double{term.coefficient} * double{z[i]} / steps;
      }
    }
    const double along = dot(mean, gradient), cosine = along / std::sqrt(dot(mean, mean) * gg);
    // g'z squared has mean |g|^2 and variance 2 |g|^4: three standard deviations of `steps` draws,
    // and a little for what momentum's first steps lack.
    CHECK(along / gg == doctest::Approx(1).epsilon(3 * std::sqrt(2.0 / steps) + 0.02));
    // More probes lie closer to the gradient than one does; half of what one gives is no accident.
    CHECK(cosine > 0.5 * std::sqrt(steps / (steps + d + 1)));
  }
}
