"""`mezo replay`: a run's weights from its base and its trajectory, and what stands in the way."""

import fractions
import hashlib
import json
import math
import os
import pathlib
import re
import shutil
import struct
import sys

import cli
import trajectory

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "zo"))
import make_goldens  # the directions in plain integers


class Replaying(cli.Case):
    def file(self, output="out"):
        return self.folder / output / "trajectory.mezo"

    def test_a_step_of_it_is_what_a_run_of_so_many_steps_ends_with(self):
        self.run_ok("run", "run.yaml", "trainer.steps=7", "optimizer.weight_decay=0.2")
        self.run_ok("run", "run.yaml", "trainer.steps=3", "optimizer.weight_decay=0.2", "output=short")
        step, sha256 = trajectory.read(self.file("short")).ends[-1]
        self.assertEqual(self.run_ok("replay", "out", "--step", "3").out, f"step {step}: sha256 {sha256}\n")
        base = self.run_ok("replay", "out", "--step", "0").out
        self.run_ok("run", "run.yaml", "trainer.steps=0", "output=none")
        self.assertEqual(base, f"step 0: sha256 {trajectory.read(self.file('none')).ends[-1][1]}\n")

    def test_it_needs_nothing_of_the_run_but_the_trajectory_and_the_base(self):
        self.run_ok("run", "run.yaml", f"plugins=[{self.plugin('odd_objectives')}]")
        expected = self.run_ok("replay", "out", "--verify").out
        shutil.move(self.file(), self.folder / "kept.mezo")
        shutil.rmtree(self.folder / "out")
        for name in ("run.yaml", "toy.yaml", "train.jsonl", "test.jsonl"):
            os.remove(self.folder / name)
        self.assertEqual(self.run_ok("replay", "kept.mezo", "--verify").out, expected)
        self.fails(2, ["replay", "kept.mezo", "optimizer.learning_rate=1"], "optimizer.learning_rate: replaying repeats")
        self.fails(2, ["replay", "kept.mezo", "--step", "2", "optimizer.x=1", "nonsense"], "argument 6")

    def test_the_objective_and_its_plugin_may_be_gone(self):
        plugin = shutil.copy(self.plugin("odd_objectives"), self.folder / "mezo_mine.so")
        self.run_ok("run", "run.yaml", f"plugins=[{plugin}]", "objective.type=spread")
        expected = self.run_ok("replay", "out", "--verify").out
        os.remove(plugin)
        os.remove(self.folder / "toy.yaml")
        self.assertEqual(self.run_ok("replay", "out", "--verify").out, expected)
        self.run_ok("export", "out", "exported")

    def test_what_can_be_given_is_said(self):
        self.run_ok("run", "run.yaml")
        self.fails(2, ["replay", "out", "task.train=other.jsonl"],
                   "task.train: replaying repeats what was done; only plugins, model.path, model.device, peft.adapter can be given")

    def test_threads_do_not_matter(self):
        environment = self.environment()
        for types in ([], ["optimizer.storage=bfloat16+8"], ["optimizer.storage=bfloat16", "model.dtype=bfloat16"],
                      ["optimizer.storage=float16", "model.dtype=float16", "optimizer.distribution=rademacher"]):
            with self.subTest(types):
                self.environment = lambda: dict(environment, OMP_NUM_THREADS="1")
                self.run_ok("run", "run.yaml", "--overwrite", *types)
                self.environment = lambda: dict(environment, OMP_NUM_THREADS="2")
                self.assertIn("as the run recorded it", self.run_ok("replay", "out", "--verify").out)

    def test_another_hash_than_the_recorded_one_is_an_error(self):
        self.run_ok("run", "run.yaml")
        t = trajectory.read(self.file())
        end, whole = t.records[-1], self.file().read_bytes()
        (before,) = struct.unpack_from("<I", whole, end.offset - 4)
        other = trajectory.record(3, 0, end.payload[:-1] + bytes([end.payload[-1] ^ 1]), before)
        self.file().write_bytes(whole[: end.offset] + other)
        self.run_ok("replay", "out")
        self.fails(6, ["replay", "out", "--verify"], "step 4: the weights have sha256 " + t.ends[0][1], "those of the run had")
        self.fails(6, ["run", "run.yaml", "--resume", "trainer.steps=5"], "nothing was changed")

    def test_what_cannot_be_replayed(self):
        self.run_ok("run", "run.yaml")
        self.fails(6, ["replay", "absent"], "no such run folder: absent")
        self.run_ok("eval", "run.yaml", "output=only")
        self.fails(6, ["replay", "only"], "holds no trajectory.mezo")
        self.fails(6, ["replay", "out", "--step", "5"], "no step 5", "steps 0 to 4")
        self.fails(6, ["replay", "out", "--step", "-1"], "no step -1")
        self.fails(6, ["replay", "out", "--step", "2", "--verify"], "recorded no hash there")
        self.fails(2, ["replay"], "RUN")
        self.fails(2, ["replay", "out", "--step", "x"], "--step")
        self.file().write_bytes(self.file().read_bytes()[:-1])
        result = self.fails(6, ["replay", "out", "--verify"], "43 torn bytes, which are left out", "recorded no hash there")


def to_integer(x):
    """A float32 in units of 2**-149."""
    return int(math.ldexp(x, 149))


def to_float32(n, unit, precision=24):
    """The float32 nearest to n * 2**unit, ties to even; of fewer bits for a smaller precision."""
    size = abs(n)
    drop = max(size.bit_length() - precision, -125 - precision - unit, 0)
    kept, rest, half = size >> drop, size & ((1 << drop) - 1), 1 << drop >> 1
    kept += drop > 0 and (rest > half or (rest == half and kept & 1))
    return math.copysign(math.ldexp(kept, unit + drop), n)


