#include "support/states_document.h"

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace onset::test {
namespace {

constexpr const char* kPath = ONSET_ORACLE_DIR "/../../docs/states.md";

struct Part {
  std::string document;
  std::size_t begin = 0;
  std::size_t size = 0;
};

Part part_of(std::string_view maker) {
  std::ifstream file(kPath);
  Part part{{std::istreambuf_iterator<char>(file), {}}};
  const std::string mark = "<!-- made by " + std::string(maker) + ": ";
  const std::string first = mark + "begin -->\n";
  const std::size_t begin = part.document.find(first);
  const std::size_t end = part.document.find(mark + "end -->");
  if (begin == std::string::npos || end == std::string::npos)
    throw std::runtime_error("no marks of " + mark);
  part.begin = begin + first.size();
  part.size = end - part.begin;
  return part;
}

}  // namespace

std::string shown_in_states(std::string_view maker) {
  const Part part = part_of(maker);
  return part.document.substr(part.begin, part.size);
}

void write_into_states(std::string_view maker, std::string_view text) {
  Part part = part_of(maker);
  part.document.replace(part.begin, part.size, text);
  std::ofstream(kPath) << part.document;
}

}  // namespace onset::test
