#pragma once
// Where the bytes of unit files come from. The pure part reads files through
// this interface alone; os/ has the real side, tests/support a map in memory.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace onset {

enum class FileKind : std::uint8_t { Regular, Directory, Symlink, CharDevice, Other };

struct FileStatus {
  FileKind kind = FileKind::Other;
  bool executable = false;
  std::uint32_t mode = 0;  ///< permission bits
  std::uint32_t owner = 0;
  bool is_null_device = false;  ///< the character device 1:3
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
};

struct DirectoryItem {
  std::string name;
  FileKind kind = FileKind::Other;
};

/// Errors are of errno. Never blocks: a FIFO or a device where a file should
/// be is EINVAL, a loop of links ELOOP.
class FileSource {
 public:
  virtual ~FileSource() = default;
  /// A regular file, whole, links followed; larger than `limit` is EFBIG.
  virtual Result<std::string> read(std::string_view path, std::size_t limit) = 0;
  /// Without "." and "..", in no order.
  virtual Result<std::vector<DirectoryItem>> list(std::string_view directory) = 0;
  virtual Result<std::string> read_link(std::string_view path) = 0;
  /// Links not followed.
  virtual Result<FileStatus> lstat(std::string_view path) = 0;
  /// Links followed.
  virtual Result<FileStatus> stat(std::string_view path) = 0;

  struct Content {
    std::string text;
    FileStatus status;
  };
  /// Both of one opened file: no rename can come between. The default asks twice.
  virtual Result<Content> read_with_status(std::string_view path, std::size_t limit);
};

/// The changing side: what enable, mask and their kin do.
class FileChanger {
 public:
  virtual ~FileChanger() = default;
  virtual SysResult make_directories(std::string_view path) = 0;
  virtual SysResult make_link(std::string_view target, std::string_view path) = 0;
  virtual SysResult remove(std::string_view path) = 0;
  /// Only if empty; anything else is left alone.
  virtual void remove_empty_directory(std::string_view path) = 0;
  /// Written beside and renamed over.
  virtual SysResult write_file(std::string_view path, std::string_view text,
                               std::uint32_t mode) = 0;
};

}  // namespace onset
