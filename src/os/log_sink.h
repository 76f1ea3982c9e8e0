#pragma once
// Where os/ says what it has to say. Each line once, where the matter is handled.

#include <string_view>

#include "engine/service.h"

namespace onset {

class LogSink {
 public:
  virtual ~LogSink() = default;
  /// `unit` is empty for what concerns no unit.
  virtual void log(Say::Level level, std::string_view unit, std::string_view text) = 0;
};

}  // namespace onset
