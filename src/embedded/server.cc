#include "embedded/server.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <atomic>
#include <ctime>
#include <mutex>
#include <random>
#include <utility>

#include "embedded/kubelet.h"
#include "embedded/load.h"
#include "embedded/rest.h"
#include "embedded/store.h"
#include "http/server.h"

namespace muster::embedded {
namespace {

std::string now_text() { return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr))); }

// A random (version 4) UUID.
std::string random_uid() {
  static std::mutex mutex;
  static std::mt19937_64 generator{std::random_device{}()};
  const std::lock_guard lock(mutex);
  const uint64_t high = (generator() & ~0xf000ull) | 0x4000ull;
  const uint64_t low = (generator() & ~(3ull << 62)) | (2ull << 62);
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff, high & 0xffff,
                     low >> 48, low & 0xffffffffffffull);
}

StoreOptions store_options() {
  StoreOptions options;
  options.now = now_text;
  options.new_uid = random_uid;
  return options;
}

// Who calls by curl wants to read the answer.
bool is_person(const http::Request& request) { return request.header("User-Agent").starts_with("curl/"); }

Call call_of(const http::Request& request) {
  return Call{request.method, request.path, request.header("Content-Type"), std::string(request.body),
              request.query};
}

}  // namespace

struct ApiServer::Impl {
  explicit Impl(ApiServerOptions given)
      : options(std::move(given)), admission{options.hold_schedulers}, rest(store, admission, now_text) {}

  http::Response answer(const http::Request& request) {
    Reply reply = rest.handle(call_of(request));
    http::Response response;
    response.status = reply.code;
    if (!reply.watch) {
      response.body = dump(reply.body, is_person(request) ? 2 : -1) + "\n";
      return response;
    }
    response.stream = [this, params = *reply.watch](const http::Sink& sink) {
      run_watch(store, params, sink);
    };
    return response;
  }

  void add_routes(http::Server& to) {
    const auto handler = [this](const http::Request& request) { return answer(request); };
    for (const char* path :
         {"/api", "/api/*", "/apis", "/apis/*", "/version", "/healthz", "/livez", "/readyz"}) {
      to.route_blocking("GET", path, handler);
    }
    for (const char* path : {"/api/*", "/apis/*"}) {
      for (const char* method : {"POST", "PUT", "PATCH", "DELETE"}) to.route(method, path, handler);
    }
  }

  const ApiServerOptions options;
  const AdmissionOptions admission;
  Store store{store_options()};
  Rest rest;
  std::optional<Kubelet> kubelet;
  std::optional<http::Server> server;
  std::mutex stop_mutex;
};

ApiServer::ApiServer(ApiServerOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}

ApiServer::~ApiServer() { stop(); }

Result<std::string> ApiServer::start() {
  if (!impl_->options.cluster_file.empty()) {
    auto loaded = load_file(impl_->options.cluster_file, impl_->admission, impl_->store);
    if (!loaded) return tl::unexpected(loaded.error());
  }
  http::ServerOptions http_options;
  http_options.port = impl_->options.port;
  impl_->server.emplace(http_options);
  impl_->add_routes(*impl_->server);
  auto port = impl_->server->start();
  if (!port) return tl::unexpected(port.error());
  if (impl_->options.kubelet_delay)
    impl_->kubelet.emplace(impl_->store, *impl_->options.kubelet_delay, now_text);
  return fmt::format("http://127.0.0.1:{}", *port);
}

void ApiServer::stop() {
  const std::lock_guard lock(impl_->stop_mutex);
  impl_->store.close();
  if (impl_->server) impl_->server->stop(std::chrono::seconds(1));
  impl_->kubelet.reset();
}

}  // namespace muster::embedded
