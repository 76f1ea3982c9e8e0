// top: what units use, looked at again and again. On a terminal it stays until `q`; else it is
// printed once, or as often as asked for, each after the time that it measures.
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "cli/top_view.h"
#include "cli/verbs.h"
#include "control/json.h"

namespace onset {
namespace {

constexpr std::string_view kHome = "\x1b[H\x1b[J";
constexpr std::size_t kHeadLines = 2;  ///< the hint and the header of the table

class Top {
 public:
  explicit Top(Command& command)
      : command_(command),
        reader_(command.manager, command.context.files),
        terminal_(*command.context.keys) {}

  int run() {
    const Options& options = command_.options;
    is_live_ = options.json == JsonStyle::Off && options.iterations.value_or(0) == 0 &&
               command_.context.is_tty && terminal_.begin();
    order_ = options.order.empty() ? TopOrder::Cpu : *top_order_from(options.order);
    unsigned left = options.iterations.value_or(is_live_ ? UINT_MAX : 1);
    if (!look()) return 1;
    // The first picture of a live one is there at once, without rates.
    if (is_live_) show();
    while (left > 0) {
      const Key key = wait();
      if (key == Key::Quit) break;
      if (key == Key::Order) {
        show();
        continue;
      }
      if (!look()) return 1;
      show();
      if (!is_live_) --left;
    }
    return 0;
  }

 private:
  enum class Key : std::uint8_t { None, Order, Quit };

  Key wait() {
    const LiveTerminal::Answer answer = terminal_.wait(command_.options.delay);
    now_ = answer.now;
    if (answer.key == '\0') return Key::None;
    if (!is_live_) return Key::None;
    constexpr char kControlC = 3;
    if (answer.key == 'q' || answer.key == 'Q' || answer.key == kControlC) return Key::Quit;
    const auto order = top_order_from(std::string_view(&answer.key, 1));
    if (!order) return answer.key == ' ' ? Key::None : Key::Order;
    order_ = *order;
    return Key::Order;
  }

  bool look() {
    auto uses = reader_.read();
    if (!uses) {
      command_.fail("Failed to read what units use", uses.error());
      return false;
    }
    before_ = std::move(uses_);
    before_at_ = at_;
    uses_ = std::move(*uses);
    at_ = now_;
    return true;
  }

  void show() {
    const auto rows = top_rows(before_, uses_, at_ - before_at_, order_);
    if (command_.print_json(top_json(rows))) return;
    if (!is_live_) {
      command_.out(top_text(rows, command_.palette(), command_.width(), 0));
      return;
    }
    const std::size_t lines =
        command_.context.rows > kHeadLines ? command_.context.rows - kHeadLines : 1;
    std::string text(kHome);
    text += command_.palette().paint(
        Tone::Dim, "sort: c cpu, m memory, i io, t tasks, p pressure, n name; q quits\n");
    text += top_text(rows, command_.palette(), command_.context.columns, lines);
    if (text.ends_with('\n')) text.pop_back();
    command_.out(text);
    terminal_.flush();
  }

  Command& command_;
  UsageReader reader_;
  LiveTerminal& terminal_;
  bool is_live_ = false;
  TopOrder order_ = TopOrder::Cpu;
  Uses before_;
  Uses uses_;
  MonoTime now_ = terminal_.now();
  MonoTime before_at_{0};
  MonoTime at_{0};
};

}  // namespace

int verb_top(Command& command) {
  if (command.context.keys == nullptr) return command.fail("There is no clock to measure by.");
  return Top(command).run();
}

}  // namespace onset
