#pragma once
// Standard input as keys, while a command shows what changes: termios(3).

#include <termios.h>

#include <functional>
#include <optional>

#include "cli/context.h"

namespace onset {

class RealTerminal final : public LiveTerminal {
 public:
  explicit RealTerminal(std::function<void()> flush) : flush_(std::move(flush)) {}
  /// As it was before.
  ~RealTerminal() override;
  RealTerminal(const RealTerminal&) = delete;
  RealTerminal& operator=(const RealTerminal&) = delete;

  bool begin() override;
  Answer wait(Duration longest) override;
  MonoTime now() override;
  void flush() override { flush_(); }

 private:
  std::function<void()> flush_;
  std::optional<termios> before_;
};

}  // namespace onset
