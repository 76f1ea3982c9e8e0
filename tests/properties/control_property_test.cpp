// Frames, JSON, messages and notifications: what is written is read as the same, in pieces of
// whatever size.
#include <limits>
#include <nlohmann/json.hpp>

#include "base/format.h"
#include "base/text.h"
#include "control/frame.h"
#include "control/json_text.h"
#include "control/message.h"
#include "engine/notify_message.h"
#include "properties/property.h"
#include "properties/texts.h"

using namespace onset;
using namespace onset::test;
using json = Json;

namespace {

TextGen utf8_text() {
  return rc::gen::map(any_text(), [](const std::string& text) {
    return is_valid_utf8(text) ? text : c_escape(text);
  });
}

json json_value(int depth) {
  switch (*within(0, depth > 0 ? 7 : 5)) {
    case 0:
      return nullptr;
    case 1:
      return *rc::gen::arbitrary<bool>();
    case 2:
      return *rc::gen::oneOf(
          rc::gen::arbitrary<std::int64_t>(),
          rc::gen::element<std::int64_t>(INT64_MIN, INT64_MAX, 0, -1, std::int64_t{1} << 53));
    case 3:
      return *rc::gen::oneOf(rc::gen::arbitrary<double>(),
                             rc::gen::element(0.1, -0.0, 1e300, 5e-324, 1.0));
    case 4:
      return *utf8_text();
    case 5: {
      json array = json::array();
      const int count = *within(0, 4);
      for (int i = 0; i < count; ++i) array.push_back(json_value(depth - 1));
      return array;
    }
    default: {
      json object = json::object();
      const int count = *within(0, 4);
      for (int i = 0; i < count; ++i) object[*utf8_text()] = json_value(depth - 1);
      return object;
    }
  }
}

rc::Gen<json> json_object() {
  return rc::gen::exec([] {
    json object = json::object();
    const int count = *within(0, 4);
    for (int i = 0; i < count; ++i) object[*utf8_text()] = json_value(3);
    return object;
  });
}

/// The text cut into pieces.
std::vector<std::string> pieces(const std::string& text) {
  std::vector<std::string> all;
  for (std::size_t at = 0; at < text.size();) {
    const auto length = *within<std::size_t>(1, 8);
    all.push_back(text.substr(at, length));
    at += all.back().size();
  }
  return all;
}

}  // namespace

TEST_CASE("messages come out of their frames whatever pieces they come in",
          "[properties][control]") {
  holds([] {
    const auto messages = *rc::gen::container<std::vector<std::string>>(any_text());
    std::string bytes;
    for (const std::string& message : messages) append_frame(bytes, message);
    FrameReader reader(1 << 20);
    std::vector<std::string> read;
    for (const std::string& piece : pieces(bytes)) {
      reader.append(piece);
      if (*rc::gen::arbitrary<bool>()) continue;
      while (auto message = reader.next()) read.push_back(*message);
    }
    while (auto message = reader.next()) read.push_back(*message);
    RC_ASSERT(read == messages);
    RC_ASSERT(reader.buffered() == 0U);
    RC_ASSERT((!reader.has_partial() && !reader.overflowed()));
  });
}

TEST_CASE("a frame is taken up to its limit and not beyond", "[properties][control]") {
  holds([] {
    const auto limit = *within<std::size_t>(1, 32);
    const auto size = *within<std::size_t>(0, 64);
    FrameReader reader(limit);
    std::string bytes;
    append_frame(bytes, std::string(size, 'x'));
    for (const std::string& piece : pieces(bytes)) reader.append(piece);
    const bool fits = size <= limit;
    RC_ASSERT(reader.next().has_value() == fits);
    RC_ASSERT(reader.overflowed() == !fits);
  });
}

TEST_CASE("JSON that is written is read as the same", "[properties][control]") {
  holds([] {
    const json value = json_value(4);
    const std::string text = dump_json(value);
    RC_LOG() << text;
    json again;
    RC_ASSERT(parse_json(text, {}, again));
    RC_ASSERT(again == value);
    RC_ASSERT(dump_json(again) == text);
    RC_ASSERT(text.find('\0') == std::string::npos);
    RC_ASSERT(text.find('\n') == std::string::npos);
  });
}

TEST_CASE("text that is no UTF-8 is written as some that is", "[properties][control]") {
  holds([] {
    const std::string text = *any_text();
    json again;
    RC_ASSERT(parse_json(dump_json(json(text)), {}, again));
    RC_ASSERT(is_valid_utf8(again.get<std::string>()));
    if (is_valid_utf8(text)) RC_ASSERT(again.get<std::string>() == text);
  });
}

TEST_CASE("JSON is taken up to its limits and not beyond", "[properties][control]") {
  holds([] {
    const json value = json_value(4);
    const std::string text = dump_json(value);
    json again;
    RC_ASSERT(parse_json(text, {.bytes = text.size()}, again));
    if (text.size() > 1) RC_ASSERT(!parse_json(text, {.bytes = text.size() - 1}, again));
    // A part of it that is missing is noticed.
    if (value.is_structured()) {
      const auto end = *within<std::size_t>(0, text.size());
      RC_ASSERT(!parse_json(std::string_view(text).substr(0, end), {}, again));
    }
  });
}

