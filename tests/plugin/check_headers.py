"""Headers for authors of plugins: each compiles alone, without a warning, and includes of this project only headers that are for
authors too, and nothing of Boost, yaml-cpp, fmt or nlohmann_json.

  check_headers.py ROOT COMPILER INCLUDE[;INCLUDE…] HEADER…
"""

import concurrent.futures
import re
import subprocess
import sys
from pathlib import Path

FOREIGN = re.compile(r"/(boost|yaml-cpp|nlohmann)/|/fmt/[a-z]+\.h$")


def check(header, root, compiler, includes, allowed):
    """What is wrong with it, a line each."""
    flags = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wno-unused-parameter", "-I", str(root)]
    for folder in includes:
        flags += ["-isystem", folder]
    # A file that includes it: of a header alone gcc would warn of #pragma once.
    done = subprocess.run([compiler, *flags, "-H", "-x", "c++", "-"], input=f'#include "{header}"\n', capture_output=True, text=True)
    entered = {Path(m).resolve() for m in re.findall(r"^\.+ (.*)$", done.stderr, re.M)}
    rest = "\n".join(l for l in done.stderr.splitlines() if not re.match(r"\.+ |Multiple include guards|/[^:]*$", l))
    problems = [f"{header}: {rest}"] if done.returncode or "warning:" in done.stderr else []
    for path in sorted(entered):
        if root / "core" in path.parents and path not in allowed:
            problems.append(f"{header} includes {path.relative_to(root)}, which is no header for authors of plugins")
        torch = any(Path(folder) in path.parents for folder in includes)
        if FOREIGN.search(str(path)) and not torch:
            problems.append(f"{header} includes {path}")
    return problems


def main():
    root, compiler, includes = Path(sys.argv[1]).resolve(), sys.argv[2], [f for f in sys.argv[3].split(";") if f]
    headers = [Path(h).resolve() for h in sys.argv[4:]]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda h: check(h, root, compiler, includes, set(headers)), headers)
        problems = [p for one in found for p in one]
    print("\n".join(problems) or f"{len(headers)} headers compile alone")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
