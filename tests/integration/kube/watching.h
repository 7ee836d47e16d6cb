// A reflector of nodes against a fake server, and a record of what it delivers.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "fake_api.h"
#include "kube/reflector.h"
#include "objects.h"
#include "support/soon.h"

namespace muster::kube::test {

using muster::test::soon;

// What was delivered, as words: "replace a b", "upsert a r1", "remove a".
class Record {
 public:
  void take(DeltaBatch<Node> batch) {
    const std::lock_guard lock(mutex_);
    largest_batch_ = std::max(largest_batch_, batch.size());
    for (const auto& delta : batch) std::visit([this](const auto& d) { note(d); }, delta);
    changed_.notify_all();
  }
  // Until `done` holds of the words so far; false after a minute.
  bool wait(const std::function<bool(const std::vector<std::string>&)>& done) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60), [&] { return done(words_); });
  }
  bool wait_for_words(std::size_t count) {
    return wait([&](const auto& words) { return words.size() >= count; });
  }
  [[nodiscard]] std::vector<std::string> words() {
    const std::lock_guard lock(mutex_);
    return words_;
  }
  [[nodiscard]] std::size_t largest_batch() {
    const std::lock_guard lock(mutex_);
    return largest_batch_;
  }

 private:
  void note(const Replace<Node>& delta) {
    std::map<std::string, int> names;
    for (const auto& item : delta.items) names[item.name];
    std::string word = "replace";
    for (const auto& [name, unused] : names) word += " " + name;
    words_.push_back(word);
  }
  void note(const Upsert<Node>& delta) {
    words_.push_back("upsert " + delta.item.name + " " + delta.item.labels.at("rack"));
  }
  void note(const Remove<Node>& delta) { words_.push_back("remove " + delta.last.name); }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> words_;
  std::size_t largest_batch_ = 0;
};

// Far below every timeout that a thread which is not stopped would wait for, far above what a busy machine
// needs.
constexpr std::chrono::milliseconds kPrompt{5'000};

inline ListWatchOptions quick() {
  ListWatchOptions options;
  options.path = std::string(kNodesPath);
  options.backoff = {Duration(5), Duration(40)};
  options.shortest_watch = Duration(20);
  options.page_size = 2;
  options.watch_list = false;
  return options;
}

struct Watching {
  explicit Watching(FakeApi::Handler handler, ListWatchOptions options = quick(),
                    std::shared_ptr<Credentials> credentials = nullptr)
      : api(std::move(handler)),
        reflector(
            std::move(options), credentials ? credentials : credentials_for(api.url(), clock), clock,
            [] { return 0.5; }, [this](DeltaBatch<Node> batch) { record.take(std::move(batch)); }) {
    reflector.start();
  }
  ~Watching() { reflector.stop(); }

  SteadyClock clock;
  Record record;
  FakeApi api;
  Reflector<Node> reflector;
};

// Lists answer with `items` at version 10; the n-th watch (from 0) is up to `watch`.
inline FakeApi::Handler with_list(std::vector<std::string> items, std::function<void(Exchange&, int)> watch) {
  auto watches = std::make_shared<std::atomic<int>>(0);
  return [items = std::move(items), watch = std::move(watch), watches](Exchange& x) {
    if (x.is_watch()) return watch(x, (*watches)++);
    x.reply(200, list(10, items));
  };
}

}  // namespace muster::kube::test
