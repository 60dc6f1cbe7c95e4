// The command line: one verb, one configuration, overrides. It parses arguments, calls core/run and
// turns exceptions into exit codes; everything that happens is in core/.

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "core/compare/compare.h"
#include "core/compare/results.h"
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
#include "core/run/untraced_run.h"
#include "core/version.h"
#include "tools/mezo/arguments.h"
#include "tools/mezo/verbs.h"

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

bool compare(const Arguments& a, int argc, char** argv, mezo::Console& console) {
  return mezo::compare({{a.config, numbered(a.overrides, argc, argv),
                         mezo::plugin_folders(a.plugin_path), task_folders()},
                        a.plugin_path,
                        a.overwrite,
                        a.metric,
                        a.check},
                       console);
}

int run(int argc, char** argv, mezo::Console& console) {
  CLI::App app("mezo: fine-tune language models with forward passes only", "mezo");
  app.set_version_flag("--version", std::string("mezo ") + mezo::version_text);
  app.require_subcommand(1);
  Arguments a;
  const char* overwrite = "replace the result that is in the output folder";
  CLI::App* train = mezo::add_verb(app, "run", "train, evaluate, write the run folder", a);
  CLI::Option* replace = train->add_flag("--overwrite", a.overwrite, overwrite);
  train
      ->add_flag("--resume", a.resume,
                 "go on with the run in the output folder, or start it if there is none")
      ->excludes(replace);
  CLI::App* eval =
      mezo::add_verb(app, "eval", "evaluate a model without training, or what a run trained", a);
  eval->get_option("CONFIG")->description("a run's YAML file, or the folder of a run that is done");
  mezo::add_step(*eval, a);
  eval->add_flag("--overwrite", a.overwrite, overwrite);
  CLI::App* validate = mezo::add_verb(
      app, "validate", "check everything that can be checked without reading weights", a);
  validate
      ->add_option(
          "--show", a.show,
          "print what the data are like, and N examples of each split as the model reads them")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  CLI::App* again = mezo::add_verb_of_run(
      app, "replay", "rebuild a run's weights from its trajectory, print their hash", a);
  again->add_flag("--verify", a.verify, "fail unless the hash is the one the run recorded");
  CLI::App* write =
      mezo::add_verb_of_run(app, "export", "rebuild a run's weights and write them as a model", a,
                            "PATH", "the folder to write, which must not be there yet or be empty");
  write->add_option("--format", a.format, "hf: a Hugging Face folder; peft: an adapter folder")
      ->capture_default_str();
  write
      ->add_option("--dtype", a.dtype,
                   "auto (each tensor as the base has it), float32, float16 or bfloat16")
      ->type_name("TYPE")
      ->capture_default_str();
  CLI::App* ask = mezo::add_verb_of_model(
      app, "predict",
      "print what a model, or what a run trained, answers: text, or a task's option", a);
  ask->add_option("--prompt", a.prompts, "what the model reads; may be given several times")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  ask->add_option("--file", a.file, "rows of fields, .jsonl or .tsv; -: JSON lines from stdin")
      ->type_name("ROWS");
  ask->add_flag("--text", a.text, "generate text, though the task has options");
  CLI::App* server = mezo::add_verb_of_model(
      app, "serve", "answer other programs over HTTP: completions in the form of OpenAI's API", a);
  server->add_option("--host", a.host, "the address to listen at")
      ->type_name("ADDRESS")
      ->capture_default_str();
  server->add_option("--port", a.port, "0: one that is free")
      ->check(CLI::Range(0, 65535))
      ->type_name("N")
      ->capture_default_str();
  CLI::App* many = mezo::add_verb(
      app, "compare", "do what is not done of a sweep's runs, and make one table of all", a);
  many->add_flag("--overwrite", a.overwrite, "replace runs of another configuration, too");
  many->add_flag("--check", a.check, "check every run's settings, say what is done, start nothing");
  many->add_option("--metric", a.metric, "what the table shows; not given: each task's own")
      ->type_name("NAME");
  CLI::App* results = app.add_subcommand("results", "make one table of runs that are done");
  results->add_option("RUN", a.runs, "run folders")->required();
  CLI::Option* csv = results->add_flag("--csv", a.csv, "as lines of a CSV file");
  results->add_flag("--json", a.json, "as JSON")->excludes(csv);
  CLI::App* plugins =
      app.add_subcommand("plugins", "list components, or show one with its settings");
  plugins->add_option("ID", a.component, "a component's id");
  mezo::add_plugin_path(*plugins, a);
  if (argc > 1 && argv[1][0] != '-') mezo::refuse_unknown_verb(app, argv[1]);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return mezo::say_parsed(app, e, console);
  }
  if (*many) return compare(a, argc, argv, console) ? 0 : 6;
  if (*results) {
    mezo::report_results(a.runs,
                         a.csv    ? mezo::ResultsForm::csv
                         : a.json ? mezo::ResultsForm::json
                                  : mezo::ResultsForm::table,
                         console);
    return 0;
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
  if (*eval)
    if (const std::string kept = mezo::kept_without_trajectory(a.config); !kept.empty())
      throw mezo::RunError("[eval] " + kept);
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
