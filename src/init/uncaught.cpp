// The library's handler of an exception that nothing catches prints its demangled type; with it
// comes a demangler of 70 KB. An exception of ours is bad_alloc, and main() catches that.

#include <cstdlib>
#include <string_view>

#include <unistd.h>

namespace __gnu_cxx {

/// In place of libstdc++'s, by its name (the object of its archive is not linked then).
[[noreturn]] void __verbose_terminate_handler();

void __verbose_terminate_handler() {
  constexpr std::string_view kText = "onset: an exception was not caught\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kText.data(), kText.size());
  std::abort();
}

}  // namespace __gnu_cxx
