"""`python -m data.build --settings data/settings/default.yaml --out FOLDER`: texts, voices, sounds, replies, shards.

The same settings and seed give the same shards, byte for byte with the same synthesisers; several processes may
each finish one shard more than the hours ask for. It may be stopped at any time and started again, and several
may run on one folder. `progress.jsonl` says what was made at which rate.
"""

from __future__ import annotations

import argparse
import json
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import yaml

from data.check import check
from data.collections import HELD_OUT, package_texts, trainable
from data.items import read_texts, write_texts
from data.jobs import Job, work
from data.language_model import LanguageModel
from data.responses import read_responses, respond
from data.shards import write_manifest
from data.speech import sound_part, speak_part, voice_part
from data.texts import magpie, prose
from data.voices.casting import Cast

# What a process does first: the quick voices in one, then the LLM, which is slow; Kokoro has the other to itself.
ORDERS = (
    (("texts", "sounds"), ("quick",), ("responses",), ("kokoro",)),
    (("texts",), ("kokoro",), ("quick", "responses"), ("sounds",)),
)


class Build:
    """The jobs of one data set. Synthesisers and the LLM are started when a job first needs them."""

    def __init__(self, settings: dict[str, Any], seed: int, out: Path, kokoro: Path | None, gguf: Path | None) -> None:
        self.settings, self.seed, self.out, self.gguf = settings, seed, out, gguf
        self._kokoro = kokoro
        self._part = settings["part"]

    @cached_property
    def cast(self) -> Cast:
        return Cast(self._kokoro)

    @cached_property
    def model(self) -> LanguageModel:
        if self.gguf is None:
            raise SystemExit("these settings need the LLM: name its file with --gguf")
        return LanguageModel(self.gguf)

    def jobs(self) -> list[Job]:
        """Everything there is to do, in order of priority within a kind."""
        parts = {path.stem: path for path in (self.out / "texts").glob("*.jsonl")}
        if self.settings["magpie"]:
            for index in range(-(-self.settings["magpie"] // self._part)):
                for name in (
                    f"magpie-{index:04d}",
                    *([f"prose-{index:04d}"] if self.settings["prose"] else []),
                ):
                    parts[name] = self.out / "texts" / f"{name}.jsonl"
        in_turn = sorted(parts, key=lambda name: (name[-4:], name))
        jobs = [job for name in in_turn for job in self._of_part(parts[name])]
        return jobs + self._sounds() + self._voices()

    def _of_part(self, texts: Path) -> list[Job]:
        collection, index = texts.stem.rsplit("-", 1)
        responses = self.out / "responses" / texts.name
        share = self.settings["responses"].get(collection, 0)
        wants_replies = int((int(index) + 1) * share) > int(int(index) * share)
        jobs: list[Job] = []
        if collection == "magpie":
            jobs.append(Job(texts.stem, "responses", texts, (), lambda: self._magpie(texts, int(index))))
        if collection == "prose":
            asked = self.out / "responses" / f"magpie-{index}.jsonl"
            jobs.append(Job(texts.stem, "texts", texts, (asked,), lambda: self._prose(asked, texts)))
        if wants_replies:
            jobs.append(
                Job(
                    f"responses-{texts.stem}",
                    "responses",
                    responses,
                    (texts,),
                    lambda: self._respond(texts, responses),
                )
            )
        needs = (texts, responses) if wants_replies else (texts,)
        return jobs + [self._speech(texts, responses, needs, group) for group in self._groups(collection, int(index))]

    def _groups(self, collection: str, index: int) -> list[str]:
        """Kokoro and the quick voices take turns through the parts; both speak the held-out texts."""
        share = self.settings["kokoro_share"]
        if not share:
            return ["quick"]
        if collection == HELD_OUT:
            return ["quick", "kokoro"]
        return ["kokoro" if int((index + 1) * share) > int(index * share) else "quick"]

    def _speech(self, texts: Path, responses: Path, needs: tuple[Path, ...], group: str) -> Job:
        name = f"{texts.stem}-{group}"
        shard, folder = self.out / "shards" / f"{name}.tar", self.out / "work" / name
        share = self.settings["kokoro_share"] if group == "kokoro" else 1 - self.settings["kokoro_share"]

        def run() -> float:
            hours = speak_part(texts, responses, group, shard, self.cast, self.seed, folder)
            write_manifest(self.out, self.settings | {"seed": self.seed})
            return hours

        return Job(name, group, shard, needs, run, lambda: self._hours(group) < self.settings["hours"] * share)

    def _hours(self, group: str) -> float:
        made = (self.out / "shards").glob(f"*-{group}.json")
        return sum(json.loads(path.read_text())["hours"] for path in made)

    def _sounds(self) -> list[Job]:
        def job(part: int, split: str) -> Job:
            name = f"sounds-{split}-{part:04d}"
            shard, folder = self.out / "shards" / f"{name}.tar", self.out / "work" / name
            each = min(self._part, self.settings["sounds"])
            return Job(name, "sounds", shard, (), lambda: sound_part(part, each, shard, self.seed, folder, split))

        count = -(-self.settings["sounds"] // self._part)
        return [job(part, "train") for part in range(count)] + [job(0, "test")] * bool(count)

    def _voices(self) -> list[Job]:
        def job(texts: Path) -> Job:
            name = f"voices-{texts.stem}"
            shard, folder = self.out / "shards" / f"{name}.tar", self.out / "work" / name
            each = min(self._part, self.settings["voice_items"])
            return Job(
                name,
                "sounds",
                shard,
                (texts,),
                lambda: voice_part(texts, each, shard, self.cast, self.seed, folder),
            )

        count = -(-self.settings["voice_items"] // self._part)
        reading = sorted((self.out / "texts").glob("reading-*.jsonl"))[:count]
        return [job(path) for path in (*reading, *sorted((self.out / "texts").glob(f"{HELD_OUT}-0000.jsonl")))]

    def _magpie(self, texts: Path, index: int) -> float:
        written = magpie.instructions(self._part, self.seed * 1_000_000 + index * 1000, self.model)
        write_texts(texts, trainable(written))
        return 0.0

    def _prose(self, asked: Path, texts: Path) -> float:
        write_texts(texts, trainable(prose.sentences(read_responses(asked).values())))
        return 0.0

    def _respond(self, texts: Path, responses: Path) -> float:
        respond(read_texts(texts), self.model, responses)
        return 0.0


def _worker(rank: int, settings: dict[str, Any], seed: int, out: Path, kokoro: Path | None, gguf: Path | None) -> None:
    build = Build(settings, seed, out, kokoro, gguf)
    work(build.jobs(), out, ORDERS[rank % len(ORDERS)])


def build(settings: dict[str, Any], seed: int, out: Path, kokoro: Path | None, gguf: Path | None, workers: int) -> dict:
    """Builds the data set, or what it still lacks → its manifest."""
    if settings["kokoro_share"] and kokoro is None:
        raise SystemExit("these settings need Kokoro: name its folder with --kokoro")
    if not (out / "texts" / ".complete").exists():
        package_texts(settings, seed, out)
        (out / "texts" / ".complete").touch()
    arguments = [(rank, settings, seed, out, kokoro, gguf) for rank in range(workers)]
    if workers == 1:
        _worker(*arguments[0])
    else:
        processes = [get_context("spawn").Process(target=_worker, args=each) for each in arguments]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        if any(process.exitcode for process in processes):
            raise SystemExit("a worker failed; what was made is kept, start again")
    return write_manifest(out, settings | {"seed": seed})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--hours", type=float, help="overrides the settings'")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--kokoro", type=Path, help="folder with Kokoro's model and voices")
    parser.add_argument("--gguf", type=Path, help="SmolLM2-135M-Instruct as GGUF")
    arguments = parser.parse_args()
    settings = yaml.safe_load(arguments.settings.read_text())
    if arguments.hours is not None:
        settings["hours"] = arguments.hours
    arguments.out.mkdir(parents=True, exist_ok=True)
    manifest = build(settings, arguments.seed, arguments.out, arguments.kokoro, arguments.gguf, arguments.workers)
    check(arguments.out)
    print(f"{manifest['clips']} clips, {manifest['hours']} hours in {len(manifest['shards'])} shards")


if __name__ == "__main__":
    main()
