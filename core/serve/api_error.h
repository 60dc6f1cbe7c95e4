#pragma once
// What a client is told that asked for something that it does not get, in the form of OpenAI's API:
// {"error": {"message", "type", "param", "code"}}.

#include <stdexcept>
#include <string>

#include "core/api.h"

namespace mezo {

// A request that is refused, by its client's fault unless the status is 5xx.
class MEZO_API RefusedRequest : public std::runtime_error {
 public:
  // `param`: the field; `code`: a word for programs. Empty: null.
  explicit RefusedRequest(const std::string& message, std::string param = "", std::string code = "",
                          int status = 400);
  ~RefusedRequest() override;

  int status() const { return status_; }
  std::string body() const;  // JSON

 private:
  std::string param_, code_;
  int status_;
};

}  // namespace mezo
