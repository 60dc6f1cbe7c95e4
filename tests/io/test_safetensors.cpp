#include <doctest/doctest.h>

#include <algorithm>

#include "core/io/dequantize.h"
#include "core/io/safetensors.h"
#include "golden_files.h"

using namespace mezo;

namespace {

std::string as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The fp32 values of a tensor as bytes, to compare bit for bit.
std::string floats_of(const TensorView& tensor) {
  std::vector<float> out(static_cast<size_t>(tensor.count()));
  dequantize(tensor, out.data());
  return as_text(std::as_bytes(std::span(out)));
}

}  // namespace

TEST_CASE("a safetensors file gives its tensors sorted with types and shapes") {
  const TensorFile file = load_safetensors(golden("plain.safetensors"));
  CHECK(file.tensors().size() == 12);
  CHECK(std::ranges::is_sorted(file.tensors(), {}, &TensorView::name));
  CHECK(file.metadata().at("format") == "pt");
  CHECK(file.paths() == std::vector<std::string>{golden("plain.safetensors").string()});
  CHECK(file.at("layer.weight").shape == std::vector<int64_t>{5, 7});
  CHECK(file.at("scalar").shape.empty());
  CHECK(file.at("empty").data.empty());
  CHECK(file.at("ids").dtype == DType::I64);
  CHECK(file.at("mask").dtype == DType::Bool);
  CHECK(as_text(file.at("bytes").data) == "\x01\x02\xff");
  CHECK(file.path_of(file.at("mask")) == golden("plain.safetensors").string());
  CHECK(file.find("absent") == nullptr);
  const std::string text = message_of<ModelError>([&] { file.at("absent"); });
  CHECK(contains(text, "plain.safetensors"));
  CHECK(contains(text, "\"absent\""));
}

TEST_CASE("safetensors weights widen to the values that numpy gives") {
  const TensorFile file = load_safetensors(golden("plain.safetensors"));
  for (const char* name : {"layer.weight", "layer.half", "layer.brain", "scalar", "empty"}) {
    CAPTURE(name);
    CHECK(floats_of(file.at(name)) == read_text(golden("plain") / (std::string(name) + ".f32")));
  }
}

TEST_CASE("a copy of a TensorFile keeps the mapping alive") {
  TensorFile copy;
  {
    const TensorFile file = load_safetensors(golden("plain.safetensors"));
    copy = file;
  }
  CHECK(as_text(copy.at("bytes").data) == "\x01\x02\xff");
}

TEST_CASE("a folder of shards gives all tensors") {
  const TensorFile file = load_safetensors_folder(golden("sharded"));
  CHECK(file.tensors().size() == 3);
  CHECK(file.paths().size() == 2);
  CHECK(contains(file.path_of(file.at("c.weight")), "model-00002-of-00002.safetensors"));
  std::vector<float> out(3);
  dequantize(file.at("c.weight"), out.data());
  CHECK(out == std::vector<float>{7, 8, 9});
}

TEST_CASE("a folder prefers the single file and says what it looked for") {
  const ScratchFolder scratch;
  std::string text = message_of<ModelError>([&] { load_safetensors_folder(scratch.path()); });
  CHECK(contains(text, scratch.path().string()));
  CHECK(contains(text, "model.safetensors.index.json"));
  write_text(scratch / "pytorch_model.bin", "x");
  text = message_of<ModelError>([&] { load_safetensors_folder(scratch.path()); });
  CHECK(contains(text, "convert"));
  std::filesystem::copy_file(golden("plain.safetensors"), scratch / "model.safetensors");
  const TensorFile single = load_safetensors_folder(scratch.path());
  CHECK(single.tensors().size() == 12);
}

TEST_CASE("an index that is wrong about its shards is refused with the tensor and the shard") {
  const std::string one = "model-00001-of-00002.safetensors";
  const auto refused = [&](const std::string& index) {
    const ScratchFolder scratch;
    std::filesystem::copy(golden("sharded"), scratch.path(),
                          std::filesystem::copy_options::recursive);
    write_text(scratch / "model.safetensors.index.json", index);
    const std::string text =
        message_of<ModelError>([&] { load_safetensors_folder(scratch.path()); });
    CHECK(contains(text, scratch.path().string()));
    return text;
  };
  CHECK(contains(refused(R"({"weight_map":{"a.weight":"gone.safetensors"}})"), "gone.safetensors"));
  CHECK(contains(refused(R"({"weight_map":{"z":")" + one + "\"}}"), "tensor \"z\""));
  CHECK(contains(refused(R"({"weight_map":{"c.weight":")" + one +
                         R"(","x":"model-00002-of-00002.safetensors"}})"),
                 "00002"));
  CHECK(contains(refused(R"({"weight_map":{"a":"../model.safetensors"}})"), "in this folder"));
  CHECK(contains(refused(R"({"weight_map":{"a":"/etc/passwd"}})"), "in this folder"));
  CHECK(contains(refused(R"({"weight_map":{"a":3}})"), "got number"));
  CHECK(contains(refused(R"({"weight_map":{}})"), "weight_map"));
  CHECK(contains(refused(R"([])"), "weight_map"));
  CHECK(contains(refused(R"({"weight_map":)"), "valid JSON"));
  CHECK(contains(refused(R"({"weight_map":{"a":"x","a":"y"}})"), "twice"));
}

