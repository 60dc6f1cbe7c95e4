#include "core/zo/estimators.h"

#include <stdexcept>

#include "core/config/spelling.h"
#include "core/zo/spsa.h"

namespace mezo {

namespace {

constexpr const char* epsilon_words[] = {"auto", nullptr};
constexpr const char* clip_words[] = {"none", nullptr};
constexpr const char* estimates[] = {"two_sided", "one_sided", nullptr};
constexpr const char* streams[] = {"auto", "turns", "together", nullptr};

constexpr mezo_parameter spsa_settings[] = {
    {"epsilon", MEZO_NUMBER, "auto", "[1e-12, 1e6]", epsilon_words, nullptr,
     "size of the perturbation; auto: what the PEFT mode recommends"},
    {"probes", MEZO_INTEGER, "1", "[1, 1024]", nullptr, nullptr,
     "directions a step; each costs two forwards"},
    {"estimate", MEZO_TEXT, "two_sided", nullptr, estimates, nullptr,
     "one_sided: against the loss at the weights themselves, probes + 1 forwards a step"},
    {"streams", MEZO_TEXT, "auto", nullptr, streams, nullptr,
     "turns: two perturbed forwards at a time; together: all probes' (more memory); auto: together "
     "where the model's matrices do not train, and all streams share them"},
    {"clip", MEZO_NUMBER, "none", "(0, 1e30]", clip_words, nullptr,
     "a projected gradient beyond it counts as it"}};

bool fits_one_forward(SpsaOptions options) {
  options.together = true;
  for (const auto& forward : Spsa(options).forwards(0))
    if (forward.size() > most_streams) return false;
  return true;
}

SpsaOptions spsa_options(const Parameters& own, const EstimatorContext& context) {
  SpsaOptions options;
  options.epsilon = static_cast<float>(own.is_word("epsilon") ? context.recommended_epsilon
                                                              : own.number("epsilon"));
  options.probes = static_cast<int>(own.integer("probes"));
  options.one_sided = own.text("estimate") == "one_sided";
  options.clip = own.is_word("clip") ? 0.0 : own.number("clip");
  // A product over all rows serves all streams where they share the matrices, so it pays to have
  // them in one forward, as long as that takes them all.
  const std::string& asked = own.text("streams");
  options.together =
      asked == "auto" ? context.shared_matrices && fits_one_forward(options) : asked == "together";
  return options;
}

std::unique_ptr<Estimator> make_spsa(const Parameters& own, double weight_decay,
                                     const EstimatorContext& context) {
  SpsaOptions options = spsa_options(own, context);
  options.weight_decay = weight_decay;
  return std::make_unique<Spsa>(options);
}

std::vector<std::pair<std::string, std::string>> spsa_resolved(const Parameters& own,
                                                               const EstimatorContext& context) {
  std::vector<std::pair<std::string, std::string>> resolved;
  if (own.is_word("epsilon"))
    resolved.emplace_back("epsilon", shortest_spelling(context.recommended_epsilon));
  resolved.emplace_back("streams", spsa_options(own, context).together ? "together" : "turns");
  return resolved;
}

// All of a step's streams in one forward are at most as many as one pass over the weights writes.
std::optional<std::pair<std::string, std::string>> spsa_problem(const Parameters& own) {
  if (!own.has("streams") || !own.has("probes") || !own.has("estimate")) return {};
  if (own.text("streams") != "together") return {};
  const std::int64_t probes = own.integer("probes");
  const std::int64_t streams = own.text("estimate") == "one_sided" ? probes + 1 : 2 * probes;
  if (streams <= static_cast<std::int64_t>(most_streams)) return {};
  return std::pair<std::string, std::string>(
      "probes", "optimizer.streams: together takes at most " + std::to_string(most_streams) +
                    " streams, got " + std::to_string(streams) + " of " + std::to_string(probes) +
                    " probes");
}

constexpr EstimatorKind kinds[] = {
    {"spsa", "MeZO's: projected gradients along random directions, two losses each", spsa_settings,
     make_spsa, spsa_resolved, spsa_problem}};

}  // namespace

std::span<const EstimatorKind> estimator_kinds() { return kinds; }

const EstimatorKind& estimator_kind(const std::string& id) {
  for (const EstimatorKind& kind : kinds)
    if (id == kind.id) return kind;
  throw std::logic_error("[estimators] no estimator is called " + id);
}

}  // namespace mezo
