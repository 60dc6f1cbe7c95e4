#include "core/machine/device.h"

#include <dlfcn.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>

#include "core/error.h"

namespace mezo {

namespace {

struct Opened {
  const CudaLibrary* library = nullptr;
  std::string problem;
};

// Beside the library that this code is in.
std::string library_path() {
  Dl_info info;
  if (!dladdr(reinterpret_cast<void*>(&open_device), &info)) return "libmezo_cuda.so";
  return (std::filesystem::path(info.dli_fname).parent_path() / "libmezo_cuda.so").string();
}

Opened open_library() {
  const std::string path = library_path();
  std::error_code none;
  if (!std::filesystem::exists(path, none))
    return {nullptr, "this mezo was built without CUDA (there is no " + path +
                         "; configure with nvcc on the PATH)"};
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);  // never closed: torch stays
  if (!handle) return {nullptr, std::string("the CUDA library cannot be loaded: ") + dlerror()};
  const auto open = reinterpret_cast<mezo_cuda_open_t>(dlsym(handle, "mezo_cuda_open"));
  if (!open) return {nullptr, path + " has no entry point"};
  return {open(), ""};
}

const CudaLibrary* loaded = nullptr;

const Opened& opened() {
  static const Opened once = open_library();
  loaded = once.library;
  return once;
}

std::string cpu_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "CPU";
}

std::int64_t available_bytes() {
  std::ifstream info("/proc/meminfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("MemAvailable:")) return std::stoll(line.substr(13)) * 1024;
  return 0;
}

std::int64_t peak_resident_bytes() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return std::int64_t{usage.ru_maxrss} * 1024;
}

}  // namespace

at::Device open_device(const std::string& name) {
  if (name == "cpu") return at::kCPU;
  // Without a driver the CUDA library, which takes a second to load, has nothing to find.
  if (name == "auto" && !dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL)) return at::kCPU;
  const Opened& cuda = opened();
  if (cuda.library && cuda.library->devices > 0) return at::Device(at::kCUDA, 0);
  if (name == "auto") return at::kCPU;
  throw RunError("[model.device] cuda cannot be used: " +
                 (cuda.library ? std::string(cuda.library->problem) : cuda.problem));
}

const CudaKernels* cuda_kernels() { return loaded ? &loaded->kernels : nullptr; }

DeviceMemory device_memory(at::Device device) {
  if (device.is_cuda()) return opened().library->memory(device.index());
  return {cpu_name(), peak_resident_bytes(), 0, available_bytes()};
}

void reset_peak_memory(at::Device device) {
  if (device.is_cuda()) opened().library->reset_peak(device.index());
}

}  // namespace mezo
