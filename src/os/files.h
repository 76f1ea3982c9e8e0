#pragma once
// The real side of unit/file_source.h: unit files, links and folders of this machine.
//
// Nothing here waits: a file is opened without blocking and must then turn out
// to be a regular one, so that a FIFO, a terminal or a device in its place is
// EINVAL (fault C7). A loop of links is the kernel's ELOOP.

#include <string>
#include <string_view>
#include <vector>

#include "unit/file_source.h"

namespace onset {

class RealFiles final : public FileSource, public FileChanger {
 public:
  Result<std::string> read(std::string_view path, std::size_t limit) override;
  Result<std::vector<DirectoryItem>> list(std::string_view directory) override;
  Result<std::string> read_link(std::string_view path) override;
  Result<FileStatus> lstat(std::string_view path) override;
  Result<FileStatus> stat(std::string_view path) override;
  Result<Content> read_with_status(std::string_view path, std::size_t limit) override;

  SysResult make_directories(std::string_view path) override;
  SysResult make_link(std::string_view target, std::string_view path) override;
  SysResult remove(std::string_view path) override;
  void remove_empty_directory(std::string_view path) override;
  SysResult write_file(std::string_view path, std::string_view text, std::uint32_t mode) override;
};

}  // namespace onset
