#include "kube/list_watch.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "kube/connections.h"
#include "kube/encode.h"
#include "kube/framing.h"
#include "kube/status.h"

namespace muster::kube {
namespace {

constexpr std::size_t kMaxErrorBody = std::size_t{64} << 10;
constexpr Duration kRotationInterval{10'000};

// "?a=1&b=2" of the parameters that have a value.
std::string query_of(std::initializer_list<std::pair<std::string_view, std::string>> parameters) {
  std::string query;
  for (const auto& [name, value] : parameters) {
    if (!value.empty())
      query += fmt::format("{}{}={}", query.empty() ? '?' : '&', name, percent_encoded(value));
  }
  return query;
}

}  // namespace

ListWatch::ListWatch(ListWatchOptions options, std::shared_ptr<Credentials> credentials, const Clock& clock,
                     Random random, ListWatchEvents events)
    : options_(std::move(options)),
      credentials_(std::move(credentials)),
      clock_(clock),
      random_(std::move(random)),
      events_(std::move(events)) {}

void ListWatch::run() {
  while (!stopped()) {
    Next next = begin();
    while (next == Next::kWatch && !stopped()) next = watch();
  }
  disconnect();
}

ListWatch::Next ListWatch::begin() {
  return options_.watch_list && watch_list_works_ ? stream_initial() : list_then_watch();
}

// --- list
// ---------------------------------------------------------------------------------------------------

ListWatch::Next ListWatch::list_then_watch() {
  const auto listed = list();
  if (listed) return Next::kWatch;
  ++list_failures_;
  pause(listed.error());
  return Next::kList;
}

// The first list may come from the server's cache; a later one must not be older than what was seen; when the
// server cannot serve that version, it is asked for the newest one, which costs it most.
Result<void> ListWatch::list() {
  std::string version = listed_once_ ? version_ : "0";
  if (version_unusable_) version.clear();
  const TimePoint began = clock_.now();
  auto listed = list_at(version, version.empty(), began);
  const bool unusable = !listed && (version_too_large_ || listed.error().code == ErrorCode::kExpired);
  if (unusable && !version.empty()) {
    version_unusable_ = true;
    listed = list_at("", true, began);
  }
  if (!listed) return tl::unexpected(listed.error());
  list_ended(*listed);
  return {};
}

void ListWatch::list_ended(const std::string& version) {
  version_ = version;
  version_unusable_ = false;
  listed_once_ = true;
  listed_at_ = clock_.now();
  ++lists_;
  note_progress();
  events_.list_ended();
}

Result<std::string> ListWatch::list_at(const std::string& version, bool paged, TimePoint began) {
  events_.list_began();
  const std::string limit = paged ? fmt::to_string(options_.page_size) : "";
  std::string continue_token;
  do {
    const bool first = continue_token.empty();
    const auto meta = list_page(
        query_of({{"resourceVersion", version}, {"limit", limit}, {"continue", continue_token}}), began);
    // The snapshot that the pages come from is gone: take the whole list in one piece.
    if (!meta && meta.error().code == ErrorCode::kExpired && !first) return list_at("", false, began);
    if (!meta) return tl::unexpected(meta.error());
    continue_token = meta->continue_token;
    if (continue_token.empty()) return meta->resource_version;
  } while (true);
}

Result<ObjectMeta> ListWatch::list_page(const std::string& query, TimePoint began) {
  ListSplitter splitter;
  const auto on_data = [&](std::string_view piece) -> Result<void> {
    if (clock_.now() - began > options_.list_duration)
      return fail(ErrorCode::kUnavailable, "list {}: not complete after {} ms", options_.path,
                  options_.list_duration.count());
    return splitter.feed(piece, events_.listed);
  };
  if (auto ended = stream(options_.path + query, {on_data, options_.list_silence}); !ended)
    return tl::unexpected(ended.error());
  const auto rest = splitter.finish();
  if (!rest) return fail(rest.error().code, "list {}: {}", options_.path, rest.error().message);
  auto meta = read_meta(*rest);
  if (!meta) return fail(ErrorCode::kInternal, "list {}: {}", options_.path, meta.error().message);
  return meta;
}

// --- watch
// --------------------------------------------------------------------------------------------------

std::string ListWatch::random_timeout() const {
  const double seconds = static_cast<double>(options_.watch_duration.count()) / 1000 * (1 + random_());
  return fmt::to_string(std::max(1, static_cast<int>(seconds)));
}

// The initial state and then the watch in one stream. Whatever fails before the state is complete, the list
// is the way out.
ListWatch::Next ListWatch::stream_initial() {
  ++watches_;
  const TimePoint began = clock_.now();
  bool complete = false;
  initial_since_ = began;
  warned_at_.reset();
  events_.list_began();
  const auto query = query_of({{"watch", "true"},
                               {"allowWatchBookmarks", "true"},
                               {"sendInitialEvents", "true"},
                               {"resourceVersionMatch", "NotOlderThan"},
                               {"resourceVersion", version_unusable_ ? "" : version_},
                               {"timeoutSeconds", random_timeout()}});
  const auto ended = read_events(query, [&](const WatchEvent& event) -> Result<void> {
    return complete ? on_event(event) : on_initial_event(event, complete);
  });
  initial_since_.reset();
  if (stopped()) return Next::kList;
  if (complete) return after_watch(ended, clock_.now() - began, 1);
  ++watch_failures_;
  // A server that goes ends its streams in order, as one that has had enough of them.
  const bool passing = ended || (reaction_of(ended.error().code) == Reaction::kRetry &&
                                 ended.error().code != ErrorCode::kInternal);
  watch_list_works_ = passing;
  log_info("watch {}: listing, since the initial state did not come as a stream: {}", options_.path,
           ended ? "it ended early" : ended.error().message);
  return list_then_watch();
}

ListWatch::Next ListWatch::watch() {
  ++watches_;
  const TimePoint began = clock_.now();
  const uint64_t events_before = event_count_ + bookmarks_;
  const auto query = query_of({{"watch", "true"},
                               {"allowWatchBookmarks", "true"},
                               {"resourceVersion", version_},
                               {"timeoutSeconds", random_timeout()}});
  const auto ended = read_events(query, [this](const WatchEvent& event) { return on_event(event); });
  if (stopped()) return Next::kList;
  return after_watch(ended, clock_.now() - began, event_count_ + bookmarks_ - events_before);
}

Result<void> ListWatch::read_events(const std::string& query,
                                    const std::function<Result<void>(const WatchEvent&)>& on_event) {
  LineSplitter splitter;
  std::optional<Error> broken;
  const auto on_line = [&](std::string_view line) {
    const auto event = read_watch_event(line);
    if (!event) {
      // A proxy's error page is many such lines.
      if (undecodable_++ % 1000 == 0)
        log_warning("watch {}: a line is skipped: {}", options_.path, event.error().message);
      return true;
    }
    if (auto fine = on_event(*event); !fine) broken = fine.error();
    return !broken;
  };
  const auto on_data = [&](std::string_view piece) -> Result<void> {
    if (auto fine = check_initial(); !fine) return fine;
    auto fed = splitter.feed(piece, on_line);
    events_.drained();
    if (broken) return tl::unexpected(*broken);
    if (fed && rotated()) return fail(ErrorCode::kCancelled, "watch {}: new credentials", options_.path);
    return fed;
  };
  const uint64_t rotations_before = rotations_;
  auto ended = stream(options_.path + query, {on_data, options_.watch_silence});
  if (rotations_ != rotations_before && !broken) return {};  // the next one is opened with the new ones
  return ended;
}

// Connections that were made with a client certificate or a CA which has been replaced must not live on.
bool ListWatch::rotated() {
  const TimePoint now = clock_.now();
  if (initial_since_ || (looked_for_rotation_ && now - *looked_for_rotation_ < kRotationInterval))
    return false;
  looked_for_rotation_ = now;
  const auto current = credentials_->current();
  if (!current || current->transport == made_with_) return false;
  ++rotations_;
  log_info("watch {}: opened again with new credentials", options_.path);
  return true;
}

void ListWatch::note_progress() { progress_at_ = clock_.now().time_since_epoch().count(); }

// A server that sends a byte now and then breaks no time limit between two of them.
Result<void> ListWatch::check_initial() {
  if (!initial_since_) return {};
  const TimePoint now = clock_.now();
  const Duration lasts = now - *initial_since_;
  const bool too_late = lasts > options_.list_duration;
  if (!too_late && now - warned_at_.value_or(*initial_since_) < options_.initial_warning) return {};
  const std::string what =
      fmt::format("watch {}: the initial state is not complete after {} ms", options_.path, lasts.count());
  if (too_late) return fail(ErrorCode::kUnavailable, "{}", what);
  warned_at_ = now;
  ++late_warnings_;
  log_warning("{}", what);
  return {};
}

ListWatch::Next ListWatch::after_watch(const Result<void>& ended, Duration lasted, uint64_t events) {
  if (events > 0) strange_failures_ = 0;
  if (ended) {
    if (events > 0 || lasted >= options_.shortest_watch) return Next::kWatch;
    ++short_watches_;
    pause({ErrorCode::kUnavailable, fmt::format("watch {}: ended at once", options_.path)});
    return Next::kWatch;
  }
  ++watch_failures_;
  const Next next = after_failed_watch(ended.error());
  if (next == Next::kList) {
    // A list that is lost as soon as it is there costs as much as one that fails, whatever came in between.
    if (clock_.now() - listed_at_ >= options_.backoff.cap) relists_ = 0;
    attempts_ = std::max(attempts_, relists_++);
  }
  pause(ended.error());
  return next;
}

ListWatch::Next ListWatch::after_failed_watch(const Error& error) {
  if (version_too_large_) {
    version_unusable_ = true;
    return Next::kList;
  }
  switch (error.code) {
    case ErrorCode::kThrottled:
    case ErrorCode::kUnauthorized:
      return Next::kWatch;
    case ErrorCode::kUnavailable:
      if (!refused_) return Next::kWatch;
      [[fallthrough]];
    case ErrorCode::kInternal:
      if (++strange_failures_ < options_.failures_until_relist) return Next::kWatch;
      strange_failures_ = 0;
      return Next::kList;
    default:
      return Next::kList;
  }
}

Result<void> ListWatch::on_event(const WatchEvent& event) {
  if (event.type == WatchEventType::kError) {
    const ApiStatus status = read_status(event.object);
    refused_ = true;
    version_too_large_ = status.version_too_large;
    return tl::unexpected(error_of(fmt::format("watch {}", options_.path), status.code, status));
  }
  note_progress();
  attempts_ = 0;
  if (event.type == WatchEventType::kBookmark) {
    ++bookmarks_;
    const auto meta = read_meta(event.object);
    if (meta && !meta->resource_version.empty()) version_ = meta->resource_version;
    return {};
  }
  ++event_count_;
  if (auto version = events_.changed(event); version && !version->empty()) version_ = *std::move(version);
  return {};
}

Result<void> ListWatch::on_initial_event(const WatchEvent& event, bool& complete) {
  if (event.type == WatchEventType::kError) return on_event(event);
  if (event.type == WatchEventType::kAdded) {
    events_.listed(event.object);
    return {};
  }
  const auto meta = read_meta(event.object);
  if (event.type != WatchEventType::kBookmark || !meta)
    return fail(ErrorCode::kInternal, "watch {}: a change before the initial state was complete",
                options_.path);
  if (!meta->initial_events_end) return {};
  complete = true;
  initial_since_.reset();
  list_ended(meta->resource_version);
  return {};
}

// --- connection
// ---------------------------------------------------------------------------------------------

Result<void> ListWatch::stream(const std::string& path, const Stream& stream) {
  refused_ = version_too_large_ = false;
  const auto credentials = credentials_->current();
  if (!credentials) return tl::unexpected(credentials.error());
  auto ended = stream_once(path, stream, *credentials);
  if (ended || ended.error().code != ErrorCode::kUnauthorized) return ended;
  credentials_->rejected(credentials->token);
  const auto renewed = credentials_->current();
  const bool changed =
      renewed && (renewed->token != credentials->token || renewed->transport != credentials->transport);
  return changed ? stream_once(path, stream, *renewed) : ended;
}

Result<void> ListWatch::stream_once(const std::string& path, const Stream& stream,
                                    const Credentials::Current& with) {
  const auto http = connection(with, stream.silence);
  if (!http) return tl::unexpected(http.error());
  const TimePoint began = clock_.now();
  int status = 0;
  std::string body;  // of a refusal
  std::optional<Error> broken;
  const auto on_status = [&](int code) {
    status = code;
    refused_ = code != 200;
    return true;
  };
  const auto on_data = [&](std::string_view piece) {
    if (status != 200) {
      body.append(piece.substr(0, kMaxErrorBody - std::min(body.size(), kMaxErrorBody)));
      if (clock_.now() - began > stream.silence)
        broken = Error{ErrorCode::kUnavailable, fmt::format("GET {}: status {} without end", path, status)};
      return !broken;
    }
    if (auto fine = stream.on_data(piece); !fine) broken = fine.error();
    return !broken;
  };
  auto reply = (*http)->stream(path, headers_with(with.token), on_status, on_data);
  if (!reply || broken) disconnect();
  if (broken) return tl::unexpected(*broken);
  if (!reply) return tl::unexpected(reply.error());
  if (status == 200) return {};
  reply->body = std::move(body);
  version_too_large_ = read_status(reply->body).version_too_large;
  const auto error = error_of(fmt::format("GET {}", path), *reply);
  return tl::unexpected(
      error.value_or(Error{ErrorCode::kInternal, fmt::format("GET {}: status {}", path, status)}));
}

Result<http::Client*> ListWatch::connection(const Credentials::Current& credentials, Duration silence) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return fail(ErrorCode::kCancelled, "stopped");
  if (http_ && made_with_ == credentials.transport && made_for_ == silence) return http_.get();
  http::ClientOptions options = *credentials.transport;
  options.read_timeout = silence;
  auto http = http::Client::create(std::move(options));
  if (!http) return tl::unexpected(http.error());
  http_ = *std::move(http);
  made_with_ = credentials.transport;
  made_for_ = silence;
  return http_.get();
}

void ListWatch::disconnect() {
  const std::lock_guard lock(mutex_);
  http_.reset();
}

// --- stop and backoff
// ---------------------------------------------------------------------------------------

void ListWatch::pause(const Error& error) {
  if (stopped()) return;
  Duration length = options_.backoff.pause(++attempts_, random_);
  if (error.retry_after) length = std::max(length, *error.retry_after);
  log_warning("{}; again in {} ms", error.message, length.count());
  std::unique_lock lock(mutex_);
  stop_.wait_for(lock, length, [this] { return stopped_; });
}

bool ListWatch::stopped() const {
  const std::lock_guard lock(mutex_);
  return stopped_;
}

void ListWatch::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  stop_.notify_all();
  if (http_) http_->cancel();
}

ListWatchStats ListWatch::stats() const {
  ListWatchStats stats{lists_,         list_failures_, watches_,   watch_failures_,
                       short_watches_, event_count_,   bookmarks_, undecodable_,
                       rotations_,     late_warnings_, {}};
  if (const int64_t at = progress_at_; at >= 0) stats.age = clock_.now() - TimePoint(Duration(at));
  return stats;
}

}  // namespace muster::kube
