"""`python -m data.check FOLDER`: every shard is what the manifest says, readable, and free of recorded speech."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from data.recorded import fingerprints
from data.shards import COUNTED, FIELDS, fingerprint, read_shard, sha256, summarise


class DataError(Exception):
    """A shard is not what the manifest says."""


def check(out: Path) -> int:
    """→ the number of clips checked; raises `DataError` with the shard and what is wrong with it."""
    manifest = json.loads((out / "manifest.json").read_text())
    recorded = fingerprints()
    seen: set[str] = set()
    for entry in manifest["shards"]:
        shard = out / "shards" / entry["shard"]
        if not shard.exists():
            raise DataError(f"{shard.name}: in the manifest but not there")
        if sha256(shard) != entry["sha256"]:
            raise DataError(f"{shard.name}: its hash is not the manifest's")
        rows = []
        for samples, about in read_shard(shard):
            if set(about) != set(FIELDS):
                raise DataError(f"{shard.name}/{about.get('id')}: fields {sorted(set(about) ^ set(FIELDS))}")
            if about["id"] in seen:
                raise DataError(f"{shard.name}/{about['id']}: the key is there twice")
            if fingerprint(samples) != about["fingerprint"]:
                raise DataError(f"{shard.name}/{about['id']}: the sound is not the one that was written")
            if about["fingerprint"] in recorded:
                raise DataError(f"{shard.name}/{about['id']}: a recorded clip, which is for testing only")
            seen.add(about["id"])
            rows.append(about)
        if summarise(rows)["clips"] != entry["clips"]:
            raise DataError(f"{shard.name}: {len(rows)} clips, {entry['clips']} in the manifest")
    for field in COUNTED:
        if sum(count["clips"] for count in manifest["by"][field].values()) != len(seen):
            raise DataError(f"manifest.json: the counts by {field} do not add up to {len(seen)}")
    return len(seen)


if __name__ == "__main__":
    print(f"{check(Path(sys.argv[1]))} clips are as the manifest says")
