#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_map>

#include "packing/packers.h"

namespace muster::bench {
namespace {

constexpr int64_t kWhole = 1'000;
constexpr std::size_t kMostGpus = 8;

// A node's free room; devices sorted, fullest first, so that equal nodes look equal.
struct Room {
  int64_t cpu = 0;
  int64_t memory = 0;
  uint32_t model = 0;
  uint32_t gpus = 0;
  std::array<int16_t, kMostGpus> free{};
  friend bool operator==(const Room&, const Room&) = default;

  [[nodiscard]] int64_t devices() const {
    int64_t sum = 0;
    for (uint32_t g = 0; g < gpus; ++g) sum += free[g];
    return sum;
  }
};

struct Class {
  OpenbPod pod;
  std::vector<bool> models;  // by model: accepted
  double share = 0;          // of the workload's pods
};

bool holds(const Room& room, const OpenbPod& pod, const std::vector<bool>& models) {
  if (pod.cpu > room.cpu || pod.memory > room.memory || !models[room.model]) return false;
  uint32_t able = 0;
  for (uint32_t g = 0; g < room.gpus; ++g) able += room.free[g] >= pod.share;
  return pod.gpus == 0 || able >= pod.gpus;
}

// The room after the pod took device `from` (a share) or the first whole ones.
Room after(Room room, const OpenbPod& pod, uint32_t from) {
  room.cpu -= pod.cpu;
  room.memory -= pod.memory;
  uint32_t left = pod.gpus;
  for (uint32_t g = from; g < room.gpus && left > 0; ++g) {
    if (room.free[g] < pod.share) continue;
    room.free[g] = static_cast<int16_t>(room.free[g] - pod.share);
    --left;
  }
  std::sort(room.free.begin(), room.free.begin() + room.gpus);
  return room;
}

// Every different device that a pod can take.
std::vector<Room> choices(const Room& room, const OpenbPod& pod) {
  std::vector<Room> all;
  if (pod.gpus != 1) return {after(room, pod, 0)};
  for (uint32_t g = 0; g < room.gpus; ++g) {
    if (room.free[g] < pod.share || (g > 0 && room.free[g] == room.free[g - 1])) continue;
    all.push_back(after(room, pod, g));
  }
  return all;
}

struct RoomHash {
  std::size_t operator()(const Room& room) const {
    uint64_t h = 0xcbf29ce484222325ULL;
    const auto mix = [&](uint64_t v) { h = (h ^ v) * 0x100000001b3ULL + (h >> 29); };
    mix(static_cast<uint64_t>(room.cpu));
    mix(static_cast<uint64_t>(room.memory));
    mix(uint64_t{room.model} << 32 | room.gpus);
    for (const int16_t free : room.free) mix(static_cast<uint64_t>(free));
    return h;
  }
};

class Cluster {
 public:
  explicit Cluster(const std::vector<OpenbNode>& nodes) {
    for (const OpenbNode& node : nodes) {
      Room& room = rooms_.emplace_back();
      room.cpu = node.cpu;
      room.memory = node.memory;
      room.gpus = node.gpus;
      room.model = models_.emplace(node.model, static_cast<uint32_t>(models_.size())).first->second;
      std::fill_n(room.free.begin(), node.gpus, static_cast<int16_t>(kWhole));
    }
  }

  [[nodiscard]] std::vector<bool> accepted(const OpenbPod& pod) const {
    std::vector<bool> models(models_.size());
    for (const auto& [name, index] : models_) models[index] = pod.accepts(name);
    return models;
  }

  // Where `cost` is smallest, first of equals; false when the pod fits nowhere.
  template <typename Cost>
  bool place(const OpenbPod& pod, const Cost& cost) {
    const std::vector<bool> models = accepted(pod);
    Room* chosen = nullptr;
    Room result;
    auto best = decltype(cost(result, result)){};
    for (Room& room : rooms_) {
      if (!holds(room, pod, models)) continue;
      for (const Room& then : choices(room, pod)) {
        const auto here = cost(room, then);
        if (chosen && !(here < best)) continue;
        chosen = &room;
        result = then;
        best = here;
      }
    }
    if (chosen) *chosen = result;
    return chosen != nullptr;
  }

 private:
  std::vector<Room> rooms_;
  std::map<std::string, uint32_t> models_;
};

class BestFit final : public Packer {
 public:
  explicit BestFit(const std::vector<OpenbNode>& nodes) : cluster_(nodes) {}
  bool place(const OpenbPod& pod) override {
    return cluster_.place(pod,
                          [](const Room&, const Room& then) { return std::pair(then.devices(), then.cpu); });
  }

 private:
  Cluster cluster_;
};

class Gradient final : public Packer {
 public:
  Gradient(const std::vector<OpenbNode>& nodes, const std::vector<OpenbPod>& workload) : cluster_(nodes) {
    std::map<OpenbPod, double> counts;
    for (const OpenbPod& pod : workload) counts[pod] += 1.0 / static_cast<double>(workload.size());
    for (const auto& [pod, share] : counts) {
      if (pod.gpus > 0) classes_.push_back({pod, cluster_.accepted(pod), share});
    }
  }

  bool place(const OpenbPod& pod) override {
    return cluster_.place(pod, [&](const Room& room, const Room& then) {
      return std::tuple(fragments(then) - fragments(room), then.devices(), then.cpu);
    });
  }

 private:
  // Expected devices that a pod of the workload could not use there, in millionths.
  int64_t fragments(const Room& room) {
    if (known_.size() > 2'000'000) known_.clear();
    const auto [found, fresh] = known_.try_emplace(room, 0);
    if (!fresh) return found->second;
    double sum = 0;
    for (const Class& one : classes_) {
      int64_t useless = 0;
      if (!holds(room, one.pod, one.models)) {
        useless = room.devices();
      } else {
        for (uint32_t g = 0; g < room.gpus; ++g) useless += room.free[g] < one.pod.share ? room.free[g] : 0;
      }
      sum += one.share * static_cast<double>(useless);
    }
    return known_[room] = static_cast<int64_t>(sum * 1'000);
  }

  Cluster cluster_;
  std::vector<Class> classes_;
  std::unordered_map<Room, int64_t, RoomHash> known_;
};

}  // namespace

std::unique_ptr<Packer> make_best_fit(const std::vector<OpenbNode>& nodes) {
  return std::make_unique<BestFit>(nodes);
}

std::unique_ptr<Packer> make_gradient(const std::vector<OpenbNode>& nodes,
                                      const std::vector<OpenbPod>& workload) {
  return std::make_unique<Gradient>(nodes, workload);
}

}  // namespace muster::bench
