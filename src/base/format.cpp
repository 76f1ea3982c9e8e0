// fmt is packaged without a static library: this file is that library. The
// explicit instantiations are the ones that fmt's headers declare extern.
#define FMT_STATIC_THOUSANDS_SEPARATOR ','
#include "base/format.h"

#include <fmt/format-inl.h>

#include <cstring>

#include "base/diagnostic.h"

FMT_BEGIN_NAMESPACE
namespace detail {
template FMT_API auto dragonbox::to_decimal(float x) noexcept -> dragonbox::decimal_fp<float>;
template FMT_API auto dragonbox::to_decimal(double x) noexcept -> dragonbox::decimal_fp<double>;
template FMT_API auto thousands_sep_impl(locale_ref) -> thousands_sep_result<char>;
template FMT_API auto decimal_point_impl(locale_ref) -> char;
template FMT_API void buffer<char>::append(const char*, const char*);
template FMT_API void vformat_to(buffer<char>&, string_view,
                                 basic_format_args<FMT_BUFFER_CONTEXT(char)>, locale_ref);
}  // namespace detail
FMT_END_NAMESPACE

namespace onset {

std::string errno_text(int err) {
  const char* text = strerrordesc_np(err);
  return text != nullptr ? std::string(text) : format("error {}", err);
}

std::string to_string(const SysError& e) {
  return format("{}: {}", e.op, errno_text(e.err));
}

std::string to_string(const Diagnostic& d) {
  if (d.file.empty()) return d.message;
  if (d.line == 0) return format("{}: {}", d.file, d.message);
  return format("{}:{}: {}", d.file, d.line, d.message);
}

}  // namespace onset
