#!/usr/bin/env python3
"""What loading a model costs: seconds, GB/s, and the host's memory beyond the page cache.

    tools/bench_load.py MODEL [--mezo PATH] [--device cpu|cuda] [--dtype bfloat16] [--folder F]

MODEL as tools/bench_answers.py has it. `mezo eval` scores four short rows, after the files have left the page cache (as root) and again
with them in it. Host memory is the peak of RssAnon + RssShmem of /proc/PID/status, read every 10 ms; GB/s is the files' size over the
time of the whole command without its scoring: the start of the program and of the GPU, tokenizer and weights' hashes are in it.
"""

import argparse
import json
import pathlib
import subprocess
import tempfile
import time

import torch

from bench_answers import random_model


def host_bytes(pid):
    kilobytes = 0
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(("RssAnon:", "RssShmem:")):
            kilobytes += int(line.split()[1])
    return kilobytes * 1024


def measured(command, folder):
    peak, start = 0, time.perf_counter()
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        while run.poll() is None:
            try:
                peak = max(peak, host_bytes(run.pid))
            except (FileNotFoundError, ProcessLookupError):
                break
            time.sleep(0.01)
        said = run.stdout.read()
    assert run.returncode == 0, said
    return time.perf_counter() - start, peak, said


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--mezo", default=pathlib.Path(__file__).resolve().parent.parent / "build/release/bin/mezo", type=pathlib.Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="bfloat16")
    parser.add_argument("--folder", type=pathlib.Path)
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        path = pathlib.Path(a.model).absolute()
        if a.model.startswith("random:"):
            path = (a.folder or folder / "model").absolute()
            if not (path / "config.json").exists():
                random_model(a.model.removeprefix("random:"), path, getattr(torch, a.dtype), a.device)
        files = list(path.glob("*.safetensors"))
        size = sum(f.stat().st_size for f in files)
        (folder / "rows.jsonl").write_text("".join(json.dumps({"text": f"w{i}", "label": 0}) + "\n" for i in range(2000, 2004)))
        (folder / "task.yaml").write_text('prompt: "{text}"\noptions: {0: " w7", 1: " w8"}\n')
        (folder / "eval.yaml").write_text(json.dumps({"model": {"path": str(path)}, "output": "out",
                                                      "task": {"file": "task.yaml", "test": "rows.jsonl", "test_size": "all"}}))
        command = [a.mezo.absolute(), "eval", "eval.yaml", "--overwrite", f"model.device={a.device}", f"model.dtype={a.dtype}"]
        print(f"{a.model}: {len(files)} files, {size / 1e9:.2f} GB, {a.device}", flush=True)
        for name in ("not in the page cache", "in the page cache"):
            if name.startswith("not"):
                subprocess.run(["sync"], check=True)
                pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")
            seconds, peak, said = measured(command, folder)
            result = json.loads((folder / "out/result.json").read_text())
            load = seconds - result["seconds"]
            print(f"{name}: {seconds:.1f} s, of which {load:.1f} before scoring: {size / load / 1e9:.2f} GB/s; host memory at most "
                  f"{peak / 1e9:.2f} GB", flush=True)


if __name__ == "__main__":
    main()
