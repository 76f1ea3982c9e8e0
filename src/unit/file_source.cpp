#include "unit/file_source.h"

#include <utility>

namespace onset {

Result<FileSource::Content> FileSource::read_with_status(std::string_view path, std::size_t limit) {
  auto status = stat(path);
  if (!status) return Failure{status.error()};
  auto text = read(path, limit);
  if (!text) return Failure{text.error()};
  return Content{std::move(*text), *status};
}

}  // namespace onset
