"""Damaged inputs of every format that mezo reads: it ends by itself, soon, in little memory, with an exit code of its own and no library's words.

MEZO_MUTATIONS=1000 in the environment tries so many, MEZO_SEED=7 others; otherwise 60, or 600 with MEZO_LONG_TESTS=1.
"""

import os
import pathlib
import random
import resource
import shutil
import subprocess
import sys

import cli
import mutations

COUNT = int(os.environ.get("MEZO_MUTATIONS", "600" if cli.LONG else "60"))
SEED = int(os.environ.get("MEZO_SEED", "1"))
SECONDS = 10
MEMORY = 1 << 30
RAW = ("json.exception", "yaml-cpp", "internal error", "filesystem error", "terminate called", "basic_string", "std::", "Exception raised from", "c10::")


class Damaged(cli.Case):
    def setUp(self):
        super().setUp()
        for name in ("trained", "slow"):
            (self.folder / name).mkdir()
        shutil.copytree(cli.MODEL, self.folder / "model")
        self.old_tokenizer()
        self.write("run.yaml", cli.CONFIG.replace("MODEL", "model"))
        self.write("rows.tsv", "text\tlabel\nI laughed.\t1\nThe plot is dull.\t0\n")
        self.run_ok("run", "run.yaml")
        self.run_ok("run", "run.yaml", "peft.type=lora", "output=lora")
        self.run_ok("run", "run.yaml", "peft.type=prefix", "peft.positions=peft", "output=prefix")
        self.shards()
        self.commands = {
            "run.yaml": ["validate", "run.yaml"], "toy.yaml": ["validate", "run.yaml"], "train.jsonl": ["validate", "run.yaml"],
            "rows.tsv": ["eval", "run.yaml", "task.test=rows.tsv"], "model/config.json": ["eval", "run.yaml"],
            "model/model.safetensors": ["eval", "run.yaml"], "model/tokenizer.json": ["eval", "run.yaml"],
            "model/tokenizer_config.json": ["eval", "run.yaml"], "model/generation_config.json": ["export", "out", "new"],
            "old/vocab.json": ["eval", "run.yaml", "model.path=old"], "old/merges.txt": ["eval", "run.yaml", "model.path=old"],
            "old/special_tokens_map.json": ["eval", "run.yaml", "model.path=old"], "old/added_tokens.json": ["eval", "run.yaml", "model.path=old"],
            "sharded/model.safetensors.index.json": ["eval", "run.yaml", "model.path=sharded"],
            "lora/adapter/adapter_config.json": ["eval", "run.yaml", "peft.type=lora", "peft.adapter=lora/adapter"],
            "lora/adapter/adapter_model.safetensors": ["eval", "run.yaml", "peft.type=lora", "peft.adapter=lora/adapter"],
            "prefix/adapter/adapter_config.json": ["eval", "run.yaml", "peft.type=prefix", "peft.positions=peft", "peft.adapter=prefix/adapter"],
            "prefix/adapter/adapter_model.safetensors": ["run", "run.yaml", "peft.type=prefix", "peft.positions=peft", "peft.adapter=prefix/adapter"],
            "lora/initial.safetensors": ["replay", "lora"], "out/trajectory.mezo": ["replay", "out", "--verify"],
            "out/metrics.jsonl": ["run", "run.yaml", "--resume", "trainer.steps=5"],
            "out/timing.jsonl": ["run", "run.yaml", "--resume", "trainer.steps=5"], "out/result.json": ["run", "run.yaml", "--resume"],
        }
        if self.gguf():
            self.commands["tiny.gguf"] = ["eval", "run.yaml", "model.path=tiny.gguf"]

    def old_tokenizer(self):
        """The model with its tokenizer in the files of older days."""
        import json

        old = self.folder / "old"
        shutil.copytree(self.folder / "model", old)
        model = json.loads((old / "tokenizer.json").read_text())["model"]
        os.remove(old / "tokenizer.json")
        merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
        self.write("old/vocab.json", json.dumps(model["vocab"]))
        self.write("old/merges.txt", "#version: 0.2\n" + "\n".join(merges) + "\n")
        self.write("old/special_tokens_map.json", '{"bos_token": "<|endoftext|>", "eos_token": {"content": "<|endoftext|>", "lstrip": false}}')
        self.write("old/added_tokens.json", "{}")

    def gguf(self):
        """The model as one file, where the packages that write such a file are there."""
        sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "checkpoint"))
        try:
            import tokenizers
            import torch
            import transformers
            from compare_gguf_with_folder import write_gguf
        except ImportError:
            return False
        torch.set_num_threads(1)
        model = transformers.AutoModelForCausalLM.from_pretrained(self.folder / "model", dtype=torch.float32)
        tensors = {name: tensor for name, tensor in model.state_dict().items() if name != "lm_head.weight" or not model.config.tie_word_embeddings}
        tokenizer = tokenizers.Tokenizer.from_file(str(self.folder / "model/tokenizer.json"))
        write_gguf(self.folder / "tiny.gguf", model.config, tensors, tokenizer, False)
        return True

    def shards(self):
        import json

        shutil.copytree(self.folder / "model", self.folder / "sharded")
        data = (self.folder / "model/model.safetensors").read_bytes()
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        (self.folder / "sharded/model.safetensors").rename(self.folder / "sharded/model-00001-of-00001.safetensors")
        names = [name for name in header if name != "__metadata__"]
        self.write("sharded/model.safetensors.index.json", json.dumps({"metadata": {}, "weight_map": dict.fromkeys(names, "model-00001-of-00001.safetensors")}))

    def limited(self):
        resource.setrlimit(resource.RLIMIT_AS, (16 * MEMORY, 16 * MEMORY))  # libraries reserve much that they do not use

    def tried(self, command):
        """The exit code, what was said, the peak memory; a signal's number is negative, and a hang is 'hang'."""
        with open(self.folder / "said", "wb") as said:
            process = subprocess.Popen([cli.MEZO, *command], cwd=self.folder, stdout=said, stderr=said, env=self.environment(), preexec_fn=self.limited)
        try:
            process.wait(timeout=SECONDS * (4 if os.getloadavg()[0] > 4 else 1))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return "hang", "", 0
        said = (self.folder / "said").read_bytes().decode(errors="surrogateescape")
        return process.returncode, said, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10

    def test_damaged_inputs(self):
        chance = random.Random(SEED)
        names = sorted(name for name in self.commands if (self.folder / name).exists())
        whole = {path: path.read_bytes() for path in self.folder.rglob("*") if path.is_file()}
        codes, wrong = {}, []
        for i in range(COUNT):
            name = names[i % len(names)]
            damaged = mutations.mutate(whole[self.folder / name], name, chance)
            (self.folder / name).write_bytes(damaged)
            command = [*self.commands[name], *([] if self.commands[name][0] in ("validate", "replay", "export") or "--resume" in self.commands[name]
                                               else ["output=tried", "--overwrite"])]
            code, said, memory = self.tried(command)
            codes[code] = codes.get(code, 0) + 1
            faults = [f"exit {code}"] * (code not in (0, 2, 3, 4, 5, 6)) + [f"{memory >> 20} MB"] * (memory > MEMORY)
            faults += [raw for raw in RAW if raw in said] + ["control characters"] * any(ord(c) < 32 and c not in "\n\t\r" for c in said)
            if faults or len(said) > 200000:
                kept = pathlib.Path(os.environ.get("MEZO_KEEP", "/nonexistent"))
                if kept.is_dir():
                    (kept / f"{SEED}-{i}-{name.replace('/', '_')}").write_bytes(damaged)
                wrong.append(f"mutation {i} of {name} ({' '.join(command)}): {', '.join(faults)}: {said[-300:]}")
            for path in self.folder.rglob("*"):
                if path.is_file() and path not in whole:
                    path.unlink()
            for path, content in whole.items():
                if not path.exists() or path.stat().st_size != len(content) or path.read_bytes() != content:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(content)
            shutil.rmtree(self.folder / "new", ignore_errors=True)
        print(f"{COUNT} damaged inputs of {len(names)} files: exit codes {dict(sorted(codes.items(), key=str))}")
        self.assertEqual(wrong, [], "\n".join(wrong))


cli.main()
