#include "control/json.h"

#include <new>
#include <nlohmann/json.hpp>

namespace onset {
namespace {

constexpr std::size_t kMostValues = std::size_t{65536};  // JsonLimits, and batches of replies
constexpr std::size_t kStandby = 4 * kMostValues * sizeof(Json);

/// Untouched, it takes no memory. Given out in a row, taken back when all of it has come back.
struct Standby {
  alignas(Json) std::byte bytes[kStandby];
  std::size_t used;
  std::size_t out;
};
constinit Standby standby{};

bool stands_by(const void* memory) {
  return memory >= standby.bytes && memory < standby.bytes + kStandby;
}

}  // namespace
}  // namespace onset

onset::Json* std::allocator<onset::Json>::allocate(std::size_t count) {
  using onset::standby;
  const std::size_t size = count * sizeof(onset::Json);
  if (void* const memory = ::operator new(size, std::nothrow))
    return static_cast<onset::Json*>(memory);
  if (size > onset::kStandby - standby.used) return static_cast<onset::Json*>(::operator new(size));
  auto* const memory = standby.bytes + standby.used;
  standby.used += size;
  ++standby.out;
  return reinterpret_cast<onset::Json*>(memory);
}

void std::allocator<onset::Json>::deallocate(onset::Json* memory, std::size_t /*count*/) noexcept {
  using onset::standby;
  if (!onset::stands_by(memory)) return ::operator delete(memory);
  if (--standby.out == 0) standby.used = 0;
}
