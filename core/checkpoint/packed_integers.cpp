// GPTQ and AWQ: integers packed into words of 32 bits, scales and zero points of groups of columns,
// all of them transposed. GPTQ packs along the columns of a weight, and may have quantised these in
// another order (g_idx); its first format stores zero points less one. AWQ (its gemm form) packs
// along the rows, eight at a time, in an order of its own. A product is rounded to the type of its
// scale.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/checkpoint/bit_codes.h"
#include "core/checkpoint/matrix_parts.h"
#include "core/checkpoint/quantisation_keys.h"
#include "core/checkpoint/quantised_forms.h"
#include "core/checkpoint/scaled_matrix.h"
#include "core/error.h"

namespace mezo {

namespace {

// What a configuration says of all matrices.
struct Packing {
  int bits = 4;
  std::optional<std::int64_t> group;  // columns; nothing: all
  bool symmetric = false;             // every zero point is the middle
  std::uint32_t added = 0;            // to a word of zero points
  bool mixed = false;                 // matrices may have groups of another size
};

Packing gptq_packing(const ModelConfig& config) {
  Packing packing;
  packing.bits = static_cast<int>(config.size(quantisation("bits"), 32));
  if (packing.bits != 2 && packing.bits != 4 && packing.bits != 8)
    config.refuse(quantisation("bits"), "weights of other than 2, 4 or 8 bits cannot be read");
  packing.group = group_size(config, quantisation("group_size"), 128);
  packing.symmetric = config.boolean(quantisation("sym"), false);
  packing.mixed = config.json(quantisation("dynamic")) != "null" &&
                  config.json(quantisation("dynamic")) != "{}";
  const std::string format = one_of(config, either(config, {"checkpoint_format", "format"}),
                                    {"gptq", "gptq_v2"}, "weights in this form cannot be read");
  // As the library adds it, to the word: what a zero point of 0 borrowed from its neighbour is
  // given back.
  if (format == "gptq") packing.added = 0xffffffffu / ((1u << packing.bits) - 1);
  return packing;
}

void check_gptq(const ModelConfig& config) {
  refuse_other_keys(
      config, quantisation_key,
      {"quant_method", "bits", "group_size", "sym", "checkpoint_format", "format", "pack_dtype",
       "is_marlin_format", "dynamic",
       // the tensors tell
       "desc_act", "static_groups", "lm_head", "modules_in_block_to_quantize",
       "block_name_to_quantize", "module_name_preceding_first_block", "modules_to_not_convert",
       // how it was quantised, what runs it
       "act_group_aware", "true_sequential", "damp_percent", "damp_auto_increment", "dataset",
       "tokenizer", "model_seqlen", "batch_size", "pad_token_id", "cache_block_outputs", "mse",
       "meta", "backend", "use_exllama", "use_cuda_fp16", "disable_exllama", "exllama_config",
       "max_input_length", "model_name_or_path", "model_file_base_name"});
  one_of(config, quantisation("pack_dtype"), {"int32"}, "words of another size cannot be read");
  if (config.boolean(quantisation("is_marlin_format"), false))
    config.refuse(quantisation("is_marlin_format"),
                  "weights in the order of a GPU's kernel cannot be read");
  gptq_packing(config);
}

Packing awq_packing(const ModelConfig& config) {
  Packing packing;
  const std::string bits = either(config, {"bits", "w_bit"});
  if (config.integer(bits, 4) != 4)
    config.refuse(bits, "weights of other than 4 bits cannot be read");
  packing.group = group_size(config, either(config, {"group_size", "q_group_size"}), 128);
  return packing;
}

void check_awq(const ModelConfig& config) {
  refuse_other_keys(config, quantisation_key,
                    {"quant_method", "bits", "w_bit", "group_size", "q_group_size", "version",
                     "format", "backend", "zero_point",
                     // the tensors tell; what runs it
                     "modules_to_not_convert", "do_fuse", "modules_to_fuse", "fuse_max_seq_len",
                     "exllama_config"});
  for (const char* key : {"version", "format"})
    one_of(config, quantisation(key), {"gemm"},
           "weights in the order of another kernel cannot be read");
  one_of(config, quantisation("backend"), {"auto", "autoawq", "auto-awq"},
         "weights that another program wrote cannot be read");
  config.boolean(quantisation("zero_point"), true);
  awq_packing(config);
}

// The tensors of a matrix [rows, columns].
struct Found {
  MatrixParts& parts;
  const TensorView &words, &zeros, &scales;
  std::int64_t rows, columns, groups;
  int bits;
};

// Zero points of [groups, rows].
auto gptq_zeros(const Found& found, std::uint32_t added) {
  return [zeros = found.zeros, rows = found.rows, bits = found.bits, added](std::int64_t row,
                                                                            std::int64_t g) {
    const std::int64_t in_word = 32 / bits;
    const std::uint32_t word = word_of(zeros, g * (rows / in_word) + row / in_word);
    return code_in(word + added, row % in_word, bits);
  };
}

Codes gptq_codes(const Found& found) {
  return [words = found.words, rows = found.rows, columns = found.columns, bits = found.bits](
             std::int64_t first, std::int64_t count, std::uint8_t* codes) {
    const std::int64_t in_word = 32 / bits;
    for (std::int64_t c = 0; c < columns; c += in_word)
      for (std::int64_t i = 0; i < count; ++i) {
        const std::uint32_t word = word_of(words, c / in_word * rows + first + i);
        for (std::int64_t j = 0; j < in_word; ++j)
          codes[i * columns + c + j] = code_in(word, j, bits);
      }
  };
}

// Where in a word each of eight rows is.
constexpr int awq_place[] = {0, 4, 1, 5, 2, 6, 3, 7};

std::uint8_t awq_code(const TensorView& words, std::int64_t rows, std::int64_t row,
                      std::int64_t column) {
  return code_in(word_of(words, column * (rows / 8) + row / 8), awq_place[row % 8], 4);
}

Codes awq_codes(const Found& found) {
  return [words = found.words, rows = found.rows, columns = found.columns](
             std::int64_t first, std::int64_t count, std::uint8_t* codes) {
    for (std::int64_t c = 0; c < columns; ++c)
      for (std::int64_t i = 0; i < count; ++i)
        codes[i * columns + c] = awq_code(words, rows, first + i, c);
  };
}

void expect_parts(const Found& found) {
  const std::int64_t in_word = 32 / found.bits;
  if (found.rows % in_word != 0 || found.rows < 1 || found.columns < 1)
    found.parts.refuse(
        fmt::format("expected rows of a multiple of {}, got {}", in_word, found.rows));
  found.parts.expect_shape(found.scales, {found.groups, found.rows});
  found.parts.expect_shape(found.zeros, {found.groups, found.rows / in_word});
}

std::int64_t group_of_columns(const Found& found, const Packing& packing) {
  const std::int64_t told = packing.group.value_or(found.columns);
  const std::int64_t size =
      packing.mixed ? found.columns / std::max<std::int64_t>(found.groups, 1) : told;
  if (size < 1 || (found.columns + size - 1) / size != found.groups)
    found.parts.refuse(
        fmt::format("config.json says groups of {} of its {} columns, got {} groups in {}", size,
                    found.columns, found.groups, found.scales.name));
  return size;
}

ScaledMatrix matrix_of(const Found& found) {
  const DType kind = found.bits == 8 ? DType::INT8_F32 : DType::INT4_F32;
  ScaledMatrix matrix{found.parts.prefix() + ".weight", found.rows, found.columns,
                      blocks_in(kind, found.scales.dtype), found.words.data};
  matrix.groups = found.groups;
  return matrix;
}

template <class Zero>
void set_scales_across(ScaledMatrix& matrix, const Found& found, const Zero& zero) {
  matrix.scales = [of = found.scales, rows = found.rows, groups = found.groups, zero](
                      std::int64_t row, float* scales, std::uint8_t* zeros) {
    for (std::int64_t g = 0; g < groups; ++g) {
      scales[g] = scale_of(of, g * rows + row);
      zeros[g] = zero(row, g);
    }
  };
}

// Symmetric weights have one zero point; another is of a file that says the wrong format.
template <class Zero>
void check_symmetric(const Found& found, const Zero& zero_of) {
  const int middle = 1 << (found.bits - 1);
  for (std::int64_t g = 0; g < found.groups; ++g)
    for (std::int64_t row = 0; row < found.rows; ++row)
      if (const int zero = zero_of(row, g); zero != middle)
        found.parts.refuse(fmt::format(
            "config.json says symmetric weights (sym), whose zero points are {}, but {} has {}{}",
            middle, found.zeros.name, zero,
            zero == middle + 1 ? ": its checkpoint_format is gptq_v2, which config.json should say"
            : zero == middle - 1 ? ": its checkpoint_format is gptq, which config.json should say"
                                 : ""));
}

std::vector<std::int32_t> groups_of(const Found& found, const TensorView& told) {
  found.parts.expect_shape(told, {found.columns});
  std::vector<std::int32_t> groups(static_cast<std::size_t>(found.columns));
  for (std::size_t c = 0; c < groups.size(); ++c) {
    groups[c] = static_cast<std::int32_t>(word_of(told, static_cast<std::int64_t>(c)));
    if (groups[c] < 0 || groups[c] >= found.groups)
      found.parts.refuse(fmt::format("expected groups from 0 to {} in {}, got {}", found.groups - 1,
                                     told.name, groups[c]));
  }
  return groups;
}

struct Tensors {
  const TensorView &words, &zeros, &scales;
};

Tensors tensors_of(MatrixParts& parts) {
  const TensorView& words = parts.at(".qweight", {DType::I32});
  const TensorView& zeros = parts.at(".qzeros", {DType::I32});
  const TensorView& scales = parts.at(".scales", {DType::F16, DType::BF16, DType::F32});
  if (words.shape.size() != 2 || scales.shape.size() != 2)
    parts.refuse(fmt::format("expected matrices, got shape {} and scales of {}",
                             shape_text(words.shape), shape_text(scales.shape)));
  return {words, zeros, scales};
}

TensorView gptq_matrix(MatrixParts& parts, const Packing& packing) {
  const auto [words, zeros, scales] = tensors_of(parts);
  const TensorView* order = parts.find(".g_idx");
  const Found found{parts,           words,          zeros,
                    scales,          words.shape[1], words.shape[0] * 32 / packing.bits,
                    scales.shape[0], packing.bits};
  expect_parts(found);
  const auto zero_of = gptq_zeros(found, packing.added);
  if (packing.symmetric) check_symmetric(found, zero_of);
  ScaledMatrix matrix = matrix_of(found);
  matrix.codes = gptq_codes(found);
  const std::int64_t size = group_of_columns(found, packing);
  if (order && order->dtype != DType::I32)
    parts.refuse(fmt::format("expected {} to be I32, got {}", order->name, name_of(order->dtype)));
  matrix.group_of = order ? groups_of(found, *order) : groups_in_order(found.columns, size);
  set_scales_across(matrix, found, zero_of);
  return assembled(std::move(matrix));
}

TensorView awq_matrix(MatrixParts& parts, const Packing& packing) {
  const auto [words, zeros, scales] = tensors_of(parts);
  const Found found{parts,          words,           zeros,       scales, words.shape[1] * 8,
                    words.shape[0], scales.shape[0], packing.bits};
  expect_parts(found);
  ScaledMatrix matrix = matrix_of(found);
  matrix.codes = awq_codes(found);
  const std::int64_t size = group_of_columns(found, packing);
  if (found.columns % size != 0)
    parts.refuse(fmt::format("groups of {} columns do not divide its {}", size, found.columns));
  matrix.group_of = groups_in_order(found.columns, size);
  set_scales_across(matrix, found,
                    [zeros = zeros, rows = found.rows](std::int64_t row, std::int64_t g) {
                      return awq_code(zeros, rows, row, g);
                    });
  return assembled(std::move(matrix));
}

// Companions of words that are not there.
void refuse_lonely(const TensorFile& tensors, const Assembly& assembly) {
  for (const TensorView& tensor : tensors.tensors())
    for (const char* suffix : {".qzeros", ".scales", ".g_idx"})
      if (const std::string prefix = without_suffix(tensor.name, suffix);
          !prefix.empty() && !assembly.used.contains(tensor.name))
        throw ModelError(fmt::format("[{}] tensor {}: quantised, but {}.qweight is missing",
                                     tensors.path_of(tensor), tensor.name, prefix));
}

template <class Matrix>
TensorFile read_words(const TensorFile& tensors, const Matrix& matrix) {
  Assembly assembly;
  for (const TensorView& tensor : tensors.tensors()) {
    const std::string prefix = without_suffix(tensor.name, ".qweight");
    if (prefix.empty()) continue;
    MatrixParts parts(tensors, tensor, prefix);
    TensorView view = matrix(parts);
    assembly.add(parts, std::move(view));
  }
  refuse_lonely(tensors, assembly);
  return std::move(assembly).in(tensors);
}

TensorFile read_gptq(const TensorFile& tensors, const ModelConfig& config) {
  const Packing packing = gptq_packing(config);
  return read_words(tensors, [&](MatrixParts& parts) { return gptq_matrix(parts, packing); });
}

TensorFile read_awq(const TensorFile& tensors, const ModelConfig& config) {
  const Packing packing = awq_packing(config);
  return read_words(tensors, [&](MatrixParts& parts) { return awq_matrix(parts, packing); });
}

std::vector<std::string> no_notes(const ModelConfig&) { return {}; }

}  // namespace

const QuantisedForm gptq_form = {"gptq", check_gptq, read_gptq, no_notes};
const QuantisedForm awq_form = {"awq", check_awq, read_awq, no_notes};

}  // namespace mezo
