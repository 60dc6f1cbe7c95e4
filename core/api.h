#pragma once
// MEZO_API marks what leaves the host library. Everything else stays hidden, so that two plugins
// built with different private symbols of the same name never meet.
#define MEZO_API __attribute__((visibility("default")))
