"""What a person sees of a run: one line that is redrawn and fits on a terminal, plain lines in a pipe."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

import cli


class Screen:
    """The few control codes that a progress line uses, as a terminal of one width shows them."""

    def __init__(self, width):
        self.width, self.lines, self.column, self.widest = width, [""], 0, 0

    def feed(self, text):
        for piece in re.split(r"(\r\n|\r|\n|\x1b\[K)", text):
            if piece == "\r":
                self.column = 0
            elif piece in ("\n", "\r\n"):
                self.lines.append("")
                self.column = 0
            elif piece == "\x1b[K":
                self.lines[-1] = self.lines[-1][: self.column]
            elif piece:
                line = self.lines[-1][: self.column].ljust(self.column) + piece + self.lines[-1][self.column + len(piece):]
                self.lines[-1] = line
                self.column += len(piece)
                self.widest = max(self.widest, self.column)


class Terminals(cli.Case):
    def on_terminal(self, width, *arguments):
        """Everything drawn on stderr, and the screen that is left."""
        parent, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
        process = subprocess.Popen([cli.MEZO, *arguments], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=child, env=self.environment())
        os.close(child)
        raw = b""
        while True:
            try:
                part = os.read(parent, 65536)
            except OSError:
                break
            if not part:
                break
            raw += part
        os.close(parent)
        self.assertEqual(process.wait(timeout=60), 0, raw)
        return raw.decode()

    def test_the_bar_fits_and_leaves_nothing_behind(self):
        for width in (200, 80, 40, 20):
            with self.subTest(width):
                raw = self.on_terminal(width, "run", "run.yaml", "trainer.steps=300", "--overwrite")
                drawn = [line for line in re.split(r"[\r\n]+", raw.replace("\x1b[K", "")) if line.startswith("training ")]
                self.assertGreater(len(drawn), 1)
                self.assertTrue(all(len(line) < width for line in drawn), drawn)
                details = {200: "  loss [0-9.]+  g [-+0-9.]+  [0-9.]+ examples/s", 80: "  loss [0-9.]+  g [-+0-9.]+"}.get(width, "")
                bar = r"\[#+\] " if width >= 80 else ""
                time = r"  0:0\d$" if width >= 40 else ""
                self.assertRegex(drawn[-1], rf"^training {bar}300/300 st(eps)?{details}.*{time}")
                screen = Screen(width)
                screen.feed(raw)
                self.assertFalse([line for line in screen.lines if "[" in line or "/300" in line], screen.lines)

    def test_in_a_pipe_there_are_a_few_plain_lines(self):
        err = self.run_ok("run", "run.yaml", "trainer.steps=300").err
        self.assertNotIn("\x1b", err)
        self.assertNotIn("\r", err)
        lines = [line for line in err.splitlines() if line.startswith("training: ") and "/300" in line]
        self.assertEqual(len(lines), 1, err)  # shorter than ten seconds: only the last
        self.assertRegex(lines[0], r"^training: 300/300 steps  loss [0-9.]+  g [-+0-9.]+  [0-9.]+ examples/s  0:0\d$")

    def test_notes_stand_above_the_bar(self):
        raw = self.on_terminal(80, "run", "run.yaml", "trainer.steps=300", "task.dev=test.jsonl", "trainer.eval_every=100")
        screen = Screen(80)
        screen.feed(raw)
        self.assertEqual([line.split(":")[0] for line in screen.lines if "dev accuracy" in line], ["step 100", "step 200", "step 300"])


cli.main()
