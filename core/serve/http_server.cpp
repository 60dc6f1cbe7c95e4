#include "core/serve/http_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <thread>

#include "core/error.h"
#include "core/serve/api_error.h"

namespace mezo {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;

namespace {

constexpr std::chrono::seconds last_words{1};  // for answers that are on their way as a server ends
constexpr std::size_t most_drained = 64 << 20;
constexpr std::size_t most_buffered = 128 << 10;  // of what is not a body's yet

HttpAnswer refused(int status, const std::string& message, const std::string& code) {
  return {status, RefusedRequest(message, "", code, status).body()};
}

}  // namespace

// What the server's thread works on.
struct HttpServer::State {
  explicit State(const HttpLimits& given) : limits(given) {}

  void accept();

  HttpLimits limits;
  AtOnce at_once;
  std::set<Connection*> connections;
  bool accepting = false, ending = false;
  asio::io_context io{1};  // goes before what its last handlers hold on to
  // The thread goes on while all connections wait for answers and no other is let in.
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  tcp::acceptor acceptor{io};
  asio::steady_timer pause{io};

  // Between the threads.
  std::mutex mutex;
  std::condition_variable came;
  std::deque<std::shared_ptr<Connection>> waiting;

  std::thread thread;
};

// One client's: reads a request, has it answered, writes the answer, and again.
class HttpServer::Connection : public std::enable_shared_from_this<HttpServer::Connection> {
 public:
  Connection(tcp::socket socket, State& server) : stream_(std::move(socket)), server_(server) {
    server_.connections.insert(this);
  }

  ~Connection() {
    server_.connections.erase(this);
    if (!server_.accepting && !server_.ending) server_.accept();  // there is room again
  }

  void read() {
    if (server_.ending) return;
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(server_.limits.header_bytes));
    parser_->body_limit(server_.limits.body_bytes);
    reading_ = true;
    stream_.expires_after(server_.limits.patience);
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = shared_from_this()](beast::error_code error, std::size_t) {
                              error ? self->refuse(error) : self->greet();
                            });
  }

  void respond(const HttpAnswer& answer) {
    response_ = {static_cast<http::status>(answer.status), 11};
    response_.set(http::field::content_type, "application/json");
    if (!answer.allow.empty()) response_.set(http::field::allow, answer.allow);
    keep_ = keep_ && !server_.ending;
    response_.keep_alive(keep_);
    response_.body() = answer.body;
    response_.prepare_payload();
    stream_.expires_after(server_.limits.patience);
    http::async_write(stream_, response_,
                      [self = shared_from_this()](beast::error_code error, std::size_t) {
                        if (error) return;
                        self->keep_ ? self->read() : self->drain();
                      });
  }

  // As the server ends: unless an answer is being made or written.
  void leave() {
    if (reading_) stream_.close();
  }

  const HttpRequest& request() const { return request_; }
  auto executor() { return stream_.get_executor(); }

 private:
  // A client with a large body may ask first whether it is welcome.
  void greet() {
    if (!beast::iequals(parser_->get()[http::field::expect], "100-continue")) return read_body();
    static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(stream_, asio::buffer(go_on.data(), go_on.size()),
                      [self = shared_from_this()](beast::error_code error, std::size_t) {
                        if (!error) self->read_body();
                      });
  }

  void read_body() {
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](beast::error_code error, std::size_t) {
                       error ? self->refuse(error) : self->take();
                     });
  }

  void take() {
    reading_ = false;
    stream_.expires_never();
    auto message = parser_->release();
    keep_ = message.keep_alive();
    const std::string target(message.target());
    request_ = {std::string(message.method_string()), target.substr(0, target.find('?')),
                std::move(message.body())};
    if (const auto answer = server_.at_once(request_)) return respond(*answer);
    const std::lock_guard lock(server_.mutex);
    server_.waiting.push_back(shared_from_this());
    server_.came.notify_one();
  }

  // What could not be read. A client that left or is too slow is told nothing.
  void refuse(beast::error_code error) {
    reading_ = keep_ = false;
    if (error == http::error::body_limit)
      respond(refused(413,
                      fmt::format("the body has more than {} bytes", server_.limits.body_bytes),
                      "body_too_large"));
    else if (error == http::error::header_limit)
      respond(refused(431,
                      fmt::format("the header has more than {} bytes", server_.limits.header_bytes),
                      "header_too_large"));
    else if (error != http::error::end_of_stream && error != http::error::partial_message &&
             error.category() == http::make_error_code(http::error::bad_version).category())
      respond(refused(400, "this is no HTTP/1.1 request: " + error.message(), "bad_http"));
  }

  // A connection that is closed while its client still sends would take the answer with it.
  void drain() {
    beast::error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    buffer_.clear();
    stream_.async_read_some(buffer_.prepare(1 << 16), [self = shared_from_this()](
                                                          beast::error_code error, std::size_t n) {
      if (!error && (self->drained_ += n) < most_drained && !self->server_.ending) self->drain();
    });
  }

  beast::tcp_stream stream_;
  State& server_;
  beast::flat_buffer buffer_{most_buffered};
  std::optional<http::request_parser<http::string_body>> parser_;
  HttpRequest request_;
  http::response<http::string_body> response_;
  bool keep_ = false, reading_ = false;
  std::size_t drained_ = 0;
};

