#pragma once
// JSON values: nlohmann's, with an allocator of their own, so that a value can be destroyed when
// there is no memory left. The library's destructor moves what a value holds into a
// std::vector<Json> of its own making, and may not throw: where that vector found no memory, PID 1
// ended. So std::allocator<Json>, which nothing else of a value uses, has memory that stands by.

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <new>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace onset {

/// Of all that a value consists of; throws bad_alloc as any other. Never std::allocator, whose
/// memory below is for what a value comes apart into.
template <class T>
struct JsonAllocator {
  using value_type = T;
  JsonAllocator() = default;
  template <class U>
  constexpr JsonAllocator(const JsonAllocator<U>& /*other*/) noexcept {}
  [[nodiscard]] T* allocate(std::size_t count) {
    return static_cast<T*>(::operator new(count * sizeof(T)));
  }
  void deallocate(T* memory, std::size_t /*count*/) noexcept { ::operator delete(memory); }
  friend constexpr bool operator==(const JsonAllocator&, const JsonAllocator&) noexcept {
    return true;
  }
};

using Json = nlohmann::basic_json<std::map, std::vector, std::string, bool, std::int64_t,
                                  std::uint64_t, double, JsonAllocator>;

}  // namespace onset

/// Of the vectors in which values come apart: from the heap, or else from memory that stands by,
/// for four times the values that a message may have (a vector that grows stands there in all its
/// sizes). Beyond it throws, and the program ends.
template <>
struct std::allocator<onset::Json> {
  using value_type = onset::Json;
  allocator() = default;
  template <class U>
  constexpr allocator(const allocator<U>& /*other*/) noexcept {}
  [[nodiscard]] onset::Json* allocate(std::size_t count);
  void deallocate(onset::Json* memory, std::size_t count) noexcept;
  friend constexpr bool operator==(const allocator&, const allocator&) noexcept { return true; }
};
