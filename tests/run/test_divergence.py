"""A run that goes wrong says so, stops, and says how to go back; and what cannot be seen in a loss is not trained on."""

import json
import os

import cli


class Diverging(cli.Case):
    # On the tiny model every answer becomes as likely as another: all losses are log 2, whatever the perturbation.
    COLLAPSE = ["trainer.steps=300", "optimizer.learning_rate=5"]

    def diverged(self, output="out"):
        return [line for line in self.lines(f"{output}/metrics.jsonl") if "diverged" in line]

    def test_a_collapse_stops_the_run_with_the_way_back(self):
        result = self.fails(6, ["run", "run.yaml", *self.COLLAPSE], "the run has diverged at step ", "smaller optimizer.learning_rate",
                            "trainer.guard=off", "mezo export")
        (line,) = self.diverged()
        self.assertIn(f"at step {line['step']}: {line['diverged']}", result.err)
        self.assertIn("no perturbation changed the loss for 100 steps", line["diverged"])
        self.assertIn(f"step {line['last_good']} was last good", result.err)
        self.assertEqual(self.steps()[-1]["step"], line["step"])
        self.assertFalse((self.folder / "out/result.json").exists())

        before = (self.folder / "out/metrics.jsonl").read_bytes()
        self.fails(6, ["run", "run.yaml", *self.COLLAPSE, "--resume"], f"the run has diverged at step {line['step']}")
        self.assertEqual((self.folder / "out/metrics.jsonl").read_bytes(), before)

        warning = f"the run has diverged at step {line['step']}"
        self.assertIn(warning, self.run_ok("export", "out", "last").err)
        self.assertIn(warning, self.run_ok("replay", "out").err)
        self.assertNotIn(warning, self.run_ok("export", "out", "good", "--step", line["last_good"]).err)
        self.run_ok("eval", "run.yaml", "model.path=good", "output=evaluated")

    def test_going_on_with_more_steps_judges_anew(self):
        self.fails(6, ["run", "run.yaml", *self.COLLAPSE])
        expected = self.diverged()
        self.run_ok("run", "run.yaml", "--overwrite", *self.COLLAPSE, "trainer.steps=70", "optimizer.schedule=constant")
        self.fails(6, ["run", "run.yaml", "--resume", *self.COLLAPSE])
        self.assertEqual([line["step"] >= expected[0]["step"] for line in self.diverged()], [True])

    def test_with_the_guard_off_it_goes_on_and_says_so(self):
        result = self.run_ok("run", "run.yaml", *self.COLLAPSE, "trainer.guard=off")
        self.assertIn("warning: step ", result.err)
        self.assertIn("the run has diverged", result.err)
        self.assertEqual((len(self.diverged()), self.result()["steps"]), (1, 300))

    def test_a_loss_that_stays_not_finite_ends_the_run_with_advice_and_keeps_the_metrics(self):
        arguments = ["run", "run.yaml", f"plugins=[{self.plugin('odd_objectives')}]", "objective.type=not_a_number", "trainer.steps=50",
                     "trainer.log_every=20"]
        self.fails(6, arguments, "at step 10: the loss was not finite for 10 steps in a row", "learning_rate")
        lines = self.steps()
        self.assertEqual([line["step"] for line in lines], list(range(1, 11)))
        self.assertTrue(all(line["applied"] is False for line in lines))
        self.assertFalse((self.folder / "out/result.json").exists())

    def test_a_short_run_that_changed_nothing_is_no_success(self):
        arguments = [f"plugins=[{self.plugin('odd_objectives')}]", "objective.type=not_a_number", "trainer.steps=5"]
        result = self.mezo("run", "run.yaml", *arguments)
        self.assertEqual(result.code, 6)
        self.assertIn("none of the 5 steps changed anything", result.err)
        self.assertEqual((self.result()["steps"], self.result()["steps_not_applied"]), (5, 5))
        self.assertEqual(self.result()["before"], self.result()["after"])

    def test_steps_that_were_not_applied_are_counted_over_resumes(self):
        odd = [f"plugins=[{self.plugin('odd_objectives')}]"]
        self.mezo("run", "run.yaml", *odd, "objective.type=not_a_number", "trainer.steps=3")
        self.run_ok("run", "run.yaml", *odd, "--resume", "trainer.steps=7")
        self.assertEqual((self.result()["steps"], self.result()["steps_not_applied"]), (7, 3))

    def test_16_bits_that_overflow_are_not_blamed_on_the_learning_rate(self):
        arguments = [f"plugins=[{self.plugin('odd_objectives')}]", "objective.type=not_a_number", "trainer.steps=50", "model.dtype=float16"]
        result = self.fails(6, ["run", "run.yaml", *arguments], "16 bits", "model.dtype=float32")
        self.assertNotIn("learning_rate (", result.err)


