#include "embedded/rest.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "embedded/discovery.h"
#include "embedded/patch.h"

namespace muster::embedded {
namespace {

Reply reply_with(int code, Json body) { return Reply{code, std::move(body), std::nullopt}; }

Answer<Json> parse_body(const Call& call) {
  std::string why;
  auto body = parse_json(call.body, why);
  if (!body) return bad_request("the body is not usable JSON: {}", why);
  if (!body->is_object()) return bad_request("the body must be a JSON object");
  return std::move(*body);
}

// apiVersion and kind may be left out; when they are there they must be those of the path.
Answer<void> set_type(Json& object, Kind kind) {
  const KindInfo& info = info_of(kind);
  const std::pair<const char*, std::string_view> fields[] = {{"apiVersion", info.api_version},
                                                             {"kind", info.kind}};
  for (const auto& [field, wanted] : fields) {
    const Json& is = at_path(object, {field});
    if (!is.is_null() && is != wanted)
      return bad_request("{} must be \"{}\", not {}", field, wanted, show(is));
    object[field] = wanted;
  }
  return {};
}

// The name and the namespace of the path win over missing ones and must not contradict given ones.
Answer<void> set_place(Json& object, const Target& target) {
  Json& meta = object["metadata"];
  if (!meta.is_object() && !meta.is_null())
    return bad_request("metadata must be an object, not {}", show(meta));
  const std::pair<const char*, const std::string&> fields[] = {{"namespace", target.ns},
                                                               {"name", target.name}};
  for (const auto& [field, wanted] : fields) {
    if (wanted.empty()) continue;
    const Json& is = at_path(meta, {field});
    if (!is.is_null() && is != wanted) {
      return bad_request("metadata.{} is {}, but the path says \"{}\"", field, show(is), wanted);
    }
    meta[field] = wanted;
  }
  return {};
}

// Five characters, another five for every number: names from generateName need no randomness here.
std::string suffix_of(uint64_t number) {
  static constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
  std::string suffix;
  for (int i = 0; i < 5; ++i) {
    suffix.insert(suffix.begin(), kAlphabet[number % kAlphabet.size()]);
    number /= kAlphabet.size();
  }
  return suffix;
}

void generate_name(Json& object, std::atomic<uint64_t>& counter) {
  Json& meta = object["metadata"];
  const std::string prefix = text_at(meta, {"generateName"});
  if (!prefix.empty() && text_at(meta, {"name"}).empty()) meta["name"] = prefix + suffix_of(++counter);
}

// The uid precondition of DeleteOptions in this object, if any.
Store::Check uid_check(const Json& options, const std::string& what) {
  return [uid = text_at(options, {"preconditions", "uid"}), what](const Json& object) -> Answer<void> {
    const std::string is = text_at(object, {"metadata", "uid"});
    if (!uid.empty() && uid != is) {
      return conflict(what, fmt::format("metadata.uid is \"{}\" and not \"{}\"", is, uid));
    }
    return {};
  };
}

Json list_object(Kind kind, const Listing& listing) {
  Json items = Json::array();
  for (const Object& object : listing.items) items.push_back(*object);
  const KindInfo& info = info_of(kind);
  return Json{{"apiVersion", info.api_version},
              {"kind", fmt::format("{}List", info.kind)},
              {"metadata", {{"resourceVersion", std::to_string(listing.version)}}},
              {"items", std::move(items)}};
}

// "application/merge-patch+json; charset=utf-8" → "application/merge-patch+json"
std::string media_type(std::string_view header) {
  std::string type(header.substr(0, header.find(';')));
  while (!type.empty() && type.back() == ' ') type.pop_back();
  std::transform(type.begin(), type.end(), type.begin(), [](unsigned char c) { return std::tolower(c); });
  return type;
}

using Patcher = Answer<void> (*)(Json&, const Json&);

Answer<Patcher> patcher_for(const std::string& type) {
  if (type == "application/merge-patch+json") {
    return [](Json& target, const Json& patch) -> Answer<void> {
      merge_patch(target, patch);
      return {};
    };
  }
  if (type == "application/strategic-merge-patch+json") return &strategic_merge_patch;
  return unsupported_media(type);
}

Answer<Half> half_of(const Call& call, const Target& target) {
  if (target.subresource.empty()) return Half::kMain;
  if (target.subresource == "status") return Half::kStatus;
  return not_allowed(call.method, call.path);
}

}  // namespace

Rest::Rest(Store& store, AdmissionOptions admission, std::function<std::string()> now)
    : store_(store), admission_(std::move(admission)), now_(std::move(now)) {}

Reply Rest::handle(const Call& call) const {
  Failure failure;
  try {
    auto reply = dispatch(call);
    if (reply) return std::move(*reply);
    failure = std::move(reply.error());
  } catch (const Json::exception& error) {
    failure = Failure{500, "InternalError", error.what()};
  }
  return reply_with(failure.code, status_object(failure));
}

Answer<Reply> Rest::dispatch(const Call& call) const {
  if (call.method == "GET") {
    if (auto page = discovery_page(call.path)) return reply_with(200, std::move(*page));
  }
  const auto target = parse_path(call.path);
  if (!target) return not_found(fmt::format("the path {}", call.path));
  if (call.method == "GET") return read(call, *target);
  if (call.method == "POST") return create(call, *target);
  if (target->name.empty()) return not_allowed(call.method, call.path);
  if (call.method == "PUT") return replace(call, *target);
  if (call.method == "PATCH") return patch(call, *target);
  if (call.method == "DELETE") return remove(call, *target);
  return not_allowed(call.method, call.path);
}

Answer<Reply> Rest::read(const Call& call, const Target& target) const {
  for (const char* selector : {"labelSelector", "fieldSelector"}) {
    if (call.query(selector).empty()) continue;
    return bad_request("{}: \"{}\": selectors are not served", selector, call.query(selector));
  }
  if (!target.name.empty()) {
    if (auto half = half_of(call, target); !half) return tl::unexpected(half.error());
    auto object = store_.get(target.kind, target.ns, target.name);
    if (!object) return tl::unexpected(object.error());
    return reply_with(200, **object);
  }
  const std::string watch = call.query("watch");
  if (watch != "1" && watch != "true") {
    return reply_with(200, list_object(target.kind, store_.list(target.kind, target.ns)));
  }
  auto params = watch_params(target.kind, target.ns, call.query);
  if (!params) return tl::unexpected(params.error());
  return Reply{200, Json(), std::move(*params)};
}

Answer<Reply> Rest::create(const Call& call, const Target& target) const {
  if (target.subresource == "binding" && target.kind == Kind::kPod) return bind(call, target);
  if (target.subresource == "eviction" && target.kind == Kind::kPod) return evict(call, target);
  if (!target.name.empty()) return not_allowed(call.method, call.path);
  if (info_of(target.kind).namespaced && target.ns.empty()) return not_allowed(call.method, call.path);

  auto object = parse_body(call);
  if (!object) return tl::unexpected(object.error());
  if (auto fine = set_type(*object, target.kind); !fine) return tl::unexpected(fine.error());
  if (auto fine = set_place(*object, target); !fine) return tl::unexpected(fine.error());
  generate_name(*object, generated_names_);
  if (auto fine = admit_new(target.kind, *object, admission_); !fine) return tl::unexpected(fine.error());
  for (const char* field : {"uid", "creationTimestamp", "resourceVersion"})
    (*object)["metadata"].erase(field);

  auto stored = store_.create(target.kind, std::move(*object));
  if (!stored) return tl::unexpected(stored.error());
  return reply_with(201, **stored);
}

Answer<Reply> Rest::replace(const Call& call, const Target& target) const {
  const auto half = half_of(call, target);
  if (!half) return tl::unexpected(half.error());
  auto object = parse_body(call);
  if (!object) return tl::unexpected(object.error());
  if (auto fine = set_type(*object, target.kind); !fine) return tl::unexpected(fine.error());
  if (auto fine = set_place(*object, target); !fine) return tl::unexpected(fine.error());

  auto stored = store_.update(target.kind, target.ns, target.name, [&](Json& current) {
    const Json before = std::exchange(current, *object);
    return admit_change(target.kind, *half, before, current);
  });
  if (!stored) return tl::unexpected(stored.error());
  return reply_with(200, **stored);
}

Answer<Reply> Rest::patch(const Call& call, const Target& target) const {
  const auto half = half_of(call, target);
  if (!half) return tl::unexpected(half.error());
  const auto patcher = patcher_for(media_type(call.content_type));
  if (!patcher) return tl::unexpected(patcher.error());
  const auto body = parse_body(call);
  if (!body) return tl::unexpected(body.error());

  auto stored = store_.update(target.kind, target.ns, target.name, [&](Json& current) -> Answer<void> {
    const Json before = current;
    if (auto patched = (*patcher)(current, *body); !patched) return patched;
    if (auto fine = set_type(current, target.kind); !fine) return fine;
    return admit_change(target.kind, *half, before, current);
  });
  if (!stored) return tl::unexpected(stored.error());
  return reply_with(200, **stored);
}

Answer<Reply> Rest::remove(const Call& call, const Target& target) const {
  if (!target.subresource.empty()) return not_allowed(call.method, call.path);
  Json options;
  if (!call.body.empty()) {
    auto body = parse_body(call);
    if (!body) return tl::unexpected(body.error());
    options = std::move(*body);
  }
  auto last = store_.remove(target.kind, target.ns, target.name,
                            uid_check(options, describe(target.kind, target.ns, target.name)));
  if (!last) return tl::unexpected(last.error());
  return reply_with(200, **last);
}

Answer<Reply> Rest::bind(const Call& call, const Target& target) const {
  auto binding = parse_body(call);
  if (!binding) return tl::unexpected(binding.error());
  if (auto fine = set_place(*binding, target); !fine) return tl::unexpected(fine.error());
  auto stored = store_.update(target.kind, target.ns, target.name,
                              [&](Json& pod) { return admit_binding(pod, *binding, now_()); });
  if (!stored) return tl::unexpected(stored.error());
  return reply_with(201, success_object());
}

Answer<Reply> Rest::evict(const Call& call, const Target& target) const {
  auto eviction = parse_body(call);
  if (!eviction) return tl::unexpected(eviction.error());
  if (auto fine = set_place(*eviction, target); !fine) return tl::unexpected(fine.error());
  auto last = store_.remove(
      target.kind, target.ns, target.name,
      uid_check(at_path(*eviction, {"deleteOptions"}), describe(target.kind, target.ns, target.name)));
  if (!last) return tl::unexpected(last.error());
  return reply_with(201, success_object());
}

}  // namespace muster::embedded
