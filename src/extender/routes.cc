#include "extender/routes.h"

#include <algorithm>
#include <cctype>

#include "base/json_text.h"
#include "base/text.h"

namespace muster::extender {
namespace {

using Verb = Answer (Service::*)(std::string_view body, std::string_view caller);

http::Response refused(int status, const std::string& why) {
  http::Response response;
  response.status = status;
  response.body = "{\"Error\":";
  append_json_string(response.body, "muster: " + why);
  response.body += '}';
  return response;
}

// kube-scheduler says application/json. A caller that says nothing is taken at its body.
bool may_be_json(std::string_view content_type) {
  std::string type(content_type.substr(0, content_type.find_first_of("; \t")));
  std::transform(type.begin(), type.end(), type.begin(), [](unsigned char c) { return std::tolower(c); });
  return type.empty() || type == "application/json" || type.ends_with("+json");
}

http::Handler verb(Service& service, Verb call) {
  return [&service, call](const http::Request& request) {
    const std::string type = request.header("content-type");
    if (!may_be_json(type)) return refused(415, "Content-Type is " + quoted(type) + ", not application/json");
    Answer answer = (service.*call)(request.body, request.caller);
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
  server.route("POST", "/filter", verb(service, &Service::filter));
  server.route("POST", "/preempt", verb(service, &Service::preempt));
  server.route_blocking("POST", "/bind", verb(service, &Service::bind));

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
