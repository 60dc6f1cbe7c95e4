"""How sequences begin and how long they may be, on an OPT of 24 positions whose tokenizer begins them with token 0."""

import json

import cli

NOTE = "note: sequences are cut to 24 tokens, as the model has no more positions (task.max_length is 2048)"


class Sequences(cli.Case):
    def scores(self, *arguments):
        self.run_ok("eval", "run.yaml", "--overwrite", *arguments)
        return [line["scores"] for line in self.lines("out/predictions.jsonl")]

    def write_long_examples(self, name):
        rows = [{"text": " ".join(cli.TEXTS[i:]), "label": i % 2} for i in range(5)]
        self.write(name, "".join(json.dumps(row) + "\n" for row in rows))

    def test_sequences_longer_than_the_positions_lose_their_beginning_and_a_note_says_so(self):
        for name in ("train.jsonl", "test.jsonl"):
            self.write_long_examples(name)
        self.assertEqual(self.scores(), self.scores("task.max_length=24"))
        self.assertNotEqual(self.scores(), self.scores("task.max_length=16"))
        for verb in ("validate", "eval", "run"):
            self.assertEqual(self.run_ok(verb, "run.yaml", f"output={verb}").err.count(NOTE), 1)
            self.assertNotIn("note:", self.run_ok(verb, "run.yaml", f"output={verb}24", "task.max_length=24").err)
        self.assertEqual(*((self.folder / output / "metrics.jsonl").read_bytes() for output in ("run", "run24")))

    def test_an_option_longer_than_the_positions_is_an_error_of_its_line(self):
        self.write("toy.yaml", 'prompt: "{text}"\noptions: {0: " no", 1: "' + " really" * 30 + '"}\n')
        self.fails(4, ["validate", "run.yaml"], "test.jsonl:1: the prompt leaves no token", "(max_length 24)")

    def test_bos_is_the_token_that_sequences_begin_with(self):
        own = self.scores()
        self.assertEqual(self.scores("task.bos=0"), own)
        self.assertIn("bos: 0\n", (self.folder / "out/config.yaml").read_text())
        other, none = self.scores("task.bos=7"), self.scores("task.bos=none")
        self.assertTrue(own != other != none != own)
        self.assertIn("bos: none\n", (self.folder / "out/config.yaml").read_text())

    def test_config_yaml_states_what_the_tokenizer_said(self):
        self.scores()
        self.assertIn("bos: 0\n", (self.folder / "out/config.yaml").read_text())

    def test_bos_that_is_no_token_is_an_error(self):
        for verb in ("validate", "eval", "run"):
            self.fails(2, [verb, "run.yaml", "task.bos=384"], "[task] bos: expected an id of the tokenizer, 0 to 383, got 384")


cli.main()
