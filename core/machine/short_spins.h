#pragma once
// How the threads of a program wait for each other. For programs that compute on the CPU: call it
// first in main().

#include "core/api.h"

namespace mezo {

// Threads that wait for each other spin first. libgomp's default is milliseconds, which is ruinous
// where processors are shared: a thread that was pushed aside is waited for at full load (20 times
// slower steps were measured beside a compiler). Some ten microseconds cost nothing on a quiet
// machine. libgomp reads the setting while it is loaded, so the program starts once more.
MEZO_API void start_with_short_spins(char** argv);

}  // namespace mezo
