#include "extender/routes.h"

#include "base/json_text.h"

namespace muster::extender {
namespace {

using Verb = Answer (Service::*)(std::string_view);

// Not a refusal, which would keep the pod waiting for an event: an error, after which kube-scheduler tries
// again and reaches the leader.
http::Response elsewhere(const std::string& why) {
  http::Response response;
  response.status = 503;
  response.body = "{\"Error\":";
  append_json_string(response.body, "muster: " + why);
  response.body += '}';
  return response;
}

http::Handler verb(Service& service, Decisions& decisions, Verb call) {
  return [&service, &decisions, call](const http::Request& request) {
    if (const std::string why = decisions.standby(); !why.empty()) return elsewhere(why);
    Answer answer = (service.*call)(request.body);
    http::Response response;
    response.status = answer.status;
    response.pieces = std::move(answer.reply.pieces);
    response.body = std::move(answer.reply.end);
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
  server.route("POST", "/filter", verb(service, decisions, &Service::filter));
  server.route("POST", "/preempt", verb(service, decisions, &Service::preempt));
  server.route_blocking("POST", "/bind", verb(service, decisions, &Service::bind));

  server.route("GET", "/healthz", [](const http::Request&) { return page(200, "ok\n"); });
  server.route("GET", "/readyz", [&decisions](const http::Request&) {
    if (const std::string why = decisions.standby(); !why.empty()) return page(503, why + "\n");
    return decisions.ready() ? page(200, "ok\n") : page(503, "nodes and pods have not been listed yet\n");
  });
  server.route("GET", "/metrics", [&decisions](const http::Request&) {
    return page(200, decisions.metrics(), "text/plain; version=0.0.4; charset=utf-8");
  });
}

}  // namespace muster::extender
