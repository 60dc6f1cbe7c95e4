// The command line: one verb, one configuration, overrides. It parses arguments, calls core/run and
// turns exceptions into exit codes; everything that happens is in core/.

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <new>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "core/config/display.h"
#include "core/config/nearest.h"
#include "core/config/table.h"
#include "core/error.h"
#include "core/io/shrunk_file.h"
#include "core/machine/kept_pages.h"
#include "core/machine/short_spins.h"
#include "core/plugin/blame.h"
#include "core/plugin/create.h"
#include "core/plugin/listing.h"
#include "core/plugin/registry.h"
#include "core/run/answering_model.h"
#include "core/run/eval.h"
#include "core/run/export_run.h"
#include "core/run/predict.h"
#include "core/run/replay.h"
#include "core/run/run.h"
#include "core/run/serve.h"
#include "core/version.h"
#include "tools/mezo/arguments.h"

namespace {

using mezo::Arguments;
using mezo::numbered;
using mezo::task_folders;

mezo::RunConfig load(const Arguments& a, int argc, char** argv) {
  return mezo::load_run_config({a.config, numbered(a.overrides, argc, argv),
                                mezo::plugin_folders(a.plugin_path), task_folders()});
}

int list_plugins(const Arguments& a, mezo::Console& console) {
  mezo::PluginSearch search;
  search.folders = mezo::plugin_folders(a.plugin_path);
  const mezo::Registry registry(search);
  if (a.component.empty()) {
    console.out(mezo::list_components(registry));
    return 0;
  }
  bool found = false;
  for (const mezo_kind kind : {MEZO_MODEL, MEZO_PEFT, MEZO_OBJECTIVE})
    for (const mezo::Component* c : registry.components(kind))
      if (c->id() == a.component) {
        found = true;
        console.out(fmt::format("{} {}: {}\n{}", mezo::kind_name(kind), c->id(),
                                c->descriptor->summary,
                                c->settings().empty() ? std::string("  no settings\n")
                                                      : mezo::describe(c->settings())));
      }
  if (!found)
    throw mezo::PluginError("no component '" + a.component + "'; `mezo plugins` lists them");
  return 0;
}

void replay(const Arguments& a, int argc, char** argv, mezo::Console& console) {
  mezo::report_replay(
      {a.config, numbered(a.overrides, argc, argv), mezo::plugin_folders(a.plugin_path), a.step},
      a.verify, console);
}

void write_export(const Arguments& a, int argc, char** argv, mezo::Console& console) {
  mezo::export_run({{a.config, numbered(a.overrides, argc, argv, 3),
                     mezo::plugin_folders(a.plugin_path), a.step},
                    a.path,
                    a.format,
                    a.dtype},
                   console);
}

void predict(const Arguments& a, int argc, char** argv, mezo::Console& console) {
  mezo::predict(
      {{a.config, numbered(a.overrides, argc, argv), mezo::plugin_folders(a.plugin_path), a.step},
       a.prompts,
       a.file,
       a.text,
       task_folders()},
      console);
}

void serve(const Arguments& a, int argc, char** argv, mezo::Console& console) {
  mezo::serve(
      {{a.config, numbered(a.overrides, argc, argv), mezo::plugin_folders(a.plugin_path), a.step},
       a.host,
       a.port,
       task_folders()},
      console);
}

bool evaluate_run(const Arguments& a, int argc, char** argv, mezo::Console& console) {
  return mezo::evaluate_run({{a.config, numbered(a.overrides, argc, argv),
                              mezo::plugin_folders(a.plugin_path), a.step},
                             task_folders(),
                             a.earlier()},
                            console)
      .whole;
}

void add_plugin_path(CLI::App& verb, Arguments& a) {
  verb.add_option("--plugin-path", a.plugin_path,
                  "a folder to look for plugins in, before the usual ones")
      ->type_name("FOLDER")
      ->allow_extra_args(false);
}

void add_overrides(CLI::App& verb, Arguments& a, const char* about) {
  verb.add_option("OVERRIDES", a.overrides, about)->type_name("key=value");
  add_plugin_path(verb, a);
}

void add_step(CLI::App& verb, Arguments& a) {
  verb.add_option("--step", a.step,
                  "a run's weights after so many steps; not given: of the step that it keeps, for "
                  "replay its last")
      ->type_name("N");
}

// `verb CONFIG [key=value …]`.
CLI::App* add_verb(CLI::App& app, const char* name, const char* help, Arguments& a) {
  CLI::App* verb = app.add_subcommand(name, help);
  verb->add_option("CONFIG", a.config, "a run's YAML file")->required();
  add_overrides(*verb, a, "settings laid over the file's: optimizer.epsilon=1e-3");
  return verb;
}

// `verb RUN […] [key=value …]`, of a run that was done: `path` is what else the verb takes by
// place.
CLI::App* add_verb_of_run(CLI::App& app, const char* name, const char* help, Arguments& a,
                          const char* path = nullptr, const char* about_path = "") {
  CLI::App* verb = app.add_subcommand(name, help);
  verb->add_option("RUN", a.config, "a run folder, or a trajectory.mezo")->required();
  if (path) verb->add_option(path, a.path, about_path)->required();
  add_overrides(*verb, a, "where the base model lies by now: model.path=…");
  add_step(*verb, a);
  return verb;
}

// `verb MODEL|RUN [--step N] [key=value …]`.
CLI::App* add_verb_of_model(CLI::App& app, const char* name, const char* help, Arguments& a) {
  CLI::App* verb = app.add_subcommand(name, help);
  verb->add_option("MODEL|RUN", a.config, "a model folder, a .gguf file or a run folder")
      ->required();
  add_overrides(*verb, a, "generation.max_new_tokens=50, task.file=sst2, peft.adapter=FOLDER …");
  add_step(*verb, a);
  return verb;
}

// The parser's own message would only say that a verb is missing.
void refuse_unknown_verb(const CLI::App& app, const std::string& verb) {
  std::vector<std::string> known;
  for (const CLI::App* one : app.get_subcommands([](const CLI::App*) { return true; }))
    known.push_back(one->get_name());
  if (std::find(known.begin(), known.end(), verb) != known.end()) return;
  throw mezo::ConfigError(fmt::format("mezo: unknown verb {}{} (known: {})", mezo::shown(verb),
                                      mezo::did_you_mean(verb, known), fmt::join(known, ", ")));
}

// Help, the version, or what is wrong with the arguments. The parser would write to the streams
// itself, and then nobody knew of help that was lost.
int say_parsed(const CLI::App& app, const CLI::ParseError& e, mezo::Console& console) {
  std::ostringstream out, err;
  const int code = app.exit(e, out, err);
  console.out(out.str());
  console.err(err.str());
  return code == 0 ? 0 : 2;
}

int run(int argc, char** argv, mezo::Console& console) {
  CLI::App app("mezo: fine-tune language models with forward passes only", "mezo");
  app.set_version_flag("--version", std::string("mezo ") + mezo::version_text);
  app.require_subcommand(1);
  Arguments a;
  const char* overwrite = "replace the result that is in the output folder";
  CLI::App* train = add_verb(app, "run", "train, evaluate, write the run folder", a);
  CLI::Option* replace = train->add_flag("--overwrite", a.overwrite, overwrite);
  train
      ->add_flag("--resume", a.resume,
                 "go on with the run in the output folder, or start it if there is none")
      ->excludes(replace);
  CLI::App* eval =
      add_verb(app, "eval", "evaluate a model without training, or what a run trained", a);
  eval->get_option("CONFIG")->description("a run's YAML file, or the folder of a run that is done");
  add_step(*eval, a);
  eval->add_flag("--overwrite", a.overwrite, overwrite);
  CLI::App* validate =
      add_verb(app, "validate", "check everything that can be checked without reading weights", a);
  validate
      ->add_option(
          "--show", a.show,
          "print what the data are like, and N examples of each split as the model reads them")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  CLI::App* again = add_verb_of_run(
      app, "replay", "rebuild a run's weights from its trajectory, print their hash", a);
  again->add_flag("--verify", a.verify, "fail unless the hash is the one the run recorded");
  CLI::App* write =
      add_verb_of_run(app, "export", "rebuild a run's weights and write them as a model", a, "PATH",
                      "the folder to write, which must not be there yet or be empty");
  write->add_option("--format", a.format, "hf: a Hugging Face folder; peft: an adapter folder")
      ->capture_default_str();
  write
      ->add_option("--dtype", a.dtype,
                   "auto (each tensor as the base has it), float32, float16 or bfloat16")
      ->type_name("TYPE")
      ->capture_default_str();
  CLI::App* ask = add_verb_of_model(
      app, "predict",
      "print what a model, or what a run trained, answers: text, or a task's option", a);
  ask->add_option("--prompt", a.prompts, "what the model reads; may be given several times")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  ask->add_option("--file", a.file, "rows of fields, .jsonl or .tsv; -: JSON lines from stdin")
      ->type_name("ROWS");
  ask->add_flag("--text", a.text, "generate text, though the task has options");
  CLI::App* server = add_verb_of_model(
      app, "serve", "answer other programs over HTTP: completions in the form of OpenAI's API", a);
  server->add_option("--host", a.host, "the address to listen at")
      ->type_name("ADDRESS")
      ->capture_default_str();
  server->add_option("--port", a.port, "0: one that is free")
      ->check(CLI::Range(0, 65535))
      ->type_name("N")
      ->capture_default_str();
  CLI::App* plugins =
      app.add_subcommand("plugins", "list components, or show one with its settings");
  plugins->add_option("ID", a.component, "a component's id");
  add_plugin_path(*plugins, a);
  if (argc > 1 && argv[1][0] != '-') refuse_unknown_verb(app, argv[1]);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return say_parsed(app, e, console);
  }
  if (*plugins) return list_plugins(a, console);
  if (*again) {
    replay(a, argc, argv, console);
    return 0;
  }
  if (*write) {
    write_export(a, argc, argv, console);
    return 0;
  }
  if (*ask) {
    predict(a, argc, argv, console);
    return 0;
  }
  if (*server) {
    serve(a, argc, argv, console);
    return 0;
  }
  if (*eval && mezo::is_run(a.config)) return evaluate_run(a, argc, argv, console) ? 0 : 6;
  if (a.step)
    throw mezo::ConfigError(a.config + " is no run folder: only a run has steps (--step)");
  const mezo::RunConfig config = load(a, argc, argv);
  if (*validate) {
    mezo::validate(config, a.show, console);
    return 0;
  }
  const mezo::RunResult result = *train ? mezo::run(config, a.earlier(), console)
                                        : mezo::evaluate_only(config, a.earlier(), console);
  return result.whole ? 0 : 6;
}

// What it prints where it ends, and its exit code.
int run_and_report(int argc, char** argv, mezo::StandardConsole& console) {
  try {
    const int code = run(argc, argv, console);
    for (const std::string& fault : mezo::take_destruction_faults()) console.warning(fault);
    if (console.lost() == 0) return code;
    console.say(fmt::format("mezo: cannot write to stdout: {}", std::strerror(console.lost())));
    return 1;
  } catch (const mezo::Error& e) {
    console.say(e.what());
    return e.exit_code();
  } catch (const std::bad_alloc&) {
    console.say("mezo: out of memory");
    return 6;
  } catch (const std::filesystem::filesystem_error& e) {
    console.say(fmt::format("mezo: {}: {}", e.path1().string(), e.code().message()));
    return 6;
  } catch (const std::exception& e) {
    const std::string what = e.what();  // torch puts a stack trace behind this line
    console.say("mezo: internal error: " + what.substr(0, what.find("\nException raised from ")));
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  mezo::start_with_short_spins(argv);
  mezo::keep_freed_pages();
  mezo::name_shrunk_files();
  mezo::blame_plugins();
  mezo::StandardConsole console;
  const int code = run_and_report(argc, argv, console);
  mezo::leaving_now();
  return code;
}
