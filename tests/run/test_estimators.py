"""The options of the estimate and of the schedule through the command line: each does what its name says."""

import math

import cli


class Estimates(cli.Case):
    def metrics(self, *arguments):
        self.run_ok("run", "run.yaml", "--overwrite", *arguments)
        return self.steps()

    def check_near(self, ours, theirs, loss=1e-5, gradient=2e-3):
        self.assertEqual(len(ours), len(theirs))
        for a, b in zip(ours, theirs):
            self.assertAlmostEqual(a["loss"], b["loss"], delta=loss)
            self.assertEqual(len(a["projected_gradient"]), len(b["projected_gradient"]))
            for g, h in zip(a["projected_gradient"], b["projected_gradient"]):
                self.assertAlmostEqual(g, h, delta=gradient * max(1, abs(h)))

    def test_streams_together_are_turns(self):
        for more in ([], ["optimizer.estimate=one_sided"], ["optimizer.distribution=rademacher"]):
            arguments = ["optimizer.probes=3", *more]
            turns = self.metrics(*arguments)
            self.assertEqual([len(line["projected_gradient"]) for line in turns], [3] * 4)
            self.check_near(self.metrics(*arguments, "optimizer.streams=together"), turns)

    def test_one_sided_is_near_two_sided_and_nearer_with_a_smaller_epsilon(self):
        def difference(epsilon):
            arguments = ["trainer.steps=1", f"optimizer.epsilon={epsilon}", "optimizer.probes=4"]
            two, one = (self.metrics(*arguments, f"optimizer.estimate={e}")[0] for e in ("two_sided", "one_sided"))
            return math.dist(two["projected_gradient"], one["projected_gradient"])
        wide, narrow = difference("4e-3"), difference("1e-3")
        self.assertGreater(wide, 2 * narrow)  # an error of order epsilon
        self.assertGreater(narrow, 0)

    def test_a_clip_holds_steps_back(self):
        free = self.metrics("trainer.steps=2")
        g = abs(free[0]["projected_gradient"][0])
        self.assertEqual(self.metrics("trainer.steps=2", f"optimizer.clip={2 * g}")[0], free[0])
        clipped = self.metrics("trainer.steps=2", f"optimizer.clip={g / 2}")
        self.assertEqual(clipped[0], free[0])  # reported whole
        # The second step starts where half the learning rate would have led.
        half = self.metrics("trainer.steps=2", "optimizer.learning_rate=5e-4")
        self.assertAlmostEqual(clipped[1]["loss"], half[1]["loss"], delta=1e-6)
        self.assertNotAlmostEqual(clipped[1]["loss"], free[1]["loss"], delta=1e-6)

    def test_signs_are_other_directions_than_normals(self):
        gaussian, signs = self.metrics(), self.metrics("optimizer.distribution=rademacher")
        self.assertNotEqual(gaussian[0]["projected_gradient"], signs[0]["projected_gradient"])
        self.assertAlmostEqual(gaussian[0]["loss"], signs[0]["loss"], delta=0.05)  # of the same weights
        self.assertIn("as the run recorded it", self.run_ok("replay", "out", "--verify").out)

    def test_a_micro_batch_changes_no_loss(self):
        for objective in ("cross_entropy", "accuracy", "spread", "answer_tokens"):
            common = [f"objective.type={objective}", f"plugins=[{self.plugin('odd_objectives')}]", "trainer.batch_size=5"]
            whole = self.metrics(*common)
            self.assertTrue(any(line["loss"] for line in whole), objective)
            for size in (1, 2, 5, 9):
                with self.subTest(objective, size=size):
                    self.check_near(self.metrics(*common, f"trainer.micro_batch={size}"), whole)

    def test_an_objective_may_ask_for_the_likelihood_of_each_token(self):
        common = [f"plugins=[{self.plugin('odd_objectives')}]", "objective.type=answer_tokens", "trainer.steps=1",
                  "optimizer.learning_rate=0", "optimizer.epsilon=1e-6", "trainer.batch_size=8"]
        line, = self.metrics(*common, "task.test=train.jsonl")
        scores = [p["scores"][p["label"]] for p in self.lines("out/predictions.jsonl")]
        self.assertAlmostEqual(line["loss"], -sum(scores) / len(scores), delta=1e-4)

    def test_an_objective_of_texts_is_refused_for_a_task_of_options(self):
        self.fails(2, ["run", "run.yaml", f"plugins=[{self.plugin('odd_objectives')}]", "objective.type=texts"],
                   "texts reads generated texts, and the task")

    def test_the_objective_sees_the_whole_batch(self):
        seen = self.metrics("objective.type=examples", f"plugins=[{self.plugin('odd_objectives')}]", "trainer.batch_size=7",
                            "trainer.micro_batch=3")
        self.assertEqual([line["loss"] for line in seen], [7.0] * 4)


class Schedules(cli.Case):
    def rates(self, *arguments):
        self.run_ok("run", "run.yaml", "--overwrite", "trainer.steps=10", "optimizer.learning_rate=1e-4", *arguments)
        return [line["learning_rate"] for line in self.steps()]

    def check(self, rates, shares):
        self.assertEqual(len(rates), len(shares))
        for rate, share in zip(rates, shares):
            self.assertAlmostEqual(rate, 1e-4 * share, delta=1e-16)

    def test_the_learning_rate_of_every_step_is_in_metrics(self):
        rising = [(t + 1) / 4 for t in range(4)]
        falling = [t / 6 for t in range(6)]
        self.check(self.rates(), [1] * 10)
        self.check(self.rates("optimizer.warmup=4"), rising + [1] * 6)
        self.check(self.rates("optimizer.schedule=linear"), [1 - t / 10 for t in range(10)])
        self.check(self.rates("optimizer.schedule=linear", "optimizer.warmup=4"), rising + [1 - t for t in falling])
        self.check(self.rates("optimizer.schedule=cosine", "optimizer.warmup=4"),
                   rising + [(1 + math.cos(math.pi * t)) / 2 for t in falling])
        self.assertIn("as the run recorded it", self.run_ok("replay", "out", "--verify").out)


class Precision(cli.Case):
    def lost(self, *arguments):
        err = self.run_ok("run", "run.yaml", "--overwrite", "trainer.steps=1", *arguments).err
        return [line for line in err.splitlines() if line.startswith("warning: ") and "perturbed" in line]

    def test_a_run_says_at_its_start_when_its_type_loses_the_perturbation(self):
        self.assertEqual(self.lost("model.dtype=bfloat16", "optimizer.storage=bfloat16"), [])
        self.assertEqual(self.lost("optimizer.epsilon=1e-6"), [])  # float32
        (warning,) = self.lost("model.dtype=bfloat16", "optimizer.storage=bfloat16", "optimizer.epsilon=2e-4")
        self.assertIn("15 of 15 matrices are perturbed by other than epsilon z, because bfloat16 rounds it away", warning)
        self.assertRegex(warning, r"self_attn.v_proj.weight 0\.[345]")
        self.assertIn("a larger optimizer.epsilon than 0.0002 helps", warning)

    def test_a_run_of_which_the_type_leaves_nothing_is_refused(self):
        self.fails(2, ["run", "run.yaml", "model.dtype=bfloat16", "optimizer.storage=bfloat16", "optimizer.epsilon=1e-6"],
                   "[optimizer] epsilon: 1e-06 is lost where bfloat16 rounds it away")


cli.main()
