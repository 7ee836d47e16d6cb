// Listing and watching one kind for ever: resource versions, bookmarks, pages, the three shapes of 410,
// resume, backoff, prompt stop. Knows the protocol and nothing of the objects. Internal to Reflector.
//
// Thread rule: run() on one thread; stop() and stats() from any.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/error.h"
#include "http/client.h"
#include "kube/credentials.h"
#include "kube/watch_event.h"

namespace muster::kube {

struct ListWatchOptions {
  std::string path;  // "/api/v1/nodes"
  // Begins anew with each event and bookmark. The cap is for one client or two, not for a kubelet on each
  // node: it is how long after an outage nothing may be known.
  Backoff backoff{Duration(800), Duration(10'000)};
  Duration shortest_watch{1'000};    // one that ends sooner without an event is a failure
  Duration watch_duration{300'000};  // the server is asked for between this and twice this
  Duration watch_silence{150'000};   // nothing at all for so long: connect again at the same version
  Duration list_silence{60'000};
  Duration list_duration{600'000};   // a list that takes longer, though bytes keep coming, is begun anew
  Duration initial_warning{10'000};  // an initial state that takes longer is warned of, again and again
  unsigned page_size = 500;
  // Ask for the initial state as a stream (sendInitialEvents), which costs server and client less than a
  // list; a server that does not know it is listed.
  bool watch_list = true;
  // Watches that fail for a reason nobody understands or are refused with 5xx, with nothing brought
  // meanwhile.
  unsigned failures_until_relist = 5;
};

// What happens, in order. All are called on the thread of run().
struct ListWatchEvents {
  std::function<void()> list_began;  // again after a list that failed half-way
  std::function<void(std::string_view json)> listed;
  std::function<void()> list_ended;
  // ADDED, MODIFIED or DELETED. Returns the object's resource version, or nothing if it cannot be decoded.
  std::function<std::optional<std::string>(const WatchEvent&)> changed;
  std::function<void()> drained;  // what has arrived so far has been reported
};

struct ListWatchStats {
  uint64_t lists = 0;
  uint64_t list_failures = 0;
  uint64_t watches = 0;
  uint64_t watch_failures = 0;
  uint64_t short_watches = 0;
  uint64_t events = 0;
  uint64_t bookmarks = 0;
  uint64_t undecodable = 0;  // lines that are no event
  uint64_t rotations = 0;    // watches ended for a new client certificate or CA
  uint64_t late_warnings = 0;
  // Since a list ended, an event or a bookmark came: how old the picture may be. Nothing: none yet.
  std::optional<Duration> age;
};

class ListWatch {
 public:
  // `clock` must outlive this.
  ListWatch(ListWatchOptions options, std::shared_ptr<Credentials> credentials, const Clock& clock,
            Random random, ListWatchEvents events);

  // Until stop().
  void run();
  // Cuts the connection under way; run() returns soon. Idempotent.
  void stop();
  [[nodiscard]] ListWatchStats stats() const;

 private:
  enum class Next { kWatch, kList };
  // How a stream of the server went, its status being 200.
  struct Stream {
    std::function<Result<void>(std::string_view)> on_data;
    Duration silence;
  };

  Next begin();
  Next list_then_watch();
  Next stream_initial();
  Result<void> list();
  void list_ended(const std::string& version);
  // Returns the version of the list.
  Result<std::string> list_at(const std::string& version, bool paged, TimePoint began);
  Result<ObjectMeta> list_page(const std::string& query, TimePoint began);
  Next watch();
  // How the watch that `query` opens goes on: each line to `on_event`, until it ends.
  Result<void> read_events(const std::string& query,
                           const std::function<Result<void>(const WatchEvent&)>& on_event);
  Next after_watch(const Result<void>& ended, Duration lasted, uint64_t events);
  Next after_failed_watch(const Error& error);
  Result<void> on_event(const WatchEvent& event);
  void note_progress();
  Result<void> check_initial();
  [[nodiscard]] bool rotated();
  Result<void> on_initial_event(const WatchEvent& event, bool& complete);
  Result<void> stream(const std::string& path, const Stream& stream);
  Result<void> stream_once(const std::string& path, const Stream& stream, const Credentials::Current& with);
  Result<http::Client*> connection(const Credentials::Current& credentials, Duration silence);
  void disconnect();
  void pause(const Error& error);
  [[nodiscard]] std::string random_timeout() const;
  [[nodiscard]] bool stopped() const;

  const ListWatchOptions options_;
  const std::shared_ptr<Credentials> credentials_;
  const Clock& clock_;
  const Random random_;
  const ListWatchEvents events_;

  // The thread of run() only.
  std::string version_;  // the last seen
  bool listed_once_ = false;
  TimePoint listed_at_;
  bool watch_list_works_ = true;    // until the server refuses it
  bool version_unusable_ = false;   // the server could not go on from the version we had
  bool refused_ = false;            // the last stream, by its status or an ERROR event and not by the network
  bool version_too_large_ = false;  // that was why
  uint32_t attempts_ = 0;           // pauses since a watch has brought something
  uint32_t relists_ = 0;            // lists in a row that were lost soon
  unsigned strange_failures_ = 0;   // and refusals with 5xx, since a watch has brought something
  std::shared_ptr<const http::ClientOptions> made_with_;
  Duration made_for_{0};
  std::optional<TimePoint> looked_for_rotation_;
  std::optional<TimePoint> initial_since_;  // within the initial state of a stream
  std::optional<TimePoint> warned_at_;

  std::atomic<uint64_t> lists_{0}, list_failures_{0}, watches_{0}, watch_failures_{0}, short_watches_{0},
      event_count_{0}, bookmarks_{0}, undecodable_{0}, rotations_{0}, late_warnings_{0};
  std::atomic<int64_t> progress_at_{-1};  // milliseconds of the clock

  mutable std::mutex mutex_;  // guards the rest
  std::condition_variable stop_;
  bool stopped_ = false;
  std::unique_ptr<http::Client> http_;  // used by the thread of run(), cancelled by stop()
};

}  // namespace muster::kube
