#pragma once
// How verbs are declared to the parser: what several of them take is declared alike.

#include <CLI/CLI.hpp>
#include <string>

#include "core/console/console.h"
#include "tools/mezo/arguments.h"

namespace mezo {

void add_plugin_path(CLI::App& verb, Arguments& a);
void add_step(CLI::App& verb, Arguments& a);

// `verb CONFIG [key=value …]`.
CLI::App* add_verb(CLI::App& app, const char* name, const char* help, Arguments& a);

// `verb RUN […] [key=value …]`, of a run that was done: `path` is what else the verb takes by
// place.
CLI::App* add_verb_of_run(CLI::App& app, const char* name, const char* help, Arguments& a,
                          const char* path = nullptr, const char* about_path = "");

// `verb MODEL|RUN [--step N] [key=value …]`.
CLI::App* add_verb_of_model(CLI::App& app, const char* name, const char* help, Arguments& a);

// The parser's own message would only say that a verb is missing.
void refuse_unknown_verb(const CLI::App& app, const std::string& verb);

// Help, the version, or what is wrong with the arguments, and the exit code. The parser would write
// to the streams itself, and then nobody knew of help that was lost.
int say_parsed(const CLI::App& app, const CLI::ParseError& e, Console& console);

}  // namespace mezo
