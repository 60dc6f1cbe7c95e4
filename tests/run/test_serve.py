"""`mezo serve` as a server: its answers are those of `mezo predict`, what it does not do it refuses, and it ends cleanly. Texts of
transformers and of perturbed weights are compared in test_serve_streams.py."""

import concurrent.futures
import http.client
import json
import signal
import socket
import subprocess
import time

import cli
import serving

PROMPTS = ["The film", "I laughed and"]
PROMPT_ARGUMENTS = [part for prompt in PROMPTS for part in ("--prompt", prompt)]


class Serve(serving.Case):
    def test_texts_are_those_of_predict(self):
        for sampling in ([], ["generation.temperature=0.9", "generation.top_k=40", "generation.top_p=0.95", "generation.seed=7"]):
            expected = self.predicted(cli.MODEL, *PROMPT_ARGUMENTS, "generation.max_new_tokens=12", *sampling)
            with self.serving(cli.MODEL, "generation.max_new_tokens=12", *sampling) as port:
                self.assertEqual(self.texts(port, prompt=PROMPTS), expected)
        with self.serving(cli.MODEL) as port:  # the last settings, given in the request
            own = dict(max_tokens=12, temperature=0.9, top_k=40, top_p=0.95, seed=7)
            self.assertEqual(self.texts(port, prompt=PROMPTS, **own), expected)
            self.assertEqual(self.texts(port, prompt=PROMPTS[0], **own), expected[:1])
            self.assertEqual(self.texts(port, prompt=PROMPTS[1], mezo={"row": 1}, **own), expected[1:])
            self.assertNotEqual(self.texts(port, prompt=PROMPTS, **own | {"seed": 8}), expected)

    def test_the_form_of_an_answer(self):
        with self.serving(cli.MODEL) as port:
            before = int(time.time())
            answer = self.completion(port, prompt="The film", max_tokens=5, model=cli.MODEL.name, user="someone", n=1, stream=False,
                                     echo=False, logprobs=None, suffix=None, best_of=1, stop=None)
            self.assertEqual(list(answer), ["id", "object", "created", "model", "choices", "usage", "mezo"])
            self.assertTrue(answer["id"].startswith("cmpl-"))
            self.assertEqual((answer["object"], answer["model"]), ("text_completion", cli.MODEL.name))
            self.assertTrue(before <= answer["created"] <= time.time())
            choice, = answer["choices"]
            self.assertEqual((choice["index"], choice["logprobs"], choice["finish_reason"]), (0, None, "length"))
            used = answer["usage"]
            self.assertEqual((used["completion_tokens"], used["total_tokens"]), (5, 5 + used["prompt_tokens"]))
            self.assertNotEqual(self.completion(port, prompt="The film", max_tokens=5)["id"], answer["id"])
            self.assertEqual(answer["mezo"]["generation"], {"max_tokens": 5, "temperature": 0.0, "top_p": 1.0, "top_k": 0, "seed": 0, "stop": []})

            stop = choice["text"][2:4]
            for form in (stop, ["absent", stop]):
                stopped, = self.completion(port, prompt="The film", max_tokens=5, stop=form)["choices"]
                self.assertEqual((stopped["text"], stopped["finish_reason"]), (choice["text"].split(stop)[0], "stop"))

            status, models = self.ask(port, "GET", "/v1/models")
            self.assertEqual((status, [m["id"] for m in models["data"]]), (200, [cli.MODEL.name]))
            self.assertEqual(self.ask(port, "GET", "/health?now"), (200, {"status": "ok"}))

    def test_settings_of_the_command_line_are_those_of_a_request_that_says_nothing(self):
        self.write("texts.yaml", 'prompt: "{text}"\nanswers: a\nmax_new_tokens: 7\nstop: ["\\n"]\n')
        with self.serving(cli.MODEL, "task.file=texts.yaml", 'generation.stop=["!"]') as port:
            made = self.completion(port, prompt="The film")["mezo"]["generation"]
            self.assertEqual((made["max_tokens"], made["stop"]), (7, ["!", "\n"]))
            made = self.completion(port, prompt="The film", stop=[], max_tokens=3)["mezo"]["generation"]
            self.assertEqual((made["max_tokens"], made["stop"]), (3, []))

    def refused(self, port, body, status, param, *parts):
        body = body if isinstance(body, (str, bytes)) else json.dumps(body)
        got, answer = self.ask(port, "POST", "/v1/completions", body)
        self.assertEqual(got, status, (body[:200], answer))
        error = answer["error"]
        self.assertEqual(list(error), ["message", "type", "param", "code"])
        self.assertEqual((error["type"], error["param"]), ("invalid_request_error", param), error)
        for part in parts:
            self.assertIn(part, error["message"])

    def test_what_is_wrong_is_refused_by_its_name(self):
        with self.serving(cli.MODEL) as port:
            for body in ("", "{", "[1", '{"prompt": "a",}', b'{"prompt": "\xff"}', "[" * 1000, '{"prompt": NaN}'):
                self.refused(port, body, 400, None, "body: expected JSON")
            self.refused(port, [], 400, None, "a JSON object")
            self.refused(port, {}, 400, "prompt", "missing")
            for prompt in (3, {}, [], [None], ["a", 3], [3, "a"], [[1], "a"], [1.5], [-1], [2**31], [2**63], True):
                self.refused(port, {"prompt": prompt}, 400, "prompt", "must be")
            self.refused(port, {"prompt": ""}, 400, "prompt", "no token")
            self.refused(port, {"prompt": [[1], []]}, 400, "prompt", "prompt 1")
            self.refused(port, {"prompt": [100000]}, 400, "prompt", "token 100000")
            for field, values in {"max_tokens": (0, -1, 1.0, "5", 4097, 2**64 - 1, True), "temperature": (-0.1, "1", 1e7, True),
                                  "top_p": (0, 1.1, "1"), "top_k": (-2, 2.5), "seed": (-1, 1.5, 2**63), "model": (3,),
                                  "stop": ("", [""], 3, [3], ["a"] * 17, "a" * 257),
                                  "mezo": (3, "step", {"probe": 0}, {"step": 1, "sign": 1})}.items():
                for value in values:
                    self.refused(port, {"prompt": "a", field: value}, 400, field, field)
            for field, value in {"stream": True, "n": 2, "best_of": 3, "echo": True, "logprobs": 0, "suffix": "b", "logit_bias": {"5": 1},
                                 "presence_penalty": 0.5, "frequency_penalty": 1, "stream_options": {}}.items():
                self.refused(port, {"prompt": "a", field: value}, 400, field, "not supported")
            self.refused(port, {"prompt": "a", "max_token": 3}, 400, "max_token", "unknown field", "did you mean 'max_tokens'")
            self.refused(port, {"prompt": "a", "mezo": {"steps": 1}}, 400, "mezo.steps", "unknown field")
            self.refused(port, {"prompt": "a", "mezo": {"step": 0, "probe": 0, "sign": 1}}, 400, "mezo.step", "only a run")
            self.refused(port, {"prompt": "a", "model": "other"}, 404, "model", "'other'", cli.MODEL.name)

    def test_what_is_too_large_is_refused(self):
        with self.serving(cli.MODEL) as port:  # of 512 positions
            self.refused(port, {"prompt": ["a"] * 257}, 400, "prompt", "at most 256 prompts")
            self.refused(port, {"prompt": "many " * 500, "max_tokens": 1}, 400, "prompt", "more than the 512")
            self.refused(port, {"prompt": [5] * 512, "max_tokens": 1}, 400, "prompt", "512 tokens", "more than the 512")
            self.completion(port, prompt=[5] * 511, max_tokens=1)
            # As many bytes are refused whether they are announced or not, read or not.
            body = json.dumps({"prompt": "a" * (9 << 20)})
            self.assertEqual(self.ask(port, "POST", "/v1/completions", body)[0], 413)
            self.assertEqual(self.ask(port, "POST", "/v1/completions", iter([body.encode()]), {"Transfer-Encoding": "chunked"})[0], 413)
            self.assertEqual(self.ask(port, "GET", "/health", headers={"Long": "a" * 20000})[0], 431)
        with self.serving(cli.MODEL, "task.max_length=20000", "generation.max_new_tokens=5000") as port:
            self.refused(port, {"prompt": "a"}, 400, "prompt", "max_tokens (5000)", "more than the 512")

    def test_other_paths_methods_and_protocols(self):
        with self.serving(cli.MODEL) as port:
            status, answer = self.ask(port, "GET", "/v1/chat/completions")
            self.assertEqual((status, answer["error"]["code"]), (404, "not_found"))
            self.assertIn("/v1/completions", answer["error"]["message"])
            for method, path in (("GET", "/v1/completions"), ("POST", "/v1/models"), ("DELETE", "/health")):
                self.assertEqual(self.ask(port, method, path)[0], 405)
            self.assertEqual(self.ask(port, "GET", "/../../etc/passwd")[0], 404)
            chunked = b"POST /v1/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
            for nonsense in (b"what is this\r\n\r\n", chunked + b"xyz\r\n", chunked + b"a" * 400000):
                with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
                    raw.sendall(nonsense)
                    self.assertIn(b" 400 ", raw.recv(4096))
            with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
                raw.sendall(b"POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 31\r\nExpect: 100-continue\r\n\r\n")
                self.assertIn(b"100 Continue", raw.recv(4096))
                raw.sendall(b'{"prompt": "a", "max_tokens":1}')
                self.assertIn(b"200 OK", raw.recv(4096))

    def test_a_connection_takes_one_request_after_the_other(self):
        with self.serving(cli.MODEL) as port:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            for _ in range(3):
                connection.request("POST", "/v1/completions", json.dumps({"prompt": "The film", "max_tokens": 2}))
                self.assertEqual(json.loads(connection.getresponse().read())["usage"]["completion_tokens"], 2)
            connection.close()

    def test_requests_at_once_are_answered_one_after_the_other(self):
        with self.serving(cli.MODEL, "generation.temperature=1") as port, concurrent.futures.ThreadPoolExecutor(80) as pool:
            alone = {seed: self.texts(port, prompt=PROMPTS, seed=seed, max_tokens=20) for seed in range(4)}
            made = pool.map(lambda seed: self.texts(port, prompt=PROMPTS, seed=seed % 4, max_tokens=20), range(80))  # more than are let in
            self.assertEqual(list(made), [alone[seed % 4] for seed in range(80)])

    def test_health_is_answered_while_a_text_is_made(self):
        with self.serving(cli.MODEL) as port, concurrent.futures.ThreadPoolExecutor(1) as pool:
            texts = pool.submit(self.texts, port, prompt=["The film"] * 256, max_tokens=200)
            time.sleep(0.2)
            self.assertEqual(self.ask(port, "GET", "/health")[0], 200)
            self.assertFalse(texts.done())
            self.assertEqual(len(texts.result()), 256)

    def test_a_signal_ends_it(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            process = self.start_server(cli.MODEL)
            port = self.port_of(process)
            idle = socket.create_connection(("127.0.0.1", port))
            process.send_signal(number)
            self.assertEqual(process.wait(10), 6)
            self.assertIn("[serve] interrupted", self.stderr())
            idle.close()
            process.stdout.close()

    def test_a_signal_ends_texts_that_are_made_and_those_that_wait(self):
        process = self.start_server(cli.MODEL)
        port = self.port_of(process)
        body = json.dumps({"prompt": ["The film"] * 256, "max_tokens": 500})
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            asked = [pool.submit(self.ask, port, "POST", "/v1/completions", body) for _ in range(2)]
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
            for one in asked:
                status, answer = one.result()
                self.assertEqual((status, answer["error"]["type"], answer["error"]["code"]), (503, "server_error", "server_ends"))
        self.assertEqual(process.wait(10), 6)
        process.stdout.close()

    def test_what_cannot_be_served_is_said(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            self.fails(6, ["serve", cli.MODEL, "--port", port], "[serve]", port, "in use")
        self.fails(6, ["serve", cli.MODEL, "--host", "203.0.113.7", "--port", "0"], "203.0.113.7")
        self.fails(2, ["serve", cli.MODEL, "--port", "70000"], "port")
        self.fails(2, ["serve", cli.MODEL, "--port", "0", "--step", "3"], "no run folder")
        self.fails(2, ["serve", cli.MODEL, "--port", "0", "generation.temprature=1"], "argument 5", "temperature")
        self.fails(5, ["serve", self.folder / "nowhere", "--port", "0"], "no such file or folder")

    def test_other_machines_are_let_in_only_when_asked_for(self):
        process = subprocess.Popen([cli.MEZO, "serve", str(cli.MODEL), "--port", "0", "--host", "0.0.0.0"], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=self.environment())
        self.assertIn("at http://0.0.0.0:", process.stdout.readline())
        process.send_signal(signal.SIGINT)
        self.assertIn("no password", process.communicate(timeout=10)[1])


if __name__ == "__main__":
    cli.main()