def fma(a, b, c):
    return to_float32(to_integer(a) * to_integer(b) + (to_integer(c) << 149), -298)


def float32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


class Independent(cli.Case):
    """The weights of a run worked out from the documentation: Python's integers, no code of mezo."""

    def setting(self, config, name):
        return re.search(rf"^ +{name}: (\S+)$", config, re.MULTILINE).group(1)

    def updates(self, t):
        """For each step the coefficients of its probes and the decay."""
        config = t.header["config"]
        rate, decay = float(self.setting(config, "learning_rate")), float(self.setting(config, "weight_decay"))
        steps = int(self.setting(config, "steps"))
        clip = math.inf if self.setting(config, "clip") == "none" else float(self.setting(config, "clip"))
        for step, gradients in enumerate(t.steps):
            now = rate * ((steps - step) / steps)  # schedule: linear
            clipped = [min(max(g, -clip), clip) for g in gradients]
            yield step, [float32(now * g / len(gradients)) for g in clipped], float32(now * decay)

    def base(self):
        data = (cli.MODEL / "model.safetensors").read_bytes()
        (length,) = struct.unpack_from("<Q", data)
        for name, about in json.loads(data[8 : 8 + length]).items():
            if name != "__metadata__":
                begin, end = (8 + length + offset for offset in about["data_offsets"])
                self.assertEqual(about["dtype"], "F32")
                yield name, data[begin:end]

    def test_every_weight_is_what_the_documentation_says(self):
        self.run_ok("run", "run.yaml", "trainer.steps=3", "optimizer.probes=2", "optimizer.schedule=linear", "optimizer.weight_decay=0.3",
                    "optimizer.learning_rate=2e-3", "trainer.seed=11", 'peft.exclude=["*.up_proj.*"]')
        t = trajectory.read(self.folder / "out/trajectory.mezo")
        updates, table, lines = list(self.updates(t)), make_goldens.read_table(), []
        self.assertEqual(len(updates), 3)
        tensors = {about["name"]: about for about in t.header["tensors"]}
        for name, data in sorted(self.base()):
            about = tensors[name]
            self.assertEqual(about["sha256"], hashlib.sha256(data).hexdigest())
            if about["trained"]:
                data = self.trained(name, data, len(about["shape"]) > 1, updates, table)
            lines.append(f"{hashlib.sha256(data).hexdigest()}  {name}\n")
        self.assertEqual([about["name"] for about in t.header["tensors"]], sorted(tensors))
        self.assertEqual({name for name in tensors if not tensors[name]["trained"]},
                         {f"model.layers.{i}.mlp.up_proj.weight" for i in (0, 1)})
        self.assertEqual(t.ends, [(3, hashlib.sha256("".join(lines).encode()).hexdigest())])

    def trained(self, name, data, decays, updates, table):
        key = make_goldens.key_of(11, name)
        weights = list(struct.unpack(f"<{len(data) // 4}f", data))
        for i, theta in enumerate(weights):
            for step, coefficients, decay in updates:
                u = 0.0
                for probe, c in enumerate(coefficients):
                    bits = make_goldens.bits_of_z(table, key, step, probe, i)
                    u = fma(c, struct.unpack("<f", struct.pack("<I", bits))[0], u)
                theta = fma(-decay if decays else 0.0, theta, theta)
                theta = to_float32(to_integer(theta) - to_integer(u), -149)
            weights[i] = theta
        return struct.pack(f"<{len(weights)}f", *weights)

    def test_so_is_every_weight_in_16_bits_and_a_half(self):
        self.run_ok("run", "run.yaml", "trainer.steps=2", "optimizer.storage=bfloat16+8", "optimizer.distribution=rademacher",
                    "optimizer.schedule=linear", "optimizer.clip=1e-3", "optimizer.weight_decay=0.3", "trainer.seed=11",
                    'peft.exclude=["*.embed_tokens.*", "*.mlp.*", "*norm*"]')
        t = trajectory.read(self.folder / "out/trajectory.mezo")
        updates, lines = list(self.updates(t)), []
        self.assertEqual([abs(c) for _, (c,), _ in updates], [float32(1e-6), float32(5e-7)])  # both were clipped
        for about, (name, data) in zip(t.header["tensors"], sorted(self.base())):
            kept = data
            if about["storage"] == "bfloat16+8":
                weights = [to_float32(to_integer(w), -149, 16) for w in struct.unpack(f"<{len(data) // 4}f", data)]
                self.assertEqual(about["sha256"], hashlib.sha256(self.words_and_residual(weights)).hexdigest())
                kept = self.words_and_residual(self.trained_by_signs(name, weights, updates) if about["trained"] else weights)
            lines.append(f"{hashlib.sha256(kept).hexdigest()}  {name}\n")
        self.assertEqual(sum(about["trained"] for about in t.header["tensors"]), 8)
        self.assertEqual(t.ends, [(2, hashlib.sha256("".join(lines).encode()).hexdigest())])

    def words_and_residual(self, weights):
        data = struct.pack(f"<{len(weights)}f", *weights)
        words = [data[i + 2 : i + 4] for i in range(0, len(data), 4)]
        return b"".join(words) + data[1::4]

    def trained_by_signs(self, name, weights, updates):
        key, result = make_goldens.key_of(11, name), []
        for i, theta in enumerate(weights):
            for step, (c,), decay in updates:
                u = -c if make_goldens.is_negative(key, step, 0, i) else c
                theta = to_float32(to_integer(fma(-decay, theta, theta)) - to_integer(u), -149)
                kept = make_goldens.BF16_8.rounded(fractions.Fraction(abs(theta)), make_goldens.rounding_draw(key, step, i))
                theta = math.copysign(float(kept), theta)
            result.append(theta)
        return result


cli.main()
