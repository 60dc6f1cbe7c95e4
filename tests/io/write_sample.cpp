// Writes a safetensors file for check_sample.py, which reads it with the safetensors package:
// write_sample PATH.
#include <cstdio>
#include <numeric>
#include <vector>

#include "core/error.h"
#include "core/io/float16.h"
#include "core/io/safetensors.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::vector<float> weights(15);
  std::iota(weights.begin(), weights.end(), -7.5f);
  std::vector<uint16_t> halves, brains;
  for (const float weight : weights) {
    halves.push_back(mezo::fp32_to_fp16(weight));
    brains.push_back(mezo::fp32_to_bf16(weight));
  }
  const std::vector<int64_t> ids = {1, -2, 3};
  const auto bytes = [](const auto& values) { return std::as_bytes(std::span(values)); };
  try {
    mezo::write_safetensors(argv[1],
                            {{"a.weight", mezo::DType::F32, {3, 5}, bytes(weights)},
                             {"b.half", mezo::DType::F16, {15}, bytes(halves)},
                             {"c.brain", mezo::DType::BF16, {5, 3}, bytes(brains)},
                             {"naïve \"name\"", mezo::DType::I64, {3}, bytes(ids)},
                             {"empty", mezo::DType::F32, {0, 2}, {}}},
                            {{"format", "pt"}, {"note", "line\nbreak"}});
  } catch (const mezo::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return error.exit_code();
  }
}
