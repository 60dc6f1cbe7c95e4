"""Every mistake of a user ends with the exit code of its kind and a message that says where it is."""

import os
import pathlib
import re
import resource
import shutil
import unittest

import cli


class Settings(cli.Case):
    # key, value, what the message says
    WRONG = [
        ("model.path", "[a]", "model.path must be a path"),
        ("model.path", "nowhere", "no such file"),
        ("model.type", "lama", "did you mean 'llama'?"),
        ("model.dtype", "float33", "did you mean 'float32'?"),
        ("model.dtype", "bfloat16+8", "model.dtype cannot be 'bfloat16+8'"),
        ("model.device", "gpu", "model.device cannot be 'gpu'"),
        ("peft.type", "ful", "did you mean 'full'?"),
        ("objective.type", "acuracy", "did you mean 'accuracy'?"),
        ("task.file", "sst", "did you mean 'sst2'?"),
        ("task.file", "absent.yaml", "absent.yaml"),
        ("task.train", "absent.jsonl", "no such file"),
        ("task.dev", "absent.jsonl", "no such file"),
        ("task.test", "absent.jsonl", "no such file"),
        ("task.train_size", "0", "task.train_size >= 1"),
        ("task.dev_size", "many", "task.dev_size"),
        ("task.test_size", "1.5", "task.test_size"),
        ("task.split_seed", "-1", "task.split_seed >= 0"),
        ("task.max_length", "1", "task.max_length"),
        ("task.bos", "-1", "0 <= task.bos"),
        ("task.bos", "</s>", "task.bos"),
        ("optimizer.learning_rate", "-1", "0 <= optimizer.learning_rate <= 1000000"),
        ("optimizer.learning_rate", "fast", "optimizer.learning_rate"),
        ("optimizer.epsilon", "0", "1e-12 <= optimizer.epsilon"),
        ("optimizer.weight_decay", "-1", "0 <= optimizer.weight_decay"),
        ("optimizer.probes", "0", "optimizer.probes"),
        ("optimizer.probes", "1.5", "optimizer.probes"),
        ("optimizer.distribution", "gausian", "did you mean 'gaussian'?"),
        ("optimizer.estimate", "onesided", "did you mean 'one_sided'?"),
        ("optimizer.streams", "both", "optimizer.streams cannot be 'both'"),
        ("optimizer.clip", "0", "0 < optimizer.clip"),
        ("optimizer.clip", "-1", "0 < optimizer.clip"),
        ("optimizer.clip", "off", "optimizer.clip"),
        ("optimizer.schedule", "exponential", "optimizer.schedule cannot be 'exponential'"),
        ("optimizer.schedule", "cosin", "did you mean 'cosine'?"),
        ("optimizer.warmup", "-1", "0 <= optimizer.warmup"),
        ("optimizer.warmup", "0.1", "optimizer.warmup"),
        ("optimizer.storage", "float8", "optimizer.storage cannot be 'float8'"),
        ("optimizer.storage", "bfloat16+16", "did you mean 'bfloat16+8'?"),
        ("trainer.steps", "-1", "trainer.steps"),
        ("trainer.steps", "4294967296", "trainer.steps"),
        ("trainer.batch_size", "0", "trainer.batch_size"),
        ("trainer.micro_batch", "0", "1 <= trainer.micro_batch"),
        ("trainer.micro_batch", "half", "trainer.micro_batch"),
        ("trainer.eval_every", "-1", "trainer.eval_every >= 0"),
        ("trainer.log_every", "0", "trainer.log_every >= 1"),
        ("trainer.flush_every", "0", "trainer.flush_every"),
        ("trainer.seed", "-1", "trainer.seed >= 0"),
        ("trainer.seed", "'1'", "trainer.seed"),
        ("output", "", "output"),
        ("optimizer.epsilion", "1", "did you mean 'epsilon'?"),
        ("trainer.batchsize", "1", "did you mean 'batch_size'?"),
        ("model.paht", "x", "did you mean 'path'?"),
        ("peft.rank", "8", "unknown key 'rank'"),
        ("objective.x", "1", "unknown key 'x'"),
        ("task.trian", "x", "did you mean 'train'?"),
        ("optimiser.epsilon", "1", "did you mean 'optimizer'?"),
        ("outputs", "x", "did you mean 'output'?"),
    ]

    # What hides other settings, or which settings there are, is given alone.
    ALONE = ("model.type", "peft.type", "objective.type", "task.file", "output", "optimiser.epsilon", "outputs")

    def groups(self):
        """The rows of WRONG, as many a time as have keys of their own: all mistakes are reported at once, and a process takes long to start."""
        groups = []
        for row in self.WRONG:
            group = None
            if row[0] not in self.ALONE:
                group = next((g for g in groups if g[0][0] not in self.ALONE and all(other[0] != row[0] for other in g)), None)
            if group is None:
                groups.append(group := [])
            group.append(row)
        return groups

    def check_errors(self, err, expected):
        """One error for each (place, message): in one line, and none beside them."""
        heads = re.findall(r"^(?:argument|\S+:\d+:).*", err, flags=re.M)
        for place, message in expected:
            self.assertTrue(any(place in head and message in head for head in heads), f"{place} {message}\n{err}")
        count = len(expected)
        self.assertIn(f"{count} error\n" if count == 1 else f"{count} errors\n", err)

    def test_a_wrong_override_is_named_by_its_argument(self):
        for group in self.groups():
            with self.subTest(group):
                err = self.fails(2, ["validate", "run.yaml", *(f"{key}={value}" for key, value, _ in group)]).err
                self.check_errors(err, [(f"argument {i}:", message) for i, (_, _, message) in enumerate(group, 3)])

    def test_a_wrong_line_of_a_file_is_named_by_line_and_column(self):
        for group in self.groups():
            with self.subTest(group):
                lines, expected = ["extends: run.yaml"], []
                for block in dict.fromkeys(key.rpartition(".")[0] for key, _, _ in group):
                    lines += [f"{block}:"] if block else []
                    for key, value, message in group:
                        if key.rpartition(".")[0] != block:
                            continue
                        indent = "  " if block else ""
                        lines.append(f"{indent}{key.rpartition('.')[2]}: {value or chr(39) * 2}")
                        place = len(lines) - (block == "optimiser")
                        expected.append((f"wrong.yaml:{place}:", message))
                self.write("wrong.yaml", "\n".join(lines) + "\n")
                err = self.fails(2, ["validate", "wrong.yaml"]).err
                self.check_errors(err, expected)
                self.assertGreaterEqual(err.count("^"), len(group))

    def test_everything_wrong_is_reported_at_once_and_the_task_file_with_it(self):
        self.write("toy.yaml", "promt: x\noptions: {0: a}\n")
        self.write("run.yaml", "model: {}\npeft: {type: ful}\ntask: {file: toy.yaml, train: no.jsonl}\noptimizer: {epsilion: 1}\n")
        self.fails(2, ["run", "run.yaml", "trainer.steps=x"], "run.yaml:1:8: ", "run.yaml:2:14: ", "run.yaml:3:31: ", "run.yaml:4:13: ",
                   "toy.yaml:1:1: ", "toy.yaml:2:10: ", "argument 3:", "output", "9 errors")

    def test_an_argument_keeps_its_place_wherever_options_stand(self):
        folder = self.folder / "a=b"
        folder.mkdir()
        wrong = "optimizer.probes=x"
        self.fails(2, ["validate", "--plugin-path", folder, "run.yaml", wrong], "argument 5")
        self.fails(2, ["validate", "run.yaml", "--plugin-path", folder, wrong], "argument 5")
        self.fails(2, ["validate", "run.yaml", f"--plugin-path={folder}", wrong], "argument 4")
        self.fails(2, ["validate", "run.yaml", wrong, "--plugin-path", folder], "argument 3")
        self.fails(2, ["run", "run.yaml", "trainer.seed=1", "--overwrite", "trainer.seed=2", wrong], "argument 6")
        self.fails(2, ["validate", "run.yaml", "optimizer.probes=1", wrong, wrong], "argument 5")
        self.fails(2, ["validate", "--plugin-path", "trainer.seed=x", "run.yaml", "trainer.seed=x"], "argument 5")

    def test_more_streams_than_one_pass_writes_are_refused_together_and_taken_in_turns(self):
        for estimate, most in (("two_sided", 32), ("one_sided", 63)):
            settings = ["validate", "run.yaml", f"optimizer.estimate={estimate}", "optimizer.streams=together"]
            self.run_ok(*settings, f"optimizer.probes={most}")
            err = self.fails(2, [*settings, f"optimizer.probes={most + 1}"], "argument 5", "together takes at most 64 streams",
                             f"of {most + 1} probes").err
            self.assertIn("1 error\n", err)
            self.run_ok(*settings, f"optimizer.probes={most + 1}", "optimizer.streams=turns")

    def test_repeated_overrides_take_the_last(self):
        out = self.run_ok("validate", "run.yaml", "optimizer.learning_rate=5", "optimizer.learning_rate=0.5").out
        self.assertIn("learning rate 0.5", out)

    def test_no_output_is_an_error(self):
        text = (self.folder / "run.yaml").read_text()
        self.write("run.yaml", text.replace("output: out\n", ""))
        for verb in ("run", "eval", "validate"):
            self.fails(2, [verb, "run.yaml"], "required setting output is missing")

    def test_a_run_needs_train_and_something_to_measure_on(self):
        self.write("run.yaml", f"model: {{path: {cli.MODEL}}}\ntask: {{file: toy.yaml, test: test.jsonl}}\noutput: out\n")
        self.fails(2, ["run", "run.yaml"], "train")
        self.run_ok("validate", "run.yaml")
        self.write("run.yaml", f"model: {{path: {cli.MODEL}}}\ntask: {{file: toy.yaml, train: train.jsonl}}\noutput: out\n")
        for verb in ("run", "eval", "validate"):
            self.fails(2, [verb, "run.yaml"], "neither test nor dev")
        self.assertFalse((self.folder / "out").exists())

    def test_a_configuration_that_is_not_there(self):
        self.fails(2, ["run", "absent.yaml"], "absent.yaml")
        self.fails(2, ["run", "."], "folder")


