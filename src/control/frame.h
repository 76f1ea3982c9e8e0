#pragma once
// Varlink's framing: a message is its bytes and a NUL. Pure.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace onset {

/// Takes bytes in pieces of any size, gives whole messages. Bounded: once more
/// than `limit` bytes have come without a NUL there are no further messages.
class FrameReader {
 public:
  explicit FrameReader(std::size_t limit) : limit_(limit) {}

  void append(std::string_view bytes);
  /// The next whole message, without its NUL; empty messages too.
  std::optional<std::string> next();

  [[nodiscard]] bool has_frame() const { return end_ != std::string::npos; }
  /// Bytes of a message that has begun and not ended.
  [[nodiscard]] bool has_partial() const { return !has_frame() && begin_ < buffer_.size(); }
  [[nodiscard]] bool overflowed() const { return overflowed_; }
  [[nodiscard]] std::size_t buffered() const { return buffer_.size() - begin_; }
  /// Drops what is buffered, and its memory.
  void clear();

 private:
  void find_end();

  std::size_t limit_;
  std::string buffer_;
  std::size_t begin_ = 0;                ///< of the message that comes next
  std::size_t scanned_ = 0;              ///< no NUL from begin_ up to here
  std::size_t end_ = std::string::npos;  ///< its NUL, if that is there
  bool overflowed_ = false;
};

/// Appends a message to what is to be sent.
void append_frame(std::string& out, std::string_view message);

}  // namespace onset
