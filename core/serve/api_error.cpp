#include "core/serve/api_error.h"

#include <nlohmann/json.hpp>

namespace mezo {

RefusedRequest::RefusedRequest(const std::string& message, std::string param, std::string code,
                               int status)
    : std::runtime_error(message),
      param_(std::move(param)),
      code_(std::move(code)),
      status_(status) {}

RefusedRequest::~RefusedRequest() = default;

std::string RefusedRequest::body() const {
  using Json = nlohmann::ordered_json;
  const auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  const Json error = {{"message", what()},
                      {"type", status_ < 500 ? "invalid_request_error" : "server_error"},
                      {"param", or_null(param_)},
                      {"code", or_null(code_)}};
  return Json{{"error", error}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace mezo
