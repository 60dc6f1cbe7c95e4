// The fmt library, compiled once. Its headers can do without, and then each file that formats a line
// compiles all of it anew, five seconds each. LibTorch brings headers of its own and no library, so
// the system's library, of another version, would not do.
#include <fmt/format-inl.h>

FMT_BEGIN_NAMESPACE
namespace detail {
template FMT_API auto dragonbox::to_decimal(float) -> dragonbox::decimal_fp<float>;
template FMT_API auto dragonbox::to_decimal(double) -> dragonbox::decimal_fp<double>;
template FMT_API auto thousands_sep_impl(locale_ref) -> thousands_sep_result<char>;
template FMT_API auto decimal_point_impl(locale_ref) -> char;
template FMT_API void buffer<char>::append(const char*, const char*);
}  // namespace detail
FMT_END_NAMESPACE
