"""SiM: how an adaptor's kind, what is trained, what is masked, and the LLM change what is learnt.

Each arm is one run of this file with the same budget; only its settings differ.

    python -m recipes.sim --settings settings/sim.yaml --set adaptor.kind=window-q-former --set out=runs/sim/window
"""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import nn

from parts.adaptors import AdaptorSettings, new_adaptor
from parts.export import export_adaptor
from parts.listener import Listener, ListeningSettings, WhisperFrames, Workbench, prepare, train, turn_of
from parts.lora import add_lora, lora_tensors
from parts.settings import from_command_line


@dataclass(frozen=True, kw_only=True)
class SimSettings(ListeningSettings):
    adaptor: AdaptorSettings
    trained: list[str] = field(default_factory=lambda: ["adaptor"])
    """Of `adaptor`, `encoder`, `lora`, `llm` (SiM, section 3.2)."""
    encoder_layers: int = 2
    """Trained with `encoder`: the last so many."""
    rank: int = 8
    alpha: float = 16
    supervised: str = "response"


def main() -> None:
    settings = from_command_line(SimSettings, "Trains one arm of the design space, and exports its adaptor.")
    bench = prepare(settings)
    listener = new_listener(settings, bench)
    train(settings, bench, listener, lambda about: turn_of(about, settings.prompt.tasks["transcribe"]))
    if bench.processes.first:
        configuration = settings.adaptor.recipe() | {"lora_r": settings.rank, "lora_alpha": settings.alpha}
        tensors = listener.adaptor.state_dict() | lora_tensors(listener.llm)
        export_adaptor(settings.out / "export", tensors, configuration)
    bench.processes.close()


def new_listener(settings: SimSettings, bench: Workbench, frames: nn.Module | None = None) -> Listener:
    """With what is trained, and nothing else, asking for its gradient; `frames`: in place of the encoder's own."""
    llm = bench.llm if "llm" in settings.trained else bench.llm.to(bench.precision.dtype)
    llm.requires_grad_("llm" in settings.trained)
    if "lora" in settings.trained:
        add_lora(llm, settings.rank, settings.alpha)
    encoder = bench.encoder.train_top(settings.encoder_layers if "encoder" in settings.trained else 0)
    adaptor = new_adaptor(settings.adaptor, encoder.width, llm.config.hidden_size, bench.embedding_norm)
    adaptor.requires_grad_("adaptor" in settings.trained)
    heard = frames or WhisperFrames(encoder, settings.masking)
    return Listener(heard, adaptor, llm, bench.tokenizer, settings.prompt, settings.supervised)


if __name__ == "__main__":
    main()
