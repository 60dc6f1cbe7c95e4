// LoRA: beside a linear map W stand two small matrices, A [rank, in] and B [out, rank], and the map
// becomes x W^T + scale (x A^T) B^T with scale = alpha / rank. Only A and B train. Hu et al. 2021,
// arXiv 2106.09685; rank-stabilised scaling, alpha / sqrt(rank), is Kalajdzievski 2023, arXiv
// 2312.03732. Names, start and scaling are the peft package's, so that its adapter folders can be
// read and written. The recommended values are the MeZO authors' single best guess for LoRA
// (learning rate 1e-4, epsilon 1e-2; rank 8, alpha 16 on the query and value projections).

#include <ATen/ops/addmm.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/from_blob.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/checkpoint/peft_folder.h"
#include "core/error.h"
#include "core/model/peft.h"
#include "core/plugin/component.h"
#include "plugins/peft/lora/adapter_file.h"
#include "plugins/peft/lora/sites.h"

namespace {

using lora::Site;

// What a loaded adapter or the settings say, whichever there is; a site may have an alpha of its
// own.
struct Scaling {
  double alpha = 16;
  bool rank_stabilised = false;
  double of(const Site& site) const {
    const auto r = static_cast<double>(site.rank);
    return site.alpha / (rank_stabilised ? std::sqrt(r) : r);
  }
};

class LoraAdapter : public mezo::Adapter {
 public:
  LoraAdapter(std::vector<Site> sites, std::string note, std::vector<std::string> targets,
              Scaling scaling, std::shared_ptr<const mezo::PeftFolder> from, std::size_t parameters)
      : sites_(std::move(sites)),
        note_(std::move(note)),
        targets_(std::move(targets)),
        scaling_(scaling),
        from_(std::move(from)),
        site_of_(parameters, -1) {
    for (std::size_t i = 0; i < sites_.size(); ++i)
      site_of_[static_cast<std::size_t>(sites_[i].weight.index)] = static_cast<int>(i);
  }

  std::vector<std::string> notes() const override { return {note_}; }

  // A as a linear layer of torch begins (Kaiming-uniform with slope sqrt(5): within 1 / sqrt(in));
  // B at zero, so that training begins at the base's own weights.
  void start(mezo::AdapterStart& start) const override {
    for (const Site& s : sites_) {
      if (from_) {
        start.write(s.a, from_->read(lora::file_name(s, 'A'), {s.rank, s.in}));
        start.write(s.b, from_->read(lora::file_name(s, 'B'), {s.out, s.rank}));
      } else {
        start.write_uniform(s.a, static_cast<float>(1 / std::sqrt(static_cast<double>(s.in))));
        start.write(s.b, std::vector<float>(static_cast<std::size_t>(s.out * s.rank)));
      }
    }
  }

  void linear(mezo::ParameterSource& source, const mezo::Linear& map, const at::Tensor& x,
              at::Tensor& y) const override {
    const Site* site = site_of(map.weight);
    if (!site) return;
    const std::int64_t streams = source.streams(), rows = x.size(0) / streams;
    const at::Tensor a = source.whole(site->a), b = source.whole(site->b);
    const at::Tensor low = at::bmm(x.view({streams, rows, site->in}), a.transpose(1, 2));
    y.view({streams, rows, site->out}).baddbmm_(low, b.transpose(1, 2), 1, scaling_.of(*site));
  }

  void merge(mezo::Parameter p, std::span<float> weights,
             const mezo::AdapterReader& read) const override {
    const Site* site = site_of(p);
    if (!site) return;
    std::vector<float> a = read(site->a), b = read(site->b);
    const bool straight = site->layout == mezo::Layout::out_in;
    const at::Tensor left = at::from_blob(b.data(), {site->out, site->rank}, at::kFloat),
                     right = at::from_blob(a.data(), {site->rank, site->in}, at::kFloat);
    at::Tensor w = at::from_blob(
        weights.data(),
        straight ? std::vector{site->out, site->in} : std::vector{site->in, site->out}, at::kFloat);
    (straight ? w : w.t()).addmm_(left, right, 1, scaling_.of(*site));
  }
  std::optional<std::string> refuses_merge() const override { return std::nullopt; }

  mezo::PeftFiles peft_files(const mezo::AdapterReader& read) const override {
    nlohmann::ordered_json ranks = nlohmann::ordered_json::object(), alphas = ranks;
    const std::int64_t rank = sites_.front().rank;
    for (const Site& s : sites_) {
      if (s.rank != rank) ranks[s.module] = s.rank;
      if (s.alpha != scaling_.alpha) alphas[s.module] = s.alpha;
    }
    const nlohmann::ordered_json config = {
        {"peft_type", "LORA"},
        {"inference_mode", true},
        {"r", rank},
        {"lora_alpha", scaling_.alpha},
        {"lora_dropout", 0.0},
        {"use_rslora", scaling_.rank_stabilised},
        {"rank_pattern", ranks},
        {"alpha_pattern", alphas},
        {"target_modules", targets_},
        {"fan_in_fan_out", sites_.front().layout == mezo::Layout::in_out},
        {"bias", "none"}};
    mezo::PeftFiles files{config.dump(), {}};
    for (const Site& s : sites_) {
      files.tensors.push_back({lora::file_name(s, 'A'), {s.rank, s.in}, read(s.a)});
      files.tensors.push_back({lora::file_name(s, 'B'), {s.out, s.rank}, read(s.b)});
    }
    return files;
  }
  std::optional<std::string> refuses_peft() const override { return std::nullopt; }

