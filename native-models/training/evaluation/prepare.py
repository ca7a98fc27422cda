"""Everything that `npm run eval` measures on, as sound on this machine: recorded clips fetched, questions spoken.

    python -m evaluation.prepare
    python -m evaluation.prepare --suites recorded,noise --found ~/clips

Each suite is made once, into `.cache/evaluation/suites/NAME/suite.json`; what is there already is neither fetched nor
made again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from data.recorded import LISTS, SUITES, recorded, sound_of
from data.shards import fingerprint
from data.voices.interface import SAMPLE_RATE
from evaluation.fetching import ROOT, ClipMissingError, clip_files
from evaluation.harder import in_a_room, with_noise
from evaluation.synthesise import held_out_voices, speak, write_suite

OUT = ROOT / ".cache/evaluation"
KOKORO = ROOT / ".cache/kokoro"
SPOKEN = ("questions", "names")
HARDER: dict[str, Callable[[Sequence[np.ndarray], Sequence[str], int], list[np.ndarray]]] = {
    "noise": with_noise,
    "room": in_a_room,
}
"""The first list of recorded clips, made harder."""
NAMES = (*LISTS, *SPOKEN, *HARDER)
_SEED = 1
_VERSION = 1
"""Raised when the same lists would be made into other sounds."""


class VoicesMissingError(Exception):
    """Nobody can speak the questions; says what to do."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes the suites that `npm run eval` measures on.")
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--suites", default=",".join(NAMES), help=f"some of {','.join(NAMES)}")
    parser.add_argument("--found", type=Path, action="append", default=[], help="a folder that has clips already")
    parser.add_argument("--kokoro", type=Path, help="Kokoro's folder (data/README.md); without it two voices speak")
    parser.add_argument("--offline", action="store_true", help="nothing is fetched")
    given = parser.parse_args()
    names = given.suites.split(",")
    if unknown := set(names) - set(NAMES):
        parser.error(f"there is no suite {', '.join(sorted(unknown))}")
    kokoro = given.kokoro or (KOKORO if KOKORO.is_dir() else None)
    if kokoro is not None and not any(kokoro.glob("??_*.bin")):
        parser.error(f"{kokoro} holds no voices of Kokoro")
    failed = False
    for name in names:
        try:
            items = prepare(name, given.out, given.found, kokoro, given.offline)
            print(f"{name}: {items} items in {given.out / 'suites' / name / 'suite.json'}", flush=True)
        except (ClipMissingError, VoicesMissingError) as error:
            print(f"error: {name} cannot be made: {error}", file=sys.stderr)
            failed = True
    sys.exit(int(failed))


def prepare(name: str, out: Path, found: Sequence[Path], kokoro: Path | None, offline: bool) -> int:
    """Makes one suite where it is not there as it should be → its items. Throws what says why it cannot be made."""
    folder = out / "suites" / name
    listed = SUITES / f"{LISTS[0] if name in HARDER else name}.json"
    voices = held_out_voices(kokoro) if name in SPOKEN else []
    state = json.dumps([_VERSION, _SEED, [v.label for _, v in voices], _digest(listed)])
    if name in SPOKEN and not voices:
        raise VoicesMissingError("no held-out voice is installed. apt install flite, or name Kokoro's folder.")
    stamp = folder / ".made"
    if stamp.exists() and stamp.read_text() == state:
        return len(json.loads((folder / "suite.json").read_text(encoding="utf-8")))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if name in SPOKEN:
        items = speak(json.loads(listed.read_text(encoding="utf-8")), folder, voices)
    else:
        items = _recorded(LISTS[0] if name in HARDER else name, HARDER.get(name), folder, out, found, offline)
    stamp.write_text(state)
    return len(items)


def _recorded(
    name: str,
    harder: Callable[[Sequence[np.ndarray], Sequence[str], int], list[np.ndarray]] | None,
    folder: Path,
    out: Path,
    found: Sequence[Path],
    offline: bool,
) -> list[dict[str, Any]]:
    clips = recorded(name)
    paths = clip_files(clips, out / "sounds", found, offline)
    sounds = [sound_of(paths[clip.identifier]) for clip in clips]
    for clip, sound in zip(clips, sounds, strict=True):
        if fingerprint(sound) != clip.fingerprint:
            raise ClipMissingError(f"{clip.file} is decoded to another sound here than the list was made from.")
    if harder is not None:
        sounds = harder(sounds, [clip.identifier for clip in clips], _SEED)
    items = []
    for clip, sound in zip(clips, sounds, strict=True):
        soundfile.write(folder / f"{clip.identifier}.wav", sound, SAMPLE_RATE, subtype="PCM_16")
        item = {"id": clip.identifier, "audio": f"{clip.identifier}.wav", "text": clip.transcript, "language": "en"}
        items.append(item | ({"keep": list(clip.keep)} if clip.keep else {}))
    write_suite(folder, items)
    return items


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
