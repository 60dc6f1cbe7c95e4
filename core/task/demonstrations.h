#pragma once
// In-context learning: solved examples that stand before a prompt, so that a model which was not
// trained sees what is asked of it (Brown et al. 2020; the 32 of Malladi et al. 2023). Each is its
// prompt with the right option or the first right answer behind it; a blank line stands after it.
// A sequence that is too long loses its beginning as any other does, hence the first of them, as in
// the MeZO authors' code.

#include <cstdint>
#include <string>
#include <vector>

#include "core/api.h"
#include "core/task/examples.h"
#include "core/task/question.h"
#include "core/task/task.h"
#include "core/text/tokenizer.h"

namespace mezo {

struct Demonstrations {
  std::string text;                  // of all, with the last blank line; "": there are none
  std::vector<std::int64_t> begins;  // of each, how many tokens of the text stand before it

  // How many are whole where `cut` tokens of a sequence's beginning are lost.
  std::int64_t whole(std::int64_t cut) const;
};

// How many of them prompts had room for.
class MEZO_API DemonstrationCount {
 public:
  // Keeps a reference.
  explicit DemonstrationCount(const Demonstrations& of);
  void see(const Question& question);  // one that they stand before
  // "demonstrations: 3 rows of train before every prompt; 1 to 2 of them are whole, …".
  std::string text() const;

 private:
  const Demonstrations& of_;
  std::int64_t least_, most_ = 0;
};

// In the order of `examples`. An answer has a space before it, an option is as the task has it;
// white space at either end of a demonstration is left out. Throws DataError with file:line for a
// missing field, or an example that does not say what is right.
MEZO_API Demonstrations demonstrations_of(const std::vector<Example>& examples, const Task& task,
                                          const Tokenizer& tokenizer, const std::string& path);

}  // namespace mezo
