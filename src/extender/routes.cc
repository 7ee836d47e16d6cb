#include "extender/routes.h"

namespace muster::extender {
namespace {

using Verb = Answer (Service::*)(std::string_view);

http::Handler verb(Service& service, Verb call) {
  return [&service, call](const http::Request& request) {
    Answer answer = (service.*call)(request.body);
    http::Response response;
    response.status = answer.status;
    response.body = std::move(answer.body);
    return response;
  };
}

http::Response page(int status, std::string body, std::string content_type = "text/plain; charset=utf-8") {
  http::Response response;
  response.status = status;
  response.body = std::move(body);
  response.content_type = std::move(content_type);
  return response;
}

}  // namespace

void add_routes(http::Server& server, Service& service, Decisions& decisions) {
  server.route("POST", "/filter", verb(service, &Service::filter));
  server.route("POST", "/preempt", verb(service, &Service::preempt));
  server.route_blocking("POST", "/bind", verb(service, &Service::bind));

  server.route("GET", "/healthz", [](const http::Request&) { return page(200, "ok\n"); });
  server.route("GET", "/readyz", [&decisions](const http::Request&) {
    return decisions.ready() ? page(200, "ok\n") : page(503, "nodes and pods have not been listed yet\n");
  });
  server.route("GET", "/metrics", [&decisions](const http::Request&) {
    return page(200, decisions.metrics(), "text/plain; version=0.0.4; charset=utf-8");
  });
}

}  // namespace muster::extender
