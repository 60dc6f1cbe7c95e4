#pragma once
// The version of the host, as CMakeLists.txt states it.

namespace mezo {
inline constexpr const char* version_text = MEZO_VERSION;
}  // namespace mezo