void HttpServer::State::accept() {
  accepting = static_cast<int>(connections.size()) < limits.connections;
  if (!accepting) return;
  acceptor.async_accept([this](beast::error_code error, tcp::socket socket) {
    if (ending) return;
    if (!error) {
      std::make_shared<Connection>(std::move(socket), *this)->read();
      return accept();
    }
    pause.expires_after(std::chrono::milliseconds(100));  // no descriptor is left, say
    pause.async_wait([this](beast::error_code) {
      if (!ending) accept();
    });
  });
}

HttpServer::HttpServer(const std::string& host, int port, const HttpLimits& limits)
    : state_(std::make_unique<State>(limits)) {
  try {
    const auto found = tcp::resolver(state_->io)
                           .resolve(host, std::to_string(port), tcp::resolver::numeric_service);
    const tcp::endpoint place = *found.begin();
    state_->acceptor.open(place.protocol());
    state_->acceptor.set_option(tcp::acceptor::reuse_address(true));
    state_->acceptor.bind(place);
  } catch (const boost::system::system_error& error) {
    throw RunError(
        fmt::format("[serve] cannot use {} port {}: {}", host, port, error.code().message()));
  }
}

HttpServer::~HttpServer() {
  State& s = *state_;
  s.io.stop();
  if (s.thread.joinable()) s.thread.join();
  // From here on this thread is the server's.
  s.ending = true;
  beast::error_code ignored;
  s.acceptor.close(ignored);
  s.pause.cancel();
  s.work.reset();
  for (Connection* one : s.connections) one->leave();
  while (auto last = next(std::chrono::milliseconds(0)))
    last->answer(refused(503, "the server ends", "server_ends"));
  s.io.restart();
  s.io.run_for(last_words);
}

std::string HttpServer::address() const {
  const tcp::endpoint place = state_->acceptor.local_endpoint();
  const std::string host = place.address().to_string();
  return fmt::format("{}:{}", place.address().is_v6() ? "[" + host + "]" : host, place.port());
}

bool HttpServer::loopback() const {
  return state_->acceptor.local_endpoint().address().is_loopback();
}

void HttpServer::listen(AtOnce at_once) {
  state_->at_once = std::move(at_once);
  try {
    state_->acceptor.listen();
  } catch (const boost::system::system_error& error) {
    throw RunError(
        fmt::format("[serve] cannot listen on {}: {}", address(), error.code().message()));
  }
  state_->accept();
  state_->thread = std::thread([state = state_.get()] { state->io.run(); });
}

const HttpRequest& HttpServer::Waiting::request() const { return connection_->request(); }

void HttpServer::Waiting::answer(HttpAnswer answer) {
  const auto executor = connection_->executor();
  asio::post(executor, [connection = std::move(connection_), answer = std::move(answer)] {
    connection->respond(answer);
  });
}

std::optional<HttpServer::Waiting> HttpServer::next(std::chrono::milliseconds time) {
  std::unique_lock lock(state_->mutex);
  if (!state_->came.wait_for(lock, time, [&] { return !state_->waiting.empty(); })) return {};
  Waiting first(std::move(state_->waiting.front()));
  state_->waiting.pop_front();
  return first;
}

}  // namespace mezo
