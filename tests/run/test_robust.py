"""What is fed to mezo cannot crash it, hang it or garble the terminal: every such file ends with the exit code of its kind and names the file.

MEZO_KILLS=100 in the environment kills exports so many times; otherwise twice, or ten times with MEZO_LONG_TESTS=1.
"""

import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import time

import cli

KILLS = int(os.environ.get("MEZO_KILLS", "10" if cli.LONG else "2"))
DEEP = "[" * 60000 + "]" * 60000


class Files(cli.Case):
    MODEL_FILES = ["config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "generation_config.json"]

    def setUp(self):
        super().setUp()
        self.model = pathlib.Path(shutil.copytree(cli.MODEL, self.folder / "model"))

    def evaluated(self):
        return self.mezo("eval", "run.yaml", "model.path=model", "--overwrite")

    def check(self, result, code, name):
        self.assertEqual(result.code, code, result.err)
        self.assertIn(name, result.err)
        for raw in ("json.exception", "yaml-cpp", "internal error", "filesystem error", "basic_string"):
            self.assertNotIn(raw, result.err)

    def replaced(self, name, some=slice(None)):
        """Each odd thing, or some of them, in the place of a file of the model, one after the other."""
        path = self.model / name
        had = path.read_bytes() if path.exists() else None
        for make in (lambda: path.write_text(DEEP), lambda: path.write_text('{"a": ' + DEEP + "}"), lambda: os.mkfifo(path), path.mkdir,
                     lambda: path.symlink_to(path), lambda: path.symlink_to("/dev/zero"), lambda: path.write_text("{"),
                     lambda: (path.touch(), os.truncate(path, 1 << 31)))[some]:
            if path.exists() or path.is_symlink():
                path.unlink()
            make()
            yield
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            else:
                path.unlink()
            if had is not None:
                path.write_bytes(had)

    def test_json_files_of_a_model(self):
        for name in self.MODEL_FILES:
            if not (self.model / name).exists():
                continue
            for _ in self.replaced(name, slice(None) if name == "config.json" or cli.LONG else slice(1, 5, 3)):
                result = self.evaluated()
                if name == "generation_config.json" and result.code == 0:  # which it need not read
                    continue
                self.check(result, 5, name)

    def test_weights(self):
        for _ in self.replaced("model.safetensors"):
            self.check(self.evaluated(), 5, "model.safetensors")

    def test_configuration_and_task(self):
        for name in ("run.yaml", "toy.yaml"):
            had = (self.folder / name).read_bytes()
            for content in (DEEP, "a: " * 1000 + "1", "- " * 60000 + "a", "{" * 60000, '"' + "x" * 100000, "\x1b[2J: 1\n", "x" * (1 << 21)):
                self.write(name, content)
                self.check(self.mezo("validate", "run.yaml"), 2, name)
            os.remove(self.folder / name)
            os.mkfifo(self.folder / name)
            self.check(self.mezo("validate", "run.yaml"), 2, name)
            os.remove(self.folder / name)
            self.write(name, had)

    def test_data(self):
        path = self.folder / "test.jsonl"
        for make in (lambda: os.mkfifo(path), path.mkdir, lambda: path.symlink_to(path), lambda: path.symlink_to("/dev/zero"),
                     lambda: path.write_bytes(b'{"text": "' + b"x" * (65 << 20))):
            path.unlink()
            make()
            result = self.evaluated()
            self.check(result, 2 if path.is_symlink() and not path.exists() else 4, "test.jsonl")
            path.rmdir() if path.is_dir() else path.unlink()
            path.write_text("{}")

    def test_a_run_folder(self):
        self.run_ok("run", "run.yaml")
        for name, content, code in [("metrics.jsonl", '{"step": 1, "loss": ' + DEEP + "}\n", 6),
                                    ("metrics.jsonl", '{"step": 0, "before": {"accuracy": "x", "loss": 1}}\n', 6),
                                    ("metrics.jsonl", '{"step": 1, "loss": 1, "applied": "no"}\n', 6),
                                    ("timing.jsonl", '{"step": 1, "training_seconds": "soon"}\n', 6),
                                    ("result.json", DEEP, 6), ("result.json", '{"interrupted": false, "requested": 3}', 0),
                                    ("trajectory.mezo", DEEP, 6)]:
            had = (self.folder / "out" / name).read_bytes()
            self.write(f"out/{name}", content)
            result = self.mezo("run", "run.yaml", "--resume", *(["trainer.steps=5"] if name != "result.json" else []))
            if code:
                self.check(result, code, name)
            self.assertEqual(result.code, code, result.err)
            self.write(f"out/{name}", had)
        os.remove(self.folder / "out/trajectory.mezo")
        os.mkfifo(self.folder / "out/trajectory.mezo")
        self.check(self.mezo("replay", "out"), 6, "trajectory.mezo is a pipe")

    def test_an_adapter(self):
        self.run_ok("run", "run.yaml", "peft.type=lora", "output=trained")
        config = self.folder / "trained/adapter/adapter_config.json"
        for make in (lambda: config.write_text(DEEP), lambda: os.mkfifo(config), config.mkdir):
            config.unlink()
            make()
            result = self.mezo("eval", "run.yaml", "--overwrite", "peft.type=lora", "peft.adapter=trained/adapter")
            self.assertIn(result.code, (2, 5), result.err)
            self.check(result, result.code, "adapter_config.json")
            config.rmdir() if config.is_dir() else config.unlink()
            config.write_text("{}")

    def test_a_terminal_gets_no_control_characters_and_no_endless_lines(self):
        odd = "\x1b]0;title\x07\x1b[2J" + "y" * 100000
        config = json.loads((self.model / "config.json").read_text())
        for key, value in (("hidden_act", odd), ("architectures", [odd]), (odd, 1), ("model_type", odd)):
            (self.model / "config.json").write_text(json.dumps({**config, key: value}))
            result = self.evaluated()
            self.assertNotIn("\x1b", result.err + result.out)
            self.assertLess(len(result.err), 20000)
        for arguments in (["validate", odd], [odd], ["validate", "run.yaml", odd], ["validate", "run.yaml", "task.label=" + odd],
                          ["plugins", odd], ["validate", "run.yaml", "output=" + odd]):
            result = self.mezo(*arguments)
            self.assertNotIn("\x1b", result.err + result.out)
            self.assertLess(len(result.err), 20000)


class Ends(cli.Case):
    def test_the_temporary_of_an_export_that_was_killed_goes_with_the_next(self):
        self.run_ok("run", "run.yaml")
        dead = subprocess.Popen(["true"])
        dead.wait()
        gone, ours = self.folder / f".whole.{dead.pid}-0.tmp", self.folder / f".whole.{os.getpid()}-0.tmp"
        for folder in (gone, ours):
            folder.mkdir()
            (folder / "model.safetensors").write_bytes(b"half")
        self.run_ok("export", "out", "whole")
        self.assertEqual((gone.exists(), ours.exists()), (False, True))

    def test_an_export_that_is_killed_leaves_a_whole_folder_or_none(self):
        self.run_ok("run", "run.yaml")
        begin = time.monotonic()
        self.run_ok("export", "out", "once")
        seconds = time.monotonic() - begin
        whole = {path.name: path.read_bytes() for path in (self.folder / "once").iterdir()}
        chance, kills, ended = random.Random(int(os.environ.get("MEZO_SEED", "6"))), 0, 0
        for i in range(KILLS):
            process = self.start("export", "out", f"new{i}")
            time.sleep(chance.uniform(0, 1.1 * seconds))
            process.kill()
            kills += process.wait() == -signal.SIGKILL
            if (self.folder / f"new{i}").exists():
                ended += 1
            else:
                self.run_ok("export", "out", f"new{i}")
            self.assertEqual({path.name: path.read_bytes() for path in (self.folder / f"new{i}").iterdir()}, whole)
            self.assertEqual([path.name for path in self.folder.glob(f".new{i}.*")], [])
            shutil.rmtree(self.folder / f"new{i}")
        print(f"{kills} exports killed; {ended} had written their folder")

    def test_a_hangup_is_an_interruption(self):
        process = self.start_and_wait(self.training, "run", "run.yaml", "trainer.steps=100000")
        process.send_signal(signal.SIGHUP)
        self.assertEqual(process.wait(timeout=60), 6, self.stderr())
        self.assertIs(self.result()["interrupted"], True)

    def test_after_nohup_it_is_none(self):
        with open(self.folder / "stderr", "w") as stderr:
            process = subprocess.Popen([cli.MEZO, "run", "run.yaml", "trainer.steps=300"], cwd=self.folder, env=self.environment(),
                                       stdout=subprocess.DEVNULL, stderr=stderr,
                                       preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        self.wait_for(process, self.training)
        process.send_signal(signal.SIGHUP)
        self.assertEqual(process.wait(timeout=60), 0, self.stderr())

    def compile(self, name, code):
        """A shared library of C; skipped by name where there is no compiler."""
        compiler = shutil.which("cc") or shutil.which("gcc")
        if not compiler:
            self.skipTest("no C compiler")
        self.write(name + ".c", code)
        subprocess.run([compiler, "-shared", "-fPIC", "-o", self.folder / f"mezo_{name}.so", self.folder / (name + ".c")], check=True)
        return f"plugins=[{self.folder}/mezo_{name}.so]"

    def broken(self):
        self.compile("none", "int nothing;\n")
        os.makedirs(self.folder / "more", exist_ok=True)
        (self.folder / "mezo_none.so").rename(self.folder / "more/mezo_none.so")
        return "more"

    def test_a_plugin_that_ends_the_process_is_named(self):
        leaves = self.compile("leaves", "#include <stdlib.h>\n__attribute__((constructor)) static void f(void) { exit(0); }\n")
        self.fails(3, ["validate", "run.yaml", leaves], "mezo_leaves.so: ended the process by calling exit()")
        self.fails(2, ["validate", "run.yaml", "objective.type=mine", "--plugin-path", self.broken()], "no objective is called 'mine'",
                   "broken: ", "mezo_none.so: it exports no function")
        crashes = self.compile("crashes", "__attribute__((constructor)) static void f(void) { *(volatile int*)0 = 1; }\n")
        result = self.mezo("validate", "run.yaml", crashes)
        self.assertEqual(result.code, -signal.SIGSEGV)
        self.assertIn("mezo_crashes.so: the plugin's code crashed the process", result.err)


cli.main()
