#include "extender/refusals.h"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

namespace muster::extender {
namespace {

constexpr std::array<std::string_view, 3> kVerbs{"filter", "preempt", "bind"};

std::string key_of(std::string_view verb, const std::string& uid) { return std::string(verb) + ' ' + uid; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool same_but_for_numbers(std::string_view a, std::string_view b) {
  if (a == b) return true;
  const auto next = [](std::string_view text, std::size_t& at) {
    if (!is_digit(text[at])) return text[at++];
    while (at < text.size() && is_digit(text[at])) ++at;
    return '0';
  };
  std::size_t in_a = 0;
  std::size_t in_b = 0;
  while (in_a < a.size() && in_b < b.size()) {
    if (next(a, in_a) != next(b, in_b)) return false;
  }
  return in_a == a.size() && in_b == b.size();
}

bool same_decision(const Refusal& a, const Refusal& b) {
  return a.caller == b.caller && a.node == b.node && a.plan == b.plan && same_but_for_numbers(a.why, b.why);
}

AuditLine line_of(const Refusal& refusal, uint64_t repeated) {
  AuditLine line("refuse", refusal.caller);
  line.add_pod(refusal.ns, refusal.name, refusal.uid).add("verb", refusal.verb);
  line.add("node", refusal.node).add("plan", refusal.plan).add("why", refusal.why);
  if (repeated > 0) line.add("repeated", repeated);
  return line;
}

}  // namespace

void Refusals::refused(Refusal refusal) {
  std::string key = key_of(refusal.verb, refusal.uid);
  const std::lock_guard lock(mutex_);
  const auto found = going_on_.find(key);
  if (found != going_on_.end()) {
    Entry& entry = found->second;
    if (same_decision(entry.refusal, refusal)) {
      entry.refusal.why = std::move(refusal.why);
      entry.asked = true;
      ++entry.repeated;
      return;
    }
    end(found);
  }
  // What has no line is not remembered either, and has one when it is repeated.
  if (waiting_.size() >= kMaxWaiting) {
    ++lost_;
    return;
  }
  say(refusal, 0);
  if (going_on_.size() < kMaxRemembered) going_on_.emplace(std::move(key), Entry{std::move(refusal)});
  remembered_ = going_on_.size();
}

void Refusals::passed(std::string_view verb, const std::string& uid) {
  if (remembered_ == 0) return;
  const std::string key = key_of(verb, uid);
  const std::lock_guard lock(mutex_);
  if (const auto found = going_on_.find(key); found != going_on_.end()) end(found);
}

void Refusals::follow(const kube::DeltaBatch<kube::Pod>& batch) {
  if (remembered_ == 0) return;
  for (const auto& delta : batch) {
    const auto* change = std::get_if<kube::Upsert<kube::Pod>>(&delta);
    const auto* gone = std::get_if<kube::Remove<kube::Pod>>(&delta);
    if (gone) forget(gone->last.uid);
    if (change && !change->item.node_name.empty()) forget(change->item.uid);
  }
}

void Refusals::forget(const std::string& uid) {
  for (const std::string_view verb : kVerbs) passed(verb, uid);
}

void Refusals::sweep() {
  const std::lock_guard lock(mutex_);
  for (auto entry = going_on_.begin(); entry != going_on_.end();) {
    const auto current = entry++;
    say_repeated(current->second);
    if (!std::exchange(current->second.asked, false)) end(current);
  }
}

std::vector<AuditLine> Refusals::take(Duration patience) {
  std::vector<std::pair<Refusal, uint64_t>> taken;
  uint64_t lost = 0;
  {
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, patience, [&] { return closed_ || !waiting_.empty(); });
    taken.swap(waiting_);
    lost = std::exchange(lost_, 0);
  }
  std::vector<AuditLine> lines;
  for (const auto& [refusal, repeated] : taken) lines.push_back(line_of(refusal, repeated));
  if (lost > 0) {
    lines.emplace_back("lose", "muster")
        .add("why", "the log was not written for too long")
        .add("refusals", lost);
  }
  return lines;
}

void Refusals::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  wake_.notify_all();
}

bool Refusals::closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

void Refusals::say(const Refusal& refusal, uint64_t repeated) {
  waiting_.emplace_back(refusal, repeated);
  wake_.notify_one();
}

void Refusals::say_repeated(Entry& entry) {
  if (entry.repeated == 0 || waiting_.size() >= kMaxWaiting) return;
  say(entry.refusal, std::exchange(entry.repeated, 0));
}

void Refusals::end(Table::iterator entry) {
  say_repeated(entry->second);
  going_on_.erase(entry);
  remembered_ = going_on_.size();
}

}  // namespace muster::extender
