#pragma once
// A model that was split into several GGUF files (llama-gguf-split, or a converter with a limit of
// size): NAME-00001-of-00003.gguf has the metadata, each has some of the tensors. Used by
// load_gguf() once one of the files says that it is such a part.

#include <filesystem>

#include "core/io/gguf.h"

namespace mezo {

// All parts of the model that `part`, read from `path`, is one of: the tensors of all, the metadata
// of the first; `part` itself where nothing is split. ModelError, naming the file, where one is not
// called as parts are, is missing, says otherwise than its name which of how many it is, has a key
// that the first has not or otherwise, and where together they have not as many tensors as each
// says.
GgufFile with_other_parts(GgufFile part, const std::filesystem::path& path);

}  // namespace mezo