TEST_CASE("a request and a reply are read as they were written", "[properties][control]") {
  holds([] {
    Request request;
    request.method = *rc::gen::element<std::string>("io.onset.Manager.GetUnit", "org.varlink.A.B");
    request.oneway = *rc::gen::arbitrary<bool>();
    request.more = *rc::gen::arbitrary<bool>();
    request.upgrade = *rc::gen::arbitrary<bool>();
    const json parameters = *json_object();
    json read;
    const auto again = parse_request(format_request(request, parameters), {}, read);
    RC_ASSERT(again);
    RC_ASSERT(again->method == request.method);
    RC_ASSERT(again->oneway == request.oneway);
    RC_ASSERT(again->more == request.more);
    RC_ASSERT(again->upgrade == request.upgrade);
    RC_ASSERT(read == parameters);
  });
  holds([] {
    ReplyHead head;
    head.continues = *rc::gen::arbitrary<bool>();
    head.error = *rc::gen::element<std::string>("", "io.onset.Manager.NoSuchUnit");
    const json parameters = *json_object();
    json read;
    const auto again = parse_reply(format_reply(head, parameters), {}, read);
    RC_ASSERT(again);
    RC_ASSERT(again->continues == head.continues);
    RC_ASSERT(again->error == head.error);
    RC_ASSERT(read == parameters);
  });
}

TEST_CASE("a notification is read as it was written, its lines in any order",
          "[properties][notify]") {
  holds([] {
    std::vector<std::string> lines;
    ParsedNotify expected;
    NotifyMessage& message = expected.message;
    const auto maybe = [] { return *rc::gen::arbitrary<bool>(); };
    if ((message.ready = maybe())) lines.emplace_back("READY=1");
    if ((message.reloading = maybe())) lines.emplace_back("RELOADING=1");
    if ((message.stopping = maybe())) lines.emplace_back("STOPPING=1");
    if (maybe()) {
      message.main_pid = *within(1, std::numeric_limits<pid_t>::max());
      lines.push_back(format("MAINPID={}", *message.main_pid));
    }
    if (maybe()) {
      message.watchdog_period = Duration(*within<std::int64_t>(0, kInfinity.count()));
      lines.push_back(format("WATCHDOG_USEC={}", message.watchdog_period->count()));
    }
    if (maybe()) {
      message.exit_status = *within(0, 256);
      lines.push_back(format("EXIT_STATUS={}", *message.exit_status));
    }
    if (maybe()) {
      expected.status = *rc::gen::map(utf8_text(), [](std::string text) {
        std::erase_if(text, is_control);
        return text;
      });
      // C1 controls are blanks, as two bytes of UTF-8.
      std::string shown = *expected.status;
      lines.push_back("STATUS=" + *expected.status);
      for (std::size_t at = 0; (at = shown.find("\xc2\x80", at)) != std::string::npos;)
        shown.replace(at, 2, " ");
      expected.status = shown;
    }
    if (maybe()) lines.emplace_back("X_UNKNOWN=" + std::string(*digits()));
    RC_PRE(!lines.empty());
    for (std::size_t i = lines.size(); i > 1; --i)
      std::swap(lines[i - 1], lines[*within<std::size_t>(0, i)]);
    const std::string text = join(lines, "\n") + *rc::gen::element<std::string>("", "\n");
    RC_LOG() << c_escape(text);
    const ParsedNotify read = parse_notify(text);
    RC_ASSERT(!read.dropped);
    RC_ASSERT(read.problem.empty());
    RC_ASSERT(read.message.ready == message.ready);
    RC_ASSERT(read.message.reloading == message.reloading);
    RC_ASSERT(read.message.stopping == message.stopping);
    RC_ASSERT(read.message.main_pid == message.main_pid);
    RC_ASSERT(read.message.watchdog_period == message.watchdog_period);
    RC_ASSERT(read.message.exit_status == message.exit_status);
    RC_ASSERT(read.status == expected.status);
  });
}

TEST_CASE("no bytes make a status of more than one line of UTF-8", "[properties][notify]") {
  holds([] {
    const std::string text =
        *several(rc::gen::oneOf(any_text(), word_of({"STATUS=", "\n", "READY=1", "FDNAME=", "=",
                                                     "MAINPID=", "BARRIER=1", "FDSTORE=1"})),
                 0, 10);
    const ParsedNotify read = parse_notify(text);
    if (read.status) {
      RC_ASSERT(is_valid_utf8(*read.status));
      RC_ASSERT(std::none_of(read.status->begin(), read.status->end(), is_control));
    }
    if (read.message.main_pid) RC_ASSERT(*read.message.main_pid > 0);
    RC_ASSERT(std::none_of(read.problem.begin(), read.problem.end(), is_control));
    if (read.dropped) RC_ASSERT((!read.message.ready && !read.status && !read.message.main_pid));
  });
}
