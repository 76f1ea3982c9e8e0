// Every byte is looked at once: a message that arrives byte by byte costs no
// more than one that arrives whole.
#include "control/frame.h"

#include <algorithm>

namespace onset {

void FrameReader::append(std::string_view bytes) {
  if (overflowed_) return;
  buffer_.append(bytes);
  if (!has_frame()) find_end();
}

void FrameReader::find_end() {
  end_ = buffer_.find('\0', std::max(begin_, scanned_));
  scanned_ = end_ == std::string::npos ? buffer_.size() : end_;
  const std::size_t length = (end_ == std::string::npos ? buffer_.size() : end_) - begin_;
  if (length > limit_) {
    clear();
    overflowed_ = true;
  }
}

std::optional<std::string> FrameReader::next() {
  if (!has_frame()) return std::nullopt;
  std::string message = buffer_.substr(begin_, end_ - begin_);
  begin_ = scanned_ = end_ + 1;
  end_ = std::string::npos;
  if (begin_ == buffer_.size()) {
    clear();
    return message;
  }
  // What is left moves to the front once it is the smaller part.
  if (begin_ > buffer_.size() / 2) {
    buffer_.erase(0, begin_);
    begin_ = scanned_ = 0;
  }
  find_end();
  return message;
}

void FrameReader::clear() {
  std::string().swap(buffer_);
  begin_ = scanned_ = 0;
  end_ = std::string::npos;
}

void append_frame(std::string& out, std::string_view message) {
  out.reserve(out.size() + message.size() + 1);  // all of it or, without memory, nothing
  out.append(message);
  out.push_back('\0');
}

}  // namespace onset
