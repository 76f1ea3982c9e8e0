#pragma once
// All deadlines of the engine in one ordered set: one entry a key, so that the
// loop needs one timerfd. A key is a unit or a job.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/time.h"

namespace onset {

struct TimerKey {
  enum class Kind : std::uint8_t { Unit, Job, Retry, Review };
  Kind kind{};
  std::uint32_t id = 0;
  auto operator<=>(const TimerKey&) const = default;
};

class TimerQueue {
 public:
  /// kNever removes the entry.
  void set(TimerKey key, MonoTime when) {
    auto it = when_.find(key);
    if (it != when_.end()) {
      if (it->second == when) return;
      order_.erase({it->second, key});
      when_.erase(it);
    }
    if (when == kNever) return;
    when_.emplace(key, when);
    order_.emplace(when, key);
  }

  [[nodiscard]] MonoTime earliest() const {
    return order_.empty() ? kNever : order_.begin()->first;
  }

  /// When the key is due; kNever if it is not armed.
  [[nodiscard]] MonoTime when(TimerKey key) const {
    const auto it = when_.find(key);
    return it == when_.end() ? kNever : it->second;
  }
  [[nodiscard]] const std::map<TimerKey, MonoTime>& entries() const { return when_; }

  /// The earliest entry that is due. It stays until it is set anew.
  [[nodiscard]] std::optional<TimerKey> first_due(MonoTime now) const {
    if (order_.empty() || order_.begin()->first > now) return std::nullopt;
    return order_.begin()->second;
  }

 private:
  std::set<std::pair<MonoTime, TimerKey>> order_;
  std::map<TimerKey, MonoTime> when_;
};

}  // namespace onset
