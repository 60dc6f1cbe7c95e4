# mezo_torch: LibTorch as one imported target. The CUDA build of LibTorch refuses find_package() on a machine without a CUDA
# toolkit, so the libraries are named here. Found through CMAKE_PREFIX_PATH (torch.utils.cmake_prefix_path), else in .venv.
file(GLOB MEZO_VENV_TORCH ${PROJECT_SOURCE_DIR}/.venv/lib/python3*/site-packages/torch)
set(MEZO_TORCH_HINTS ${CMAKE_PREFIX_PATH})
foreach(prefix ${CMAKE_PREFIX_PATH})
  list(APPEND MEZO_TORCH_HINTS ${prefix}/../.. ${prefix}/torch)
endforeach()
list(APPEND MEZO_TORCH_HINTS ${MEZO_VENV_TORCH})

find_path(TORCH_INCLUDE ATen/core/Tensor.h HINTS ${MEZO_TORCH_HINTS} PATH_SUFFIXES include NO_DEFAULT_PATH)
find_library(TORCH_CPU_LIBRARY torch_cpu HINTS ${MEZO_TORCH_HINTS} PATH_SUFFIXES lib NO_DEFAULT_PATH)
find_library(C10_LIBRARY c10 HINTS ${MEZO_TORCH_HINTS} PATH_SUFFIXES lib NO_DEFAULT_PATH)
if(NOT TORCH_INCLUDE OR NOT TORCH_CPU_LIBRARY OR NOT C10_LIBRARY)
  message(FATAL_ERROR "LibTorch not found. Run ./tools/quickstart or ./tools/test once (they make .venv), or give "
                      "-DCMAKE_PREFIX_PATH=\"$(python3 -c 'import torch; print(torch.utils.cmake_prefix_path)')\"")
endif()
if(NOT EXISTS ${TORCH_INCLUDE}/torch/headeronly/version.h)
  message(FATAL_ERROR "The LibTorch in ${TORCH_INCLUDE} is too old: 2.9 or newer is needed (2.11.0 is what is tested)")
endif()
file(STRINGS ${TORCH_INCLUDE}/torch/headeronly/version.h version_lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
string(REGEX REPLACE "[^0-9;]" "" MEZO_TORCH_VERSION "${version_lines}")
string(REPLACE ";" "." MEZO_TORCH_VERSION "${MEZO_TORCH_VERSION}")
message(STATUS "LibTorch ${MEZO_TORCH_VERSION}: ${TORCH_CPU_LIBRARY}")

add_library(mezo_torch INTERFACE)
target_include_directories(mezo_torch SYSTEM INTERFACE ${TORCH_INCLUDE} ${TORCH_INCLUDE}/torch/csrc/api/include)
target_link_libraries(mezo_torch INTERFACE ${TORCH_CPU_LIBRARY} ${C10_LIBRARY})

# at::parallel_for is a template over OpenMP: without the flag it runs on one thread. A LibTorch that brings its own libgomp gets
# linked with that one, so that there is one pool of threads.
get_filename_component(MEZO_TORCH_LIB ${C10_LIBRARY} DIRECTORY)
file(GLOB MEZO_GOMP ${MEZO_TORCH_LIB}/libgomp*.so*)
find_package(OpenMP REQUIRED COMPONENTS CXX)
target_compile_options(mezo_torch INTERFACE $<$<COMPILE_LANGUAGE:CXX>:${OpenMP_CXX_FLAGS}>)
if(MEZO_GOMP)
  list(GET MEZO_GOMP 0 MEZO_GOMP)
  target_link_libraries(mezo_torch INTERFACE ${MEZO_GOMP})
else()
  target_link_libraries(mezo_torch INTERFACE ${OpenMP_CXX_LIBRARIES})
endif()
