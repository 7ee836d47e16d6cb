#include <nlohmann/json.hpp>

#include "offline/render.h"

namespace muster::offline {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const NearMiss& miss) {
  Json json{{"level", miss.level},   {"domain", miss.domain}, {"holds", miss.holds},
            {"wanted", miss.wanted}, {"counts", miss.counts}, {"hosts", miss.hosts}};
  if (!miss.resource.empty()) {
    json["resource"] = miss.resource;
    json["shortBy"] = miss.short_by;
    json["shortHosts"] = miss.short_hosts;
  }
  json["excluded"] = Json::object();
  for (const auto& [reason, hosts] : miss.excluded) json["excluded"][reason] = hosts;
  return json;
}

Json to_json(const Remedy& remedy) {
  if (remedy.kind == "level") return {{"kind", remedy.kind}, {"level", remedy.level}};
  if (remedy.kind == "minimum") return {{"kind", remedy.kind}, {"minMember", remedy.minimum}};
  if (remedy.kind == "moves") {
    Json json{{"kind", remedy.kind}, {"moves", Json::array()}};
    for (const Move& move : remedy.moves)
      json["moves"].push_back({{"pod", move.pod}, {"from", move.from}, {"to", move.to}});
    return json;
  }
  return {
      {"kind", remedy.kind}, {"node", remedy.node}, {"resource", remedy.resource}, {"amount", remedy.amount}};
}

Json reason_of(const GroupReport& report) {
  Json reason{{"code", report.code}, {"message", report.message}};
  if (!report.subgroup.empty()) reason["subgroup"] = report.subgroup;
  if (report.outcome == Outcome::kRejected) return reason;
  reason["nearest"] = Json::array();
  for (const NearMiss& miss : report.nearest) reason["nearest"].push_back(to_json(miss));
  reason["remedies"] = Json::array();
  for (const Remedy& remedy : report.remedies) reason["remedies"].push_back(to_json(remedy));
  return reason;
}

Json to_json(const GroupReport& report) {
  Json json{{"namespace", report.key.ns},
            {"name", report.key.name},
            {"verdict", to_string(report.outcome)},
            {"placed", report.pods.size()}};
  json["pods"] = Json::array();
  for (const PlacedPod& pod : report.pods) {
    json["pods"].push_back({{"name", pod.name}, {"node", pod.node}, {"rank", pod.rank}});
  }
  json["domains"] = Json::object();
  for (const auto& [level, values] : report.domains) json["domains"][level] = values;
  if (report.outcome != Outcome::kFits) json["reason"] = reason_of(report);
  json["steps"] = report.steps;
  json["micros"] = report.micros;
  return json;
}

}  // namespace

std::string render_json(const std::vector<GroupReport>& reports) {
  Json json{{"groups", Json::array()}};
  for (const GroupReport& report : reports) json["groups"].push_back(to_json(report));
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace muster::offline
