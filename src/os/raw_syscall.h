#pragma once
// System calls without libc, for the child of a launch: on the fast path it runs
// at the same time as PID 1 on PID 1's memory, its thread's storage too, so that
// an errno of the child's would be PID 1's. A call returns its value, or the
// negative errno (syscall(2), Architecture calling conventions).

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <type_traits>

namespace onset::raw {

#if defined(__x86_64__)
inline long call6(long number, long a, long b, long c, long d, long e, long f) noexcept {
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  long result = number;
  asm volatile("syscall"
               : "+a"(result)
               : "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}
#elif defined(__aarch64__)
inline long call6(long number, long a, long b, long c, long d, long e, long f) noexcept {
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  register long x5 asm("x5") = f;
  asm volatile("svc #0"
               : "+r"(x0)
               : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
               : "memory");
  return x0;
}
#else
/// Only where every child has memory of its own.
inline long call6(long number, long a, long b, long c, long d, long e, long f) noexcept {
  const long result = ::syscall(number, a, b, c, d, e, f);
  return result < 0 ? -errno : result;
}
#endif

template <class T>
long word(T value) noexcept {
  if constexpr (std::is_same_v<T, std::nullptr_t>) {
    return 0;
  } else if constexpr (std::is_pointer_v<T>) {
    return reinterpret_cast<long>(value);
  } else {
    return static_cast<long>(value);
  }
}

template <class A = long, class B = long, class C = long, class D = long, class E = long>
long call(long number, A a = 0, B b = 0, C c = 0, D d = 0, E e = 0) noexcept {
  return call6(number, word(a), word(b), word(c), word(d), word(e), 0);
}

[[noreturn]] inline void exit(int status) noexcept {
  for (;;) call(SYS_exit_group, status);
}

}  // namespace onset::raw