class Unseen(cli.Case):
    def test_an_epsilon_that_the_weights_lose_is_refused(self):
        self.fails(2, ["run", "run.yaml", "optimizer.epsilon=1e-12"], "[optimizer] epsilon: 1e-12 is lost where float32 rounds it away")
        self.assertFalse(os.path.exists(self.folder / "out/trajectory.mezo"))

    def test_an_epsilon_that_the_loss_loses_is_warned_of(self):
        err = self.run_ok("run", "run.yaml", "optimizer.epsilon=1e-8", "trainer.steps=12").err
        self.assertIn("warning: the losses of a step differ by", err)
        self.assertIn("a larger optimizer.epsilon than 1e-08 helps", err)
        self.assertNotIn("warning: ", self.run_ok("run", "run.yaml", "--overwrite", "trainer.steps=12").err)

    def test_the_config_of_a_run_folder_evaluates_its_base_and_says_so(self):
        self.run_ok("run", "run.yaml")
        self.assertIn("this evaluates the base model", self.run_ok("eval", "out/config.yaml", "output=again").err)


class Prompts(cli.Case):
    def test_numbers_keep_their_digits(self):
        rows = ['{"text": 123456789012345678901234567890, "label": 0}', '{"text": 1.10, "label": 1}', '{"text": 1e3, "label": 1.0}']
        self.write("test.jsonl", rows[0] + "\n" + rows[1] + "\n")
        as_numbers = self.scores()
        self.write("test.jsonl", "".join(json.dumps({"text": text, "label": label}) + "\n"
                                         for text, label in (("123456789012345678901234567890", 0), ("1.10", 1))))
        self.assertEqual(as_numbers, self.scores())
        self.write("test.jsonl", rows[2] + "\n")
        self.fails(4, ["eval", "run.yaml", "--overwrite"], "test.jsonl:1: ", "label is '1.0'")

    def scores(self):
        self.run_ok("eval", "run.yaml", "--overwrite")
        return (self.folder / "out/predictions.jsonl").read_bytes()

    def test_what_is_wrong_with_a_row(self):
        for row, message in [('{"text": "a", "text": "b", "label": 0}', "the field 'text' stands there twice"),
                             ("[1]", "expected one JSON object a line, got array"), ("3", "expected one JSON object a line, got number"),
                             ('{"a": ' + "[" * 60000 + "]" * 60000 + "}", "nested more than 32 deep")]:
            self.write("test.jsonl", row + "\n")
            self.fails(4, ["eval", "run.yaml"], "test.jsonl:1: " + message)

    def test_an_option_is_a_template_and_begins_with_its_space(self):
        self.write("toy.yaml", cli.TASK.replace(" great", " {txt}"))
        self.fails(4, ["validate", "run.yaml"], "the field 'txt'", "did you mean 'text'?", "toy.yaml")
        self.write("toy.yaml", cli.TASK.replace(" great", " {text"))
        self.fails(2, ["validate", "run.yaml"], "toy.yaml:2:", "'{' is not closed")
        self.write("toy.yaml", cli.TASK.replace(" great", "great"))
        self.assertIn("warning: ", err := self.run_ok("validate", "run.yaml").err)
        self.assertIn("the option 'great' follows the prompt without a space", err)


cli.main()
