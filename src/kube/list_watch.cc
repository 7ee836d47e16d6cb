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
    if (const auto listed = list(); !listed) {
      ++list_failures_;
      pause(listed.error());
      continue;
    }
    while (!stopped() && watch() == Next::kWatch) {
    }
  }
  disconnect();
}

// --- list
// ---------------------------------------------------------------------------------------------------

// The first list may come from the server's cache; a later one must not be older than what was seen; when the
// server cannot serve that version, it is asked for the newest one, which costs it most.
Result<void> ListWatch::list() {
  std::string version = listed_once_ ? version_ : "0";
  if (version_unusable_) version.clear();
  auto listed = list_at(version, version.empty());
  if (!listed && version_refused_ && !version.empty()) {
    version_unusable_ = true;
    listed = list_at("", true);
  }
  if (!listed) return listed;
  version_unusable_ = false;
  listed_once_ = true;
  ++lists_;
  events_.list_ended();
  return {};
}

Result<void> ListWatch::list_at(const std::string& version, bool paged) {
  events_.list_began();
  const std::string limit = paged ? fmt::to_string(options_.page_size) : "";
  std::string continue_token;
  do {
    const bool first = continue_token.empty();
    const auto meta =
        list_page(query_of({{"resourceVersion", version}, {"limit", limit}, {"continue", continue_token}}));
    // The snapshot that the pages come from is gone: take the whole list in one piece.
    if (!meta && meta.error().code == ErrorCode::kExpired && !first) return list_at("", false);
    if (!meta) return tl::unexpected(meta.error());
    continue_token = meta->continue_token;
    if (continue_token.empty()) version_ = meta->resource_version;
  } while (!continue_token.empty());
  return {};
}

Result<ObjectMeta> ListWatch::list_page(const std::string& query) {
  ListSplitter splitter;
  const auto on_data = [&](std::string_view piece) { return splitter.feed(piece, events_.listed); };
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

std::string ListWatch::watch_query() {
  const double seconds = static_cast<double>(options_.watch_duration.count()) / 1000 * (1 + random_());
  return query_of({{"watch", "true"},
                   {"allowWatchBookmarks", "true"},
                   {"resourceVersion", version_},
                   {"timeoutSeconds", fmt::to_string(std::max(1, static_cast<int>(seconds)))}});
}

ListWatch::Next ListWatch::watch() {
  ++watches_;
  const TimePoint began = clock_.now();
  const uint64_t events_before = event_count_ + bookmarks_;
  LineSplitter splitter;
  std::optional<Error> broken;
  const auto on_data = [&](std::string_view piece) -> Result<void> {
    auto fed = splitter.feed(piece, [&](std::string_view line) {
      if (auto fine = on_line(line); !fine) broken = fine.error();
      return !broken;
    });
    events_.drained();
    if (broken) return tl::unexpected(*broken);
    return fed;
  };
  const auto ended = stream(options_.path + watch_query(), {on_data, options_.watch_silence});
  if (stopped()) return Next::kList;
  return after_watch(ended, clock_.now() - began, event_count_ + bookmarks_ - events_before);
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
  pause(ended.error());
  switch (ended.error().code) {
    case ErrorCode::kUnavailable:
    case ErrorCode::kThrottled:
    case ErrorCode::kUnauthorized:
      return Next::kWatch;
    case ErrorCode::kInternal:
      if (++strange_failures_ < options_.failures_until_relist) return Next::kWatch;
      strange_failures_ = 0;
      return Next::kList;
    default:
      return Next::kList;
  }
}

Result<void> ListWatch::on_line(std::string_view line) {
  const auto event = read_watch_event(line);
  if (!event) {
    // A proxy's error page is many such lines.
    if (undecodable_++ % 1000 == 0)
      log_warning("watch {}: a line is skipped: {}", options_.path, event.error().message);
    return {};
  }
  if (event->type == WatchEventType::kError) {
    const ApiStatus status = read_status(event->object);
    return tl::unexpected(error_of(fmt::format("watch {}", options_.path), status.code, status));
  }
  if (event->type == WatchEventType::kBookmark) {
    ++bookmarks_;
    const auto meta = read_meta(event->object);
    if (meta && !meta->resource_version.empty()) version_ = meta->resource_version;
    return {};
  }
  ++event_count_;
  if (auto version = events_.changed(*event); version && !version->empty()) version_ = *std::move(version);
  return {};
}

// --- connection
// ---------------------------------------------------------------------------------------------

Result<void> ListWatch::stream(const std::string& path, const Stream& stream) {
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
  version_refused_ = false;
  int status = 0;
  std::string body;  // of a refusal
  std::optional<Error> broken;
  const auto on_status = [&](int code) {
    status = code;
    return true;
  };
  const auto on_data = [&](std::string_view piece) {
    if (status != 200) {
      body.append(piece.substr(0, kMaxErrorBody - std::min(body.size(), kMaxErrorBody)));
      return true;
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
  version_refused_ = status == 410 || read_status(reply->body).version_too_large;
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
  const TimePoint now = clock_.now();
  if (!paused_at_ || now - *paused_at_ >= options_.calm) attempts_ = 0;
  Duration length = options_.backoff.pause(++attempts_, random_);
  if (error.retry_after) length = std::max(length, *error.retry_after);
  paused_at_ = now + length;
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
  return {lists_,         list_failures_, watches_,   watch_failures_,
          short_watches_, event_count_,   bookmarks_, undecodable_};
}

}  // namespace muster::kube
