#pragma once
// The parameters of one call, read by name and type. The first that is missing,
// of the wrong type, out of range or unknown to the method is remembered; the
// reads after it go on with defaults, and the method asks once, at the end.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/json.h"

namespace onset {

class Parameters {
 public:
  explicit Parameters(const Json& object) : object_(object) {}

  std::string text(const char* name);
  std::optional<std::string> optional_text(const char* name);
  std::vector<std::string> texts(const char* name);
  std::optional<std::vector<std::string>> optional_texts(const char* name);
  std::optional<std::vector<std::int64_t>> optional_numbers(const char* name, std::int64_t lowest,
                                                            std::int64_t highest);
  std::int64_t number(const char* name, std::int64_t lowest, std::int64_t highest);
  std::optional<std::int64_t> optional_number(const char* name, std::int64_t lowest,
                                              std::int64_t highest);
  /// False where it is not there.
  bool flag(const char* name);

  /// For what only the method can judge.
  void refuse(const char* name);
  /// The name of the first bad parameter; empty: all are well. After the last read.
  std::string bad();

 private:
  /// Null if absent; remembers that the name is known.
  const Json* find(const char* name);

  const Json& object_;
  std::vector<const char*> known_;
  std::string bad_;
};

}  // namespace onset
