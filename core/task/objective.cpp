#include "core/task/objective.h"

namespace mezo {

Objective::~Objective() = default;

}  // namespace mezo
