"""Sound-event items for SALMONN's tasks (SALMONN, section 4): scenes of synthesised events, question, answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from num2words import num2words

from data.events import EVENTS, render
from data.music import chords
from data.voices.interface import SAMPLE_RATE

LICENCE = "Apache-2.0"


@dataclass(frozen=True)
class Scene:
    """What is heard, what is asked about it in writing, and the answer."""

    samples: np.ndarray
    task: str
    question: str
    answer: str


def _names(generator: np.random.Generator, count: int) -> list[str]:
    listed = list(EVENTS)
    return [listed[int(i)] for i in generator.choice(len(listed), count, replace=False)]


def _sequence(parts: list[np.ndarray], generator: np.random.Generator) -> np.ndarray:
    gaps = [np.zeros(int(generator.uniform(0.15, 0.5) * SAMPLE_RATE), np.float32) for _ in parts]
    return np.concatenate([piece for pair in zip(gaps, parts, strict=True) for piece in pair])


def _overlaid(parts: list[np.ndarray], generator: np.random.Generator) -> np.ndarray:
    out = np.zeros(max(map(len, parts)), np.float32)
    for part in parts:
        at = int(generator.integers(0, len(out) - len(part) + 1))
        out[at : at + len(part)] += part * generator.uniform(0.5, 1.0)
    return out / max(1.0, float(np.abs(out).max()))


def _listing(names: list[str], joint: str = "and") -> str:
    text = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} {joint} {names[-1]}"
    return text[0].upper() + text[1:] + "."


def which_sounds(g: np.random.Generator) -> Scene:
    names = _names(g, int(g.integers(1, 4)))
    samples = _overlaid([render(name, g) for name in names], g)
    return Scene(samples, "sound-events", "Which sounds do you hear?", _listing(sorted(names)))


def in_what_order(g: np.random.Generator) -> Scene:
    names = _names(g, int(g.integers(2, 4)))
    samples = _sequence([render(name, g) for name in names], g)
    return Scene(samples, "sound-order", "In what order do the sounds come?", _listing(names, "then"))


def which_came(g: np.random.Generator) -> Scene:
    names = _names(g, int(g.integers(2, 4)))
    samples = _sequence([render(name, g) for name in names], g)
    place = ("first", "last")[int(g.integers(2))]
    return Scene(
        samples,
        "sound-order",
        f"Which sound comes {place}?",
        _listing([names[0 if place == "first" else -1]]),
    )


def how_many(g: np.random.Generator) -> Scene:
    (name,), count = _names(g, 1), int(g.integers(1, 5))
    short = [render(name, g)[: SAMPLE_RATE * 2] for _ in range(count)]
    pause = np.zeros(int(0.7 * SAMPLE_RATE), np.float32)
    samples = np.concatenate([piece for part in short for piece in (part, pause)])
    answer = f"{num2words(count).capitalize()} {'time' if count == 1 else 'times'}."
    return Scene(samples, "sound-count", f"How many times do you hear {name}?", answer)


def is_there(g: np.random.Generator) -> Scene:
    names = _names(g, 4)
    samples = _overlaid([render(name, g) for name in names[:2]], g)
    present = bool(g.integers(2))
    return Scene(samples, "sound-presence", f"Do you hear {names[0 if present else 3]}?", "Yes." if present else "No.")


def which_is_louder(g: np.random.Generator) -> Scene:
    names = _names(g, 2)
    loud = int(g.integers(2))
    parts = [render(name, g) * (1.0 if index == loud else 0.12) for index, name in enumerate(names)]
    question = f"Which is louder, {names[0]} or {names[1]}?"
    return Scene(_sequence(parts, g), "sound-level", question, _listing([names[loud]]))


def how_long(g: np.random.Generator) -> Scene:
    (name,) = _names(g, 1)
    part, wanted = render(name, g), int(g.integers(1, 6))
    samples = np.resize(part, wanted * SAMPLE_RATE)
    answer = f"{num2words(wanted).capitalize()} {'second' if wanted == 1 else 'seconds'}."
    return Scene(samples, "sound-duration", "For how many seconds does the sound last?", answer)


def about_music(g: np.random.Generator) -> Scene:
    samples, facts = chords(g)
    question, answer = (
        ("Are the chords major or minor?", facts["mode"]),
        ("Is the music slow or fast?", facts["tempo"]),
        ("What kind of instrument plays?", facts["timbre"]),
        ("How many chords are played?", num2words(int(facts["count"]))),
        ("Do the chords rise or fall?", {"rising": "they rise", "falling": "they fall"}[facts["motion"]]),
        (
            "Describe the music.",
            f"{facts['tempo']} {facts['motion']} {facts['mode']} chords played by {facts['timbre']}",
        ),
    )[int(g.integers(6))]
    return Scene(samples, "music", question, answer[0].upper() + answer[1:] + ".")


SCENES: tuple[Callable[[np.random.Generator], Scene], ...] = (
    which_sounds,
    in_what_order,
    which_came,
    how_many,
    is_there,
    which_is_louder,
    how_long,
    about_music,
    about_music,
)


def scene(generator: np.random.Generator) -> Scene:
    """A scene of any kind; the same generator state gives the same scene."""
    return SCENES[int(generator.integers(len(SCENES)))](generator)