class Verbs(cli.Case):
    def test_help_and_version_go_to_stdout(self):
        for arguments in (["--help"], ["run", "--help"], ["eval", "--help"], ["validate", "--help"], ["plugins", "--help"], ["--version"]):
            result = self.run_ok(*arguments)
            self.assertEqual(result.err, "", arguments)
            self.assertIn("mezo" if len(arguments) == 1 else arguments[0], result.out)

    def test_a_command_line_that_cannot_be_read(self):
        self.fails(2, [])
        self.fails(2, ["validat", "run.yaml"], "unknown verb 'validat'; did you mean 'validate'?")
        self.fails(2, ["run"], "CONFIG")
        self.fails(2, ["run", "run.yaml", "--overwite"], "--overwite")
        self.fails(2, ["run", "run.yaml", "nonsense"], "argument 3")

    def test_stdout_that_is_full(self):
        with open("/dev/full", "w") as full:
            import subprocess
            done = subprocess.run([cli.MEZO, "plugins"], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("stdout", done.stderr)


class Plugins(cli.Case):
    def test_a_plugin_that_cannot_be_used(self):
        self.write("mezo_text.so", "no library\n")
        self.fails(3, ["validate", "run.yaml", "plugins=[./mezo_text.so]"], "mezo_text.so")
        self.fails(3, ["validate", "run.yaml", "plugins=[./mezo_absent.so]"], "mezo_absent.so")
        self.fails(3, ["validate", "run.yaml", "plugins=[lamma]"], "did you mean")
        self.fails(3, ["plugins", "lamma"], "lamma")

    def test_an_objective_that_misbehaves_is_named_with_its_plugin(self):
        named = f"plugins=[{self.plugin('odd_objectives')}]"
        for objective, message in {"wrong_shape": "shape [2]", "no_tensor": "no tensor", "throwing": "no luck today",
                                   "throwing_torch": "while computing value()", "integers_of_streams": None}.items():
            arguments = ["run", "run.yaml", named, f"objective.type={objective}", f"output={objective}"]
            if message is None:
                self.run_ok(*arguments)
                continue
            self.fails(3, arguments, objective, "mezo_odd_objectives.so", message)
            self.assertFalse((self.folder / objective / "result.json").exists())


class Data(cli.Case):
    def test_all_bad_lines_of_all_files_are_found_without_a_run(self):
        self.write("train.jsonl", '{"text": "a", "label": 1}\n{"text": "a", "label": 3}\nnonsense\n')
        self.write("test.jsonl", '{"txt": "a", "label": 1}\n{"text": "a"}\n')
        for verb in ("validate", "run"):
            err = self.fails(4, [verb, "run.yaml"], "train.jsonl:3:", "test.jsonl:1: ", "did you mean 'txt'?", "test.jsonl:2: ").err
            self.assertNotIn("model:", err)  # found before the weights were read
        self.write("train.jsonl", '{"text": "a", "label": 1}\n{"text": "a", "label": 3}\n')
        self.fails(4, ["validate", "run.yaml"], "train.jsonl:2: label is '3', but the task has options for 0, 1")

    def test_files_that_hold_no_examples(self):
        self.write("empty.jsonl", "")
        (self.folder / "d.jsonl").mkdir()
        self.write("bytes.tsv", b"text\tlabel\n\xff\t1\n")
        self.fails(4, ["run", "run.yaml", "task.train=empty.jsonl"], "empty.jsonl: holds no examples")
        self.fails(4, ["run", "run.yaml", "task.train=d.jsonl"], "is a folder")
        self.fails(4, ["run", "run.yaml", "task.train=bytes.tsv"], "bytes.tsv:2:1: not UTF-8")
        self.fails(4, ["run", "run.yaml", "task.train=toy.yaml"], "expected a .jsonl or .tsv file")


class Models(cli.Case):
    def model(self):
        return pathlib.Path(shutil.copytree(cli.MODEL, self.folder / "model"))

    def test_a_model_that_cannot_be_used(self):
        model = self.model()
        weights = (model / "model.safetensors").read_bytes()
        arguments = lambda verb: [verb, "run.yaml", "model.path=model"]
        for verb in ("validate", "run", "eval"):
            (model / "model.safetensors").write_bytes(weights[:-100])
            self.fails(5, arguments(verb), "model.safetensors")
            (model / "model.safetensors").write_bytes(weights[:10])
            self.fails(5, arguments(verb), "model.safetensors")
            (model / "model.safetensors").unlink()
            self.fails(5, arguments(verb), "model")
            (model / "model.safetensors").write_bytes(weights)
            (model / "tokenizer.json").rename(model / "t")
            self.fails(5, arguments(verb), "tokenizer")
            (model / "t").rename(model / "tokenizer.json")
        config = (model / "config.json").read_text()
        (model / "config.json").write_text(config.replace('"hidden_size": 32', '"hidden_size": 48'))
        self.fails(5, arguments("validate"), "shape")
        (model / "config.json").write_text(config.replace('"num_hidden_layers": 2', '"num_hidden_layers": 3'))
        self.fails(5, arguments("validate"), "model.layers.2.")
        (model / "config.json").write_text(config[:100])
        self.fails(5, arguments("validate"), "config.json")
        (model / "config.json").unlink()
        self.fails(5, arguments("validate"), "config.json")

    def test_paths_that_are_no_model(self):
        self.write("a.gguf", b"GGUF\x03\0\0\0")
        self.write("b.gguf", b"")
        self.write("c.bin", b"x")
        for name in ("a.gguf", "b.gguf", "c.bin"):
            self.fails(5, ["validate", "run.yaml", f"model.path={name}"], name)


class Devices(cli.Case):
    def environment(self):
        return dict(super().environment(), CUDA_VISIBLE_DEVICES="")  # hides what GPUs there may be

    def test_a_gpu_that_is_not_there_is_refused_with_the_reason(self):
        for verb in ("run", "eval"):
            err = self.fails(6, [verb, "run.yaml", "model.device=cuda"], "[model.device] cuda cannot be used: ").err
            self.assertRegex(err, r"cannot be used: (this mezo was built without CUDA|the CUDA library|.*(driver|device|GPU))")
        self.assertFalse((self.folder / "out/config.yaml").exists())
        self.run_ok("run", "run.yaml", "model.device=auto")
        self.fails(6, ["replay", "out", "model.device=cuda"], "[model.device] cuda cannot be used: ")
        self.run_ok("validate", "run.yaml", "model.device=cuda")  # where it is written may not be where it runs


class Output(cli.Case):
    def test_an_output_that_cannot_be_written(self):
        self.write("file", "precious")
        self.fails(6, ["run", "run.yaml", "output=file"], "[output]", "file")
        self.fails(6, ["run", "run.yaml", "output=file/below"], "[output]", "file/below")
        self.assertEqual((self.folder / "file").read_text(), "precious")
        self.fails(6, ["run", "run.yaml", "output=/proc/mezo"], "[output]")

    @unittest.skipIf(os.geteuid() == 0, "skipped: root may write everywhere")
    def test_a_read_only_folder(self):
        (self.folder / "out").mkdir(mode=0o555)
        self.fails(6, ["run", "run.yaml"], "out")

    def test_a_disk_that_fills_up_keeps_whole_lines_and_says_so(self):
        def limit():
            import signal
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000))
        result = self.mezo("run", "run.yaml", "trainer.steps=200", preexec_fn=limit)
        self.assertEqual(result.code, 6, result.err)
        self.assertIn("metrics.jsonl", result.err)
        self.assertGreater(len(self.lines("out/metrics.jsonl")), 3)

    def test_a_run_that_cannot_start_takes_nothing_from_an_earlier_one(self):
        self.run_ok("run", "run.yaml")
        before = {p.name: p.read_bytes() for p in (self.folder / "out").iterdir()}
        self.write("test.jsonl", "nonsense\n")
        self.fails(4, ["run", "run.yaml", "--overwrite"])
        self.fails(2, ["run", "run.yaml", "--overwrite", "trainer.steps=x"])
        self.assertEqual({p.name: p.read_bytes() for p in (self.folder / "out").iterdir()}, before)


cli.main()