TEST_CASE("a tensor that lies in two shards is refused") {
  const ScratchFolder scratch;
  const std::string shard = read_text(golden("sharded/model-00002-of-00002.safetensors"));
  write_text(scratch / "a.safetensors", shard);
  write_text(scratch / "b.safetensors", shard);
  write_text(scratch / "model.safetensors.index.json",
             R"({"weight_map":{"c.weight":"a.safetensors","d":"b.safetensors"}})");
  const std::string text = message_of<ModelError>([&] { load_safetensors_folder(scratch.path()); });
  CHECK(contains(text, "\"c.weight\""));
  CHECK(contains(text, "b.safetensors"));
}

TEST_CASE("writing what was read gives the bytes of the safetensors package") {
  const ScratchFolder scratch;
  const TensorFile file = load_safetensors(golden("plain.safetensors"));
  std::vector<TensorView> tensors = file.tensors();
  write_safetensors(scratch / "a", tensors, file.metadata());
  std::ranges::reverse(tensors);
  write_safetensors(scratch / "b", tensors, file.metadata());
  CHECK(read_text(scratch / "a") == read_text(golden("plain.safetensors")));
  CHECK(read_text(scratch / "b") == read_text(scratch / "a"));
}

TEST_CASE("tensors that are made one by one give the same bytes") {
  const ScratchFolder scratch;
  const TensorFile file = load_safetensors(golden("plain.safetensors"));
  std::vector<TensorView> tensors = file.tensors();
  for (TensorView& tensor : tensors) tensor.data = {};
  Bytes one;
  const auto make = [&](const TensorView& tensor) {
    const auto data = file.at(tensor.name).data;
    one.assign(data.begin(), data.end());
    return std::span<const std::byte>(one);
  };
  write_safetensors(scratch / "a", tensors, file.metadata(), make);
  CHECK(read_text(scratch / "a") == read_text(golden("plain.safetensors")));
  CHECK(contains(message_of<RunError>([&] {
                   write_safetensors(scratch / "b", {{"x", DType::F32, {2}, {}}}, {},
                                     [&](const TensorView&) { return std::span(one).first(0); });
                 }),
                 "tensor \"x\": expected the bytes of F32 [2], got 0"));
  CHECK(scratch.names().size() == 1);
}

TEST_CASE("a file without tensors can be written and read") {
  const ScratchFolder scratch;
  write_safetensors(scratch / "none", {}, {{"a", "\"quoted\"\n"}, {"b", ""}});
  const TensorFile file = load_safetensors(scratch / "none");
  CHECK(file.tensors().empty());
  CHECK(file.metadata().at("a") == "\"quoted\"\n");
  write_safetensors(scratch / "bare", {});
  CHECK(load_safetensors(scratch / "bare").metadata().empty());
}

TEST_CASE("tensors that are not what they say are not written") {
  const ScratchFolder scratch;
  const Bytes data(18);
  const auto refused = [&](std::vector<TensorView> tensors) {
    const std::string text =
        message_of<RunError>([&] { write_safetensors(scratch / "w", tensors); });
    CHECK(contains(text, "[write_safetensors]"));
    CHECK(scratch.names().empty());
    return text;
  };
  CHECK(contains(refused({{"x", DType::F32, {5}, data}}), "got 18"));
  CHECK(contains(refused({{"x", DType::Q4_0, {32}, data}}), "got Q4_0"));
  CHECK(contains(refused({{"x", DType::U8, {18}, data}, {"x", DType::U8, {18}, data}}), "got two"));
  CHECK(contains(refused({{"__metadata__", DType::U8, {18}, data}}), "format's own"));
  CHECK(contains(refused({{"\xff", DType::U8, {18}, data}}), "UTF-8"));
}
