#include "core/record/provenance.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/checkpoint/weights_hash.h"
#include "core/error.h"
#include "core/io/sha256.h"
#include "core/machine/machine.h"

namespace mezo {

namespace {

std::vector<BaseTensor> tensors_of(const ParameterStore& store, const std::vector<bool>& trained) {
  const std::vector<std::string> hashes = hash_parameters(store);
  std::vector<BaseTensor> tensors;
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    const ParameterSpec& spec = store.specs()[i];
    const StoredTensor& stored = store.stored({static_cast<int>(i)});
    tensors.push_back({spec.name, spec.shape, name_of(stored.storage), trained[i], hashes[i]});
  }
  std::sort(tensors.begin(), tensors.end(),
            [](const BaseTensor& a, const BaseTensor& b) { return a.name < b.name; });
  return tensors;
}

// The data and task files of a run, by the settings that name them; empty: none is given.
std::map<std::string, std::string> files_of(const RunConfig& config) {
  const TaskSettings& task = config.settings.task;
  return {{"task.file", config.task.path},
          {"task.train", task.train},
          {"task.dev", task.dev},
          {"task.test", task.test}};
}

void compare_base(const std::vector<BaseTensor>& then, const std::vector<BaseTensor>& now) {
  const auto refuse = [](const std::string& what) {
    throw ModelError("[trajectory] this is not the model that the run started from: " + what);
  };
  for (std::size_t i = 0; i < std::max(then.size(), now.size()); ++i) {
    if (i == then.size() || (i < now.size() && now[i].name < then[i].name))
      refuse("it has a tensor " + now[i].name + ", which that had not");
    if (i == now.size() || now[i].name != then[i].name) refuse("it has no tensor " + then[i].name);
    if (now[i].shape != then[i].shape)
      refuse(fmt::format("tensor {} has shape [{}], not [{}]", now[i].name,
                         fmt::join(now[i].shape, ", "), fmt::join(then[i].shape, ", ")));
    if (now[i].storage != then[i].storage)
      refuse(fmt::format("tensor {} is stored as {}, not as {}", now[i].name, now[i].storage,
                         then[i].storage));
    if (now[i].sha256 != then[i].sha256)
      refuse(fmt::format("tensor {} has other values (sha256 {}…, then {}…)", now[i].name,
                         now[i].sha256.substr(0, 12), then[i].sha256.substr(0, 12)));
  }
}

}  // namespace

TrajectoryHeader provenance_of(const RunConfig& config, const std::string& yaml,
                               std::size_t scalars, const LoadedModel& model) {
  TrajectoryHeader header;
  header.tensors = tensors_of(model.store, model.trained);
  for (const auto& [key, file] : files_of(config))
    if (!file.empty()) header.files[key] = sha256_of_file(file);
  header.first.scalars = static_cast<std::uint32_t>(scalars);
  header.first.config = yaml;
  header.first.machine = this_machine(model.store.device());
  return header;
}

void require_same_base(const TrajectoryHeader& then, const ParameterStore& store) {
  compare_base(then.tensors, tensors_of(store, std::vector<bool>(store.specs().size())));
}

void require_same_base(const TrajectoryHeader& then, const TrajectoryHeader& now) {
  compare_base(then.tensors, now.tensors);
}

void require_same_files(const TrajectoryHeader& then, const TrajectoryHeader& now,
                        const RunConfig& config) {
  for (const auto& [key, hash] : then.files) {
    const auto found = now.files.find(key);
    if (found != now.files.end() && found->second != hash)
      throw DataError(
          fmt::format("[resume] {}: {} is not the file that the run started with "
                      "(sha256 {}…, then {}…)",
                      key, files_of(config)[key], found->second.substr(0, 12), hash.substr(0, 12)));
  }
}

std::vector<bool> trained_of(const TrajectoryHeader& header, const ParameterStore& store) {
  std::vector<bool> trained;
  for (const ParameterSpec& spec : store.specs())
    trained.push_back(
        std::any_of(header.tensors.begin(), header.tensors.end(),
                    [&](const BaseTensor& t) { return t.name == spec.name && t.trained; }));
  return trained;
}

}  // namespace mezo
