#include "tools/mezo/verbs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

#include "core/config/display.h"
#include "core/config/nearest.h"
#include "core/error.h"

namespace mezo {

void add_plugin_path(CLI::App& verb, Arguments& a) {
  verb.add_option("--plugin-path", a.plugin_path,
                  "a folder to look for plugins in, before the usual ones")
      ->type_name("FOLDER")
      ->allow_extra_args(false);
}

namespace {

void add_overrides(CLI::App& verb, Arguments& a, const char* about) {
  verb.add_option("OVERRIDES", a.overrides, about)->type_name("key=value");
  add_plugin_path(verb, a);
}

}  // namespace

void add_step(CLI::App& verb, Arguments& a) {
  verb.add_option("--step", a.step,
                  "a run's weights after so many steps; not given: of the step that it keeps, for "
                  "replay its last")
      ->type_name("N");
}

CLI::App* add_verb(CLI::App& app, const char* name, const char* help, Arguments& a) {
  CLI::App* verb = app.add_subcommand(name, help);
  verb->add_option("CONFIG", a.config, "a run's YAML file")->required();
  add_overrides(*verb, a, "settings laid over the file's: optimizer.epsilon=1e-3");
  return verb;
}

CLI::App* add_verb_of_run(CLI::App& app, const char* name, const char* help, Arguments& a,
                          const char* path, const char* about_path) {
  CLI::App* verb = app.add_subcommand(name, help);
  verb->add_option("RUN", a.config, "a run folder, or a trajectory.mezo")->required();
  if (path) verb->add_option(path, a.path, about_path)->required();
  add_overrides(*verb, a, "where the base model lies by now: model.path=…");
  add_step(*verb, a);
  return verb;
}

CLI::App* add_verb_of_model(CLI::App& app, const char* name, const char* help, Arguments& a) {
  CLI::App* verb = app.add_subcommand(name, help);
  verb->add_option("MODEL|RUN", a.config, "a model folder, a .gguf file or a run folder")
      ->required();
  add_overrides(*verb, a, "generation.max_new_tokens=50, task.file=sst2, peft.adapter=FOLDER …");
  add_step(*verb, a);
  return verb;
}

void refuse_unknown_verb(const CLI::App& app, const std::string& verb) {
  std::vector<std::string> known;
  for (const CLI::App* one : app.get_subcommands([](const CLI::App*) { return true; }))
    known.push_back(one->get_name());
  if (std::find(known.begin(), known.end(), verb) != known.end()) return;
  throw ConfigError(fmt::format("mezo: unknown verb {}{} (known: {})", shown(verb),
                                did_you_mean(verb, known), fmt::join(known, ", ")));
}

int say_parsed(const CLI::App& app, const CLI::ParseError& e, Console& console) {
  std::ostringstream out, err;
  const int code = app.exit(e, out, err);
  console.out(out.str());
  console.err(err.str());
  return code == 0 ? 0 : 2;
}

}  // namespace mezo
