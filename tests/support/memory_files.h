#pragma once
// A file tree in memory: FileSource and FileChanger for tests. Links are
// followed as a kernel does, loops are ELOOP.

#include <map>
#include <string>
#include <string_view>

#include "unit/file_source.h"

namespace onset::test {

class MemoryFiles final : public FileSource, public FileChanger {
 public:
  /// Parents are made. Paths are absolute.
  void add(std::string_view path, std::string_view text, std::uint32_t mode = 0644,
           std::uint32_t owner = 0);
  void add_link(std::string_view path, std::string_view target);
  /// A unit file as tests write one, in place of what is there: "-> NAME" is an alias,
  /// "/dev/null" a mask.
  void set_unit(const std::string& path, std::string_view text);
  void add_directory(std::string_view path, std::uint32_t mode = 0755, std::uint32_t owner = 0);
  /// A FIFO, or whatever else is no file.
  void add_special(std::string_view path);
  [[nodiscard]] bool exists(std::string_view path) const;
  /// Where a link points; empty: not a link.
  [[nodiscard]] std::string link(std::string_view path) const;
  /// All links: path → target.
  [[nodiscard]] std::map<std::string, std::string> links() const;
  /// How often read() or read_with_status() was asked.
  [[nodiscard]] unsigned reads() const { return reads_; }
  [[nodiscard]] unsigned listings() const { return listings_; }
  /// Reading and listing the path fails so from now on; 0: no more.
  void break_path(std::string_view path, int error);

  Result<std::string> read(std::string_view path, std::size_t limit) override;
  Result<std::vector<DirectoryItem>> list(std::string_view directory) override;
  Result<std::string> read_link(std::string_view path) override;
  Result<FileStatus> lstat(std::string_view path) override;
  Result<FileStatus> stat(std::string_view path) override;

  SysResult make_directories(std::string_view path) override;
  SysResult make_link(std::string_view target, std::string_view path) override;
  SysResult remove(std::string_view path) override;
  void remove_empty_directory(std::string_view path) override;
  SysResult write_file(std::string_view path, std::string_view text, std::uint32_t mode) override;

 private:
  struct Node {
    FileKind kind = FileKind::Regular;
    std::string text;  ///< of a file its bytes, of a link its target
    std::uint32_t mode = 0644;
    std::uint32_t owner = 0;
  };
  /// The path without links in it; the last one only if `follow_last`.
  Result<std::string> resolve(std::string_view path, bool follow_last) const;
  void add_parents(std::string_view path);
  static FileStatus status_of(const std::string& path, const Node& node);

  std::map<std::string, Node, std::less<>> nodes_ = {{"/", {FileKind::Directory, {}, 0755, 0}}};
  std::map<std::string, int, std::less<>> broken_;  ///< path → errno
  unsigned reads_ = 0;
  unsigned listings_ = 0;
};

}  // namespace onset::test
