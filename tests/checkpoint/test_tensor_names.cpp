// Files whose tensors have other names than the model's.
#include <doctest/doctest.h>

#include <list>
#include <numeric>

#include "core/checkpoint/weight_files.h"
#include "core/error.h"
#include "tests/model/model_folder.h"
#include "tests/model/toy.h"

using namespace mezo;

namespace {

// A file of fp32 tensors that count 0, 1, 2, … through all of them.
class CountingFile {
 public:
  explicit CountingFile(const ModelFolder::Shapes& shapes) {
    std::vector<TensorView> views;
    for (const auto& [name, shape] : shapes) {
      TensorView view{name, DType::F32, shape, {}};
      auto& own = values_.emplace_back(static_cast<std::size_t>(view.count()));
      std::iota(own.begin(), own.end(), next_);
      next_ += static_cast<float>(own.size());
      view.data = std::as_bytes(std::span(own));
      views.push_back(view);
    }
    write_safetensors(path(), views);
  }
  std::filesystem::path path() const { return scratch_ / "model.safetensors"; }
  WeightFiles read(const TensorNames& names, const Declaration& declaration) const {
    return {load_safetensors_folder(scratch_.path().string()), names, declaration.parameters()};
  }

 private:
  ScratchFolder scratch_;
  std::list<std::vector<float>> values_;
  float next_ = 0;
};

std::vector<float> read(const WeightFiles& files, Parameter p) {
  std::vector<float> values(static_cast<std::size_t>(files.view(p).count()));
  files.read(p, values.data());
  std::vector<float> copied(values.size());
  files.copy(p, reinterpret_cast<std::byte*>(copied.data()));
  CHECK(copied == values);  // what the file has is fp32
  return values;
}

}  // namespace

TEST_CASE("aliases carry what their stars stand for, and the first that fits counts") {
  Declaration declaration;
  const Linear q = declaration.linear("model.layers.12.self_attn.q_proj", 1, 2, true);
  const Norm norm = declaration.rms_norm("norm", 2);
  const TensorNames names{{{"*.LayerNorm.gamma", "*.weight"},
                           {"blk.*.attn_q.*", "model.layers.*.self_attn.q_proj.*"},
                           {"blk.*.attn_*.*", "wrong.*.*.*"}}};
  const CountingFile file({{"blk.12.attn_q.weight", {2, 1}},
                           {"blk.12.attn_q.bias", {2}},
                           {"norm.LayerNorm.gamma", {2}}});
  const WeightFiles files = file.read(names, declaration);
  CHECK(read(files, q.bias) == std::vector<float>{0, 1});
  CHECK(read(files, q.weight) == std::vector<float>{2, 3});
  CHECK(read(files, norm.gain) == std::vector<float>{4, 5});
  CHECK(files.unused().empty());
}

TEST_CASE(
    "a transposed matrix is read and copied with rows and columns exchanged, its bias as it is") {
  Declaration declaration;
  const Linear map = declaration.linear("map", 3, 2, true);
  const TensorNames names{{{"m.*", "map.*", 0, true}}};
  const CountingFile file({{"m.bias", {2}}, {"m.weight", {3, 2}}});
  const WeightFiles files = file.read(names, declaration);
  CHECK(read(files, map.weight) == std::vector<float>{2, 4, 6, 3, 5, 7});
  CHECK(read(files, map.bias) == std::vector<float>{0, 1});
  const CountingFile straight({{"m.bias", {2}}, {"m.weight", {2, 3}}});
  CHECK(contains(message_of<ModelError>([&] { straight.read(names, declaration); }),
                 "tensor m.weight: the configuration asks for shape [3, 2], got [2, 3]"));
}

TEST_CASE("a norm whose gains a file has whole is read and copied less what was added") {
  Declaration declaration;
  const Norm norm = declaration.rms_norm("norm", 3);
  const Linear map = declaration.linear("map", 2, 1, false);
  const CountingFile file({{"n.weight", {3}}, {"m.weight", {1, 2}}});
  const TensorNames names{{{"n.*", "norm.*", 0, false, 1}, {"m.*", "map.*"}}};
  const WeightFiles files = file.read(names, declaration);
  CHECK(read(files, norm.gain) == std::vector<float>{1, 2, 3});
  CHECK(read(files, map.weight) == std::vector<float>{0, 1});
  CHECK_THROWS_AS(file.read({{{"n.*", "norm.*"}, {"m.*", "map.*", 0, false, 1}}}, declaration),
                  std::logic_error);
}

TEST_CASE("a prefix may be absent, but not there and absent at once") {
  Declaration declaration;
  const Norm norm = declaration.rms_norm("model.norm", 2);
  declaration.rms_norm("head", 2);
  const TensorNames names{{}, "model."};
  const CountingFile bare({{"head.weight", {2}}, {"norm.weight", {2}}});
  CHECK(read(bare.read(names, declaration), norm.gain) == std::vector<float>{2, 3});
  const CountingFile both({{"head.weight", {2}}, {"model.norm.weight", {2}}, {"norm.weight", {2}}});
  CHECK(message_of<ModelError>([&] { both.read(names, declaration); }) ==
        placed(both.path().string(),
               "tensors model.norm.weight and norm.weight are both the model's model.norm.weight"));
  CHECK(contains(message_of<ModelError>([&] { bare.read({}, declaration); }), "model.norm.weight"));
}

TEST_CASE("tensors to be ignored are passed over, others are told as the file has them") {
  Declaration declaration;
  declaration.rms_norm("model.norm", 2);
  const CountingFile file({{"norm.weight", {2}},
                           {"layers.0.rotary_emb.inv_freq", {2}},
                           {"embeddings.position_ids", {2}},
                           {"extra", {2}}});
  const TensorNames names{{}, "model.", {"*.rotary_emb.inv_freq", "*position_ids"}};
  CHECK(file.read(names, declaration).unused() == std::vector<std::string>{"extra"});
}
