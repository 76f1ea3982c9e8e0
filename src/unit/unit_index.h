#pragma once
// What lies in the search path, listed once: which name is which file, alias or
// mask, and which folders there are for drop-ins and dependencies. systemd.unit(5),
// UNIT FILE LOAD PATH and the rules of aliases.
//
//   directories, first wins → name → file | mask | alias of another name
//   the units of the binary come last

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/diagnostic.h"
#include "unit/builtin.h"
#include "unit/file_source.h"

namespace onset {

/// Small: there is one for every file of the search path, loaded or not.
struct UnitFileEntry {
  enum class Kind : std::uint8_t { File, Mask, Alias, Builtin };
  /// What a plain file in a directory of the search path has no use for.
  struct Detail {
    std::string target;       ///< of Alias: the name it stands for
    std::string link_target;  ///< of a link: where it points, absolute; else empty
    std::string path;         ///< of a file outside the search path
    std::string_view text;    ///< of Builtin
  };
  Kind kind = Kind::File;
  std::uint16_t directory = 0;   ///< that it lies in: index in UnitIndex::directories()
  std::string_view name;         ///< its own; belongs to the index
  std::unique_ptr<Detail> more;  ///< null: nothing of it

  /// The same, with what is empty where there is none.
  [[nodiscard]] const Detail& detail() const;
  Detail& make_detail();
};

/// Where a name leads: over aliases and from an instance to its template.
struct Resolved {
  std::string id;                        ///< the name at the end of the chain
  const UnitFileEntry* entry = nullptr;  ///< null: no file
  bool is_loop = false;                  ///< aliases that name each other
};

class UnitIndex {
 public:
  /// `root` is put before every path that is read; paths in the index are without it.
  UnitIndex(FileSource& files, std::string root, const std::vector<std::string>& search_path,
            std::span<const BuiltinUnit> builtin, Diagnostics& diagnostics);

  [[nodiscard]] const UnitFileEntry* find(std::string_view name) const;
  /// Of the entry itself, also of a link; "builtin:NAME" for one of the binary. Without the root.
  [[nodiscard]] std::string path_of(const UnitFileEntry& entry) const;
  /// `name` must be valid and not a template.
  [[nodiscard]] Resolved resolve(std::string_view name) const;
  /// Every further name of the unit `id`, sorted: aliases of aliases, and for an
  /// instance those of its template with the instance filled in.
  [[nodiscard]] std::vector<std::string> aliases_of(std::string_view id) const;

  /// Whether any folder's name ends so: most trees have few drop-ins.
  [[nodiscard]] bool has_folders(std::string_view suffix) const;
  /// The directories that have a folder of this name ("foo.service.d"), in order.
  [[nodiscard]] std::vector<std::string> folders(std::string_view folder_name) const;
  /// What is in a folder, listed once. Empty if it is not there, or can't be listed: a problem
  /// then, and asked for again the next time.
  const std::vector<DirectoryItem>& folder_items(const std::string& folder_path);
  Diagnostics take_folder_problems() { return std::exchange(folder_problems_, {}); }

  /// Whether a directory has got or lost an entry since it was listed. (What is in
  /// a file that was there already does not matter here.)
  [[nodiscard]] bool is_stale() const;
  /// It is from now on, whatever the directories say.
  void set_stale() { is_set_stale_ = true; }
  /// A place of the search path that could not be read for want of memory, descriptors and
  /// their like: it is not known what is there, and it will be. (What fails for good is left
  /// out with a warning.)
  struct Gap {
    std::uint16_t directory;
    bool is_link;      ///< no more than one link of the directory
    std::string path;  ///< of the directory, or of the link; without the root
  };
  /// The first one; null: there is none.
  [[nodiscard]] const Gap* gap() const { return gaps_.empty() ? nullptr : &gaps_.front(); }
  /// Folders are listed anew when they are asked for next.
  void forget_folder_items() { folder_items_.clear(); }

  /// A file that comes before all others of its name.
  void add_file(std::string_view name, std::string path);

  [[nodiscard]] std::vector<std::string> names() const;  ///< sorted
  [[nodiscard]] const std::vector<std::string>& directories() const { return directories_; }
  [[nodiscard]] std::string with_root(std::string_view path) const {
    return root_ + std::string(path);
  }
  [[nodiscard]] FileSource& files() const { return *files_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
  };
  template <class T>
  using ByName = std::unordered_map<std::string, T, Hash, std::equal_to<>>;

  void list_directory(std::uint16_t directory, Diagnostics& diagnostics);
  void add_entry(std::uint16_t directory, const std::string& name, FileKind kind,
                 Diagnostics& diagnostics);
  bool make_link_entry(UnitFileEntry& entry, Diagnostics& diagnostics);
  /// False: there is one of that name already.
  bool insert(const std::string& name, UnitFileEntry entry);
  void add_alias(const std::string& alias, const std::string& target);
  [[nodiscard]] bool is_searched(std::string_view directory) const;
  [[nodiscard]] std::string canonical(std::string_view path) const;
  [[nodiscard]] std::int64_t mtime_of(const std::string& directory) const;
  [[nodiscard]] bool is_open(const Gap& gap) const;

  FileSource* files_;
  std::string root_;
  bool usr_is_merged_ = false;  ///< /lib is a link to usr/lib
  std::vector<std::string> directories_;
  std::vector<Gap> gaps_;             ///< in the order of the directories
  std::vector<std::int64_t> mtimes_;  ///< of the directories, before they were listed
  ByName<UnitFileEntry> entries_;
  ByName<std::vector<std::string>> aliases_;       ///< name → what stands for it
  ByName<std::vector<std::uint16_t>> folders_;     ///< folder name → directories
  std::vector<std::string_view> folder_suffixes_;  ///< those that are there
  ByName<std::vector<DirectoryItem>> folder_items_;
  Diagnostics folder_problems_;  ///< not yet taken
  bool is_set_stale_ = false;
};

/// Whether a link from `alias` to `target` is one that systemd.unit(5) allows;
/// if not, why. "x@i.service" may stand for "y@i.service" or for "y@.service".
std::string alias_problem(std::string_view alias, std::string_view target);

/// `link` as found in `directory`: absolute, "." and ".." taken out of the text.
std::string absolute_target(std::string_view directory, std::string_view link);

}  // namespace onset
