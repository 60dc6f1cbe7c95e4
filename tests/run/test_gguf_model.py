"""The real model of the quickstart, a GGUF file: checked in a moment, and refused when it is damaged."""

import time

import cli


class Gguf(cli.Case):
    def test_validate_reads_no_weights(self):
        begin = time.monotonic()
        self.assertIn("ok: model llama, 8 train, no dev and 6 test examples", self.run_ok("validate", "run.yaml").out)
        self.assertLess(time.monotonic() - begin, 10)  # about a second where nothing else runs

    def test_a_download_that_broke_off_is_refused(self):
        with open(cli.MODEL, "rb") as file:
            head = file.read(8_000_000)
        for size in (0, 3, 100, 100_000, 8_000_000):
            self.write("part.gguf", head[:size])
            for verb in ("validate", "run"):
                self.fails(5, [verb, "run.yaml", "model.path=part.gguf"], "part.gguf")
        self.assertFalse((self.folder / "out/config.yaml").exists())


cli.main()
