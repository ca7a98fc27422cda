"""WebDataset shards: a tar of `<key>.flac` and `<key>.json` a sample, byte for byte the same for the same seed."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from data.files import write_whole
from data.voices.interface import SAMPLE_RATE

FIELDS = (
    "id split text spoken question response language task source licence voice voice_licence synthesiser "
    "sex accent speed augmentation seconds seed fingerprint"
).split()
COUNTED = ("split", "language", "task", "source", "licence", "synthesiser", "voice")


def fingerprint(samples: np.ndarray) -> str:
    """A hash of the sound alone, `[samples]` at 16 kHz as 16-bit integers: finds the same clip anywhere."""
    return hashlib.sha256(sixteen_bits(samples).tobytes()).hexdigest()[:32]


def sixteen_bits(samples: np.ndarray) -> np.ndarray:
    """float `[samples]` within ±1 → int16, so that what is read back from the FLAC gives the same integers."""
    return np.clip(np.round(samples * 32768), -32768, 32767).astype("<i2")


def write_clip(folder: Path, samples: np.ndarray, about: dict[str, Any]) -> None:
    """One sample into a shard's folder; the JSON is written last and marks the clip complete."""
    sound = io.BytesIO()
    soundfile.write(sound, sixteen_bits(samples), SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    row = about | {"seconds": round(len(samples) / SAMPLE_RATE, 3), "fingerprint": fingerprint(samples)}
    if set(row) != set(FIELDS):
        raise ValueError(f"fields of a sample: {sorted(set(row) ^ set(FIELDS))}")
    (folder / f"{row['id']}.flac").write_bytes(sound.getvalue())
    write_whole(folder / f"{row['id']}.json", json.dumps({key: row[key] for key in FIELDS}, ensure_ascii=False))


def pack(folder: Path, shard: Path) -> dict[str, Any]:
    """Puts a shard's folder into one tar, writes its summary beside it, removes the folder → the summary."""
    partial = shard.with_suffix(".partial")
    rows = []
    with tarfile.open(partial, "w", format=tarfile.USTAR_FORMAT) as tar:
        for about in sorted(folder.glob("*.json")):
            rows.append(json.loads(about.read_text()))
            for path in (about.with_suffix(".flac"), about):
                entry = tarfile.TarInfo(path.name)  # owner, mode and time stay at their defaults
                entry.size = path.stat().st_size
                with path.open("rb") as data:
                    tar.addfile(entry, data)
    summary = summarise(rows) | {
        "shard": shard.name,
        "sha256": sha256(partial),
        "bytes": partial.stat().st_size,
    }
    write_whole(shard.with_suffix(".json"), json.dumps(summary, ensure_ascii=False, indent=1) + "\n")
    partial.replace(shard)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    return summary


def summarise(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Clips and hours, in all and by each of `COUNTED`."""
    by: dict[str, dict[str, dict[str, float]]] = {}
    for field in COUNTED:
        clips = Counter(row[field] for row in rows)
        seconds: Counter[str] = Counter()
        for row in rows:
            seconds[row[field]] += row["seconds"]
        by[field] = {k: {"clips": clips[k], "hours": round(seconds[k] / 3600, 5)} for k in sorted(clips)}
    return {"clips": len(rows), "hours": round(sum(row["seconds"] for row in rows) / 3600, 5), "by": by}


def read_shard(shard: Path) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
    """The samples of a shard in order → (`[samples]` float32 at 16 kHz, its JSON)."""
    with tarfile.open(shard) as tar:
        sound: np.ndarray | None = None
        for entry in tar:
            data = tar.extractfile(entry)
            assert data is not None
            if entry.name.endswith(".flac"):
                sound, rate = soundfile.read(io.BytesIO(data.read()), dtype="float32")
                assert rate == SAMPLE_RATE, f"{shard.name}/{entry.name} is at {rate} Hz"
            elif sound is not None:
                yield sound, json.load(data)


def write_manifest(out: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """`manifest.json`: all shards with their hashes, and the sums over them."""
    summaries = [json.loads(path.read_text()) for path in sorted((out / "shards").glob("*.json"))]
    summaries = [s for s in summaries if (out / "shards" / s["shard"]).exists()]
    by: dict[str, dict[str, dict[str, float]]] = {field: {} for field in COUNTED}
    for summary in summaries:
        for field in COUNTED:
            for key, count in summary["by"][field].items():
                total = by[field].setdefault(key, {"clips": 0, "hours": 0.0})
                total["clips"] += count["clips"]
                total["hours"] = round(total["hours"] + count["hours"], 5)
    manifest = {
        "settings": settings,
        "clips": sum(s["clips"] for s in summaries),
        "hours": round(sum(s["hours"] for s in summaries), 3),
        "by": {field: dict(sorted(counts.items())) for field, counts in by.items()},
        "shards": [{key: s[key] for key in ("shard", "sha256", "bytes", "clips", "hours")} for s in summaries],
    }
    write_whole(out / "manifest.json", json.dumps(manifest, ensure_ascii=False, indent=1) + "\n")
    return manifest


def sha256(path: Path) -> str:
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
