"""SmolLM2 learns to judge film reviews: the quickstart's own configuration, cut to a tenth. Needs what tools/fetch.py fetches."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

mezo, root = sys.argv[1], Path(sys.argv[2])
if not (root / "models/smollm2-135m-instruct-q4_1.gguf").exists() or not (root / "data/movie_reviews/train.jsonl").exists():
    print("skipped: tools/fetch.py has not fetched the model and the reviews")
    sys.exit(77)
with tempfile.TemporaryDirectory() as folder:
    subprocess.run([mezo, "run", root / "configs/experiments/quickstart.yaml", f"output={folder}/out", "trainer.steps=60",
                    "optimizer.schedule=constant", "optimizer.learning_rate=2e-5", f"task.test={root}/data/movie_reviews/dev.jsonl",
                    "task.test_size=200"], check=True)
    result = json.loads(Path(folder, "out/result.json").read_text())
before, after = result["before"]["cross_entropy"], result["after"]["cross_entropy"]
print(f"loss {before:.3f} before, {after:.3f} after 60 steps")
# Zero-shot the loss is about 1.1; updates of zero would leave it there to the last digit, and steps uphill would raise it.
sys.exit(0 if after < before - 0.2 else 1)
