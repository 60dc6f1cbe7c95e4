#pragma once
// A comparison for other programs.

#include <nlohmann/json.hpp>
#include <string>

#include "core/compare/cell.h"

namespace mezo {

// {"groups": a place of the table each, "cells": each with its settings, scores, costs, state and
// paths}.
nlohmann::ordered_json json_of_comparison(const Comparison& comparison, const std::string& metric);

// A list of flat objects with the same keys as lines with a head (RFC 4180); null is nothing.
std::string csv_of(const nlohmann::ordered_json& records);

// compare.csv (the groups) and compare.json in the output folder, each replaced as a whole.
void write_tables(const Comparison& comparison, const std::string& metric);

}  // namespace mezo
