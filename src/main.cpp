// Which applet, by name and pid: nothing else.

#include <unistd.h>

#include <cstring>

#include "init/entrypoint.h"

int main(int, char** argv) {
  const auto entrypoint = onset::parse_entrypoint(argv);
  if (entrypoint.verdict != onset::EntrypointVerdict::NotOurs) {
    onset::run_entrypoint(entrypoint, environ);
  }
  [[maybe_unused]] const auto sent =
      write(STDERR_FILENO, onset::kEntrypointUsage, std::strlen(onset::kEntrypointUsage));
  return 2;
}
