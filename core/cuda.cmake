# mezo_cuda: the GPU's kernels as a library of their own, which the host loads when a run asks for a GPU (core/machine/device.h). Made
# where there is a CUDA compiler and a LibTorch with CUDA; without either the host is CPU-only and says so at run time.
set(MEZO_CUDA AUTO CACHE STRING "Build the CUDA library: AUTO (where it can be), ON or OFF")
set(MEZO_CUDA_ARCHITECTURES "80-real;90-real;100" CACHE STRING "GPU architectures: Ampere, Hopper, Blackwell and later")
# What a GPU needs beside the program; nothing where the library is not made.
add_custom_target(gpu_kernels)
if(MEZO_CUDA STREQUAL "OFF")
  message(STATUS "CUDA: switched off, making the CPU-only host")
  return()
endif()

# tools/setup installs the compiler beside torch, so that no CUDA installation is needed.
file(GLOB MEZO_VENV_CUDA ${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/nvidia/cu13/bin)
find_program(MEZO_NVCC nvcc HINTS ENV CUDACXX ${MEZO_VENV_CUDA} ENV CUDA_HOME /usr/local/cuda PATH_SUFFIXES bin)
get_filename_component(MEZO_NVCC_BIN "${MEZO_NVCC}" DIRECTORY)
find_library(TORCH_CUDA_LIBRARY torch_cuda HINTS ${MEZO_TORCH_LIB} NO_DEFAULT_PATH)
find_library(C10_CUDA_LIBRARY c10_cuda HINTS ${MEZO_TORCH_LIB} NO_DEFAULT_PATH)
# The CUDA runtime that torch itself uses, so that there is one.
file(GLOB MEZO_CUDART ${MEZO_TORCH_LIB}/../../nvidia/cu*/lib/libcudart.so.* ${MEZO_NVCC_BIN}/../lib64/libcudart.so
                      ${MEZO_NVCC_BIN}/../lib/libcudart.so*)
if(NOT MEZO_NVCC OR NOT TORCH_CUDA_LIBRARY OR NOT C10_CUDA_LIBRARY OR NOT MEZO_CUDART)
  if(MEZO_CUDA STREQUAL "ON")
    message(FATAL_ERROR "MEZO_CUDA=ON needs nvcc (got ${MEZO_NVCC}), a LibTorch with CUDA (got ${TORCH_CUDA_LIBRARY}) and its libcudart")
  endif()
  message(STATUS "CUDA: no compiler or no LibTorch with CUDA, making the CPU-only host")
  return()
endif()
list(GET MEZO_CUDART 0 MEZO_CUDART)
set(CMAKE_CUDA_COMPILER ${MEZO_NVCC})
set(CMAKE_CUDA_ARCHITECTURES ${MEZO_CUDA_ARCHITECTURES})
set(CMAKE_CUDA_RUNTIME_LIBRARY None)
set(CMAKE_CUDA_STANDARD 20)
enable_language(CUDA)
if(NOT cuda_std_20 IN_LIST CMAKE_CUDA_COMPILE_FEATURES)
  # Text that begins with a space stays on one line.
  message(FATAL_ERROR " CMake ${CMAKE_VERSION} is too old to compile CUDA as C++20: run .venv/bin/cmake, which tools/setup installs, or add -DMEZO_CUDA=OFF")
endif()
message(STATUS "CUDA ${CMAKE_CUDA_COMPILER_VERSION}: ${MEZO_NVCC} for ${CMAKE_CUDA_ARCHITECTURES}")

set(MEZO_CUDA_KERNELS forward/activations.cu forward/attention.cu forward/dequantize.cu zo/cuda/general.cu zo/cuda/usual.cu zo/cuda/vectors.cu)
add_library(mezo_cuda SHARED ${MEZO_CUDA_KERNELS} cuda/library.cpp zo/cuda/kernels.cpp)
target_include_directories(mezo_cuda SYSTEM PRIVATE ${MEZO_NVCC_BIN}/../include)
target_link_libraries(mezo_cuda PRIVATE mezo_core ${C10_CUDA_LIBRARY} -Wl,--no-as-needed ${TORCH_CUDA_LIBRARY} ${MEZO_CUDART})
# The bits of an update must not depend on what a compiler finds worth fusing.
set_source_files_properties(${MEZO_CUDA_KERNELS} PROPERTIES COMPILE_OPTIONS "--expt-relaxed-constexpr;-fmad=false")
add_dependencies(gpu_kernels mezo_cuda)
