#include "core/run/serve.h"

#include <fmt/format.h>

#include <filesystem>
#include <new>

#include "core/console/interrupt.h"
#include "core/error.h"
#include "core/run/completions.h"
#include "core/serve/api_error.h"
#include "core/serve/http_server.h"

namespace mezo {

namespace {

constexpr std::chrono::milliseconds look_around{100};  // for a signal, while nobody asks
constexpr const char* completions_path = "/v1/completions";

// What clients call the model: the name of its folder or file.
std::string name_of(const std::string& path) {
  auto whole = std::filesystem::absolute(path).lexically_normal();
  if (!whole.has_filename()) whole = whole.parent_path();
  return whole.filename() == "trajectory.mezo" ? whole.parent_path().filename().string()
                                               : whole.filename().string();
}

HttpAnswer answer_of(const RefusedRequest& refused) { return {refused.status(), refused.body()}; }

// All but completions.
std::optional<HttpAnswer> without_the_model(const HttpRequest& request, const std::string& models) {
  const std::string& path = request.path;
  const bool completions = path == completions_path;
  if (!completions && path != "/v1/models" && path != "/health")
    return answer_of(
        RefusedRequest(fmt::format("nothing is at {}: POST {}, GET /v1/models, GET /health", path,
                                   completions_path),
                       "", "not_found", 404));
  const std::string method = completions ? "POST" : "GET";
  if (request.method != method) {
    HttpAnswer answer = answer_of(RefusedRequest(
        fmt::format("{} takes {}, not {}", path, method, request.method), "", "wrong_method", 405));
    answer.allow = method;
    return answer;
  }
  if (completions) return {};
  return HttpAnswer{200, path == "/health" ? R"({"status":"ok"})" : models};
}

HttpAnswer complete(const HttpRequest& request, Completions& completions, Console& console) {
  try {
    const Completions::Answer made =
        completions(completion_request(request.body, completions.limits()));
    console.say("answered: " + text_of(made.cost));
    return {200, made.body};
  } catch (const RefusedRequest& refused) {
    console.say(fmt::format("refused ({}): {}", refused.status(), refused.what()));
    return answer_of(refused);
  } catch (const std::exception& error) {  // the next request may fare better
    const std::string what = error.what(),
                      line = what.substr(0, what.find("\nException raised from "));
    console.warning("a request failed: " + line);
    return answer_of(RefusedRequest("the server failed: " + line, "", "server_failed", 500));
  }
}

}  // namespace

void serve(const ServeRequest& request, Console& console) {
  const Interrupt interrupt;
  HttpLimits limits;
  limits.body_bytes = RequestLimits().body_bytes;
  HttpServer server(request.host, request.port, limits);  // before the model, which may take long
  Completions completions(answering_model(request.weights, request.task_folders, console),
                          name_of(request.weights.run));
  if (!server.loopback())
    console.note(
        fmt::format("{} can be reached from other machines, and whoever reaches it is "
                    "answered: there is no password and no encryption",
                    server.address()));
  const ServedModel& served = completions.served();
  server.listen([models = models_body(served)](const HttpRequest& asked) {
    return without_the_model(asked, models);
  });
  console.result(fmt::format("serving {}{} at http://{}", served.name,
                             served.step ? fmt::format(" after step {}", *served.step) : "",
                             server.address()));
  while (!Interrupt::stop())
    if (auto waiting = server.next(look_around))
      waiting->answer(complete(waiting->request(), completions, console));
  throw RunError("[serve] interrupted");
}

}  // namespace mezo
