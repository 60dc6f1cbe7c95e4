#pragma once
// The first header of a piece of several tests, before any of them says `using namespace mezo`: those of LibTorch that say names
// which mezo has too (Layout, Storage), and c10's logging, which takes the name CHECK for itself.
#include <ATen/EmptyTensor.h>
#include <ATen/Parallel.h>
#include <ATen/TensorUtils.h>
#include <ATen/Utils.h>
#include <c10/util/Logging.h>
#include <doctest/doctest.h>
#undef CHECK
#define CHECK DOCTEST_CHECK
#undef CHECK_MESSAGE
#define CHECK_MESSAGE DOCTEST_CHECK_MESSAGE
