#pragma once
// A value or an error. Nothing in onset throws: what can fail returns a Result.

#include <utility>
#include <variant>

namespace onset {

/// A system call that failed: the operation and errno, taken at once. Does not
/// allocate, so that it can be made where memory has run out. `op` is a literal.
struct SysError {
  const char* op = "";
  int err = 0;
};

/// Marks the error side of a Result: `return Failure{SysError{"open", errno}};`
template <class E>
struct Failure {
  E error;
};
template <class E>
Failure(E) -> Failure<E>;

template <class T, class E = SysError>
class [[nodiscard]] Result {
 public:
  Result(T value) : v_(std::in_place_index<0>, std::move(value)) {}
  template <class F>
  Result(Failure<F> f) : v_(std::in_place_index<1>, E(std::move(f.error))) {}

  [[nodiscard]] bool ok() const noexcept { return v_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  /// Only after ok().
  T& operator*() & noexcept { return *std::get_if<0>(&v_); }
  const T& operator*() const& noexcept { return *std::get_if<0>(&v_); }
  T&& operator*() && noexcept { return std::move(*std::get_if<0>(&v_)); }
  T* operator->() noexcept { return std::get_if<0>(&v_); }
  const T* operator->() const noexcept { return std::get_if<0>(&v_); }

  /// Only after !ok().
  const E& error() const& noexcept { return *std::get_if<1>(&v_); }
  E&& error() && noexcept { return std::move(*std::get_if<1>(&v_)); }

  T value_or(T other) const& { return ok() ? **this : std::move(other); }

 private:
  std::variant<T, E> v_;
};

template <class E>
class [[nodiscard]] Result<void, E> {
 public:
  Result() = default;
  template <class F>
  Result(Failure<F> f) : error_(std::move(f.error)), failed_(true) {}

  [[nodiscard]] bool ok() const noexcept { return !failed_; }
  explicit operator bool() const noexcept { return ok(); }
  const E& error() const noexcept { return error_; }

 private:
  E error_{};
  bool failed_ = false;
};

/// What a system call that returns nothing but success gives back.
using SysResult = Result<void, SysError>;

}  // namespace onset
