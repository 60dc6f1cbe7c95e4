#pragma once
// HTTP/1.1 for a few clients that trust each other: no encryption, no passwords, no files. Requests
// that need no thought are answered on a thread of the server's own; the others wait in a queue for
// the one thread that works, which takes them out one at a time. Connections are few and bounded,
// and so are the bytes and the seconds that each may take; whoever exceeds them is told so in the
// form of api_error.h. With Boost.Beast, which no other file includes.

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/api.h"

namespace mezo {

struct HttpRequest {
  std::string method, path;  // "POST", "/v1/completions", without what stands behind '?'
  std::string body;
};

struct HttpAnswer {
  int status = 200;
  std::string body;        // JSON
  std::string allow = {};  // methods, with status 405
};

struct HttpLimits {
  std::size_t body_bytes = 1 << 20, header_bytes = 16 << 10;
  int connections = 64;
  std::chrono::seconds patience{30};  // for a client to send or to take what is next
};

class MEZO_API HttpServer {
  struct State;
  class Connection;

 public:
  // Takes the port; 0: one that is free. `host`: an address, or a name of this machine. Throws
  // RunError with the system's reason.
  HttpServer(const std::string& host, int port, const HttpLimits& limits);
  ~HttpServer();  // what waits is answered that the server ends
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string address() const;  // "127.0.0.1:8080", "[::1]:8080"
  bool loopback() const;        // only this machine's programs reach it

  // What it has no answer to waits for next(). Called on the server's thread.
  using AtOnce = std::function<std::optional<HttpAnswer>(const HttpRequest&)>;

  // Accepts connections from now on. Throws RunError.
  void listen(AtOnce at_once);

  class MEZO_API Waiting {
   public:
    const HttpRequest& request() const;
    void answer(HttpAnswer answer);  // once

   private:
    friend class HttpServer;
    explicit Waiting(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}
    std::shared_ptr<Connection> connection_;
  };

  // The request that has waited longest; nothing where none comes within that time.
  std::optional<Waiting> next(std::chrono::milliseconds time);

 private:
  std::unique_ptr<State> state_;
};

}  // namespace mezo