 private:
  const Site* site_of(mezo::Parameter weight) const {
    const int i = site_of_[static_cast<std::size_t>(weight.index)];
    return i < 0 ? nullptr : &sites_[static_cast<std::size_t>(i)];
  }

  std::vector<Site> sites_;
  std::string note_;
  std::vector<std::string> targets_;
  Scaling scaling_;
  std::shared_ptr<const mezo::PeftFolder> from_;
  std::vector<int> site_of_;  // each of the model's parameters; -1: none
};

class Lora : public mezo::Peft {
 public:
  explicit Lora(const mezo::Parameters& p)
      : rank_(p.integer("rank")),
        scaling_{p.number("alpha"), p.boolean("rslora")},
        targets_(p.list("targets")) {
    const std::string& folder = p.text("adapter");
    if (folder.empty()) return;
    from_ = lora::open_adapter(folder);
    const mezo::ModelConfig& c = from_->config();
    const auto refuse = [&](const char* name, const std::string& theirs) {
      throw mezo::ConfigError("[peft lora] " + std::string(name) + ": the adapter " + folder +
                              " has " + theirs + "; leave it out");
    };
    if (p.given("rank") && rank_ != c.integer("r")) refuse("rank", c.json("r"));
    if (p.given("alpha") && scaling_.alpha != c.number("lora_alpha"))
      refuse("alpha", c.json("lora_alpha"));
    if (p.given("rslora") && scaling_.rank_stabilised != c.boolean("use_rslora", false))
      refuse("rslora", c.boolean("use_rslora", false) ? "it on" : "it off");
    if (targets_ != std::vector<std::string>{"auto"}) refuse("targets", "targets of its own");
    rank_ = c.integer("r");
    scaling_ = {c.number("lora_alpha"), c.boolean("use_rslora", false)};
  }

  std::shared_ptr<mezo::Adapter> adapt(const mezo::ModelOutline& model,
                                       mezo::Declaration& declare) const override {
    lora::Chosen chosen =
        from_ ? lora::sites_of_adapter(*from_, model.parameters)
              : lora::sites_of_targets(targets_, rank_, scaling_.alpha, model.parameters);
    std::int64_t elements = 0;
    for (Site& s : chosen.sites) {
      s.a = declare.adapter(s.module + ".lora_A.weight", {s.rank, s.in});
      s.b = declare.adapter(s.module + ".lora_B.weight", {s.out, s.rank});
      elements += s.rank * (s.in + s.out);
    }
    std::string note = lora::summary(chosen, rank_, scaling_.alpha, elements);
    return std::make_shared<LoraAdapter>(std::move(chosen.sites), std::move(note),
                                         std::move(chosen.targets), scaling_, from_,
                                         model.parameters.size());
  }

  std::vector<std::pair<std::string, std::string>> resolved() const override {
    if (!from_) return {};
    return {{"rank", std::to_string(rank_)},
            {"alpha", nlohmann::json(scaling_.alpha).dump()},
            {"rslora", scaling_.rank_stabilised ? "true" : "false"}};
  }

  Recommended recommended() const override { return {1e-4, 1e-2}; }

 private:
  std::int64_t rank_;
  Scaling scaling_;
  std::vector<std::string> targets_;
  std::shared_ptr<const mezo::PeftFolder> from_;  // nullptr: starts anew
};

constexpr mezo_parameter parameters[] = {
    {"rank", MEZO_INTEGER, "8", "[1, 65536]", nullptr, nullptr, "columns of A and B"},
    {"alpha", MEZO_NUMBER, "16", "(0, 1e9]", nullptr, nullptr,
     "what A and B add is scaled by alpha / rank"},
    {"targets", MEZO_TEXT_LIST, "[auto]", nullptr, nullptr, nullptr,
     "linear maps that get A and B: last parts of their names, or whole names with * for any text; "
     "auto: the query and value projections"},
    {"rslora", MEZO_BOOLEAN, "false", nullptr, nullptr, nullptr,
     "scale by alpha / sqrt(rank) instead (rank-stabilised)"},
    {"adapter", MEZO_PATH, "", nullptr, nullptr, nullptr,
     "start from this folder, written by the peft package or by `mezo export --format peft`"}};

constexpr mezo_component components[] = {mezo::component<Lora, mezo::Peft>(
    MEZO_PEFT, "lora", "small matrices beside linear maps train, the model stays", parameters)};

}  // namespace

MEZO_PLUGIN("lora", "1.0.0", "Low-rank adaptation (LoRA)", "MIT", components)
