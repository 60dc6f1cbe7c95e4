"""A `mezo serve` of the build, as another program sees it. Only the standard library."""

import contextlib
import http.client
import json
import re
import subprocess

import cli


class Case(cli.Case):
    @contextlib.contextmanager
    def serving(self, *arguments):
        """The port of a server that is up; it must still be so at the end."""
        process = self.start_server(*arguments)
        try:
            yield self.port_of(process)
            self.assertIsNone(process.poll(), self.stderr())
        finally:
            process.kill()
            process.wait()
            process.stdout.close()

    def start_server(self, *arguments):
        with open(self.folder / "stderr", "w") as stderr:
            return subprocess.Popen([cli.MEZO, "serve", *map(str, arguments), "--port", "0"], cwd=self.folder, stdout=subprocess.PIPE,
                                    stderr=stderr, text=True, env=self.environment())

    def port_of(self, process):
        line = process.stdout.readline()  # comes once it listens
        found = re.fullmatch(r"serving .* at http://127\.0\.0\.1:(\d+)\n", line)
        self.assertTrue(found, line + self.stderr())
        return int(found[1])

    def ask(self, port, method, path, body=None, headers={}):
        """Status and JSON of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request(method, path, body, headers, encode_chunked="Transfer-Encoding" in headers)
            response = connection.getresponse()
            self.assertEqual(response.getheader("Content-Type"), "application/json")
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def completion(self, port, **fields):
        status, answer = self.ask(port, "POST", "/v1/completions", json.dumps(fields))
        self.assertEqual(status, 200, answer)
        return answer

    def texts(self, port, **fields):
        return [choice["text"] for choice in self.completion(port, **fields)["choices"]]

    def predicted(self, *arguments):
        """The texts of `mezo predict` for two prompts or more."""
        return [json.loads(line)["text"] for line in self.run_ok("predict", *arguments).out.splitlines()]
