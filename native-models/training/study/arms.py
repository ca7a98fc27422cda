"""Every arm of the study: one line each, in the order in which they are run, the most telling first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Options = dict[str, Any]


@dataclass(frozen=True)
class Arm:
    name: str
    kind: str
    """`prepare`, `listen`, `fine-tune`, `salmonn`, `conformer` or `noise`: a file in `study/` each."""
    options: Options = field(default_factory=dict)
    needs: tuple[str, ...] = ("prepare",)
    minutes: float = 8
    """Expected, of one core that has nothing else to do: what the queue's forecast adds up."""


def _listen(name: str, minutes: float = 8, needs: tuple[str, ...] = (), **options: Any) -> Arm:
    """Like `adaptor/conv-4` but for `options` (see `study.listen.ListenOptions`)."""
    return Arm(name, "listen", options, ("prepare", *needs), minutes)


def _adaptor(kind: str, **more: Any) -> Options:
    return {"adaptor": {"kind": kind, **more}}


def _window(reduction: int) -> Options:
    return _adaptor("window-q-former", window_seconds=reduction / 50)


REFERENCE = "adaptor/conv-4"

TABLES: dict[str, list[Arm]] = {
    "prepare": [Arm("prepare", "prepare", {}, (), 25)],
    "adaptors": [
        _listen(REFERENCE, **_adaptor("conv", convolutions=2)),
        _listen("adaptor/mlp", 12, **_adaptor("mlp")),
        _listen("adaptor/conv-8", **_adaptor("conv", convolutions=3)),
        _listen("adaptor/window-4", **_window(4)),
        _listen("adaptor/window-8", **_window(8)),
        _listen("adaptor/window-17", **_window(17)),
        _listen("adaptor/q-former-88", 9, **_adaptor("q-former", queries=88)),
        _listen("adaptor/q-former-188", 12, **_adaptor("q-former", queries=188)),
    ],
    "seeds": [
        _listen("seed-1/conv-4", seed=1, **_adaptor("conv", convolutions=2)),
        _listen("seed-2/conv-4", seed=2, **_adaptor("conv", convolutions=2)),
        _listen("seed-1/mlp", 12, seed=1, **_adaptor("mlp")),
        _listen("seed-1/window-4", seed=1, **_window(4)),
    ],
    "aligner": [
        _listen(
            "aligner/full", 14, needs=("aligner/fine-tuned-llm",), ranks=[256, 128, 64, 32, 16, 8], **_adaptor("linear")
        )
    ]
    + [_listen(f"aligner/rank-{rank}", 12, rank=rank, **_adaptor("linear")) for rank in (384, 256, 128, 32)],
    "trained": [
        _listen("trained/lora", 9, trained=["adaptor", "lora"]),
        _listen("trained/encoder", 14, trained=["adaptor", "encoder"]),
        _listen("trained/llm", 25, trained=["adaptor", "llm"]),
    ],
    "mixes": [
        _listen("mix/replies", mix="replies"),
        _listen("mix/both", mix="both"),
        _listen("mix/languages", mix="languages"),
        _listen("mix/short", mix="short"),
        _listen("mix/one-synthesiser", mix="one-synthesiser"),
    ],
    "hours": [_listen(f"hours/{hours}", hours=hours) for hours in (0.125, 0.25, 0.5, 1.0)],
    "stack": [_listen(f"stack/{n}", mix="both", **_adaptor("stack", stack=n)) for n in (2, 4, 8, 16)],
    "noise": [Arm("noise", "noise", {"listener": "mix/both"}, ("prepare", "mix/both"), 10)],
    "salmonn": [Arm("salmonn", "salmonn", {"seed": 0}, ("prepare",), 25)],
    "template": [_listen("template/none", template=False)],
    "conformer": [
        Arm("conformer/recognition", "conformer", {"stack": None}, ("prepare",), 20),
        *(Arm(f"conformer/stack-{n}", "conformer", {"stack": n}, ("conformer/recognition",), 8) for n in (1, 2, 4)),
    ],
}
# In front of the arm that it is for.
TABLES["aligner"].insert(0, Arm("aligner/fine-tuned-llm", "fine-tune", {}, ("prepare",), 8))

ARMS: dict[str, Arm] = {arm.name: arm for arms in TABLES.values() for arm in arms}
